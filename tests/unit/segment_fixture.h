/* segment_fixture - segments written by hand into a directory of their own, and what a reader gives of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_SEGMENT_FIXTURE_H
#define TESTS_UNIT_SEGMENT_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.h"
#include "envelope/scan.h"
#include "sink/compress.h"
#include "sink/segment.h"

struct fixture {
	char path[64];
	int dir_fd;
	struct segment segment;
	struct buffer body, file;  /* file: body and trailer */
	struct buffer text;        /* what harvest was given */
	const char *reason;
	struct segment_trailer sum;
};

static inline int open_fixture(void **state)
{
	static struct fixture f;
	const char *base = getenv("TMPDIR");
	snprintf(f.path, sizeof f.path, "%.40s/metlog-segment-XXXXXX", base && strlen(base) <= 40 ? base : "/tmp");
	if (!mkdtemp(f.path)) return -1;
	f.dir_fd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	segment_make(&f.segment, 42, 1349438401000000000);
	buffer_init(&f.body, 64 << 20);
	buffer_init(&f.file, 64 << 20);
	buffer_init(&f.text, 64 << 20);
	*state = &f;
	return f.dir_fd < 0 ? -1 : 0;
}

static inline int close_fixture(void **state)
{
	struct fixture *f = *state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", f->path);
	close(f->dir_fd);
	buffer_release(&f->body);
	buffer_release(&f->file);
	buffer_release(&f->text);
	return system(command);
}

static inline void write_name(const struct fixture *f, const char *name, struct span bytes, int flags)
{
	int fd = openat(f->dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	for (size_t at = 0; at < bytes.length;) {
		ssize_t written = write(fd, bytes.data + at, bytes.length - at);
		if (written <= 0) abort();
		at += (size_t)written;
	}
	if (fd < 0 || close(fd) < 0) abort();
}

static inline void write_form(const struct fixture *f, enum segment_form form, struct span bytes)
{
	char name[SEGMENT_NAME_MAX];
	segment_name(name, &f->segment, form);
	write_name(f, name, bytes, O_TRUNC);
}

static inline void append_open(const struct fixture *f, struct span bytes)
{
	char name[SEGMENT_NAME_MAX];
	segment_name(name, &f->segment, SEGMENT_OPEN);
	write_name(f, name, bytes, O_APPEND);
}

static inline void rename_form(const struct fixture *f, enum segment_form from, enum segment_form to)
{
	char name[SEGMENT_NAME_MAX], target[SEGMENT_NAME_MAX];
	segment_name(name, &f->segment, from);
	segment_name(target, &f->segment, to);
	if (renameat(f->dir_fd, name, f->dir_fd, target) < 0) abort();
}

static inline void remove_form(const struct fixture *f, enum segment_form form)
{
	char name[SEGMENT_NAME_MAX];
	segment_name(name, &f->segment, form);
	unlinkat(f->dir_fd, name, 0);
}

static inline void append_trailer(struct buffer *out, const char *stem, struct span body)
{
	struct segment_trailer trailer = { .bytes = body.length, .checksum = checksum_of(body) };
	for (size_t i = 0; i < body.length; i++) trailer.records += body.data[i] == '\n';
	segment_trailer_append(out, stem, &trailer);
}

/* f->file: the body with the trailer that fits it. */
static inline void seal(struct fixture *f)
{
	buffer_clear(&f->file);
	buffer_append_span(&f->file, buffer_span(&f->body));
	append_trailer(&f->file, f->segment.stem, buffer_span(&f->body));
}

static inline void make_body(struct fixture *f, unsigned lines)
{
	char line[64];
	buffer_clear(&f->body);
	for (unsigned i = 1; i <= lines; i++) buffer_append(&f->body, line, (size_t)snprintf(line, sizeof line, "{\"payload\":\"line %u\"}\n", i));
	seal(f);
}

/* zstd, in frames of at most `frame` bytes, by steps with little room. */
static inline void deflate(struct buffer *out, struct span bytes, size_t frame)
{
	struct compress *c = compress_new(3);
	char block[100];
	buffer_clear(out);
	while (bytes.length) {
		struct span part = { bytes.data, bytes.length < frame ? bytes.length : frame };
		bytes.data += part.length, bytes.length -= part.length;
		for (bool done = false; !done;) {
			size_t written = compress_step(c, &part, true, block, sizeof block, &done);
			if (written > sizeof block) abort();
			buffer_append(out, block, written);
		}
	}
	compress_free(c);
}

/* Reads on until something else than lines comes; the lines are appended to f->text. */
static inline enum segment_read gather(struct fixture *f, struct segment_reader *r)
{
	struct span lines;
	enum segment_read result;
	while ((result = segment_reader_next(r, &lines)) == SEGMENT_LINES) {
		if (!lines.length || lines.data[lines.length - 1] != '\n') abort();
		for (size_t i = 0; i < SCAN_PADDING; i++) (void)*(const volatile char *)(lines.data + lines.length + i); /* a sanitizer would tell */
		buffer_append_span(&f->text, lines);
	}
	if (lines.length) abort();
	f->reason = segment_reader_reason(r);
	f->sum = *segment_reader_sum(r);
	return result;
}

/* SEGMENT_ERROR: it could not be opened. */
static inline enum segment_read harvest(struct fixture *f, enum segment_form form, size_t limit)
{
	buffer_clear(&f->text);
	f->segment.form = form;
	struct segment_reader *r = segment_reader_open(f->dir_fd, &f->segment, limit);
	if (!r) return SEGMENT_ERROR;
	enum segment_read result = gather(f, r);
	if (form != SEGMENT_OPEN && gather(f, r) != result) abort(); /* and it stays so */
	segment_reader_free(r);
	return result;
}

#endif
