/* map_private - what the parts of map share: a mapping as it is after reading, and as it is applied. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_MAP_PRIVATE_H
#define TO_CEF_MAP_PRIVATE_H

#include "base/logical.h"
#include "envelope/field.h"
#include "envelope/match.h"
#include "map.h"

/*      text        map_line      map_parse                      map.c (link)                  map_apply
 *   | file   |  ->  logical  ->  sections of rows  ->  events: all that holds for one,  ->  record_begin, record_put
 *   | builtin|      lines        of pieces             in order, the inherited first
 *
 * Everything that is compiled lives as long as the map, in blocks; nothing of it is taken or freed for an envelope. */

/* --- values --- */

enum map_piece_kind { PIECE_TEXT, PIECE_LEVEL /* CEF's severity */, PIECE_SEVERITY /* the digit */, PIECE_TIMESTAMP, PIECE_TYPE, PIECE_LOGGER, PIECE_PAYLOAD, PIECE_HOSTNAME, PIECE_PID,
	PIECE_FIELDS, PIECE_FIELD /* fields.a */, PIECE_BELOW /* fields.a.b */, PIECE_PATH };

struct map_value { const struct map_piece *pieces; size_t count; };

struct map_piece {
	enum map_piece_kind kind;
	bool first_line;                 /* {line:path} */
	uint16_t member;                 /* of the members that stand in the view as values: where; else 0 */
	uint32_t field;                  /* PIECE_FIELD: its number in map->fields. PIECE_BELOW: of a member that is called all the rest of the path, dots included, */
	uint32_t parent;                 /* and of one that is called as its next segment: `path` goes on from there */
	struct span text;                /* PIECE_TEXT */
	const struct field_path *path;   /* PIECE_PATH, PIECE_BELOW */
	struct map_value otherwise;      /* what stands behind the bar; count 0: nothing */
};

/* --- rows and events --- */

enum map_row_kind { ROW_VENDOR, ROW_PRODUCT, ROW_VERSION, ROW_SIGNATURE, ROW_NAME, ROW_SEVERITY, ROW_HEADERS /* how many those are */, ROW_KEY = ROW_HEADERS, ROW_SPARE, ROW_ALL, ROW_OMIT };

struct map_row {
	enum map_row_kind kind;
	bool soft;                       /* ?= */
	const struct dictionary_key *key; /* ROW_KEY */
	struct span label;               /* ROW_SPARE, and ROW_KEY of a custom key; else empty */
	struct map_value value;
	uint64_t fields;                 /* of which one must be there for the value to have a text: their bits; 0: it is not only made of them */
	size_t line;
};

/* What the file says between two lines "event", "drop" or "default", or before the first. */
struct map_section {
	const char *name;
	struct match *match;             /* NULL: every envelope */
	struct span expression;
	bool drop, is_default;
	const struct map_row **rows;
	size_t row_count;
	size_t line;
};

struct map_file {
	struct map_section *sections;    /* the first is what stands before all events */
	size_t count;
};

struct map_event {
	const char *name;
	struct match *match;
	bool drop, needs_fields;
	const struct map_row *header[ROW_HEADERS], *fallback[ROW_HEADERS]; /* header may be NULL, fallback never is */
	const struct map_row **rows;     /* ROW_KEY and ROW_SPARE */
	size_t row_count;
	const struct map_row *all;       /* NULL: none */
	const struct map_row **omit;
	size_t omit_count;
};

/* A name that members of `fields` are looked for by: one that a {path} says, or a key of the dictionary. */
struct map_field {
	struct span name;
	const struct dictionary_key *key; /* that * may set; NULL: none */
	uint64_t bit;                    /* one that a {path} says has a bit, which others may share; else 0 */
	uint64_t found, used;            /* the envelope in which it was last: map->turn */
	struct value value;
};

/* --- the map --- */

enum { MAP_MEMBERS_KEPT = 128, MAP_FAMILIES = 3, MAP_CS_MAX = 6 };

struct map_member { struct value key, value; struct map_field *field; };

/* The custom keys that * and ?= may use, by kind, and how many of them were looked at for this envelope. */
struct map_family { const struct dictionary_key *key[MAP_CS_MAX]; size_t count, next; };

struct map {
	struct map_block *blocks;
	struct map_file files[2];        /* the user's, and what is built in */
	struct map_event *events;
	size_t event_count;
	const struct map_event *event;   /* of the last envelope */
	struct span level[8];            /* CEF's severity for the envelope's, as text */
	struct map_field *fields;
	size_t field_count, field_room, wanted_count;
	uint32_t *slots;                 /* hash of a name -> number of a field and one, or 0; a quarter of them is used at most */
	size_t slot_count;               /* a power of two */
	/* of the envelope at hand */
	uint64_t turn;
	uint64_t found;                  /* the bits of the fields that it has */
	struct map_member members[MAP_MEMBERS_KEPT + 1];
	size_t member_count;
	struct field_walk beyond;        /* the members that were too many to keep */
	struct buffer text;              /* values that had to be put together or decoded */
	struct buffer rest;              /* JSON of what found no place */
	struct map_family integers, floats, strings;
	const uint64_t *keys;            /* that its record has */
};

/* Zeroed memory that lives as long as the map; dies without. */
void *map_take(struct map *, size_t bytes);
struct span map_keep(struct map *, struct span text);
struct map_field *map_field_named(struct map *, struct span name, uint32_t *number); /* makes it if there is none */
void map_want_field(struct map *, struct span name, uint32_t *number); /* and has it looked for */
uint64_t map_value_fields(const struct map *, const struct map_value *); /* for map_row.fields */

/* The names are few and known beforehand, so no input can make them collide: a hash of their ends and their length will do. */
static inline size_t map_hash(struct span name)
{
	uint64_t first = 0, last = 0;
	if (name.length >= 8) {
		memcpy(&first, name.data, 8);
		memcpy(&last, name.data + name.length - 8, 8);
	} else if (name.length >= 4) {
		uint32_t a, b;
		memcpy(&a, name.data, 4);
		memcpy(&b, name.data + name.length - 4, 4);
		first = a, last = b;
	} else if (name.length) {
		first = (unsigned char)name.data[0], last = (uint64_t)(unsigned char)name.data[name.length / 2] << 8 | (unsigned char)name.data[name.length - 1];
	}
	uint64_t hash = (first + name.length) * UINT64_C(0x9e3779b97f4a7c15) ^ last * UINT64_C(0xd6e8feb86659fd93);
	return (size_t)(hash ^ hash >> 32);
}

static inline struct map_field *map_find_field(const struct map *m, struct span name)
{
	for (size_t slot = map_hash(name) & (m->slot_count - 1); m->slots[slot]; slot = (slot + 1) & (m->slot_count - 1)) {
		struct map_field *field = &m->fields[m->slots[slot] - 1];
		if (span_equal(field->name, name)) return field;
	}
	return NULL;
}

/* --- reading --- */

/* The next logical line, its comment taken off. */
bool map_line_next(struct logical *, struct map_fault *); /* false: the end, or a fault: its reason is not empty then */
void map_line_place(const struct logical *, size_t offset, size_t *line, size_t *column);

/* Where the reading of a line stands. */
struct map_reading {
	struct map *map;
	const char *start, *at, *end;    /* of the logical line */
	struct map_fault *fault;
	const struct logical *line;
};
__attribute__((format(printf, 3, 4))) bool map_fail(struct map_reading *, const char *at, const char *format, ...); /* false */
void map_skip_blanks(struct map_reading *);
struct span map_take_word(struct map_reading *); /* A-Z a-z 0-9 _ at the cursor, perhaps none */

bool map_parse(struct map *, struct span text, struct map_file *, struct map_fault *);
bool map_parse_value(struct map_reading *, enum map_row_kind, struct map_value *); /* from the cursor to the end of the line */
struct map_row *map_parse_row(struct map_reading *);   /* NULL: the fault is filled */
struct span map_row_name(const struct map_row *);      /* "src", "vendor", "*" */
bool map_row_is_same(const struct map_row *, const struct map_row *); /* of the same key, or of one label for any key */

#endif
