/* test_message - client/message: the bytes that envelope/compose writes, in the room that was promised, good whatever is in them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/number.h"
#include "base/sample.h"
#include "base/timestamp.h"
#include "client/message.h"
#include "client/value.h"
#include "envelope/compose.h"
#include "envelope/envelope.h"

#define SECOND INT64_C(1000000000)

static const struct message_parts parts = {
	.head = SPAN(",\"logger\":\"sync\",\"severity\":"),
	.tail = SPAN("},\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}\n"),
	.logger = SPAN("sync"), .hostname = SPAN("web1"), .pid = 26482,
};

static const struct message plain = { .type = SPAN("counter"), .severity = 6, .payload = SPAN("1"), .timestamp_ns = 1349438401 * SECOND + 137911000 };

/* The line in memory of exactly the length that was promised, so that a sanitizer sees a byte too many; the caller frees it. */
static char *write_exactly(const struct message *m, size_t *length)
{
	struct message_clock clock = { 0 };
	size_t promised = message_length(m, &parts);
	char *line = malloc(promised + 1);
	line[promised] = '#';
	*length = (size_t)(message_write(line, m, &parts, &clock) - line);
	assert_int_equal(*length, promised);
	assert_int_equal(line[promised], '#');
	assert_true(message_bound(m, &parts) >= promised);
	assert_int_equal(line[promised - 1], '\n');
	line[promised - 1] = '\0';
	return line;
}

static void assert_line(const struct message *m, const char *expected)
{
	size_t length;
	char *line = write_exactly(m, &length);
	assert_string_equal(line, expected);
	free(line);
}

static void assert_fields(struct metlog_fields fields, const char *metric, double rate, const char *expected)
{
	struct message m = plain;
	char whole[2000];
	m.fields = fields.list;
	m.field_count = fields.count;
	m.metric = span_of(metric);
	m.rate = rate;
	snprintf(whole, sizeof whole, "{\"type\":\"counter\",\"timestamp\":\"2012-10-05T12:00:01.137911Z\",\"logger\":\"sync\",\"severity\":6,"
		"\"payload\":\"1\",\"fields\":%s,\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}", expected);
	assert_line(&m, whole);
}

static void an_envelope_has_nine_members_in_this_order(void **state)
{
	(void)state;
	assert_line(&plain, "{\"type\":\"counter\",\"timestamp\":\"2012-10-05T12:00:01.137911Z\",\"logger\":\"sync\",\"severity\":6,"
		"\"payload\":\"1\",\"fields\":{},\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}");
}

static void a_message_may_have_a_logger_a_pid_a_host_and_a_time_of_its_own(void **state)
{
	(void)state;
	struct message m = plain;
	m.logger = SPAN("other \"one\"");
	m.pid = -3;
	m.timestamp = SPAN("2012-10-05 12:00:01+02:00");
	assert_line(&m, "{\"type\":\"counter\",\"timestamp\":\"2012-10-05 12:00:01+02:00\",\"logger\":\"other \\\"one\\\"\",\"severity\":6,"
		"\"payload\":\"1\",\"fields\":{},\"env_version\":\"0.8\",\"metlog_pid\":-3,\"metlog_hostname\":\"web1\"}");
	m.pid = 0;
	m.hostname = SPAN("web2\n");
	m.payload_is_json = true;
	m.payload = SPAN("[1,\n2]");
	assert_line(&m, "{\"type\":\"counter\",\"timestamp\":\"2012-10-05 12:00:01+02:00\",\"logger\":\"other \\\"one\\\"\",\"severity\":6,"
		"\"payload\":[1, 2],\"fields\":{},\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web2\\n\"}");
}

static void fields_are_of_each_kind_in_the_order_of_the_call(void **state)
{
	(void)state;
	assert_fields(METLOG_FIELDS(metlog_field_null("a"), metlog_field_bool("b", 7), metlog_field_bool("c", 0), metlog_field_int("d", INT64_MIN),
		metlog_field_uint("e", UINT64_MAX), metlog_field_double("f", 0.1), metlog_field_double("g", 1e21), metlog_field_double("h", -0.0),
		metlog_field_double("i", 1.0 / 0.0), metlog_field_text("j", "x\ty"), metlog_field_text("k", NULL), metlog_field_bytes("l", "\xff\0", 2),
		metlog_field_json("m", "{\"a\":\r\n[]}")), NULL, 0,
		"{\"a\":null,\"b\":true,\"c\":false,\"d\":-9223372036854775808,\"e\":18446744073709551615,\"f\":0.1,\"g\":1e+21,\"h\":0,\"i\":null,"
		"\"j\":\"x\\ty\",\"k\":null,\"l\":\"\xef\xbf\xbd\\u0000\",\"m\":{\"a\":  []}}");
}

static void a_metric_begins_with_name_and_rate_and_the_callers_own_are_left_out(void **state)
{
	(void)state;
	assert_fields(METLOG_FIELDS(metlog_field_int("rate", 9), metlog_field_int("a", 1), metlog_field_text("name", "x")), "login", 0.1, "{\"name\":\"login\",\"rate\":0.1,\"a\":1}");
	assert_fields(METLOG_FIELDS(metlog_field_int("rate", 9), metlog_field_text("name", "x")), "load", -1, "{\"name\":\"load\",\"rate\":9}");
	assert_fields(METLOG_FIELDS(metlog_field_int("rate", 9), metlog_field_text("name", "x")), NULL, 1, "{\"rate\":9,\"name\":\"x\"}");
	assert_fields(METLOG_NONE, "", 2, "{\"name\":\"\",\"rate\":2}");
}

static void tags_stand_behind_the_fields_in_an_object_of_texts(void **state)
{
	(void)state;
	assert_fields(METLOG_FIELDS(metlog_tag("host", "web1"), metlog_field_int("a", 1), metlog_field_int("tags", 5), metlog_tag("r\"", NULL)), "n", 1,
		"{\"name\":\"n\",\"rate\":1,\"a\":1,\"tags\":{\"host\":\"web1\",\"r\\\"\":\"\"}}");
	assert_fields(METLOG_FIELDS(metlog_tag("a", "b")), NULL, 0, "{\"tags\":{\"a\":\"b\"}}");
	assert_fields(METLOG_FIELDS(metlog_field_int("tags", 5)), NULL, 0, "{\"tags\":5}");
}

static void what_can_be_no_envelope_has_no_bound(void **state)
{
	(void)state;
	struct message m = plain;
	m.severity = 8;
	assert_true(message_bound(&m, &parts) == SIZE_MAX);
	m.severity = -1;
	assert_true(message_bound(&m, &parts) == SIZE_MAX);
	m = plain;
	struct metlog_fields fields = METLOG_FIELDS(metlog_field_json("a", "{"));
	m.fields = fields.list;
	m.field_count = 1;
	assert_true(message_bound(&m, &parts) == SIZE_MAX);
	struct metlog_fields long_field = METLOG_FIELDS(metlog_field_bytes("a", "", SIZE_MAX / 2));
	m.fields = long_field.list;
	assert_true(message_bound(&m, &parts) == SIZE_MAX);
	m = plain;
	m.payload.length = SIZE_MAX;
	assert_true(message_bound(&m, &parts) == SIZE_MAX);
}

static void the_date_follows_the_clock_over_seconds_and_before_1970(void **state)
{
	(void)state;
	static const int64_t times[] = { 0, 999, 999999999, SECOND, -1, -SECOND, 1349438401 * SECOND, 951782400 * SECOND - 1, 951782400 * SECOND, INT64_MAX, INT64_MIN };
	struct message_clock clock = { 0 };
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		char line[1000], expected[TIMESTAMP_MAX];
		struct message m = plain;
		m.timestamp_ns = times[i];
		message_write(line, &m, &parts, &clock);
		timestamp_print(expected, times[i]);
		assert_memory_equal(strstr(line, "timestamp") + 12, expected, strlen(expected));
	}
}

/* --- against compose and the scanner, with whatever may come ---------------------------- */

struct trial {
	struct sample random;
	struct buffer line, fields, copy;
	struct scan scan;
	char *pool;
};

enum { POOL = 4096 };

static unsigned below(struct trial *t, unsigned bound)
{
	unsigned low = 0, high = bound;
	while (high - low > 1) { /* a bit a turn */
		unsigned middle = low + (high - low) / 2;
		if (sample_take(&t->random, 0.5)) low = middle;
		else high = middle;
	}
	return low;
}

/* Plain text, text with an odd byte here and there, UTF-8, or any bytes: of any length up to 100, at any alignment. */
static void fill_pool(struct trial *t)
{
	static const char *const some[] = { "\"", "\\", "\n", "\x01", "\x7f", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff", "\xed\xa0\x80", "\xc3", "\xe2\x82" };
	for (size_t i = 0; i < POOL; i++) t->pool[i] = (char)('a' + i % 26);
	for (unsigned odd = below(t, 3) ? below(t, 200) : 0; odd; odd--) {
		const char *one = some[below(t, sizeof some / sizeof *some)];
		memcpy(t->pool + below(t, POOL - 8), one, strlen(one));
	}
	if (below(t, 4) == 0)
		for (size_t i = 0; i < POOL; i++) t->pool[i] = (char)below(t, 256);
}

static struct span some_text(struct trial *t)
{
	return (struct span){ t->pool + below(t, POOL - 128), below(t, 101) };
}

static const char *const values[] = { "{}", "[1, {\"a\": \"\\u00e9\"}]", "-0.5e+3", "\"x\"", "null", "[[[]],\n{}]", "true" };
static const double numbers[] = { 0, -0.0, 1, 0.5, -1234.5678, 1e-7, 1e300, 5e-324, 0.1 + 0.2, 999, 1000, 1.0 / 0.0 };

/* A field, and what compose makes of the same. */
static struct metlog_field some_field(struct trial *t)
{
	struct span name = some_text(t), text = some_text(t);
	struct metlog_field f = metlog_field_bytes("", text.data, text.length);
	const char *json = values[below(t, sizeof values / sizeof *values)];
	double number = numbers[below(t, sizeof numbers / sizeof *numbers)];
	int64_t whole = (int64_t)below(t, 1U << 31) * (int64_t)below(t, 1U << 31) - (INT64_C(1) << 60);
	switch (below(t, 6)) {
	case 0: f = metlog_field_double("", number); break;
	case 1: f = metlog_field_int("", whole); break;
	case 2: f = metlog_field_json("", json); break;
	case 3: f = metlog_field_null(""); break;
	}
	f.name = name.data;
	f.name_length = (uint32_t)name.length;
	struct buffer *out = &t->fields;
	if (f.kind == METLOG_KIND_DOUBLE) compose_field_number(out, name, number);
	else if (f.kind == METLOG_KIND_INT) compose_field_int(out, name, whole);
	else if (f.kind == METLOG_KIND_JSON) {
		char flat[64] = "";
		for (size_t i = 0; json[i]; i++) flat[i] = json[i] == '\n' ? ' ' : json[i];
		compose_field_json(out, name, span_of(flat));
	}
	else if (f.kind == METLOG_KIND_NULL) compose_field_json(out, name, SPAN("null"));
	else compose_field_text(out, name, text);
	return f;
}

static void any_message_is_what_compose_writes_and_a_good_envelope(void **state)
{
	(void)state;
	struct trial t = { .pool = malloc(POOL) };
	sample_init_seed(&t.random, 7);
	assert_true(scan_init(&t.scan));
	buffer_init(&t.line, 1 << 20);
	buffer_init(&t.fields, 1 << 20);
	buffer_init(&t.copy, 1 << 20);
	for (int i = 0; i < 4000; i++) {
		if (i % 20 == 0) fill_pool(&t);
		struct metlog_field list[6];
		struct message m = { .type = some_text(&t), .severity = (int)below(&t, 8), .payload = some_text(&t), .fields = list, .timestamp_ns = 1349438401 * SECOND + i * INT64_C(77777777) };
		struct compose c = { .type = m.type, .logger = parts.logger, .hostname = parts.hostname, .timestamp = m.timestamp_ns, .severity = m.severity, .payload = m.payload, .pid = 26482 };
		if (below(&t, 3) == 0) m.logger = c.logger = some_text(&t);
		if (below(&t, 3) == 0) m.hostname = c.hostname = some_text(&t);
		if (below(&t, 3) == 0) m.pid = c.pid = (int64_t)below(&t, 100000) + 1;
		buffer_clear(&t.fields);
		if (below(&t, 2)) {
			m.metric = some_text(&t);
			m.rate = numbers[below(&t, sizeof numbers / sizeof *numbers)];
			if (m.rate < 0) m.rate = 0.25;
			compose_metric(&t.fields, m.metric, m.rate);
		}
		for (m.field_count = below(&t, 7); m.field_count > 6;) m.field_count = 6;
		for (size_t j = 0; j < m.field_count; j++) list[j] = some_field(&t);
		c.fields = buffer_span(&t.fields);
		buffer_clear(&t.line);
		assert_true(compose_append(&t.line, &c));
		size_t length;
		char *line = write_exactly(&m, &length);
		assert_string_equal(line, buffer_text(&t.line));
		struct envelope e;
		struct envelope_fault fault;
		assert_int_equal(envelope_parse_copy(&e, &t.scan, &t.copy, (struct span){ line, length - 1 }, &fault), ENVELOPE_GOOD);
		free(line);
	}
	buffer_release(&t.line);
	buffer_release(&t.fields);
	buffer_release(&t.copy);
	scan_release(&t.scan);
	free(t.pool);
}

/* Each length up to 100, with an odd byte at each place: nothing before it is lost, nothing behind it. */
static void a_text_of_any_length_with_an_odd_byte_anywhere_is_escaped_once(void **state)
{
	(void)state;
	static const struct { char byte; const char *text; } odd[] = { { '"', "\\\"" }, { '\x1f', "\\u001f" }, { '\xff', "\xef\xbf\xbd" }, { '\0', "\\u0000" }, { '\x7f', "\x7f" }, { ' ', " " }, { '!', "!" }, { '[', "[" }, { ']', "]" } };
	for (size_t length = 1; length <= 100; length++)
		for (size_t at = 0; at < length; at++) {
			char expected[400], *text = malloc(length);
			for (size_t i = 0; i < length; i++) text[i] = (char)('a' + i % 26);
			size_t kind = (length + at) % (sizeof odd / sizeof *odd);
			text[at] = odd[kind].byte;
			struct message m = plain;
			m.payload = (struct span){ text, length };
			size_t before = (size_t)snprintf(expected, sizeof expected, "\"payload\":\"");
			for (size_t i = 0; i < length; i++) {
				if (i == at) before += (size_t)snprintf(expected + before, sizeof expected - before, "%s", odd[kind].text);
				else expected[before++] = text[i];
			}
			snprintf(expected + before, sizeof expected - before, "\",\"fields\":{}");
			size_t total;
			char *line = write_exactly(&m, &total);
			assert_non_null(strstr(line, expected));
			free(line);
			free(text);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_envelope_has_nine_members_in_this_order),
		cmocka_unit_test(a_message_may_have_a_logger_a_pid_a_host_and_a_time_of_its_own),
		cmocka_unit_test(fields_are_of_each_kind_in_the_order_of_the_call),
		cmocka_unit_test(a_metric_begins_with_name_and_rate_and_the_callers_own_are_left_out),
		cmocka_unit_test(tags_stand_behind_the_fields_in_an_object_of_texts),
		cmocka_unit_test(what_can_be_no_envelope_has_no_bound),
		cmocka_unit_test(the_date_follows_the_clock_over_seconds_and_before_1970),
		cmocka_unit_test(any_message_is_what_compose_writes_and_a_good_envelope),
		cmocka_unit_test(a_text_of_any_length_with_an_odd_byte_anywhere_is_escaped_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
