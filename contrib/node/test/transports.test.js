/* transports - tcp:, udp: and unix: into a real metlog-recv. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

const { missing } = require('./receiver.js');
const { absenceCases, transportCases } = require('./transport_cases.js');

for (const kind of ['tcp', 'udp', 'unix']) transportCases(kind, missing);
for (const kind of ['tcp', 'unix']) absenceCases(kind, missing);
