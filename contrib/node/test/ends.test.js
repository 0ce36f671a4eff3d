/* ends - flush and close in time, or not; full buffers, and what is said of them; files. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const test = require('node:test');
const { execFileSync } = require('node:child_process');
const { getEventListeners } = require('node:events');
const { createClient } = require('metlog');
const { directory, envelopes, recorder, until } = require('./helper.js');

/* A far side that takes nothing until it is told to; `lines` is what it has then. */
async function stubborn(t) {
	const place = path.join(directory(), 'socket'), sockets = [];
	const far = { endpoint: `unix:${place}`, text: '', accepted: 0, reading: false };
	far.read = () => {
		far.reading = true;
		sockets.forEach((socket) => socket.resume());
	};
	far.breakAll = () => sockets.splice(0).forEach((socket) => socket.destroy());
	const server = net.createServer((socket) => {
		sockets.push(socket);
		far.accepted++;
		socket.pause();
		socket.on('data', (chunk) => { far.text += chunk; });
		if (far.reading) socket.resume();
	});
	await new Promise((resolve) => server.listen(place, resolve));
	t.after(() => {
		sockets.forEach((socket) => socket.destroy());
		server.close();
	});
	Object.defineProperty(far, 'lines', { get: () => far.text.split('\n').slice(0, -1).map((line) => JSON.parse(line)) });
	return far;
}

test('flush says whether everything said so far was handed over, and a client can be used on', async () => {
	const { client, file } = recorder();
	assert.strictEqual(await client.flush(), true);
	client.info('one');
	assert.strictEqual(await client.flush(), true);
	assert.strictEqual(envelopes(file).length, 1);
	client.info('two');
	assert.strictEqual(await client.flush({ timeout: '10s' }), true);
	assert.strictEqual((await client.close()).sent, 2);
});

test('a flush that is aborted says no, and nothing of it is left behind', async (t) => {
	const client = createClient({ endpoint: `unix:${directory()}/nobody` });
	client.info('x');
	const control = new AbortController();
	const flush = client.flush({ timeout: '1h', signal: control.signal });
	control.abort();
	assert.strictEqual(await flush, false);
	assert.strictEqual(getEventListeners(control.signal, 'abort').length, 0);
	assert.strictEqual(await client.flush({ signal: AbortSignal.abort() }), false);
	assert.strictEqual((await client.close({ timeout: 0 })).unsent, 1);
	assert.ok(t);
});

test('a close that is aborted ends with the counts of what is lost, and rejects nothing', async () => {
	const client = createClient({ endpoint: `unix:${directory()}/nobody` });
	for (let i = 0; i < 10; i++) client.incr('n');
	const control = new AbortController();
	const closing = client.close({ timeout: '1h', signal: control.signal });
	assert.strictEqual(client.incr('n'), false);
	await until(() => client.reason);
	control.abort(new Error('enough'));
	const counts = await closing;
	assert.deepStrictEqual([counts.taken, counts.sent, counts.unsent], [10, 0, 10]);
	assert.match(counts.reason, /ENOENT/);
	assert.strictEqual(getEventListeners(control.signal, 'abort').length, 0);
});

test('a signal leaves no listener behind when the close is done in time, and a second close is the first', async () => {
	const { client } = recorder();
	client.info('x');
	const control = new AbortController();
	const closing = client.close({ signal: control.signal });
	assert.strictEqual(client.close(), closing);
	assert.strictEqual((await closing).unsent, 0);
	assert.strictEqual(getEventListeners(control.signal, 'abort').length, 0);
});

test('many flushes at a time are answered each', async (t) => {
	const far = await stubborn(t);
	const client = createClient({ endpoint: far.endpoint });
	const flushes = [];
	for (let i = 0; i < 50; i++) {
		client.incr('n');
		flushes.push(client.flush({ timeout: '60s' }));
	}
	far.read();
	assert.ok((await Promise.all(flushes)).every(Boolean));
	await client.close();
});

test('when the buffer is full messages are dropped, exactly counted, and the number is sent once there is room', async (t) => {
	const far = await stubborn(t);
	const client = createClient({ endpoint: far.endpoint, logger: 'shop', buffer: '256Ki', severity: 5 });
	let taken = 0, dropped = 0;
	await until(async () => {
		for (let i = 0; i < 200; i++) if (client.metlog('t', { payload: 'x'.repeat(500), fields: { i: taken } })) taken++; else dropped++;
		await new Promise((resolve) => setImmediate(resolve));
		return dropped >= 1000;
	});
	assert.strictEqual(client.counts().taken, taken);
	assert.strictEqual(client.counts().dropped, dropped);
	far.read();
	await until(() => far.lines.some(({ type }) => type === 'counter'), 'the report');
	const counts = await client.close({ timeout: '60s' });
	assert.deepStrictEqual([counts.taken, counts.sent, counts.unsent, counts.dropped], [taken, taken, 0, dropped]);
	await until(() => far.lines.length >= taken + 1);
	const reports = far.lines.filter(({ type }) => type === 'counter');
	assert.strictEqual(reports.reduce((sum, { payload }) => sum + Number(payload), 0), dropped);
	assert.deepStrictEqual(reports[0].fields, { name: 'metlog.client.dropped', rate: 1 });
	assert.deepStrictEqual([reports[0].logger, reports[0].severity], ['shop', 5]);
	assert.deepStrictEqual(far.lines.filter(({ type }) => type === 't').map(({ fields }) => fields.i), Array.from({ length: taken }, (_, i) => i));
});

test('what a connection broke off is sent again on the next one, from the start of a line', async (t) => {
	const far = await stubborn(t);
	const client = createClient({ endpoint: far.endpoint, buffer: '16Mi', line: '8Mi' });
	// More than any socket holds: it cannot have gone before the connection breaks.
	client.metlog('t', { payload: 'x'.repeat(5e6), fields: { i: 0 } });
	client.metlog('t', { fields: { i: 1 } });
	assert.strictEqual(await client.flush({ timeout: 50 }), false);
	await until(() => far.accepted === 1);
	far.breakAll();
	far.read();
	const counts = await client.close({ timeout: '60s' });
	assert.deepStrictEqual([counts.taken, counts.sent], [2, 2]);
	await until(() => far.lines.length >= 2);
	assert.deepStrictEqual(far.lines.map(({ fields }) => fields.i), [0, 1]);
});

test('text beyond ASCII does not make the memory unbounded', async (t) => {
	const far = await stubborn(t);
	const client = createClient({ endpoint: far.endpoint, buffer: '1Mi' });
	await until(async () => {
		for (let i = 0; i < 100; i++) client.metlog('t', { payload: '語'.repeat(1000) });
		await new Promise((resolve) => setImmediate(resolve));
		return client.counts().dropped > 1000;
	});
	// What is neither sent nor dropped is held: 3 KB each.
	const held = client.counts().unsent * 3000;
	assert.ok(held < 1.5 * 2 ** 20, String(held));
	await client.close({ timeout: 0 });
});

test('a file is appended to, and a line that somebody was killed in is ended first', async () => {
	const file = path.join(directory(), 'log');
	fs.writeFileSync(file, '{"half":');
	const client = createClient({ endpoint: `file:${file}` });
	client.info('x');
	await client.close();
	const [half, line, end] = fs.readFileSync(file, 'utf8').split('\n');
	assert.deepStrictEqual([half, JSON.parse(line).payload, end], ['{"half":', 'x', '']);
});

test('a file that was rotated is opened again when it is asked for', async () => {
	const file = path.join(directory(), 'log');
	const client = createClient({ endpoint: `file:${file}` });
	client.info('before');
	await client.flush();
	fs.renameSync(file, `${file}.1`);
	client.reopen();
	client.info('after');
	await client.close();
	assert.deepStrictEqual([envelopes(`${file}.1`)[0].payload, envelopes(file)[0].payload], ['before', 'after']);
});

test('a close that gives up ends every flush that waits, and none waits behind it', async () => {
	const client = createClient({ endpoint: `unix:${directory()}/nobody` });
	client.info('x');
	const flush = client.flush({ timeout: '1h' });
	assert.strictEqual((await client.close({ timeout: 100 })).unsent, 1);
	assert.strictEqual(await flush, false);
	assert.strictEqual(await client.flush({ timeout: '1h' }), false);
});

test('closeSync ends a close that waits', async () => {
	const client = createClient({ endpoint: `unix:${directory()}/nobody` });
	client.info('x');
	const close = client.close({ timeout: '1h' });
	assert.strictEqual(client.closeSync().unsent, 1);
	assert.strictEqual((await close).unsent, 1);
});

test('a message amid which the client is closed is none', async () => {
	const { client, file } = recorder();
	let close;
	assert.strictEqual(client.metlog('t', { fields: { a: { toJSON() { close = client.close(); return 1; } } } }), false);
	assert.deepStrictEqual({ ...await close }, { taken: 0, leftOut: 0, dropped: 0, refused: 0, sent: 0, unsent: 0, reason: '' });
	assert.strictEqual(envelopes(file).length, 0);
});

test('closeSync writes what is queued for a file, and gives up what is for a connection', async () => {
	const { client, file } = recorder();
	for (let i = 0; i < 1000; i++) client.incr('n');
	assert.deepStrictEqual({ ...client.closeSync() }, { taken: 1000, leftOut: 0, dropped: 0, refused: 0, sent: 1000, unsent: 0, reason: '' });
	assert.strictEqual(envelopes(file).length, 1000);
	assert.strictEqual((await client.close()).sent, 1000);
	const other = createClient({ endpoint: `unix:${directory()}/nobody` });
	other.info('x');
	assert.strictEqual(other.closeSync().unsent, 1);
});

test('a named pipe that is read slowly gets all of it, and nobody waits for it', { skip: process.platform === 'win32' }, async () => {
	const pipe = path.join(directory(), 'pipe');
	execFileSync('mkfifo', [pipe]);
	const reader = fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
	const client = createClient({ endpoint: `file:${pipe}` });
	for (let i = 0; i < 2000; i++) client.metlog('t', { fields: { i } });
	await until(() => client.reason !== '');
	assert.strictEqual(client.reason, 'its reader does not read');
	let text = '';
	const buffer = Buffer.alloc(10000);
	await until(async () => {
		try { text += buffer.toString('utf8', 0, fs.readSync(reader, buffer)); } catch (error) { assert.strictEqual(error.code, 'EAGAIN'); }
		return text.split('\n').length > 2000;
	});
	fs.closeSync(reader);
	assert.deepStrictEqual(text.trim().split('\n').map((line) => JSON.parse(line).fields.i), Array.from({ length: 2000 }, (_, i) => i));
	assert.strictEqual((await client.close()).sent, 2000);
});

test('why the far side takes nothing is told, once for each reason, and forgotten when it does', async (t) => {
	const folder = directory(), errors = [];
	const client = createClient({ endpoint: `unix:${folder}/socket`, onError: (error) => errors.push(error.message) });
	await until(() => client.reason !== '');
	assert.match(client.reason, /ENOENT/);
	const server = net.createServer((socket) => socket.resume());
	await new Promise((resolve) => server.listen(`${folder}/socket`, resolve));
	t.after(() => server.close());
	await until(() => client.reason === '');
	assert.strictEqual(errors.length, 1);
	assert.match(errors[0], /^unix:.*ENOENT/);
	await client.close();
});

test('an envelope too long for a datagram is refused', async () => {
	const client = createClient({ endpoint: 'udp:127.0.0.1:9' });
	assert.strictEqual(client.metlog('t', { payload: 'x'.repeat(65507) }), false);
	assert.strictEqual(client.counts().refused, 1);
	await client.close({ timeout: 0 });
});

test('await using closes a client', { skip: !Symbol.asyncDispose && 'this Node.js has no Symbol.asyncDispose' }, async () => {
	const { client } = recorder();
	client.info('x');
	await client[Symbol.asyncDispose]();
	assert.deepStrictEqual([client.closed, client.counts().sent], [true, 1]);
});
