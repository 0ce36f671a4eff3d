/* ack - ack:, which holds every envelope until the far side has said that it keeps it, metlog-wire(5). */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const crypto = require('crypto');
const { MetlogError, STATUS } = require('../fault.js');
const wire = require('./ackwire.js');
const { Backoff } = require('./backoff.js');
const { SocketMaker, lasting } = require('./socket.js');

// WINDOW: taken from the outbox at most. PING, UNANSWERED: with something outstanding and silence for PING_MS a ping is sent, and after so many without a word
// the connection is given up for a new one; each time that fails, the patience doubles. ANSWER: without news, everything is sent again after so long, doubling.
const WINDOW_BYTES = 4 * 2 ** 20, QUEUED = 64, MESSAGE_MAX = 64 * 1024;
const PING_MS = 1000, PING_MAX_MS = 16 * PING_MS, UNANSWERED = 3, ANSWER_MS = 1000, ANSWER_MAX_MS = 10000;

class AckTransport {
	constructor(endpoint, options, outbox, state) {
		this.endpoint = endpoint;
		this.outbox = outbox;
		this.state = state;
		this.poll = new Backoff(1, 20);
		this.maker = new SocketMaker(endpoint, options, 'Dealer', { sendHighWaterMark: QUEUED, receiveTimeout: 0, maxMessageSize: MESSAGE_MAX });
		this.name = crypto.randomBytes(16);
		this.window = [];        // {block, first}: what is taken and not acknowledged, in order
		this.windowBytes = 0;
		this.sentEntries = 0;    // of these, on this connection, since we last went back
		this.next = 1;
		this.acknowledged = 0;
		this.highest = 0;        // that was ever sent
		this.told = 0;           // by the last ACK
		this.careful = false;    // after going back: one batch alone, until an acknowledgement moves
		this.repeats = false;    // what was sent up to `twice` is under way a second time, and will be acknowledged twice
		this.twice = 0;
		this.rejected = 0;
		this.pinged = false;
		this.unanswered = 0;
		this.pingMs = PING_MS;
		this.answerMs = ANSWER_MS;
		this.heardAt = this.movedAt = this.pingedAt = 0;
		this.busy = false;
		this.ended = false;
		this.connect();
	}

	connect() {
		const socket = this.maker.make();
		try {
			socket.connect(this.endpoint.address);
		} catch (error) {
			socket.close();
			throw new MetlogError(`${this.endpoint.text}: ${error.message}`, STATUS.configuration, error);
		}
		this.socket = socket;
	}

	kick() {
		if (this.busy || this.ended) return;
		this.busy = true;
		this.poll.cancel();
		this.turn().catch(() => {}).then(() => {
			this.busy = false;
			if (this.ended || this.window.length === 0) {
				if (!this.ended && !this.outbox.isTaken) this.kick();
				return;
			}
			this.lookAgain();
		});
	}

	/* While something is outstanding. */
	lookAgain() {
		this.poll.wait(() => {
			this.busy = true;
			const before = this.heardAt;
			this.turn().catch(() => {}).then(() => {
				this.busy = false;
				if (this.heardAt !== before) this.poll.reset();
				if (this.ended) return;
				if (this.window.length > 0) this.lookAgain();
				else if (!this.outbox.isTaken) this.kick();
			});
		});
	}

	async turn() {
		await this.listen();
		if (this.sentEntries > 0) {
			this.watchAnswer(Date.now());
			await this.watchSilence(Date.now());
		}
		await this.speak();
		await this.listen();
	}

	// --- what the far side says ---

	async listen() {
		while (!this.ended && this.socket.readable) {
			let parts;
			try { parts = await this.socket.receive(); } catch { return; }
			this.heardAt = Date.now();
			this.unanswered = 0;
			this.pingMs = PING_MS;
			const said = wire.read(parts);
			if (said !== null && said.kind === 'ack') this.takeAck(said.sequence);
			if (said !== null && said.kind === 'rejected') this.takeRejected(said);
		}
	}

	takeAck(number) {
		const asked = this.pinged;
		this.told = number;
		this.pinged = false;
		if (number > this.highest) {
			this.state.warn(`acknowledges envelope ${number}, but only ${this.highest} were sent`);
			return;
		}
		if (number > this.acknowledged) {
			this.settle(number);
			this.movedAt = Date.now();
			this.answerMs = ANSWER_MS;
			this.careful = false;
			this.repeats = this.repeats && number <= this.twice;
			this.state.here();
		} else if (this.sentEntries > 0 && !asked && !this.repeats) {
			// Nobody asked, and it says nothing new: what was sent did not fit behind what it has.
			this.goBack();
		}
	}

	settle(number) {
		while (this.acknowledged < number) {
			const { block } = this.window[0];
			const count = Math.min(number - this.acknowledged, block.count - block.done);
			const isWhole = count === block.count - block.done;
			this.acknowledged += count;
			this.outbox.settle(block, count, isWhole ? -1 : lengthOf(block, count));
			if (!isWhole) return;
			this.window.shift();
			this.windowBytes -= block.data.length;
			if (this.sentEntries > 0) this.sentEntries--;
		}
	}

	takeRejected({ sequence, reason }) {
		if (sequence <= this.rejected || sequence > this.highest) return;
		this.rejected = sequence;
		this.state.warn(`the far side rejects an envelope: ${reason}`);
	}

	// --- what we say ---

	fill() {
		while (this.windowBytes < WINDOW_BYTES) {
			const block = this.outbox.take();
			if (block === null) return;
			this.window.push({ block });
			this.windowBytes += block.data.length;
		}
	}

	async speak() {
		this.fill();
		while (!this.ended && this.sentEntries < this.window.length) {
			if (this.careful && this.sentEntries > 0) return;
			const { block } = this.window[this.sentEntries];
			const first = this.firstOf(this.sentEntries);
			try {
				await this.socket.send(wire.batch(this.name, first, lasting(block.data.subarray(block.offset))));
			} catch (error) {
				this.state.away(error.code === 'EAGAIN' ? 'nobody is connected, or the far side does not read' : error.message);
				return;
			}
			if (this.sentEntries++ === 0) this.movedAt = this.heardAt = Date.now();
			this.highest = Math.max(this.highest, first + block.count - block.done - 1);
			this.fill();
		}
	}

	firstOf(index) {
		let number = this.acknowledged + 1;
		for (let i = 0; i < index; i++) number += this.window[i].block.count - this.window[i].block.done;
		return number;
	}

	/* Everything that is not acknowledged is sent again, but carefully: if the far side does not take it now either, one batch is enough to know. */
	goBack() {
		if (this.sentEntries > 0) {
			this.repeats = true;
			this.twice = this.highest;
		}
		this.sentEntries = 0;
		this.careful = true;
		this.movedAt = Date.now();
	}

	watchAnswer(now) {
		if (now - this.movedAt < this.answerMs) return;
		this.state.away('the far side has not acknowledged');
		// It knows less of this sender than it once acknowledged, and going back has not helped: nothing will ever fit, for what it does not know is settled and
		// gone from here. (0 is well: it knows nothing, and takes what comes.)
		if (this.told > 0 && this.told < this.acknowledged && this.answerMs > ANSWER_MS) {
			this.state.warn(`has forgotten envelopes that it had acknowledged (${this.told} of ${this.acknowledged}): going on under another name`);
			this.name = crypto.randomBytes(16);
			this.told = 0;
		}
		this.goBack();
		this.answerMs = Math.min(this.answerMs * 2, ANSWER_MAX_MS);
	}

	async watchSilence(now) {
		if (now < (this.unanswered > 0 ? this.pingedAt : this.heardAt) + this.pingMs) return;
		if (this.unanswered === UNANSWERED) {
			this.connectAnew();
			return;
		}
		try { await this.socket.send(wire.ping(this.name)); } catch { /* the queue is full, which says as much */ }
		this.pinged = true;
		this.pingedAt = now;
		this.unanswered++;
	}

	/* A fresh socket, so that nothing old is queued in it. */
	connectAnew() {
		const old = this.socket;
		try {
			this.connect();
			old.linger = 0;
			old.close();
		} catch { /* the old one stays until the next attempt */ }
		this.pingMs = Math.min(this.pingMs * 2, PING_MAX_MS);
		this.unanswered = 0;
		this.pinged = this.repeats = false;
		this.sentEntries = 0;
		this.careful = true;
		this.heardAt = this.movedAt = Date.now();
	}

	// --- the end ---

	close(callback) {
		this.abandon();
		callback(0);
	}

	abandon() {
		this.ended = true;
		this.poll.cancel();
		try {
			this.socket.linger = 0;
			this.socket.close();
		} catch { /* it is closed already */ }
		return 0;
	}
}

/* The bytes of the next `count` lines of a block. */
function lengthOf(block, count) {
	let at = block.offset;
	for (; count > 0; count--) at = block.data.indexOf(10, at) + 1;
	return at - block.offset;
}

module.exports = { AckTransport };
