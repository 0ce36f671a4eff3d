/* calls - what a call makes of what it is given; and that no call ever throws. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const test = require('node:test');
const { createClient, json, severities, version } = require('metlog');
const { recorder } = require('./helper.js');

async function fieldsOf(fields) {
	const { client, file } = recorder();
	client.metlog('t', { fields });
	await client.close();
	return fs.readFileSync(file, 'utf8').replace(/^.*?"fields":/, '').replace(/,"env_version".*\n/, '');
}

test('fields are an object, a Map, or a list of pairs; an object alone has its whole-number names first, as JavaScript has it', async () => {
	assert.strictEqual(await fieldsOf({ b: 1, 2: 'x', a: null }), '{"2":"x","b":1,"a":null}');
	assert.strictEqual(await fieldsOf(new Map([['b', 1], ['2', 'x'], ['a', null]])), '{"b":1,"2":"x","a":null}');
	assert.strictEqual(await fieldsOf([['b', 1], ['2', 'x'], [7, null]]), '{"b":1,"2":"x","7":null}');
});

test('what JSON has no text for is left out, and null in a list', async () => {
	assert.strictEqual(await fieldsOf({ a: undefined, b: () => 1, c: Symbol('c'), d: [undefined, () => 1, Symbol('e')] }), '{"d":[null,null,null]}');
});

test('the values of JavaScript have a sensible text', async () => {
	assert.strictEqual(await fieldsOf({
		big: 2n ** 70n, date: new Date(0), never: new Date(NaN), map: new Map([['k', new Set([1])]]), bytes: Buffer.from('hi'), floats: new Float64Array([0.5, -0]),
		url: new URL('http://a/b'), pattern: /a"b/g, boxed: [Object(1), Object('s'), Object(true)], nan: [NaN, -Infinity], none: Object.create(null),
	}), '{"big":1180591620717411303424,"date":"1970-01-01T00:00:00.000Z","never":null,"map":{"k":[1]},"bytes":"aGk=","floats":[0.5,0],' +
		'"url":"http://a/b","pattern":"/a\\"b/g","boxed":[1,"s",true],"nan":[null,null],"none":{}}');
});

test('an error among the fields has its name, message, stack and cause', async () => {
	const error = Object.assign(new TypeError('it broke', { cause: new Error('why') }), { code: 'E1' });
	const { err } = JSON.parse(await fieldsOf({ err: error }));
	assert.deepStrictEqual([err.name, err.message, err.stack, err.cause.message, err.code], ['TypeError', 'it broke', error.stack, 'why', 'E1']);
});

test('what refers to itself, or is too deep, ends in "..."', async () => {
	const loop = { a: 1 };
	loop.self = loop;
	loop.list = [loop];
	assert.strictEqual(await fieldsOf({ loop, again: loop }), '{"loop":{"a":1,"self":"...","list":["..."]},"again":{"a":1,"self":"...","list":["..."]}}');
	let deep = 'end';
	for (let i = 0; i < 5000; i++) deep = [deep];
	const text = await fieldsOf({ deep });
	assert.match(text, /^\{"deep":\[{32}"\.\.\."\]{32}\}$/);
});

test('a value that throws when it is looked at says so in its place', async () => {
	const text = await fieldsOf({
		ok: 1, get bad() { throw new Error('no'); }, json: { toJSON() { throw new Error('never'); } }, proxy: new Proxy({}, { ownKeys() { throw new Error('hidden'); } }),
		nothing: { toJSON() { throw undefined; } },
	});
	assert.strictEqual(text, '{"ok":1,"bad":"[no]","json":"[never]","proxy":"[hidden]","nothing":"[undefined]"}');
});

test('JSON text goes out digit by digit', async () => {
	assert.strictEqual(await fieldsOf({ a: json('{ "n": 1.00,\n"m": 12345678901234567890 }') }), '{"a":{ "n": 1.00, "m": 12345678901234567890 }}');
	assert.throws(() => json('{'), SyntaxError);
});

test('a counter counts one, or as many as are given, as a number or among options', async () => {
	const { client, written } = recorder();
	client.incr('a');
	client.incr('a', 5);
	client.incr('a', { count: -2, rate: 1, tags: { host: 'web1', n: 3, none: undefined } });
	client.incr('a', 2n ** 63n);
	const sent = await written();
	assert.deepStrictEqual(sent.map(({ payload }) => payload), ['1', '5', '-2', '9223372036854775808']);
	assert.deepStrictEqual(sent[2].fields, { name: 'a', rate: 1, tags: { host: 'web1', n: '3' } });
});

test('a message may have a logger, a time, a process and a host of its own', async () => {
	const { client, written } = recorder({ pid: 1, hostname: 'h' });
	client.metlog('t', { logger: 'other', timestamp: new Date(Date.UTC(2012, 9, 5, 12, 0, 1, 137)), pid: 7, hostname: 'web2', severity: 3, payload: { a: 1 } });
	client.metlog('t', { timestamp: 0 });
	client.metlog('t', { timestamp: -1 });
	const [first, second, third] = await written();
	assert.deepStrictEqual(first, { type: 't', timestamp: '2012-10-05T12:00:01.137000Z', logger: 'other', severity: 3, payload: { a: 1 }, fields: {}, env_version: '0.8', metlog_pid: 7, metlog_hostname: 'web2' });
	assert.deepStrictEqual([second.timestamp, second.metlog_pid, second.metlog_hostname], ['1970-01-01T00:00:00.000000Z', 1, 'h']);
	assert.strictEqual(third.timestamp, '1969-12-31T23:59:59.999000Z');
});

test('a time is now, in UTC', async () => {
	const { client, written } = recorder();
	const before = Date.now();
	client.info('x');
	const [{ timestamp }] = await written();
	assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
	assert.ok(Date.parse(timestamp) >= before && Date.parse(timestamp) <= Date.now());
});

test('log methods format as console.log does, and their level is the severity', async () => {
	const { client, written } = recorder();
	const levels = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'];
	for (const level of levels) client[level]('%s is %d%%', level, 5, { more: 1 });
	client.warn('as is: 5%');
	client.error(new Error('an error alone'));
	const sent = await written();
	assert.deepStrictEqual(sent.slice(0, 8).map(({ severity }) => severity), [0, 1, 2, 3, 4, 5, 6, 7]);
	assert.strictEqual(sent[0].payload, 'emergency is 5% { more: 1 }');
	assert.deepStrictEqual([sent[8].severity, sent[8].payload, sent[8].type], [4, 'as is: 5%', 'oldstyle']);
	assert.match(sent[9].payload, /^Error: an error alone\n {4}at /);
	assert.deepStrictEqual(severities.DEBUG, 7);
});

test('what a filter leaves out is not formatted', async () => {
	const { client, written } = recorder({ filters: [{ provider: 'severity_max', severity: 6 }] });
	let looked = 0;
	client.debug('%s', { toString() { return String(looked++); } });
	client.info('x');
	assert.strictEqual((await written()).length, 1);
	assert.strictEqual(looked, 0);
});

test('a function among the filters sees the message and decides; what one throws refuses the message, and is reported', async () => {
	const errors = [];
	const seen = [];
	const { client, written } = recorder({ onError: (error) => errors.push(error.message), filters: [
		(message) => { seen.push(message); return message.type !== 'secret'; },
		({ payload }) => { if (payload === 'bad') throw new Error('filter'); return true; },
	] });
	client.metlog('secret');
	client.incr('n', { fields: { a: 1 } });
	client.info('bad');
	assert.deepStrictEqual((await written()).map(({ type }) => type), ['counter']);
	assert.deepStrictEqual(seen[1], { type: 'counter', severity: 6, logger: 'shop', payload: '1', fields: { a: 1 }, tags: undefined });
	assert.deepStrictEqual(errors, ['filter']);
	const { taken, leftOut, refused } = client.counts();
	assert.deepStrictEqual([taken, leftOut, refused], [1, 1, 1]);
});

test('no call throws, whatever it is given: it is refused, counted and reported', async () => {
	const errors = [];
	const { client, written } = recorder({ onError: (error) => { errors.push(error); throw new Error('from the callback'); } });
	const wicked = { toString() { throw new Error('no text'); }, get severity() { throw new Error('no severity'); }, get fields() { throw new Error('no fields'); } };
	const calls = [
		() => client.metlog(wicked), () => client.metlog('t', wicked), () => client.metlog('t', { severity: 'high' }), () => client.metlog('t', { severity: 3.5 }),
		() => client.metlog('t', { fields: 'text' }), () => client.metlog('t', { fields: [null] }), () => client.metlog('t', { timestamp: 'today' }), () => client.metlog('t', { pid: 'x' }),
		() => client.incr(wicked), () => client.incr('n', 'many'), () => client.incr('n', NaN), () => client.incr('n', { count: Symbol('s') }), () => client.timerSend('n'),
		() => client.gauge('g', '5'), () => client.gauge('g', null), () => client.set('s', wicked), () => client.cef(), () => client.cef({ name: wicked }),
		() => client.log(9, 'x'), () => client.info('%s', wicked), () => client.metlog('t', { payload: 'x'.repeat(2 ** 20) }), () => client.metlog('t', { fields: { a: Array(300000).fill('abcd') } }),
		() => client.metlog('t', { tags: { a: wicked } }), () => client.log(wicked, 'x'),
	];
	for (const call of calls) assert.strictEqual(call(), false, String(call));
	assert.strictEqual(client.counts().refused, calls.length);
	assert.strictEqual(errors.length, calls.length);
	client.info('still here');
	assert.deepStrictEqual((await written()).map(({ payload }) => payload), ['still here']);
});

test('whoever hears of errors hears of nothing but errors, though something else was thrown', async () => {
	const errors = [];
	const { client, written } = recorder({ onError: (error) => errors.push(error) });
	for (const thrown of [null, undefined, 'a text', Symbol('s'), Object.create(null)]) client.metlog('t', { get fields() { throw thrown; } });
	client.metlog('t', { get fields() { throw new TypeError('mine'); } });
	assert.deepStrictEqual(errors.map((error) => error instanceof Error && typeof error.message === 'string'), Array(6).fill(true));
	assert.strictEqual(errors[2].message, 'a text');
	assert.strictEqual(errors[5].name, 'TypeError');
	await written();
});

test('a flush, a close and a stream throw nothing, whatever they are given', async () => {
	const { client, written } = recorder();
	const { proxy, revoke } = Proxy.revocable({}, {});
	revoke();
	const getters = { get timeout() { throw new Error('no timeout'); }, get type() { throw new Error('no type'); } };
	for (const options of [null, 7, 'x', proxy, getters, { signal: 'x' }, { signal: proxy }, { timeout: Symbol('s') }, { timeout: -1 }]) {
		client.info('x');
		assert.strictEqual(await client.flush(options), true);
		client.stream(options).write('{"msg":"y"}\n');
	}
	assert.strictEqual((await client.close(getters)).unsent, 0);
	assert.strictEqual((await written()).length, 18);
});

test('the package tells its version', () => {
	assert.strictEqual(version, JSON.parse(fs.readFileSync(require.resolve('metlog/package.json'), 'utf8')).version);
	assert.match(version, /^\d+\.\d+/);
});

test('calls on a client that is closed do nothing', async () => {
	const { client, written } = recorder();
	client.info('one');
	await written();
	const timer = client.timer('t');
	assert.deepStrictEqual([client.info('two'), client.incr('n'), client.gauge('g', 1), timer.end(), client.closed], [false, false, false, false, true]);
	assert.strictEqual(client.time('t', () => 7), 7);
	assert.strictEqual(client.counts().taken, 1);
});

test('the caller\'s objects are left as they were', async () => {
	const { client, written } = recorder();
	const options = Object.freeze({ rate: 1, fields: Object.freeze({ name: 'x', a: 1 }), tags: Object.freeze({ b: 2 }) });
	client.incr('n', options);
	client.timer('n', options).end({ fields: { c: 3 } });
	const sent = await written();
	assert.deepStrictEqual(sent[0].fields, { name: 'n', rate: 1, a: 1, tags: { b: '2' } });
	assert.deepStrictEqual(sent[1].fields, { name: 'n', rate: 1, a: 1, c: 3, tags: { b: '2' } });
});

test('a rate between 0 and 1 sends its share, each call by itself', async (t) => {
	const chances = [0.05, 0.95, 0.1, 0.09];
	t.mock.method(Math, 'random', () => chances.shift());
	const { client, written } = recorder();
	assert.deepStrictEqual([1, 2, 3, 4].map(() => client.incr('n', { rate: 0.1 })), [true, false, false, true]);
	assert.strictEqual((await written())[0].fields.rate, 0.1);
	assert.strictEqual(client.counts().leftOut, 2);
});

test('an event of CEF is its fields', async () => {
	const { client, written } = recorder();
	client.cef({ version: '1', signature: 'AuthFail', name: 'Authentication failed', severity: 7, extension: { src: '10.0.0.1', suser: 'ada' } }, { severity: 2 });
	const [{ type, severity, payload, fields }] = await written();
	assert.deepStrictEqual([type, severity, payload], ['cef', 2, '']);
	assert.strictEqual(JSON.stringify(fields), '{"signature":"AuthFail","name":"Authentication failed","severity":7,"version":"1","src":"10.0.0.1","suser":"ada"}');
});

test('a key of an extension does not take the place of a part that is given', async () => {
	const { client, file } = recorder();
	client.cef({ name: 'Login', severity: 9, extension: { name: 'forged', severity: 0, vendor: 'theirs', src: '10.0.0.1' } });
	client.cef({ name: 'Login', extension: new Map([['name', 'forged'], ['src', 'x']]) });
	await client.close();
	const [first, second] = fs.readFileSync(file, 'utf8').split('\n');
	assert.match(first, /"fields":\{"name":"Login","severity":9,"vendor":"theirs","src":"10.0.0.1"\}/);
	assert.match(second, /"fields":\{"name":"Login","src":"x"\}/);
});

test('the end of a timer throws nothing, whatever it is given', async () => {
	const { client, written } = recorder();
	const getter = { get fields() { throw new Error('looked at'); } };
	const { proxy, revoke } = Proxy.revocable({}, {});
	revoke();
	for (const more of [null, 7, 'x', getter, proxy, { fields: ['a'] }, { fields: [null] }, { tags: 'x' }]) client.timer('t', { fields: { a: 1 }, tags: { b: 'c' } }).end(more);
	const { taken, refused } = client.counts();
	assert.deepStrictEqual([taken, refused], [3, 5]);
	await written();
});

test('a rate that is no number is written as the number that it means, or refused', async () => {
	const { client, written } = recorder();
	for (const rate of ['.5', '0x10', new Date(8), [], {}, Symbol('x'), 'x']) client.timerSend('t', 1, { rate });
	assert.deepStrictEqual((await written()).map((one) => one.fields.rate), [0.5, 16, 8, 0]);
	assert.strictEqual(client.counts().refused, 3);
});

test('a list of nothing at all is bounded, too', () => {
	const { client } = recorder();
	const began = Date.now();
	assert.strictEqual(client.metlog('t', { fields: { a: new Array(2 ** 32 - 1) } }), false);
	assert.strictEqual(client.counts().refused, 1);
	assert.ok(Date.now() - began < 60000);
	return client.close();
});

test('JSON text that would nest too deep for an envelope is refused', async () => {
	const { client, written } = recorder();
	const nested = (depth) => json('['.repeat(depth) + ']'.repeat(depth));
	client.metlog('t', { fields: { a: nested(62) } });
	client.metlog('t', { fields: { a: nested(63) } });
	client.metlog('t', { fields: { a: [nested(62)] } });
	client.metlog('t', { fields: { a: json('"\\"' + '['.repeat(100) + '"') } });
	assert.strictEqual(client.counts().refused, 2);
	assert.strictEqual((await written()).length, 2);
});

test('a client cannot be made in vain: what is wrong is said at once', () => {
	const wrong = (options, what) => assert.throws(() => createClient(options), (error) => error.name === 'MetlogError' && error.code === 'ERR_METLOG' && what.test(error.message), String(what));
	wrong(undefined, /no endpoint/);
	wrong({ endpoint: 'smoke:signals' }, /unknown kind/);
	wrong({ endpoint: 'tcp:host' }, /a port is missing/);
	wrong({ endpoint: 'udp:[::1:5' }, /'\['/);
	wrong({ endpoint: 'push:5565' }, /tcp:\/\/ or ipc:/);
	wrong({ endpoint: 'ack:@tcp://127.0.0.1:1' }, /connects/);
	wrong({ endpoint: 'file:/nonexistent/dir/x' }, /cannot open/);
	wrong({ endpoint: '-', colour: 'red' }, /unknown key colour/);
	wrong({ endpoint: '-', severity: 8 }, /severity/);
	wrong({ endpoint: '-', buffer: '2Xi' }, /buffer/);
	wrong({ endpoint: '-', whenFull: 'block' }, /impossible in Node/);
	wrong({ endpoint: '-', filters: [{ provider: 'nobody' }] }, /unknown: "nobody"/);
	wrong({ endpoint: '-', filters: [{ provider: 'type_allow' }] }, /needs types/);
	wrong({ endpoint: 'push:tcp://127.0.0.1:1', zeromq: {} }, /has no Push/);
});
