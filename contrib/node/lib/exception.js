/* exception - an error as Sentry's event has it: its chain of causes, the frames of each, callers first. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const { fileURLToPath } = require('url');

const FRAMES_MAX = 100;
const VALUES_MAX = 10;
const TEXT_MAX = 8192;
const STACK_MAX = 64 * 1024;

// "at f (place)", "at async f (place)", "at new C (place)", "at place"
const FRAME = /^\s*at (?:(?:async |new )?(.*?) \((.*)\)|(?:async )?(.*))$/;
const PLACE = /^(.*?):(\d+):(\d+)$/;

function cut(text) {
	return text.length > TEXT_MAX ? text.slice(0, TEXT_MAX) + '...' : text;
}

function textOf(value) {
	try { return String(value); } catch { return '[a value without a text]'; }
}

function pathOf(filename) {
	if (!filename.startsWith('file://')) return filename;
	try { return fileURLToPath(filename); } catch { return filename; }
}

/* What somebody would require: express/lib/router/layer, node:internal/timers, server. */
function moduleOf(path) {
	const packages = path.split(/[\\/]node_modules[\\/]/);
	const inside = packages.length > 1 ? packages.pop() : path.startsWith('node:') ? path : path.split(/[\\/]/).pop();
	return inside.replace(/\.[cm]?[jt]sx?$/, '');
}

function frameOf(line) {
	const part = FRAME.exec(line);
	if (!part) return null;
	const named = part[1], text = part[2] === undefined ? part[3] : part[2];
	// Of what is in an eval, the place that called it says more: "eval at run (/app/main.js:4:4), <anonymous>:1:7".
	const caller = /^eval at .*?\(([^()]+:\d+:\d+)\)/.exec(text);
	const place = PLACE.exec(caller ? caller[1] : text);
	const name = named === undefined || named === '' ? '<anonymous>' : (line.includes(' new ' + named + ' ') ? 'new ' : '') + named;
	if (!place) return { filename: text, function: name };
	const filename = pathOf(place[1]);
	return { filename, function: name, module: moduleOf(filename), lineno: Number(place[2]), colno: Number(place[3]) };
}

/* Callers first, the crashing frame last. Of too many, those in the middle are left out. */
function framesOf(error) {
	let stack = error.stack;
	if (typeof stack !== 'string') return [];
	// The message may have lines that look like frames.
	const message = textOf(error.message), at = message === '' ? -1 : stack.indexOf(message);
	if (at >= 0) stack = stack.slice(at + message.length);
	const frames = stack.slice(0, STACK_MAX).split('\n').map(frameOf).filter((frame) => frame !== null).reverse();
	if (frames.length <= FRAMES_MAX) return frames;
	return [...frames.slice(0, FRAMES_MAX / 2), ...frames.slice(-FRAMES_MAX / 2)];
}

function isError(value) {
	return value instanceof Error || (value !== null && typeof value === 'object' && typeof value.stack === 'string' && typeof value.message === 'string');
}

function typeOf(error) {
	if (!isError(error)) return 'Thrown';
	return textOf(error.name || (error.constructor && error.constructor.name) || 'Error');
}

function valueOf(error) {
	const made = { type: cut(typeOf(error)), value: cut(isError(error) ? textOf(error.message) : textOf(error)) };
	const frames = isError(error) ? framesOf(error) : [];
	if (frames.length > 0) made.stacktrace = { frames };
	return made;
}

/* The causes before what they caused; of an AggregateError, its errors too. */
function chainOf(error) {
	const chain = [], left = [error];
	while (left.length > 0 && chain.length < VALUES_MAX) {
		const one = left.shift();
		if (chain.includes(one)) continue;
		chain.push(one);
		if (!isError(one)) continue;
		if (one.cause !== undefined) left.push(one.cause);
		if (Array.isArray(one.errors)) left.push(...one.errors.slice(0, VALUES_MAX));
	}
	return chain.reverse();
}

/* {text, values}: "TypeError: it broke", and fields.exception.values. */
function describe(error) {
	const type = typeOf(error), text = isError(error) ? textOf(error.message) : textOf(error);
	return { text: cut(text === '' ? type : `${type}: ${text}`), values: chainOf(error).map(valueOf) };
}

module.exports = { describe };
