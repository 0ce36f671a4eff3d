/* fork_fixture - what tests of clients in a child of a fork share: a kernel that may wipe nothing, and checks in the child. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_FORK_FIXTURE_H
#define TESTS_UNIT_FORK_FIXTURE_H

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/metlog.h"

/* A kernel that does not wipe memory at a fork. The linker leads the calls here. */
static bool refuses_wipe;
int __real_madvise(void *memory, size_t length, int advice);
int __wrap_madvise(void *memory, size_t length, int advice);
int __wrap_madvise(void *memory, size_t length, int advice)
{
	if (refuses_wipe && advice == MADV_WIPEONFORK) return errno = EINVAL, -1;
	return __real_madvise(memory, length, advice);
}

/* To be called before a fork. A lock that another thread has in a sanitizer's allocator when the fork comes is never given back in the child, which would wait for it in its close. The
 * client's thread has nothing to do with that once it has answered. (Without a sanitizer the fork may come at any moment.) */
static inline void calm(struct metlog *m)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	if (metlog_flush(m, 60000)) _exit(199);
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	if (metlog_flush(m, 60000)) _exit(199);
#endif
#endif
	(void)m;
}

/* A child may not use what the test framework has: its exit status tells; one that would wait for ever is ended by a signal. */
enum { FOR_EVER_S = 120 };
#define CHECK(what) \
	do { \
		if (!(what)) _exit(__LINE__ % 200 + 1); \
	} while (0)

static void assert_child(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status) fail_msg("the child has failed at line %d + n * 200, or by signal %d", WEXITSTATUS(status) - 1, WTERMSIG(status));
}

#endif
