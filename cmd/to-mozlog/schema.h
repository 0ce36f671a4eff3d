/* schema - the columns as BigQuery's JSON schema, and columns of an earlier run from one. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_MOZLOG_SCHEMA_H
#define TO_MOZLOG_SCHEMA_H

#include "columns.h"

/* Appends a JSON array, one column a line, each record's parts indented below it, and a newline: what `bq load` and `bq mk` take as a file. Columns stand in the order in which they were first seen. A column
 * whose name is not its key has the path of its keys as its description. */
bool schema_append(struct columns *, struct buffer *out);

/* Before the first envelope: the columns of a schema keep their names and types, and take what they took when schema_append printed it; they are those of `bq show --schema`, too. A column that it did not print
 * (it has another type, or no description where it needs one) keeps its name only. NULL, or why not: static text. */
const char *schema_read(struct columns *, struct span text);

#endif
