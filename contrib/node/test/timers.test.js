/* timers - what is measured, of functions of every kind; contexts that go with what is said inside them. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const test = require('node:test');
const { recorder } = require('./helper.js');

test('a timer says how long it was, in milliseconds with at most three decimals, once', async () => {
	const { client, written } = recorder();
	const timer = client.timer('db', { fields: { table: 'users' } });
	await new Promise((resolve) => setTimeout(resolve, 20));
	assert.strictEqual(timer.end({ fields: { rows: 3 } }), true);
	assert.strictEqual(timer.end(), false);
	const sent = await written();
	assert.strictEqual(sent.length, 1);
	assert.match(sent[0].payload, /^\d+(\.\d{1,3})?$/);
	assert.ok(Number(sent[0].payload) >= 19, sent[0].payload);
	assert.deepStrictEqual(sent[0].fields, { name: 'db', rate: 1, table: 'users', rows: 3 });
});

test('a function is timed to its end, a promise until it is settled, and what they bring or throw is the caller\'s', async () => {
	const { client, written } = recorder();
	assert.strictEqual(client.time('sync', () => 7), 7);
	assert.throws(() => client.time('throws', () => { throw new RangeError('x'); }), RangeError);
	assert.strictEqual(await client.time('async', async () => { await new Promise((resolve) => setTimeout(resolve, 20)); return 8; }), 8);
	await assert.rejects(client.time('rejects', async () => { throw new RangeError('y'); }), RangeError);
	const sent = await written();
	assert.deepStrictEqual(sent.map(({ fields }) => fields.name), ['sync', 'throws', 'async', 'rejects']);
	assert.ok(Number(sent[2].payload) >= 19);
});

test('a query that runs when it is waited for runs once', async () => {
	const { client, written } = recorder();
	let runs = 0;
	const query = { then(resolve) { runs++; resolve('rows'); } };
	assert.strictEqual(await client.time('lazy', () => query), 'rows');
	assert.strictEqual(runs, 1);
	assert.strictEqual((await written()).length, 1);
});

test('a wrapped function is the function, timed at each call, with its this and parameters', async (t) => {
	const chances = [0.2, 0.9];
	t.mock.method(Math, 'random', () => chances.shift());
	const { client, written } = recorder();
	const object = { base: 1, add: client.wrap('add', function add(a, b) { return this.base + a + b; }, { rate: 0.5 }) };
	assert.deepStrictEqual([object.add(2, 3), object.add(4, 5)], [6, 10]);
	assert.strictEqual((await written()).length, 1);
});

test('a timer that is disabled measures nothing, and the function runs', async () => {
	const { client, written } = recorder({ disabledTimers: ['db'] });
	assert.strictEqual(client.time('db', () => 1), 1);
	client.timer('db').end();
	client.timer('other').end();
	assert.deepStrictEqual((await written()).map(({ fields }) => fields.name), ['other']);
	assert.strictEqual(client.counts().leftOut, 2);
});

test('the fields of a context go with all that is said inside, across what is asynchronous, and not outside', async () => {
	const { client, written } = recorder();
	const handle = (id) => client.run({ request: id }, async () => {
		await new Promise((resolve) => setTimeout(resolve, 5));
		client.info('in %s', id);
		return client.time('work', async () => { await null; client.incr('n', { tags: { a: 'b' } }); return id; });
	});
	assert.deepStrictEqual(await Promise.all([handle('r1'), handle('r2')]), ['r1', 'r2']);
	client.info('outside');
	const sent = await written();
	for (const id of ['r1', 'r2']) {
		const mine = sent.filter(({ fields }) => fields.request === id);
		assert.deepStrictEqual(mine.map(({ type }) => type).sort(), ['counter', 'oldstyle', 'timer']);
		assert.strictEqual(mine.find(({ type }) => type === 'oldstyle').payload, `in ${id}`);
	}
	assert.deepStrictEqual(sent.find(({ payload }) => payload === 'outside').fields, {});
	assert.strictEqual(JSON.stringify(sent.find(({ type }) => type === 'counter').fields), '{"name":"n","rate":1,"request":"r1","tags":{"a":"b"}}');
});

test('contexts nest; the inner one wins, and the message itself before both', async () => {
	const { client, written } = recorder();
	client.run({ a: 1, b: 1 }, () => client.run({ b: 2, name: 'ctx' }, () => {
		client.metlog('t', { fields: { a: 9 } });
		client.incr('n');
		assert.deepStrictEqual(client.context(), { a: 1, b: 2, name: 'ctx' });
	}));
	const [first, second] = await written();
	assert.strictEqual(JSON.stringify(first.fields), '{"a":9,"b":2,"name":"ctx"}');
	assert.strictEqual(JSON.stringify(second.fields), '{"name":"n","rate":1,"a":1,"b":2}');
	assert.deepStrictEqual(client.context(), {});
});

test('a timer belongs to the context in which it began', async () => {
	const { client, written } = recorder();
	const timer = client.run({ request: 'r1' }, () => client.timer('t'));
	client.run({ request: 'r2' }, () => timer.end());
	assert.strictEqual((await written())[0].fields.request, 'r1');
});

test('what a function in a context throws or brings is the caller\'s, and fields that cannot be read do not keep it from running', async () => {
	const { client, written } = recorder();
	assert.throws(() => client.run({ a: 1 }, () => { throw new RangeError('x'); }), RangeError);
	assert.strictEqual(client.run({ a: 1 }, (x, y) => x + y, 2, 3), 5);
	assert.strictEqual(client.run(new Proxy({}, { ownKeys() { throw new Error('no'); } }), () => 4), 4);
	await written();
});
