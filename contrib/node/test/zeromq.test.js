/* zeromq - push:, pub: and ack: into a real metlog-recv; CURVE. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { Worker } = require('node:worker_threads');
const { createClient } = require('metlog');
const { directory, until } = require('./helper.js');
const { receive, zeromqMissing } = require('./receiver.js');
const { run } = require('./program.js');
const { FROM, absenceCases, endpointOf, transportCases, upTo } = require('./transport_cases.js');

for (const kind of ['push', 'pub', 'ack']) {
	transportCases(kind, zeromqMissing);
	absenceCases(kind, zeromqMissing);
}

test('ack: nothing that was acknowledged is lost or comes twice when the receiver is killed again and again', { skip: zeromqMissing }, async (t) => {
	const folder = directory();
	let receiver = await receive(t, FROM.ack(), { folder, options: ['--spool', `${folder}/spool`] });
	const where = receiver.where;
	const client = createClient({ endpoint: endpointOf('ack', receiver) });
	let i = 0;
	for (let round = 0; round < 3; round++) {
		for (let n = 0; n < 500; n++) client.metlog('t', { fields: { i: i++ } });
		await new Promise((resolve) => setImmediate(resolve));
		await receiver.stop('SIGKILL');
		receiver = await receive(t, where, { folder, options: ['--spool', `${folder}/spool`] });
	}
	const counts = await client.close({ timeout: '60s' });
	assert.strictEqual(counts.unsent, 0, counts.reason);
	await receiver.stop();
	const lines = fs.readdirSync(`${folder}/spool`).filter((name) => name.endsWith('.ndjson')).sort()
		.flatMap((name) => fs.readFileSync(`${folder}/spool/${name}`, 'utf8').split('\n')).filter((line) => line.includes('"type":"t"'));
	assert.deepStrictEqual(lines.map((line) => JSON.parse(line).fields.i), upTo(i));
});

test('pub: whoever subscribes to a client that binds gets what is said', { skip: zeromqMissing }, async (t) => {
	const folder = directory();
	const client = createClient({ endpoint: `pub:@ipc://${folder}/pub` });
	client.info('first');
	const receiver = await receive(t, `sub:>ipc://${folder}/pub`, { folder });
	assert.strictEqual((await receiver.lines(1))[0].payload, 'first');
	assert.strictEqual((await client.close({ timeout: '60s' })).sent, 1);
});

test('push: what libzmq may still have at a closeSync counts as not sent', { skip: zeromqMissing }, async (t) => {
	const receiver = await receive(t, FROM.push());
	const client = createClient({ endpoint: endpointOf('push', receiver) });
	client.info('x');
	assert.strictEqual(await client.flush({ timeout: '60s' }), true);
	assert.deepStrictEqual([client.counts().sent, client.closeSync().sent], [1, 0]);
});

test('push: a key lets in, and encrypts', { skip: zeromqMissing }, async (t) => {
	const folder = directory();
	const { execFileSync } = require('node:child_process');
	for (const name of ['server', 'client']) execFileSync(path.join(process.env.TOOLS, 'metlog-recv'), ['--curve-keygen', `${folder}/${name}`]);
	fs.mkdirSync(`${folder}/clients`, { mode: 0o755 });
	fs.copyFileSync(`${folder}/client.pub`, `${folder}/clients/client.pub`);
	const receiver = await receive(t, FROM.push(), { folder, options: ['--curve-secret', `${folder}/server`, '--curve-clients', `${folder}/clients`] });
	const stranger = createClient({ endpoint: endpointOf('push', receiver), curveServer: `${folder}/server.pub` });
	const client = createClient({ endpoint: endpointOf('push', receiver), curveServer: `${folder}/server.pub`, curveSecret: `${folder}/client` });
	stranger.info('let me in');
	client.info('it is me');
	assert.strictEqual((await client.close({ timeout: '60s' })).sent, 1);
	assert.deepStrictEqual((await receiver.lines(1)).map(({ payload }) => payload), ['it is me']);
	assert.strictEqual((await stranger.close({ timeout: 50 })).unsent, 1);
});

test('a secret key that others can read, or a file without one, is not taken', { skip: zeromqMissing }, () => {
	const folder = directory(), key = 'D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs', made = (name, text, mode) => {
		fs.writeFileSync(`${folder}/${name}`, text);
		fs.chmodSync(`${folder}/${name}`, mode);
		return `${folder}/${name}`;
	};
	const server = made('server.pub', `${key}\n`, 0o644);
	const fails = (options, status, what) => assert.throws(() => createClient({ endpoint: 'push:tcp://192.0.2.1:5565', curveServer: server, ...options }),
		(error) => error.status === status && what.test(error.message) && !error.message.includes(key));
	fails({ curveSecret: made('open', `${key}\n`, 0o640) }, 77, /open to others \(mode 0640\)/);
	fails({ curveSecret: made('public', `public-key = "${key}"\n`, 0o600) }, 78, /no secret key/);
	fails({ curveSecret: `${folder}/nothing` }, 66, /cannot read/);
	fails({ curveServer: made('empty', '', 0o644) }, 78, /no public key/);
	createClient({ endpoint: 'push:tcp://192.0.2.1:5565', curveServer: server, curveSecret: made('mine', `secret-key = "${key}"\n`, 0o600) }).close({ timeout: 0 });
});

test('ZeroMQ that leaves this machine needs a key, or a word that it does not', () => {
	assert.throws(() => createClient({ endpoint: 'push:tcp://192.0.2.1:5565', zeromq: { Push: class {} } }), /without CURVE/);
});

for (const kind of ['push', 'pub', 'ack']) {
	test(`${kind}: a process that ends by itself has handed over what it said, in its threads too`, { skip: zeromqMissing }, async (t) => {
		const folder = directory();
		const receiver = await receive(t, FROM[kind](folder), { folder });
		const { code, stderr } = await run(`
			const { Worker, isMainThread } = require('worker_threads');
			const client = require('metlog').createClient({ endpoint: '${endpointOf(kind, receiver)}', close: '60s' });
			for (let i = 0; i < 3000; i++) client.metlog('t', { fields: { i, main: isMainThread } });
			if (isMainThread) new Worker(__filename);`);
		assert.deepStrictEqual([code, stderr], [0, '']);
		const sent = await receiver.lines(6000);
		for (const main of [true, false]) assert.deepStrictEqual(sent.filter(({ fields }) => fields.main === main).map(({ fields }) => fields.i), upTo(3000));
	});

	test(`${kind}: with nobody there a process ends in time, and one that said nothing at once`, { skip: zeromqMissing }, async () => {
		const folder = directory();
		const program = "const client = require('metlog').createClient({ endpoint: 'KIND:ipc://FOLDER/nobody', close: 50 }); SAY process.on('exit', () => console.log(client.counts().unsent));"
			.replace('KIND', kind).replace('FOLDER', folder);
		const silent = await run(program.replace('SAY', ''));
		assert.deepStrictEqual([silent.code, silent.stdout, silent.stderr], [0, '0\n', '']);
		const said = await run(program.replace('SAY', "client.info('x');"));
		assert.deepStrictEqual([said.code, said.stdout, said.stderr], [0, '1\n', '']);
	});
}

test('push: what a thread has handed to libzmq arrives as it was, though the thread has ended since', { skip: zeromqMissing }, async (t) => {
	const folder = directory();
	const receiver = await receive(t, `pull:ipc://${folder}/socket`, { folder });
	const worker = new Worker(`
		const { parentPort } = require('worker_threads');
		const client = require(${JSON.stringify(path.join(__dirname, '..'))}).createClient({ endpoint: 'push:ipc://${folder}/socket', close: '60s' });
		client.metlog('t', { fields: { i: 0 } });
		client.flush({ timeout: '60s' }).then(() => parentPort.postMessage('there'));
		parentPort.once('message', () => { for (let i = 1; i < 700; i++) client.metlog('t', { payload: 'x'.repeat(1000), fields: { i } }); });`, { eval: true });
	await once(worker, 'message');
	receiver.child.kill('SIGSTOP'); // and what the kernel holds of a unix socket is little
	worker.postMessage('go on');
	await once(worker, 'exit');
	const others = upTo(100).map(() => Buffer.alloc(1 << 16, 'y')); // would stand where those of the thread stood
	receiver.child.kill('SIGCONT');
	const sent = await receiver.lines(700);
	assert.strictEqual(others.length, 100);
	assert.deepStrictEqual(sent.map(({ fields }) => fields.i), upTo(700));
});

for (const kind of ['push', 'ack']) {
	test(`${kind}: with a receiver that is stopped memory is bounded, what is dropped is exactly counted, and the rest arrives when it goes on`, { skip: zeromqMissing }, async (t) => {
		const folder = directory();
		const receiver = await receive(t, FROM[kind](folder), { folder });
		const client = createClient({ endpoint: endpointOf(kind, receiver), buffer: '512Ki' });
		client.metlog('t', { fields: { i: 0 } });
		await receiver.lines(1);
		receiver.child.kill('SIGSTOP');
		let taken = 1, dropped = 0;
		await until(async () => {
			for (let n = 0; n < 200; n++) if (client.metlog('t', { payload: 'x'.repeat(1000), fields: { i: taken } })) taken++; else dropped++;
			await new Promise((resolve) => setImmediate(resolve));
			return dropped > 2000;
		}, 'a full buffer');
		receiver.child.kill('SIGCONT');
		await until(() => receiver.envelopes.some(({ type }) => type === 'counter'), 'the report');
		const counts = await client.close({ timeout: '60s' });
		assert.deepStrictEqual([counts.taken, counts.sent, counts.unsent, counts.dropped], [taken, taken, 0, dropped]);
		await receiver.lines(taken + 1);
		assert.deepStrictEqual(receiver.envelopes.filter(({ type }) => type === 't').map(({ fields }) => fields.i), upTo(taken));
		assert.strictEqual(receiver.envelopes.filter(({ type }) => type === 'counter').reduce((sum, { payload }) => sum + Number(payload), 0), dropped);
	});
}
