/* layout - the directory of an envelope below the base, from a template and the envelope's own members. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_LAYOUT_H
#define TO_HDFS_LAYOUT_H

#include "envelope/field.h"
#include "base/timestamp.h"

/* A template: "type={type}/dt={date}/hour={hour}". Between braces stand
 *   date year month day hour minute     of the envelope's timestamp, in the zone of --tz: 2026-01-02 2026 01 02 03 04
 *   a path of the matcher's             type, logger, metlog_hostname, fields.region, ...; severity is its digit, 6 where there is none
 *   either with a default               {fields.region|none}: for a value that is absent, null or empty
 * A value that is absent, null or empty and has no default is __HIVE_DEFAULT_PARTITION__, as Hive has it; in a component "key=..." it is all that stands behind the key.
 * {{ and }} are braces. Text of the template is escaped as values are, but for a component's first '='.
 * If {name} is in the last component, that one is no directory: it is the file's name, without its extension: "web-{name}". Beside it only text can be there.
 *
 * No value can leave its place: it is one path component or a part of one.
 *   - what Hive escapes in the names of partitions is %XX, upper-case, and so are hidden characters: see escape.h; ' ' '+' ';' '&' stay (a URL encodes them by itself)
 *   - a component that would begin with '.' or '_' from a value has that escaped, too (Hive hides such names), so ".." cannot be
 *   - more than 128 bytes: cut at a character, then '~' and 16 hex digits of the XXH3 of the whole; a component of several values likewise at 255
 *   - U+FFFD stands for what is not text (lone surrogates); numbers, true and false are their JSON text; an object or array its JSON text
 *
 * Late and future ones: `late_ns` before or `future_ns` behind `now_ns` they are put below "_late/" or "_future/" in place of the base, with the same directories.
 * (Both begin with an underscore, so Hive does not look there.) An envelope without a timestamp is neither. */
enum { LAYOUT_PARTS_MAX = 64, LAYOUT_VALUE_MAX = 128, LAYOUT_PATH_MAX = 2048 };

struct layout;
/* NULL: *why (static text) and *column (1-based, in the template). Refused: absolute, "..", empty components, a literal component that begins with '.' or '_', over LAYOUT_PARTS_MAX,
 * what could become longer than LAYOUT_PATH_MAX. */
struct layout *layout_new(struct span template_text, const char **why, size_t *column);
void layout_free(struct layout *);

struct layout_bounds { int64_t now_ns, late_ns, future_ns; }; /* late_ns, future_ns: below 0 is no bound */

enum layout_place { LAYOUT_USUAL, LAYOUT_LATE, LAYOUT_FUTURE };
/* Appends the directory, at most LAYOUT_PATH_MAX bytes; nothing for a template that is {name} alone: the base itself. Called for every envelope: the last timestamp's minute
 * is remembered, and no memory is taken but for decoding escapes (it is kept). */
enum layout_place layout_append(struct buffer *out, struct layout *, const struct envelope *, const struct layout_bounds *);

/* The text around {name} in the file's name, for the one who makes names; both empty if the template has none. Safe as it is: escaped, no leading '.' or '_'. */
void layout_name(const struct layout *, struct span *before, struct span *after);

/* Its partition columns, for DDL: a component "key=..." is one; in order. A component that is none ends them (false from layout_is_hive). */
size_t layout_column_count(const struct layout *);
struct span layout_column(const struct layout *, size_t i);  /* the key, as written */
bool layout_is_hive(const struct layout *);                  /* every component is key=... and the keys are a-z 0-9 _, and unique */

#endif
