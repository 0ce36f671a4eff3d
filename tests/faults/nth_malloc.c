/* nth_malloc - preloaded, lets the FAIL_NTH-th allocation that the program itself makes fail; those of its libraries are left alone. */
/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static uintptr_t code_begin, code_end;
static long nth;
static atomic_long calls;

/* The first object is the program. */
static int find_code(struct dl_phdr_info *object, size_t size, void *context)
{
	(void)size, (void)context;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		if (object->dlpi_phdr[i].p_type != PT_LOAD || !(object->dlpi_phdr[i].p_flags & PF_X)) continue;
		code_begin = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
		code_end = code_begin + object->dlpi_phdr[i].p_memsz;
	}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("FAIL_NTH");
	nth = text ? strtol(text, NULL, 10) : 0;
	dl_iterate_phdr(find_code, NULL);
}

static int fails(const void *caller)
{
	uintptr_t at = (uintptr_t)caller;
	if (at < code_begin || at >= code_end || atomic_fetch_add(&calls, 1) + 1 != nth) return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}
