/* compress - the only file that knows libzstd; windows are bounded on both sides. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/compress_private.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
	WINDOW_LOG = 21,     /* what we write: 2 MiB, the window of level 3 */
	WINDOW_LOG_MAX = 23, /* what we read */
};

struct compress_zstd {
	struct compress kind;
	ZSTD_CCtx *context;
};

/* The first step takes all the memory there will be: after it, nothing can fail. */
static bool take_memory(struct compress_zstd *c)
{
	char header[32];
	ZSTD_inBuffer none = { "", 0, 0 };
	ZSTD_outBuffer output = { header, sizeof header, 0 };
	return !ZSTD_isError(ZSTD_compressStream2(c->context, &output, &none, ZSTD_e_continue)) && output.pos == 0;
}

static bool zstd_begin(struct compress *kind, uint64_t bytes)
{
	struct compress_zstd *c = (struct compress_zstd *)kind;
	return !ZSTD_isError(ZSTD_CCtx_reset(c->context, ZSTD_reset_session_only)) &&
	       !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(c->context, bytes == UINT64_MAX ? ZSTD_CONTENTSIZE_UNKNOWN : bytes));
}

static size_t zstd_step(struct compress *kind, struct span *in, bool end, char *out, size_t room, bool *done)
{
	struct compress_zstd *c = (struct compress_zstd *)kind;
	ZSTD_inBuffer input = { in->length ? in->data : "", in->length, 0 };
	ZSTD_outBuffer output = { out, room, 0 };
	size_t left = ZSTD_compressStream2(c->context, &output, &input, end ? ZSTD_e_end : ZSTD_e_continue);
	in->data += input.pos;
	in->length -= input.pos;
	*done = in->length == 0 && (!end || left == 0);
	return ZSTD_isError(left) ? SIZE_MAX : output.pos;
}

static void zstd_release(struct compress *kind)
{
	ZSTD_freeCCtx(((struct compress_zstd *)kind)->context);
}

struct compress *compress_new(int level)
{
	struct compress_zstd *c = calloc(1, sizeof *c);
	if (!c) return NULL;
	c->kind = (struct compress){ zstd_begin, zstd_step, zstd_release };
	c->context = ZSTD_createCCtx();
	/* The frame's own checksum is for `zstd -t`. */
	if (c->context && !ZSTD_isError(ZSTD_CCtx_setParameter(c->context, ZSTD_c_compressionLevel, level)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(c->context, ZSTD_c_windowLog, WINDOW_LOG)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(c->context, ZSTD_c_checksumFlag, 1)) && take_memory(c))
		return &c->kind;
	compress_free(&c->kind);
	return NULL;
}

void compress_free(struct compress *c)
{
	if (!c) return;
	c->release(c);
	free(c);
}

bool compress_begin(struct compress *c, uint64_t bytes)
{
	return c->begin(c, bytes);
}

size_t compress_step(struct compress *c, struct span *in, bool end, char *out, size_t room, bool *done)
{
	return c->step(c, in, end, out, room, done);
}

struct decompress {
	ZSTD_DCtx *context;
};

struct decompress *decompress_new(void)
{
	struct decompress *d = calloc(1, sizeof *d);
	if (!d) return NULL;
	d->context = ZSTD_createDCtx();
	if (d->context && !ZSTD_isError(ZSTD_DCtx_setParameter(d->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) return d;
	decompress_free(d);
	return NULL;
}

void decompress_free(struct decompress *d)
{
	if (!d) return;
	ZSTD_freeDCtx(d->context);
	free(d);
}

static const char *reason_of(size_t result)
{
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_prefix_unknown: return "the compressed data are no zstd";
	case ZSTD_error_frameParameter_windowTooLarge: return "the compressed data want a window over 8 MiB";
	case ZSTD_error_checksum_wrong: return "the checksum of the compressed data is wrong";
	case ZSTD_error_memory_allocation: return NULL;
	default: return "the compressed data are broken";
	}
}

bool decompress_step(struct decompress *d, struct span *in, char *out, size_t room, size_t *written, bool *at_end, const char **reason)
{
	ZSTD_inBuffer input = { in->length ? in->data : "", in->length, 0 };
	ZSTD_outBuffer output = { out, room, 0 };
	size_t left = ZSTD_decompressStream(d->context, &output, &input);
	in->data += input.pos;
	in->length -= input.pos;
	*written = output.pos;
	*at_end = left == 0;
	if (!ZSTD_isError(left)) return true;
	*reason = reason_of(left);
	return false;
}
