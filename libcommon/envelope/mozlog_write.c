/* mozlog_write - makes a line of MozLog of an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "base/text.h"
#include "envelope/field_index.h"
#include "envelope/mozlog_private.h"

struct mozlog_writer {
	struct mozlog_inner inner;
	struct timestamp_minute minute;
	const struct mozlog_options *options;
	const struct envelope *e;
	struct buffer *out;
	bool any;                    /* a field was written */
	bool has_message;            /* the payload becomes Fields.msg */
	struct value env_version;    /* what stands in metlog_mozlog_EnvVersion, if it may stand in EnvVersion */
};

struct mozlog_writer *mozlog_writer_new(const struct mozlog_options *options)
{
	struct mozlog_writer *w = calloc(1, sizeof *w);
	if (!w) return NULL;
	w->options = options;
	if (mozlog_inner_init(&w->inner)) return w;
	mozlog_writer_free(w);
	return NULL;
}

void mozlog_writer_free(struct mozlog_writer *w)
{
	if (!w) return;
	mozlog_inner_release(&w->inner);
	free(w);
}

/* --- Timestamp --- */

static bool read_escaped_time(struct span inside, int64_t *ns)
{
	char room[2 * TIMESTAMP_MAX];
	struct buffer decoded = { .data = room, .capacity = sizeof room, .limit = sizeof room };
	return inside.length < 6 * sizeof room && text_append_unescaped(&decoded, inside) && timestamp_parse(buffer_span(&decoded), ns);
}

static const char *find_time(struct mozlog_writer *w, int64_t *ns)
{
	struct value stamp = w->e->timestamp;
	*ns = w->options->now_ns;
	if (stamp.text.length == 0) return w->options->has_now ? NULL : "no timestamp";
	bool good = stamp.escaped ? read_escaped_time(stamp.text, ns) : timestamp_parse_next(&w->minute, stamp.text, ns);
	if (!good) return "a timestamp that cannot be read";
	return *ns < 0 ? "a timestamp before 1970" : NULL;
}

/* --- Fields --- */

static void put(struct mozlog_writer *w, struct span name, struct value value)
{
	buffer_append_span(w->out, name);
	buffer_append_span(w->out, mozlog_raw(value));
}

static void begin_pair(struct mozlog_writer *w)
{
	buffer_append_span(w->out, w->any ? SPAN(",") : SPAN(",\"Fields\":{"));
	w->any = true;
}

/* A value that the schema does not allow; `before` and `name` make its key. */
static void put_wrapped(struct mozlog_writer *w, struct span before, struct span name, struct value value)
{
	if (w->options->plain && value.kind == VALUE_NULL) return;
	begin_pair(w);
	buffer_append_byte(w->out, '"');
	buffer_append_span(w->out, before);
	buffer_append_span(w->out, name);
	buffer_append_span(w->out, w->options->plain ? SPAN("\":") : SPAN("\":{\"value\":"));
	text_append_quoted(w->out, mozlog_raw(value));
	if (!w->options->plain) buffer_append_span(w->out, SPAN(",\"representation\":\"json\"}"));
}

/* Whether the value goes out as it is. */
static bool is_plain(struct mozlog_writer *w, struct value value)
{
	switch (value.kind) {
	case VALUE_STRING: case VALUE_NUMBER: case VALUE_TRUE: case VALUE_FALSE: return true;
	case VALUE_OBJECT: return !w->options->plain && !mozlog_must_wrap(&w->inner, w->e, value);
	default: return !mozlog_must_wrap(&w->inner, w->e, value);
	}
}

static void put_field(struct mozlog_writer *w, struct span before, struct span name, struct value value)
{
	if (!is_plain(w, value)) {
		put_wrapped(w, before, name, value);
		return;
	}
	begin_pair(w);
	buffer_append_byte(w->out, '"');
	buffer_append_span(w->out, before);
	buffer_append_span(w->out, name);
	put(w, SPAN("\":"), value);
}

/* A field msg is no message: beside one it is named fields.msg, as some writers do; and alone, where it would be taken for one, it is too. */
static bool gives_way(struct mozlog_writer *w, struct value key, struct value value)
{
	bool is_msg = field_equals(key, SPAN("msg"));
	if (w->has_message) return is_msg || mozlog_is_displaced(key.text);
	return is_msg && (value.kind == VALUE_OBJECT || !is_plain(w, value)) && !w->options->plain;
}

/* Pairs that go out as they are, next to each other, are copied at once. */
static void end_run(struct mozlog_writer *w, const char **start, const char *end)
{
	if (!*start) return;
	begin_pair(w);
	buffer_append_span(w->out, span_between(*start, end));
	*start = NULL;
}

static void put_fields(struct mozlog_writer *w)
{
	struct field_walk walk = field_walk(w->e, w->e->fields);
	struct value key, value;
	const char *start = NULL, *end = NULL;
	while (field_step(&walk, &key, &value)) {
		struct span before = SPAN("");
		if ((mozlog_is_msg(key.text) || key.escaped) && gives_way(w, key, value)) before = SPAN("fields.");
		if (before.length || !is_plain(w, value)) {
			end_run(w, &start, end);
			put_field(w, before, before.length && field_equals(key, SPAN("msg")) ? SPAN("msg") : key.text, value);
			continue;
		}
		struct span raw = mozlog_raw(value);
		if (!start) start = key.text.data - 1;
		end = raw.data + raw.length;
	}
	end_run(w, &start, end);
}

static void put_message(struct mozlog_writer *w)
{
	struct value payload = w->e->payload;
	bool plain = payload.kind == VALUE_STRING || (w->options->plain && is_plain(w, payload));
	if (!w->has_message) return;
	if (!plain) {
		put_wrapped(w, SPAN(""), SPAN("msg"), payload);
		return;
	}
	begin_pair(w);
	put(w, SPAN("\"msg\":"), payload);
}

/* --- the members that MozLog does not have --- */

static struct value whole(const struct envelope *e)
{
	return (struct value){ .text = e->line, .kind = VALUE_OBJECT };
}

static void find_version(struct mozlog_writer *w)
{
	struct field_walk walk = field_walk(w->e, whole(w->e));
	struct value key, value;
	w->env_version = (struct value){ .kind = VALUE_ABSENT };
	if (!w->e->has_others) return;
	while (field_next(&walk, &key, &value))
		if (mozlog_kept_member(key) == MOZLOG_ENV_VERSION && mozlog_is_version(value)) w->env_version = value;
}

static void put_hidden_fields(struct mozlog_writer *w)
{
	struct field_walk walk = field_walk(w->e, whole(w->e));
	struct value key, value;
	if (!w->e->has_others) return;
	while (field_next(&walk, &key, &value))
		if (mozlog_kept_member(key) != MOZLOG_MEMBERS && value.first != w->env_version.first) put_field(w, SPAN(""), key.text, value);
}

static void put_others(struct mozlog_writer *w)
{
	struct field_walk walk = field_walk(w->e, whole(w->e));
	struct value key, value;
	if (!w->e->has_others) return;
	while (field_next(&walk, &key, &value)) {
		if (mozlog_is_of_envelope(key) || mozlog_kept_member(key) != MOZLOG_MEMBERS) continue;
		struct value own = key;
		bool kept = span_starts(key.text, SPAN(MOZLOG_KEPT));
		if (kept) own.text = span_between(key.text.data + sizeof MOZLOG_KEPT - 1, key.text.data + key.text.length);
		kept = kept && mozlog_is_own(own);
		buffer_append_span(w->out, kept ? SPAN(",\"") : SPAN(",\"" MOZLOG_PREFIX));
		buffer_append_span(w->out, kept ? own.text : key.text);
		put(w, SPAN("\":"), value);
	}
}

/* --- the line --- */

static void put_line(struct mozlog_writer *w, int64_t ns)
{
	const struct envelope *e = w->e;
	bool host = mozlog_is_host_name(e->metlog_hostname), pid = mozlog_is_pid(e->metlog_pid);
	buffer_append_span(w->out, SPAN("{\"Timestamp\":"));
	buffer_append_int(w->out, ns);
	if (e->type.text.length) put(w, SPAN(",\"Type\":"), e->type);
	if (e->logger.text.length) put(w, SPAN(",\"Logger\":"), e->logger);
	if (host) put(w, SPAN(",\"Hostname\":"), e->metlog_hostname);
	if (w->env_version.kind == VALUE_STRING) put(w, SPAN(",\"EnvVersion\":"), w->env_version);
	else buffer_append_span(w->out, SPAN(",\"EnvVersion\":\"2.0\""));
	buffer_append_span(w->out, SPAN(",\"Severity\":"));
	buffer_append_byte(w->out, (char)('0' + e->severity));
	if (pid) put(w, SPAN(",\"Pid\":"), e->metlog_pid);
	w->any = false;
	put_fields(w);
	if (!host && e->metlog_hostname.kind != VALUE_ABSENT) put_field(w, SPAN(""), SPAN("metlog_hostname"), e->metlog_hostname);
	if (!pid && e->metlog_pid.kind != VALUE_ABSENT) put_field(w, SPAN(""), SPAN("metlog_pid"), e->metlog_pid);
	put_hidden_fields(w);
	put_message(w);
	if (w->any) buffer_append_byte(w->out, '}');
	put_others(w);
	buffer_append_byte(w->out, '}');
}

bool mozlog_write(struct mozlog_writer *w, const struct envelope *e, struct buffer *out, const char **why)
{
	int64_t ns;
	w->e = e;
	w->out = out;
	*why = find_time(w, &ns);
	if (*why) return false;
	w->has_message = e->payload.kind == VALUE_STRING ? e->payload.text.length > 0 : e->payload.kind != VALUE_ABSENT && !(w->options->plain && e->payload.kind == VALUE_NULL);
	find_version(w);
	size_t before = out->length;
	put_line(w, ns);
	if (out->failed) out->length = before;
	return true;
}
