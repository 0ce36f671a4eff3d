// writer_npm - what a Node.js program logs through npm's mozlog: operations, errors, nested values.
// SPDX-License-Identifier: MPL-2.0
'use strict';

const mozlog = require('mozlog')({ app: 'fxa-oauth-server', level: 'verbose', uncaught: 'ignore' });
const log = mozlog('routes.client.register');

log.critical('disk', { errno: 28, path: '/var' });
log.error('failed', new Error('boom'));
log.error('failed.inside', { err: new TypeError('inner'), id: 'a1' });
log.warn('slow', { msg: 'took too long', ms: 12.5 });
log.info('created', { client: { id: 7, name: 'x' }, scopes: ['a', 'b'], nothing: null, yes: true });
log.debug('bytes', { big: 9007199254740993, tiny: 1e-7, text: 'café \u2028 🔥 "q" \\ \n' });
log.verbose('tick');
log.info('a bare string');
log.info('summary', { agent: 'curl', method: 'GET', path: '/', t: 11, code: 200, remoteAddressChain: ['192.0.2.1'] });
log.info('half', { half: '\ud83d', 'dotted.name': 1, Dotted_Name: 2 });
mozlog('request.summary').info('summary', { uid: '00', rid: 'r-1', lang: 'de', errno: 0 });
