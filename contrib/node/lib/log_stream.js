/* log_stream - a stream for loggers that write a JSON object a line (pino, bunyan): each line becomes a message. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const { Writable } = require('stream');
const { StringDecoder } = require('string_decoder');

const LEVELS = { trace: 7, debug: 7, info: 6, notice: 5, warn: 4, warning: 4, error: 3, fatal: 2, critical: 2, alert: 1, emergency: 0 };
const LINE_MAX = 2 ** 20;

/* 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal, and what stands between. */
function severityOf(level) {
	if (typeof level === 'string') return Object.prototype.hasOwnProperty.call(LEVELS, level.toLowerCase()) ? LEVELS[level.toLowerCase()] : undefined;
	if (typeof level !== 'number') return undefined;
	return level < 30 ? 7 : level < 40 ? 6 : level < 50 ? 4 : level < 60 ? 3 : 2;
}

function timeOf(time) {
	const date = new Date(time);
	return (typeof time === 'number' || typeof time === 'string') && !Number.isNaN(date.getTime()) ? date : undefined;
}

/* {text, options} of client.metlog, from one line. What a member says that has a place in the envelope goes there; the others are fields. */
function messageOf(line, defaults) {
	let record;
	try { record = JSON.parse(line); } catch { record = null; }
	if (record === null || typeof record !== 'object' || Array.isArray(record)) return { ...defaults, payload: line };
	const { level, time, msg, pid, hostname, name, ...fields } = record;
	const made = { ...defaults, payload: typeof msg === 'string' ? msg : '', fields };
	if (msg !== undefined && typeof msg !== 'string') fields.msg = msg;
	if (severityOf(level) !== undefined) made.severity = severityOf(level);
	else if (level !== undefined) fields.level = level;
	if (timeOf(time) !== undefined) made.timestamp = timeOf(time);
	else if (time !== undefined) fields.time = time;
	if (Number.isSafeInteger(pid) && pid >= 0) made.pid = pid;
	if (typeof hostname === 'string') made.hostname = hostname;
	if (typeof name === 'string') made.logger = name;
	return made;
}

class LogStream extends Writable {
	constructor(client, { type = 'oldstyle', ...defaults }) {
		super({ decodeStrings: false });
		this.client = client;
		this.type = type;
		this.defaults = defaults;
		this.decoder = new StringDecoder('utf8');
		this.rest = '';
	}

	_write(chunk, encoding, callback) {
		const lines = (this.rest + (typeof chunk === 'string' ? chunk : this.decoder.write(chunk))).split('\n');
		this.rest = lines.pop();
		lines.forEach((line) => this.line(line));
		// What never ends is cut: it could be no envelope.
		if (this.rest.length > LINE_MAX) this.line(this.rest.slice(0, LINE_MAX)), this.rest = '';
		callback();
	}

	_final(callback) {
		this.line(this.rest + this.decoder.end());
		this.rest = '';
		this.client.flush().then(() => callback());
	}

	line(line) {
		if (line.trim() !== '') this.client.metlog(this.type, messageOf(line, this.defaults));
	}
}

module.exports = { LogStream };
