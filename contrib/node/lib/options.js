/* options - what a client is made with, from code or from a file, checked and in one form. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const os = require('os');
const { MetlogError } = require('./fault.js');

const SIZE_UNITS = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
const DURATION_UNITS = { us: 1e-3, ms: 1, s: 1e3, '': 1e3, m: 60e3, h: 3600e3, d: 86400e3 };
const TRUE = new Set(['true', 't', 'on', 'yes']);
const FALSE = new Set(['false', 'f', 'off', 'no']);

function wrong(what) {
	return new Error(what);
}

function size(value) {
	if (typeof value === 'number') {
		if (!Number.isSafeInteger(value) || value < 0) throw wrong('a number of bytes, or text as 2Mi');
		return value;
	}
	const part = /^(\d+)([A-Za-z]*)$/.exec(String(value));
	const unit = part ? SIZE_UNITS[part[2]] : undefined;
	if (unit === undefined || !Number.isSafeInteger(Number(part[1]) * unit)) throw wrong('a size, as 64Ki or 2Mi');
	return Number(part[1]) * unit;
}

/* Milliseconds. A number is milliseconds already; text without a unit is seconds, as everywhere in the family. */
function duration(value) {
	if (typeof value === 'number') {
		if (!(value >= 0 && value <= 2 ** 31 - 1)) throw wrong('a number of milliseconds, or text as 5s');
		return value;
	}
	const part = /^(\d+(?:\.\d+)?)([a-z]*)$/.exec(String(value));
	const unit = part ? DURATION_UNITS[part[2]] : undefined;
	if (unit === undefined) throw wrong('a time, as 250ms or 5s');
	return Math.min(Number(part[1]) * unit, 2 ** 31 - 1);
}

function severity(value) {
	const number = typeof value === 'string' && /^\d$/.test(value) ? Number(value) : value;
	if (!Number.isInteger(number) || number < 0 || number > 7) throw wrong('a severity from 0 to 7');
	return number;
}

function flag(value) {
	if (typeof value === 'boolean') return value;
	if (TRUE.has(String(value).toLowerCase())) return true;
	if (FALSE.has(String(value).toLowerCase())) return false;
	throw wrong('yes or no');
}

function text(value) {
	if (typeof value !== 'string') throw wrong('a text');
	return value;
}

function list(value) {
	if (typeof value === 'string') return value.split(/\s+/).filter((word) => word !== '');
	if (value instanceof Set) value = [...value];
	if (!Array.isArray(value) || value.some((word) => typeof word !== 'string')) throw wrong('a list of texts');
	return [...value];
}

function whole(value) {
	const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
	if (!Number.isSafeInteger(number) || number < 0) throw wrong('a whole number');
	return number;
}

function whenFull(value) {
	if (value !== 'drop' && value !== 'block') throw wrong('drop');
	return value;
}

function any(value) { return value; }

function callable(value) {
	if (typeof value !== 'function') throw wrong('a function');
	return value;
}

/* [type, severity] pairs, from "request:4 debug:7", a list of such words, or an object. */
function typeSeverities(value) {
	const pairs = typeof value === 'string' || Array.isArray(value)
		? list(value).map((word) => [word.slice(0, Math.max(word.lastIndexOf(':'), 0)), word.slice(word.lastIndexOf(':') + 1)])
		: Object.entries(value || {}).map(([type, limit]) => [type, limit !== null && typeof limit === 'object' ? limit.severity : limit]);
	return pairs.map(([type, limit]) => {
		try {
			if (type === '') throw wrong('');
			return [type, severity(limit)];
		} catch { throw wrong('types with their severities, as request:4 debug:7'); }
	});
}

const KEYS = {
	endpoint: text, logger: text, severity, hostname: text, disabled_timers: list, when_full: whenFull, buffer: size, line: size,
	threads: whole, close: duration, curve_secret: text, curve_server: text, insecure: flag, pid: whole, filters: any, on_error: callable, zeromq: any,
};
const PROVIDERS = {
	severity_max: { severity }, type_allow: { types: list }, type_deny: { types: list }, type_severity_max: { types: typeSeverities },
};
const ORIGINAL = {
	severity_max_provider: 'severity_max', type_whitelist_provider: 'type_allow', type_blacklist_provider: 'type_deny', type_severity_max_provider: 'type_severity_max',
};

function snake(key) {
	return key.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase());
}

function known(keys, key) {
	return Object.prototype.hasOwnProperty.call(keys, key) ? keys[key] : undefined;
}

/* A filter as {provider, severity?, types?}, or a function. `where(key)` says in a message which line is meant. */
function filterOf(filter, where) {
	if (typeof filter === 'function') return filter;
	if (filter === null || typeof filter !== 'object') throw new MetlogError(`${where('')}a filter is an object with a provider, or a function`);
	const last = String(filter.provider === undefined ? '' : filter.provider).split('.').pop();
	const provider = known(ORIGINAL, last) || last;
	const keys = known(PROVIDERS, provider);
	if (!keys) throw new MetlogError(`${where('provider')}provider: unknown: ${JSON.stringify(last)}; known are ${Object.keys(PROVIDERS).join(' ')}`);
	const made = { provider };
	for (const key of Object.keys(filter)) {
		if (key === 'provider') continue;
		const read = known(keys, key);
		if (!read) throw new MetlogError(`${where(key)}unknown key ${key} of a filter ${provider}`);
		made[key] = readKey(read, filter[key], key, where);
	}
	for (const key of Object.keys(keys)) if (made[key] === undefined) throw new MetlogError(`${where('provider')}a filter ${provider} needs ${key}`);
	return made;
}

function readKey(read, value, key, where) {
	try {
		return read(value);
	} catch (error) {
		throw new MetlogError(`${where(key)}${key}: expected ${error.message}`);
	}
}

/* Checks keys, in camelCase or as in a file, and gives them in camelCase, those alone that are given. */
function readKeys(given, where) {
	const made = {};
	for (const name of Object.keys(given)) {
		if (given[name] === undefined) continue;
		const key = snake(name);
		const read = known(KEYS, key);
		if (!read) throw new MetlogError(`${where(name)}unknown key ${name}`);
		const camel = key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
		made[camel] = readKey(read, given[name], name, where);
	}
	if (made.filters !== undefined) {
		if (!Array.isArray(made.filters)) throw new MetlogError(`${where('filters')}filters: expected a list`);
		made.filters = made.filters.map((filter) => filterOf(filter, where));
	}
	return made;
}

/* All of them, with the defaults. */
function complete(made) {
	const options = {
		logger: '', severity: 6, hostname: os.hostname(), pid: process.pid, disabledTimers: [], whenFull: 'drop', buffer: 2 * 2 ** 20, line: 2 ** 20, close: 5000,
		insecure: false, filters: [], ...made,
	};
	// A file may be meant for other languages too: so it is looked at when the program has had its say.
	if (options.whenFull === 'block') throw new MetlogError('when_full: block is impossible in Node.js, whose one thread has to send too: use drop, and look at counts()');
	if (options.buffer < 4096) throw new MetlogError('buffer: expected at least 4Ki');
	options.line = Math.min(options.line, options.buffer >> 1 || options.buffer);
	if (options.line < 256) throw new MetlogError('line: expected at least 256');
	return options;
}

module.exports = { complete, duration, filterOf, readKeys };
