/* process - the end of a process, workers and clusters, loggers: programs of their own that use the package. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const test = require('node:test');
const { execFileSync } = require('node:child_process');
const { directory, until } = require('./helper.js');
const { run } = require('./program.js');

const CLIENT = "const { createClient } = require('metlog'); const client = createClient({ endpoint: 'file:out' });";

test('a process that has nothing more to do flushes and ends, though nobody closed the client', async () => {
	const { code, sent, stderr } = await run(`${CLIENT} for (let i = 0; i < 5000; i++) client.incr('n');`);
	assert.deepStrictEqual([code, stderr, sent.length], [0, '', 5000]);
});

test('a client that has nothing to say keeps no process alive, whatever its endpoint', async () => {
	for (const endpoint of ['-', 'file:out', 'udp:127.0.0.1:9', 'tcp:127.0.0.1:9', 'unix:nobody']) {
		const { code, stderr } = await run(`require('metlog').createClient({ endpoint: '${endpoint}' }); setTimeout(() => process.exit(9), 60000).unref();`);
		assert.deepStrictEqual([code, stderr], [0, ''], endpoint);
	}
});

test('a process waits at its end for a far side that comes, and for one that does not only as long as a close may take', async (t) => {
	const folder = directory();
	const program = "const client = require('metlog').createClient({ endpoint: 'unix:socket', close: CLOSE }); client.info('last words'); process.on('exit', () => console.log(client.counts().unsent));";
	const lost = await run(program.replace('CLOSE', '50'), { folder });
	assert.deepStrictEqual([lost.code, lost.stdout], [0, '1\n']);
	let text = '';
	const running = run(program.replace('CLOSE', '"60s"'), { folder });
	const server = net.createServer((socket) => socket.on('data', (chunk) => { text += chunk; }));
	await new Promise((resolve) => server.listen(path.join(folder, 'socket'), resolve));
	t.after(() => server.close());
	assert.strictEqual((await running).stdout, '0\n');
	await until(() => text.endsWith('\n'));
	assert.strictEqual(JSON.parse(text).payload, 'last words');
});

test('a process waits at its end once for a far side that does not come, and not again and again', async () => {
	const { code, stdout } = await run(`let ends = 0; process.on('beforeExit', () => ends++).on('exit', () => console.log(ends));
		const client = require('metlog').createClient({ endpoint: 'unix:nobody', close: 20 }); client.info('last words');`);
	assert.deepStrictEqual([code, stdout], [0, '2\n']);
});

test('the package zeromq is found beside the application, too, which has this package as a link to another place', async () => {
	const folder = directory();
	fs.mkdirSync(path.join(folder, 'node_modules/zeromq'), { recursive: true });
	fs.writeFileSync(path.join(folder, 'node_modules/zeromq/index.js'), 'exports.mine = true;');
	for (const name of ['program.js', 'program.mjs']) {
		const source = "try { createClient({ endpoint: 'push:tcp://127.0.0.1:9' }); } catch (error) { console.log(error.message); }";
		const load = name.endsWith('.js') ? "const { createClient } = require('metlog');" : "import { createClient } from 'metlog';";
		const { stdout } = await run(load + source, { folder, name, environment: { NODE_PATH: '' } });
		assert.match(stdout, /this package zeromq has no Push/);
	}
	const { stdout } = await run("try { require('metlog').createClient({ endpoint: 'ack:tcp://127.0.0.1:9' }); } catch (error) { console.log(error.status, error.message); }", { environment: { NODE_PATH: '' } });
	assert.match(stdout, /^71 .*npm install zeromq@6/);
});

test('a flush or close that is done leaves nothing behind that a process would wait for', async () => {
	const { code, sent } = await run(`${CLIENT} setTimeout(() => process.exit(9), 30000).unref(); client.info('x'); client.flush({ timeout: '1h' }).then(() => client.close({ timeout: '1h' }));`);
	assert.deepStrictEqual([code, sent.length], [0, 1]);
});

test('an application that logs whenever it is about to end does end', async () => {
	const { code, sent } = await run(`${CLIENT} process.on('beforeExit', () => client.info('bye'));`);
	assert.strictEqual(code, 0);
	assert.ok(sent.length >= 1);
});

test('process.exit loses what was not flushed, and closeSync in an exit handler saves it for a file', async () => {
	const without = await run(`${CLIENT} client.info('x'); process.exit(3);`);
	assert.deepStrictEqual([without.code, without.sent.length], [3, 0]);
	const with_it = await run(`${CLIENT} process.on('exit', () => client.closeSync()); for (let i = 0; i < 1000; i++) client.info('x'); process.exit(3);`);
	assert.deepStrictEqual([with_it.code, with_it.sent.length], [3, 1000]);
});

test('closeSync in a thread that ends counts as sent only what is in the file', async () => {
	const folder = directory();
	execFileSync('mkfifo', [`${folder}/fifo`]);
	// The one thread of Node that writes is held up until the counts are told, and the worker ends without what it has not begun.
	const { code, stdout, stderr, sent } = await run(`
		const fs = require('fs');
		const { Worker, isMainThread } = require('worker_threads');
		if (isMainThread) {
			new Worker(__filename);
			const timer = setInterval(() => {
				if (!fs.existsSync('told')) return;
				clearInterval(timer);
				fs.openSync('fifo', 'r+');
			}, 5);
		} else {
			${CLIENT}
			process.on('exit', () => {
				fs.writeSync(1, JSON.stringify(client.closeSync()));
				fs.writeFileSync('told', '');
			});
			fs.open('fifo', 'r', () => {});
			client.info('one');
			setImmediate(() => {
				client.info('two');
				process.exit();
			});
		}`, { folder, environment: { UV_THREADPOOL_SIZE: '1' } });
	assert.deepStrictEqual([code, stderr], [0, '']);
	const counts = JSON.parse(stdout);
	assert.deepStrictEqual([counts.taken, counts.sent, counts.unsent], [2, 1, 1]);
	assert.ok(sent.some(({ payload }) => payload === 'two'));
});

test('standard output has the envelopes as lines, between those of the application', async () => {
	const { code, stdout } = await run("const client = require('metlog').createClient({ endpoint: '-', logger: 'shop' }); for (let i = 0; i < 3000; i++) client.incr('n', i); client.flush().then(() => console.log('done'));");
	const lines = stdout.trim().split('\n');
	assert.deepStrictEqual([code, lines.length, lines.pop()], [0, 3001, 'done']);
	assert.deepStrictEqual(lines.map((line) => Number(JSON.parse(line).payload)), Array.from({ length: 3000 }, (_, i) => i));
});

test('a standard output that is closed is no exception', async () => {
	const folder = directory();
	const { code, stderr } = await run("const fs = require('fs'); fs.closeSync(1); fs.openSync('/dev/full', 'w'); const client = require('metlog').createClient({ endpoint: '-', close: 100 }); client.info('x'); client.close().then((counts) => { process.exitCode = counts.unsent; });", { folder });
	assert.deepStrictEqual([code, stderr], [1, '']);
});

test('each worker thread has a client of its own', async () => {
	const { code, stderr, sent } = await run(`
		const { Worker, isMainThread, threadId } = require('worker_threads');
		${CLIENT}
		for (let i = 0; i < 500; i++) client.metlog('t', { fields: { thread: threadId, i } });
		if (isMainThread) for (let n = 0; n < 3; n++) new Worker(__filename);`);
	assert.deepStrictEqual([code, stderr], [0, '']);
	for (let thread = 0; thread < 4; thread++) {
		assert.deepStrictEqual(sent.filter(({ fields }) => fields.thread === thread).map(({ fields }) => fields.i), Array.from({ length: 500 }, (_, i) => i));
	}
});

test('each process of a cluster has a client of its own, with its own pid', async () => {
	const { code, stderr, sent } = await run(`
		const cluster = require('cluster');
		${CLIENT}
		for (let i = 0; i < 200; i++) client.info('x');
		if (cluster.isPrimary) for (let n = 0; n < 2; n++) cluster.fork();
		else client.close().then(() => cluster.worker.disconnect());`);
	assert.deepStrictEqual([code, stderr, sent.length], [0, '', 600]);
	assert.strictEqual(new Set(sent.map(({ metlog_pid }) => metlog_pid)).size, 3);
});

test('a rejection that nobody handles is heard of though its promise is timed', async () => {
	const { code, stdout } = await run(`${CLIENT} process.on('unhandledRejection', (error) => console.log(error.message)); client.time('t', async () => { throw new Error('lost'); });`);
	assert.deepStrictEqual([code, stdout], [0, 'lost\n']);
});

test('the package can be imported and required, and is one', async () => {
	const { code, stderr, stdout } = await run(`
		import metlog, { createClient, json, MetlogError, severities } from 'metlog';
		import { createRequire } from 'module';
		const required = createRequire(import.meta.url)('metlog');
		console.log(required.createClient === createClient, metlog === required, json('1').text, severities.ERROR, new MetlogError('x') instanceof Error);`, { name: 'program.mjs' });
	assert.deepStrictEqual([code, stderr, stdout], [0, '', 'true true 1 3 true\n']);
});

test('without the package zeromq an endpoint of ZeroMQ says what is missing', async () => {
	const { stdout } = await run("try { require('metlog').createClient({ endpoint: 'push:tcp://127.0.0.1:1' }); } catch (error) { console.log(error.status, error.message); }", { environment: { NODE_PATH: '' } });
	assert.strictEqual(stdout, '71 push:tcp://127.0.0.1:1: ZeroMQ needs the package zeromq: npm install zeromq@6\n');
});
