/* staging - opening, handing out what is sealed, keeping, closing. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "staging_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/writer.h"
#include "sink/spool.h"

/* --- opening ------------------------------------------------------------------ */

static enum diag_exit status_of(int error)
{
	return error == EIO || error == ENOSPC || error == EDQUOT ? EXIT_IO : EXIT_NO_OUTPUT;
}

static void make_parents(char *path)
{
	for (char *slash = path + strspn(path, "/"); (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST) die_errno(status_of(errno), "making the staging directory %s", path);
		*slash = '/';
	}
}

/* A directory that is a link could be made to point elsewhere while we are at work. */
static int open_ours(int at, const char *name, const char *path, bool or_roots)
{
	struct stat status;
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST) die_errno(status_of(errno), "making the staging directory %s", path);
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		die(EXIT_NO_OUTPUT, "opening the staging directory %s: it is a symbolic link or no directory", path);
	if (fd < 0 || fstat(fd, &status) < 0) die_errno(status_of(errno), "opening the staging directory %s", path);
	if (status.st_uid != geteuid() && !(or_roots && status.st_uid == 0))
		die(EXIT_NO_OUTPUT, "opening the staging directory %s: it belongs to user %u and not to us", path, (unsigned)status.st_uid);
	return fd;
}

static int open_base(const char *dir)
{
	struct span text = span_of(dir);
	while (text.length > 1 && text.data[text.length - 1] == '/') text.length--; /* with one at its end, a link would be followed */
	char *path = must_copy(text);
	make_parents(path);
	int fd = open_ours(AT_FDCWD, path, path, true);
	free(path);
	return fd;
}

/* For people only, so on a full disk it may stay away. */
static void write_target(const struct staging *s, const char *target)
{
	int fd = openat(s->dir_fd, "target", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) return;
	if (write_all(fd, span_of(target)) == 0) write_all(fd, SPAN("\n"));
	close(fd);
}

static void open_target(struct staging *s, const struct staging_options *options)
{
	char name[17];
	struct stat status;
	size_t room = strlen(options->dir) + sizeof name + 1;
	snprintf(name, sizeof name, "%016" PRIx64, checksum_of(span_of(options->target)));
	s->path = must_alloc(room);
	snprintf(s->path, room, "%s/%s", options->dir, name);
	s->dir_fd = open_ours(s->base_fd, name, s->path, false);
	if (fstat(s->dir_fd, &status) < 0 || ((status.st_mode & 077) && fchmod(s->dir_fd, 0700) < 0)) die_errno(EXIT_NO_OUTPUT, "opening the staging directory %s", s->path);
	write_target(s, options->target);
	s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (s->lock_fd < 0 || !staging_is_plain(s->lock_fd)) die_errno(status_of(errno), "opening %s/lock", s->path);
}

struct staging *staging_open(const struct staging_options *options)
{
	struct staging *s = must_alloc(sizeof *s);
	s->batch = options->batch;
	s->base_fd = open_base(options->dir);
	open_target(s, options);
	if (!staging_lock(s)) die(EXIT_NO_OUTPUT, "opening the staging directory %s: another process has it locked", s->path);
	staging_run_make(s);
	staging_adopt(s);
	staging_unlock(s);
	leftover_read_new(s);
	if (s->kept_back) diag_warn("%s: %" PRIu64 " files of a stream that was killed wait there for the next stream", s->path, s->kept_back);
	return s;
}

const char *staging_path(const struct staging *s)
{
	return s->path;
}

/* --- handing out -------------------------------------------------------------- */

/* 0, an errno, or EBADMSG: they are not what was sealed. */
static int check_data(int fd, const struct staging_record *r)
{
	struct checksum *sum = checksum_new();
	char *block = must_alloc(STAGING_BLOCK);
	ssize_t got = sum ? 1 : -1;
	for (off_t at = 0; got > 0; at += got) {
		do got = pread(fd, block, STAGING_BLOCK, at);
		while (got < 0 && errno == EINTR);
		if (got > 0) checksum_add(sum, (struct span){ block, (size_t)got });
	}
	int error = got < 0 ? errno : checksum_equal_wide(checksum_value_wide(sum), r->sum) ? 0 : EBADMSG;
	checksum_free(sum);
	free(block);
	return error;
}

/* Our own are as we have written them; a dead run's have perhaps not all been on disk when the machine went down. */
static int open_item(const struct staging_run *run, int number, struct staging_record *r, int *fd)
{
	int error = staging_read_item(run, number, r);
	if (error) return error;
	*fd = staging_open_data(run, number, r);
	error = *fd < 0 ? errno : run->own ? 0 : check_data(*fd, r);
	if (error && *fd >= 0) close(*fd);
	return error;
}

/* False: it is to be left where it is. */
static bool discard_item(const struct staging *s, struct staging_run *run, int number, struct staging_record *r, int error)
{
	bool is_damaged = error == EBADMSG && r->dir;
	if (is_damaged) {
		staging_set_aside(s, run, r, number);
		staging_unlink_all(run, number);
		run->left--;
	}
	else diag_error("reading %s/%s/%d.item: %s (it stays there)", s->path, run->name, number, strerror(error));
	staging_record_release(r);
	return is_damaged;
}

static struct staging_item *next_of(struct staging *s, struct staging_run *run)
{
	while (run->at < run->count) {
		struct staging_record r;
		int fd, *number = &run->numbers[run->at++], error = *number ? open_item(run, *number, &r, &fd) : 0;
		if (error && discard_item(s, run, *number, &r, error)) *number = 0;
		if (error || !*number) continue;
		struct staging_item *item = must_alloc(sizeof *item);
		*item = (struct staging_item){ .dir = r.dir, .name = r.name, .temp = r.temp, .bytes = r.bytes, .raw_bytes = r.raw_bytes, .records = r.records,
			.number = *number, .run = run, .adopted = !run->own, .stream = run->stream, .fd = fd };
		return item;
	}
	return NULL;
}

static bool adopt_more(struct staging *s)
{
	if (!s->more || s->run_count == STAGING_RUNS_MAX || !staging_lock(s)) return false;
	size_t before = s->run_count;
	staging_adopt(s);
	staging_unlock(s);
	leftover_read_new(s);
	return s->run_count > before;
}

struct staging_item *staging_next(struct staging *s)
{
	do {
		for (size_t i = 0; i < s->run_count; i++) {
			struct staging_item *item = next_of(s, s->runs[i]);
			if (item) return item;
		}
	} while (adopt_more(s));
	return next_of(s, &s->own);
}

static void item_free(struct staging_item *item)
{
	close(item->fd);
	free(item->dir);
	free(item->name);
	free(item->temp);
	free(item);
}

void staging_put_back(struct staging *s, struct staging_item *item)
{
	(void)s;
	item_free(item);
}

void staging_done(struct staging *s, struct staging_item *item)
{
	struct staging_run *run = item->run;
	size_t i = run->at - 1; /* it was the last to be handed out, or nearly */
	while (run->numbers[i] != item->number) i--;
	run->numbers[i] = 0;
	run->left--;
	staging_unlink_all(run, item->number);
	item_free(item);
	staging_run_leave(s, run);
}

/* --- what is left ------------------------------------------------------------- */

static void add_up(const struct staging_run *run, struct staging_sum *sum)
{
	for (size_t i = 0; i < run->count; i++) {
		struct staging_record r;
		if (!run->numbers[i]) continue;
		sum->files++; /* also one that cannot be read */
		if (staging_read_item(run, run->numbers[i], &r) != 0) continue;
		sum->records += r.records;
		sum->bytes += r.bytes;
		staging_record_release(&r);
	}
}

struct staging_sum staging_left(struct staging *s, bool adopted)
{
	struct staging_sum sum = { 0 };
	if (!adopted) add_up(&s->own, &sum);
	for (size_t i = 0; adopted && i < s->run_count; i++) add_up(s->runs[i], &sum);
	return sum;
}

uint64_t staging_leftover_count(const struct staging *s)
{
	uint64_t count = s->kept_back;
	for (const struct staging_leftover *l = s->leftovers; l; l = l->next) count++;
	return count;
}

static int sync_run(const struct staging_run *run)
{
	int error = 0, fd = openat(run->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) return errno;
	for (struct dirent *entry; !error && (entry = readdir(dir));) {
		int number;
		enum staging_kind kind;
		if (!staging_parse_name(entry->d_name, &number, &kind)) continue;
		int file = staging_open_file(run, number, kind, O_RDONLY);
		if (file < 0) continue; /* not ours */
		error = spool_sync_fd(file, false);
		close(file);
	}
	closedir(dir);
	return error ? error : spool_sync_fd(run->dir_fd, false);
}

bool staging_keep(struct staging *s)
{
	int error = sync_run(&s->own);
	for (size_t i = 0; !error && i < s->run_count; i++) error = sync_run(s->runs[i]);
	if (!error) error = spool_sync_fd(s->dir_fd, false);
	if (!error) error = spool_sync_fd(s->base_fd, false);
	if (error) diag_error("synchronising %s: %s", s->path, strerror(error));
	return !error;
}

/* Without the lock, what is empty stays for the next run to remove. */
void staging_close(struct staging *s)
{
	bool locked = staging_lock(s);
	while (s->leftovers) {
		struct staging_leftover *l = s->leftovers;
		s->leftovers = l->next;
		free(l->dir);
		free(l);
	}
	staging_run_sort_out(s, &s->own);
	if (!locked) s->own.kept_back = true;
	staging_run_remove(s, &s->own);
	for (size_t i = 0; i < s->run_count; i++) {
		if (!locked) s->runs[i]->kept_back = true;
		staging_run_remove(s, s->runs[i]);
	}
	close(s->lock_fd);
	close(s->dir_fd);
	close(s->base_fd);
	free(s->path);
	free(s);
}
