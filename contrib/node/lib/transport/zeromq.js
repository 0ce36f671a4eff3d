/* zeromq - push: and pub:. push: has several envelopes in a message, one a line; pub: one, as the original clients have it. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const { MetlogError, STATUS } = require('../fault.js');
const { Backoff } = require('./backoff.js');
const { SocketMaker, closeWritten, lasting } = require('./socket.js');

// What libzmq holds is lost with a connection, so it holds little: messages of at most 64 KiB of push:, envelopes of pub:.
const PUSH_QUEUE = 16;
const PUB_QUEUE = 1000;

class ZeromqTransport {
	constructor(endpoint, options, outbox, state) {
		this.isPub = endpoint.kind === 'pub';
		this.outbox = outbox;
		this.state = state;
		// A poll costs next to nothing while there is something to send, and nothing while there is not.
		this.backoff = new Backoff(1, 50);
		this.busy = false;
		this.ended = false;
		this.opened = false;
		this.silent = 0;
		this.subscriptions = 0;
		this.recent = [];        // how many envelopes were in the last messages, as many as may be with libzmq still
		this.maker = this.isPub ? new SocketMaker(endpoint, options, 'XPublisher', { sendHighWaterMark: PUB_QUEUE, noDrop: true, receiveTimeout: 0 })
			: new SocketMaker(endpoint, options, 'Push', { sendHighWaterMark: PUSH_QUEUE });
		this.queue = this.isPub ? PUB_QUEUE : PUSH_QUEUE;
		this.socket = this.maker.make();
		this.open(endpoint);
	}

	open(endpoint) {
		const opened = () => {
			this.opened = true;
			this.kick();
		};
		if (endpoint.binds) {
			this.maker.open(this.socket).then(opened, (error) => this.state.away(`cannot listen: ${error.message}`));
			return;
		}
		try {
			this.socket.connect(endpoint.address);
		} catch (error) {
			throw new MetlogError(`${endpoint.text}: ${error.message}`, STATUS.configuration, error);
		}
		this.opened = true;
	}

	kick() {
		if (!this.opened || this.busy || this.ended || this.backoff.isWaiting) return;
		this.busy = true;
		this.run().catch(() => true).then((again) => {
			this.busy = false;
			if (again && !this.ended) this.backoff.wait(() => this.kick());
			else if (!this.outbox.isTaken) this.kick();
		});
	}

	/* True: the far side takes nothing now, and it is to be tried again. */
	async run() {
		for (let block; !this.ended && (block = this.outbox.take()) !== null;) {
			const done = this.isPub ? await this.publish(block) : await this.push(block);
			if (!done) {
				this.outbox.giveBack(block);
				return true;
			}
		}
		return false;
	}

	async push(block) {
		const rest = block.offset ? block.data.subarray(block.offset) : block.data;
		// The newline behind the last one is left out: so a message of one envelope is the envelope.
		if (!(await this.send(rest.subarray(0, rest.length - 1)))) return false;
		const count = block.count - block.done;
		this.remember(count);
		this.outbox.settle(block, count, -1);
		return true;
	}

	async publish(block) {
		for (let line; (line = block.line()) !== null;) {
			await this.lookSubscriptions();
			if (this.subscriptions === 0) {
				this.refused('nobody subscribes');
				return false;
			}
			if (this.ended || !(await this.send(line))) return false;
			this.remember(1);
			this.outbox.settle(block, 1, line.length + 1);
		}
		return true;
	}

	async lookSubscriptions() {
		while (!this.ended && this.socket.readable) {
			let message;
			try { [message] = await this.socket.receive(); } catch { return; }
			if (message.length > 0) this.subscriptions += message[0] === 1 ? 1 : this.subscriptions > 0 ? -1 : 0;
		}
	}

	async send(bytes) {
		try {
			await this.socket.send(lasting(bytes));
		} catch (error) {
			this.refused(error.code === 'EAGAIN' ? (this.isPub ? 'a subscriber does not read' : 'nobody is connected, or the far side does not read') : error.message);
			return false;
		}
		this.silent = 0;
		this.backoff.reset();
		this.state.here();
		return true;
	}

	/* A queue that is full for a moment is nothing to speak of. */
	refused(reason) {
		if (this.ended) return;
		if (++this.silent > 5) this.state.away(reason);
	}

	remember(count) {
		this.recent.push(count);
		if (this.recent.length > this.queue) this.recent.shift();
	}

	async closeAsync() {
		if (this.recent.length === 0) {
			this.socket.close();
			return 0;
		}
		const whole = await closeWritten(this.socket, this.maker.options.linger);
		return whole ? 0 : this.recent.reduce((sum, count) => sum + count, 0);
	}

	close(callback) {
		this.ended = true;
		this.backoff.cancel();
		this.closeAsync().then(callback, () => callback(0));
	}

	/* Also when a close takes too long: what libzmq has then may come through or not. */
	abandon() {
		this.ended = true;
		this.backoff.cancel();
		const inside = this.recent.reduce((sum, count) => sum + count, 0);
		try {
			if (!this.socket.closed) {
				this.socket.linger = 0;
				this.socket.close();
			}
		} catch { /* it is closed already */ }
		return inside;
	}
}

module.exports = { ZeromqTransport };
