/* readme - the programs in the README do what they say. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { spawnSync } = require('node:child_process');
const { directory, envelopes } = require('./helper.js');

const readme = fs.readFileSync(path.join(__dirname, '../README.md'), 'utf8');
const programs = [...readme.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, text]) => text);

/* What each of them sends: type, payload, and some of its fields. */
const EXPECTED = [
	[['counter', '1', { name: 'orders' }], ['gauge', '12', { name: 'queue' }], ['order', 'paid', { total: 19.9 }], ['oldstyle', 'only 3 left of tea', {}]],
	[['oldstyle', '2 rows', {}]],
	[['levels', '', { low: 1 }], ['raw', '', { price: 19.9 }]],
	[['oldstyle', 'GET /', { request: 'r1' }], ['timer', null, { name: 'request', status: 200, request: 'r1' }]],
	[['sentry', 'Error: nobody caught this', { platform: 'node' }]],
	[['oldstyle', 'it broke', { order: 4711 }]],
	[['oldstyle', 'last words', {}]],
];

function missing(program) {
	const needed = [...program.matchAll(/require\('([^']+)'\)/g)].map(([, name]) => name).filter((name) => name !== 'metlog');
	return needed.find((name) => {
		try { require.resolve(name); return false; } catch { return true; }
	});
}

test('all programs are told what to expect of', () => assert.strictEqual(programs.length, EXPECTED.length));

programs.forEach((program, index) => {
	const absent = missing(program);
	test(`program ${index + 1}: ${program.split('\n').find((line) => /^(?:metlog\.|const log|const server|process\.)/.test(line)) || ''}`, { skip: absent && `the package ${absent} is not installed` }, () => {
		const folder = directory(), out = path.join(folder, 'out');
		fs.mkdirSync(path.join(folder, 'node_modules'));
		fs.symlinkSync(path.join(__dirname, '..'), path.join(folder, 'node_modules/metlog'));
		fs.writeFileSync(path.join(folder, 'shop.ini'), `[metlog]\nendpoint = file:${out}\nlogger = shop\n`);
		const name = program.startsWith('import') ? 'program.mjs' : 'program.js';
		// Chance is not to decide, and what is for the network goes to a file.
		fs.writeFileSync(path.join(folder, name), program.replace(/endpoint: '[^']*'/, `endpoint: 'file:${out}'`).replace('rate: 0.1', 'rate: 0'));
		const ran = spawnSync(process.execPath, [name], { cwd: folder, encoding: 'utf8', timeout: 120000, env: { ...process.env, NODE_TEST_CONTEXT: '' } });
		assert.strictEqual(ran.stderr, '');
		assert.strictEqual(ran.status, program.includes('uncaughtException') ? 1 : 0);
		const sent = envelopes(out);
		assert.strictEqual(sent.length, EXPECTED[index].length);
		EXPECTED[index].forEach(([type, payload, fields], at) => {
			assert.strictEqual(sent[at].type, type);
			if (payload !== null) assert.strictEqual(sent[at].payload, payload);
			for (const [field, value] of Object.entries(fields)) assert.strictEqual(sent[at].fields[field], value);
		});
	});
});

test('the README names each option, method and key', () => {
	const types = fs.readFileSync(path.join(__dirname, '../index.d.ts'), 'utf8');
	const members = (name) => [...new RegExp(`interface ${name} \\{([^]*?)\\n\\t\\}`).exec(types)[1].matchAll(/^\t\t(?:readonly )?([a-zA-Z]+)[?(<:]/gm)].map(([, member]) => member);
	for (const member of [...members('ClientOptions'), ...members('Client'), ...members('Counts'), ...members('CreateClient'), ...members('CommonOptions'), ...members('WaitOptions')]) {
		assert.ok(new RegExp(`\\b${member}\\b`).test(readme), member);
	}
});
