/* compress_gzip - the only file that knows zlib: gzip files, the same bytes for the same input. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/compress_private.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 }; /* 16: a gzip header, which zlib writes without a time or a name */

struct compress_gzip {
	struct compress kind;
	z_stream stream;
	bool ended;
};

static bool gzip_begin(struct compress *kind, uint64_t bytes)
{
	struct compress_gzip *c = (struct compress_gzip *)kind;
	(void)bytes;
	c->ended = false;
	return deflateReset(&c->stream) == Z_OK;
}

static size_t gzip_step(struct compress *kind, struct span *in, bool end, char *out, size_t room, bool *done)
{
	struct compress_gzip *c = (struct compress_gzip *)kind;
	*done = false;
	if (c->ended && !gzip_begin(kind, UINT64_MAX)) return SIZE_MAX;
	unsigned input = in->length > UINT_MAX ? UINT_MAX : (unsigned)in->length, output = room > UINT_MAX ? UINT_MAX : (unsigned)room;
	bool last = end && input == in->length;
	c->stream.next_in = (const Bytef *)in->data;
	c->stream.avail_in = input;
	c->stream.next_out = (Bytef *)out;
	c->stream.avail_out = output;
	int result = deflate(&c->stream, last ? Z_FINISH : Z_NO_FLUSH);
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return SIZE_MAX; /* Z_BUF_ERROR: there was nothing to do */
	in->data += input - c->stream.avail_in;
	in->length -= input - c->stream.avail_in;
	c->ended = result == Z_STREAM_END;
	*done = in->length == 0 && (!end || c->ended);
	return output - c->stream.avail_out;
}

static void gzip_release(struct compress *kind)
{
	struct compress_gzip *c = (struct compress_gzip *)kind;
	deflateEnd(&c->stream);
}

struct compress *compress_new_gzip(int level)
{
	struct compress_gzip *c = calloc(1, sizeof *c);
	if (!c) return NULL;
	c->kind = (struct compress){ gzip_begin, gzip_step, gzip_release };
	if (deflateInit2(&c->stream, level ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK) return &c->kind;
	free(c);
	return NULL;
}
