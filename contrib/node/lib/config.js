/* config - the configuration file that the clients of all languages read, metlog-client(5), and the same as an object. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const fs = require('fs');
const { MetlogError, STATUS } = require('./fault.js');
const { filterOf, readKeys } = require('./options.js');

/* [{name, line, keys: Map of key to {value, line}}] */
function parseIni(text, path) {
	const sections = [];
	let section = null, key = null;
	text.replace(/^\ufeff/, '').split(/\r?\n/).forEach((raw, index) => {
		const line = index + 1, trimmed = raw.trim();
		if (trimmed === '' || trimmed[0] === '#' || trimmed[0] === ';') return;
		if (/^\s/.test(raw) && key !== null) {
			key.value += (key.value === '' ? '' : '\n') + trimmed;
			return;
		}
		if (trimmed[0] === '[') {
			const end = trimmed.indexOf(']');
			if (end !== trimmed.length - 1) throw new MetlogError(`${path}:${line}: a section is [NAME]`);
			section = { name: trimmed.slice(1, end).trim(), line, keys: new Map() };
			if (sections.some((other) => other.name === section.name)) throw new MetlogError(`${path}:${line}: section [${section.name}] stands here twice`);
			sections.push(section);
			key = null;
			return;
		}
		const part = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(trimmed);
		const isOurs = section !== null && section.name.startsWith('metlog');
		if (section === null) throw new MetlogError(`${path}:${line}: a line before the first [section]`);
		if (!part) {
			// What other sections hold is their readers' affair.
			if (isOurs) throw new MetlogError(`${path}:${line}: expected KEY = VALUE`);
			key = null;
			return;
		}
		const name = part[1].toLowerCase();
		if (isOurs && section.keys.has(name)) throw new MetlogError(`${path}:${line}: ${name} stands here twice`);
		key = { value: part[2], line };
		section.keys.set(name, key);
	});
	return sections;
}

/* A value that begins with ${VAR} has the environment variable there. */
function substitute(value, where) {
	const part = /^\$\{([^}]*)\}/.exec(value);
	if (!part) return value;
	const found = process.env[part[1]];
	if (found === undefined) throw new MetlogError(`${where}the environment variable ${part[1]} is not set`);
	return found + value.slice(part[0].length);
}

function sectionOptions(section, path) {
	const where = (key) => {
		const found = section.keys.get(key);
		return `${path}:${found ? found.line : section.line}: `;
	};
	const given = {};
	for (const [key, { value }] of section.keys) given[key] = substitute(value, where(key));
	return { given, where };
}

function fileOptions(text, path) {
	const filters = [];
	let made = null;
	for (const section of parseIni(text, path)) {
		if (!section.name.startsWith('metlog')) continue;
		const { given, where } = sectionOptions(section, path);
		if (section.name === 'metlog') {
			for (const key of ['filters', 'on_error', 'zeromq', 'pid']) if (key in given) throw new MetlogError(`${where(key)}unknown key ${key}`);
			for (const [key, { value }] of section.keys)
				if (key !== 'disabled_timers' && value.includes('\n')) throw new MetlogError(`${where(key)}${key}: expected one line; is the next one indented by mistake?`);
			made = readKeys(given, where);
		} else if (section.name.startsWith('metlog_filter_')) filters.push(filterOf(given, where));
		else throw new MetlogError(`${path}:${section.line}: unknown section [${section.name}]`);
	}
	if (made === null) throw new MetlogError(`${path}: no section [metlog]`);
	return { ...made, filters };
}

function readFile(path) {
	let text;
	try {
		text = fs.readFileSync(path, 'utf8');
	} catch (error) {
		throw new MetlogError(`cannot read ${path}: ${error.message}`, STATUS.input, error);
	}
	return fileOptions(text, path);
}

/* An object with the keys of a file; or with its sections: {metlog: {...}, metlog_filter_NAME: {...}}. */
function readObject(config) {
	if (config === null || typeof config !== 'object') throw new MetlogError('a configuration is an object');
	const at = (section) => (key) => (section ? `${section}${key ? '.' : ''}${key}: ` : '');
	if (config.metlog === null || typeof config.metlog !== 'object') return readKeys(config, at(''));
	const made = readKeys(config.metlog, at('metlog'));
	const filters = made.filters || [];
	for (const name of Object.keys(config)) {
		if (name.startsWith('metlog_filter_')) filters.push(filterOf(config[name], at(name)));
		else if (name !== 'metlog' && name.startsWith('metlog')) throw new MetlogError(`unknown section ${name}`);
	}
	return { ...made, filters };
}

module.exports = { fileOptions, readFile, readObject };
