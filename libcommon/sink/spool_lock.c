/* spool_lock - the locks of a spool: of its one writer, and of the one who takes out. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/socket.h"

/* The holder's process id stands in the file, for the message of whoever comes second; behind it what he does, if he only recovers. On the second
 * line, who wrote to the spool last: the holder himself only once he has recovered what the one before has left. On the third, the number of the
 * next segment: numbers go on where all segments have been taken out, so that notes on the old ones are not taken for notes on new ones. */
static const char recovering[] = "recovering", writer[] = "\nwriter ", next[] = "\nnext ";
enum { TEXT_MAX = 80, STALE_MS = 2000, BUSY_MS = 50, RECOVERY_MS = 30000, LOOK_AGAIN_MS = 5 };

static int refuse(int *status, enum diag_exit with)
{
	*status = (int)with;
	return -1;
}

struct holder {
	long pid, writer;  /* 0: it cannot be told */
	uint64_t next;
	bool recovers;     /* whoever takes out holds the lock for the moment in which it seals what a crash left */
};

static struct holder read_holder(int fd)
{
	char text[TEXT_MAX] = "";
	ssize_t got = pread(fd, text, sizeof text - 1, 0);
	if (got <= 0) return (struct holder){ 0 };
	const char *last = strstr(text, writer), *number = strstr(text, next);
	return (struct holder){
		.pid = strtol(text, NULL, 10),
		.recovers = strstr(text, recovering),
		.writer = last ? strtol(last + sizeof writer - 1, NULL, 10) : 0,
		.next = number ? strtoull(number + sizeof next - 1, NULL, 10) : 0,
	};
}

static void write_holder(int fd, struct holder h)
{
	char text[TEXT_MAX];
	int length = snprintf(text, sizeof text, "%ld%s%s%s%ld%s%" PRIu64 "\n", h.pid, h.recovers ? " " : "", h.recovers ? recovering : "", writer, h.writer, next,
		h.next);
	/* Only for messages, short waits and notes: on a full disk it stays empty. */
	if (pwrite(fd, text, (size_t)length, 0) < 0 || ftruncate(fd, length) < 0) return;
}

uint64_t spool_lock_next(int fd)
{
	return read_holder(fd).next;
}

void spool_lock_recovered(int fd, uint64_t next_number)
{
	write_holder(fd, (struct holder){ .pid = getpid(), .writer = getpid(), .next = next_number });
}

long spool_lock_writer(int dir_fd)
{
	int fd = openat(dir_fd, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) return 0;
	long pid = read_holder(fd).writer;
	close(fd);
	return pid;
}

static int try_lock(int fd)
{
	int result;
	do result = flock(fd, LOCK_EX | LOCK_NB);
	while (result < 0 && errno == EINTR);
	return result < 0 ? errno : 0;
}

/* A lock that is only held for a moment is waited for; a writer's is not. A holder that is dead by its number has let go, and the new one has
 * not written his own yet; or he was killed between a fork and its exec, and his child holds the lock until it comes to that. */
static int lock_wait(int fd, int64_t busy_ms)
{
	int error;
	int64_t start = socket_clock_ms();
	while ((error = try_lock(fd)) == EWOULDBLOCK) {
		struct holder holder = read_holder(fd);
		bool stale = holder.pid <= 0 || (kill((pid_t)holder.pid, 0) < 0 && errno == ESRCH);
		int64_t most = holder.recovers ? RECOVERY_MS : stale ? STALE_MS : busy_ms;
		if (socket_clock_ms() - start >= most) break;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
	return error;
}

static void say_holder(int fd, const char *path)
{
	struct holder holder = read_holder(fd);
	if (holder.pid > 0) diag_error("opening the spool %s: it is being written by process %ld", path, holder.pid);
	else diag_error("opening the spool %s: it is being written by another process", path);
}

static int open_lock(int dir_fd, const char *path, const char *name, int *status)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd >= 0 && spool_is_plain(fd)) return fd;
	bool strange = errno == EPERM || errno == ELOOP || errno == EISDIR;
	diag_error("opening %s/%s: %s", path, name, strange ? "it is a link or no plain file of ours; remove it" : strerror(errno));
	refuse(status, spool_exit_status(errno));
	if (fd >= 0) close(fd);
	return -1;
}

int spool_lock(int dir_fd, const char *path, enum spool_lock_use use, int *status)
{
	*status = EXIT_DONE;
	int fd = open_lock(dir_fd, path, "lock", status);
	if (fd < 0) return -1;
	int error = use == SPOOL_LOCK_WRITE ? lock_wait(fd, 0) : try_lock(fd);
	if (!error) {
		struct holder before = read_holder(fd);
		write_holder(fd, (struct holder){ .pid = getpid(), .writer = before.writer, .next = before.next, .recovers = use == SPOOL_LOCK_RECOVER });
		return fd;
	}
	if (error != EWOULDBLOCK) {
		diag_error("locking %s/lock: %s", path, strerror(error));
		refuse(status, EXIT_IO);
	}
	else if (use == SPOOL_LOCK_WRITE) {
		say_holder(fd, path);
		refuse(status, EXIT_NO_OUTPUT);
	}
	close(fd);
	return -1;
}

/* --- of who takes out --- */

static void say_drain(int fd, const char *path)
{
	long pid = read_holder(fd).pid;
	if (pid > 0) diag_error("opening the spool %s: it is being drained by process %ld", path, pid);
	else diag_error("opening the spool %s: it is being drained by another process", path);
}

int spool_drain_lock(int dir_fd, const char *path, int *status)
{
	char text[24];
	int fd = open_lock(dir_fd, path, "drain.lock", status);
	if (fd < 0) return -1;
	int error = lock_wait(fd, BUSY_MS); /* a writer that recovers tries the lock for a moment */
	if (!error) {
		int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
		if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) < 0) { /* only for messages: on a full disk it stays empty */ }
		return fd;
	}
	if (error == EWOULDBLOCK) say_drain(fd, path);
	else diag_error("locking %s/drain.lock: %s", path, strerror(error));
	close(fd);
	return refuse(status, error == EWOULDBLOCK ? EXIT_NO_OUTPUT : EXIT_IO);
}
