/* exit - the end of the process: clients are flushed once nothing else keeps it alive. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

// An application may log at each 'beforeExit' itself; so this many times at most, for there would be no end to it.
const ROUNDS_MAX = 3;

const clients = new Set();
let rounds = 0;

function flushAll() {
	if (++rounds > ROUNDS_MAX) return;
	for (const flush of clients.values()) flush();
}

function register(flush) {
	if (clients.size === 0) process.on('beforeExit', flushAll);
	clients.add(flush);
}

function unregister(flush) {
	clients.delete(flush);
	if (clients.size === 0) process.removeListener('beforeExit', flushAll);
}

/* From then on nothing that is said may keep the process from its end. */
function isOver() {
	return rounds >= ROUNDS_MAX;
}

module.exports = { isOver, register, unregister };
