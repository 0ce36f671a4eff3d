/* context - fields that go with every message made inside a function, and inside what it starts: AsyncLocalStorage. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const { AsyncLocalStorage } = require('async_hooks');

function pairsOf(source) {
	if (source === undefined || source === null) return [];
	if (typeof source !== 'object') throw new TypeError('an object, a Map or a list of pairs is needed, and no ' + typeof source);
	return source instanceof Map || Array.isArray(source) ? [...source] : Object.entries(source);
}

function hasName(fields, name) {
	if (fields === undefined || fields === null) return false;
	if (fields instanceof Map) return fields.has(name);
	if (Array.isArray(fields)) return fields.some((pair) => pair[0] === name);
	return Object.prototype.hasOwnProperty.call(fields, name);
}

/* What a context is while it lasts: its fields as they came, and as JSON, which is written once. */
class Context {
	constructor(outer, fields, writer) {
		this.fields = new Map(outer === undefined ? [] : outer.fields);
		for (const [name, value] of pairsOf(fields)) this.fields.set(String(name), value);
		this.members = [];
		writer.begin();
		for (const [name, value] of this.fields) {
			const text = writer.value(value);
			if (text !== undefined) this.members.push([name, writer.name(name) + text]);
		}
		this.text = this.members.map(([, text]) => text).join(',');
		this.hasReserved = this.members.some(([name]) => name === 'name' || name === 'rate' || name === 'tags');
	}

	/* Its members, but for those that the message has itself. */
	textBut(fields, isWritten) {
		if ((fields === undefined || fields === null) && !this.hasReserved) return this.text;
		return this.members.filter(([name]) => !isWritten(name) && !hasName(fields, name)).map(([, text]) => text).join(',');
	}
}

class Contexts {
	constructor(writer) {
		this.storage = new AsyncLocalStorage();
		this.writer = writer;
	}

	current() { return this.storage.getStore(); }

	run(fields, callback, parameters) {
		let context;
		try {
			context = new Context(this.current(), fields, this.writer);
		} catch {
			// Fields that cannot be written must not keep the application from its work.
			context = this.current();
		}
		return this.storage.run(context, callback, ...parameters);
	}
}

module.exports = { Contexts, pairsOf };
