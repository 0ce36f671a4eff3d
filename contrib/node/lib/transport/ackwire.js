/* ackwire - the four messages of the acknowledged transport, metlog-wire(5). */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const BATCH = Buffer.from('METLOG1B'), PING = Buffer.from('METLOG1P'), ACK = Buffer.from('METLOG1A'), REJECTED = Buffer.from('METLOG1R');

function sequence(number) {
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64BE(BigInt(number));
	return bytes;
}

function batch(sender, first, lines) {
	return [BATCH, sender, sequence(first), lines];
}

function ping(sender) {
	return [PING, sender];
}

/* {kind: 'ack' | 'rejected', sequence, reason}; null: a message that is ignored. */
function read(parts) {
	const isAck = parts.length === 2 && parts[0].equals(ACK), isRejected = parts.length === 3 && parts[0].equals(REJECTED);
	if (!(isAck || isRejected) || parts[1].length !== 8) return null;
	const number = Number(parts[1].readBigUInt64BE());
	return isAck ? { kind: 'ack', sequence: number } : { kind: 'rejected', sequence: number, reason: parts[2].toString('utf8', 0, 200) };
}

module.exports = { batch, ping, read };
