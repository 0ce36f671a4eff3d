/* scan_private - what scan.c and the kernels share. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_SCAN_PRIVATE_H
#define ENVELOPE_SCAN_PRIVATE_H

#include "envelope/scan.h"

enum {
	SCAN_SENTINELS = 4,        /* how often the newline's offset stands at the end of an index */
	SCAN_INDEX_SLACK = 64 + 8 + SCAN_SENTINELS, /* a block's entries, what append_positions writes too far, the sentinels */
};

uint32_t *scan_grow(struct scan *, uint32_t *out);  /* the new place of `out`; NULL without memory */
size_t scan_without_memory(struct scan *, const char *start, const char *end);

/* What scan_index.h asks of a kernel, for kernels that have nothing better. */
bool scan_utf8_valid(const char *text, size_t length);

static inline uint64_t scan_prefix_xor(uint64_t bits)
{
	for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
	return bits;
}

static inline uint32_t *scan_append_positions(uint32_t *out, uint64_t bits, uint32_t base)
{
	for (; bits; bits &= bits - 1) *out++ = base + (uint32_t)__builtin_ctzll(bits);
	return out;
}

extern const struct scan_kernel scan_kernel_plain, scan_kernel_sse2, scan_kernel_avx2, scan_kernel_neon;

#endif
