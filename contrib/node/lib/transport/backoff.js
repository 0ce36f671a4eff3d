/* backoff - how long to wait before the next try: at first shortly, then longer; nothing here keeps the process alive. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

class Backoff {
	constructor(firstMs, lastMs) {
		this.firstMs = firstMs;
		this.lastMs = lastMs;
		this.nextMs = firstMs;
		this.timer = null;
	}

	get isWaiting() { return this.timer !== null; }

	reset() { this.nextMs = this.firstMs; }

	wait(callback) {
		if (this.timer !== null) return;
		this.timer = setTimeout(() => {
			this.timer = null;
			callback();
		}, this.nextMs).unref();
		this.nextMs = Math.min(this.nextMs * 2, this.lastMs);
	}

	cancel() {
		clearTimeout(this.timer);
		this.timer = null;
		this.reset();
	}
}

module.exports = { Backoff };
