/* template - file names with {type} {logger} {severity} {date} {hour} in them, filled in from an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_TEMPLATE_H
#define ROUTE_TEMPLATE_H

#include <stdint.h>
#include "envelope/envelope.h"

/* What an envelope says never becomes more than a part of one file name: bytes other than A-Z a-z 0-9 . _ = - are written %XX;
 * an empty value, "." and ".." become "_"; a value longer than TEMPLATE_VALUE_MAX is cut and ends with a hash of the whole,
 * and so does a name longer than 255 bytes.
 * {date} is 2012-10-05 and {hour} 00..23, of the envelope's own timestamp in the zone of --tz; "_" where it has none. */
enum { TEMPLATE_VALUE_MAX = 128, TEMPLATE_PIECES_MAX = 32, TEMPLATE_PATH_MAX = 4096 };

enum template_piece { PIECE_TEXT, PIECE_TYPE, PIECE_LOGGER, PIECE_SEVERITY, PIECE_DATE, PIECE_HOUR };

struct template {
	char *root;          /* the directory the template begins in; it must exist. "." if the path names none */
	char *rest;          /* the text behind it; the pieces of text stand in here */
	struct { enum template_piece kind; struct span text; } piece[TEMPLATE_PIECES_MAX];
	int count;
	bool dated;          /* {date} or {hour} is in it */
	int64_t quarter;     /* the quarter of an hour that date and hour below hold for */
	char date[16], hour[4];
	struct buffer value; /* for values with escapes */
};

bool template_is(struct span path); /* whether there is a '{' in it */

/* False: `fault` points at static text and `column` (1-based, in path) at the place. */
bool template_init(struct template *, struct span path, const char **fault, size_t *column);
void template_release(struct template *);

/* The path below root for this envelope, NUL-terminated in `path`; false if it is too long. */
bool template_expand(struct template *, const struct envelope *, char path[TEMPLATE_PATH_MAX], size_t *length);

#endif
