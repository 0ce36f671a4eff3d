/* udp - udp:, an envelope a datagram; what nobody listens for is found out and booked. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const dgram = require('dgram');
const dns = require('dns');
const net = require('net');
const { Backoff } = require('./backoff.js');

// AT_ONCE: sent before the answers about them are looked at; one alone as long as the last answer was that the port is closed.
const AT_ONCE = 32;
const DATAGRAM_MAX = 65507;

class UdpTransport {
	constructor(endpoint, options, outbox, state) {
		this.endpoint = endpoint;
		this.outbox = outbox;
		this.state = state;
		this.backoff = new Backoff(50, 1000);
		this.socket = null;
		this.ready = false;
		this.block = null;
		this.flying = 0;
		this.refused = false;   // in this batch
		this.proven = false;
		this.ended = false;
		this.connect();
	}

	connect() {
		const { host, port } = this.endpoint;
		const family = net.isIP(host);
		const open = (error, address, version) => {
			if (this.ended) return;
			if (error) this.failed(error.message);
			else this.open(address, port, version);
		};
		if (family) open(null, host, family);
		else dns.lookup(host, open);
	}

	open(address, port, version) {
		const socket = this.socket = dgram.createSocket(version === 6 ? 'udp6' : 'udp4');
		socket.unref();
		socket.on('message', () => {});
		socket.on('error', (error) => this.answered(socket, error));
		socket.connect(port, address, (error) => {
			if (socket !== this.socket || this.ended) return;
			if (error) {
				this.drop();
				this.failed(error.message);
				return;
			}
			this.ready = true;
			this.kick();
		});
	}

	drop() {
		const socket = this.socket;
		this.socket = null;
		this.ready = false;
		if (socket !== null) try { socket.close(); } catch { /* it is closed */ }
	}

	failed(reason) {
		if (this.ended) return;
		this.state.away(reason);
		this.backoff.wait(() => (this.socket === null ? this.connect() : this.kick()));
	}

	/* The network says something about a datagram that went before. */
	answered(socket, error) {
		if (socket !== this.socket) return;
		if (error.code !== 'ECONNREFUSED') {
			this.drop();
			this.failed(error.message);
			return;
		}
		this.outbox.unsettle(1);
		this.proven = false;
		this.refused = true;
		if (this.flying === 0) this.failed('connection refused: nobody listens there');
	}

	kick() {
		if (!this.ready || this.flying > 0 || this.backoff.isWaiting || this.ended) return;
		if (this.block === null) this.block = this.outbox.take();
		if (this.block === null) return;
		this.refused = false;
		this.sendBatch(this.proven ? AT_ONCE : 1);
	}

	sendBatch(most) {
		const block = this.block, socket = this.socket;
		let at = block.offset, sent = 0;
		const batch = [];
		for (let line; sent < most && (line = block.line(at)) !== null; sent++, at += line.length + 1) batch.push(line);
		this.flying = batch.length;
		const failures = [];
		batch.forEach((line, index) => socket.send(line, (error) => {
			if (error) failures.push({ index, error });
			if (--this.flying === 0) this.batchDone(block, batch, failures);
		}));
	}

	batchDone(block, batch, failures) {
		if (this.block !== block) return;
		// What was too long is lost. What else did not go is tried again; those behind it may have gone, and are not sent twice.
		const again = failures.filter((one) => one.error.code !== 'EMSGSIZE');
		this.block = null;
		this.outbox.unsettle(failures.filter((one) => one.error.code === 'ECONNREFUSED').length);
		this.outbox.settleBut(block, batch, again.map((one) => one.index), failures.length - again.length);
		if (this.ended) return;
		if (again.length === 0 && !this.refused) {
			this.proven = true;
			this.backoff.reset();
			this.state.here();
			this.kick();
			return;
		}
		this.proven = false;
		this.failed(again.length === 0 || again[0].error.code === 'ECONNREFUSED' ? 'connection refused: nobody listens there' : again[0].error.message);
	}

	close(callback) {
		this.ended = true;
		this.backoff.cancel();
		this.drop();
		callback(0);
	}

	abandon() {
		this.close(() => {});
	}
}

module.exports = { UdpTransport, DATAGRAM_MAX };
