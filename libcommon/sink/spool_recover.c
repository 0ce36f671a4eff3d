/* spool_recover - what a crash has left open is sealed: good lines are kept, all else goes to quarantine/, and nothing is ever lost. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"
#include "sink/spool_salvage.h"

/* Every step can be the last one before the next crash, and the next recovery then comes to the same end:
 *     quarantine/STEM.N   is made under a temporary name, synced, and gets its name before anything is cut or removed;
 *     the sealed name     is given once all behind it is synced; the .open file goes after that, when the directory is synced. */

static bool give_up(struct salvage *v, const char *what, int error, int *status)
{
	diag_error("recovering %s of the spool %s: %s: %s%s", v->open_name, v->path, what, strerror(error),
		spool_is_shortage(error) ? " (nothing is lost: it is done when there is room again)" : "");
	*status = EXIT_IO;
	return false;
}

static int sync_directory(const struct salvage *v)
{
	return spool_sync_fd(v->dir_fd, false);
}

/* The name of what it became may be in the directory and not on disk yet. */
static int remove_open(const struct salvage *v)
{
	int error = sync_directory(v);
	if (error) return error;
	if (unlinkat(v->dir_fd, v->open_name, 0) < 0 && errno != ENOENT) return errno;
	return sync_directory(v);
}

/* Its right trailer is made sure of, and then its sealed name. */
static int seal_in_place(struct salvage *v)
{
	char name[SEGMENT_NAME_MAX];
	int error = salvage_rewrite(v);
	if (!error && !v->has_trailer) error = salvage_trailer(v, v->fd, (off_t)v->good.bytes);
	if (!error) error = spool_sync_fd(v->fd, false);
	if (error) return error;
	segment_name(name, &v->segment, SEGMENT_SEALED);
	if (renameat(v->dir_fd, v->open_name, v->dir_fd, name) < 0) return errno;
	return sync_directory(v);
}

/* The good lines become a file of their own. */
static int seal_copy(struct salvage *v)
{
	char temporary[SPOOL_NAME_MAX], name[SEGMENT_NAME_MAX];
	spool_temporary_name(temporary, v->segment.stem, "ndjson");
	segment_name(name, &v->segment, SEGMENT_SEALED);
	int to = openat(v->dir_fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0) return errno;
	int error = salvage_copy_lines(v, to, true);
	if (!error) error = salvage_trailer(v, to, (off_t)v->good.bytes);
	if (!error) error = spool_sync_fd(to, false);
	if (close(to) < 0 && !error && errno != EINTR) error = errno;
	if (!error && renameat(v->dir_fd, temporary, v->dir_fd, name) < 0) error = errno;
	if (error) {
		unlinkat(v->dir_fd, temporary, 0);
		return error;
	}
	return remove_open(v);
}

/* What stands behind the last newline was never whole: kept in quarantine, then cut. */
static int cut_tail(struct salvage *v)
{
	if (v->whole == v->size) return 0;
	int error = salvage_quarantine(v, v->whole, v->size);
	if (error) return error;
	int result;
	do result = ftruncate(v->fd, (off_t)v->whole);
	while (result < 0 && errno == EINTR);
	if (result < 0) return errno;
	v->size = v->whole;
	return 0;
}

static bool recover_content(struct salvage *v, int *status)
{
	int error = salvage_find_end(v);
	if (!error && v->whole) error = cut_tail(v);
	if (!error && v->whole) error = salvage_judge(v);
	if (error) return give_up(v, "reading it", error, status);
	spool_note_write(v);
	if (!v->good.records) {
		bool nothing = v->size == 0 || (v->has_trailer && !v->bad_pieces);
		error = nothing ? remove_open(v) : salvage_quarantine_file(v, v->open_name);
	}
	else if (v->bad_pieces) {
		error = salvage_quarantine(v, UINT64_MAX, UINT64_MAX);
		if (!error) error = seal_copy(v);
	}
	else error = seal_in_place(v);
	return error ? give_up(v, "sealing it", error, status) : true;
}

/* A sealed file of the same stem: the .open one is what compressing or copying it left behind, if the sealed one is whole.
 * If it is not, it goes to quarantine, and the .open one is what we have. */
static bool recover_beside(struct salvage *v, enum segment_form form, bool *done, int *status)
{
	char name[SEGMENT_NAME_MAX];
	struct segment sealed = v->segment;
	struct segment_trailer sum;
	struct stat there;
	const char *reason = "";
	segment_name(name, &v->segment, form);
	if (*done || fstatat(v->dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) < 0) return true;
	sealed.form = form;
	errno = 0;
	enum segment_read read = segment_check(v->dir_fd, &sealed, SALVAGE_LINE_MAX, &sum, &reason);
	if (read == SEGMENT_ERROR) return give_up(v, name, errno ? errno : EIO, status);
	*done = read == SEGMENT_END;
	int error = *done ? remove_open(v) : salvage_quarantine_file(v, name);
	return error ? give_up(v, name, error, status) : true;
}

/* A consumer may have finished with a compressed segment before its .open file was removed: where those are kept, it shows. */
static bool is_done_with(const struct salvage *v, const char *directory)
{
	char path[SEGMENT_NAME_MAX + 16];
	char name[SEGMENT_NAME_MAX];
	struct stat there;
	static const enum segment_form forms[] = { SEGMENT_SEALED, SEGMENT_COMPRESSED };
	for (int i = 0; i < 2; i++) {
		segment_name(name, &v->segment, forms[i]);
		snprintf(path, sizeof path, "%s/%s", directory, name);
		if (fstatat(v->dir_fd, path, &there, AT_SYMLINK_NOFOLLOW) == 0) return true;
	}
	return false;
}

static bool recover_opened(struct salvage *v, int *status)
{
	bool done = false;
	if (is_done_with(v, "delivered") || is_done_with(v, "failed")) {
		int error = remove_open(v);
		return error ? give_up(v, "removing it", error, status) : true;
	}
	if (!recover_beside(v, SEGMENT_COMPRESSED, &done, status) || !recover_beside(v, SEGMENT_SEALED, &done, status)) return false;
	return done || recover_content(v, status);
}

static void tell(const struct salvage *v)
{
	if (!v->pieces && !v->good.records) return;
	if (v->pieces)
		diag_warn("%s: recovered %s: %" PRIu64 " envelopes kept, %" PRIu64 " %s (%" PRIu64 " bytes) that %s no whole envelope moved to quarantine/%s", v->path,
			v->open_name, v->good.records, v->pieces, v->pieces == 1 ? "piece" : "pieces", v->pieces_bytes, v->pieces == 1 ? "is" : "are", v->last_piece);
	else diag_warn("%s: recovered %s, left open by a crash: %" PRIu64 " envelopes kept", v->path, v->open_name, v->good.records);
}

static bool recover_one(int dir_fd, const char *path, const struct segment *segment, struct spool_recovered *found, int *status)
{
	struct salvage v;
	int error = salvage_open(&v, dir_fd, path, segment);
	if (error == ENOENT) return true;
	if (error) {
		bool strange = error == ELOOP || error == EPERM;
		diag_error("recovering %s/%s: %s", path, v.open_name, strange ? "it is a link or no plain file of ours; remove it" : strerror(error));
		*status = strange ? EXIT_NO_OUTPUT : EXIT_IO;
		return false;
	}
	bool recovered = recover_opened(&v, status);
	if (recovered) tell(&v);
	found->records += v.good.records;
	found->pieces += v.pieces;
	found->pieces_bytes += v.pieces_bytes;
	salvage_close(&v);
	return recovered;
}

/* --- the directory --- */

/* One look through the directory: left-over temporary files of a writer go, and the oldest .open file is found. 0 or an errno. */
static int look_through(int dir_fd, struct segment *oldest, bool *any)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct segment segment;
	*any = false;
	if (!dir) return errno;
	errno = 0;
	for (struct dirent *entry; (entry = readdir(dir)); errno = 0) {
		if (spool_is_temporary(entry->d_name)) unlinkat(dir_fd, entry->d_name, 0);
		if (!segment_parse(&segment, entry->d_name) || segment.form != SEGMENT_OPEN) continue;
		if (!*any || strcmp(segment.stem, oldest->stem) < 0) *oldest = segment;
		*any = true;
	}
	int error = errno;
	closedir(dir);
	return error;
}

bool spool_recover(int dir_fd, const char *path, struct spool_recovered *found, int *status)
{
	*found = (struct spool_recovered){ 0 };
	/* There is one at most, as long as nobody meddles; each turn takes one away. */
	for (;;) {
		struct segment segment;
		bool any;
		int error = look_through(dir_fd, &segment, &any);
		if (error) {
			diag_error("recovering the spool %s: %s", path, strerror(error));
			*status = EXIT_IO;
			return false;
		}
		if (!any) return true;
		if (!recover_one(dir_fd, path, &segment, found, status)) return false;
	}
}
