/* map_apply - makes an envelope the event that its mapping says. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "map_private.h"

#include "base/text.h"
#include "io/diag.h"

enum { LINE_CHARACTERS = 128 };

/* --- members of fields --- */

static void must_have_room(const struct map *m)
{
	if (m->text.no_memory || m->rest.no_memory) die(EXIT_INTERNAL, "no memory for a value");
}

static struct map_field *field_of_key(struct map *m, const struct value *key)
{
	if (!key->escaped) return map_find_field(m, key->text);
	size_t before = m->text.length;
	text_append_unescaped(&m->text, key->text);
	must_have_room(m);
	struct map_field *field = map_find_field(m, (struct span){ m->text.data + before, m->text.length - before });
	m->text.length = before;
	return field;
}

/* One walk finds all that the rows will ask for, and keeps what * will want. */
static void collect(struct map *m, const struct envelope *e)
{
	struct field_walk walk = field_walk(e, e->fields), here = walk;
	struct map_member *one = m->members;
	m->beyond = (struct field_walk){ e, 0 };
	m->found = 0;
	for (; field_next(&walk, &one->key, &one->value); here = walk) {
		struct map_field *field = one->field = field_of_key(m, &one->key);
		if (field && field->bit) {
			m->found |= field->bit;
			field->found = m->turn;
			field->value = one->value;
		}
		if (one < m->members + MAP_MEMBERS_KEPT) one++; /* the last one is never kept */
		else if (!m->beyond.at) m->beyond = here;
	}
	m->member_count = (size_t)(one - m->members);
}

/* --- values --- */

static const struct value ABSENT = { .kind = VALUE_ABSENT };

/* null, {}, [ ] are. */
static bool is_empty_otherwise(const struct value *v)
{
	if (v->kind != VALUE_OBJECT && v->kind != VALUE_ARRAY) return v->kind == VALUE_ABSENT || v->kind == VALUE_NULL;
	return span_trim((struct span){ v->text.data + 1, v->text.length - 2 }).length == 0;
}

static inline bool is_empty(const struct value *v)
{
	if (v->text.length == 0) return true;
	return v->kind != VALUE_STRING && v->kind != VALUE_NUMBER && is_empty_otherwise(v);
}

static inline const struct value *member_value(const struct map *m, uint32_t number)
{
	const struct map_field *field = &m->fields[number];
	return field->found == m->turn ? &field->value : &ABSENT;
}

static const struct value *below_value(const struct map *m, const struct envelope *e, const struct map_piece *piece, struct value *room)
{
	const struct value *whole = member_value(m, piece->field), *parent = member_value(m, piece->parent);
	if (whole->kind != VALUE_ABSENT || parent->kind == VALUE_ABSENT) return whole;
	*room = field_find_in(e, *parent, piece->path);
	return room;
}

/* The value, in the envelope's view or in `room`. */
static inline const struct value *find(const struct map *m, const struct envelope *e, const struct map_piece *piece, struct value *room)
{
	switch (piece->kind) {
	case PIECE_TYPE: return &e->type;
	case PIECE_LOGGER: return &e->logger;
	case PIECE_TIMESTAMP: return &e->timestamp;
	case PIECE_PAYLOAD: return &e->payload;
	case PIECE_HOSTNAME: return &e->metlog_hostname;
	case PIECE_PID: return &e->metlog_pid;
	case PIECE_FIELDS: return &e->fields;
	case PIECE_FIELD: return member_value(m, piece->field);
	case PIECE_BELOW: return below_value(m, e, piece, room);
	case PIECE_PATH: *room = field_find(e, piece->path); break;
	case PIECE_LEVEL: *room = (struct value){ .text = m->level[e->severity], .kind = VALUE_NUMBER }; break;
	case PIECE_SEVERITY: *room = (struct value){ .text = { &"01234567"[e->severity], 1 }, .kind = VALUE_NUMBER }; break;
	case PIECE_TEXT: return &ABSENT;
	}
	return room;
}

static bool is_blank_byte(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The first line that is not blank, at most so many characters of it. Without an escape in its JSON it is the only one. */
static struct span first_line(struct span text, bool escaped)
{
	const char *end = text.data + text.length, *at = text.data, *stop;
	while (at < end && is_blank_byte(*at)) at++;
	if ((stop = escaped && at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL)) end = stop;
	if ((stop = escaped && at < end ? memchr(at, '\r', (size_t)(end - at)) : NULL)) end = stop;
	if (end - at > LINE_CHARACTERS) {
		stop = at;
		for (size_t left = LINE_CHARACTERS; stop < end && left; left--)
			do stop++; while (stop < end && ((unsigned char)*stop & 0xC0) == 0x80);
		end = stop;
	}
	while (end > at && is_blank_byte(end[-1])) end--;
	return span_between(at, end);
}

/* What is decoded stays at the end of m->text until it is cleared. Empty: there is no such value. */
static inline struct span piece_text(struct map *m, const struct envelope *e, const struct map_piece *piece)
{
	struct value room;
	const struct value *v = find(m, e, piece, &room);
	if (is_empty(v) || (piece->first_line && (v->kind == VALUE_OBJECT || v->kind == VALUE_ARRAY))) return (struct span){ NULL, 0 };
	struct span text = v->text;
	if (v->escaped) {
		size_t start = m->text.length;
		text_append_unescaped(&m->text, v->text);
		text = (struct span){ m->text.data + start, m->text.length - start };
	}
	size_t whole = text.length;
	if (piece->first_line) text = first_line(text, v->escaped);
	if (piece->kind == PIECE_FIELD && text.length == whole) m->fields[piece->field].used = m->turn;
	return text;
}

static inline struct span value_text(struct map *m, const struct envelope *e, const struct map_value *value);

static struct span put_together(struct map *m, const struct envelope *e, const struct map_value *value)
{
	struct buffer *text = &m->text;
	size_t start = text->length;
	for (size_t i = 0; i < value->count; i++) {
		size_t before = text->length;
		const struct map_value one = { &value->pieces[i], 1 };
		struct span part = value_text(m, e, &one);
		/* What had to be decoded is in the buffer already, but perhaps not from its start. */
		bool inside = part.length && text->length > before && part.data >= text->data + before && part.data < text->data + text->length;
		if (inside) memmove(text->data + before, part.data, part.length);
		text->length = inside ? before + part.length : before;
		if (!inside) buffer_append_span(text, part);
	}
	return (struct span){ text->data + start, text->length - start };
}

__attribute__((noinline)) static struct span find_text(struct map *m, const struct envelope *e, const struct map_value *value)
{
	for (; value->count == 1; value = &value->pieces->otherwise) {
		const struct map_piece *piece = value->pieces;
		if (piece->kind == PIECE_TEXT) return piece->text;
		if (piece->kind == PIECE_FIELD && m->fields[piece->field].found != m->turn) continue; /* most are not there */
		struct span text = piece_text(m, e, piece);
		if (text.length) return text;
	}
	return value->count ? put_together(m, e, value) : (struct span){ NULL, 0 };
}

/* A constant, or a member of the envelope that is a plain string or number: no call for those. */
static inline struct span value_text(struct map *m, const struct envelope *e, const struct map_value *value)
{
	if (value->count == 1) {
		const struct map_piece *piece = value->pieces;
		if (piece->kind == PIECE_TEXT) return piece->text;
		if (piece->kind == PIECE_LEVEL) return m->level[e->severity];
		if (piece->member && !piece->first_line) {
			const struct value *v = (const struct value *)(const void *)((const char *)e + piece->member);
			if (v->text.length && !v->escaped && (v->kind == VALUE_STRING || v->kind == VALUE_NUMBER)) return v->text;
		}
	}
	return find_text(m, e, value);
}

/* --- the header --- */

static inline bool is_blank(struct span text)
{
	return text.length == 0 || ((unsigned char)text.data[0] <= ' ' && span_trim(text).length == 0);
}

static struct span header_text(struct map *m, const struct envelope *e, enum map_row_kind which)
{
	const struct map_row *row = m->event->header[which];
	struct span text = row ? value_text(m, e, &row->value) : (struct span){ NULL, 0 };
	return is_blank(text) ? value_text(m, e, &m->event->fallback[which]->value) : text;
}

static const char *too_long(const struct map *m)
{
	must_have_room(m);
	return "a value is too long";
}

static const char *begin(struct map *m, const struct envelope *e, struct record *record)
{
	struct cef_header header = { .version = 0 };
	const char *place;
	do { /* a buffer that had to move leaves what was found before behind: then once more */
		place = m->text.data;
		buffer_clear(&m->text);
		header.vendor = header_text(m, e, ROW_VENDOR);
		header.product = header_text(m, e, ROW_PRODUCT);
		header.device_version = header_text(m, e, ROW_VERSION);
		header.signature = header_text(m, e, ROW_SIGNATURE);
		header.name = header_text(m, e, ROW_NAME);
		header.severity = header_text(m, e, ROW_SEVERITY);
	} while (m->text.data != place);
	if (m->text.failed) return too_long(m);
	return record_begin(record, &header);
}

/* --- custom keys that are free --- */

static inline bool has_key(const struct map *m, const struct dictionary_key *key) { return m->keys[key->number / 64] >> key->number % 64 & 1; }

static inline const struct dictionary_key *next_free(const struct map *m, struct map_family *family)
{
	while (family->next < family->count && has_key(m, family->key[family->next])) family->next++;
	return family->next < family->count ? family->key[family->next] : NULL;
}

/* Whether there is another one behind the next. */
static inline bool has_two(const struct map *m, const struct map_family *family)
{
	for (size_t i = family->next + 1; i < family->count; i++)
		if (!has_key(m, family->key[i])) return true;
	return false;
}

static bool put_number(struct map *m, struct record *record, struct span label, struct span value)
{
	const struct dictionary_key *key = value.length && memchr(value.data, '.', value.length) ? NULL : next_free(m, &m->integers);
	if (key && record_try(record, key, label, value)) return true;
	key = next_free(m, &m->floats);
	return key && record_try(record, key, label, value);
}

/* The last free string holds what finds no place, as JSON. While only one value has come to it, it may still have it for itself. */
struct spare {
	struct map *map;
	struct record *record;
	struct map_member waiting;  /* of a member */
	bool has_waiting;
};

static void append_rest(struct map *m, const struct map_member *one)
{
	enum { ENOUGH = 4000 * 4 }; /* no string of CEF holds more characters: what is behind would be cut */
	if (m->rest.length > ENOUGH) return;
	buffer_append_span(&m->rest, m->rest.length ? SPAN(",\"") : SPAN("{\""));
	buffer_append_span(&m->rest, one->key.text);
	buffer_append_span(&m->rest, one->value.kind == VALUE_STRING ? SPAN("\":\"") : SPAN("\":"));
	buffer_append_span(&m->rest, one->value.text);
	if (one->value.kind == VALUE_STRING) buffer_append_byte(&m->rest, '"');
}

static struct span plain(struct map *m, const struct value *v)
{
	if (!v->escaped) return v->text;
	size_t start = m->text.length;
	text_append_unescaped(&m->text, v->text);
	must_have_room(m);
	return (struct span){ m->text.data + start, m->text.length - start };
}

static void put_string(struct spare *s, const struct dictionary_key *key, const struct map_member *one)
{
	struct map *m = s->map;
	const char *place;
	struct span label, value;
	do {
		place = m->text.data;
		buffer_clear(&m->text);
		label = plain(m, &one->key);
		value = plain(m, &one->value);
	} while (m->text.data != place);
	record_put_labelled(s->record, key, is_blank(label) ? SPAN("_") : label, value);
}

static void put_spare(struct spare *s, const struct map_member *one)
{
	struct map *m = s->map;
	if (one->value.kind == VALUE_NUMBER) {
		buffer_clear(&m->text);
		struct span label = plain(m, &one->key);
		if (put_number(m, s->record, is_blank(label) ? SPAN("_") : label, one->value.text)) return;
	}
	const struct dictionary_key *key = next_free(m, &m->strings);
	if (m->rest.length || !key) {
		append_rest(m, one);
	} else if (has_two(m, &m->strings)) {
		put_string(s, key, one);
	} else if (!s->has_waiting) {
		s->waiting = *one;
		s->has_waiting = true;
	} else {
		append_rest(m, &s->waiting);
		append_rest(m, one);
	}
}

static void end_spare(struct spare *s)
{
	struct map *m = s->map;
	const struct dictionary_key *key = next_free(m, &m->strings);
	if (m->rest.length) {
		buffer_append_byte(&m->rest, '}');
		must_have_room(m);
		if (key) record_put_labelled(s->record, key, SPAN("more fields"), buffer_span(&m->rest));
		else record_put_spare(s->record, SPAN("more fields"), buffer_span(&m->rest), false); /* which counts it */
	} else if (s->has_waiting) {
		put_string(s, key, &s->waiting);
	}
}

/* --- rows --- */

/* ?= where the key could not take it, and * LABEL = : numbers to their kind of custom key, all else to a string. */
static void put_anywhere(struct map *m, struct record *record, const struct map_row *row, struct span text)
{
	struct span label = row->label.length ? row->label : row->key->name;
	if (put_number(m, record, label, text)) return;
	const struct dictionary_key *key = next_free(m, &m->strings);
	if (key) record_put_labelled(record, key, label, text);
	else record_put_spare(record, label, text, false);
}

static const char *put_row(struct map *m, const struct envelope *e, struct record *record, const struct map_row *row, bool again)
{
	buffer_clear(&m->text);
	struct span text = value_text(m, e, &row->value);
	if (m->text.failed) return too_long(m);
	if (is_blank(text)) return NULL;
	if (again) return put_anywhere(m, record, row, text), NULL;
	if (!row->label.length) return record_put(record, row->key, text);
	return record_put_labelled(record, row->key, row->label, text);
}

/* Those whose key is sure come first; what looks for a free custom key finds then which ones are. */
static const char *put_rows(struct map *m, const struct envelope *e, struct record *record)
{
	const struct map_event *event = m->event;
	const struct map_row *later[2 * MAP_ROWS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < event->row_count; i++) {
		const struct map_row *row = event->rows[i];
		if (row->fields && !(row->fields & m->found)) continue; /* most are not there */
		if (row->kind == ROW_SPARE) {
			later[count++] = row;
		} else if (!row->soft) {
			const char *why = put_row(m, e, record, row, false);
			if (why) return why;
		} else {
			buffer_clear(&m->text);
			struct span text = value_text(m, e, &row->value);
			if (m->text.failed) return too_long(m);
			if (!is_blank(text) && !record_try(record, row->key, row->label, text)) later[count++] = row;
		}
	}
	for (size_t i = 0; i < count; i++) {
		const char *why = put_row(m, e, record, later[i], true);
		if (why) return why;
	}
	return NULL;
}

/* --- all the others --- */

static bool put_by_name(struct map *m, struct record *record, const struct map_member *one)
{
	if (!one->field || !one->field->key || has_key(m, one->field->key)) return false;
	buffer_clear(&m->text);
	struct span text = plain(m, &one->value);
	return is_blank(text) || record_try(record, one->field->key, SPAN(""), text);
}

static void put_all(struct map *m, const struct envelope *e, struct record *record)
{
	const struct map_event *event = m->event;
	struct spare spare = { .map = m, .record = record };
	struct map_member one;
	const struct map_piece *piece = event->all->value.pieces;
	struct value room = ABSENT, object = *find(m, e, piece, &room);
	bool is_fields = object.first == e->fields.first && e->fields.kind == VALUE_OBJECT;
	struct field_walk walk = is_fields ? m->beyond : field_walk(e, object);
	buffer_clear(&m->rest);
	for (size_t i = 0; is_fields && i < event->omit_count; i++)
		for (size_t k = 0; k < event->omit[i]->value.count; k++)
			if (event->omit[i]->value.pieces[k].kind == PIECE_FIELD) m->fields[event->omit[i]->value.pieces[k].field].used = m->turn;
	for (size_t i = 0; is_fields && i < m->member_count; i++) {
		const struct map_member *kept = &m->members[i];
		if (is_empty(&kept->value) || (kept->field && kept->field->used == m->turn)) continue;
		if (!put_by_name(m, record, kept)) put_spare(&spare, kept);
	}
	while (field_next(&walk, &one.key, &one.value)) {
		buffer_clear(&m->text);
		one.field = field_of_key(m, &one.key);
		if (is_empty(&one.value) || (is_fields && one.field && one.field->used == m->turn)) continue;
		if (!put_by_name(m, record, &one)) put_spare(&spare, &one);
	}
	end_spare(&spare);
}

static const struct map_event *choose(struct map *m, const struct envelope *e)
{
	const struct map_event *event = m->events;
	while (event->match && !match_eval(event->match, e)) event++;
	return event;
}

enum map_verdict map_apply(struct map *m, const struct envelope *e, struct record *record, const char **why)
{
	m->event = choose(m, e);
	*why = NULL;
	if (m->event->drop) return MAP_DROPPED;
	m->turn++;
	m->keys = record_keys(record);
	m->integers.next = m->floats.next = m->strings.next = 0;
	buffer_clear(&m->text);
	if (m->event->needs_fields) collect(m, e);
	*why = begin(m, e, record);
	if (!*why) *why = put_rows(m, e, record);
	if (*why) return MAP_REFUSED;
	if (m->event->all) put_all(m, e, record);
	return MAP_MADE;
}
