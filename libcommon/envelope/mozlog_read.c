/* mozlog_read - makes an envelope of a line of MozLog. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "envelope/field_index.h"
#include "envelope/mozlog_made.h"
#include "envelope/mozlog_private.h"

/* What an envelope has beside its nine members, and MozLog has no place for, stands in Fields: metlog_mozlog_NAME of the eight, and a host and a process that the
 * schema does not allow. */
enum slot { SLOT_HOSTNAME = MOZLOG_MEMBERS, SLOT_PID, SLOTS };

struct pair { uint32_t key; struct value value; }; /* where the key stands in the index; 0: there is none */

struct mozlog_reader {
	struct scan scan;
	struct mozlog_inner inner;
	struct envelope line;                      /* the view of the line */
	struct value object;
	struct value member[MOZLOG_MEMBERS + 1];   /* as they stand there; of repeated ones the last, and of all others */
	unsigned kept;                             /* a bit for each that is of a kind which an envelope cannot have in its place */
	/* What stands in Fields. */
	struct pair msg, displaced, slot[SLOTS];   /* "fields.msg" */
	bool has_slots;
	bool is_simple;                            /* but for msg it is copied byte for byte */
	uint32_t behind;                           /* the entry behind it */
	struct timestamp_minute minute;
	struct mozlog_made made;
	bool wants_view;
};

struct mozlog_reader *mozlog_reader_new(void)
{
	struct mozlog_reader *r = calloc(1, sizeof *r);
	if (!r) return NULL;
	bool good = mozlog_inner_init(&r->inner);
	good &= scan_init(&r->made.scan);
	if (scan_init(&r->scan) && good) return r;
	mozlog_reader_free(r);
	return NULL;
}

void mozlog_reader_free(struct mozlog_reader *r)
{
	if (!r) return;
	mozlog_inner_release(&r->inner);
	scan_release(&r->scan);
	scan_release(&r->made.scan);
	free(r);
}

void mozlog_reader_keep_view(struct mozlog_reader *r)
{
	r->wants_view = true;
}

bool mozlog_reader_view(const struct mozlog_reader *r, struct envelope *view)
{
	if (r->made.next) *view = r->made.view;
	return r->made.next;
}

/* --- what is there --- */

static unsigned slot_of(struct value key)
{
	if (field_equals(key, SPAN("metlog_hostname"))) return SLOT_HOSTNAME;
	if (field_equals(key, SPAN("metlog_pid"))) return SLOT_PID;
	unsigned slot = mozlog_kept_member(key);
	return slot == MOZLOG_MEMBERS ? SLOTS : slot;
}

/* A field whose name may mean something. */
static void take_name(struct mozlog_reader *r, uint32_t at)
{
	struct field_walk walk = { &r->line, at };
	struct value key, value;
	if (!field_next(&walk, &key, &value)) return;
	struct pair pair = { at, value };
	if (field_equals(key, SPAN("msg"))) {
		r->msg = pair;
		return;
	}
	if (mozlog_is_displaced(key.text)) {
		r->is_simple = false;
		if (key.text.length == sizeof "fields.msg" - 1) r->displaced = pair;
		return;
	}
	unsigned slot = slot_of(key);
	if (slot == SLOTS) return;
	r->is_simple = false;
	r->has_slots = true;
	r->slot[slot] = pair;
}

/* Walks Fields, and returns the entry behind it. On the index itself, for a line is mostly fields, and few of them are of interest. */
static uint32_t find_fields(struct mozlog_reader *r, uint32_t at)
{
	const char *text = r->line.line.data;
	const uint32_t *index = r->scan.index;
	const bool escapes = r->scan.flags & SCAN_ESCAPES;
	r->is_simple = true;
	r->has_slots = false;
	r->msg.key = r->displaced.key = 0;
	for (int i = 0; i < SLOTS; i++) r->slot[i].key = 0;
	if (text[index[++at]] == '}') return at + 1;
	for (;; at++) {
		const char *key = text + index[at] + 1;
		if (*key == 'm' || *key == 'f' || (escapes && memchr(key, '\\', index[at + 1] - index[at] - 1))) take_name(r, at);
		at += 3;
		switch (text[index[at]]) {
		case '"': at += 2; break;
		case '{': r->is_simple = false; /* fall through */
		case '[': at = field_value_end(&r->line, at); break;
		default: at++;
		}
		if (text[index[at]] != ',') return at + 1;
	}
}

static bool is_severity(struct value v)
{
	return v.kind == VALUE_NUMBER && v.text.length == 1 && v.text.data[0] >= '0' && v.text.data[0] <= '7';
}

static unsigned find_kept(const struct value member[])
{
	unsigned kept = 0;
	for (unsigned i = 0; i < MOZLOG_MEMBERS; i++) {
		bool good = true;
		if (member[i].kind == VALUE_ABSENT) continue;
		if (i == MOZLOG_TYPE || i == MOZLOG_LOGGER) good = member[i].kind == VALUE_STRING;
		if (i == MOZLOG_SEVERITY) good = is_severity(member[i]);
		if (i == MOZLOG_ENV_VERSION) good = field_equals(member[i], SPAN("2.0"));
		if (i == MOZLOG_FIELDS) good = member[i].kind == VALUE_OBJECT || member[i].kind == VALUE_NULL;
		kept |= good ? 0U : 1U << i;
	}
	return kept;
}

/* Whether what stands in Fields is such a pair as mozlog_write would have put there. */
static bool is_moved(const struct mozlog_reader *r, unsigned slot)
{
	struct value v = r->slot[slot].value;
	if (slot == SLOT_HOSTNAME) return r->member[MOZLOG_HOSTNAME].kind == VALUE_ABSENT && !mozlog_is_host_name(v);
	if (slot == SLOT_PID) return r->member[MOZLOG_PID].kind == VALUE_ABSENT && !mozlog_is_pid(v);
	if (slot == MOZLOG_ENV_VERSION && mozlog_is_version(v)) return false;
	return !(r->kept & 1U << slot);
}

static void find_members(struct mozlog_reader *r)
{
	const char *text = r->line.line.data;
	const uint32_t *index = r->scan.index;
	const bool escapes = r->scan.flags & SCAN_ESCAPES;
	for (int i = 0; i <= MOZLOG_MEMBERS; i++) r->member[i].kind = VALUE_ABSENT;
	r->has_slots = false;
	for (uint32_t at = r->object.first + 1; text[index[at]] == '"'; at++) {
		struct value key = { .text = span_between(text + index[at] + 1, text + index[at + 1]), .kind = VALUE_STRING };
		key.escaped = escapes && memchr(key.text.data, '\\', key.text.length);
		enum mozlog_member member = mozlog_member_of(key);
		const char first = text[index[at += 3]];
		if (first == '{' && member == MOZLOG_FIELDS) {
			r->behind = find_fields(r, at);
			r->member[member] = (struct value){ .text = span_between(text + index[at], text + index[r->behind - 1] + 1), .kind = VALUE_OBJECT, .first = at };
			at = r->behind;
		} else {
			field_put_value(&r->line, at, &r->member[member]);
			at = first == '"' ? at + 2 : first == '{' || first == '[' ? field_value_end(&r->line, at) : at + 1;
		}
		if (text[index[at]] != ',') break;
	}
	r->kept = find_kept(r->member);
	if (r->member[MOZLOG_FIELDS].kind != VALUE_OBJECT) r->has_slots = false; /* of repeated ones the last counts */
	for (unsigned i = 0; r->has_slots && i < SLOTS; i++)
		if (r->slot[i].key && !is_moved(r, i)) r->slot[i].key = 0;
}

/* --- the envelope --- */

/* An envelope has all of its members, whether the line tells of them or not: programs of Metlog's days look them up without asking. */
static void put_text(struct mozlog_made *made, struct span name, struct value value, struct value *seen)
{
	static const struct value empty = { .text = { &"\"\""[1], 0 }, .kind = VALUE_STRING };
	mozlog_made_put(made, name, value.kind == VALUE_STRING ? value : empty, seen);
}

/* Fields.msg, if it is the message: then it is one field less. */
static void put_payload(struct mozlog_reader *r)
{
	const struct span name = SPAN(",\"payload\":");
	if (r->member[MOZLOG_FIELDS].kind != VALUE_OBJECT) r->msg.key = 0;
	if (r->msg.key && r->msg.value.kind == VALUE_OBJECT && mozlog_unwrap_payload(&r->inner, &r->line, r->msg.value)) {
		mozlog_made_forget(&r->made);
		mozlog_made_put(&r->made, name, r->inner.value, NULL);
		return;
	}
	if (r->msg.key && r->msg.value.kind != VALUE_STRING) r->msg.key = 0;
	put_text(&r->made, name, r->msg.key ? r->msg.value : (struct value){ .kind = VALUE_ABSENT }, &r->made.view.payload);
}

/* Pairs that stay as they are, next to each other: copied at once. */
struct run { struct mozlog_made *made; const char *start, *end; uint32_t first, behind; bool any; };

static void end_run(struct run *run)
{
	if (!run->start) return;
	if (run->any) mozlog_made_token(run->made, ',');
	run->any = true;
	mozlog_made_copy(run->made, span_between(run->start, run->end), run->first, run->behind);
	run->start = NULL;
}

static void keep_pair(struct run *run, struct value key, struct value value, uint32_t behind)
{
	struct span raw = mozlog_raw(value);
	if (!run->start) run->start = key.text.data - 1, run->first = key.first;
	run->end = raw.data + raw.length;
	run->behind = behind;
}

/* A pair that is not as it was: it has its name back, or its value is what was in Heka's object. */
static void put_pair(struct run *run, struct span name, struct value value)
{
	end_run(run);
	if (run->any) mozlog_made_token(run->made, ',');
	run->any = true;
	mozlog_made_forget(run->made);
	buffer_append_byte(run->made->out, '"');
	buffer_append_span(run->made->out, name);
	buffer_append(run->made->out, "\":", 2);
	mozlog_made_value(run->made, value, NULL);
}

static bool is_taken(const struct mozlog_reader *r, struct value key)
{
	for (unsigned i = 0; r->has_slots && i < SLOTS; i++)
		if (r->slot[i].key == key.first) return true;
	return r->msg.key == key.first;
}

/* Whether the field had to give way to msg, and has its name back: beside a message that is not empty; or alone, if it would have been taken for a message. */
static bool gave_way(const struct mozlog_reader *r, bool has_message, struct value key)
{
	if (has_message) return mozlog_is_displaced(key.text);
	return key.first == r->displaced.key && !r->msg.key && r->displaced.value.kind == VALUE_OBJECT;
}

static void put_some_fields(struct mozlog_reader *r, bool has_message)
{
	struct field_walk walk = field_walk(&r->line, r->member[MOZLOG_FIELDS]);
	struct run run = { .made = &r->made };
	struct value key, value;
	mozlog_made_token(&r->made, '{');
	while (field_next(&walk, &key, &value)) {
		bool wrapped = false, back = false;
		if (is_taken(r, key)) {
			end_run(&run);
			continue;
		}
		if (value.kind == VALUE_OBJECT) wrapped = mozlog_unwrap(&r->inner, &r->line, value);
		if (key.text.data[0] == 'f') back = gave_way(r, has_message, key);
		struct span name = key.text;
		if (back) name.data += sizeof "fields." - 1, name.length -= sizeof "fields." - 1;
		if (wrapped || back) put_pair(&run, name, wrapped ? r->inner.value : value);
		else keep_pair(&run, key, value, walk.at ? walk.at - 1 : r->behind - 1);
	}
	end_run(&run);
	mozlog_made_token(&r->made, '}');
}

/* All but the pair msg, whose value is a text: what stands before it and behind it. */
static void put_fields_around(struct mozlog_reader *r)
{
	const char *text = r->line.line.data;
	const uint32_t first = r->member[MOZLOG_FIELDS].first, *msg = r->scan.index + r->msg.key;
	struct span fields = r->member[MOZLOG_FIELDS].text;
	const char *end = fields.data + fields.length, *stop = text + msg[-1], *resume = text + msg[4] + 1;
	uint32_t stopped = r->msg.key - 1, resumed = r->msg.key + 5;
	if (stopped == first) {                         /* the first: the brace stays, and a comma behind msg goes */
		stop++, stopped++;
		resume = text + msg[5];
		if (*resume == ',') resume++, resumed++;
	}
	mozlog_made_copy(&r->made, span_between(fields.data, stop), first, stopped);
	mozlog_made_copy(&r->made, span_between(resume, end), resumed, r->behind);
}

static void put_fields(struct mozlog_reader *r)
{
	struct mozlog_made *made = &r->made;
	struct value fields = r->member[MOZLOG_FIELDS], *seen = &made->view.fields;
	mozlog_made_name(made, SPAN(",\"fields\":"));
	const size_t start = made->out->length;
	*seen = (struct value){ .kind = VALUE_OBJECT, .first = made->next ? (uint32_t)(made->next - made->scan.index) : 0 };
	if (fields.kind != VALUE_OBJECT) mozlog_made_token(made, '{'), mozlog_made_token(made, '}');
	else if (!r->is_simple) put_some_fields(r, r->msg.key && (r->msg.value.kind != VALUE_STRING || r->msg.value.text.length));
	else if (r->msg.key) put_fields_around(r);
	else mozlog_made_copy(made, fields.text, fields.first, r->behind);
	seen->text.length = made->out->length - start;
}

/* What mozlog_write has moved into Fields. */
static struct value moved_value(struct mozlog_reader *r, unsigned slot)
{
	struct value value = r->slot[slot].value;
	if (value.kind != VALUE_OBJECT || !mozlog_unwrap(&r->inner, &r->line, value)) return value;
	mozlog_made_forget(&r->made);
	return r->inner.value;
}

/* Hostname or Pid, if there is one. */
static void put_origin(struct mozlog_reader *r, enum mozlog_member member, enum slot slot, struct span name, struct value *seen)
{
	struct value value = r->member[member];
	if (value.kind == VALUE_ABSENT && r->has_slots && r->slot[slot].key) value = moved_value(r, slot);
	if (value.kind != VALUE_ABSENT) mozlog_made_put(&r->made, name, value, seen);
}

/* A member that no reader of envelopes knows. */
static void put_other(struct mozlog_made *made, struct span before, struct span name, struct value value)
{
	if (made->next) mozlog_made_note_name(made, before.length + name.length + 2);
	buffer_append_span(made->out, before);
	buffer_append_span(made->out, name);
	buffer_append(made->out, "\":", 2);
	mozlog_made_value(made, value, NULL);
	made->view.has_others = true;
}

static void put_kept(struct mozlog_reader *r)
{
	for (unsigned i = 0; i < MOZLOG_MEMBERS; i++) {
		bool kept = r->kept & 1U << i;
		if (!kept && !(r->has_slots && r->slot[i].key)) continue;
		struct value value = kept ? r->member[i] : moved_value(r, i);
		put_other(&r->made, SPAN(",\"" MOZLOG_KEPT), mozlog_member_name((enum mozlog_member)i), value);
	}
}

static void put_own(struct mozlog_reader *r)
{
	struct field_walk walk = field_walk(&r->line, r->object);
	struct value key, value;
	while (field_next(&walk, &key, &value)) {
		if (mozlog_member_of(key) != MOZLOG_MEMBERS) continue;
		bool own = mozlog_is_own(key);
		struct span name = key.text;
		if (!own) name.data += sizeof MOZLOG_PREFIX - 1, name.length -= sizeof MOZLOG_PREFIX - 1;
		put_other(&r->made, own ? SPAN(",\"" MOZLOG_KEPT) : SPAN(",\""), name, value);
	}
}

static void put_envelope(struct mozlog_reader *r, int64_t ns, struct buffer *out)
{
	char stamp[TIMESTAMP_MAX + 2] = "\"";
	struct mozlog_made *made = &r->made;
	struct envelope *view = &made->view;
	const struct value *member = r->member;
	size_t length = mozlog_print_time(&r->minute, stamp + 1, ns);
	stamp[1 + length] = '"';
	mozlog_made_begin(made, out, &r->line, r->wants_view);
	mozlog_made_put(made, SPAN("{\"timestamp\":"), (struct value){ .text = { stamp + 1, length }, .kind = VALUE_STRING }, &view->timestamp);
	put_text(made, SPAN(",\"logger\":"), member[MOZLOG_LOGGER], &view->logger);
	put_text(made, SPAN(",\"type\":"), member[MOZLOG_TYPE], &view->type);
	struct value severity = is_severity(member[MOZLOG_SEVERITY]) ? member[MOZLOG_SEVERITY] : (struct value){ .text = SPAN("6"), .kind = VALUE_NUMBER };
	mozlog_made_put(made, SPAN(",\"severity\":"), severity, NULL);
	view->severity = severity.text.data[0] - '0';
	view->has_severity = true;
	put_payload(r);
	put_fields(r);
	mozlog_made_put(made, SPAN(",\"env_version\":"), (struct value){ .text = { &"\"0.8\""[1], 3 }, .kind = VALUE_STRING }, &view->env_version);
	put_origin(r, MOZLOG_PID, SLOT_PID, SPAN(",\"metlog_pid\":"), &view->metlog_pid);
	put_origin(r, MOZLOG_HOSTNAME, SLOT_HOSTNAME, SPAN(",\"metlog_hostname\":"), &view->metlog_hostname);
	if (member[MOZLOG_MEMBERS].kind != VALUE_ABSENT) put_own(r);
	if (r->kept || r->has_slots) put_kept(r);
	mozlog_made_end(made);
}

enum mozlog_verdict mozlog_read(struct mozlog_reader *r, struct span line, struct buffer *out, struct envelope_fault *fault)
{
	int64_t ns;
	size_t at = 0;
	mozlog_made_forget(&r->made);
	while (at < line.length && (line.data[at] == ' ' || line.data[at] == '\t' || line.data[at] == '\r')) at++;
	if (at == line.length) return MOZLOG_BLANK;
	*fault = (struct envelope_fault){ "not a JSON object", at + 1 };
	if (span_starts(line, SPAN("\xef\xbb\xbf{"))) {
		*fault = (struct envelope_fault){ "byte order mark", 1 };
		return MOZLOG_BAD;
	}
	if (line.data[at] != '{') return MOZLOG_TEXT;
	scan_line(&r->scan, line.data, line.data + line.length + 1);
	if (envelope_parse_object(&r->line, &r->object, &r->scan, line, fault) != ENVELOPE_GOOD) return MOZLOG_BAD;
	find_members(r);
	struct value stamp = r->member[MOZLOG_TIMESTAMP];
	*fault = (struct envelope_fault){ "no Timestamp", 0 };
	if (stamp.kind == VALUE_ABSENT) return MOZLOG_OTHER;
	*fault = (struct envelope_fault){ mozlog_read_time(stamp, &ns), (size_t)(stamp.text.data - line.data) + 1 };
	if (fault->reason) return MOZLOG_BAD;
	size_t before = out->length;
	put_envelope(r, ns, out);
	if (out->failed) out->length = before;
	return MOZLOG_GOOD;
}
