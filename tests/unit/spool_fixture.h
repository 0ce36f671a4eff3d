/* spool_fixture - a directory for a spool, what is said on standard error, and all lines that are in it, for the unit tests of the spool. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_SPOOL_FIXTURE_H
#define TESTS_UNIT_SPOOL_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "sink/segment.h"
#include "sink/spool.h"

struct fixture {
	char root[64], path[96];
	char said[4096];        /* on standard error by the last open_spool */
	int status;             /* of the last open_spool that gave none */
	struct spool_options options;
};

static inline void remove_all(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlinkat(fd, entry->d_name, 0) < 0) remove_all(fd, entry->d_name);
	if (dir) closedir(dir);
	unlinkat(at, name, AT_REMOVEDIR);
}

static inline int open_fixture(void **state)
{
	static struct fixture f;
	const char *base = getenv("TMPDIR");
	if (!base || strlen(base) > 40) base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* some of these sync a thousand times */
	snprintf(f.root, sizeof f.root, "%.40s/metlog-spool-XXXXXX", base);
	if (!mkdtemp(f.root)) return -1;
	snprintf(f.path, sizeof f.path, "%s/spool", f.root);
	f.options = spool_defaults;
	f.options.reserve_bytes = 0;
	f.options.sync_ms = 3600000; /* only what a test asks for */
	f.options.segment_ms = 0;
	*state = &f;
	return 0;
}

static inline int close_fixture(void **state)
{
	struct fixture *f = *state;
	remove_all(AT_FDCWD, f->root);
	return 0;
}

/* Standard error goes to a file from said_begin to said_end. */
static inline int said_begin(const struct fixture *f)
{
	char path[128];
	snprintf(path, sizeof path, "%s/said", f->root);
	int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10), fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	close(fd);
	return kept;
}

static inline void said_end(struct fixture *f, int kept)
{
	ssize_t got = pread(STDERR_FILENO, f->said, sizeof f->said - 1, 0);
	f->said[got > 0 ? got : 0] = '\0';
	dup2(kept, STDERR_FILENO);
	close(kept);
}

static inline struct spool *open_spool(struct fixture *f)
{
	int kept = said_begin(f);
	struct spool *s = spool_try_open(f->path, &f->options, &f->status);
	said_end(f, kept);
	return s;
}

static inline enum spool_result close_spool(struct fixture *f, struct spool *s)
{
	int kept = said_begin(f);
	enum spool_result result = spool_close(s);
	said_end(f, kept);
	return result;
}

/* Line i of every test: an envelope whose length varies with i. */
static inline struct span line_of(char line[256], uint64_t i)
{
	int length = snprintf(line, 256, "{\"type\":\"t\",\"payload\":\"%llu %.*s\"}", (unsigned long long)i, (int)(i * 7 % 50), "..................................................");
	return (struct span){ line, (size_t)length };
}

static inline enum spool_result append_line(struct spool *s, uint64_t i)
{
	char line[256];
	return spool_append(s, line_of(line, i));
}

/* All bodies, in order; -1 if anything in a sealed segment is not as its trailer says. */
static inline int read_spool(const struct fixture *f, struct buffer *all)
{
	int dir_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0, more;
	struct segment_list list;
	struct segment segment;
	buffer_clear(all);
	segment_list_init(&list, dir_fd);
	while ((more = segment_list_next(&list, &segment)) > 0) {
		struct segment_reader *reader = segment_reader_open(dir_fd, &segment, 1 << 20);
		enum segment_read read = SEGMENT_ERROR;
		struct span lines;
		while (reader && (read = segment_reader_next(reader, &lines)) == SEGMENT_LINES) buffer_append_span(all, lines);
		if (read != SEGMENT_END) result = -1;
		if (reader) segment_reader_free(reader);
	}
	close(dir_fd);
	return more < 0 || all->failed ? -1 : result;
}

/* Whether the spool holds lines [from, from + count), each once and in order, and nothing else. */
static inline bool holds(const struct fixture *f, uint64_t from, uint64_t count)
{
	struct buffer all;
	char line[256];
	buffer_init(&all, 64 << 20);
	bool right = read_spool(f, &all) == 0;
	size_t at = 0;
	for (uint64_t i = from; right && i < from + count; i++) {
		struct span wanted = line_of(line, i);
		right = all.length - at > wanted.length && memcmp(all.data + at, wanted.data, wanted.length) == 0 && all.data[at + wanted.length] == '\n';
		at += wanted.length + 1;
	}
	right = right && at == all.length;
	buffer_release(&all);
	return right;
}

/* How many names in the directory (or in one of its directories) end like this. */
static inline size_t count_files(const struct fixture *f, const char *directory, const char *end)
{
	char path[160];
	size_t count = 0;
	snprintf(path, sizeof path, "%s/%s", f->path, directory);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		size_t length = strlen(entry->d_name), tail = strlen(end);
		count += length >= tail && strcmp(entry->d_name + length - tail, end) == 0 && strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	}
	if (dir) closedir(dir);
	return count;
}

/* The first name in the directory that ends like this, with its path; false if there is none. */
static inline bool find_file(const struct fixture *f, const char *directory, const char *end, char path[500])
{
	char place[160];
	bool found = false;
	snprintf(place, sizeof place, "%s/%s", f->path, directory);
	DIR *dir = opendir(place);
	for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
		size_t length = strlen(entry->d_name), tail = strlen(end);
		found = length >= tail && entry->d_name[0] != '.' && strcmp(entry->d_name + length - tail, end) == 0;
		if (found) snprintf(path, 500, "%s/%s", place, entry->d_name);
	}
	if (dir) closedir(dir);
	return found;
}

static inline bool write_file(const char *path, struct span content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool written = fd >= 0 && write(fd, content.data, content.length) == (ssize_t)content.length;
	if (fd >= 0) close(fd);
	return written;
}

static inline bool read_file(const char *path, struct buffer *content)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	buffer_clear(content);
	if (fd < 0) return false;
	char block[4096];
	for (ssize_t got; (got = read(fd, block, sizeof block)) > 0;) buffer_append(content, block, (size_t)got);
	close(fd);
	return !content->failed;
}

#endif
