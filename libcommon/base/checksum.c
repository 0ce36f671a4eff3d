/* checksum - the state of XXH3 wants an alignment of 64 bytes, which is all there is to this. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/checksum.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#define XXH_INLINE_ALL /* as in table.c: no shared library for one function */
#include <xxhash.h>

struct checksum {
	XXH3_state_t state;
};

struct checksum *checksum_new(void)
{
	struct checksum *c = aligned_alloc(_Alignof(struct checksum), sizeof *c); /* malloc's memory is aligned to 16 only */
	if (c) checksum_reset(c);
	return c;
}

void checksum_free(struct checksum *c)
{
	free(c);
}

void checksum_reset(struct checksum *c)
{
	XXH3_INITSTATE(&c->state);
	XXH3_64bits_reset(&c->state);
}

void checksum_add(struct checksum *c, struct span bytes)
{
	if (bytes.length) XXH3_64bits_update(&c->state, bytes.data, bytes.length);
}

uint64_t checksum_value(const struct checksum *c)
{
	return XXH3_64bits_digest(&c->state);
}

uint64_t checksum_of(struct span bytes)
{
	return XXH3_64bits(bytes.length ? bytes.data : "", bytes.length);
}

struct checksum_wide checksum_value_wide(const struct checksum *c)
{
	XXH128_hash_t value = XXH3_128bits_digest(&c->state); /* of a state made for 64 bits: xxhash.h has one state, and one way to fill it */
	return (struct checksum_wide){ value.high64, value.low64 };
}

void checksum_print_wide(char out[CHECKSUM_WIDE_MAX], struct checksum_wide value)
{
	snprintf(out, CHECKSUM_WIDE_MAX, "%016" PRIx64 "%016" PRIx64, value.high, value.low);
}

static bool parse_half(const char *digits, uint64_t *value)
{
	*value = 0;
	for (int i = 0; i < 16; i++) {
		int c = digits[i], digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (digit < 0) return false;
		*value = *value << 4 | (unsigned)digit;
	}
	return true;
}

bool checksum_parse_wide(struct span text, struct checksum_wide *value)
{
	return text.length == 32 && parse_half(text.data, &value->high) && parse_half(text.data + 16, &value->low);
}
