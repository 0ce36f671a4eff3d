/* helper - what the tests share: folders of their own, lines of files, waiting for a condition. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { createClient } = require('metlog');

const made = [];
process.on('exit', () => made.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

function directory() {
	const folder = fs.mkdtempSync(path.join(process.env.METLOG_TEST_FOLDER || os.tmpdir(), 'metlog-node-'));
	made.push(folder);
	return folder;
}

function readLines(file) {
	const text = fs.readFileSync(file, 'utf8');
	if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
	return text.split('\n').slice(0, -1);
}

/* Of the lines that have an end. */
function envelopes(file) {
	const text = fs.readFileSync(file, 'utf8');
	return text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
}

/* A client that writes to a file of its own; `written` closes it and reads the file. */
function recorder(options = {}) {
	const file = path.join(directory(), 'out');
	const client = createClient({ endpoint: `file:${file}`, logger: 'shop', ...options });
	const written = async () => {
		await client.close({ timeout: '60s' });
		return envelopes(file);
	};
	return { client, file, written };
}

/* Waits for a condition; a busy machine has a minute. */
async function until(condition, what = 'what was waited for') {
	const end = Date.now() + 1000 * (process.env.METLOG_TEST_SECONDS || 60);
	while (!(await condition())) {
		if (Date.now() > end) throw new Error(`${what} has not come`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

module.exports = { directory, envelopes, readLines, recorder, until };
