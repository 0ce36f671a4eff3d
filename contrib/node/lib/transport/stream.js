/* stream - tcp: and unix:, a connection on which envelopes go as lines; it comes back by itself. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const net = require('net');
const { Backoff } = require('./backoff.js');

class StreamTransport {
	constructor(endpoint, options, outbox, state) {
		this.place = endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port };
		this.outbox = outbox;
		this.state = state;
		this.backoff = new Backoff(50, 2000);
		this.socket = null;
		this.connected = false;
		this.writing = null;
		this.ended = false;
		this.connect();
	}

	connect() {
		const socket = this.socket = net.connect(this.place);
		let reason = 'the far side has closed the connection';
		socket.unref();
		if (this.place.port !== undefined) socket.setNoDelay(true);
		socket.on('connect', () => {
			this.connected = true;
			this.backoff.reset();
			this.state.here();
			this.kick();
		});
		socket.on('error', (error) => { reason = error.code === 'ENOTSOCK' || error.code === 'EPROTOTYPE' ? 'it is no stream socket, and Node.js has no unix datagrams' : error.message; });
		// Nothing is said on these connections: what comes is a farewell.
		socket.on('data', () => {});
		socket.on('end', () => socket.destroy());
		socket.on('close', () => this.lost(socket, reason));
	}

	lost(socket, reason) {
		if (socket !== this.socket) return;
		this.connected = false;
		this.socket = null;
		if (this.writing !== null) {
			const block = this.writing;
			this.writing = null;
			this.outbox.giveBack(block);
		}
		if (this.ended) return;
		this.state.away(reason);
		this.backoff.wait(() => this.connect());
	}

	kick() {
		if (!this.connected || this.writing !== null || this.ended) return;
		const block = this.outbox.take();
		if (block === null) return;
		const socket = this.socket;
		this.writing = block;
		// Called once the kernel has all of it. What was broken off is sent again from the beginning of the block, as nobody can tell how far it got.
		socket.write(block.data, (error) => {
			// Node.js tells of no error where the socket was destroyed under a write.
			if (this.writing !== block || socket !== this.socket || error || socket.destroyed) return;
			this.writing = null;
			this.outbox.settle(block, block.count, -1);
			this.kick();
		});
	}

	close(callback) {
		this.ended = true;
		this.backoff.cancel();
		const socket = this.socket;
		if (socket === null || !this.connected) {
			this.abandon();
			callback(0);
			return;
		}
		socket.end(() => callback(0));
	}

	abandon() {
		this.ended = true;
		this.backoff.cancel();
		if (this.socket !== null) this.socket.destroy();
	}
}

module.exports = { StreamTransport };
