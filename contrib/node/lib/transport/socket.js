/* socket - ZeroMQ sockets from the package zeromq, which is loaded when the first endpoint asks for it, and what all kinds of them share. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const path = require('path');
const { createRequire } = require('module');
const { isMainThread } = require('worker_threads');
const { readPublic, readSecret } = require('../curve.js');
const { MetlogError, STATUS } = require('../fault.js');

function isMissing(error) {
	return error.code === 'MODULE_NOT_FOUND' && /'zeromq'/.test(error.message);
}

/* Beside this package; or, where that is a link to another place (npm install FOLDER, npm link), beside the application. */
function requireZeromq() {
	try {
		return require('zeromq');
	} catch (error) {
		if (!isMissing(error)) throw error;
		return createRequire(path.resolve(process.argv[1] || 'program'))('zeromq');
	}
}

function loadZeromq(endpoint, given) {
	if (given !== undefined && given !== null) return given;
	try {
		return requireZeromq();
	} catch (error) {
		const why = isMissing(error) ? 'ZeroMQ needs the package zeromq: npm install zeromq@6' : `the package zeromq cannot be loaded: ${error.message}`;
		throw new MetlogError(`${endpoint.text}: ${why}`, STATUS.system, error);
	}
}

/* What goes over a network goes encrypted, unless somebody has said that it need not. */
function curveOptions(zeromq, endpoint, { curveSecret, curveServer, insecure }) {
	if (curveServer === undefined) {
		if (curveSecret !== undefined) throw new MetlogError(`${endpoint.text}: curve_secret needs curve_server, the key of the far side`);
		if (!endpoint.isLocal && !insecure) throw new MetlogError(`${endpoint.text}: ZeroMQ off this host without CURVE, so anybody there may read it: give curve_server, or insecure if that is meant`);
		return {};
	}
	if (endpoint.binds) throw new MetlogError(`${endpoint.text}: an endpoint that binds would be a CURVE server, which this client is not: connect instead`);
	const pair = curveSecret === undefined ? zeromq.curveKeyPair() : readSecret(curveSecret);
	return { curveServerKey: readPublic(curveServer), curvePublicKey: pair.publicKey, curveSecretKey: pair.secretKey };
}

/* Makes sockets of one kind for one endpoint. Nothing on them ever waits, so that none of them keeps the process alive: a send or receive that cannot go on at
 * once fails with EAGAIN, and who called looks again later. `immediate`: what nobody is there to take stays with us. */
class SocketMaker {
	constructor(endpoint, options, kind, more) {
		this.endpoint = endpoint;
		this.zeromq = loadZeromq(endpoint, options.zeromq);
		this.kind = kind;
		if (typeof this.zeromq[kind] !== 'function') throw new MetlogError(`${endpoint.text}: this package zeromq has no ${kind}; version 6 is needed`, STATUS.system);
		this.options = { immediate: true, sendTimeout: 0, linger: Math.min(options.close, 5000), ...curveOptions(this.zeromq, endpoint, options), ...more };
	}

	make() {
		return new this.zeromq[this.kind]({ ...this.options });
	}

	/* Of an endpoint that is right this throws nothing but what the system has against it. */
	async open(socket) {
		if (this.endpoint.binds) await socket.bind(this.endpoint.address);
		else socket.connect(this.endpoint.address);
	}
}

/* A message as it may be sent. The package lends libzmq the memory of a Buffer, and takes it back when the thread ends that it belongs to, sent or not: what a worker thread had said last would
 * be lost, or be other bytes by then. Of a string libzmq has a copy. */
function lasting(message) {
	return isMainThread ? message : message.toString();
}

/* Resolves once libzmq has written everything that it was given and has closed its connections: with true, or false if one broke before. The socket is closed. */
async function closeWritten(socket, lingerMs) {
	let watcher;
	try {
		watcher = socket.events;
		socket.linger = lingerMs;
	} catch {
		socket.close();
		return false;
	}
	let whole = true;
	const next = watcher.receive();
	socket.close();
	for (let event = await next.catch(() => null); event && event.type !== 'end'; event = await watcher.receive().catch(() => null)) {
		if (event.type === 'disconnect') whole = false;
	}
	return whole;
}

module.exports = { SocketMaker, closeWritten, lasting };
