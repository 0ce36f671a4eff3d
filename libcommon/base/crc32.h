/* crc32 - CRC-32 with the polynomial of Castagnoli (CRC32C) or of zlib, eight bytes a step. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include <stdint.h>
#include "base/span.h"

/* Sources: RFC 3720 (CRC32C, with its test vectors in B.4), RFC 1952 (the other). */
enum crc32_kind { CRC32_CASTAGNOLI, CRC32_ZLIB };

struct crc32 {
	uint32_t table[8][256];      /* of the kind; made by crc32_init, so that whoever needs none pays for none */
};

void crc32_init(struct crc32 *, enum crc32_kind);

/* The CRC of `before`'s bytes and these; 0 is the CRC of no bytes. */
uint32_t crc32_add(const struct crc32 *, uint32_t before, struct span bytes);

#endif
