/* timer - the time between two points, by the monotonic clock. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const { performance } = require('perf_hooks');
const { pairsOf } = require('./context.js');

/* Milliseconds with at most three decimals. */
function milliseconds(value) {
	return Math.round(value * 1000) / 1000;
}

function merged(first, second) {
	if (second === undefined || second === null) return first;
	return first === undefined || first === null ? second : new Map([...pairsOf(first), ...pairsOf(second)]);
}

/* The options of a timer's end, added to those of its beginning. Throws what they throw when they are looked at. */
function mergedOptions(first, more) {
	if (more === null || typeof more !== 'object') return first;
	return { ...first, ...more, fields: merged(first && first.fields, more.fields), tags: merged(first && first.tags, more.tags) };
}

class Timer {
	constructor(send, name, rate, options, context) {
		this.send = send;
		this.name = name;
		this.rate = rate;
		this.options = options;
		this.context = context;
		this.began = performance.now();
	}

	/* Once; true if it was taken. */
	end(more) {
		const send = this.send;
		if (send === null) return false;
		this.send = null;
		return send(this.name, milliseconds(performance.now() - this.began), this.rate, this.options, this.context, more);
	}
}

/* One that was left out by its rate, or is disabled: for all that are. */
class NoTimer {
	end() { return false; }
}

if (Symbol.dispose) for (const kind of [Timer, NoTimer]) kind.prototype[Symbol.dispose] = function dispose() { this.end(); };

module.exports = { Timer, mergedOptions, noTimer: Object.freeze(new NoTimer()) };
