/* spool_reader_open - a spool's reader opened: what its state says is held against what is there, and where they differ the numbers begin anew. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_reader_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "io/diag.h"
#include "sink/spool.h"
#include "sink/spool_private.h"

/* The far side knows envelopes by (sender, number), and passes over a number that it has had. So the number of an envelope that may be on its
 * way must not change: if a segment of those that were begun is gone, or damaged, or the kernel was restarted and may have lost what was
 * not synced, a new sender id is drawn, unless nothing was on its way. That costs duplicates of what was on its way, and never an envelope. */

static void draw_id(struct spool_reader *r)
{
	for (size_t filled = 0; filled < sizeof r->id;) {
		ssize_t got = getrandom(r->id + filled, sizeof r->id - filled, 0);
		if (got > 0) filled += (size_t)got;
		else if (errno != EINTR) die_errno(EXIT_SYSTEM, "drawing a sender id");
	}
	r->done = r->given = r->furthest = 0;
}

static void read_boot(char boot[SPOOL_READER_BOOT_MAX])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, boot, SPOOL_READER_BOOT_MAX - 1);
	if (fd >= 0) close(fd);
	boot[got > 0 ? strspn(boot, "0123456789abcdef-") : 0] = '\0';
}

enum finding { AS_IT_WAS, GONE, OTHERWISE };

/* Whether a segment that was begun holds the lines that were taken from it. Of an .open one only that can be known; a sealed one is read
 * through. */
static enum finding look_at(const struct spool_reader *r, const struct segment *segment, uint64_t lines)
{
	struct span some;
	enum segment_read result;
	struct segment_reader *file = segment_reader_open(r->dir_fd, segment, r->line_limit);
	if (!file) return errno == ENOENT ? GONE : OTHERWISE;
	do result = segment_reader_next(file, &some);
	while (result == SEGMENT_LINES);
	bool enough = segment_reader_sum(file)->records >= lines;
	segment_reader_free(file);
	return result == SEGMENT_END && enough ? AS_IT_WAS : OTHERWISE;
}

/* One that was finished and is still there: the crash came in between. */
static void put_away_finished(struct spool_reader *r)
{
	struct segment segment;
	struct segment_trailer sum;
	const char *reason;
	if (!*r->finished) return;
	spool_reader_clear_delivered(r, r->finished);
	if (!spool_reader_find(r, r->finished, &segment) || segment.form == SEGMENT_OPEN) return;
	bool damaged = segment_check(r->dir_fd, &segment, r->line_limit, &sum, &reason) == SEGMENT_DAMAGED;
	if (!spool_reader_put_away(r, r->finished, damaged)) r->failed = true;
}

/* Goes on in the segment that the state names. */
static enum finding resume_segment(struct spool_reader *r, const struct spool_reader_state *state)
{
	struct segment segment;
	struct segment_trailer sum;
	const char *reason;
	if (!*state->segment) return AS_IT_WAS;
	enum finding found = spool_reader_find(r, state->segment, &segment) ? look_at(r, &segment, state->lines) : GONE;
	if (found == GONE) return GONE;
	/* If it is not what the lines were counted in: from its start. */
	r->to_skip = found == AS_IT_WAS ? state->lines : 0;
	struct spool_reader_held *h = spool_reader_hold(r, &segment, 0);
	if (segment.form != SEGMENT_OPEN && segment_check(r->dir_fd, &segment, r->line_limit, &sum, &reason) == SEGMENT_DAMAGED) {
		h->damaged = true;
		spool_reader_say_damaged(r, &segment, reason);
	}
	return found;
}

static bool held_are_there(const struct spool_reader *r, const struct spool_reader_state *state)
{
	struct segment segment;
	for (size_t at = 0; at < state->held.length; at += SEGMENT_STEM_MAX)
		if (!spool_reader_find(r, state->held.data + at, &segment) || look_at(r, &segment, 0) != AS_IT_WAS) return false;
	return true;
}

static void resume(struct spool_reader *r, const struct spool_reader_state *state)
{
	memcpy(r->id, state->id, sizeof r->id);
	memcpy(r->finished, state->finished, sizeof r->finished);
	r->generation = state->generation;
	put_away_finished(r);
	bool same_kernel = *r->boot && strcmp(r->boot, state->boot) == 0;
	enum finding found = resume_segment(r, state);
	bool trusted = state->clean || (same_kernel && found == AS_IT_WAS && held_are_there(r, state));
	if (trusted) r->done = r->given = r->furthest = state->done;
	else draw_id(r);
	if (found == GONE)
		diag_error("%s: segment %s, of which %llu lines were delivered, is gone: on with the next one%s", r->path, state->segment, (unsigned long long)state->lines,
			trusted ? "" : ", under new numbers");
	else if (!trusted) diag_error("%s: what was on its way when the last run ended may not be what is here: it is sent again, under new numbers", r->path);
	if (r->count) r->held[0].base = r->done - r->to_skip; /* modulo 2^64: only differences are used */
}

static struct spool_reader *make_reader(const char *path, uint64_t line_limit, int dir_fd, int lock_fd)
{
	struct spool_reader *r = must_alloc(sizeof *r);
	r->path = must_copy(span_of(path));
	r->dir_fd = dir_fd;
	r->lock_fd = lock_fd;
	r->line_limit = (size_t)line_limit;
	r->rest = (struct span){ "", 0 };
	if (!scan_init(&r->scan)) die(EXIT_INTERNAL, "no memory for the scanner");
	buffer_init(&r->copy, r->line_limit + 1 + SCAN_PADDING + 16);
	read_boot(r->boot);
	return r;
}

/* Made now, when it does no harm if the disk is full: to put a segment away then takes no room. */
static void make_folders(int dir_fd)
{
	static const char *const names[] = { "delivered", "quarantine" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int fd = spool_subdirectory(dir_fd, names[i]);
		if (fd >= 0) close(fd); /* else it is said when one is put away */
	}
}

static struct spool_reader *start_reader(const char *path, uint64_t line_limit, int dir_fd, int lock_fd)
{
	struct spool_reader_state state;
	const char *reason;
	struct spool_reader *r = make_reader(path, line_limit, dir_fd, lock_fd);
	enum spool_reader_load loaded = spool_reader_load(dir_fd, &state, &reason);
	if (loaded == SPOOL_READER_LOADED) resume(r, &state);
	else draw_id(r);
	if (loaded == SPOOL_READER_UNREADABLE)
		diag_error("reading %s/forward.state: %s; all that is in the spool is sent again, under new numbers", path, reason);
	buffer_release(&state.held);
	/* Before the first number is used. */
	spool_reader_save(r);
	return r;
}

struct spool_reader *spool_reader_try_open(const char *path, uint64_t line_limit, int *status)
{
	int dir_fd = spool_directory(path, true, status);
	if (dir_fd < 0) return NULL;
	int lock_fd = spool_drain_lock(dir_fd, path, status);
	if (lock_fd >= 0) {
		make_folders(dir_fd);
		if (spool_recover_if_abandoned(dir_fd, path, status) || *status == EXIT_DONE) return start_reader(path, line_limit, dir_fd, lock_fd);
		close(lock_fd);
	}
	close(dir_fd);
	return NULL;
}

struct spool_reader *spool_reader_open(const char *path, uint64_t line_limit)
{
	int status;
	struct spool_reader *r = spool_reader_try_open(path, line_limit, &status);
	if (!r) exit(status);
	return r;
}

void spool_reader_close(struct spool_reader *r)
{
	if (!r) return;
	r->closing = true;
	spool_reader_save(r);
	segment_reader_free(r->file);
	scan_release(&r->scan);
	buffer_release(&r->copy);
	close(r->lock_fd);
	close(r->dir_fd);
	free(r->held);
	free(r->path);
	free(r);
}
