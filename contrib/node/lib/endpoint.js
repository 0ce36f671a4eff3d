/* endpoint - the grammar by which all of the family name a place: -, file:PATH, udp:HOST:PORT, push:tcp://HOST:PORT and so on; metlog(7), Endpoints. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const net = require('net');
const { MetlogError } = require('./fault.js');

const ZEROMQ = new Set(['pub', 'push', 'ack']);

function splitHost(text, starPort) {
	let host, port;
	if (text.startsWith('[')) {
		const close = text.indexOf(']');
		if (close < 0) throw new Error("'[' without ']'");
		host = text.slice(1, close);
		if (net.isIPv6(host) === false) throw new Error('not an IPv6 address between the brackets');
		if (text[close + 1] !== ':') throw new Error('a port is missing: HOST:PORT');
		port = text.slice(close + 2);
	} else {
		const colon = text.lastIndexOf(':');
		if (colon < 0) throw new Error('a port is missing: HOST:PORT');
		host = text.slice(0, colon);
		port = text.slice(colon + 1);
		if (host.includes(':')) throw new Error('an IPv6 address needs brackets: [::1]:PORT');
	}
	if (!(starPort && port === '*') && !(/^\d{1,5}$/.test(port) && Number(port) <= 65535)) throw new Error('the port is not a number from 0 to 65535');
	return { host: host || '*', port: port === '*' ? 0 : Number(port) };
}

function parseZeromq(text) {
	const mark = text[0] === '@' || text[0] === '>' ? text[0] : '';
	const address = text.slice(mark.length);
	if (address.startsWith('ipc://') && address.length > 6) return { address, binds: mark === '@', host: null };
	if (!address.startsWith('tcp://')) throw new Error('the ZeroMQ address does not begin with tcp:// or ipc://');
	// libzmq's "source;destination" form: the far side is what counts.
	const { host, port } = splitHost(address.slice(6).split(';').pop(), true);
	return { address, host, port, binds: mark === '@' || (mark === '' && host === '*') };
}

function parseKind(text) {
	if (text === '-') return { kind: '-' };
	const colon = text.indexOf(':');
	const kind = text.slice(0, Math.max(colon, 0)), rest = text.slice(colon + 1);
	switch (kind) {
	case 'file':
	case 'unix':
		if (rest === '') throw new Error('a path is missing');
		return { kind, path: rest };
	case 'udp':
	case 'tcp': {
		const { host, port } = splitHost(rest, false);
		if (host === '*' || port === 0) throw new Error('nothing can be sent to any host or port: name one');
		return { kind, host, port };
	}
	case 'pub':
	case 'push':
	case 'ack': {
		const place = parseZeromq(rest);
		if (kind === 'ack' && place.binds) throw new Error('the sender of ack: connects');
		return { kind, ...place };
	}
	default:
		throw new Error('unknown kind; known are - file: udp: tcp: unix: pub: push: ack:');
	}
}

function isLocal(host) {
	if (host === null || host === undefined || host === 'localhost') return true;
	return net.isIPv4(host) ? host.startsWith('127.') : net.isIPv6(host) && /^(0*:)*0*1$/.test(host);
}

function parseEndpoint(text) {
	if (typeof text !== 'string' || text === '') throw new MetlogError('no endpoint is given: where messages go, as push:tcp://127.0.0.1:5565');
	if (text.includes('\0')) throw new MetlogError('a NUL byte in the endpoint');
	try {
		const endpoint = parseKind(text);
		return { ...endpoint, text, isZeromq: ZEROMQ.has(endpoint.kind), isLocal: isLocal(endpoint.host) };
	} catch (error) {
		throw new MetlogError(`${text}: ${error.message}`);
	}
}

module.exports = { parseEndpoint };
