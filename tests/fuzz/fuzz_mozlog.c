/* fuzz_mozlog - whatever line is taken for MozLog becomes a good envelope, whatever envelope is written becomes a line that the schema allows, and both come back. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/view_fixture.h"
#include "envelope/mozlog.h"

struct trial {
	struct mozlog_reader *reader;
	struct mozlog_options options;
	struct mozlog_writer *writer;
	struct scan scan;
	struct buffer copy, padded, first, second, third;
};

static _Noreturn void wrong(const char *what, struct span line, struct span made)
{
	fprintf(stderr, "%s\n%.*s\n%.*s\n", what, (int)line.length, line.data, (int)made.length, made.data);
	abort();
}

static struct span raw(struct value v)
{
	return v.kind == VALUE_STRING ? (struct span){ v.text.data - 1, v.text.length + 2 } : v.text;
}

/* --- the schema, once more --- */

static bool is_scalar(enum value_kind kind)
{
	return kind == VALUE_STRING || kind == VALUE_NUMBER || kind == VALUE_TRUE || kind == VALUE_FALSE;
}

static bool is_allowed(const struct envelope *e, struct value v, bool inside)
{
	struct value key, one, first = { .kind = VALUE_ABSENT };
	if (is_scalar(v.kind)) return true;
	if (v.kind == VALUE_ARRAY) {
		struct field_walk walk = field_walk_array(e, v);
		while (field_next_element(&walk, &one)) {
			if (one.kind == VALUE_FALSE) one.kind = VALUE_TRUE;
			if (!is_scalar(one.kind) || (first.kind != VALUE_ABSENT && first.kind != one.kind)) return false;
			first = one;
		}
		return first.kind != VALUE_ABSENT;
	}
	if (v.kind != VALUE_OBJECT || inside) return false;
	struct field_walk walk = field_walk(e, v);
	int count = 0;
	while (field_next(&walk, &key, &one)) {
		bool value = field_equals(key, SPAN("value"));
		if (value ? !is_allowed(e, one, true) : !field_equals(key, SPAN("representation")) || one.kind != VALUE_STRING) return false;
		count += value ? 1 : 10;
	}
	return count == 11;
}

static void require_schema(struct trial *t, struct span line)
{
	struct envelope e;
	struct envelope_fault fault;
	struct value object, key, value;
	static const char padding[SCAN_PADDING];
	buffer_clear(&t->copy);
	buffer_append_span(&t->copy, line);
	buffer_append_byte(&t->copy, '\n');
	buffer_append(&t->copy, padding, sizeof padding);
	struct span copied = { t->copy.data, line.length };
	scan_line(&t->scan, copied.data, copied.data + copied.length + 1);
	if (envelope_parse_object(&e, &object, &t->scan, copied, &fault) != ENVELOPE_GOOD) wrong(fault.reason, line, SPAN("is no object"));
	struct field_walk walk = field_walk(&e, object);
	if (!field_next(&walk, &key, &value) || !field_equals(key, SPAN("Timestamp")) || value.kind != VALUE_NUMBER || value.text.data[0] == '-') wrong("Timestamp", line, SPAN(""));
	while (field_next(&walk, &key, &value)) {
		if (field_equals(key, SPAN("Pid")) && (value.kind != VALUE_NUMBER || strcspn(value.text.data, "-.eE") < value.text.length)) wrong("Pid", line, value.text);
		bool text = field_equals(key, SPAN("Type")) || field_equals(key, SPAN("Logger")) || field_equals(key, SPAN("Hostname")) || field_equals(key, SPAN("EnvVersion"));
		if (text && (value.kind != VALUE_STRING || value.text.length == 0)) wrong("no text", line, value.text);
		if (!field_equals(key, SPAN("Fields"))) continue;
		struct field_walk fields = field_walk(&e, value);
		bool any = false;
		for (; field_next(&fields, &key, &value); any = true)
			if (!is_allowed(&e, value, false)) wrong("a field that the schema does not allow", line, value.text);
		if (!any) wrong("no fields", line, SPAN(""));
	}
}

/* --- both ways --- */

/* The envelope of a line, parsed; false: the line is none of MozLog. */
static bool read_line(struct trial *t, struct span line, struct buffer *out, struct envelope *e)
{
	static const char padding[SCAN_PADDING];
	struct envelope_fault fault = { 0 };
	buffer_clear(&t->padded);
	buffer_append_span(&t->padded, line);
	buffer_append_byte(&t->padded, '\n');
	buffer_append(&t->padded, padding, sizeof padding);
	buffer_clear(out);
	enum mozlog_verdict verdict = mozlog_read(t->reader, (struct span){ t->padded.data, line.length }, out, &fault);
	if (verdict != MOZLOG_GOOD && out->length) wrong("something was appended", line, buffer_span(out));
	if (verdict != MOZLOG_GOOD && verdict != MOZLOG_BLANK && !fault.reason) wrong("no reason", line, SPAN(""));
	if (verdict != MOZLOG_GOOD) return false;
	if (envelope_parse_copy(e, &t->scan, &t->copy, buffer_span(out), &fault) != ENVELOPE_GOOD) wrong(fault.reason, line, buffer_span(out));
	struct envelope view;
	if (mozlog_reader_view(t->reader, &view) && !view_is_of(&view, e)) wrong("another view than a scan has", line, buffer_span(out));
	const struct value *const members[] = { &e->timestamp, &e->logger, &e->type, &e->payload, &e->fields, &e->env_version };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i]->kind == VALUE_ABSENT || !e->has_severity) wrong("a member is absent", line, buffer_span(out));
	return true;
}

static bool contains(struct span text, const char *part)
{
	return memmem(text.data, text.length, part, strlen(part)) != NULL;
}

/* Where no name is used that means something on the other side, everything comes back byte for byte. */
static void require_same(struct trial *t, struct span was, struct span now)
{
	struct scan scan;
	struct buffer copy;
	struct envelope a, b;
	struct envelope_fault fault;
	struct value key, value, other_key, other;
	if (contains(was, "msg") || contains(was, "metlog_") || contains(was, "\\")) return;
	buffer_init(&copy, 1 << 24);
	if (!scan_init(&scan) || envelope_parse_copy(&a, &t->scan, &t->copy, was, &fault) != ENVELOPE_GOOD || envelope_parse_copy(&b, &scan, &copy, now, &fault) != ENVELOPE_GOOD) abort();
	if (!span_equal(a.logger.text, b.logger.text) || !span_equal(a.type.text, b.type.text) || a.severity != b.severity) wrong("logger, type or severity", was, now);
	if (!span_equal(a.payload.kind == VALUE_ABSENT ? SPAN("\"\"") : raw(a.payload), raw(b.payload))) wrong("payload", was, now);
	struct field_walk walk = field_walk(&a, a.fields), back = field_walk(&b, b.fields);
	while (field_next(&walk, &key, &value))
		if (!field_next(&back, &other_key, &other) || !span_equal(key.text, other_key.text) || !span_equal(raw(value), raw(other))) wrong("a field", was, now);
	if (field_next(&back, &key, &value)) wrong("a field more", was, now);
	scan_release(&scan);
	buffer_release(&copy);
}

/* To MozLog, back, and to MozLog again: from then on nothing changes any more. */
static void try_envelope(struct trial *t, const struct envelope *e, struct span was)
{
	struct envelope again;
	const char *why = NULL;
	buffer_clear(&t->second);
	if (!mozlog_write(t->writer, e, &t->second, &why)) {
		if (!why || t->second.length) wrong("refused, without a reason", was, buffer_span(&t->second));
		return;
	}
	require_schema(t, buffer_span(&t->second));
	if (!read_line(t, buffer_span(&t->second), &t->third, &again)) wrong("it is not read again", was, buffer_span(&t->second));
	require_same(t, was, buffer_span(&t->third));
	for (int round = 0; round < 2; round++) {
		if (envelope_parse_copy(&again, &t->scan, &t->copy, buffer_span(&t->third), &(struct envelope_fault){ 0 }) != ENVELOPE_GOOD) abort();
		buffer_clear(&t->first);
		if (!mozlog_write(t->writer, &again, &t->first, &why)) wrong(why, was, buffer_span(&t->third));
		if (round && !span_equal(buffer_span(&t->first), buffer_span(&t->second))) wrong("it changes once more", buffer_span(&t->second), buffer_span(&t->first));
		buffer_clear(&t->second);
		buffer_append_span(&t->second, buffer_span(&t->first));
		if (!read_line(t, buffer_span(&t->second), &t->third, &again)) wrong("it is not read again", was, buffer_span(&t->second));
	}
}

static void try_line(struct trial *t, struct span line)
{
	struct envelope e;
	struct envelope_fault fault;
	struct buffer kept;
	buffer_init(&kept, 1 << 24);
	if (read_line(t, line, &kept, &e)) try_envelope(t, &e, buffer_span(&kept));
	if (envelope_parse_copy(&e, &t->scan, &t->copy, line, &fault) == ENVELOPE_GOOD) try_envelope(t, &e, line);
	buffer_release(&kept);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct trial t = { 0 };
	struct buffer *buffers[] = { &t.copy, &t.padded, &t.first, &t.second, &t.third };
	struct span rest = { (const char *)data, size };
	for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) buffer_init(buffers[i], 1 << 26);
	t.options = (struct mozlog_options){ .has_now = true, .now_ns = 1519361465123456789 };
	t.reader = mozlog_reader_new();
	t.writer = mozlog_writer_new(&t.options);
	if (!t.reader || !t.writer || !scan_init(&t.scan)) abort();
	mozlog_reader_keep_view(t.reader);
	while (rest.length) {
		struct span line = span_take_line(&rest);
		if (line.length && line.length < 1 << 16) try_line(&t, line);
	}
	for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) buffer_release(buffers[i]);
	mozlog_reader_free(t.reader);
	mozlog_writer_free(t.writer);
	scan_release(&t.scan);
	return 0;
}
