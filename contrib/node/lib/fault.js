/* fault - the error that a client is made with in vain: a wrong option, a wrong line of a file. */
/* SPDX-License-Identifier: MPL-2.0 */
'use strict';

// As a tool of the family would exit, <sysexits.h>.
const STATUS = { usage: 64, input: 66, system: 71, create: 73, permission: 77, configuration: 78 };

class MetlogError extends Error {
	constructor(text, status = STATUS.configuration, cause) {
		super(text, cause === undefined ? undefined : { cause });
		this.name = 'MetlogError';
		this.code = 'ERR_METLOG';
		this.status = status;
	}
}

module.exports = { MetlogError, STATUS };
