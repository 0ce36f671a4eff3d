/* scan_private - what scan.c and the kernels share. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_SCAN_PRIVATE_H
#define ENVELOPE_SCAN_PRIVATE_H

#include "envelope/scan.h"

enum {
	SCAN_SENTINELS = 4,        /* how often the newline's offset stands at the end of an index */
	SCAN_INDEX_SLACK = 64 + 8 + SCAN_SENTINELS, /* a block's entries, what emit writes too far, the sentinels */
};

uint32_t *scan_grow(struct scan *, uint32_t *out);  /* the new place of `out`; NULL without memory */
size_t scan_without_memory(struct scan *, const char *start, const char *end);

bool scan_utf8_valid(const char *text, size_t length); /* without vectors */

extern const struct scan_kernel scan_kernel_plain, scan_kernel_sse2, scan_kernel_avx2, scan_kernel_neon;

#endif
