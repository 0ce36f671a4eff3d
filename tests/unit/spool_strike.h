/* spool_strike - system calls of the spool that crash or fail when a unit test says so. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_SPOOL_STRIKE_H
#define TESTS_UNIT_SPOOL_STRIKE_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* The linker sends these calls of the spool here first (--wrap). */
enum call { CALL_WRITE, CALL_FDATASYNC, CALL_FSYNC, CALL_FTRUNCATE, CALL_RENAMEAT, CALL_OPENAT, CALL_UNLINKAT, CALL_COUNT };

static struct {
	bool armed;
	unsigned seen[CALL_COUNT], seen_all;
	unsigned crash_at;             /* of all calls; 0: none */
	enum call fail;
	unsigned fail_at;              /* of that call; 0: none */
	bool fail_on;                  /* all later ones too */
	int error;
	bool failed;                   /* it has */
	unsigned syncs_after;          /* fsyncs since */
	size_t rewritten;              /* bytes by pwrite */
	int rewrite_error;             /* of each pwrite; 0: none */
} fault;

static void arm(void)
{
	memset(&fault, 0, sizeof fault);
	fault.armed = true;
}

/* True if this call is to fail, with errno set. */
static bool struck(enum call call)
{
	if (!fault.armed) return false;
	fault.seen_all++;
	fault.seen[call]++;
	if (fault.crash_at == fault.seen_all) _exit(99);
	if (fault.failed && (call == CALL_FSYNC || call == CALL_FDATASYNC)) fault.syncs_after++;
	if (!fault.fail_at || call != fault.fail || (fault.seen[call] != fault.fail_at && !(fault.fail_on && fault.failed))) return false;
	fault.failed = true;
	errno = fault.error;
	return true;
}

ssize_t __real_write(int fd, const void *data, size_t length);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_ftruncate(int fd, off_t length);
int __real_renameat(int old_fd, const char *old, int new_fd, const char *new);
int __real_openat(int fd, const char *name, int flags, ...);
int __real_unlinkat(int fd, const char *name, int flags);
ssize_t __wrap_write(int fd, const void *data, size_t length);
ssize_t __real_pwrite(int fd, const void *data, size_t length, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_ftruncate(int fd, off_t length);
int __wrap_renameat(int old_fd, const char *old, int new_fd, const char *new);
int __wrap_openat(int fd, const char *name, int flags, ...);
int __wrap_unlinkat(int fd, const char *name, int flags);

/* A full disk takes a part of what is written first. */
ssize_t __wrap_write(int fd, const void *data, size_t length)
{
	bool was = fault.failed;
	if (fd == STDERR_FILENO || !struck(CALL_WRITE)) return __real_write(fd, data, length);
	if (was || (fault.error != ENOSPC && fault.error != EDQUOT) || length < 2) return -1;
	fault.fail_at++; /* the next one is the error */
	return __real_write(fd, data, length - length / 3);
}

/* Not counted as a call: it writes what is there already. */
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t at)
{
	fault.rewritten += length;
	if (fault.rewrite_error) return errno = fault.rewrite_error, -1;
	return __real_pwrite(fd, data, length, at);
}

int __wrap_fdatasync(int fd)
{
	return struck(CALL_FDATASYNC) ? -1 : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
	return struck(CALL_FSYNC) ? -1 : __real_fsync(fd);
}

int __wrap_ftruncate(int fd, off_t length)
{
	return struck(CALL_FTRUNCATE) ? -1 : __real_ftruncate(fd, length);
}

int __wrap_renameat(int old_fd, const char *old, int new_fd, const char *new)
{
	return struck(CALL_RENAMEAT) ? -1 : __real_renameat(old_fd, old, new_fd, new);
}

int __wrap_openat(int fd, const char *name, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return struck(CALL_OPENAT) ? -1 : __real_openat(fd, name, flags, mode);
}

int __wrap_unlinkat(int fd, const char *name, int flags)
{
	return struck(CALL_UNLINKAT) ? -1 : __real_unlinkat(fd, name, flags);
}

#endif
