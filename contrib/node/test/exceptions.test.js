/* exceptions - errors as Sentry's events have them, and what becomes of the lines of a logger. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const test = require('node:test');
const { recorder } = require('./helper.js');

async function captured(error, options) {
	const { client, written } = recorder();
	assert.strictEqual(client.captureException(error, options), true);
	return (await written())[0];
}

function thrower() {
	throw new TypeError('it broke');
}

test('an error is an event of type sentry, with its text, kind and frames, the crashing one last', async () => {
	let error;
	try { thrower(); } catch (caught) { error = caught; }
	const { type, severity, payload, fields } = await captured(error, { fields: { order: 7 }, tags: { release: '1.2' } });
	assert.deepStrictEqual([type, severity, payload], ['sentry', 3, 'TypeError: it broke']);
	assert.deepStrictEqual(Object.keys(fields), ['exception', 'platform', 'order', 'tags']);
	assert.strictEqual(fields.platform, 'node');
	const [{ type: kind, value, stacktrace }] = fields.exception.values;
	assert.deepStrictEqual([kind, value], ['TypeError', 'it broke']);
	const last = stacktrace.frames.pop();
	assert.deepStrictEqual(Object.keys(last), ['filename', 'function', 'module', 'lineno', 'colno']);
	assert.deepStrictEqual([last.filename, last.function, last.module], [__filename, 'thrower', 'exceptions.test']);
	assert.strictEqual(last.lineno, Number(/exceptions\.test\.js:(\d+)/.exec(error.stack)[1]));
});

test('causes stand before what they caused, and a circle of them ends', async () => {
	const root = new Error('disk full'), middle = new Error('cannot write', { cause: root }), top = new RangeError('no order', { cause: middle });
	root.cause = top;
	const { payload, fields } = await captured(top);
	assert.strictEqual(payload, 'RangeError: no order');
	assert.deepStrictEqual(fields.exception.values.map(({ value }) => value), ['disk full', 'cannot write', 'no order']);
	const many = await captured(new AggregateError([new Error('a'), new Error('b')], 'both'));
	assert.deepStrictEqual(many.fields.exception.values.map(({ value }) => value), ['b', 'a', 'both']);
});

test('all forms of a line of a stack are read, and a message that looks like one is none', async () => {
	const error = new Error('first\n    at liar (/x.js:1:1)');
	error.stack = `Error: ${error.message}
    at new Order (/app/order.js:3:5)
    at async Promise.all (index 0)
    at async save (file:///app/a%20b.mjs:10:2)
    at /app/main.js:1:2
    at eval (eval at run (/app/main.js:4:4), <anonymous>:1:7)
    at Layer.handle [as handle_request] (/app/node_modules/express/lib/router/layer.js:95:5)
    at node:internal/timers:569:17
    at Array.map (<anonymous>)
    at native`;
	const { fields } = await captured(error);
	assert.deepStrictEqual(fields.exception.values[0].stacktrace.frames.reverse(), [
		{ filename: '/app/order.js', function: 'new Order', module: 'order', lineno: 3, colno: 5 },
		{ filename: 'index 0', function: 'Promise.all' },
		{ filename: '/app/a b.mjs', function: 'save', module: 'a b', lineno: 10, colno: 2 },
		{ filename: '/app/main.js', function: '<anonymous>', module: 'main', lineno: 1, colno: 2 },
		{ filename: '/app/main.js', function: 'eval', module: 'main', lineno: 4, colno: 4 },
		{ filename: '/app/node_modules/express/lib/router/layer.js', function: 'Layer.handle [as handle_request]', module: 'express/lib/router/layer', lineno: 95, colno: 5 },
		{ filename: 'node:internal/timers', function: '<anonymous>', module: 'node:internal/timers', lineno: 569, colno: 17 },
		{ filename: '<anonymous>', function: 'Array.map' },
		{ filename: 'native', function: '<anonymous>' },
	]);
});

test('whatever was thrown can be captured', async () => {
	for (const [thrown, payload] of [['a text', 'Thrown: a text'], [undefined, 'Thrown: undefined'], [{ a: 1 }, 'Thrown: [object Object]'], [Object.create(null), 'Thrown: [a value without a text]'], [new Error(''), 'Error']]) {
		assert.strictEqual((await captured(thrown)).payload, payload);
	}
});

test('an error as long as a novel is cut: 100 frames, the first and the last, and 8192 characters of text', async () => {
	const error = new Error('x'.repeat(20000));
	error.stack = Array.from({ length: 1000 }, (_, i) => `    at f${i} (/a.js:1:1)`).join('\n');
	const { payload, fields } = await captured(error);
	const names = fields.exception.values[0].stacktrace.frames.map((frame) => frame.function);
	assert.deepStrictEqual([names.length, names[0], names[49], names[50], names[99]], [100, 'f999', 'f950', 'f49', 'f0']);
	assert.strictEqual(payload.length, 8192 + 3);
});

test('the lines of pino become messages, with their level, time, process and host', async () => {
	const { client, written } = recorder();
	const stream = client.stream();
	stream.write('{"level":50,"time":1349438401137,"pid":7,"hostname":"web2","name":"orders","msg":"it broke","order":4711}\n{"level":20,"time":"2012-10-05T');
	stream.write(Buffer.from('12:00:01.5Z","msg":{"a":1}}\n'));
	stream.write('{"level":"fatal","msg":"é'.normalize());
	stream.write('"}\n\nno JSON\n{"level":"odd","time":"never"}\n');
	stream.end('{"level":30,"msg":"without an end"}');
	await new Promise((resolve) => stream.on('finish', resolve));
	const sent = await written();
	assert.deepStrictEqual(sent[0], { type: 'oldstyle', timestamp: '2012-10-05T12:00:01.137000Z', logger: 'orders', severity: 3, payload: 'it broke', fields: { order: 4711 }, env_version: '0.8', metlog_pid: 7, metlog_hostname: 'web2' });
	assert.deepStrictEqual([sent[1].severity, sent[1].timestamp, sent[1].fields], [7, '2012-10-05T12:00:01.500000Z', { msg: { a: 1 } }]);
	assert.deepStrictEqual([sent[2].severity, sent[2].payload, sent[2].logger], [2, 'é', 'shop']);
	assert.deepStrictEqual([sent[3].severity, sent[3].payload], [6, 'no JSON']);
	assert.deepStrictEqual([sent[4].severity, sent[4].fields], [6, { level: 'odd', time: 'never' }]);
	assert.deepStrictEqual([sent[5].severity, sent[5].payload], [6, 'without an end']);
});

test('a character that is cut between two chunks is whole again', async () => {
	const { client, written } = recorder();
	const stream = client.stream({ type: 'log', logger: 'x' });
	const bytes = Buffer.from('{"level":30,"msg":"日本"}\n');
	for (const byte of bytes) stream.write(Buffer.of(byte));
	stream.end();
	await new Promise((resolve) => stream.on('finish', resolve));
	const [{ type, logger, payload }] = await written();
	assert.deepStrictEqual([type, logger, payload], ['log', 'x', '日本']);
});
