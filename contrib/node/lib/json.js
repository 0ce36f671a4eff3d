/* json - values of JavaScript as JSON, in the bytes that all clients write; whatever comes, it makes an end and throws nothing of its own. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

// An envelope may nest 64 deep, and what is written here stands two deep in it.
const DEPTH_MAX = 32;
const NAMES_MAX = 1024;
const NAME_KEPT_MAX = 64;
const CUT = '"..."';

const NEEDS_ESCAPE = /[\u0000-\u001f"\\]/;
const SURROGATE = /[\ud800-\udfff]/;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/* How deep a JSON text nests. */
function depthOf(text) {
	let depth = 0, most = 0, inText = false;
	for (let i = 0; i < text.length; i++) {
		const c = text.charCodeAt(i);
		if (inText) {
			if (c === 92) i++;
			else if (c === 34) inText = false;
		} else if (c === 34) inText = true;
		else if (c === 91 || c === 123) most = Math.max(most, ++depth);
		else if (c === 93 || c === 125) depth--;
	}
	return most;
}

/* A JSON text that goes out as it is, but for newlines, which become blanks. */
class RawJson {
	constructor(text) {
		text = String(text);
		JSON.parse(text);
		this.depth = depthOf(text);
		// They stand between its parts alone: JSON has none inside a string.
		this.text = text.replace(/\n/g, ' ');
		Object.freeze(this);
	}
	toJSON() { return JSON.parse(this.text); }
}

class TooLong extends RangeError {}
class TooDeep extends TooLong {}

function quoteEscaped(text) {
	// JSON.stringify would write a lone surrogate as an escape, and the other clients write U+FFFD; where nothing has to be escaped, the encoding to UTF-8 does that.
	return JSON.stringify(SURROGATE.test(text) ? text.replace(LONE_SURROGATE, '\ufffd') : text);
}

function quote(text) {
	const length = text.length;
	if (length > 64) return NEEDS_ESCAPE.test(text) ? quoteEscaped(text) : '"' + text + '"';
	// A short text is through this loop before a regular expression has begun.
	for (let i = 0; i < length; i++) {
		const c = text.charCodeAt(i);
		if (c < 32 || c === 34 || c === 92) return quoteEscaped(text);
	}
	return '"' + text + '"';
}

function number(value) {
	return value - value === 0 ? '' + value : 'null';
}

function reasonOf(error) {
	try { return String(error && error.message !== undefined ? error.message : error); } catch { return 'no reason can be had'; }
}

/* One for each client: the names of members that it has quoted already, and how much room is left in the envelope that is being written. */
class JsonWriter {
	constructor(limit) {
		this.limit = limit;
		this.room = limit;
		this.path = [];
		this.names = new Map();
	}

	begin() {
		this.room = this.limit;
	}

	/* A name with its colon. */
	name(text) {
		const known = this.names.get(text);
		if (known !== undefined) {
			this.room -= known.length;
			return known;
		}
		const quoted = quote(text) + ':';
		if (text.length <= NAME_KEPT_MAX && this.names.size < NAMES_MAX) this.names.set(text, quoted);
		this.spend(quoted.length);
		return quoted;
	}

	spend(length) {
		this.room -= length;
		if (this.room < 0) throw new TooLong('the envelope would be longer than ' + this.limit + ' bytes');
	}

	/* undefined: what JSON has no text for, and is left out (functions, symbols, undefined). */
	value(value) {
		switch (typeof value) {
		case 'string':
			this.spend(value.length);
			return quote(value);
		case 'number':
			this.spend(1);
			return number(value);
		case 'boolean':
			this.spend(4);
			return value ? 'true' : 'false';
		case 'bigint': {
			const digits = value.toString();
			this.spend(digits.length);
			return digits;
		}
		case 'object':
			this.spend(2);
			return value === null ? 'null' : this.object(value);
		default:
			return undefined;
		}
	}

	object(value) {
		if (this.path.length >= DEPTH_MAX || this.path.includes(value)) return CUT;
		this.path.push(value);
		try {
			return this.unguarded(value);
		} catch (error) {
			if (error instanceof TooLong) throw error;
			return quote('[' + reasonOf(error) + ']');
		} finally {
			this.path.pop();
		}
	}

	unguarded(value) {
		if (Array.isArray(value)) return this.list(value);
		if (value instanceof RawJson) {
			this.spend(value.text.length);
			// An envelope nests 64 deep, and what stands in a member of its fields is two deep; the path has this value, too.
			if (this.path.length - 1 + value.depth > 62) throw new TooDeep('the JSON nests too deep for an envelope');
			return value.text;
		}
		if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return this.binary(value);
		if (typeof value.toJSON === 'function') {
			const text = this.value(value.toJSON(''));
			return text === undefined ? 'null' : text;
		}
		if (value instanceof Map) return '{' + this.members(value, 0) + '}';
		if (value instanceof Set) return this.list([...value]);
		if (value instanceof Error) return '{' + this.members(this.errorMembers(value), 0) + '}';
		if (value instanceof RegExp) return this.value(String(value));
		if (value instanceof String || value instanceof Number || value instanceof Boolean) return this.value(value.valueOf());
		return '{' + this.members(value, 0) + '}';
	}

	list(values) {
		let text = '';
		for (let i = 0; i < values.length; i++) {
			this.spend(1);
			const item = this.value(values[i]);
			text += (i ? ',' : '') + (item === undefined ? 'null' : item);
		}
		return '[' + text + ']';
	}

	binary(value) {
		if (ArrayBuffer.isView(value) && !(value instanceof Uint8Array) && !(value instanceof DataView)) return this.list(value);
		const bytes = value instanceof ArrayBuffer ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
		this.spend(Math.ceil(bytes.length / 3) * 4);
		return '"' + bytes.toString('base64') + '"';
	}

	errorMembers(error) {
		const members = new Map([['name', error.name], ['message', error.message], ['stack', error.stack]]);
		if (error.cause !== undefined) members.set('cause', error.cause);
		if (Array.isArray(error.errors)) members.set('errors', error.errors);
		for (const key of Object.keys(error)) if (!members.has(key)) members.set(key, error[key]);
		return members;
	}

	/* The members of an object, a Map, or a list of [name, value] pairs, without the braces. What `skip` says is left out: JsonWriter.NAME and so on, or a Set of names. */
	members(source, skip) {
		if (source === undefined || source === null) return '';
		if (source instanceof Map || Array.isArray(source)) return this.pairs(source, skip);
		if (typeof source !== 'object') throw new TypeError('fields are an object, a Map or a list of pairs, and no ' + typeof source);
		let text = '';
		const keys = Object.keys(source);
		for (let i = 0; i < keys.length; i++) {
			const key = keys[i];
			if (skip !== 0 && isSkipped(key, skip)) continue;
			const value = this.member(source, key);
			if (value !== undefined) text = text === '' ? this.name(key) + value : text + ',' + this.name(key) + value;
		}
		return text;
	}

	member(source, key) {
		let value;
		try {
			value = source[key];
		} catch (error) {
			return quote('[' + reasonOf(error) + ']');
		}
		return this.value(value);
	}

	pairs(source, skip) {
		let text = '';
		for (const pair of source) {
			const key = typeof pair[0] === 'string' ? pair[0] : String(pair[0]);
			if (isSkipped(key, skip)) continue;
			const value = this.value(pair[1]);
			if (value !== undefined) text += (text === '' ? '' : ',') + this.name(key) + value;
		}
		return text;
	}

	/* The object of tags: every value is a text. */
	tags(source) {
		if (typeof source !== 'object') throw new TypeError('tags are an object, a Map or a list of pairs, and no ' + typeof source);
		let text = '';
		const pairs = source instanceof Map || Array.isArray(source) ? source : Object.entries(source);
		for (const [key, value] of pairs) {
			if (value === undefined || value === null) continue;
			const tag = typeof value === 'string' ? value : String(value);
			this.spend(tag.length);
			text += (text === '' ? '' : ',') + this.name(typeof key === 'string' ? key : String(key)) + quote(tag);
		}
		return text;
	}
}

JsonWriter.NAME = 1;
JsonWriter.RATE = 2;
JsonWriter.TAGS = 4;

function isSkipped(key, skip) {
	if (typeof skip === 'object') return skip.has(key);
	return (key === 'name' && (skip & JsonWriter.NAME) !== 0) || (key === 'rate' && (skip & JsonWriter.RATE) !== 0) || (key === 'tags' && (skip & JsonWriter.TAGS) !== 0);
}

module.exports = { JsonWriter, RawJson, TooLong, number, quote, reasonOf };
