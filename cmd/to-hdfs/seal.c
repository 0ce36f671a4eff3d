/* seal - makes the lines of a partition a file to be published: compressed, described, and in place by one rename. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "staging_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/writer.h"
#include "sink/compress.h"

struct seal {
	const struct partitions_options *options;
	enum partitions_pack pack;
	struct compress *compress;     /* one for all files; made for the first */
	struct checksum *sum;          /* of what comes out */
	char *in, *out;                /* a block each */
};

struct seal *seal_new(const struct partitions_options *options)
{
	struct seal *s = must_alloc(sizeof *s);
	*s = (struct seal){ .options = options, .pack = options->pack };
	return s;
}

void seal_free(struct seal *s)
{
	if (!s) return;
	compress_free(s->compress);
	checksum_free(s->sum);
	free(s->in);
	free(s);
}

const char *seal_extension(const struct seal *s)
{
	return s->pack == PACK_GZIP ? ".ndjson.gz" : s->pack == PACK_ZSTD ? ".ndjson.zst" : ".ndjson";
}

static bool is_ready(struct seal *s)
{
	if (s->in) return true;
	if (!s->compress && s->pack == PACK_ZSTD) s->compress = compress_new(s->options->level);
	if (!s->compress && s->pack == PACK_GZIP) s->compress = compress_new_gzip(s->options->level);
	if (!s->sum) s->sum = checksum_new();
	if ((!s->compress && s->pack != PACK_NONE) || !s->sum) return false;
	s->in = must_alloc(2 * STAGING_BLOCK);
	s->out = s->in + STAGING_BLOCK;
	return true;
}

/* --- the data ----------------------------------------------------------------- */

struct output {
	struct seal *seal;
	int fd;
	uint64_t bytes;
};

static int put(struct output *o, struct span bytes)
{
	o->bytes += bytes.length;
	checksum_add(o->seal->sum, bytes);
	return write_all(o->fd, bytes);
}

static int put_packed(struct output *o, struct span lines, bool end)
{
	struct seal *s = o->seal;
	if (s->pack == PACK_NONE) return put(o, lines);
	for (bool done = false; !done;) {
		size_t length = compress_step(s->compress, &lines, end, s->out, STAGING_BLOCK, &done);
		if (length == SIZE_MAX) return ENOMEM;
		int error = length ? put(o, (struct span){ s->out, length }) : 0;
		if (error) return error;
	}
	return 0;
}

static bool goes_on(const struct seal *s, uint64_t done, uint64_t of)
{
	return !s->options->on_seal || s->options->on_seal(s->options->context, done, of);
}

static int put_file(struct output *o, int from, uint64_t bytes, uint64_t of)
{
	for (uint64_t at = 0; at < bytes;) {
		uint64_t rest = bytes - at;
		ssize_t got = pread(from, o->seal->in, rest < STAGING_BLOCK ? (size_t)rest : STAGING_BLOCK, (off_t)at);
		if (got < 0 && errno == EINTR) continue;
		if (got <= 0) return got < 0 ? errno : EIO; /* somebody has cut our file */
		at += (uint64_t)got;
		int error = put_packed(o, (struct span){ o->seal->in, (size_t)got }, false);
		if (error) return error;
		if (at < of && !goes_on(o->seal, at, of)) return ECANCELED; /* the end is told once, by who has written all */
	}
	return 0;
}

static int write_data(struct seal *s, const struct seal_lines *lines, int from, struct output *o)
{
	uint64_t bytes = lines->file_bytes + lines->tail.length;
	checksum_reset(s->sum);
	if (s->compress && !compress_begin(s->compress, bytes)) return ENOMEM;
	int error = lines->file_bytes ? put_file(o, from, lines->file_bytes, bytes) : 0;
	if (!error) error = put_packed(o, lines->tail, true);
	return error ? error : goes_on(s, bytes, bytes) ? 0 : ECANCELED;
}

static int make_data(struct seal *s, const struct seal_lines *lines, struct staging_record *item)
{
	int from = lines->file_bytes ? staging_open_file(lines->run, lines->number, STAGING_LINES, O_RDONLY) : -1;
	if (lines->file_bytes && from < 0) return errno;
	struct output o = { .seal = s, .fd = staging_make_file(lines->run, lines->number, STAGING_DATA) };
	int error = o.fd < 0 ? errno : write_data(s, lines, from, &o);
	if (from >= 0) close(from);
	if (o.fd >= 0 && close(o.fd) < 0 && !error && errno != EINTR) error = errno;
	if (error) staging_unlink(lines->run, lines->number, STAGING_DATA);
	item->data = STAGING_DATA;
	item->bytes = o.bytes;
	item->sum = checksum_value_wide(s->sum);
	return error;
}

/* Nothing to compress, and all of it in the file: that is what will be published, where it is. */
static int take_lines(const struct seal_lines *lines, struct staging_record *item)
{
	struct stat status;
	int fd = staging_open_file(lines->run, lines->number, STAGING_LINES, O_RDWR);
	if (fd < 0) return errno;
	int error = fstat(fd, &status) < 0 ? errno : (uint64_t)status.st_size < lines->file_bytes ? EIO : 0;
	if (!error && (uint64_t)status.st_size > lines->file_bytes && ftruncate(fd, (off_t)lines->file_bytes) < 0) error = errno; /* a line that was not written whole */
	close(fd);
	item->data = STAGING_LINES;
	item->bytes = lines->file_bytes;
	item->sum = lines->sum;
	return error;
}

/* --- the item ----------------------------------------------------------------- */

int seal_lines(struct seal *s, const struct staging *staging, const struct seal_lines *lines)
{
	char *temp;
	if (!is_ready(s)) return ENOMEM;
	struct staging_record item = { .dir = (char *)lines->dir, .name = (char *)lines->name, .raw_bytes = lines->file_bytes + lines->tail.length, .records = lines->records };
	int error = s->pack == PACK_NONE && lines->file_bytes && lines->tail.length == 0 ? take_lines(lines, &item) : make_data(s, lines, &item);
	if (error) return error;
	if (asprintf(&temp, ".%s.%s.tmp", lines->name, staging->id) < 0) temp = NULL;
	item.temp = temp;
	error = temp ? staging_write_item(lines->run, lines->number, &item) : ENOMEM;
	free(temp);
	if (error) {
		if (item.data == STAGING_DATA) staging_unlink(lines->run, lines->number, STAGING_DATA);
		return error;
	}
	if (item.data == STAGING_DATA && lines->file_bytes) staging_unlink(lines->run, lines->number, STAGING_LINES);
	if (lines->file_bytes) staging_unlink(lines->run, lines->number, STAGING_DIR);
	staging_run_add(lines->run, lines->number);
	return 0;
}
