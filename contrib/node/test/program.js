/* program - runs a program that uses the package, as a process of its own. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { directory, envelopes } = require('./helper.js');

const package_path = path.join(__dirname, '..');

/* Runs a program in a folder of its own, where "out" is what it writes to; resolves with {code, stdout, stderr, sent}. */
function run(source, { name = 'program.js', folder = directory(), environment = {} } = {}) {
	const modules = path.join(folder, 'node_modules');
	fs.mkdirSync(modules, { recursive: true });
	if (!fs.existsSync(path.join(modules, 'metlog'))) fs.symlinkSync(package_path, path.join(modules, 'metlog'));
	fs.writeFileSync(path.join(folder, name), source);
	return new Promise((resolve) => {
		const child = spawn(process.execPath, [name], { cwd: folder, env: { ...process.env, NODE_TEST_CONTEXT: '', ...environment } });
		const result = { code: null, stdout: '', stderr: '', get sent() { return envelopes(path.join(folder, 'out')); } };
		child.stdout.on('data', (chunk) => { result.stdout += chunk; });
		child.stderr.on('data', (chunk) => { result.stderr += chunk; });
		child.on('close', (code, signal) => {
			result.code = code === null ? signal : code;
			resolve(result);
		});
	});
}

module.exports = { run };
