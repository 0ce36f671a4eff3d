/* transport_cases - what every kind of endpoint is held to, into a real metlog-recv, which comes late, goes away, and comes back. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const test = require('node:test');
const { createClient } = require('metlog');
const { directory, until } = require('./helper.js');
const { receive } = require('./receiver.js');

const FROM = {
	tcp: () => 'tcp:127.0.0.1:0', udp: () => 'udp:127.0.0.1:0', unix: (folder) => `unix:${folder}/socket`,
	push: () => 'pull:tcp://127.0.0.1:*', pub: () => 'sub:tcp://127.0.0.1:*', ack: () => 'ack:tcp://127.0.0.1:*',
};

/* What the client is given for where a receiver listens. */
function endpointOf(kind, receiver) {
	return `${kind}:${receiver.where.replace(/^[a-z]+:/, '')}`;
}

function numbers(envelopes) {
	return envelopes.map(({ fields }) => fields.i);
}

const upTo = (count) => Array.from({ length: count }, (_, i) => i);

function transportCases(kind, skip) {
	const count = kind === 'udp' ? 500 : 5000;

	test(`${kind}: everything arrives, in order and whole`, { skip }, async (t) => {
		const folder = directory();
		const receiver = await receive(t, FROM[kind](folder), { folder });
		const client = createClient({ endpoint: endpointOf(kind, receiver), logger: 'shop' });
		for (const i of upTo(count)) client.metlog('t', { payload: 'é '.repeat(i % 50), fields: { i } });
		const counts = await client.close({ timeout: '60s' });
		assert.deepStrictEqual({ ...counts }, { taken: count, leftOut: 0, dropped: 0, refused: 0, sent: count, unsent: 0, reason: '' });
		assert.deepStrictEqual(numbers(await receiver.lines(count)), upTo(count));
		assert.strictEqual(await receiver.stop(), 0, receiver.errors);
	});

	test(`${kind}: a receiver that was restarted is found again`, { skip }, async (t) => {
		const folder = directory();
		const first = await receive(t, FROM[kind](folder), { folder });
		const where = first.where;
		const client = createClient({ endpoint: endpointOf(kind, first) });
		client.metlog('t', { fields: { i: 0 } });
		await first.lines(1);
		await first.stop();
		const second = await receive(t, where, { folder });
		let i = 1;
		// What was under way when the connection broke may be lost, and only ack: promises that it is not.
		await until(async () => {
			client.metlog('t', { fields: { i: i++ } });
			await client.flush({ timeout: 20 });
			return second.envelopes.length > 1;
		}, 'an envelope at the second receiver');
		await client.close({ timeout: '60s' });
		if (kind === 'ack') assert.deepStrictEqual(numbers(second.envelopes), upTo(i));
	});
}

/* Of kinds where somebody knows that nobody is there: a datagram that nobody listens for is gone. */
function absenceCases(kind, skip) {
	test(`${kind}: what was said before anybody listened is kept, and sent then`, { skip }, async (t) => {
		const folder = directory();
		const first = await receive(t, FROM[kind](folder), { folder });
		const where = first.where, endpoint = endpointOf(kind, first);
		await first.stop();
		const client = createClient({ endpoint });
		client.metlog('t', { fields: { i: 0 } });
		assert.strictEqual(await client.flush({ timeout: 100 }), false);
		await until(() => client.reason !== '', 'a reason');
		const second = await receive(t, where, { folder });
		client.metlog('t', { fields: { i: 1 } });
		assert.deepStrictEqual(numbers(await second.lines(2)), [0, 1]);
		assert.strictEqual((await client.close({ timeout: '60s' })).sent, 2);
	});

	test(`${kind}: a dead far side holds a close up for as long as it may, and the count of what is lost is exact`, { skip }, async (t) => {
		const folder = directory();
		const receiver = await receive(t, FROM[kind](folder), { folder });
		const endpoint = endpointOf(kind, receiver);
		await receiver.stop();
		const client = createClient({ endpoint });
		for (const i of upTo(100)) client.metlog('t', { fields: { i } });
		await until(() => client.reason !== '', 'a reason');
		const counts = await client.close({ timeout: 100 });
		assert.strictEqual(counts.taken, 100);
		assert.strictEqual(counts.unsent, 100);
		assert.notStrictEqual(counts.reason, '');
	});
}

module.exports = { FROM, absenceCases, endpointOf, transportCases, upTo };
