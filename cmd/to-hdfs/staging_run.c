/* staging_run - the directories of runs: our own is made, dead ones are taken over, empty ones removed. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "staging_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/socket.h"

enum { LOCK_WAIT_MS = 30000, LOOK_AGAIN_MS = 5 };

static const char lock_name[] = "lock", run_start[] = "run-", end_batch[] = "-batch", end_stream[] = "-stream";

static int try_lock(int fd)
{
	int result;
	do result = flock(fd, LOCK_EX | LOCK_NB);
	while (result < 0 && errno == EINTR);
	return result;
}

bool staging_lock(struct staging *s)
{
	int64_t start = socket_clock_ms();
	while (try_lock(s->lock_fd) < 0) {
		if (errno != EWOULDBLOCK) die_errno(EXIT_IO, "locking %s/lock", s->path);
		if (socket_clock_ms() - start >= LOCK_WAIT_MS) return false;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
	return true;
}

void staging_unlock(struct staging *s)
{
	flock(s->lock_fd, LOCK_UN);
}

/* --- our own ------------------------------------------------------------------ */

static int open_run_lock(int dir_fd)
{
	int fd = openat(dir_fd, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || staging_is_plain(fd)) return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

static void name_run(struct staging *s)
{
	uint32_t random;
	char when[32];
	time_t now = time(NULL);
	struct tm utc;
	if (getrandom(&random, sizeof random, 0) != sizeof random) die_errno(EXIT_SYSTEM, "drawing a name for %s", s->path);
	snprintf(s->id, sizeof s->id, "%08x", (unsigned)random);
	if (!gmtime_r(&now, &utc) || !strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc)) strcpy(when, "0");
	snprintf(s->own.name, sizeof s->own.name, "%s%s-%s%s", run_start, when, s->id, s->batch ? end_batch : end_stream);
}

/* Under the lock of the target: between the two steps nobody can take it for a dead run's. */
void staging_run_make(struct staging *s)
{
	struct staging_run *run = &s->own;
	*run = (struct staging_run){ .own = true, .stream = !s->batch, .dir_fd = -1, .lock_fd = -1 };
	name_run(s);
	if (mkdirat(s->dir_fd, run->name, 0700) < 0 || (run->dir_fd = openat(s->dir_fd, run->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0 ||
	    (run->lock_fd = open_run_lock(run->dir_fd)) < 0 || try_lock(run->lock_fd) < 0)
		die_errno(errno == EIO || errno == ENOSPC || errno == EDQUOT ? EXIT_IO : EXIT_NO_OUTPUT, "making %s/%s", s->path, run->name);
}

void staging_run_add(struct staging_run *run, int number)
{
	if (run->left == 0) run->count = run->at = 0;
	if (run->count == run->capacity) {
		run->capacity = run->capacity ? 2 * run->capacity : 16;
		run->numbers = must_resize(run->numbers, run->capacity * sizeof *run->numbers);
	}
	run->numbers[run->count++] = number;
	run->left++;
}

static void close_run(struct staging_run *run)
{
	if (run->dir_fd >= 0) close(run->dir_fd);
	if (run->lock_fd >= 0) close(run->lock_fd);
	free(run->numbers);
	if (!run->own) free(run);
}

/* The lock file goes first: to a reader under the lock of the target, a run without one is dead and empty. */
bool staging_run_remove(struct staging *s, struct staging_run *run)
{
	bool empty = run->left == 0 && run->leftovers == 0 && !run->kept_back;
	if (empty) {
		unlinkat(run->dir_fd, lock_name, 0);
		unlinkat(s->dir_fd, run->name, AT_REMOVEDIR); /* unless there are files of somebody else's in it */
	}
	close_run(run);
	return empty;
}

/* --- what is in one ----------------------------------------------------------- */

struct found { int number; unsigned kinds; }; /* a bit a kind */

static int by_number(const void *a, const void *b)
{
	const struct found *one = a, *other = b;
	return (one->number > other->number) - (one->number < other->number);
}

static struct found *look(const struct staging_run *run, size_t *count)
{
	struct found *found = NULL;
	size_t capacity = 0;
	*count = 0;
	int fd = openat(run->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) die_errno(EXIT_IO, "reading %s", run->name);
	for (struct dirent *entry; (entry = readdir(dir));) {
		int number;
		enum staging_kind kind;
		if (!staging_parse_name(entry->d_name, &number, &kind)) continue;
		if (*count == capacity) found = must_resize(found, (capacity = capacity ? 2 * capacity : 64) * sizeof *found);
		found[(*count)++] = (struct found){ number, 1u << kind };
	}
	closedir(dir);
	if (*count) qsort(found, *count, sizeof *found, by_number);
	size_t kept = 0;
	for (size_t i = 0; i < *count; i++) {
		if (kept && found[kept - 1].number == found[i].number) found[kept - 1].kinds |= found[i].kinds;
		else found[kept++] = found[i];
	}
	*count = kept;
	return found;
}

static void unlink_kinds(const struct staging_run *run, struct found f, unsigned kinds)
{
	for (int kind = 0; kind < STAGING_KINDS; kind++)
		if (f.kinds & kinds & 1u << kind) staging_unlink(run, f.number, (enum staging_kind)kind);
}

enum state { STATE_OPEN, STATE_SEALED, STATE_UNKNOWN }; /* UNKNOWN: it cannot be read now, or is none of ours */

/* An item whose data are there, but are not what it says: the machine went down before they were on disk. */
void staging_set_aside(const struct staging *s, const struct staging_run *run, const struct staging_record *item, int number)
{
	char data[STAGING_NAME_MAX], aside[STAGING_NAME_MAX];
	if (!run->stream) return; /* the input is given again */
	staging_name(data, number, item->data);
	snprintf(aside, sizeof aside, "%d.damaged", number);
	renameat(run->dir_fd, data, run->dir_fd, aside);
	diag_error("%s/%s/%s: the data of %" PRIu64 " envelopes of '%s' are not whole; they are not published", s->path, run->name, aside, item->records, item->dir);
}

static enum state state_of(const struct staging *s, const struct staging_run *run, struct found f)
{
	struct staging_record item;
	if (!(f.kinds & 1u << STAGING_ITEM)) return STATE_OPEN;
	int error = staging_read_item(run, f.number, &item);
	if (error) return error == EBADMSG ? STATE_OPEN : STATE_UNKNOWN;
	int fd = staging_open_data(run, f.number, &item);
	error = fd < 0 ? errno : 0;
	if (fd >= 0) close(fd);
	if (error == EBADMSG && item.data == STAGING_DATA && !(f.kinds & 1u << STAGING_LINES)) staging_set_aside(s, run, &item, f.number);
	if (!error) unlink_kinds(run, f, ~(1u << STAGING_ITEM | 1u << item.data));
	staging_record_release(&item);
	return !error ? STATE_SEALED : error == EBADMSG || error == ENOENT ? STATE_OPEN : STATE_UNKNOWN;
}

void staging_run_sort_out(struct staging *s, struct staging_run *run)
{
	const unsigned open_kinds = 1u << STAGING_DIR | 1u << STAGING_LINES;
	size_t count;
	struct found *found = look(run, &count);
	for (size_t i = 0; i < count; i++) {
		struct found f = found[i];
		enum state state = state_of(s, run, f);
		if (state == STATE_UNKNOWN) run->kept_back = true;
		if (state == STATE_SEALED && !run->own) staging_run_add(run, f.number);
		if (state != STATE_OPEN) continue;
		bool is_leftover = run->stream && (f.kinds & open_kinds) == open_kinds;
		unlink_kinds(run, f, is_leftover ? ~open_kinds : ~0u);
		if (!is_leftover) continue;
		if (run->own || s->batch) run->kept_back = true, s->kept_back += !run->own;
		else leftover_add(s, run, f.number);
	}
	free(found);
}

/* --- dead ones ---------------------------------------------------------------- */

static bool is_run_name(const char *name, bool *stream)
{
	struct span text = span_of(name);
	size_t batch_length = sizeof end_batch - 1, stream_length = sizeof end_stream - 1;
	if (text.length >= STAGING_NAME_MAX || !span_starts(text, span_of(run_start))) return false;
	*stream = text.length > stream_length && strcmp(name + text.length - stream_length, end_stream) == 0;
	return *stream || (text.length > batch_length && strcmp(name + text.length - batch_length, end_batch) == 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Names of runs sort by the time they were begun. */
static char (*list_runs(const struct staging *s, size_t *count))[STAGING_NAME_MAX]
{
	char (*names)[STAGING_NAME_MAX] = NULL;
	size_t capacity = 0;
	bool stream;
	*count = 0;
	int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) die_errno(EXIT_IO, "reading %s", s->path);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!is_run_name(entry->d_name, &stream)) continue;
		if (*count == capacity) names = must_resize(names, (capacity = capacity ? 2 * capacity : 64) * sizeof *names);
		memcpy(names[(*count)++], entry->d_name, strlen(entry->d_name) + 1);
	}
	closedir(dir);
	if (*count) qsort(names, *count, sizeof *names, by_name);
	return names;
}

static void adopt_run(struct staging *s, const char *name)
{
	struct stat status;
	struct staging_run *run = must_alloc(sizeof *run);
	snprintf(run->name, sizeof run->name, "%s", name);
	is_run_name(name, &run->stream);
	run->lock_fd = -1;
	run->dir_fd = openat(s->dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run->dir_fd < 0 || fstat(run->dir_fd, &status) < 0 || status.st_uid != geteuid() || (run->lock_fd = open_run_lock(run->dir_fd)) < 0 || try_lock(run->lock_fd) < 0) {
		close_run(run);
		return;
	}
	staging_run_sort_out(s, run);
	if (run->left || run->leftovers) s->runs[s->run_count++] = run;
	else staging_run_remove(s, run);
}

void staging_adopt(struct staging *s)
{
	size_t count;
	char (*names)[STAGING_NAME_MAX] = list_runs(s, &count);
	s->more = false;
	for (size_t i = 0; i < count; i++) {
		s->more = s->run_count == STAGING_RUNS_MAX;
		if (s->more) break;
		adopt_run(s, names[i]);
	}
	free(names);
}

void staging_run_leave(struct staging *s, struct staging_run *run)
{
	if (run->own || run->left || run->leftovers || !staging_lock(s)) return; /* without the lock, the next run finds it empty */
	for (size_t i = 0; i < s->run_count; i++) {
		if (s->runs[i] != run) continue;
		memmove(s->runs + i, s->runs + i + 1, (s->run_count - i - 1) * sizeof *s->runs);
		s->run_count--;
		staging_run_remove(s, run);
		break;
	}
	staging_unlock(s);
}
