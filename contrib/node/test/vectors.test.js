/* vectors - the calls that three languages' clients are held to, and the bytes they make: tests/data/vectors. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { createClient } = require('metlog');
const { directory, readLines } = require('./helper.js');

const folder = process.env.METLOG_VECTORS || path.join(__dirname, '../../../tests/data/vectors');

function numberOf(value) {
	if (typeof value !== 'string') return value;
	return /^-?\d+$/.test(value) && !Number.isSafeInteger(Number(value)) && value !== '-0' ? BigInt(value) : Number(value);
}

function textOfUnits(hex) {
	return String.fromCharCode(...(hex.match(/.{4}/g) || []).map((unit) => parseInt(unit, 16)));
}

const VALUES = {
	null: () => null, bool: (value) => value, int: numberOf, uint: numberOf, double: (value) => Number(value), text: (value) => value, json: JSON.parse, utf16: textOfUnits,
};

/* {fields, tags} as options. */
function membersOf(list = []) {
	const fields = list.filter(([, kind]) => kind !== 'tag').map(([name, kind, value]) => [name, VALUES[kind](value)]);
	const tags = list.filter(([, kind]) => kind === 'tag').map(([name, , value]) => [name, value]);
	return tags.length ? { fields, tags } : { fields };
}

const CALLS = {
	send(client, { type, severity, logger, payload, payload_json, payload_utf16, fields, timestamp }) {
		const body = payload_json !== undefined ? JSON.parse(payload_json) : payload_utf16 !== undefined ? textOfUnits(payload_utf16) : payload;
		client.metlog(type, { severity, logger, payload: body, timestamp, ...membersOf(fields) });
	},
	count: (client, { name, count, rate, fields }) => client.incr(name, { count: numberOf(count), rate: numberOf(rate), ...membersOf(fields) }),
	timing: (client, { name, ms, rate, fields }) => client.timerSend(name, numberOf(ms), { rate: numberOf(rate), ...membersOf(fields) }),
	gauge: (client, { name, value, fields }) => client.gauge(name, numberOf(value), membersOf(fields)),
	set: (client, { name, member, fields }) => client.set(name, member, membersOf(fields)),
	log: (client, { severity, text }) => client.log(severity, text),
	cef: (client, { extension, call, ...event }) => client.cef({ ...event, extension: membersOf(extension).fields }),
	timer: (client, { name, rate }) => client.timer(name, { rate: numberOf(rate) }).end(),
};

const NOW = /^(\{"type":"(?:[^"\\]|\\.)*","timestamp":")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"/;
const MEASURED = /"payload":"\d+(?:\.\d{0,2}[1-9])?"/;

function expectLine(line, expected) {
	if (expected.includes('"timestamp":"@"')) line = line.replace(NOW, '$1@"');
	if (expected.includes('"payload":"@"')) line = line.replace(MEASURED, '"payload":"@"');
	assert.strictEqual(line, expected);
}

for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.json'))) {
	for (const one of JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))) {
		if (one.only !== undefined && !one.only.includes('node')) continue;
		test(`${file}: ${one.name}`, async () => {
			const output = path.join(directory(), 'out');
			const client = createClient.fromConfig({ ...one.config, endpoint: `file:${output}` }, { pid: one.pid, hostname: one.hostname });
			for (const call of one.calls) CALLS[call.call](client, call);
			const counts = await client.close();
			const lines = readLines(output);
			assert.strictEqual(lines.length, one.expect.length, lines.join('\n'));
			lines.forEach((line, index) => expectLine(line, one.expect[index]));
			assert.strictEqual(counts.sent, lines.length);
			assert.strictEqual(counts.taken + counts.leftOut + counts.dropped + counts.refused, one.calls.length);
		});
	}
}
