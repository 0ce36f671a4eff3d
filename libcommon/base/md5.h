/* md5 - the MD5 digest, which HDFS makes its file checksums of; it protects nothing from an adversary. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_MD5_H
#define BASE_MD5_H

#include <stdint.h>
#include "base/span.h"

/* Source: RFC 1321. */
enum { MD5_BYTES = 16 };

struct md5 {
	uint32_t state[4];
	uint64_t length;             /* bytes so far */
	unsigned char block[64];     /* the last, unfinished one */
};

void md5_init(struct md5 *);
void md5_add(struct md5 *, struct span bytes);
void md5_finish(struct md5 *, unsigned char digest[MD5_BYTES]); /* no more bytes after that, but md5_init */

#endif
