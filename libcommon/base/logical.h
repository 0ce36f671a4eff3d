/* logical - the logical lines of a file of rules: comment lines left out, lines that end in '\' joined, and where each byte came from. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_LOGICAL_H
#define BASE_LOGICAL_H

#include "base/buffer.h"

/*     struct span line;
 *     bool more = true;
 *     logical_begin(&l);
 *     while (more && logical_take(&l, is_inside, &line) == LOGICAL_LINE)
 *             more = what the language says: appends what counts of the physical line to l.text, true if it goes on with the next one
 *
 * Quotes, and comments behind a text, are each language's own. */
struct logical_piece {
	size_t at;            /* offset in `text` of its first byte */
	size_t line;          /* 1-based */
	struct span physical; /* the whole line as it stands in the file, without its end */
};

enum { LOGICAL_PIECES_MAX = 200 };

struct logical {
	struct span left;     /* of the file, not yet read */
	size_t number;        /* of the physical line read last */
	struct buffer text;   /* the logical line */
	struct logical_piece piece[LOGICAL_PIECES_MAX]; /* the physical lines it was made of */
	size_t count;
};

void logical_init(struct logical *, struct span whole, size_t limit_bytes); /* the limit of `text`; `whole` is borrowed */
void logical_release(struct logical *);

void logical_begin(struct logical *);

/* The next physical line, its CR cut off. Comment lines (those whose first byte that is no blank is '#') are skipped, unless the logical line stands
 * `inside` of a string or its like. LOGICAL_END: of the file. LOGICAL_FULL: more lines than LOGICAL_PIECES_MAX are joined; the last one was read and is no piece. */
enum logical_take { LOGICAL_LINE, LOGICAL_END, LOGICAL_FULL };
enum logical_take logical_take(struct logical *, bool inside, struct span *line);

bool logical_is_blank(const struct logical *); /* nothing but blanks in `text` */

/* What is wrong with a file of rules, and where. line 0: with the whole of it; column counts from 0, in `physical`, which is a line of the text: as diag_error_at takes it. */
struct logical_fault { char reason[240]; size_t line, column; struct span physical; };

/* Fills the fault in with the place of the byte at `offset` of the text; false. */
bool logical_fault_at(struct logical_fault *, const struct logical *, size_t offset, const char *reason);

/* Checks the whole of a file, whose limit is 1 MiB: its length, no NUL byte, UTF-8; and takes off the mark of UTF-8. False: `fault` says why, and where the byte is; true: it is empty. */
enum { LOGICAL_BYTES_MAX = 1024 * 1024 };
bool logical_check(struct span *whole, struct logical_fault *);

/* The physical line that the byte at `offset` of the text came from; NULL if there is none at all. */
const struct logical_piece *logical_find(const struct logical *, size_t offset);

#endif
