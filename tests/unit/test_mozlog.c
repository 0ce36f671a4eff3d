/* test_mozlog - MozLog to envelopes and back: every row of the table, every spot where something is lost, every habit of writers that is forgiven. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "envelope/mozlog.h"
#include "fixture.h"
#include "view_fixture.h"

struct tools {
	struct fixture *fixture;
	struct mozlog_reader *reader;
	struct mozlog_options options;
	struct mozlog_writer *writer;
	struct buffer in, out;
};

static struct tools tools;

static int open_tools(void **state)
{
	tools = (struct tools){ 0 };
	if (open_fixture(state)) return -1;
	tools.fixture = *state;
	tools.reader = mozlog_reader_new();
	mozlog_reader_keep_view(tools.reader);
	tools.writer = mozlog_writer_new(&tools.options);
	buffer_init(&tools.in, 1 << 24);
	buffer_init(&tools.out, 1 << 24);
	return 0;
}

static int close_tools(void **state)
{
	mozlog_reader_free(tools.reader);
	mozlog_writer_free(tools.writer);
	buffer_release(&tools.in);
	buffer_release(&tools.out);
	return close_fixture(state);
}

static enum mozlog_verdict read_line(const char *line, struct envelope_fault *fault)
{
	static const char padding[SCAN_PADDING];
	size_t length = strlen(line);
	buffer_clear(&tools.in);
	buffer_append(&tools.in, line, length);
	buffer_append_byte(&tools.in, '\n');
	buffer_append(&tools.in, padding, sizeof padding);
	buffer_clear(&tools.out);
	return mozlog_read(tools.reader, (struct span){ tools.in.data, length }, &tools.out, fault);
}

/* A view that comes with the envelope is what a scan of it finds. */
static bool expect_view(void)
{
	struct fixture *f = tools.fixture;
	struct envelope view;
	if (!mozlog_reader_view(tools.reader, &view)) return false;
	assert_int_equal(envelope_parse_copy(&f->envelope, &f->scan, &f->copy, buffer_span(&tools.out), &f->fault), ENVELOPE_GOOD);
	if (!view_is_of(&view, &f->envelope)) fail_msg("another view than a scan has:\n%.*s", (int)tools.out.length, tools.out.data);
	return true;
}

static void expect_envelope(const char *line, const char *envelope)
{
	struct envelope_fault fault = { 0 };
	if (read_line(line, &fault) != MOZLOG_GOOD) fail_msg("%s\nis refused: %s", line, fault.reason);
	if (!span_equal(buffer_span(&tools.out), span_of(envelope))) fail_msg("%s\nis\n%.*s\nnot\n%s", line, (int)tools.out.length, tools.out.data, envelope);
	struct fixture *f = tools.fixture;
	if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, buffer_span(&tools.out), &f->fault) != ENVELOPE_GOOD) fail_msg("%s: %s", envelope, f->fault.reason);
	expect_view();
}

static bool write_envelope(const char *envelope, const char **why)
{
	struct fixture *f = tools.fixture;
	if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, span_of(envelope), &f->fault) != ENVELOPE_GOOD) fail_msg("%s: %s", envelope, f->fault.reason);
	buffer_clear(&tools.out);
	return mozlog_write(tools.writer, &f->envelope, &tools.out, why);
}

static void expect_line(const char *envelope, const char *line)
{
	const char *why;
	if (!write_envelope(envelope, &why)) fail_msg("%s\nis refused: %s", envelope, why);
	if (!span_equal(buffer_span(&tools.out), span_of(line))) fail_msg("%s\nis\n%.*s\nnot\n%s", envelope, (int)tools.out.length, tools.out.data, line);
}

#define HEAD "{\"timestamp\":\"2018-02-23T04:51:05.123456789Z\""
#define TAIL ",\"env_version\":\"0.8\""
#define STAMP "\"Timestamp\":1519361465123456789"
#define LINE "{" STAMP
#define REST ",\"EnvVersion\":\"2.0\",\"Severity\":6"

struct pair { const char *line, *envelope; };

/* Each of these is the other, byte for byte, in both directions. */
static const struct pair both[] = {
	{ LINE ",\"Type\":\"app.log\",\"Logger\":\"go\",\"Hostname\":\"b-1.example\",\"EnvVersion\":\"2.0\",\"Severity\":4,\"Pid\":42,\"Fields\":{\"a\": 1, \"b\":\"\\u00e9\",\"msg\":\"hi\"}}",
	  HEAD ",\"logger\":\"go\",\"type\":\"app.log\",\"severity\":4,\"payload\":\"hi\",\"fields\":{\"a\": 1, \"b\":\"\\u00e9\"}" TAIL ",\"metlog_pid\":42,\"metlog_hostname\":\"b-1.example\"}" },
	{ LINE REST "}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL "}" },
	{ LINE REST ",\"Fields\":{\"a\":[1,2],\"b\":[\"x\"],\"c\":[true,false],\"d\":{\"value\":[1],\"representation\":\"s\"},\"e\":1e-07,\"f\":-0.0,\"g\":18446744073709551616}}",
	  HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"a\":[1,2],\"b\":[\"x\"],\"c\":[true,false],\"d\":{\"value\":[1],\"representation\":\"s\"},\"e\":1e-07,\"f\":-0.0,\"g\":18446744073709551616}" TAIL "}" },
	{ LINE REST ",\"Fields\":{\"a\":{\"value\":\"null\",\"representation\":\"json\"},\"b\":{\"value\":\"{\\\"x\\\":[1,\\\"\\\\u00e9\\\"]}\",\"representation\":\"json\"},\"c\":{\"value\":\"[]\",\"representation\":\"json\"},"
	       "\"d\":{\"value\":\"[1,\\\"a\\\"]\",\"representation\":\"json\"},\"e\":{\"value\":\"[[1]]\",\"representation\":\"json\"}}}",
	  HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"a\":null,\"b\":{\"x\":[1,\"\\u00e9\"]},\"c\":[],\"d\":[1,\"a\"],\"e\":[[1]]}" TAIL "}" },
	{ LINE REST ",\"Fields\":{\"a\":{\"value\":\"{\\\"value\\\":\\\"[]\\\",\\\"representation\\\":\\\"json\\\"}\",\"representation\":\"json\"}}}",
	  HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"a\":{\"value\":\"[]\",\"representation\":\"json\"}}" TAIL "}" },
	{ LINE REST ",\"Fields\":{\"a\":{\"value\":\"[\\\"\\\\ud83d\\\\udd25 \\\\ud800 \xef\xbf\xbd\\\",1]\",\"representation\":\"json\"}}}",
	  HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"a\":[\"\\ud83d\\udd25 \\ud800 \xef\xbf\xbd\",1]}" TAIL "}" },
	{ LINE REST ",\"Fields\":{\"msg\":{\"value\":\"5\",\"representation\":\"json\"}}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":5,\"fields\":{}" TAIL "}" },
	{ LINE REST ",\"Fields\":{\"msg\":5}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"msg\":5}" TAIL "}" },
	{ LINE REST ",\"Fields\":{\"fields.msg\":\"inner\",\"msg\":\"outer\"}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"outer\",\"fields\":{\"msg\":\"inner\"}" TAIL "}" },
	{ LINE REST ",\"Fields\":{\"fields.fields.msg\":1,\"fields.msg\":\"inner\",\"msg\":\"outer\"}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"outer\",\"fields\":{\"fields.msg\":1,\"msg\":\"inner\"}" TAIL "}" },
	{ LINE REST ",\"Fields\":{\"fields.msg\":{\"value\":\"null\",\"representation\":\"json\"}}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"msg\":null}" TAIL "}" },
	{ LINE ",\"EnvVersion\":\"1.0\",\"Severity\":6}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_mozlog_EnvVersion\":\"1.0\"}" },
	{ LINE REST ",\"Fields\":{\"metlog_hostname\":\"no host\",\"metlog_pid\":-1}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_pid\":-1,\"metlog_hostname\":\"no host\"}" },
	{ LINE REST ",\"Fields\":{\"metlog_mozlog_Type\":5,\"metlog_mozlog_Severity\":8}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_mozlog_Type\":5,\"metlog_mozlog_Severity\":8}" },
	{ LINE REST ",\"Time\":\"x\",\"severity\":200,\"metlog_x\":{\"a\":null}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_mozlog_Time\":\"x\",\"metlog_mozlog_severity\":200,\"x\":{\"a\":null}}" },
	{ LINE REST ",\"metlog_type\":1,\"metlog_Type\":2,\"metlog_metlog_x\":3,\"metlog_metlog_pid\":4,\"metlog_metlog_mozlog_Time\":5}",
	  HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_mozlog_metlog_type\":1,\"Type\":2,\"metlog_x\":3,\"metlog_mozlog_metlog_metlog_pid\":4,\"metlog_mozlog_metlog_metlog_mozlog_Time\":5}" },
};

static void what_one_side_has_the_other_keeps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
		expect_envelope(both[i].line, both[i].envelope);
		expect_line(both[i].envelope, both[i].line);
	}
}

static void what_writers_do_is_read(void **state)
{
	static const struct pair pairs[] = {
		{ "{\"Timestamp\":0}", "{\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL "}" },
		{ " {\"\\u0054imestamp\" : 1519361465123456789 } \r", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL "}" },
		{ "{\"Timestamp\":1,\"Type\":\"a\",\"Timestamp\":1519361465123456789,\"Type\":\"b\"}", HEAD ",\"logger\":\"\",\"type\":\"b\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL "}" },
		{ LINE ",\"Fields\":null}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL "}" },
		{ LINE ",\"Fields\":{}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL "}" },
		{ LINE ",\"Fields\":{\"msg\":\"\"}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL "}" },
		{ LINE ",\"Fields\":{\"msg\":\"a\",\"b\":1,\"msg\":\"c\"}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"c\",\"fields\":{\"msg\":\"a\",\"b\":1}" TAIL "}" },
		{ LINE ",\"Fields\":{\"m\\u0073g\":\"a\" , \"b\" : 1 }}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"a\",\"fields\":{ \"b\" : 1 }" TAIL "}" },
		{ LINE ",\"Fields\":{\"b\":1,\"msg\":\"a\",\"c\":2}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"a\",\"fields\":{\"b\":1,\"c\":2}" TAIL "}" },
		{ LINE ",\"Fields\":{\"a\":null,\"b\":{\"c\":[{}]},\"msg\":\"x\"}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"x\",\"fields\":{\"a\":null,\"b\":{\"c\":[{}]}}" TAIL "}" },
		{ LINE ",\"Fields\":{\"a\":{\"value\":\"[\\\"\\ud83d\\udd25\\\",1]\",\"representation\":\"json\"}}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"a\":[\"\xf0\x9f\x94\xa5\",1]}" TAIL "}" },
		{ LINE ",\"Fields\":[1]}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_mozlog_Fields\":[1]}" },
		{ LINE ",\"Fields\":{\"msg\":\"a\"},\"Fields\":7}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_mozlog_Fields\":7}" },
		{ LINE ",\"Fields\":{\"metlog_mozlog_Type\":5,\"metlog_pid\":-1},\"Fields\":7}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_mozlog_Fields\":7}" },
		{ LINE ",\"Fields\":{\"metlog_mozlog_Type\":5,\"msg\":\"a\"},\"Fields\":{\"b\":1}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"b\":1}" TAIL "}" },
		{ LINE ",\"Type\":1,\"Logger\":null,\"Severity\":\"6\",\"EnvVersion\":2.0}",
		  HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_mozlog_Type\":1,\"metlog_mozlog_Logger\":null,\"metlog_mozlog_EnvVersion\":2.0,\"metlog_mozlog_Severity\":\"6\"}" },
		{ LINE ",\"Severity\":8,\"Hostname\":null,\"Pid\":\"7\"}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL ",\"metlog_pid\":\"7\",\"metlog_hostname\":null,\"metlog_mozlog_Severity\":8}" },
		{ LINE ",\"Hostname\":\"h\",\"Fields\":{\"metlog_hostname\":\"no host\"}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"metlog_hostname\":\"no host\"}" TAIL ",\"metlog_hostname\":\"h\"}" },
		{ LINE ",\"Fields\":{\"metlog_hostname\":\"host\",\"metlog_pid\":1}}", HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"metlog_hostname\":\"host\",\"metlog_pid\":1}" TAIL "}" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) expect_envelope(pairs[i].line, pairs[i].envelope);
}

static void text_that_is_no_value_in_the_form_json_stays_as_it_is(void **state)
{
	static const char *const values[] = {
		"{\"value\":\"[\",\"representation\":\"json\"}", "{\"value\":\"\",\"representation\":\"json\"}", "{\"value\":\"null x\",\"representation\":\"json\"}", "{\"value\":\"null,\\\"x\\\":1\",\"representation\":\"json\"}",
		"{\"value\":\"null}\",\"representation\":\"json\"}", "{\"value\":\" null\",\"representation\":\"json\"}", "{\"value\":\"[1,\\n\\\"a\\\"]\",\"representation\":\"json\"}", "{\"value\":\"5\",\"representation\":\"json\"}",
		"{\"value\":\"[\\\"\\ud800\\\",1]\",\"representation\":\"json\"}", "{\"value\":null,\"representation\":\"json\"}", "{\"value\":\"null\",\"representation\":\"JSON\"}", "{\"value\":\"null\"}",
		"{\"value\":\"null\",\"representation\":\"json\",\"x\":1}", "{\"value\":\"null\",\"value\":\"null\",\"representation\":\"json\"}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		char line[256], envelope[256];
		snprintf(line, sizeof line, LINE ",\"Fields\":{\"a\":%s}}", values[i]);
		snprintf(envelope, sizeof envelope, HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"a\":%s}" TAIL "}", values[i]);
		expect_envelope(line, envelope);
	}
}

static void what_has_no_counterpart_is_written_so(void **state)
{
	static const struct pair pairs[] = {
		{ LINE REST "}", HEAD ",\"logger\":\"\",\"type\":\"\",\"payload\":\"\",\"fields\":{}" TAIL "}" },
		{ LINE REST ",\"Fields\":{\"msg\":\"a\"}}", HEAD ",\"fields\":{\"msg\":\"a\"}}" },
		{ LINE REST ",\"Fields\":{\"fields.msg\":1,\"fields.fields.msg\":2,\"msg\":\"a\"}}", HEAD ",\"payload\":\"a\",\"fields\":{\"m\\u0073g\":1,\"fields.msg\":2}}" },
		{ "{\"Timestamp\":1519361465123456789" REST "}", "{\"timestamp\":\"2018-02-23T06:51:05.1234567891+02:00\"}" },
		{ "{\"Timestamp\":1519361465000000000" REST "}", "{\"timestamp\":\"2018-02-23T04:51:0\\u0035\"}" },
		{ "{\"Timestamp\":1483228800000000000" REST "}", "{\"timestamp\":\"2016-12-31T23:59:60Z\"}" },
		{ LINE REST ",\"Pid\":7,\"Fields\":{\"a\":1,\"metlog_hostname\":{\"value\":\"null\",\"representation\":\"json\"},\"msg\":\"x\"}}", HEAD ",\"payload\":\"x\",\"fields\":{\"a\":1},\"metlog_pid\":7,\"metlog_hostname\":null}" },
		{ LINE REST ",\"Fields\":{\"metlog_pid\":1.0,\"metlog_mozlog_EnvVersion\":\"2.0\"}}", HEAD ",\"metlog_pid\":1.0,\"metlog_mozlog_EnvVersion\":\"2.0\"}" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) expect_line(pairs[i].envelope, pairs[i].line);
}

static void plain_lines_hold_nothing_of_heka(void **state)
{
	(void)state;
	tools.options.plain = true;
	expect_line(HEAD ",\"fields\":{\"a\":null,\"b\":{\"c\":\"d\"},\"e\":[],\"f\":[1],\"g\":{\"value\":1,\"representation\":\"x\"}}}",
		LINE REST ",\"Fields\":{\"b\":\"{\\\"c\\\":\\\"d\\\"}\",\"e\":\"[]\",\"f\":[1],\"g\":\"{\\\"value\\\":1,\\\"representation\\\":\\\"x\\\"}\"}}");
	expect_line(HEAD ",\"payload\":5}", LINE REST ",\"Fields\":{\"msg\":5}}");
	expect_line(HEAD ",\"payload\":null,\"fields\":{\"a\":null}}", LINE REST "}");
	expect_line(HEAD ",\"payload\":null,\"fields\":{\"msg\":\"b\"}}", LINE REST ",\"Fields\":{\"msg\":\"b\"}}");
	expect_line(HEAD ",\"payload\":{\"a\":1}}", LINE REST ",\"Fields\":{\"msg\":\"{\\\"a\\\":1}\"}}");
	tools.options.plain = false;
}

static void a_timestamp_is_an_integer_however_it_is_written(void **state)
{
	static const struct { const char *text, *stamp; } good[] = {
		{ "1519361465123456789", "2018-02-23T04:51:05.123456789Z" }, { "1519361465123456789.0", "2018-02-23T04:51:05.123456789Z" }, { "1.519361465123456789e18", "2018-02-23T04:51:05.123456789Z" },
		{ "1519361465123456789000e-3", "2018-02-23T04:51:05.123456789Z" }, { "15193614651234567.89E+2", "2018-02-23T04:51:05.123456789Z" }, { "\"1519361465123456789\"", "2018-02-23T04:51:05.123456789Z" },
		{ "1.5e18", "2017-07-14T02:40:00.000000Z" }, { "0e999999999999", "1970-01-01T00:00:00.000000Z" }, { "-0", "1970-01-01T00:00:00.000000Z" }, { "-1", "1969-12-31T23:59:59.999999999Z" }, { "0.0", "1970-01-01T00:00:00.000000Z" },
		{ "9214646399999999999", "2261-12-31T23:59:59.999999999Z" }, { "-9214560000000000000", "1678-01-01T00:00:00.000000Z" }, { "1000", "1970-01-01T00:00:00.000001Z" }, { "1", "1970-01-01T00:00:00.000000001Z" },
		{ "0.0000000000000000000000000001e28", "1970-01-01T00:00:00.000000001Z" },
	};
	static const char *const bad[] = { "1.5", "15e-1", "9214646400000000000", "-9214560000000000001", "1e19", "1e400", "9223372036854775808", "123456789012345678901234567890", "1e-400",
		"1519361465123456789.5", "\"\"", "\"x\"", "\"1.0\"", "\" 1\"", "\"-\"", "null", "true", "[1]", "{}" };
	char line[128], envelope[128];
	struct envelope_fault fault;
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		snprintf(line, sizeof line, "{\"Timestamp\":%s}", good[i].text);
		snprintf(envelope, sizeof envelope, "{\"timestamp\":\"%s\",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{}" TAIL "}", good[i].stamp);
		expect_envelope(line, envelope);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(line, sizeof line, "{\"Timestamp\":%s}", bad[i]);
		if (read_line(line, &fault) != MOZLOG_BAD) fail_msg("%s is taken", line);
		assert_non_null(strstr(fault.reason, "Timestamp is "));
		assert_in_range(fault.column, 14, 15);
		assert_int_equal(tools.out.length, 0);
	}
}

static void what_is_no_line_of_mozlog_is_told_apart(void **state)
{
	static const struct { const char *line; enum mozlog_verdict verdict; const char *reason; } lines[] = {
		{ "", MOZLOG_BLANK, NULL }, { " \t\r", MOZLOG_BLANK, NULL }, { "Starting", MOZLOG_TEXT, "not a JSON object" }, { "[1]", MOZLOG_TEXT, "not a JSON object" }, { "\xef\xbb\xbf{\"Timestamp\":1}", MOZLOG_BAD, "byte order mark" }, { "\xef\xbb\xbf", MOZLOG_TEXT, "not a JSON object" },
		{ "{}", MOZLOG_OTHER, "no Timestamp" }, { "{\"timestamp\":\"x\"}", MOZLOG_OTHER, "no Timestamp" }, { "{\"Timestamp\":1", MOZLOG_BAD, "expected ',' or '}'" }, { "{\"Timestamp\":1} x", MOZLOG_BAD, "more behind the object" },
		{ "{\"Timestamp\":1,\"a\":\"\xff\"}", MOZLOG_BAD, "not valid UTF-8" }, { "{'Timestamp': 1}", MOZLOG_BAD, "expected a name in double quotes" },
	};
	struct envelope_fault fault;
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		enum mozlog_verdict verdict = read_line(lines[i].line, &fault);
		if (verdict != lines[i].verdict) fail_msg("%s: %d", lines[i].line, verdict);
		if (lines[i].reason) assert_string_equal(fault.reason, lines[i].reason);
		assert_int_equal(tools.out.length, 0);
	}
}

static void an_envelope_without_a_time_that_mozlog_has_is_refused(void **state)
{
	static const struct { const char *envelope, *why; } cases[] = {
		{ "{}", "no timestamp" }, { "{\"timestamp\":\"\"}", "no timestamp" }, { "{\"timestamp\":\"yesterday\"}", "a timestamp that cannot be read" },
		{ "{\"timestamp\":\"1969-12-31T23:59:59.999Z\"}", "a timestamp before 1970" }, { "{\"timestamp\":\"2300-01-01T00:00:00Z\"}", "a timestamp that cannot be read" },
	};
	const char *why = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_false(write_envelope(cases[i].envelope, &why));
		assert_string_equal(why, cases[i].why);
		assert_int_equal(tools.out.length, 0);
	}
	tools.options.has_now = true;
	tools.options.now_ns = 1519361465123456789;
	expect_line("{\"timestamp\":\"\"}", LINE REST "}");
	assert_false(write_envelope("{\"timestamp\":\"yesterday\"}", &why));
	tools.options.has_now = false;
}

static void a_host_is_named_as_rfc_1123_says(void **state)
{
	static const struct { const char *name; bool good; } names[] = {
		{ "a", true }, { "10.0.0.1", true }, { "a-b.C9", true }, { "", false }, { "a_b", false }, { "-a", false }, { "a-", false }, { "a..b", false }, { "a.", false }, { ".a", false }, { "a b", false }, { "caf\xc3\xa9", false },
		{ "0123456789012345678901234567890123456789012345678901234567890ab", true }, { "0123456789012345678901234567890123456789012345678901234567890abc", false },
	};
	char envelope[512], line[512], longest[256];
	for (size_t i = 0; i < 253; i++) longest[i] = i % 10 == 9 ? '.' : 'a';
	(void)state;
	for (int length = 253; length <= 255; length++) {
		snprintf(envelope, sizeof envelope, HEAD ",\"metlog_hostname\":\"%.253s%.*s\"}", longest, length - 253, "aa");
		snprintf(line, sizeof line, length == 253 ? LINE ",\"Hostname\":\"%.253s\"" REST "}" : LINE REST ",\"Fields\":{\"metlog_hostname\":\"%.253s%.*s\"}}", longest, length - 253, "aa");
		expect_line(envelope, line);
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(envelope, sizeof envelope, HEAD ",\"metlog_hostname\":\"%s\"}", names[i].name);
		if (names[i].good) snprintf(line, sizeof line, LINE ",\"Hostname\":\"%s\"" REST "}", names[i].name);
		else snprintf(line, sizeof line, LINE REST ",\"Fields\":{\"metlog_hostname\":\"%s\"}}", names[i].name);
		expect_line(envelope, line);
	}
}

/* As deep as an envelope may be, in Fields as text: it comes back if there is room for it. */
static void nesting_has_the_limit_of_envelopes_on_the_way_back(void **state)
{
	char value[160], line[512], envelope[512];
	(void)state;
	for (int depth = 60; depth <= 63; depth++) {
		memset(value, '[', (size_t)depth);
		memset(value + depth, ']', (size_t)depth);
		value[2 * depth] = '\0';
		bool fits = depth <= 62;
		snprintf(line, sizeof line, LINE ",\"Fields\":{\"a\":{\"value\":\"%s\",\"representation\":\"json\"}}}", value);
		snprintf(envelope, sizeof envelope, fits ? HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"a\":%s}" TAIL "}" : HEAD ",\"logger\":\"\",\"type\":\"\",\"severity\":6,\"payload\":\"\",\"fields\":{\"a\":{\"value\":\"%s\",\"representation\":\"json\"}}" TAIL "}", value);
		expect_envelope(line, envelope);
	}
}

/* Values that come out of Heka's object are left to a scan, which there has to be then. */
static void the_view_comes_with_the_envelope(void **state)
{
	(void)state;
	static const struct { const char *line; bool viewed; } lines[] = {
		{ "{\"Timestamp\":1}", true },
		{ " { \"Fields\" : {\"a\" : [ 1 , {\"b\":\"c\"} ] , \"msg\" : \"x\" ,\"d\":\"\" } , \"Timestamp\" : 1 }\r", true },
		{ "{\"Timestamp\":1,\"Fields\":{\"msg\":\"x\"}}", true },
		{ "{\"Timestamp\":1,\"Fields\":{\"msg\":\"x\" , \"a\":null}}", true },
		{ "{\"Timestamp\":1,\"Fields\":{\"a\":{\"b\":{}},\"c\":[],\"msg\":\"\\u00e9\\n\"}}", true },
		{ "{\"Timestamp\":1,\"Fields\":{\"a\":{\"b\":1},\"msg\":7,\"metlog_pid\":{\"value\":true},\"z\":{}}}", true },
		{ "{\"Timestamp\":1,\"Pid\":[1, 2],\"Hostname\":{\"a\" : \"b\"},\"Severity\":9,\"Type\":null,\"Time\":{\"x\":[]},\"metlog_other\":\"\\\\\"}", true },
		{ "{\"Timestamp\":1,\"Fields\":7}", true },
		{ "{\"Timestamp\":1,\"Fields\":{\"a\":{\"value\":\"[]\",\"representation\":\"json\"}}}", false },
		{ "{\"Timestamp\":1,\"Fields\":{\"msg\":\"x\",\"fields.msg\":1}}", false },
		{ "{\"Timestamp\":1,\"Fields\":{\"msg\":{\"value\":\"{}\",\"representation\":\"json\"}}}", false },
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct envelope_fault fault = { 0 };
		assert_int_equal(read_line(lines[i].line, &fault), MOZLOG_GOOD);
		if (expect_view() != lines[i].viewed) fail_msg("%s", lines[i].line);
	}
	struct envelope_fault fault = { 0 };
	assert_int_equal(read_line("no object", &fault), MOZLOG_TEXT);
	assert_false(expect_view());
}

static void the_limit_of_the_output_is_told_and_leaves_nothing(void **state)
{
	struct envelope_fault fault;
	struct buffer small;
	(void)state;
	read_line(both[0].line, &fault);
	buffer_init(&small, 100);
	buffer_append_text(&small, "kept");
	mozlog_read(tools.reader, (struct span){ tools.in.data, strlen(both[0].line) }, &small, &fault);
	assert_true(small.failed);
	assert_int_equal(small.length, 4);
	buffer_release(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_side_has_the_other_keeps),
		cmocka_unit_test(what_writers_do_is_read),
		cmocka_unit_test(text_that_is_no_value_in_the_form_json_stays_as_it_is),
		cmocka_unit_test(what_has_no_counterpart_is_written_so),
		cmocka_unit_test(plain_lines_hold_nothing_of_heka),
		cmocka_unit_test(a_timestamp_is_an_integer_however_it_is_written),
		cmocka_unit_test(what_is_no_line_of_mozlog_is_told_apart),
		cmocka_unit_test(an_envelope_without_a_time_that_mozlog_has_is_refused),
		cmocka_unit_test(a_host_is_named_as_rfc_1123_says),
		cmocka_unit_test(nesting_has_the_limit_of_envelopes_on_the_way_back),
		cmocka_unit_test(the_view_comes_with_the_envelope),
		cmocka_unit_test(the_limit_of_the_output_is_told_and_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, open_tools, close_tools);
}
