/* index - the transport that an endpoint asks for. */
/* SPDX-License-Identifier: MPL-2.0 */
/* A transport has
 *   kick()           there may be something to take from the outbox
 *   close(callback)  everything is settled: end the connection; calls back, once, with how many calls may not have come through after all
 *   abandon()        end it, whatever is under way
 * and nothing of it keeps the process alive; who waits does. It tells `state` what becomes of the far side: here(), away(reason), warn(text). */
'use strict';

const { FileTransport } = require('./file.js');
const { StreamTransport } = require('./stream.js');
const { UdpTransport } = require('./udp.js');

function openTransport(endpoint, options, outbox, state) {
	switch (endpoint.kind) {
	case '-':
	case 'file':
		return new FileTransport(endpoint, options, outbox, state);
	case 'tcp':
	case 'unix':
		return new StreamTransport(endpoint, options, outbox, state);
	case 'udp':
		return new UdpTransport(endpoint, options, outbox, state);
	case 'ack': {
		const { AckTransport } = require('./ack.js');
		return new AckTransport(endpoint, options, outbox, state);
	}
	default: {
		const { ZeromqTransport } = require('./zeromq.js');
		return new ZeromqTransport(endpoint, options, outbox, state);
	}
	}
}

module.exports = { openTransport };
