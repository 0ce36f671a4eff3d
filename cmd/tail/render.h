/* render - an envelope as lines for a person at a terminal. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TAIL_RENDER_H
#define TAIL_RENDER_H

#include "cells.h"
#include "clock.h"
#include "show.h"

/*  -- 2012-10-05 UTC --
 *  12:00:01.137 WARNING syncstorage oldstyle  warn message  user=25 agent="Mozilla/5.0 (X11)"
 *  12:00:11.517 INFO    syncstorage counter   login 3 @0.5
 *  12:00:12.654 INFO    syncstorage timer     db.query 35ms
 *  12:02:36.514 ALERT   syncstorage oldstyle  it broke
 *      Traceback (most recent call last):
 *
 * Fields stand behind that, or in columns below it where the width is known and too small (cells.h); those of several lines are blocks below all others.
 * An envelope begins in the first column; its further lines are indented, so a payload cannot pass for an envelope. */
struct render {
	struct show show;
	struct buffer text;      /* what is printed for one envelope */
	bool oneline;            /* one line an envelope, with its date; newlines shown as \n; cut at `width` */
	bool all;                /* the members beyond the usual seven, too */
	bool colors;
	size_t width;            /* columns of the terminal; 0: not known, nothing is wrapped or cut */
	size_t logger_columns, type_columns; /* grow with what is seen, up to a limit */
	struct clock clock;
	char date_shown[CLOCK_DATE_MAX]; /* on the last date line */
	size_t keys_column;      /* where the fields begin that stand behind a payload; grows likewise */
	struct cells cells;      /* the fields in `text`, while width is known */
	struct buffer blocks;    /* those of several lines */
	size_t column;           /* where the line being built has come to, while width is known */
};

void render_init(struct render *, bool raw);
void render_release(struct render *);

/* The text, newline and all: valid until the next call. Dies (70) without memory. */
struct span render_envelope(struct render *, const struct envelope *);
struct span render_reject(struct render *, const char *reason, const char *source, uint64_t line, struct span raw, uint64_t length);
struct span render_text(struct render *, struct value text); /* "  | text": a line that stood between envelopes */
struct span render_source(struct render *, const char *name); /* "==> name <==" */

/* Parts of a time in the zone of --tz: "12:00:01.137" and "2012-10-05". Nothing for a time that cannot be read. */
void render_clock(struct render *, struct buffer *out, struct span timestamp);
void render_date(struct render *, struct buffer *out, struct span timestamp);
const char *render_level(int severity); /* "WARNING" */

#endif
