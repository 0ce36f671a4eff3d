/* index - what the package gives: createClient, from options, a file, or a configuration. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const { Client } = require('./client.js');
const { readFile, readObject } = require('./config.js');
const { MetlogError } = require('./fault.js');
const { RawJson } = require('./json.js');
const { readKeys } = require('./options.js');
const { version } = require('../package.json');

const inCode = (key) => (key === '' ? '' : 'options: ');

function createClient(options) {
	return new Client(readKeys(options === undefined ? {} : options, inCode));
}

/* What is given in code wins over the file. */
createClient.fromFile = function fromFile(path, options) {
	const made = { ...readFile(path), ...readKeys(options === undefined ? {} : options, inCode) };
	try {
		return new Client(made);
	} catch (error) {
		throw error instanceof MetlogError ? new MetlogError(`${path}: ${error.message}`, error.status, error.cause) : error;
	}
};

createClient.fromConfig = function fromConfig(config, options) {
	return new Client({ ...readObject(config), ...readKeys(options === undefined ? {} : options, inCode) });
};

function json(text) {
	return new RawJson(text);
}

const severities = Object.freeze({ EMERGENCY: 0, ALERT: 1, CRITICAL: 2, ERROR: 3, WARNING: 4, NOTICE: 5, INFORMATIONAL: 6, DEBUG: 7 });

module.exports = { createClient, json, severities, version, MetlogError };
