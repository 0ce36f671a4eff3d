/* flatten - an envelope as a row for BigQuery: MozLog's members, with names and values that load. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_MOZLOG_FLATTEN_H
#define TO_MOZLOG_FLATTEN_H

#include "columns.h"
#include "envelope/mozlog.h"

/* metlog-to-mozlog(1), section BIGQUERY, tells what becomes of what. The row's columns are kept in `columns`; the schema they make (schema.h) takes every row appended so far. */
struct flatten; /* opaque */
struct flatten *flatten_new(bool flat); /* dies without memory */
void flatten_free(struct flatten *);

/* Appends the row, without a newline. Not NULL: why the envelope can be none, as mozlog_write has it, or "more than 10000 columns ..."; nothing is appended then, but columns may have come. Takes no memory
 * but for columns that are new. out->failed tells of its limit, or of no memory. */
const char *flatten_append(struct flatten *, const struct envelope *, const struct mozlog_options *, struct buffer *out);

struct columns *flatten_columns(struct flatten *);

#endif
