/* scan - chooses a kernel, and owns the index that kernels fill. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/scan.h"

#include <stdlib.h>

#include "base/text.h"
#include "envelope/scan_private.h"

static bool can_run(const struct scan_kernel *kernel)
{
#ifdef __x86_64__
	if (kernel == &scan_kernel_avx2) {
		__builtin_cpu_init();
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
		    && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul");
	}
#endif
	return kernel != NULL;
}

const struct scan_kernel *const *scan_kernels(void)
{
	static const struct scan_kernel *const built[] = {
#ifdef __x86_64__
		&scan_kernel_avx2, &scan_kernel_sse2,
#elif defined __aarch64__
		&scan_kernel_neon,
#endif
		&scan_kernel_plain, NULL,
	};
	const struct scan_kernel *const *first = built;
	while (!can_run(*first)) first++; /* only the fastest may be missing; plain always runs */
	return first;
}

bool scan_choose(struct scan *s, const char *kernel)
{
	for (const struct scan_kernel *const *k = scan_kernels(); *k; k++)
		if (strcmp((*k)->name, kernel) == 0) {
			s->kernel = *k;
			return true;
		}
	return false;
}

bool scan_init(struct scan *s)
{
	*s = (struct scan){ .kernel = scan_kernels()[0], .capacity = 4096 };
	const char *wanted = secure_getenv("METLOG_SCAN");
	if (wanted) scan_choose(s, wanted);
	s->index = malloc(s->capacity * sizeof *s->index);
	if (!s->index) return false;
	s->index[0] = 0;
	return true;
}

void scan_release(struct scan *s)
{
	free(s->index);
	s->index = NULL;
	s->capacity = s->count = 0;
}

uint32_t *scan_grow(struct scan *s, uint32_t *out)
{
	size_t used = (size_t)(out - s->index), capacity = s->capacity * 2;
	uint32_t *index = realloc(s->index, capacity * sizeof *index);
	if (!index) return NULL;
	s->index = index;
	s->capacity = capacity;
	return index + used;
}

size_t scan_without_memory(struct scan *s, const char *start, const char *end)
{
	const char *newline = memchr(start, '\n', (size_t)(end - start));
	size_t length = newline ? (size_t)(newline - start) : (size_t)(end - start);
	s->flags = SCAN_NO_MEMORY;
	s->count = 1;
	for (int i = 0; i < SCAN_SENTINELS; i++) s->index[i] = (uint32_t)length;
	return length;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool scan_escape_is_good(const char *behind)
{
	switch (*behind) {
	case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
		return true;
	case 'u':
		return is_hex(behind[1]) && is_hex(behind[2]) && is_hex(behind[3]) && is_hex(behind[4]);
	default:
		return false;
	}
}

bool scan_utf8_valid(const char *text, size_t length)
{
	const char *end = text + length;
	while (text < end) {
		uint64_t eight;
		uint32_t codepoint;
		if (end - text >= 8 && (memcpy(&eight, text, 8), (eight & UINT64_C(0x8080808080808080)) == 0)) {
			text += 8;
			continue;
		}
		size_t taken = text_decode_utf8(span_between(text, end), &codepoint);
		if (taken == 0) return false;
		text += taken;
	}
	return true;
}
