/* bench_client - what a call of the Node.js client costs its thread, beside its rivals; prints lines "name p50 p99 mean", in nanoseconds. */
/* SPDX-License-Identifier: MPL-2.0 */
/* usage: bench_client.js [BURSTS]    bursts of 1000 calls in a turn of the event loop each. Every call is measured, the clock's own cost is in it; the mean is of whole
 * bursts without the clock. $push is where messages go, if it is set and the package zeromq is there; else file:/dev/null. */
'use strict';

const dgram = require('node:dgram');
const path = require('node:path');
const { createClient } = require(path.join(__dirname, '../../contrib/node'));

const BURST = 1000, WARM = 30, PAUSE_MS = 2;
const bursts = Number(process.argv[2] || 100);
const FIELDS = { user: 25, path: '/cart/checkout', ms: 12.5, cached: false };
const REQUEST = { payload: 'GET /cart/checkout', fields: FIELDS };

function installed(name) {
	try { return require(name); } catch { return null; }
}

function pause() {
	return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

async function measure(call) {
	const times = [];
	let whole = 0n;
	for (let burst = -WARM; burst < bursts; burst++) {
		for (let i = 0; i < BURST; i++) {
			const before = process.hrtime.bigint();
			call();
			const after = process.hrtime.bigint();
			if (burst >= 0) times.push(Number(after - before));
		}
		await pause();
		const before = process.hrtime.bigint();
		for (let i = 0; i < BURST; i++) call();
		if (burst >= 0) whole += process.hrtime.bigint() - before;
		await pause();
	}
	times.sort((a, b) => a - b);
	return [times[times.length >> 1], times[Math.floor(times.length * 0.99)], Number(whole) / (bursts * BURST)];
}

async function row(name, call) {
	const [p50, p99, mean] = await measure(call);
	console.log(`${name} ${p50} ${p99} ${mean.toFixed(1)}`);
}

async function client_rows() {
	const zeromq = process.env.push ? installed('zeromq') : null;
	const endpoint = zeromq ? process.env.push : 'file:/dev/null', to = zeromq ? 'push:' : 'file:/dev/null';
	const client = createClient({ endpoint, logger: 'shop', zeromq, buffer: '64Mi', disabledTimers: ['off'], filters: [{ provider: 'severity_max', severity: 6 }] });
	await row(`incr to ${to}`, () => client.incr('orders'));
	await row(`metlog to ${to}, 4 fields`, () => client.metlog('request', REQUEST));
	await row(`info to ${to}, formatted`, () => client.info('only %d left of %s', 3, 'tea'));
	await row(`timer to ${to}`, () => client.timer('checkout').end());
	await row('incr, rate 0', () => client.incr('orders', { rate: 0 }));
	await row('incr, rate 0.000001', () => client.incr('orders', { rate: 0.000001 }));
	await row('timer, disabled', () => client.timer('off').end());
	await row('debug, left out by a filter', () => client.debug('only %d left of %s', 3, 'tea'));
	const { dropped } = await client.close({ timeout: '60s' });
	if (dropped > 0) console.error(`bench_client.js: ${dropped} messages were dropped: the rows to ${to} are no measure`);
}

async function rival_rows() {
	const server = dgram.createSocket('udp4');
	await new Promise((resolve) => server.bind(0, '127.0.0.1', resolve));
	server.on('message', () => {});
	const { port } = server.address();
	const HotShots = installed('hot-shots');
	if (HotShots) {
		const statsd = new HotShots({ host: '127.0.0.1', port });
		await row('hot-shots increment over UDP', () => statsd.increment('orders'));
		statsd.close(() => {});
	} else console.error("bench_client.js: npm's hot-shots is not here");
	server.close();
	const record = () => ({ type: 'request', timestamp: new Date().toISOString(), logger: 'shop', severity: 6, payload: 'GET /cart/checkout', fields: FIELDS, env_version: '0.8', metlog_pid: process.pid, metlog_hostname: 'web1' });
	const zeromq = installed('zeromq');
	if (zeromq) {
		const socket = new zeromq.Publisher({ linger: 0, sendTimeout: 0 });
		await socket.bind('tcp://127.0.0.1:*');
		await row('JSON.stringify and zeromq PUB', () => { socket.send(JSON.stringify(record())).catch(() => {}); });
		socket.close();
	}
	await row('JSON.stringify alone', () => JSON.stringify(record()));
}

(async () => {
	await row('process.hrtime.bigint, twice', () => {});
	await client_rows();
	await rival_rows();
})();
