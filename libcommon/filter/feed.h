/* feed - gives lines and frames that lie in memory to a filter's scanner, books and output. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FILTER_FEED_H
#define FILTER_FEED_H

#include "base/buffer.h"
#include "filter/filter.h"

/* For a tool whose input is not a file: what a good line is, and what becomes of it, is as in filter_next and filter_pass. */
struct feed {
	struct filter *filter;
	struct buffer frame;     /* a frame with its newline and padding */
	struct buffer joined;    /* a document of several lines, made one */
	uint64_t documents;      /* how many were made so */
};

/* Where lines come from: for rejects. Both fields are the caller's; line is counted on here. */
struct feed_source {
	const char *name;
	uint64_t line;
};

void feed_init(struct feed *, struct filter *);
void feed_release(struct feed *);

/* Every line of [start, end), which ends with a newline and is followed by SCAN_PADDING readable bytes. Good and wanted ones are
 * passed, blank ones skipped, the rest rejected. */
void feed_lines(struct feed *, struct feed_source *, const char *start, const char *end);

/* A datagram or message as it came: one line or several, with or without a last newline. If its first line is no
 * envelope but the whole is one document that stands on several lines (indented JSON), it is taken as one envelope, with a blank for
 * each newline. Dies without memory. */
void feed_frame(struct feed *, struct feed_source *, struct span frame);

/* The same without a copy: `data` has 1 + SCAN_PADDING bytes of room behind `length`. */
void feed_frame_in_place(struct feed *, struct feed_source *, char *data, size_t length);

/* A line that could not be read whole: `start` is what there is of it, `length` its whole length if that is more, else 0. */
void feed_reject(struct feed *, struct feed_source *, struct span start, uint64_t length, const char *reason);

#endif
