/* drain_store - the directories of a spool as the drain sees them: its lock, what is there to deliver, and where segments go. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "io/diag.h"
#include "io/socket.h"
#include "sink/spool.h"
#include "drain_private.h"
#include "walk.h"

enum { NAME_TRIES = 100 };

static bool sync_directory(int fd)
{
	int error = spool_sync_fd(fd, false);
	if (error) errno = error;
	return !error;
}

static int open_directory(struct drain *d, const char *name)
{
	if (mkdirat(d->dir_fd, name, 0700) != 0 && errno != EEXIST) die_errno(EXIT_NO_OUTPUT, "%s/%s", d->options->dir, name);
	int fd = openat(d->dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) die_errno(EXIT_NO_OUTPUT, "%s/%s", d->options->dir, name);
	return fd;
}

void drain_store_open(struct drain *d)
{
	int status = EXIT_NO_INPUT;
	d->dir_fd = spool_directory(d->options->dir, false, &status);
	if (d->dir_fd < 0) exit(status);
	/* It may come, when the drain is started before the writer; or it is the wrong directory, and nothing is ever delivered. */
	if (!walk_is_spool(d->dir_fd)) diag_warn("%s: nobody has written a spool here yet", d->options->dir);
	d->lock_fd = spool_drain_lock(d->dir_fd, d->options->dir, &status);
	if (d->lock_fd < 0) exit(status);
	/* Made now, when it does no harm if the disk is full: to record a delivery then takes no room. */
	d->delivered_fd = open_directory(d, "delivered");
	d->failed_fd = open_directory(d, "failed");
	d->quarantine_fd = open_directory(d, "quarantine");
	/* Whoever made them may have been killed before they were synced. */
	if (!sync_directory(d->dir_fd)) die_errno(EXIT_IO, "%s", d->options->dir);
	d->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (d->watch_fd >= 0 && inotify_add_watch(d->watch_fd, d->options->dir, IN_MOVED_TO | IN_ONLYDIR) < 0) {
		close(d->watch_fd);
		d->watch_fd = -1; /* then we look more often */
	}
	segment_list_init(&d->list, d->dir_fd);
}

void drain_store_close(struct drain *d)
{
	const int fds[] = { d->watch_fd, d->delivered_fd, d->failed_fd, d->quarantine_fd, d->lock_fd, d->dir_fd };
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0) close(fds[i]);
}

static bool is_in_hand(const struct drain *d, const struct segment *segment)
{
	for (int i = 0; i < d->options->parallel; i++)
		if (d->task[i].place != PLACE_FREE && strcmp(d->task[i].segment.stem, segment->stem) == 0) return true;
	return false;
}

static bool is_of_this_run(const struct drain *d, const struct segment *segment)
{
	return segment->form != SEGMENT_OPEN && (!d->options->once || strcmp(segment->stem, d->last) <= 0);
}

bool drain_store_take(struct drain *d, struct segment *segment)
{
	int more;
	while ((more = segment_list_next(&d->list, segment)) > 0)
		if (is_of_this_run(d, segment) && !is_in_hand(d, segment)) return true;
	if (more < 0) die_errno(EXIT_IO, "%s", d->options->dir);
	d->listed_all = true;
	return false;
}

uint64_t drain_store_left(struct drain *d)
{
	struct segment_list list;
	struct segment segment;
	uint64_t left = 0;
	int more;
	segment_list_init(&list, d->dir_fd);
	while ((more = segment_list_next(&list, &segment)) > 0) left += is_of_this_run(d, &segment);
	if (more < 0) die_errno(EXIT_IO, "%s", d->options->dir);
	return left;
}

/* Moves a segment, in whatever form it is by now; its name becomes `name`. False with errno. */
static bool move_segment(int from_fd, int to_fd, const struct segment *segment, bool replace, char name[SEGMENT_NAME_MAX])
{
	const enum segment_form forms[] = { segment->form, segment->form == SEGMENT_SEALED ? SEGMENT_COMPRESSED : SEGMENT_SEALED };
	errno = ENOENT;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		char target[SEGMENT_NAME_MAX + 8];
		segment_name(name, segment, forms[i]);
		int moved = -1;
		if (replace) moved = renameat(from_fd, name, to_fd, name);
		else for (int n = 0; n < NAME_TRIES && moved < 0; n++) {
			if (n == 0) snprintf(target, sizeof target, "%s", name);
			else snprintf(target, sizeof target, "%s.%d", name, n);
			moved = renameat2(from_fd, name, to_fd, target, RENAME_NOREPLACE);
			if (moved < 0 && errno != EEXIST) break;
		}
		if (moved == 0 || errno != ENOENT) return moved == 0;
	}
	return false;
}

/* Another file of the same stem, from a crash between two steps of sealing or compressing, would be taken for a segment once this one has gone. */
static bool remove_left_overs(struct drain *d, const struct segment *segment, bool delivered)
{
	char name[SEGMENT_NAME_MAX];
	bool any = false;
	segment_name(name, segment, SEGMENT_OPEN);
	if (unlinkat(d->dir_fd, name, 0) == 0) any = true;
	segment_name(name, segment, SEGMENT_SEALED);
	if (delivered && segment->form == SEGMENT_SEALED && faccessat(d->dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		segment_name(name, segment, SEGMENT_COMPRESSED);
		if (unlinkat(d->dir_fd, name, 0) == 0) any = true;
	}
	return !any || sync_directory(d->dir_fd);
}

bool drain_store_has(const struct drain *d, const struct segment *segment)
{
	char name[SEGMENT_NAME_MAX];
	for (int form = SEGMENT_SEALED; form <= SEGMENT_COMPRESSED; form++) {
		segment_name(name, segment, (enum segment_form)form);
		if (faccessat(d->dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) return true;
	}
	return false;
}

/* The record of what became of a segment is its place. Both directories are on disk before anything builds on it. What stands beside a damaged one is
 * left: it may be whole, and if so, who recovers the spool makes a segment of it. */
static enum drain_record put_away(struct drain *d, const struct segment *segment, int to_fd, const char *to, char name[SEGMENT_NAME_MAX])
{
	bool delivered = to_fd == d->delivered_fd, damaged = to_fd == d->quarantine_fd;
	if ((damaged || remove_left_overs(d, segment, delivered)) && move_segment(d->dir_fd, to_fd, segment, delivered, name) && sync_directory(to_fd) &&
	    sync_directory(d->dir_fd))
		return RECORD_DONE;
	int error = errno;
	if (error == ENOENT && !drain_store_has(d, segment)) return RECORD_GONE; /* else it is the directory that somebody has removed */
	diag_error("%s: segment %s cannot be moved to %s/: %s", d->options->dir, segment->stem, to, strerror(error));
	return RECORD_FAILED;
}

enum drain_record drain_store_deliver(struct drain *d, const struct segment *segment)
{
	char name[SEGMENT_NAME_MAX];
	enum drain_record recorded = put_away(d, segment, d->delivered_fd, "delivered", name);
	if (recorded != RECORD_DONE) return recorded;
	/* Not synced: if it comes back, it comes back into delivered/, and is removed at the next start. */
	if (d->options->keep_ms == 0) unlinkat(d->delivered_fd, name, 0);
	else utimensat(d->delivered_fd, name, NULL, AT_SYMLINK_NOFOLLOW); /* --keep counts from the delivery */
	return RECORD_DONE;
}

enum drain_record drain_store_fail(struct drain *d, const struct segment *segment)
{
	char name[SEGMENT_NAME_MAX];
	return put_away(d, segment, d->failed_fd, "failed", name);
}

enum drain_record drain_store_quarantine(struct drain *d, const struct segment *segment)
{
	char name[SEGMENT_NAME_MAX];
	return put_away(d, segment, d->quarantine_fd, "quarantine", name);
}

void drain_store_retry_failed(struct drain *d)
{
	struct segment_list list;
	struct segment segment;
	char name[SEGMENT_NAME_MAX];
	uint64_t moved = 0;
	int more;
	segment_list_init(&list, d->failed_fd);
	while ((more = segment_list_next(&list, &segment)) > 0) {
		if (!move_segment(d->failed_fd, d->dir_fd, &segment, false, name)) die_errno(EXIT_IO, "%s/failed/%s", d->options->dir, segment.stem);
		moved++;
	}
	if (more < 0) die_errno(EXIT_IO, "%s/failed", d->options->dir);
	if (moved && (!sync_directory(d->dir_fd) || !sync_directory(d->failed_fd))) die_errno(EXIT_IO, "%s", d->options->dir);
	if (moved) diag_warn("%s: segments put back from failed/: %llu", d->options->dir, (unsigned long long)moved);
}

void drain_store_expire(struct drain *d)
{
	struct segment_list list;
	struct segment segment;
	struct stat status;
	char name[SEGMENT_NAME_MAX];
	int64_t now = timestamp_now();
	segment_list_init(&list, d->delivered_fd);
	while (segment_list_next(&list, &segment) > 0) {
		segment_name(name, &segment, segment.form);
		if (fstatat(d->delivered_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
		int64_t age_ms = now / 1000000 - ((int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000);
		if (d->options->keep_ms && age_ms < d->options->keep_ms) continue;
		if (unlinkat(d->delivered_fd, name, 0) == 0) diag_note(1, "%s/delivered/%s: removed", d->options->dir, name);
	}
	d->expired_ms = socket_clock_ms();
}
