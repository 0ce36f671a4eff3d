/* catalog_private - what the reading of a catalogue shares: a logical line taken apart, and a mistake in it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef LINT_CATALOG_PRIVATE_H
#define LINT_CATALOG_PRIVATE_H

#include "catalog.h"

struct catalog_mistake { char reason[240]; size_t at; }; /* at: offset in the line */

/* Where the reading of a line stands. */
struct reading {
	struct catalog *catalog;
	const char *source;
	size_t number;           /* of its first physical line */
	const char *start, *at, *end;
	const char *from;        /* where the last word begins */
	struct buffer word;      /* the last one, without its quotes */
	bool quoted;
	struct catalog_mistake *mistake;
};

__attribute__((format(printf, 3, 4))) bool reading_fail(struct reading *, const char *at, const char *format, ...); /* false */

void reading_skip_blanks(struct reading *);
/* Reads a word, in quotes or up to a blank or one of `stops`. False: there is none, or it is mistaken; then the mistake says `wanted`. */
bool reading_take(struct reading *, const char *stops, const char *wanted);
bool reading_take_byte(struct reading *, char byte); /* true: it was the next but for blanks, and is behind us */
struct span reading_word(const struct reading *);

/* Reads values and adds them to the catalogue. NULL: mistaken. */
struct catalog_values *values_read(struct reading *);
void values_free(struct catalog_values *);

/* Reads the logical line and adds what it says to the catalogue. */
bool line_read(struct catalog *, const char *source, size_t number, struct span line, struct catalog_mistake *);
void line_free(struct catalog_line *);

#endif
