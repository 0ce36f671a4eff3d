/* config - the file that clients of all languages read, and the same as an object. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { createClient } = require('metlog');
const { directory, envelopes } = require('./helper.js');

function file(text) {
	const folder = directory(), ini = path.join(folder, 'shop.ini');
	fs.writeFileSync(ini, text);
	return { ini, output: path.join(folder, 'out') };
}

async function sentBy(client, calls, output) {
	calls(client);
	await client.close({ timeout: '60s' });
	return envelopes(output);
}

function refused(text, what, options = { endpoint: '-' }) {
	const { ini } = file(text);
	assert.throws(() => createClient.fromFile(ini, options), (error) => {
		assert.strictEqual(error.message.replace(ini, 'shop.ini'), what);
		assert.strictEqual(error.status, 78);
		return true;
	});
}

test('a file says what a client is like; lists go over several lines, sections of others are passed over', async () => {
	const { ini, output } = file(`; the shop
[database]
host = db1
metlog
	; of somebody else

[metlog]
# where
endpoint = file:OUT
LOGGER: shop
severity=5
hostname = web1
disabled_timers =
	db.query
	# a comment between
	cache.get  x
when_full = drop
buffer = 1Mi
line = 64Ki
threads = 8
close = 2s
insecure = No

[metlog_filter_a]
provider = metlog.filters.severity_max_provider
severity = 5
[metlog_filter_b]
provider = type_deny
types = trace
	heartbeat
[metlog_filter_c]
provider = type_severity_max
types = t:1
`.replace('OUT', '${METLOG_TEST_OUT}'));
	process.env.METLOG_TEST_OUT = output;
	const { ini: substituted } = file(fs.readFileSync(ini, 'utf8').replace('file:${METLOG_TEST_OUT}', '${METLOG_TEST_ENDPOINT}'));
	process.env.METLOG_TEST_ENDPOINT = `file:${output}`;
	const sent = await sentBy(createClient.fromFile(substituted, { pid: 9 }), (client) => {
		for (const name of ['db.query', 'cache.get', 'x', 'y']) client.timer(name).end();
		for (const type of ['trace', 'heartbeat', 't', 'u']) client.metlog(type);
		client.info('too much');
	}, output);
	assert.deepStrictEqual(sent.map(({ type, fields }) => [type, fields.name]), [['timer', 'y'], ['u', undefined]]);
	assert.deepStrictEqual([sent[0].logger, sent[0].severity, sent[0].metlog_hostname, sent[0].metlog_pid], ['shop', 5, 'web1', 9]);
});

test('what is given in code wins over the file', async () => {
	const { ini, output } = file('[metlog]\nendpoint = push:tcp://127.0.0.1:1\nlogger = shop\nwhen_full = block\n');
	const [sent] = await sentBy(createClient.fromFile(ini, { endpoint: `file:${output}`, logger: 'other', whenFull: 'drop' }), (client) => client.info('x'), output);
	assert.strictEqual(sent.logger, 'other');
});

test('a mistake has its file, its line and what is wrong', () => {
	refused('[metlog]\nlogger = x\ncolour = red\n', 'shop.ini:3: unknown key colour');
	refused('[metlog]\nseverity = high\n', 'shop.ini:2: severity: expected a severity from 0 to 7');
	refused('[metlog]\n\nbuffer = lots\n', 'shop.ini:3: buffer: expected a size, as 64Ki or 2Mi');
	refused('[metlog]\nclose = soon\n', 'shop.ini:2: close: expected a time, as 250ms or 5s');
	refused('[metlog]\ninsecure = maybe\n', 'shop.ini:2: insecure: expected yes or no');
	refused('[metlog]\nlogger\n', 'shop.ini:2: expected KEY = VALUE');
	refused('[metlog]\nlogger = ${METLOG_TEST_NOT_SET}\n', 'shop.ini:2: the environment variable METLOG_TEST_NOT_SET is not set');
	refused('[metlog]\nlogger = a\nlogger = b\n', 'shop.ini:3: logger stands here twice');
	refused('[metlog]\n[metlog]\n', 'shop.ini:2: section [metlog] stands here twice');
	refused('[metlog\n', 'shop.ini:1: a section is [NAME]');
	refused('logger = a\n', 'shop.ini:1: a line before the first [section]');
	refused('[metlog]\n[metlog_plugin_x]\nprovider = y\n', 'shop.ini:2: unknown section [metlog_plugin_x]');
	refused('[metlog]\n[metlog_filter_x]\nprovider = y\n', 'shop.ini:3: provider: unknown: "y"; known are severity_max type_allow type_deny type_severity_max');
	refused('[metlog]\n[metlog_filter_x]\nprovider = type_allow\n', 'shop.ini:3: a filter type_allow needs types');
	refused('[metlog]\n[metlog_filter_x]\nprovider = severity_max\nseverity = 5\ntypes = a\n', 'shop.ini:5: unknown key types of a filter severity_max');
	refused('[metlog]\n[metlog_filter_x]\nprovider = type_severity_max\ntypes = a\n', 'shop.ini:4: types: expected types with their severities, as request:4 debug:7');
	refused('[other]\n', 'shop.ini: no section [metlog]');
	refused('[metlog]\nendpoint = -\n logger = a\n', 'shop.ini:2: endpoint: expected one line; is the next one indented by mistake?');
	refused('[metlog]\nendpoint = udp:host\n', 'shop.ini: udp:host: a port is missing: HOST:PORT', {});
	refused('[metlog]\nwhen_full = block\n', 'shop.ini: when_full: block is impossible in Node.js, whose one thread has to send too: use drop, and look at counts()');
	assert.throws(() => createClient.fromFile('/nonexistent/shop.ini'), (error) => error.status === 66 && /cannot read/.test(error.message));
});

test('an object has the keys of a file, or its sections, or those of code', async () => {
	for (const make of [
		(endpoint) => createClient.fromConfig({ endpoint, logger: 'shop', disabled_timers: ['a'], filters: [{ provider: 'type_deny', types: ['t'] }] }),
		(endpoint) => createClient.fromConfig({ metlog: { endpoint, logger: 'shop', disabled_timers: 'a' }, metlog_filter_x: { provider: 'type_deny', types: 't' }, other: {} }),
		(endpoint) => createClient({ endpoint, logger: 'shop', disabledTimers: ['a'], filters: [{ provider: 'type_deny', types: ['t'] }] }),
	]) {
		const output = path.join(directory(), 'out');
		const sent = await sentBy(make(`file:${output}`), (client) => {
			client.timer('a').end();
			client.metlog('t');
			client.metlog('u');
		}, output);
		assert.deepStrictEqual(sent.map(({ type, logger }) => [type, logger]), [['u', 'shop']]);
	}
	assert.throws(() => createClient.fromConfig({ metlog: { endpoint: '-', colour: 1 } }), /metlog\.colour: unknown key colour/);
	assert.throws(() => createClient.fromConfig(null), /is an object/);
});

test('the object that a client was made from is copied', async () => {
	const output = path.join(directory(), 'out');
	const config = { endpoint: `file:${output}`, disabled_timers: ['a'], filters: [{ provider: 'type_deny', types: ['t'] }] };
	const before = JSON.stringify(config);
	const client = createClient.fromConfig(config);
	config.disabled_timers.push('b');
	config.filters[0].types.push('u');
	assert.deepStrictEqual((await sentBy(client, () => { client.metlog('u'); client.timer('b').end(); }, output)).length, 2);
	assert.strictEqual(before, JSON.stringify({ ...config, disabled_timers: ['a'], filters: [{ provider: 'type_deny', types: ['t'] }] }));
});
