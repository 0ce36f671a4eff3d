/* envelope - puts the parts of an envelope together; what does not change from one to the next is written once. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const { quote } = require('./json.js');

const TYPES_MAX = 1024;
const FRACTIONS = Array.from({ length: 1000 }, (_, ms) => String(ms).padStart(3, '0') + '000Z');

// 0 to 9 fraction digits (more are taken, and cut by who reads them), then Z, an offset, or no zone.
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](\d\d):(\d\d))?$/;

function isTimestamp(text) {
	const part = RFC3339.exec(text);
	if (!part) return false;
	const [year, month, day, hour, minute, second, offsetHour = 0, offsetMinute = 0] = part.slice(1).map((digits) => (digits === undefined ? 0 : Number(digits)));
	if (year < 1678 || year > 2261 || hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false;
	const date = new Date(Date.UTC(year, month - 1, day));
	return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/* The time as all clients write it, with six digits; JavaScript knows three of them. A date is written once a second. */
class Clock {
	constructor() {
		this.ms = NaN;
		this.second = NaN;
		this.date = '';
		this.text = '';
	}

	now() {
		const ms = Date.now();
		return ms === this.ms ? this.text : this.at(ms);
	}

	at(ms) {
		const second = Math.floor(ms / 1000);
		if (second !== this.second) {
			this.date = new Date(second * 1000).toISOString().slice(0, -4);
			this.second = second;
		}
		this.ms = ms;
		this.text = this.date + FRACTIONS[ms - second * 1000];
		return this.text;
	}
}

/* A time that a caller gives: a Date, milliseconds since 1970, or RFC 3339 text, which goes out as it is. */
function timestampOf(value) {
	if (typeof value === 'string') {
		if (!isTimestamp(value)) throw new RangeError('a timestamp is RFC 3339 text: ' + value.slice(0, 60));
		return value;
	}
	const ms = value instanceof Date ? value.getTime() : value;
	if (typeof ms !== 'number' || !(Math.abs(ms) < 9e12)) throw new RangeError('a timestamp is a Date, milliseconds, or RFC 3339 text');
	return new Clock().at(Math.floor(ms));
}

class Envelope {
	constructor({ logger, pid, hostname }) {
		this.clock = new Clock();
		this.logger = logger;
		this.pid = pid;
		this.hostname = hostname;
		this.heads = Envelope.heads(logger);
		this.tail = Envelope.tail(pid, hostname);
		this.types = new Map();
	}

	static heads(logger) {
		return Array.from({ length: 8 }, (_, severity) => '","logger":' + quote(logger) + ',"severity":' + severity + ',"payload":');
	}

	static tail(pid, hostname) {
		return '},"env_version":"0.8","metlog_pid":' + pid + ',"metlog_hostname":' + quote(hostname) + '}';
	}

	/* {"type":"counter","timestamp":" */
	begin(type) {
		let text = this.types.get(type);
		if (text === undefined) {
			text = '{"type":' + quote(type) + ',"timestamp":"';
			if (this.types.size < TYPES_MAX && type.length <= 64) this.types.set(type, text);
		}
		return text;
	}

	/* payload is JSON; fields are members without their braces. */
	compose(type, severity, payload, fields) {
		return this.begin(type) + this.clock.now() + this.heads[severity] + payload + ',"fields":{' + fields + this.tail;
	}

	/* The same with what a call may have of its own: timestamp, logger, pid, hostname. */
	composeOwn(type, severity, payload, fields, own) {
		const { timestamp, logger, pid, hostname } = own;
		if (pid !== undefined && !(Number.isSafeInteger(pid) && pid >= 0)) throw new RangeError('a pid is a whole number');
		const time = timestamp === undefined || timestamp === null ? this.clock.now() : timestampOf(timestamp);
		const head = logger === undefined || logger === null ? this.heads[severity] : Envelope.heads(String(logger))[severity];
		const tail = pid === undefined && hostname === undefined ? this.tail
			: Envelope.tail(pid === undefined ? this.pid : pid, hostname === undefined ? this.hostname : String(hostname));
		return this.begin(type) + time + head + payload + ',"fields":{' + fields + tail;
	}
}

module.exports = { Clock, Envelope, isTimestamp };
