/* columns - what the fields of a run's envelopes have become in BigQuery: which column takes which value, its name and its type. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_MOZLOG_COLUMNS_H
#define TO_MOZLOG_COLUMNS_H

#include <stdint.h>

#include "envelope/field.h"

/* BigQuery's rules are those of its manual: "Specifying a schema" (names), "Loading JSON data" (what loads into which type), "Quotas and limits".
 *
 *     a slot: one key of one record                    its columns: one for each shape of value seen there
 *     Fields . "ms"       first 12, then "slow"        ms INTEGER, ms_string STRING
 *     Fields . "Ms"                                    Ms_2: two names that differ in case alone are the same to BigQuery
 *     Fields . "http.status"                           http_status
 *
 * What a column has been made for stays so for the run: it only goes from INTEGER to FLOAT, when a number with a fraction comes and no integer beyond 2^53-1 has been there. Columns, slots and records are known by
 * number; numbers hold until columns_free. */

enum {
	COLUMNS_MAX = 10000,           /* BigQuery's */
	COLUMNS_DEPTH_MAX = 15,        /* records in each other */
	COLUMNS_NAME_MAX = 300,
	COLUMNS_ROOT = 0,              /* the record that is the row */
};
#define COLUMNS_NONE UINT32_MAX

/* What a value asks of its column. */
enum column_shape {
	SHAPE_STRING,
	SHAPE_INTEGER,
	SHAPE_FLOAT,
	SHAPE_BOOLEAN,
	SHAPE_RECORD,
	SHAPE_JSON,                    /* no type of BigQuery holds it: a STRING with its JSON text */
	SHAPE_COUNT,
	SHAPE_TIMESTAMP,               /* Time alone */
	SHAPE_WIDE,                    /* asked for only: an INTEGER beyond 2^53-1, which is written in quotes */
};

struct column {
	uint32_t record;               /* the column that it is part of */
	uint32_t first, last, next;    /* its parts, if it is a record, and the next part of the same record: 0 is none */
	uint32_t slot;                 /* COLUMNS_NONE: one of those that every row has */
	uint32_t name, name_length;    /* where in `text` */
	uint32_t given, given_length;  /* likewise: what of a schema that was read is none of ours, as it stood there: the whole of it, or its description; 0 bytes else */
	uint8_t shape, depth;
	bool repeated, required, wide, described; /* described: `given` is its description */
};

struct columns; /* opaque */
struct columns *columns_new(bool flat);  /* flat: a record is no column, but the beginning of the names of its parts. Dies without memory, as all of these do. */
void columns_free(struct columns *);

/* One that every row has, by its own name. */
uint32_t columns_add(struct columns *, uint32_t record, const char *name, enum column_shape, bool required);

/* The slot of a key of that record; columns_slot for a key that stands in a line (some bytes behind it are read). COLUMNS_NONE: there is none; columns_make_slot: no more can be made. */
uint32_t columns_slot(struct columns *, uint32_t record, struct value key);
uint32_t columns_make_slot(struct columns *, uint32_t record, struct value key);
/* One for what is no pair of the record, but shall be written into it under that name: never equal to that of a key. */
uint32_t columns_own_slot(struct columns *, uint32_t record, const char *name);

/* A column of an earlier run, which keeps its name and its type, INTEGER too. COLUMNS_NONE: the name is none, or is there already, or no more can be made. columns_tie: it takes the values of that slot. */
uint32_t columns_restore(struct columns *, uint32_t record, struct span name, enum column_shape, bool repeated);
void columns_tie(struct columns *, uint32_t column, uint32_t slot);
void columns_give(struct columns *, uint32_t column, struct span json, bool described); /* it is printed as this; or its description is, whose quotes are not in it */
struct span columns_given(const struct columns *, uint32_t column);

/* The column of that slot for such a value; the first of several for one slot is named as its key, others have a word behind it and are told on standard error. COLUMNS_NONE: no more can be made. */
uint32_t columns_find(struct columns *, uint32_t slot, enum column_shape, bool repeated);
bool columns_has(const struct columns *, uint32_t slot, enum column_shape, bool repeated);

/* A note that the caller keeps with a slot; 0 at first. */
uint64_t *columns_note(struct columns *, uint32_t slot);

/* The usual case at once: the slot of a key that stands in a line, its note and its column for a value that is not repeated. False: some of it is not there yet, or it is no usual case. */
struct columns_place {
	uint32_t slot;
	uint64_t *note;
	struct span key;               /* columns_key; COLUMNS_PADDING bytes behind it may be read */
};
enum { COLUMNS_PADDING = 64 };
bool columns_place(struct columns *, uint32_t record, struct value key, enum column_shape, struct columns_place *);

const struct column *columns_get(const struct columns *, uint32_t column);
struct span columns_key(const struct columns *, uint32_t column);   /* "NAME": with its quotes and its colon, as it begins the member */
/* "Fields.user.id", "Fields[http.status]", "Fields(metlog_pid)": the keys that lead there, decoded; in square brackets one that is empty or has a point or a bracket in it, in round ones what is no key. */
bool columns_append_path(struct columns *, struct buffer *out, uint32_t column);
uint32_t columns_count(const struct columns *);  /* their numbers are below it */
uint32_t columns_made(const struct columns *);   /* how many there are, without the root and what is none if `flat` */
uint64_t columns_split(const struct columns *);  /* columns made because a slot had values of another shape */
bool columns_are_flat(const struct columns *);

#endif
