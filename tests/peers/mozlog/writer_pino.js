// writer_pino - what a Node.js program logs through pino, for pino-mozlog to turn into MozLog: its levels, errors, children, nested values.
// SPDX-License-Identifier: MPL-2.0
'use strict';

const pino = require('pino');
// pino-mozlog takes the time for nanoseconds; this is how a program makes it so.
const log = pino({ name: 'amo', level: 'trace', timestamp: () => `,"time":${Date.now()}000000` }, pino.destination({ dest: 1, sync: true }));

log.fatal({ errno: 28 }, 'disk full');
log.error(new Error('boom'));
log.warn({ ms: 12.5, tiny: 1e-7, zero: -0 }, 'slow');
log.info({ url: '/api/v5/', user: { id: 7, roles: ['a', 'b'], manager: null }, nothing: null }, 'GET 🔥 café \u2028 "q" \\ \n');
log.debug({ list: [1, 2, 3], mixed: [1, 'a', null], lists: [[1], [2]], empty: {}, none: [] }, 'arrays');
log.trace('tick');
log.info({ big: 9007199254740993n }, 'big');
log.info('a bare string');
log.info({ msg: 7 });
log.info({ only: 'fields' });
log.child({ rid: 'r-1', method: 'GET' }).info({ t: 11, code: 200, remoteAddressChain: ['192.0.2.1'] }, 'request.summary');
log.info({ half: '\ud83d', 'dotted.name': 1, Dotted_Name: 2 }, 'odd');
