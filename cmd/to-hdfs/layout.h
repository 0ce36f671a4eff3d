/* layout - the directory of an envelope below the base, from a template and the envelope's own members. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_LAYOUT_H
#define TO_HDFS_LAYOUT_H

#include "envelope/field.h"
#include "base/timestamp.h"

/* A template: "type={type}/dt={date}/hour={hour}". Between braces stand
 *   date year month day hour minute     of the envelope's timestamp, in the zone of --tz: 2026-01-02 2026 01 02 03 04
 *   a path of the matcher's             type, logger, metlog_hostname, fields.region, ...
 *   either with a default               {fields.region|none}: for a value that is absent, null or empty
 * A value that is absent, null or empty and has no default is __HIVE_DEFAULT_PARTITION__, as Hive has it. {{ and }} are braces.
 *
 * No value can leave its place: it is one path component or a part of one.
 *   - Hive's own set is escaped as %XX, upper-case: controls, DEL, " # % ' * / : = ? \ { [ ] ^ ; besides: characters that are hidden or change the direction of text, as the
 *     bytes of their UTF-8; ' ' '+' ';' '&' stay (a URL encodes them by itself)
 *   - a component that would begin with '.' or '_' from a value has that escaped, too (Hive hides such names), so ".." cannot be
 *   - more than 128 bytes: cut at a character, then '~' and 16 hex digits of the XXH3 of the whole
 *   - U+FFFD stands for what is not text (lone surrogates); numbers, true and false are their JSON text; an object or array its JSON text
 *
 * Late and future ones: `late_ns` before or `future_ns` behind `now_ns` they are put below "_late/" or "_future/" in place of the base, with the same directories.
 * (Both begin with an underscore, so Hive does not look there.) */
enum { LAYOUT_PARTS_MAX = 64, LAYOUT_VALUE_MAX = 128, LAYOUT_PATH_MAX = 2048 };

struct layout;
/* NULL: *why (static text) and *column (1-based, in the template). Refused: absolute, "..", empty components, a literal component that begins with '.' or '_', over LAYOUT_PARTS_MAX. */
struct layout *layout_new(struct span template_text, const char **why, size_t *column);
void layout_free(struct layout *);

struct layout_bounds { int64_t now_ns, late_ns, future_ns; }; /* late_ns, future_ns: below 0 is no bound */

enum layout_place { LAYOUT_USUAL, LAYOUT_LATE, LAYOUT_FUTURE };
/* Appends the directory. Called for every envelope: the last timestamp's hour is remembered, and no memory is taken. */
enum layout_place layout_append(struct buffer *out, struct layout *, const struct envelope *, const struct layout_bounds *);

/* Its partition columns, for DDL: a component "key={...}" is one; in order. A component that is none ends them (false from layout_is_hive). */
size_t layout_column_count(const struct layout *);
struct span layout_column(const struct layout *, size_t i);  /* the key, lower-case */
bool layout_is_hive(const struct layout *);                  /* every component is key={...} and the keys are lower-case and unique */

#endif
