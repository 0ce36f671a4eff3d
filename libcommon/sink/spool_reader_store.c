/* spool_reader_store - the files of a spool as its reader moves them: segments of which all is done. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_reader_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/diag.h"
#include "sink/spool_private.h"

enum { NAME_TRIES = 100 };

bool spool_reader_exists(const struct spool_reader *r, const struct segment *segment, enum segment_form form)
{
	char name[SEGMENT_NAME_MAX];
	segment_name(name, segment, form);
	return faccessat(r->dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool spool_reader_find(const struct spool_reader *r, const char *stem, struct segment *segment)
{
	char name[SEGMENT_NAME_MAX];
	snprintf(name, sizeof name, "%s.open", stem);
	if (!segment_parse(segment, name)) return false;
	/* Names only change this way round, so a file that is there is found, whatever its writer does meanwhile. */
	for (segment->form = SEGMENT_OPEN; segment->form <= SEGMENT_COMPRESSED; segment->form++)
		if (spool_reader_exists(r, segment, segment->form)) return true;
	return false;
}

/* Never in the place of another file. 0 or an errno. */
static int move_into(const struct spool_reader *r, int to_fd, const char *name, char moved[SEGMENT_NAME_MAX + 8])
{
	for (int n = 0; n < NAME_TRIES; n++) {
		if (n == 0) snprintf(moved, SEGMENT_NAME_MAX + 8, "%s", name);
		else snprintf(moved, SEGMENT_NAME_MAX + 8, "%s.%d", name, n);
		if (renameat2(r->dir_fd, name, to_fd, moved, RENAME_NOREPLACE) == 0) return 0;
		if (errno != EEXIST) return errno;
	}
	return EEXIST;
}

/* A file that was moved out must not come back after a loss of power: the next state no longer names it. */
static int move_away(const struct spool_reader *r, const char *name, bool damaged)
{
	char moved[SEGMENT_NAME_MAX + 8];
	int to_fd = spool_subdirectory(r->dir_fd, damaged ? "quarantine" : "delivered");
	int error = to_fd < 0 ? errno : move_into(r, to_fd, name, moved);
	if (error && error != ENOENT && !damaged) { /* it is delivered, and to remove a file takes no room */
		error = unlinkat(r->dir_fd, name, 0) < 0 ? errno : spool_sync_fd(r->dir_fd, false);
	}
	else if (!error) {
		if (damaged) error = spool_sync_fd(to_fd, false);
		if (!error) error = spool_sync_fd(r->dir_fd, false);
		if (!error && !damaged && unlinkat(to_fd, moved, 0) < 0 && errno != ENOENT) error = errno;
	}
	if (to_fd >= 0) close(to_fd);
	return error;
}

/* An .open file beside a sealed one (whoever compressed or recovered it has not come to remove it) would be taken for a segment once that has
 * gone. 0 or an errno. */
static int remove_left_over(const struct spool_reader *r, const struct segment *segment)
{
	char name[SEGMENT_NAME_MAX];
	if (!spool_reader_exists(r, segment, SEGMENT_SEALED) && !spool_reader_exists(r, segment, SEGMENT_COMPRESSED)) return 0;
	segment_name(name, segment, SEGMENT_OPEN);
	if (unlinkat(r->dir_fd, name, 0) < 0) return errno == ENOENT ? 0 : errno;
	return spool_sync_fd(r->dir_fd, false);
}

bool spool_reader_put_away(struct spool_reader *r, const char *stem, bool damaged)
{
	static const enum segment_form forms[] = { SEGMENT_SEALED, SEGMENT_COMPRESSED };
	struct segment segment;
	if (!spool_reader_find(r, stem, &segment)) return true;
	int left = remove_left_over(r, &segment);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		char name[SEGMENT_NAME_MAX];
		segment_name(name, &segment, forms[i]);
		int error = left ? left : move_away(r, name, damaged);
		if (!error || error == ENOENT) continue;
		diag_error("%s: putting away the segment %s: %s", r->path, name, strerror(error));
		return false;
	}
	return true;
}

void spool_reader_clear_delivered(struct spool_reader *r, const char *stem)
{
	static const char *const endings[] = { "ndjson", "ndjson.zst" };
	int fd = openat(r->dir_fd, "delivered", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) return;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		char name[SEGMENT_NAME_MAX];
		snprintf(name, sizeof name, "%s.%s", stem, endings[i]);
		unlinkat(fd, name, 0); /* most often it is not there */
	}
	close(fd);
}
