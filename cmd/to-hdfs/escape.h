/* escape - text as one component of a path or a part of one, escaped as Hive escapes the values of partitions. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_ESCAPE_H
#define TO_HDFS_ESCAPE_H

#include "base/span.h"

/* Written %XX, upper-case: what Hive's FileUtils.escapePathName writes so (controls, DEL, " # % ' * / : = ? \ { [ ] ^); besides it NUL, bytes that are not
 * UTF-8, and characters that are hidden or change the direction of text, as the bytes of their UTF-8. A first '.' or '_' is not: see layout.h. */
enum { ESCAPE_MAX = 128, ESCAPE_DIGEST = 17 /* '~' and 16 digits of a checksum */ };

/* Returns the length. What would become longer than ESCAPE_MAX is cut between two characters and ends with the digest of the whole text. */
size_t escape_value(char out[ESCAPE_MAX], struct span text);

/* The same without a limit: up to three bytes a byte. '=' stays. */
size_t escape_literal(char *out, struct span text);

/* For what is longer than `most`: `start` holds its first `most` bytes (it may be `whole` itself). Puts a digest of the whole at their end, behind a whole character or escape.
 * Returns the length. */
size_t escape_end(char *start, size_t most, struct span whole);

/* Undoes %XX as Hive does: each is the character with that number, not a byte of UTF-8. Returns the length of the character at the start of `text` (not empty). */
size_t escape_next(struct span text, unsigned *codepoint);
size_t escape_character(struct span text, unsigned *codepoint); /* the same where '%' is nothing special */

#endif
