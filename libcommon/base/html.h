/* html - text and drawings for pages that load nothing and run nothing: escaped, and the same bytes for the same numbers. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_HTML_H
#define BASE_HTML_H

#include <stdint.h>
#include "base/buffer.h"

/* All return false once the buffer has failed. */

/* Appends any bytes as the text of an element, or of an attribute in double quotes: & < > " ' as references, and what could not be seen (controls, bidi
 * controls, bytes that are not UTF-8) as text_append_visible shows it. */
bool html_append_text(struct buffer *out, struct span text);

/* What a page begins with, up to <body>. Its policy lets nothing be loaded and no script run; of styles it lets in the one whose hash is given. */
struct html_page {
	struct span title;          /* any bytes */
	const char *generator;      /* "metlog-cardinality 0.1" */
	const char *style;          /* a style sheet of ours, not escaped */
	const char *style_sha256;   /* of its bytes, in base64 */
};
bool html_append_head(struct buffer *out, const struct html_page *);
bool html_append_foot(struct buffer *out);

/* A number of a drawing: two decimals at most, never an exponent. */
bool html_append_coordinate(struct buffer *out, double value);

/* The corners of a line that goes through values at even steps, "M0 40L10 38.5 20 ..." for a <path>: the first stands at the left edge, the last at the right one,
 * 0 at the bottom, `most` at the top. With fewer than two there is no line, and nothing is appended. */
struct html_curve {
	const uint64_t *value;
	size_t count;
	double most, width, height;
};
bool html_append_curve(struct buffer *out, const struct html_curve *);

/* Steps of an axis from 0 to `most` that are read easily (1, 2 or 5 times a power of ten), at most `steps` of them. */
double html_axis_step(double most, int steps);

#endif
