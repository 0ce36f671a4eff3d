/* test_hdfs_layout - directories from templates, and that no value leaves its place. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/checksum.h"
#include "fixture.h"
#include "layout.h"
#include "left_out.h"

static const char DEFAULT[] = "type={type}/dt={date}/hour={hour}";
static const struct layout_bounds ALL_TIMES = { 0, -1, -1 };

static enum layout_place place_in(void **state, struct buffer *out, const char *template, struct span line, struct layout_bounds bounds)
{
	struct fixture *f = *state;
	if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, line, &f->fault) != ENVELOPE_GOOD) fail_msg("%s: %.*s", f->fault.reason, (int)line.length, line.data);
	const char *why = NULL;
	size_t column;
	struct layout *l = layout_new(span_of(template), &why, &column);
	if (!l) fail_msg("%s: %s at %zu", template, why, column);
	enum layout_place place = layout_append(out, l, &f->envelope, &bounds);
	layout_free(l);
	return place;
}

static void require_bytes(void **state, const char *template, struct span line, const char *wanted)
{
	struct buffer out;
	buffer_init(&out, LAYOUT_PATH_MAX + 1);
	place_in(state, &out, template, line, ALL_TIMES);
	if (!span_equal(buffer_span(&out), span_of(wanted))) fail_msg("%s of %.200s is %.*s, not %s", template, line.data, (int)out.length, out.data, wanted);
	buffer_release(&out);
}

static void require(void **state, const char *template, const char *line, const char *wanted)
{
	require_bytes(state, template, span_of(line), wanted);
}

/* The directory v=... of a value that stands so in the line. */
static void require_value(void **state, const char *json, const char *wanted)
{
	char line[16 * 1024];
	snprintf(line, sizeof line, "{\"fields\":{\"v\":%s}}", json);
	require(state, "v={fields.v}", line, wanted);
}

static void the_time_is_the_envelopes_own(void **state)
{
	const char *line = "{\"type\":\"timer\",\"timestamp\":\"2026-01-02T03:04:05.678Z\"}";
	require(state, DEFAULT, line, "type=timer/dt=2026-01-02/hour=03");
	require(state, "{year}/{month}/{day}/{hour}/{minute}", line, "2026/01/02/03/04");
	require(state, "dt={year}{month}{day}", line, "dt=20260102");
	require(state, DEFAULT, "{\"type\":\"t\",\"timestamp\":\"2026-01-01T23:30:00-02:00\"}", "type=t/dt=2026-01-02/hour=01");
	require(state, DEFAULT, "{\"type\":\"t\",\"timestamp\":\"1969-12-31T23:59:59.999999999Z\"}", "type=t/dt=1969-12-31/hour=23");
	require(state, DEFAULT, "{\"type\":\"t\"}", "type=t/dt=__HIVE_DEFAULT_PARTITION__/hour=__HIVE_DEFAULT_PARTITION__");
	require(state, "dt={date|unknown}", "{}", "dt=unknown");
}

static void every_minute_gets_its_own_digits(void **state)
{
	struct fixture *f = *state;
	const char *why;
	size_t column;
	struct layout *l = layout_new(SPAN("{date}/{hour}/{minute}"), &why, &column);
	struct buffer out;
	buffer_init(&out, LAYOUT_PATH_MAX);
	assert_non_null(l);
	static const char *const times[][2] = { { "2026-01-02T03:04:59.999Z", "2026-01-02/03/04" }, { "2026-01-02T03:05:00Z", "2026-01-02/03/05" }, { "2026-01-02T03:04:00Z", "2026-01-02/03/04" },
		{ "2026-01-02T03:03:59.999999999Z", "2026-01-02/03/03" }, { "1960-01-02T03:04:05Z", "1960-01-02/03/04" }, { "1960-01-02T03:03:59Z", "1960-01-02/03/03" },
		{ "2261-12-31T23:59:59Z", "2261-12-31/23/59" }, { "1678-01-01T00:00:00Z", "1678-01-01/00/00" } };
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		char line[80];
		buffer_clear(&out);
		assert_int_equal(envelope_parse_copy(&f->envelope, &f->scan, &f->copy, (struct span){ line, (size_t)snprintf(line, sizeof line, "{\"timestamp\":\"%s\"}", times[i][0]) }, &f->fault), ENVELOPE_GOOD);
		layout_append(&out, l, &f->envelope, &ALL_TIMES);
		assert_string_equal(buffer_text(&out), times[i][1]);
	}
	buffer_release(&out);
	layout_free(l);
}

static void a_value_is_absent_null_or_empty(void **state)
{
	require(state, "h={metlog_hostname}", "{\"metlog_hostname\":\"web1\"}", "h=web1");
	require(state, "h={metlog_hostname}", "{\"metlog_hostname\":null}", "h=__HIVE_DEFAULT_PARTITION__");
	require(state, "type={type}/r={fields.a.b|none}", "{\"type\":\"\",\"fields\":{\"a\":{\"b\":\"\"}}}", "type=__HIVE_DEFAULT_PARTITION__/r=none");
	require(state, "r={fields.a.b}-{fields.c}", "{\"fields\":{\"a\":{\"b\":1},\"c\":true}}", "r=1-true");
	require(state, "r={fields.a.b}-{fields.c}", "{\"fields\":{\"a\":{\"b\":1}}}", "r=__HIVE_DEFAULT_PARTITION__");
	require(state, "r={fields.a.b}-{fields.c|x}", "{\"fields\":{\"a\":{\"b\":1}}}", "r=1-x");
	require(state, "{logger}", "{}", "%5F_HIVE_DEFAULT_PARTITION__");
	require(state, "s={severity}", "{}", "s=6");
	require(state, "s={severity|none}", "{}", "s=none");
	require(state, "s={severity|none}", "{\"severity\":0}", "s=0");
	require(state, "p={payload}", "{\"payload\":{}}", "p=%7B}");
	require(state, "p={payload}", "{\"payload\":[1, \"a/b\"]}", "p=%5B1, %22a%2Fb%22%5D");
	require(state, "p={payload}", "{\"payload\":false}", "p=false");
}

static void hostile_values_stay_in_their_component(void **state)
{
	require_value(state, "\"../../x\"", "v=..%2F..%2Fx");
	require_value(state, "\"a/b\"", "v=a%2Fb");
	require_value(state, "\"\\/etc\\/passwd\"", "v=%2Fetc%2Fpasswd");
	require_value(state, "\"%2e%2e\"", "v=%252e%252e");
	require_value(state, "\"\\u0000\"", "v=%00");
	require_value(state, "\"CON\"", "v=CON");
	require_value(state, "\"...\"", "v=...");
	require_value(state, "\"a=b\"", "v=a%3Db");
	require_value(state, "\"a?#&;+ b\"", "v=a%3F%23&;+ b");
	require_value(state, "\"a\\nb\\r\\t\\u007f\"", "v=a%0Ab%0D%09%7F");
	require_value(state, "\"x\\u202egnp.exe\"", "v=x%E2%80%AEgnp.exe");
	require_value(state, "\"x\xe2\x80\xaegnp.exe\"", "v=x%E2%80%AEgnp.exe");
	require_value(state, "\"a\xc2\x85" "b\xef\xbb\xbf\"", "v=a%C2%85b%EF%BB%BF");
	require_value(state, "\"\\ud800\"", "v=\xef\xbf\xbd");
	require_value(state, "\"\\udc00x\\ud83d\"", "v=\xef\xbf\xbdx\xef\xbf\xbd");
	require_value(state, "\"\\ud83d\\ude00 caf\xc3\xa9\"", "v=\xf0\x9f\x98\x80 caf\xc3\xa9");
	require_value(state, "\"_hidden\"", "v=_hidden");
	require_value(state, "\"\\\"#%'*/:=?\\\\{[]^}\"", "v=%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E}");
	require_value(state, "\"__HIVE_DEFAULT_PARTITION__\"", "v=__HIVE_DEFAULT_PARTITION__");
	require_value(state, "1e400", "v=1e400");
	require_value(state, "-0.5", "v=-0.5");
}

static void no_directory_is_hidden_by_a_value(void **state)
{
	require(state, "{logger}/x", "{\"logger\":\"..\"}", "%2E./x");
	require(state, "{logger}/x", "{\"logger\":\".\"}", "%2E/x");
	require(state, "{logger}/x", "{\"logger\":\"_late\"}", "%5Flate/x");
	require(state, "{logger}{type}/x", "{\"logger\":\".\",\"type\":\".\"}", "%2E./x");
	require(state, "{logger|.d}/x", "{}", "%2Ed/x");
	require(state, "a{logger}/x", "{\"logger\":\"..\"}", "a../x");
}

static void long_values_are_cut_and_stay_different(void **state)
{
	char json[6000], wanted[256], value[5001];
	memset(value, 'a', 5000);
	value[5000] = '\0';
	snprintf(json, sizeof json, "\"%s\"", value);
	snprintf(wanted, sizeof wanted, "v=%.111s~%016llx", value, (unsigned long long)checksum_of(span_of(value)));
	require_value(state, json, wanted);
	/* The same text written with escapes is the same value. */
	snprintf(json, sizeof json, "\"\\u0061%s\"", value + 1);
	require_value(state, json, wanted);
	/* 128 bytes are not too long, and neither a character nor an escape is cut in two. */
	snprintf(json, sizeof json, "\"%.128s\"", value);
	snprintf(wanted, sizeof wanted, "v=%.128s", value);
	require_value(state, json, wanted);
	value[110] = '/', value[129] = '\0';
	snprintf(json, sizeof json, "\"%s\"", value);
	snprintf(wanted, sizeof wanted, "v=%.110s~%016llx", value, (unsigned long long)checksum_of(span_of(value)));
	require_value(state, json, wanted);
	memcpy(value + 110, "\xc3\xa9", 2);
	snprintf(json, sizeof json, "\"%s\"", value);
	snprintf(wanted, sizeof wanted, "v=%.110s~%016llx", value, (unsigned long long)checksum_of(span_of(value)));
	require_value(state, json, wanted);
}

static void a_component_of_long_values_is_cut_too(void **state)
{
	char line[1024], value[128];
	struct buffer out;
	buffer_init(&out, LAYOUT_PATH_MAX + 1);
	memset(value, ':', 42);
	value[42] = '\0';
	for (unsigned shift = 0; shift < 3; shift++) {
		snprintf(line, sizeof line, "{\"type\":\"%s\"}", value);
		buffer_clear(&out);
		place_in(state, &out, &"ab{type}{type}{type}/x"[shift], span_of(line), ALL_TIMES);
		assert_in_range(out.length, 254, 257);
		const char *text = buffer_text(&out);
		assert_string_equal(text + out.length - 2, "/x");
		assert_true(text[out.length - 19] == '~');
		/* Every escape before it is whole. */
		for (size_t i = 2 - shift; i < out.length - 19; i += 3) assert_memory_equal(text + i, "%3A", 3);
	}
	buffer_release(&out);
}

static void late_and_future_ones_are_put_aside(void **state)
{
	const int64_t hour = INT64_C(3600) * 1000000000;
	int64_t now;
	assert_true(timestamp_parse(SPAN("2026-01-02T12:00:00Z"), &now));
	static const struct { const char *time; enum layout_place place; const char *dir; } cases[] = {
		{ "2026-01-02T12:00:00Z", LAYOUT_USUAL, "dt=2026-01-02" },
		{ "2026-01-02T10:00:00Z", LAYOUT_USUAL, "dt=2026-01-02" },
		{ "2026-01-02T09:59:59.999999999Z", LAYOUT_LATE, "_late/dt=2026-01-02" },
		{ "2026-01-02T13:00:00Z", LAYOUT_USUAL, "dt=2026-01-02" },
		{ "2026-01-02T13:00:00.000000001Z", LAYOUT_FUTURE, "_future/dt=2026-01-02" },
	};
	struct buffer out;
	buffer_init(&out, LAYOUT_PATH_MAX);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[80];
		struct span text = { line, (size_t)snprintf(line, sizeof line, "{\"timestamp\":\"%s\"}", cases[i].time) };
		buffer_clear(&out);
		assert_int_equal(place_in(state, &out, "dt={date}", text, (struct layout_bounds){ now, 2 * hour, hour }), cases[i].place);
		assert_string_equal(buffer_text(&out), cases[i].dir);
		buffer_clear(&out);
		assert_int_equal(place_in(state, &out, "dt={date}", text, (struct layout_bounds){ now, -1, -1 }), LAYOUT_USUAL);
	}
	buffer_clear(&out);
	assert_int_equal(place_in(state, &out, "{name}", SPAN("{\"timestamp\":\"1999-01-01T00:00:00Z\"}"), (struct layout_bounds){ now, 0, 0 }), LAYOUT_LATE);
	assert_string_equal(buffer_text(&out), "_late");
	buffer_clear(&out);
	assert_int_equal(place_in(state, &out, "{type}", SPAN("{\"type\":\"x\"}"), (struct layout_bounds){ now, 0, 0 }), LAYOUT_USUAL);
	assert_int_equal(place_in(state, &out, "{type}", SPAN("{\"timestamp\":\"1999-01-01T00:00:00Z\"}"), (struct layout_bounds){ now, INT64_MAX, INT64_MAX }), LAYOUT_USUAL);
	buffer_release(&out);
}

/* Each ending behind the same minute, which is remembered: the instant must be the one that timestamp_parse reads, to the nanosecond. */
static void seconds_behind_a_remembered_minute_are_exact(void **state)
{
	struct fixture *f = *state;
	static const char *const endings[] = { ":00Z", ":01.5Z", ":59.999999999Z", ":60Z", ":61Z", ":1Z", ":01.Z", ":01.0123456789Z", ":01.00x1Z", ":01,5Z", ":01z", ":01+01:00", ":01", "Z", ":", ":01.000000001Z",
		":0:Z", ":01.123Zx", "" };
	const char *why;
	size_t column;
	struct layout *l = layout_new(SPAN("dt={date}{hour}{minute}"), &why, &column);
	struct buffer out;
	buffer_init(&out, LAYOUT_PATH_MAX);
	assert_non_null(l);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		char line[100], time[60];
		int64_t when = 0;
		bool good = timestamp_parse((struct span){ time, (size_t)snprintf(time, sizeof time, "2016-12-31T23:59%s", endings[i]) }, &when);
		struct span text = { line, (size_t)snprintf(line, sizeof line, "{\"timestamp\":\"%s\"}", time) };
		assert_int_equal(envelope_parse_copy(&f->envelope, &f->scan, &f->copy, text, &f->fault), ENVELOPE_GOOD);
		buffer_clear(&out);
		assert_int_equal(layout_append(&out, l, &f->envelope, &(struct layout_bounds){ when, 0, 0 }), LAYOUT_USUAL);
		struct timestamp_local t = timestamp_local(when);
		snprintf(line, sizeof line, "dt=%04d-%02d-%02d%02d%02d", t.year, t.month, t.day, t.hour, t.minute);
		assert_string_equal(buffer_text(&out), good ? line : "dt=__HIVE_DEFAULT_PARTITION__");
	}
	buffer_release(&out);
	layout_free(l);
}

static void mistakes_in_a_template_are_found(void **state)
{
	(void)state;
	static const struct { const char *template; size_t column; const char *word; } cases[] = {
		{ "", 1, "empty" }, { "/a", 1, "base" }, { "a//b", 3, "empty" }, { "a/", 3, "empty" }, { "/", 1, "base" }, { "../x", 1, "begin" }, { "a/..", 3, "begin" }, { "a/./b", 3, "begin" },
		{ ".a", 1, "begin" }, { "_late/{type}", 1, "begin" }, { "a/{type", 3, "without its }" }, { "a}b", 2, "without its {" }, { "{a{b}", 1, "inside" }, { "{}", 2, "path" },
		{ "{a..b}", 2, "path" }, { "{fields[x]}", 2, "path" }, { "{type|}", 6, "empty" }, { "{name}/x", 1, "last" }, { "a/{name}/", 3, "last" }, { "a/{type}-{name}", 3, "only text" },
		{ "{name}{name}", 1, "twice" }, { "{name|x}", 6, "no default" }, { "a\nb", 2, "seen" }, { "a\xff", 2, "seen" }, { "a\xe2\x80\xae", 2, "seen" }, { "a=/b", 1, "without a value" },
		{ "{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}", 1, "too many values" },
		{ "{a}{a}/{a}{a}/{a}{a}/{a}{a}/{a}{a}/{a}{a}/{a}{a}/{a}{a}", 1, "2048" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, "100 bytes" },
		{ "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", 130, "too many parts" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *why = NULL;
		size_t column = 0;
		struct layout *l = layout_new(span_of(cases[i].template), &why, &column);
		if (l) fail_msg("taken: %s", cases[i].template);
		if (!strstr(why, cases[i].word) || column != cases[i].column) fail_msg("%s: %s at %zu, not %s at %zu", cases[i].template, why, column, cases[i].word, cases[i].column);
	}
}

static void text_of_the_template_is_escaped_too(void **state)
{
	require(state, "a:b%2e/k=x=y/{{{type}}}", "{\"type\":\"t\"}", "a%3Ab%252e/k=x%3Dy/%7Bt}");
	require(state, "{type}=x", "{\"type\":\"t\"}", "t%3Dx");
	require(state, "r={fields.r|a/b}", "{}", "r=a%2Fb");
	require(state, "caf\xc3\xa9 {type}", "{\"type\":\"t\"}", "caf\xc3\xa9 t");
}

static void the_files_name_is_apart(void **state)
{
	struct span before, after;
	const char *why;
	size_t column;
	struct layout *l = layout_new(SPAN("dt={date}/web1:{name}-x"), &why, &column);
	assert_non_null(l);
	layout_name(l, &before, &after);
	assert_true(span_equal(before, SPAN("web1%3A")) && span_equal(after, SPAN("-x")));
	assert_int_equal(layout_column_count(l), 1);
	layout_free(l);
	require(state, "dt={date}/web1:{name}-x", "{\"timestamp\":\"2026-01-02T03:04:05Z\"}", "dt=2026-01-02");
	require(state, "{name}", "{}", "");
	l = layout_new(span_of(DEFAULT), &why, &column);
	layout_name(l, &before, &after);
	assert_true(before.length == 0 && after.length == 0);
	layout_free(l);
}

static void partition_columns_are_the_keys(void **state)
{
	(void)state;
	static const struct { const char *template; size_t columns; bool hive; } cases[] = {
		{ DEFAULT, 3, true }, { "dt={year}-{month}-{day}/env=prod", 2, true }, { "{name}", 0, true }, { "a={type}/{hour}", 1, false }, { "x/a={type}", 0, false }, { "A={type}", 1, false },
		{ "a-b={type}", 1, false }, { "a={type}/a={logger}", 2, false }, { "{type}=x", 0, false }, { "={type}", 0, false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *why = NULL;
		size_t column;
		struct layout *l = layout_new(span_of(cases[i].template), &why, &column);
		if (!l) fail_msg("%s: %s", cases[i].template, why);
		if (layout_column_count(l) != cases[i].columns || layout_is_hive(l) != cases[i].hive) fail_msg("%s: %zu columns", cases[i].template, layout_column_count(l));
		layout_free(l);
	}
	const char *why;
	size_t column;
	struct layout *l = layout_new(span_of(DEFAULT), &why, &column);
	assert_true(span_equal(layout_column(l, 0), SPAN("type")) && span_equal(layout_column(l, 1), SPAN("dt")) && span_equal(layout_column(l, 2), SPAN("hour")));
	layout_free(l);
}

static void the_zone_decides_the_hour(void **state)
{
	if (!timestamp_set_zone("America/St_Johns")) leave_out("the system does not know the zone America/St_Johns");
	/* Summer time began at 00:01 there: 03:31 UTC. */
	require(state, "{date}/{hour}{minute}", "{\"timestamp\":\"2010-03-14T03:30:59Z\"}", "2010-03-14/0000");
	require(state, "{date}/{hour}{minute}", "{\"timestamp\":\"2010-03-14T03:31:00Z\"}", "2010-03-14/0101");
	assert_true(timestamp_set_zone("UTC"));
}

/* Until 1972 Liberia was 44 minutes and 30 seconds behind. */
static void zones_of_odd_seconds_were_once(void **state)
{
	struct fixture *f = *state;
	if (!timestamp_set_zone("Africa/Monrovia")) leave_out("the system does not know the zone Africa/Monrovia");
	const char *why;
	size_t column;
	struct layout *l = layout_new(SPAN("{hour}{minute}"), &why, &column);
	struct buffer out;
	buffer_init(&out, LAYOUT_PATH_MAX);
	assert_non_null(l);
	static const char *const lines[] = { "{\"timestamp\":\"1971-01-02T03:00:29Z\"}", "{\"timestamp\":\"1971-01-02T03:00:30Z\"}" };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(envelope_parse_copy(&f->envelope, &f->scan, &f->copy, span_of(lines[i]), &f->fault), ENVELOPE_GOOD);
		layout_append(&out, l, &f->envelope, &ALL_TIMES);
	}
	assert_string_equal(buffer_text(&out), "02150216");
	buffer_release(&out);
	layout_free(l);
	assert_true(timestamp_set_zone("UTC"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_is_the_envelopes_own),
		cmocka_unit_test(every_minute_gets_its_own_digits),
		cmocka_unit_test(a_value_is_absent_null_or_empty),
		cmocka_unit_test(hostile_values_stay_in_their_component),
		cmocka_unit_test(no_directory_is_hidden_by_a_value),
		cmocka_unit_test(long_values_are_cut_and_stay_different),
		cmocka_unit_test(a_component_of_long_values_is_cut_too),
		cmocka_unit_test(late_and_future_ones_are_put_aside),
		cmocka_unit_test(seconds_behind_a_remembered_minute_are_exact),
		cmocka_unit_test(mistakes_in_a_template_are_found),
		cmocka_unit_test(text_of_the_template_is_escaped_too),
		cmocka_unit_test(the_files_name_is_apart),
		cmocka_unit_test(partition_columns_are_the_keys),
		cmocka_unit_test(the_zone_decides_the_hour),
		cmocka_unit_test(zones_of_odd_seconds_were_once),
	};
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
