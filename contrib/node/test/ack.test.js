/* ack - the sender of ack: before a far side that does what metlog-wire(5) allows, and what it does not. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const test = require('node:test');
const { createClient } = require('metlog');
const { directory, until } = require('./helper.js');
const { zeromqMissing } = require('./receiver.js');

function sequence(number) {
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64BE(BigInt(number));
	return bytes;
}

/* A far side that keeps what it is told to, and answers what it is told to. `heard` is [{name, sender, first, lines}]. */
async function far(t, answer) {
	const { Router } = require('zeromq');
	const socket = new Router({ linger: 0 });
	const endpoint = `ipc://${directory()}/ack`;
	await socket.bind(endpoint);
	const heard = [];
	(async () => {
		for await (const [id, name, sender, first, lines] of socket) {
			const message = { name: name.toString(), sender: sender.toString('hex'), first: first && Number(first.readBigUInt64BE()), lines: lines ? lines.toString().split('\n').slice(0, -1) : [] };
			heard.push(message);
			for (const parts of answer(message, heard) || []) await socket.send([id, ...parts]);
		}
	})().catch(() => {});
	t.after(() => socket.close());
	return { endpoint: `ack:${endpoint}`, heard };
}

const ack = (number) => [Buffer.from('METLOG1A'), sequence(number)];
const lastOf = ({ first, lines }) => first + lines.length - 1;
const isBatch = ({ name }) => name === 'METLOG1B';

test('envelopes are numbered from 1, without a gap, under one name, and sent is what is acknowledged', { skip: zeromqMissing }, async (t) => {
	const { endpoint, heard } = await far(t, (message) => isBatch(message) && [ack(lastOf(message))]);
	const client = createClient({ endpoint });
	for (let i = 0; i < 1000; i++) client.metlog('t', { payload: 'x'.repeat(300), fields: { i } });
	assert.strictEqual((await client.close({ timeout: '60s' })).sent, 1000);
	assert.strictEqual(new Set(heard.map(({ sender }) => sender)).size, 1);
	assert.match(heard[0].sender, /^[0-9a-f]{32}$/);
	let next = 1;
	for (const message of heard.filter(isBatch)) {
		assert.strictEqual(message.first, next);
		assert.ok(message.lines.join('\n').length <= 64 * 1024);
		next += message.lines.length;
	}
	assert.strictEqual(next, 1001);
});

test('what is not acknowledged is asked for by pings and sent again, though the far side answers them', { skip: zeromqMissing }, async (t) => {
	let lost = true;
	const { endpoint, heard } = await far(t, (message, all) => {
		if (!isBatch(message)) return [ack(0)];
		if (!lost) return [ack(lastOf(message))];
		lost = all.filter(isBatch).length < 2;
		return [];
	});
	const client = createClient({ endpoint });
	client.info('one');
	assert.strictEqual((await client.close({ timeout: '60s' })).sent, 1);
	const batches = heard.filter(isBatch);
	assert.ok(batches.length >= 2);
	assert.ok(batches.every(({ first, lines }) => first === 1 && lines.length === 1));
});

test('an answer that nobody asked for, with nothing new, sends the client back at once', { skip: zeromqMissing }, async (t) => {
	// With a clock that stands nothing is ever late: so it is not by patience that it comes again.
	const now = Date.now();
	t.mock.method(Date, 'now', () => now);
	const { endpoint, heard } = await far(t, (message, all) => [ack(all.length === 1 ? 0 : lastOf(message))]);
	const client = createClient({ endpoint });
	client.info('one');
	assert.strictEqual((await client.close({ timeout: '60s' })).sent, 1);
	assert.deepStrictEqual(heard.map(({ name, first }) => [name, first]), [['METLOG1B', 1], ['METLOG1B', 1]]);
});

test('half a batch may be acknowledged, and the rest is sent again', { skip: zeromqMissing }, async (t) => {
	const kept = [];
	const { endpoint } = await far(t, (message) => {
		if (!isBatch(message)) return [ack(kept.length)];
		// Of each batch that fits, the first half alone is taken.
		if (message.first <= kept.length + 1) for (const line of message.lines.slice(kept.length + 1 - message.first, Math.ceil(message.lines.length / 2))) kept.push(JSON.parse(line).fields.i);
		return [ack(kept.length)];
	});
	const client = createClient({ endpoint });
	for (let i = 0; i < 40; i++) client.metlog('t', { fields: { i } });
	assert.strictEqual((await client.close({ timeout: '60s' })).sent, 40);
	assert.deepStrictEqual(kept, Array.from({ length: 40 }, (_, i) => i));
});

test('what is rejected is settled, and told', { skip: zeromqMissing }, async (t) => {
	const errors = [];
	const { endpoint } = await far(t, (message) => isBatch(message) && [[Buffer.from('METLOG1R'), sequence(1), Buffer.from('no good')], ack(lastOf(message))]);
	const client = createClient({ endpoint, onError: (error) => errors.push(error.message) });
	client.info('one');
	assert.strictEqual((await client.close({ timeout: '60s' })).unsent, 0);
	assert.strictEqual(errors.filter((text) => /rejects an envelope: no good/.test(text)).length, 1);
});

test('an acknowledgement of what was never sent, and messages of another form, change nothing', { skip: zeromqMissing }, async (t) => {
	const errors = [];
	let calm = false;
	const { endpoint } = await far(t, (message) => isBatch(message) && [[Buffer.from('METLOG9Z')], [Buffer.from('METLOG1A')], [Buffer.from('METLOG1A'), Buffer.from('x')],
		[Buffer.from('METLOG1R'), sequence(7), Buffer.from('of another')], ack(99), ...(calm ? [ack(lastOf(message))] : [])]);
	const client = createClient({ endpoint, onError: (error) => errors.push(error.message) });
	client.info('one');
	await until(() => errors.some((text) => /acknowledges envelope 99, but only 1 were sent/.test(text)));
	assert.deepStrictEqual([client.counts().sent, client.counts().unsent], [0, 1]);
	calm = true;
	assert.strictEqual((await client.close({ timeout: '60s' })).sent, 1);
	assert.ok(!errors.some((text) => /of another/.test(text)));
});
