/* outbox - what was taken and is not handed over: lines of this turn, then blocks of bytes that transports take, and the books about both. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

// One write's worth, one message of push: and one batch of ack: (metlog-wire(5)); a longer line goes alone.
const BLOCK_BYTES = 64 * 1024;
const NEWLINE = Buffer.from('\n');

/* lines of `data`, each with its newline; the first `done` lines are handed over, and `offset` is where the next one begins. `report` is the index of a line that
 * was no call, or -1. */
class Block {
	constructor(data, count, report) {
		this.data = data;
		this.count = count;
		this.report = report;
		this.done = 0;
		this.offset = 0;
	}

	/* The bytes of the next line, without its newline; null: no more. It has to be settled before the one behind it is asked for. */
	line(at = this.offset) {
		return at < this.data.length ? this.data.subarray(at, this.data.indexOf(10, at)) : null;
	}
}

class Outbox {
	constructor(limit) {
		this.limit = limit;
		this.lines = [];
		this.chars = 0;
		this.blocks = [];
		this.bytes = 0;          // of all blocks, those that a transport has taken and not settled too
		this.entered = 0;        // lines, ever
		this.settled = 0;        // of them, handed over or lost
		this.sent = 0;           // calls alone: reports of drops are none
		this.report = null;      // the one that is on its way
		this.waiters = [];
		this.onProgress = null;  // called when something was settled
	}

	/* Until they are blocks, lines are counted in characters. */
	hasRoom(length) {
		return this.bytes + this.chars + length + 1 <= this.limit;
	}

	/* True if this line is the first of its turn. */
	push(line) {
		const length = line.length + 1;
		if (this.chars + length > BLOCK_BYTES && this.chars > 0) this.seal();
		this.chars += length;
		this.entered++;
		return this.lines.push(line) === 1;
	}

	pushReport(line) {
		this.report = line;
		return this.push(line);
	}

	get isHalfEmpty() { return this.bytes + this.chars <= this.limit / 2; }
	get isTaken() { return this.blocks.length === 0 && this.lines.length === 0; }
	get isEmpty() { return this.entered === this.settled; }

	seal() {
		const lines = this.lines;
		if (lines.length === 0) return;
		this.lines = [];
		this.chars = 0;
		this.sealLines(lines);
	}

	sealLines(lines) {
		const data = Buffer.from(lines.join('\n') + '\n');
		// Text beyond ASCII has more bytes than characters.
		if (data.length > BLOCK_BYTES && lines.length > 1) {
			const half = lines.length >> 1;
			this.sealLines(lines.slice(0, half));
			this.sealLines(lines.slice(half));
			return;
		}
		this.bytes += data.length;
		this.blocks.push(new Block(data, lines.length, this.report === null ? -1 : lines.indexOf(this.report)));
	}

	/* For transports: the next block, or null. It stays in the books until all of it is settled. */
	take() {
		if (this.blocks.length === 0) this.seal();
		return this.blocks.length === 0 ? null : this.blocks.shift();
	}

	giveBack(block) {
		if (block.done < block.count) this.blocks.unshift(block);
	}

	/* The next `count` lines of the block, `bytes` long with their newlines (-1: to its end), are handed over, or lost. */
	settle(block, count, bytes, lost = false) {
		const before = block.done;
		block.done += count;
		block.offset = bytes < 0 ? block.data.length : block.offset + bytes;
		this.settled += count;
		const hasReport = block.report >= before && block.report < block.done;
		if (hasReport) this.report = null;
		if (!lost) this.sent += count - (hasReport ? 1 : 0);
		if (block.done === block.count) this.bytes -= block.data.length;
		this.progressed();
	}

	/* The next lines of the block, `batch`, are handed over but for `lost` of them; those with the indices in `again` stay, before all others. The block is given back. */
	settleBut(block, batch, again, lost) {
		const reportAt = block.report - block.done, went = batch.length - again.length;
		const reportWent = block.report >= 0 && reportAt < batch.length && !again.includes(reportAt);
		block.done += batch.length;
		block.offset += batch.reduce((sum, line) => sum + line.length + 1, 0);
		if (block.done === block.count) this.bytes -= block.data.length;
		this.giveBack(block);
		if (again.length > 0) {
			const data = Buffer.concat(again.flatMap((index) => [batch[index], NEWLINE]));
			this.bytes += data.length;
			this.blocks.unshift(new Block(data, again.length, block.report >= 0 ? again.indexOf(reportAt) : -1));
		}
		if (reportWent) this.report = null;
		this.settled += went;
		this.sent += went - lost - (reportWent ? 1 : 0);
		this.progressed();
	}

	/* What was handed over so many calls ago turned out not to be. */
	unsettle(count) {
		this.sent -= Math.min(count, this.sent);
	}

	progressed() {
		if (this.waiters.length) this.wake();
		if (this.onProgress !== null && this.isHalfEmpty) this.onProgress();
	}

	/* Calls back, with true, once everything that has entered is settled, or, with false, once that will never be; what it returns ends the wait. */
	wait(callback) {
		const waiter = { target: this.entered, callback };
		this.waiters.push(waiter);
		return () => {
			const at = this.waiters.indexOf(waiter);
			if (at >= 0) this.waiters.splice(at, 1);
		};
	}

	wake() {
		const ready = this.waiters.filter((waiter) => waiter.target <= this.settled);
		if (ready.length === 0) return;
		this.waiters = this.waiters.filter((waiter) => waiter.target > this.settled);
		for (const waiter of ready) waiter.callback(true);
	}

	/* Nothing more will be settled. */
	giveUp() {
		for (const waiter of this.waiters.splice(0)) waiter.callback(false);
	}
}

module.exports = { BLOCK_BYTES, Outbox };
