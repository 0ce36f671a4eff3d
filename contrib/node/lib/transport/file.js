/* file - file: and standard output, written by Node's own threads so that a slow disk holds nobody up. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const fs = require('fs');
const { isMainThread } = require('worker_threads');
const { MetlogError, STATUS } = require('../fault.js');
const { Backoff } = require('./backoff.js');

const { O_WRONLY, O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK } = fs.constants;

/* What was killed amid a line has left its start behind: ours is not to become the end of it. */
function endTornLine(fd, path) {
	const status = fs.fstatSync(fd);
	if (!status.isFile() || status.size === 0) return;
	let reader;
	try { reader = fs.openSync(path, 'r'); } catch { return; }
	try {
		const last = Buffer.alloc(1);
		if (fs.readSync(reader, last, 0, 1, status.size - 1) === 1 && last[0] !== 10) fs.writeSync(fd, '\n');
	} finally {
		fs.closeSync(reader);
	}
}

function openFile(path) {
	// O_NONBLOCK is for a named pipe that nobody reads: to open it would wait.
	const fd = fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK, 0o644);
	try { endTornLine(fd, path); } catch (error) {
		fs.closeSync(fd);
		throw error;
	}
	return fd;
}

class FileTransport {
	constructor(endpoint, options, outbox, state) {
		this.path = endpoint.kind === 'file' ? endpoint.path : null;
		this.outbox = outbox;
		this.state = state;
		this.backoff = new Backoff(5, 1000);
		this.writing = null;
		this.reopening = false;
		this.ended = false;
		try {
			this.fd = this.path === null ? 1 : openFile(this.path);
		} catch (error) {
			throw new MetlogError(`cannot open ${this.path}: ${error.message}`, STATUS.create, error);
		}
	}

	kick() {
		if (this.writing !== null || this.backoff.isWaiting || this.ended || this.fd < 0) return;
		if (this.reopening) this.openAgain();
		const block = this.outbox.take();
		if (block === null) return;
		this.writing = block;
		this.write(block, block.offset);
	}

	write(block, at) {
		fs.write(this.fd, block.data, at, block.data.length - at, null, (error, written) => {
			if (this.writing !== block) return;
			if (!error && at + written < block.data.length) this.write(block, at + written);
			else if (!error) this.wrote(block);
			else {
				this.book(block, at);
				this.failed(error);
			}
		});
	}

	wrote(block) {
		this.writing = null;
		this.outbox.settle(block, block.count - block.done, -1);
		this.backoff.reset();
		this.state.here();
		this.kick();
	}

	/* Up to `at` it is written: whole lines are settled, and of the one that is cut the rest is to follow. */
	book(block, at) {
		this.writing = null;
		let count = 0;
		for (let next = block.data.indexOf(10, block.offset); next >= 0 && next < at; next = block.data.indexOf(10, next + 1)) count++;
		if (count > 0 || at > block.offset) this.outbox.settle(block, count, at - block.offset);
		this.outbox.giveBack(block);
	}

	failed(error) {
		if (this.ended) return;
		this.state.away(error.code === 'EAGAIN' ? 'its reader does not read' : error.message);
		this.backoff.wait(() => this.kick());
	}

	/* After a rotation. */
	reopen() {
		if (this.path === null || this.ended) return;
		this.reopening = true;
		if (this.writing === null) this.openAgain();
	}

	openAgain() {
		this.reopening = false;
		try {
			const fd = openFile(this.path);
			fs.closeSync(this.fd);
			this.fd = fd;
		} catch (error) {
			this.state.warn(`cannot open ${this.path} again: ${error.message}`);
		}
	}

	/* What a thread of Node is writing just now it will write to its end; the rest is written here. With a worker thread goes what no thread of Node has come to yet. */
	closeSync() {
		if (this.ended) return;
		this.ended = true;
		this.backoff.cancel();
		if (this.writing !== null) {
			const block = this.writing;
			this.writing = null;
			this.outbox.settle(block, block.count - block.done, -1, !isMainThread);
		}
		for (let block = this.outbox.take(); block !== null; block = this.outbox.take()) {
			let at = block.offset;
			try {
				while (at < block.data.length) at += fs.writeSync(this.fd, block.data, at, block.data.length - at);
				this.outbox.settle(block, block.count - block.done, -1);
			} catch (error) {
				this.book(block, at);
				this.state.away(error.message);
				break;
			}
		}
	}

	close(callback) {
		this.ended = true;
		this.backoff.cancel();
		if (this.path === null || this.fd < 0) {
			callback(0);
			return;
		}
		const fd = this.fd;
		this.fd = -1;
		fs.close(fd, () => callback(0));
	}

	abandon() {
		this.ended = true;
		this.backoff.cancel();
		// A write that a thread is in uses the descriptor still.
		if (this.writing === null && this.path !== null && this.fd >= 0) fs.close(this.fd, () => {});
	}
}

module.exports = { FileTransport };
