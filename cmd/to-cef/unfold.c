/* unfold - a line of CEF read and composed as an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "unfold.h"

#include <stdlib.h>
#include "base/number.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "dictionary.h"
#include "envelope/compose.h"
#include "io/diag.h"
#include "preface.h"
#include "severity.h"
#include "sink/syslog_message.h"
#include "structured_name.h"

static const int64_t EXACT_MAX = (int64_t)1 << 53;      /* beyond it a reader of JSON may round */
static const int64_t MILLISECONDS_MAX = INT64_MAX / 1000000;

struct unfold {
	struct unfold_options options;
	struct cef_event event;
	struct preface preface;
	struct buffer decoded, fields, extension;
};

struct unfold *unfold_new(const struct unfold_options *options)
{
	struct unfold *u = must_alloc(sizeof *u);
	u->options = *options;
	buffer_init(&u->decoded, SIZE_MAX / 2);
	buffer_init(&u->fields, SIZE_MAX / 2);
	buffer_init(&u->extension, SIZE_MAX / 2);
	return u;
}

void unfold_free(struct unfold *u)
{
	if (!u) return;
	buffer_release(&u->decoded);
	buffer_release(&u->fields);
	buffer_release(&u->extension);
	free(u);
}

/* --- the extension --- */

/* A number in JSON, if printing it gives the text again. */
static bool is_number(const struct unfold *u, const struct cef_pair *pair)
{
	const struct dictionary_key *key = dictionary_find(pair->key);
	char text[NUMBER_INT_MAX];
	int64_t value;
	if (!key) return false;
	enum dictionary_type type = dictionary_type(key, u->event.header.version ? 1 : 0);
	if (type != DICTIONARY_INTEGER && type != DICTIONARY_LONG && type != DICTIONARY_TIME) return false;
	if (!number_parse_int(pair->value, &value) || value > EXACT_MAX || value < -EXACT_MAX) return false;
	return span_equal((struct span){ text, number_print_int(text, value) }, pair->value);
}

static void append_extension(struct unfold *u, struct buffer *out)
{
	for (size_t i = 0; i < u->event.pair_count; i++) {
		const struct cef_pair *pair = &u->event.pair[i];
		if (is_number(u, pair)) compose_field_json(out, pair->key, pair->value);
		else compose_field_text(out, pair->key, pair->value);
	}
}

/* All of it goes into the object, for the order is part of the event. */
static bool needs_object(const struct unfold *u)
{
	for (size_t i = 0; i < u->event.pair_count; i++)
		if (structured_name_find(u->event.pair[i].key) != STRUCTURED_NAMES) return true;
	return false;
}

static struct span value_of(const struct unfold *u, struct span key)
{
	for (size_t i = 0; i < u->event.pair_count; i++)
		if (span_equal(u->event.pair[i].key, key)) return u->event.pair[i].value;
	return SPAN("");
}

/* --- fields --- */

/* In capitals, as the original client has them. */
static void append_syslog_name(struct buffer *out, struct span key, const char *name)
{
	char capitals[32];
	size_t length = 0;
	for (; name[length] && length < sizeof capitals; length++) capitals[length] = name[length] >= 'a' && name[length] <= 'z' ? (char)(name[length] - 'a' + 'A') : name[length];
	compose_field_text(out, key, (struct span){ capitals, length });
}

/* What stands in u->extension, as an object. */
static void append_object(struct unfold *u, struct span name)
{
	compose_field_json(&u->fields, name, SPAN("{"));
	buffer_append_span(&u->fields, buffer_span(&u->extension));
	buffer_append_byte(&u->fields, '}');
}

static void append_meta(struct unfold *u)
{
	const struct preface *preface = &u->preface;
	buffer_clear(&u->extension);
	if (preface->pid.length) compose_field_text(&u->extension, SPAN("syslog_options"), SPAN("PID"));
	append_syslog_name(&u->extension, SPAN("syslog_facility"), syslog_facility_name(preface->facility));
	if (preface->ident.length) compose_field_text(&u->extension, SPAN("syslog_ident"), preface->ident);
	append_syslog_name(&u->extension, SPAN("syslog_priority"), syslog_severity_name(preface->severity));
	append_object(u, SPAN("cef_meta"));
}

static void compose_fields(struct unfold *u)
{
	const struct cef_header *header = &u->event.header;
	struct span severity = header->severity;
	bool is_word = severity.data[0] > '9';
	buffer_clear(&u->fields);
	compose_field_text(&u->fields, SPAN("vendor"), header->vendor);
	compose_field_text(&u->fields, SPAN("product"), header->product);
	compose_field_text(&u->fields, SPAN("version"), header->device_version);
	compose_field_text(&u->fields, SPAN("signature"), header->signature);
	compose_field_text(&u->fields, SPAN("name"), header->name);
	if (is_word) compose_field_text(&u->fields, SPAN("severity"), severity);
	else compose_field_json(&u->fields, SPAN("severity"), severity);
	if (header->version) compose_field_int(&u->fields, SPAN("cef_version"), header->version);
	if (needs_object(u)) {
		buffer_clear(&u->extension);
		append_extension(u, &u->extension);
		append_object(u, SPAN("extension"));
	} else append_extension(u, &u->fields);
	if (u->preface.has_priority) append_meta(u);
}

/* --- the envelope --- */

static bool find_time(const struct unfold *u, int64_t *time_ns)
{
	struct span rt = value_of(u, SPAN("rt"));
	int64_t milliseconds;
	bool known = rt.length && number_parse_int(rt, &milliseconds) && milliseconds <= MILLISECONDS_MAX && milliseconds >= -MILLISECONDS_MAX;
	if (known) *time_ns = milliseconds * 1000000;
	else if (rt.length && preface_time(rt, u->options.now_ns, time_ns)) known = true;
	if (!known && u->preface.has_time) {
		*time_ns = u->preface.time_ns;
		known = true;
	}
	return known;
}

static void append_member(struct buffer *out, struct span text, struct span value)
{
	buffer_append_span(out, text);
	text_append_quoted(out, value);
}

/* By hand, for compose_append has no envelope without a time or a host. */
static bool append_envelope(struct unfold *u, struct buffer *out)
{
	const struct preface *preface = &u->preface;
	struct span host = preface->host.length ? preface->host : value_of(u, SPAN("dvchost"));
	char time[TIMESTAMP_MAX];
	int64_t time_ns, pid;
	size_t before = out->length;
	buffer_append_text(out, "{\"type\":\"cef\"");
	if (find_time(u, &time_ns)) append_member(out, SPAN(",\"timestamp\":"), (struct span){ time, timestamp_print(time, time_ns) });
	append_member(out, SPAN(",\"logger\":"), u->event.header.product);
	buffer_append_text(out, ",\"severity\":");
	buffer_append_int(out, preface->has_priority ? preface->severity : severity_nearest(u->event.header.severity, u->options.severity));
	append_member(out, SPAN(",\"payload\":"), u->event.header.name);
	buffer_append_text(out, ",\"fields\":{");
	buffer_append_span(out, buffer_span(&u->fields));
	buffer_append_text(out, "},\"env_version\":\"0.8\"");
	if (number_parse_int(preface->pid, &pid)) {
		buffer_append_text(out, ",\"metlog_pid\":");
		buffer_append_int(out, pid);
	}
	if (host.length) append_member(out, SPAN(",\"metlog_hostname\":"), host);
	buffer_append_byte(out, '}');
	if (!out->failed) return true;
	out->length = before;
	return false;
}

static size_t valid_length(struct span text)
{
	uint32_t codepoint;
	size_t length = 0;
	for (size_t n; (n = text_decode_utf8((struct span){ text.data + length, text.length - length }, &codepoint)); length += n);
	return length;
}

bool unfold_line(struct unfold *u, struct span line, struct buffer *out, const char **why, size_t *column)
{
	struct span text = line, rest;
	if (text.length && text.data[text.length - 1] == '\r') text.length--;
	while (text.length && (text.data[0] == ' ' || text.data[0] == '\t')) text.data++, text.length--;
	size_t skipped = line.length ? (size_t)(text.data - line.data) : 0;
	*why = NULL;
	*column = 0;
	if (!text_is_utf8(text)) {
		*why = "not valid UTF-8";
		*column = valid_length(text) + 1;
	} else if (preface_read(&u->preface, text, &u->options.now_ns, &rest, why, column)) {
		size_t before = (size_t)(rest.data - text.data);
		if (cef_read(&u->event, rest, CEF_LENIENT, &u->decoded, why, column) && !severity_find(u->event.header.severity, &u->event.header.severity)) {
			*why = "the severity is neither 0 to 10 nor a word of CEF";
			*column = 1;
		}
		if (u->decoded.no_memory) die(EXIT_INTERNAL, "no memory for a line");
		*column += before;
	}
	if (*why) {
		*column += skipped;
		return false;
	}
	compose_fields(u);
	*why = "too long";
	*column = 0;
	bool good = !u->fields.failed && !u->extension.failed && append_envelope(u, out);
	if (u->fields.no_memory || u->extension.no_memory || out->no_memory) die(EXIT_INTERNAL, "no memory for an envelope");
	return good;
}
