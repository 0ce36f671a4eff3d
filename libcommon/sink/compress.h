/* compress - zstd streams, and gzip ones to write, in bounded memory. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_COMPRESS_H
#define SINK_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/span.h"

/* Both work on whatever pieces the caller has: each call takes some input, gives some output, and says how much of both. */
struct compress;
struct compress *compress_new(int level);                        /* zstd; 0: its default level. NULL: no memory */
struct compress *compress_new_gzip(int level);                   /* 1 to 9; 0: zlib's default level */
void compress_free(struct compress *);
/* A new stream, which need not be said after one that has ended; one that has not is forgotten. `bytes`: how long the input is going to be, exactly (UINT64_MAX: not known); a short
 * one takes less time and memory then, and a zstd frame tells it. False: an internal error. */
bool compress_begin(struct compress *, uint64_t bytes);
/* Takes from *in (which is moved on) and writes at most `room` bytes to `out`; `end`: no more input follows. Returns how many bytes were
 * written; *done: the input is used up and, with `end`, the frame is closed (the next step begins another). SIZE_MAX: an internal error; not
 * for want of memory, all of which is taken by compress_new. The bytes that come out depend on those that go in alone, not on the pieces. */
size_t compress_step(struct compress *, struct span *in, bool end, char *out, size_t room, bool *done);

struct decompress;
/* Frames whose window is over 8 MiB are refused, so that a file cannot make us take memory. */
struct decompress *decompress_new(void);
void decompress_free(struct decompress *);
/* The same way round; false: this is no zstd, or it is broken (*reason is static text; NULL: no memory). *at_end: a frame has just ended; more may follow. */
bool decompress_step(struct decompress *, struct span *in, char *out, size_t room, size_t *written, bool *at_end, const char **reason);

#endif
