/* hive - an envelope as Hive's JSON SerDes can read it: scalars at the top, fields a map of strings. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_HIVE_H
#define TO_HDFS_HIVE_H

#include "base/buffer.h"
#include "envelope/field.h"

/* Appends the line, without a newline:
 *   - top-level keys lower-case and unique: a later one gets _2, _3, ... The names of the seven members are theirs, wherever they stand: "TYPE" is "type_2" even if it comes first.
 *     One such as _col12, which SerDes take for a position, gets an x before it
 *   - every value at the top but `fields` is a scalar: an object or array becomes a string holding its JSON text
 *   - `fields` is an object; keys lower-case and unique likewise; nested values are strings of their JSON text, null stays null, numbers and booleans stay as they are written
 *   - escapes in values are kept; what the SerDes' reader would refuse is mended: lone surrogates are U+FFFD; blanks between tokens are gone, so no raw \r or tab; a number of more
 *     than 1000 characters, or with more digits or a larger exponent than a double has, is a string; a key of more than 32 KiB is cut and ends with a digest
 * Nothing else changes, and nothing is left out. False: no memory or the buffer's limit. Its own memory is kept from line to line. */
bool hive_append(struct buffer *out, const struct envelope *);

#endif
