/* staging_fixture - a staging directory, runs that die in it, and what they leave, for the unit tests of metlog-to-hdfs. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_STAGING_FIXTURE_H
#define TESTS_UNIT_STAGING_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/diag.h"
#include "partition.h"

struct fixture {
	char top[64], dir[80];
	struct partitions_options options;
	struct staging *staging;
	struct partitions *partitions;
};

static inline int open_fixture(void **state)
{
	static struct fixture f;
	const char *tmp = getenv("TMPDIR");
	diag_init("metlog-to-hdfs");
	diag_set_quiet(true);
	snprintf(f.top, sizeof f.top, "%.40s/staging.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f.top)) return -1;
	snprintf(f.dir, sizeof f.dir, "%s/s", f.top);
	f.options = (struct partitions_options){ .rotate_bytes = 1 << 30, .rotate_ms = 3600000, .open_limit = 4, .partition_limit = 100 };
	f.staging = NULL;
	f.partitions = NULL;
	*state = &f;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static inline int close_fixture(void **state)
{
	struct fixture *f = *state;
	return nftw(f->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void begin(struct fixture *f)
{
	f->staging = staging_open(&(struct staging_options){ .dir = f->dir, .target = "file:/srv", .batch = f->options.batch });
	f->partitions = partitions_new(&f->options, f->staging);
}

static inline void end(struct fixture *f)
{
	partitions_free(f->partitions);
	staging_close(f->staging);
}

static inline void put(struct fixture *f, const char *dir, const char *line)
{
	assert_true(partitions_append(f->partitions, span_of(dir), span_of(line)));
}

static inline void put_lines(struct fixture *f, const char *dir, int first, int last)
{
	char line[64];
	for (int i = first; i <= last; i++) {
		snprintf(line, sizeof line, "{\"n\":%d}", i);
		put(f, dir, line);
	}
}

/* The text of an item: "DIR/NAME RECORDS: LINES"; of what is compressed no lines. Published then. */
static inline bool take(struct fixture *f, char *text, size_t size)
{
	struct staging_item *item = staging_next(f->staging);
	if (!item) return false;
	int length = snprintf(text, size, "%s/%s %" PRIu64 ": ", item->dir, item->name, item->records);
	struct stat status;
	assert_int_equal(fstat(item->fd, &status), 0);
	assert_int_equal(status.st_size, item->bytes);
	if (item->bytes == item->raw_bytes) {
		ssize_t got = pread(item->fd, text + length, size - (size_t)length - 1, 0);
		assert_true(got >= 0);
		text[length + got] = '\0';
	}
	staging_done(f->staging, item);
	return true;
}

static inline void taken(struct fixture *f, const char *expected)
{
	char text[4096];
	assert_true(take(f, text, sizeof text));
	assert_string_equal(text, expected);
}

static inline void nothing_taken(struct fixture *f)
{
	char text[4096] = "";
	if (take(f, text, sizeof text)) fail_msg("there is '%s'", text);
}

/* Only the lines count: what is behind ": ". */
static inline void taken_lines(struct fixture *f, const char *expected)
{
	char text[4096];
	assert_true(take(f, text, sizeof text));
	assert_string_equal(strstr(text, ": ") + 2, expected);
}

/* Messages that a test brings about on purpose. */
static inline void silence(bool on)
{
	static int saved = -1;
	fflush(stderr);
	if (on) {
		saved = dup(STDERR_FILENO);
		int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		assert_true(saved >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
		close(fd);
	}
	else {
		assert_true(dup2(saved, STDERR_FILENO) >= 0);
		close(saved);
	}
}

/* A run that is killed behind `work`: its files stay, its lock is free. */
static inline void die_after(struct fixture *f, void (*work)(struct fixture *))
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		begin(f);
		work(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline int exit_status_of(struct fixture *f)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr)) _exit(99);
		begin(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* "DIR/NAME" of the only directory there whose name begins so. */
static inline const char *only(const char *dir, const char *start)
{
	static char path[2][900];
	static int turn;
	char *found = path[turn ^= 1];
	int count = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (strncmp(e->d_name, start, strlen(start)) != 0 || *e->d_name == '.') continue;
		snprintf(found, sizeof path[0], "%s/%s", dir, e->d_name);
		count++;
	}
	closedir(d);
	assert_int_equal(count, 1);
	return found;
}

static inline size_t entries(const char *dir)
{
	size_t count = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return count;
}

static inline const char *target_dir(struct fixture *f)
{
	static char path[512];
	DIR *d = opendir(f->dir);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		if (strlen(e->d_name) == 16) snprintf(path, sizeof path, "%s/%.16s", f->dir, e->d_name);
	closedir(d);
	return path;
}

/* A file in the directory of the only run there is. */
static inline const char *run_file(struct fixture *f, const char *name)
{
	static char path[2][1000];
	static int turn;
	turn ^= 1;
	snprintf(path[turn], sizeof path[0], "%s/%s", only(target_dir(f), "run-"), name);
	return path[turn];
}

/* No run is left: `lock` and `target` are all there is. */
static inline void nothing_left(struct fixture *f)
{
	assert_int_equal(entries(target_dir(f)), 2);
}

static inline void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void append_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "a");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

#endif
