/* receiver - a metlog-recv for a test: started on a free port, told what it has written, stopped. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { directory, envelopes, until } = require('./helper.js');

const tool = process.env.TOOLS && path.join(process.env.TOOLS, 'metlog-recv');
const missing = !tool ? 'TOOLS does not say where metlog-recv is' : !fs.existsSync(tool) ? `${tool} is not built` : false;

class Receiver {
	constructor(folder, from, options) {
		this.folder = folder;
		this.ready = path.join(folder, 'where');
		this.output = path.join(folder, 'got');
		fs.rmSync(this.ready, { force: true });
		this.child = spawn(tool, ['--ready', this.ready, '--stats', path.join(folder, 'books'), '--from', from, ...options],
			{ stdio: ['ignore', fs.openSync(this.output, 'a'), fs.openSync(path.join(folder, 'err'), 'a')] });
		this.ended = new Promise((resolve) => this.child.on('exit', (code) => resolve(code)));
	}

	/* Where it listens, as it says itself: "udp:127.0.0.1:40123". */
	get where() { return fs.readFileSync(this.ready, 'utf8').trim(); }
	get port() { return this.where.split(':').pop(); }
	get envelopes() { return envelopes(this.output); }

	async lines(count) {
		await until(() => fs.existsSync(this.output) && fs.readFileSync(this.output, 'utf8').split('\n').length > count, `line ${count}`);
		return this.envelopes;
	}

	async stop(signal = 'SIGTERM') {
		this.child.kill(signal);
		return this.ended;
	}

	get errors() { return fs.readFileSync(path.join(this.folder, 'err'), 'utf8'); }
}

async function receive(t, from, { folder = directory(), options = [] } = {}) {
	const receiver = new Receiver(folder, from, options);
	t.after(() => receiver.child.kill('SIGKILL'));
	let code;
	receiver.ended.then((status) => { code = status; });
	await until(() => fs.existsSync(receiver.ready) || code !== undefined, 'metlog-recv');
	if (code !== undefined) throw new Error(`metlog-recv has ended with ${code}: ${receiver.errors}`);
	return receiver;
}

function zeromq() {
	try {
		require('zeromq');
		return false;
	} catch (error) {
		return `the package zeromq cannot be had: ${error.message.split('\n')[0]}`;
	}
}

module.exports = { missing, receive, zeromqMissing: missing || zeromq() };
