/* crc32 - eight tables ("slicing by 8"): some 2 GB/s, which is more than a network or a disk brings. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/crc32.h"

#include <endian.h>

void crc32_init(struct crc32 *c, enum crc32_kind kind)
{
	const uint32_t polynomial = kind == CRC32_CASTAGNOLI ? 0x82f63b78 : 0xedb88320; /* bit-reversed */
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;
		for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ (value & 1 ? polynomial : 0);
		c->table[0][i] = value;
	}
	for (uint32_t i = 0; i < 256; i++) {
		for (int slice = 1; slice < 8; slice++) {
			uint32_t last = c->table[slice - 1][i];
			c->table[slice][i] = (last >> 8) ^ c->table[0][last & 0xff];
		}
	}
}

uint32_t crc32_add(const struct crc32 *c, uint32_t before, struct span bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.data;
	size_t left = bytes.length;
	uint32_t crc = ~before;
	for (; left >= 8; at += 8, left -= 8) {
		uint32_t low, high;
		memcpy(&low, at, 4);
		memcpy(&high, at + 4, 4);
		low = le32toh(low) ^ crc;
		high = le32toh(high);
		crc = c->table[7][low & 0xff] ^ c->table[6][low >> 8 & 0xff] ^ c->table[5][low >> 16 & 0xff] ^ c->table[4][low >> 24] ^
			c->table[3][high & 0xff] ^ c->table[2][high >> 8 & 0xff] ^ c->table[1][high >> 16 & 0xff] ^ c->table[0][high >> 24];
	}
	for (; left; at++, left--) crc = (crc >> 8) ^ c->table[0][(crc ^ *at) & 0xff];
	return ~crc;
}
