/* structured - the fields of an envelope of type cef become an event. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "structured.h"

#include <stdlib.h>
#include "envelope/field.h"
#include "io/diag.h"
#include "severity.h"
#include "structured_name.h"

enum { MEMBERS_KEPT = 64 };

struct member { struct value key, value; enum structured_name name; };

struct structured {
	struct map_options options;
	const struct dictionary_key *rt, *dvchost, *msg;
	struct buffer header;        /* decoded texts that must hold until the header is written */
	struct buffer key, value;    /* of one pair */
	/* Of the envelope at hand: what is in fields and not null, and the members that were too many to keep. */
	struct member members[MEMBERS_KEPT + 1];
	size_t member_count;
	struct field_walk beyond;
};

/* What a first look at fields tells. */
struct sight {
	struct value taken[STRUCTURED_NAMES];
	bool has_rt, has_dvchost;
};

struct structured *structured_new(const struct map_options *options)
{
	struct structured *s = must_alloc(sizeof *s);
	s->options = *options;
	s->rt = dictionary_find(SPAN("rt"));
	s->dvchost = dictionary_find(SPAN("dvchost"));
	s->msg = dictionary_find(SPAN("msg"));
	buffer_init(&s->header, SIZE_MAX / 2);
	buffer_init(&s->key, SIZE_MAX / 2);
	buffer_init(&s->value, SIZE_MAX / 2);
	return s;
}

void structured_free(struct structured *s)
{
	if (!s) return;
	buffer_release(&s->header);
	buffer_release(&s->key);
	buffer_release(&s->value);
	free(s);
}

static inline bool is_empty(const struct value *value)
{
	return value->kind == VALUE_ABSENT || value->kind == VALUE_NULL || (value->kind == VALUE_STRING && value->text.length == 0);
}

static struct span decoded(struct buffer *room, const struct value *value)
{
	size_t from = room->length;
	field_append_text(room, *value);
	return (struct span){ room->data + from, room->length - from };
}

/* The text of the value, behind what `room` holds already; where nothing is escaped it is left in the line. */
static inline struct span text_of(struct buffer *room, const struct value *value)
{
	if (value->kind == VALUE_NULL || value->kind == VALUE_ABSENT) return SPAN("");
	return value->escaped ? decoded(room, value) : value->text;
}

static inline struct span key_text(struct structured *s, const struct value *key)
{
	buffer_clear(&s->key);
	return text_of(&s->key, key);
}

static inline bool is_missing(const struct value *value)
{
	return value->kind == VALUE_ABSENT || value->kind == VALUE_NULL;
}

bool structured_is(struct structured *s, const struct envelope *e)
{
	if (!field_equals(e->type, SPAN("cef"))) return false;
	struct field_walk walk = field_walk(e, e->fields);
	struct value key, value;
	int present = 0;
	while (present < 2 && field_next(&walk, &key, &value)) {
		enum structured_name name = structured_name_find(key_text(s, &key));
		if ((name == STRUCTURED_SIGNATURE || name == STRUCTURED_NAME) && !is_missing(&value)) present += is_empty(&value) ? 1 : 2;
	}
	return present >= 2;
}

static inline void see(const struct structured *s, struct span key, const struct value *value, struct sight *sight)
{
	if (is_empty(value)) return;
	if (span_equal(key, s->rt->name)) sight->has_rt = true;
	else if (span_equal(key, s->dvchost->name)) sight->has_dvchost = true;
}

static void look_into_extension(struct structured *s, const struct envelope *e, const struct value *object, struct sight *sight)
{
	struct field_walk walk = field_walk(e, *object);
	struct value key, value;
	while (field_next(&walk, &key, &value)) see(s, key_text(s, &key), &value, sight);
}

static void look(struct structured *s, const struct envelope *e, struct sight *sight)
{
	struct field_walk walk = field_walk(e, e->fields), here = walk;
	struct member *one = s->members;
	s->beyond = (struct field_walk){ e, 0 };
	for (; field_next(&walk, &one->key, &one->value); here = walk) {
		if (is_missing(&one->value)) continue;
		struct span text = key_text(s, &one->key);
		one->name = structured_name_find(text);
		if (one->name != STRUCTURED_NAMES) sight->taken[one->name] = one->value;
		else see(s, text, &one->value, sight);
		if (one < s->members + MEMBERS_KEPT) one++; /* the last one is never kept */
		else if (!s->beyond.at) s->beyond = here;
	}
	s->member_count = (size_t)(one - s->members);
	if (sight->taken[STRUCTURED_EXTENSION].kind == VALUE_OBJECT) look_into_extension(s, e, &sight->taken[STRUCTURED_EXTENSION], sight);
}

/* Where it is missing, not where it is empty: a line of CEF may have empty fields, and unfold says so. */
static struct span or_option(struct span text, const char *option, struct span built_in)
{
	if (text.data) return text;
	return option && *option ? span_of(option) : built_in;
}

static const char *begin(struct structured *s, const struct envelope *e, const struct sight *sight, struct cef_header *header, struct record *record)
{
	static const char *const number[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10" };
	struct span text[STRUCTURED_NAMES];
	buffer_clear(&s->header);
	if (!buffer_reserve(&s->header, e->line.length + 1)) die(EXIT_INTERNAL, "no memory for the fields of an event");
	for (int i = STRUCTURED_SIGNATURE; i <= STRUCTURED_VERSION; i++) text[i] = is_missing(&sight->taken[i]) ? (struct span){ NULL, 0 } : text_of(&s->header, &sight->taken[i]);
	struct span logger = text_of(&s->header, &e->logger);
	*header = (struct cef_header){
		.vendor = or_option(text[STRUCTURED_VENDOR], s->options.vendor, SPAN("metlog")),
		.product = or_option(text[STRUCTURED_PRODUCT], s->options.product, logger.length ? logger : SPAN("metlog")),
		.device_version = or_option(text[STRUCTURED_VERSION], s->options.device_version, SPAN("0.8")),
		.signature = or_option(text[STRUCTURED_SIGNATURE], NULL, text[STRUCTURED_NAME]),
		.name = or_option(text[STRUCTURED_NAME], NULL, text[STRUCTURED_SIGNATURE]),
		.severity = span_of(number[s->options.severity[e->severity]]),
	};
	if (!is_empty(&sight->taken[STRUCTURED_SEVERITY]) && !severity_find(text[STRUCTURED_SEVERITY], &header->severity)) return "fields.severity: neither 0 to 10 nor a word of CEF";
	return record_begin(record, header);
}

static inline const char *put_pair(struct structured *s, const struct value *key, const struct value *value, struct record *record)
{
	buffer_clear(&s->value);
	return record_put_named(record, key_text(s, key), text_of(&s->value, value));
}

static const char *put_extension(struct structured *s, const struct envelope *e, const struct value *object, struct record *record)
{
	struct field_walk walk = field_walk(e, *object);
	struct value key, value;
	const char *why = NULL;
	while (!why && field_next(&walk, &key, &value))
		if (!is_empty(&value)) why = put_pair(s, &key, &value, record);
	return why;
}

static inline const char *put_member(struct structured *s, const struct envelope *e, const struct member *one, struct record *record)
{
	if (is_empty(&one->value) || one->name < STRUCTURED_EXTENSION) return NULL;
	if (one->name == STRUCTURED_EXTENSION && one->value.kind == VALUE_OBJECT) return put_extension(s, e, &one->value, record);
	return put_pair(s, &one->key, &one->value, record);
}

static const char *put_all(struct structured *s, const struct envelope *e, struct record *record)
{
	struct field_walk walk = s->beyond;
	struct member one;
	const char *why = NULL;
	for (size_t i = 0; !why && i < s->member_count; i++) why = put_member(s, e, &s->members[i], record);
	while (!why && field_next(&walk, &one.key, &one.value)) {
		one.name = structured_name_find(key_text(s, &one.key));
		why = put_member(s, e, &one, record);
	}
	return why;
}

const char *structured_put(struct structured *s, const struct envelope *e, struct record *record)
{
	struct sight sight = { 0 };
	struct cef_header header;
	look(s, e, &sight);
	const char *why = begin(s, e, &sight, &header, record);
	if (why) return why;
	buffer_clear(&s->value);
	if (!sight.has_rt) record_try(record, s->rt, SPAN(""), text_of(&s->value, &e->timestamp));
	if (!sight.has_dvchost && e->metlog_hostname.kind == VALUE_STRING) record_try(record, s->dvchost, SPAN(""), text_of(&s->value, &e->metlog_hostname));
	why = put_all(s, e, record);
	if (why || is_empty(&e->payload)) return why;
	/* A msg of fields is there already, and stays. */
	buffer_clear(&s->value);
	struct span payload = text_of(&s->value, &e->payload);
	return span_equal(payload, header.name) ? NULL : record_put(record, s->msg, payload);
}
