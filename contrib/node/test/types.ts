/* types - uses all of the package, so that the compiler sees whether its types are right; it is compiled, not run. */
/* SPDX-License-Identifier: MPL-2.0 */
import { Writable } from 'node:stream';
import { createClient, json, MetlogError, severities, version } from 'metlog';
import type { Client, ClientOptions, ClosingCounts, Counts, Fields, Filter, Severity, Timer } from 'metlog';

const filter: Filter = ({ type, severity, payload }) => type !== 'secret' && severity < 7 && payload !== '';
const options: ClientOptions = {
	endpoint: 'push:tcp://127.0.0.1:5565', logger: 'shop', severity: 6, hostname: 'web1', pid: 7, disabledTimers: ['db'], whenFull: 'drop', buffer: '2Mi', line: 4096, close: '5s',
	curveSecret: 'a', curveServer: 'b', insecure: false, onError: (error: Error) => { error.message.trim(); },
	filters: [filter, { provider: 'severity_max', severity: 5 }, { provider: 'type_deny', types: ['t'] }, { provider: 'type_severity_max', types: { t: 3, u: { severity: 2 } } }],
};
const client: Client = createClient(options);
createClient.fromFile('shop.ini', { logger: 'x' }).close();
createClient.fromConfig({ endpoint: '-', disabled_timers: ['a'] });

const fields: Fields = [['a', 1], ['b', new Map()]];
const taken: boolean = client.metlog('t', { payload: { any: 1 }, fields, tags: { host: 'web1', n: 3 }, timestamp: new Date(), severity: severities.ERROR, logger: 'l' });
client.incr('n');
client.incr('n', 5n);
client.incr('n', { count: 2, rate: 0.1, fields: new Map([['a', 1]]) });
client.timerSend('t', 3.5, { rate: 0.5 });
client.gauge('g', 1);
client.set('s', 'ada');
const timer: Timer = client.timer('t');
timer.end({ fields: { rows: 3 } });
const seven: number = client.time('t', () => 7);
const text: Promise<string> = client.time('t', async () => 'x');
const add: (a: number, b: number) => number = client.wrap('add', (a: number, b: number) => a + b);
for (const level of ['debug', 'info', 'notice', 'warning', 'warn', 'error', 'critical', 'alert', 'emergency'] as const) client[level]('%s', level);
const severity: Severity = severities.DEBUG;
const ours: string = version;
client.log(severity, 'x', { fields: { a: json('1.0') } });
client.cef({ signature: 'S', name: 'N', severity: 5, vendor: 'v', product: 'p', version: '1', extension: { src: '10.0.0.1' } }, { logger: 'x' });
client.captureException(new Error('x'), { tags: { release: '1' } });
const stream: Writable = client.stream({ type: 'log' });
const sum: number = client.run({ request: 'r' }, (a: number, b: number) => a + b, 1, 2);
const context: { [name: string]: unknown } = client.context();

async function disposed(): Promise<void> {
	await using mine = createClient({ endpoint: '-' });
	using measured = mine.timer('t');
	console.log(measured);
}

async function end(): Promise<void> {
	const all: boolean = await client.flush({ timeout: 100, signal: AbortSignal.timeout(5) });
	const closing: ClosingCounts = await client.close({ timeout: '5s' });
	const counts: Counts = client.counts();
	client.reopen();
	const { unsent, reason } = client.closeSync();
	console.log(ours, all, closing.taken + counts.sent - unsent, reason, client.reason, client.closed, taken, seven, await text, add(1, 2), stream, sum, context);
}
disposed().then(end).catch((error: unknown) => { if (error instanceof MetlogError) console.log(error.status, error.code); });

// @ts-expect-error
client.metlog(7);
// @ts-expect-error
client.log(8, 'x');
// @ts-expect-error
client.gauge('g', '5');
// @ts-expect-error
createClient({ endpoint: '-', colour: 'red' });
// @ts-expect-error
createClient({ endpoint: '-', whenFull: 'block' });
// @ts-expect-error
client.run({ a: 1 }, (a: number) => a, 'text');
