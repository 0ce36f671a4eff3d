/* column_name - names that BigQuery takes for a column, each once in its record. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_MOZLOG_COLUMN_NAME_H
#define TO_MOZLOG_COLUMN_NAME_H

#include "base/table.h"

/* Appends `text` (UTF-8) with every character outside [A-Za-z0-9_] as '_'. */
bool column_name_append(struct buffer *out, struct span text);

/* Makes the name in `name` one that may stand: "_" goes before a digit, before a prefix that BigQuery keeps for itself, and takes the place of no name at all; what is longer than COLUMNS_NAME_MAX is cut, and ends
 * with a hash of the whole. */
bool column_name_mend(struct buffer *name);

/* Whether it can be the name of a column that somebody else has made: not too long, and not one that would have to be escaped. */
bool column_name_is_clean(struct span name);

/* Takes the name for that scope; if it is taken, case aside, `name` becomes NAME_2, NAME_3, ... False: no memory. */
bool column_name_take(struct table *taken, uint32_t scope, struct buffer *name);
void column_name_init(struct table *taken, size_t limit);

#endif
