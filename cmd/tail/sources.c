/* sources - files that are followed by name, their last lines, and live streams from a metlog-recv. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sources.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/diag.h"

enum {
	TICK_MS = 1000,          /* files are looked at so often even if inotify says nothing (it does not for network file systems) */
	TICK_WITHOUT_INOTIFY_MS = 250,
	LEAVE_AFTER_S = 5,       /* a rotated file is given up when it has been quiet for so long: its writer may still have it open */
};

static int64_t monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void sources_init(struct sources *s, struct filter *f, int64_t lines, bool follow)
{
	*s = (struct sources){ .lines = lines, .follow = follow, .inotify = -1 };
	if (follow) s->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	s->idle = f->reader;
}

/* Takes the reader back from the filter, and lends it that of source `next` (count: only the idle one). */
static void lend(struct sources *s, struct filter *f, size_t next)
{
	if (next == s->current) return;
	if (s->current < s->count) s->list[s->current].reader = f->reader;
	else s->idle = f->reader;
	s->current = next;
	f->reader = next < s->count ? s->list[next].reader : s->idle;
}

static struct source *add(struct sources *s, struct filter *f, const char *name)
{
	lend(s, f, s->count);
	s->list = must_resize(s->list, (s->count + 1) * sizeof *s->list);
	struct source *source = &s->list[s->count++];
	s->current = s->count;
	*source = (struct source){ .name = must_copy(span_of(name)), .watch = -1, .child = { .in = -1, .out = -1, .err = -1 } };
	reader_init(&source->reader, f->options.line_limit);
	return source;
}

static void watch_folder(struct sources *s, const struct source *source)
{
	if (s->inotify < 0) return;
	char *copy = must_copy(span_of(source->name));
	inotify_add_watch(s->inotify, dirname(copy), IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
	free(copy);
}

static bool is_standard(const struct source *source)
{
	return strcmp(source->name, "-") == 0;
}

static void begin_reading(struct sources *s, struct source *source, int fd, off_t start)
{
	char name[PATH_MAX + 64];
	struct stat status;
	free(source->reader_name);
	source->reader_name = NULL;
	if (start > 0) {
		snprintf(name, sizeof name, "%s, from byte %lld", source->name, (long long)start);
		source->reader_name = must_copy(span_of(name));
		if (lseek(fd, start, SEEK_SET) < 0) start = 0;
	}
	reader_open(&source->reader, fd, source->reader_name ? source->reader_name : source->name);
	source->start = start;
	source->reader.follows = s->follow && !source->stream;
	source->missing = source->ended = false;
	if (fstat(fd, &status) == 0) source->device = status.st_dev, source->inode = status.st_ino;
	if (s->inotify < 0 || source->stream) return;
	source->watch = inotify_add_watch(s->inotify, is_standard(source) ? "/proc/self/fd/0" : source->name, IN_MODIFY | IN_ATTRIB);
}

/* False with errno if it cannot be read. A source that is no regular file (a pipe, a terminal) is a stream. */
static bool open_file(struct source *source, int *fd)
{
	struct stat status;
	*fd = is_standard(source) ? STDIN_FILENO : open(source->name, O_RDONLY | O_CLOEXEC);
	if (*fd < 0) return false;
	if (fstat(*fd, &status) == 0 && S_ISDIR(status.st_mode)) {
		close(*fd);
		errno = EISDIR;
		return false;
	}
	source->stream = !S_ISREG(status.st_mode);
	return true;
}

void sources_add_file(struct sources *s, struct filter *f, const char *path)
{
	struct source *source = add(s, f, path);
	int fd;
	if (open_file(source, &fd)) {
		off_t start = source->stream || s->lines == SOURCES_ALL ? 0 : backwards_find(fd, s->lines, f);
		begin_reading(s, source, fd, start);
	} else if (s->follow && errno == ENOENT) {
		source->missing = true;
		diag_warn("%s: %s: waiting for it", path, strerror(errno));
	} else {
		diag_error("%s: %s", path, strerror(errno));
		filter_fail(f, EXIT_NO_INPUT);
		source->ended = true;
	}
	if (s->follow && !source->stream && !is_standard(source)) watch_folder(s, source);
}

void sources_add_endpoint(struct sources *s, struct filter *f, const char *endpoint, const char *const *options, size_t option_count)
{
	struct source *source = add(s, f, endpoint);
	char **arguments = must_alloc((option_count + 4) * sizeof *arguments);
	size_t count = 0;
	arguments[count++] = (char[]){ "metlog-recv" };
	arguments[count++] = (char[]){ "--from" };
	arguments[count++] = source->name;
	for (size_t i = 0; i < option_count; i++) arguments[count++] = (char *)options[i]; /* exec promises not to change it */
	if (!child_start(&source->child, arguments, CHILD_PIPE_OUT | CHILD_NULL_IN | CHILD_OWN_GROUP | CHILD_DIES_WITH_US | CHILD_TOOL))
		die_errno(EXIT_SYSTEM, "%s: cannot start metlog-recv", endpoint);
	free(arguments);
	source->stream = true;
	s->live = true;
	begin_reading(s, source, source->child.out, 0);
}

const char *sources_name(const struct sources *s)
{
	return s->current < s->count ? s->list[s->current].name : "-";
}

/* --- rotation --- */

/* The file with this name is another now: what is left of the old one stays a source of its own until it has been quiet. */
static void change_file(struct sources *s, struct filter *f, size_t at, int fd)
{
	struct source *old = add(s, f, s->list[at].name), *source = &s->list[at]; /* add may move the list */
	struct reader fresh = old->reader;
	char *name = old->name;
	*old = *source;
	old->leave_at = monotonic_ns() + LEAVE_AFTER_S * INT64_C(1000000000);
	*source = (struct source){ .name = name, .watch = -1, .reader = fresh, .child = { .in = -1, .out = -1, .err = -1 } };
	source->stream = false;
	begin_reading(s, source, fd, 0);
	diag_warn("%s: rotated, going on with the new file", source->name);
}

static void restart_file(struct sources *s, struct source *source)
{
	size_t torn = source->reader.filled - source->reader.at;
	if (torn) diag_warn("%s: truncated, reading it from its start (%zu bytes of an unfinished line are gone)", source->name, torn);
	else diag_warn("%s: truncated, reading it from its start", source->name);
	int fd = source->reader.fd;
	if (lseek(fd, 0, SEEK_SET) == 0) begin_reading(s, source, fd, 0);
}

/* Called for a file that has nothing more to read just now. The filter holds no reader of ours meanwhile. True if there is
 * another file to read now. */
static bool look_after(struct sources *s, struct filter *f, size_t at)
{
	struct source *source = &s->list[at];
	struct stat named, opened;
	int fd;
	if (source->reader.fd >= 0 && fstat(source->reader.fd, &opened) == 0 && opened.st_size < source->start + (off_t)source->reader.bytes) {
		restart_file(s, source);
		return true;
	}
	if (source->leave_at || is_standard(source)) return false;
	if (stat(source->name, &named) < 0) {
		if (!source->missing) diag_warn("%s: %s: waiting for it to come back", source->name, strerror(errno));
		source->missing = true;
		return false;
	}
	bool same = source->reader.fd >= 0 && named.st_dev == source->device && named.st_ino == source->inode;
	if (same) {
		source->missing = false;
		return false;
	}
	struct source probe = { .name = source->name };
	if (!S_ISREG(named.st_mode) || !open_file(&probe, &fd)) {
		if (!source->missing) diag_warn("%s: %s", source->name, S_ISREG(named.st_mode) ? strerror(errno) : "no regular file");
		source->missing = true;
		return false;
	}
	if (source->reader.fd >= 0) {
		change_file(s, f, at, fd);
	} else {
		begin_reading(s, source, fd, 0);
		diag_warn("%s: has appeared", source->name);
	}
	return true;
}

/* --- turns --- */

static void release_source(struct source *source)
{
	reader_release(&source->reader);
	free(source->reader_name);
	free(source->name);
}

/* So that a file which is rotated for years takes no more memory than one that is not. No reader is lent meanwhile. */
static void remove_source(struct sources *s, struct source *source)
{
	release_source(source);
	*source = s->list[--s->count];
	s->current = s->count;
}

static void end_source(struct sources *s, struct filter *f, struct source *source)
{
	source->ended = true;
	if (source->watch >= 0 && source->leave_at) inotify_rm_watch(s->inotify, source->watch);
	if (source->reader.fd > STDIN_FILENO && !source->child.pid) close(source->reader.fd);
	source->reader.fd = -1;
	reader_release(&source->reader);
	if (source->leave_at) {
		remove_source(s, source);
		return;
	}
	if (!source->child.pid) return;
	child_close(&source->child);
	child_wait(&source->child, -1);
	int status = child_exit_status(source->child.status);
	if (status) {
		char text[CHILD_TEXT_MAX];
		diag_error("%s: metlog-recv %s", source->name, child_describe(source->child.status, text));
		filter_fail(f, status >= EXIT_USAGE && status <= EXIT_CONFIGURATION ? status : EXIT_SYSTEM);
	}
}

static bool may_read(const struct reader *r)
{
	struct pollfd input = { .fd = r->fd, .events = POLLIN };
	return r->fd >= 0 && (!r->polls || poll(&input, 1, 0) > 0);
}

/* Reads once from a source whose lines are used up. True if there is something to take, or a reason to come back at once. */
static bool fill(struct sources *s, struct filter *f, size_t at)
{
	struct source *source = &s->list[at];
	if (source->ended) return false;
	lend(s, f, at);
	uint64_t before = f->reader.bytes;
	enum reader_fill filled = may_read(&f->reader) ? filter_fill(f) : READER_NOTHING;
	bool more = filled == READER_LINES || filled == READER_OVERLONG || f->reader.bytes > before;
	if (more && source->leave_at) source->leave_at = monotonic_ns() + LEAVE_AFTER_S * INT64_C(1000000000);
	if (more) return true;
	lend(s, f, s->count);
	if (filled == READER_END || filled == READER_ERROR) end_source(s, f, source);
	else if (source->leave_at && monotonic_ns() > source->leave_at && source->reader.follows) {
		source->reader.follows = false; /* the next read ends it, with what it has of a last line */
		return true;
	} else if (s->follow && !source->stream) return look_after(s, f, at);
	return false;
}

static bool all_ended(const struct sources *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (!s->list[i].ended) return false;
	return true;
}

enum filter_turn sources_turn(struct sources *s, struct filter *f, struct envelope *envelope)
{
	/* Files that end are read one after the other; what goes on for ever is read in turn, a block each. */
	bool in_turn = s->follow || s->live;
	if (s->current < s->count && filter_take(f, envelope)) return TURN_ENVELOPE;
	size_t at = s->current >= s->count ? 0 : in_turn ? s->current + 1 : s->current;
	for (size_t fruitless = 0; fruitless < s->count; at++) {
		if (signals_stopping() || f->rejects.fatal || all_ended(s)) return TURN_END;
		at %= s->count;
		bool more = fill(s, f, at);
		if (more && s->current < s->count && filter_take(f, envelope)) return TURN_ENVELOPE;
		fruitless = more ? 0 : fruitless + 1;
		if (!in_turn && !s->list[at].ended) {
			if (!more) break;
			at--;
		}
	}
	lend(s, f, s->count);
	return all_ended(s) ? TURN_END : TURN_WAIT;
}

void sources_wait(struct sources *s, struct filter *f, bool want_output)
{
	struct pollfd fds[SIGNALS_POLL_MAX - 2];
	size_t count = 0;
	bool files = false;
	lend(s, f, s->count);
	if (want_output) fds[count++] = (struct pollfd){ .fd = f->out.fd, .events = POLLOUT };
	if (s->inotify >= 0) fds[count++] = (struct pollfd){ .fd = s->inotify, .events = POLLIN };
	for (size_t i = 0; i < s->count; i++) {
		struct source *source = &s->list[i];
		if (source->ended) continue;
		if (!source->stream) files = true;
		else if (count < sizeof fds / sizeof *fds) fds[count++] = (struct pollfd){ .fd = source->reader.fd, .events = POLLIN };
	}
	filter_wait(f, fds, count, !files ? -1 : s->inotify >= 0 ? TICK_MS : TICK_WITHOUT_INOTIFY_MS);
	char events[4096];
	while (s->inotify >= 0 && read(s->inotify, events, sizeof events) > 0) { /* what happened is seen by looking at the files */ }
}

void sources_close(struct sources *s, struct filter *f)
{
	lend(s, f, s->count);
	for (size_t i = 0; i < s->count; i++) {
		struct source *source = &s->list[i];
		if (source->child.pid) {
			child_signal(&source->child, SIGTERM);
			child_close(&source->child);
			child_wait(&source->child, -1);
		} else if (source->reader.fd > STDIN_FILENO) close(source->reader.fd);
		release_source(source);
	}
	free(s->list);
	if (s->inotify >= 0) close(s->inotify);
}
