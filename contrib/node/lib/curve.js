/* curve - files that hold CURVE keys, as metlog-recv --curve-keygen, CZMQ and pyzmq write them. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const { MetlogError, STATUS } = require('./fault.js');

const Z85 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const KEY = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/;
// What stands before the 32 bytes of an X25519 key in PKCS #8 (RFC 8410).
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

function decode(text) {
	const bytes = Buffer.alloc(32);
	for (let i = 0; i < 8; i++) {
		let value = 0;
		for (let j = 0; j < 5; j++) value = value * 85 + Z85.indexOf(text[5 * i + j]);
		if (value > 0xffffffff) throw new RangeError('no Z85');
		bytes.writeUInt32BE(value, 4 * i);
	}
	return bytes;
}

function encode(bytes) {
	let text = '';
	for (let i = 0; i < bytes.length; i += 4) {
		let value = bytes.readUInt32BE(i), part = '';
		for (let j = 0; j < 5; j++, value = Math.floor(value / 85)) part = Z85[value % 85] + part;
		text += part;
	}
	return text;
}

function publicOf(secret) {
	const key = crypto.createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, decode(secret)]), format: 'der', type: 'pkcs8' });
	return encode(Buffer.from(crypto.createPublicKey(key).export({ format: 'jwk' }).x, 'base64url'));
}

/* {named: {'public-key', 'secret-key'}, bare: [key, ...]} */
function readKeys(path) {
	let text;
	try {
		text = fs.readFileSync(path, 'utf8');
	} catch (error) {
		throw new MetlogError(`cannot read the key file ${path}: ${error.message}`, STATUS.input, error);
	}
	const named = {}, bare = [];
	for (const line of text.split('\n').map((one) => one.trim())) {
		const part = /^(public-key|secret-key)\s*=\s*"([^"]*)"$/.exec(line);
		if (part && KEY.test(part[2])) named[part[1]] = part[2];
		else if (KEY.test(line) && !line.startsWith('# ')) bare.push(line);
	}
	return { named, bare };
}

/* Of bare keys, one alone is the secret one, and of two the second. */
function readSecret(path) {
	let status;
	try { status = fs.statSync(path); } catch (error) {
		throw new MetlogError(`cannot read the key file ${path}: ${error.message}`, STATUS.input, error);
	}
	const owner = process.geteuid ? process.geteuid() : status.uid;
	if (status.uid !== owner && status.uid !== 0) throw new MetlogError(`secret key file ${path} belongs to another user`, STATUS.permission);
	if (process.platform !== 'win32' && (status.mode & 0o77) !== 0) throw new MetlogError(`secret key file ${path} is open to others (mode ${(status.mode & 0o7777).toString(8).padStart(4, '0')}): chmod 600 it`, STATUS.permission);
	const { named, bare } = readKeys(path);
	const secretKey = named['secret-key'] || bare[1] || (named['public-key'] ? undefined : bare[0]);
	if (!secretKey) throw new MetlogError(`no secret key in ${path}: expected 40 characters of Z85, or a line secret-key = "..."`);
	return { secretKey, publicKey: publicOf(secretKey) };
}

function readPublic(path) {
	const { named, bare } = readKeys(path);
	const key = named['public-key'] || bare[0];
	if (!key) throw new MetlogError(`no public key in ${path}: expected 40 characters of Z85, or a line public-key = "..."`);
	return key;
}

module.exports = { publicOf, readPublic, readSecret };
