/* test_hdfs_hive - envelopes as Hive's JSON SerDes can read them, and the statements that tell Hive of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/table.h"
#include "ddl.h"
#include "envelope/field.h"
#include "fixture.h"
#include "hive.h"

static const struct envelope *parse(void **state, struct span line)
{
	struct fixture *f = *state;
	if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, line, &f->fault) != ENVELOPE_GOOD) fail_msg("%s: %.*s", f->fault.reason, (int)line.length, line.data);
	return &f->envelope;
}

static void require(void **state, const char *line, const char *wanted)
{
	struct buffer out;
	buffer_init(&out, 1 << 20);
	assert_true(hive_append(&out, parse(state, span_of(line))));
	if (!span_equal(buffer_span(&out), span_of(wanted))) fail_msg("%s becomes %.*s, not %s", line, (int)out.length, out.data, wanted);
	buffer_release(&out);
}

static void require_same(void **state, const char *line)
{
	require(state, line, line);
}

static void what_is_flat_stays_as_it_is(void **state)
{
	require_same(state, "{}");
	require_same(state, "{\"type\":\"counter\",\"timestamp\":\"2026-01-02T03:04:05Z\",\"severity\":6,\"payload\":\"1\",\"fields\":{\"name\":\"x\",\"rate\":1},\"env_version\":\"0.8\",\"metlog_pid\":12}");
	require_same(state, "{\"payload\":null,\"fields\":{\"a\":null,\"b\":true,\"c\":false,\"d\":-1.50e+10,\"e\":123456789012345678901234567890,\"f\":1e99}}");
	require_same(state, "{\"payload\":\"a\\n\\u0041\\\\ \\\"caf\xc3\xa9\\\" \\/\",\"fields\":{}}");
	require(state, " { \"payload\" :\t\"a b\" , \"fields\" : { \"a\" :1 , \"b\": 2 } }\r", "{\"payload\":\"a b\",\"fields\":{\"a\":1,\"b\":2}}");
}

static void nested_values_are_their_json_text(void **state)
{
	require(state, "{\"fields\":{\"a\":{\"b\": [1, \"x y\", {}], \"c\\n\":\"\\\"\"}}}", "{\"fields\":{\"a\":\"{\\\"b\\\":[1,\\\"x y\\\",{}],\\\"c\\\\n\\\":\\\"\\\\\\\"\\\"}\"}}");
	require(state, "{\"payload\":[ true , null , -1 ]}", "{\"payload\":\"[true,null,-1]\"}");
	require(state, "{\"payload\":{}, \"x\":[]}", "{\"payload\":\"{}\",\"x\":\"[]\"}");
	require(state, "{\"payload\":[\"\\ud800\"]}", "{\"payload\":\"[\\\"\\\\ud800\\\"]\"}");
}

static void keys_are_lower_case_and_unique(void **state)
{
	require(state, "{\"Metlog_Hostname\":\"a\",\"METLOG_HOSTNAME\":\"b\",\"metlog_hostname\":\"c\"}", "{\"metlog_hostname\":\"a\",\"metlog_hostname_2\":\"b\",\"metlog_hostname_3\":\"c\"}");
	require(state, "{\"x\":1,\"x\":2,\"x_2\":3,\"X_2\":4}", "{\"x\":1,\"x_2\":2,\"x_2_2\":3,\"x_2_3\":4}");
	require(state, "{\"fields\":{\"A\":1,\"a\":2,\"\\u0041\":3,\"\":4,\"\":5,\"_col1\":6}}", "{\"fields\":{\"a\":1,\"a_2\":2,\"a_3\":3,\"\":4,\"_2\":5,\"_col1\":6}}");
	require(state, "{\"fields\":{\"K\":1,\"\xe2\x84\xaa\":2,\"\xc3\x89\":3}}", "{\"fields\":{\"k\":1,\"k_2\":2,\"\xc3\x89\":3}}");
	require(state, "{\"fields\":{\"a\\n\\\"B\\\\N\":1,\"\\ud800\":2}}", "{\"fields\":{\"a\\n\\\"b\\\\n\":1,\"\xef\xbf\xbd\":2}}");
}

static void the_names_of_members_are_theirs(void **state)
{
	require(state, "{\"TYPE\":{\"a\":1},\"type\":\"t\"}", "{\"type_2\":\"{\\\"a\\\":1}\",\"type\":\"t\"}");
	require(state, "{\"Severity\":\"high\",\"FIELDS\":[1],\"Fields\":{},\"type_2\":0}", "{\"severity_2\":\"high\",\"fields_2\":\"[1]\",\"fields_3\":\"{}\",\"type_2\":0}");
	require(state, "{\"\\u0074ype\":\"t\"}", "{\"type\":\"t\"}");
	require(state, "{\"fields\":{\"Type\":1,\"type\":2}}", "{\"fields\":{\"type\":1,\"type_2\":2}}");
}

static void keys_that_name_a_position_do_not(void **state)
{
	require(state, "{\"_col0\":1,\"_COL12\":2,\"x_col0\":3,\"_col\":4,\"_col1a\":5,\"_col99999999999\":6}",
		"{\"x_col0\":1,\"x_col12\":2,\"x_col0_2\":3,\"_col\":4,\"_col1a\":5,\"x_col99999999999\":6}");
}

static void lone_surrogates_are_mended(void **state)
{
	require(state, "{\"payload\":\"\\ud83d\\ude00 \\uD83D\\uDE00\"}", "{\"payload\":\"\\ud83d\\ude00 \\uD83D\\uDE00\"}");
	require(state, "{\"payload\":\"\\ud83d\"}", "{\"payload\":\"\\ufffd\"}");
	require(state, "{\"payload\":\"\\ud83dx\\ude00\\n\"}", "{\"payload\":\"\\ufffdx\\ufffd\\n\"}");
	require(state, "{\"payload\":\"\\\\ud83d \\ud7ff\\ue000 \\udbff\\udbff\\udfff\"}", "{\"payload\":\"\\\\ud83d \\ud7ff\\ue000 \\ufffd\\udbff\\udfff\"}");
	require(state, "{\"fields\":{\"a\":\"\\uDC00\"}}", "{\"fields\":{\"a\":\"\\ufffd\"}}");
}

static void numbers_that_are_no_double_are_strings(void **state)
{
	require_same(state, "{\"fields\":{\"a\":0.30000000000000004,\"b\":-0.00012345678901234567,\"c\":1E-07,\"d\":12e+0099,\"e\":1.5,\"f\":0,\"g\":12345678901234567890123}}");
	require(state, "{\"fields\":{\"a\":123456789012345678.5,\"b\":1e400,\"c\":-2E-100 ,\"d\":1.234567890123456789e1}}",
		"{\"fields\":{\"a\":\"123456789012345678.5\",\"b\":\"1e400\",\"c\":\"-2E-100\",\"d\":\"1.234567890123456789e1\"}}");
}

static void numbers_and_keys_too_long_for_the_reader_are_mended(void **state)
{
	static char line[200000], wanted[200000], digits[1002];
	memset(digits, '7', 1001);
	snprintf(line, sizeof line, "{\"payload\":%s,\"x\":%.1000s}", digits, digits);
	snprintf(wanted, sizeof wanted, "{\"payload\":\"%s\",\"x\":%.1000s}", digits, digits);
	require(state, line, wanted);
	struct buffer out;
	buffer_init(&out, 1 << 20);
	for (int last = 0; last < 2; last++) {
		line[0] = '{', line[1] = '"';
		memset(line + 2, 'K', 60000);
		snprintf(line + 60002, 80, "%d\":1}", last);
		assert_true(hive_append(&out, parse(state, span_of(line))));
	}
	assert_int_equal(out.length, 2 * (32 * 1024 + sizeof "{\"\":1}" - 1));
	assert_memory_not_equal(out.data, out.data + out.length / 2, out.length / 2);
	buffer_release(&out);
}

/* A line of an attacker: the same key a hundred thousand times, in both objects, must neither take long nor make two keys alike. */
static void many_keys_stay_unique(void **state)
{
	static const char *const names[] = { "type", "A", "a", "a_2", "a_3", "TYPE", "\\u0061" };
	enum { COUNT = 100000, NAMES = sizeof names / sizeof *names };
	struct buffer line, out;
	struct table seen;
	buffer_init(&line, 1 << 24);
	buffer_init(&out, 1 << 24);
	table_init(&seen, COUNT, 1 << 24, 1);
	for (int i = 0; i < COUNT; i++) {
		buffer_append_text(&line, i ? ",\"" : "{\"fields\":{\"");
		buffer_append_text(&line, names[i % NAMES]);
		buffer_append_text(&line, "\":1");
	}
	buffer_append_text(&line, "}");
	for (int i = 0; i < COUNT; i++) {
		buffer_append_text(&line, ",\"");
		buffer_append_text(&line, i % NAMES ? names[i % NAMES] : "Type");
		buffer_append_text(&line, "\":1");
	}
	buffer_append_text(&line, "}");
	assert_true(hive_append(&out, parse(state, buffer_span(&line))));
	const struct envelope *e = parse(state, buffer_span(&out));
	struct value key, value;
	size_t count = 0;
	for (struct field_walk walk = field_walk(e, e->fields); field_next(&walk, &key, &value); count++) {
		bool fresh;
		assert_non_null(table_put(&seen, key.text, &fresh));
		assert_true(fresh);
	}
	assert_int_equal(count, COUNT);
	table_clear(&seen);
	struct field_walk top = field_walk(e, (struct value){ .kind = VALUE_OBJECT });
	for (count = 0; count < COUNT && field_next(&top, &key, &value); count++) {
		bool fresh;
		assert_non_null(table_put(&seen, key.text, &fresh));
		assert_true(fresh);
		assert_false(span_equal(key.text, SPAN("type")));
	}
	assert_int_equal(count, COUNT);
	buffer_release(&line);
	buffer_release(&out);
	table_release(&seen);
}

/* More keys in both objects than are compared one by one: those of the one are not taken in the other. */
static void keys_of_one_object_are_free_in_the_other(void **state)
{
	char line[2000], wanted[2100];
	int at = 0;
	for (int i = 0; i < 30; i++) at += snprintf(line + at, sizeof line - (size_t)at, "%c\"k%d\":0", i ? ',' : '{', i);
	at += snprintf(line + at, sizeof line - (size_t)at, ",\"fields\":");
	for (int i = 0; i < 30; i++) at += snprintf(line + at, sizeof line - (size_t)at, "%c\"k%d\":0", i ? ',' : '{', i + 15);
	snprintf(wanted, sizeof wanted, "%s},\"k0_2\":1,\"k44\":1}", line);
	snprintf(line + at, sizeof line - (size_t)at, "},\"k0\":1,\"k44\":1}");
	require(state, line, wanted);
}

static void a_limit_is_told_of(void **state)
{
	struct buffer out;
	const struct envelope *e = parse(state, SPAN("{\"Type\":{\"a\":[1]},\"type\":\"\\ud800\",\"fields\":{\"a\":\"b\",\"A\":{}}}"));
	for (size_t limit = 0; ; limit++) {
		buffer_init(&out, limit);
		bool done = hive_append(&out, e);
		assert_true(out.length <= limit);
		assert_int_equal(done, !out.failed);
		buffer_release(&out);
		if (done) break;
		assert_true(limit < 200);
	}
}

/* --- the statements --- */

static void require_partition(const char *template, const char *dir, const char *wanted)
{
	const char *why;
	size_t column;
	struct buffer out;
	struct layout *l = layout_new(span_of(template), &why, &column);
	assert_non_null(l);
	buffer_init(&out, 1 << 16);
	assert_true(ddl_append_partition(&out, &(struct ddl){ l, "db.me`t", "hdfs:///data" }, span_of(dir)));
	assert_string_equal(buffer_text(&out), wanted);
	buffer_release(&out);
	layout_free(l);
}

static void partitions_are_added_with_their_values(void **state)
{
	(void)state;
	require_partition("type={type}/dt={date}", "type=timer/dt=2026-01-02",
		"ALTER TABLE `db`.`me``t` ADD IF NOT EXISTS PARTITION (`type`='timer', `dt`='2026-01-02') LOCATION 'hdfs:///data/type=timer/dt=2026-01-02';\n");
	require_partition("v={type}", "v=__HIVE_DEFAULT_PARTITION__", "ALTER TABLE `db`.`me``t` ADD IF NOT EXISTS PARTITION (`v`='__HIVE_DEFAULT_PARTITION__') LOCATION 'hdfs:///data/v=__HIVE_DEFAULT_PARTITION__';\n");
	require_partition("v={type}", "v=a%27); DROP TABLE x; --%0A${env:HOME}%5C%00%7F", "ALTER TABLE `db`.`me``t` ADD IF NOT EXISTS PARTITION (`v`='a\\')\\u003B DROP TABLE x\\u003B -\\u002D\\u000A\\u0024{env:HOME}\\\\\\u0000\\u007F') "
		"LOCATION 'hdfs:///data/v=a%27)\\u003B DROP TABLE x\\u003B -\\u002D%0A\\u0024{env:HOME}%5C%00%7F';\n");
	require_partition("v={type}", "v=%E2%80%AEx caf\xc3\xa9", "ALTER TABLE `db`.`me``t` ADD IF NOT EXISTS PARTITION (`v`='\xc3\xa2\\u0080\xc2\xaex caf\xc3\xa9') LOCATION 'hdfs:///data/v=%E2%80%AEx caf\xc3\xa9';\n");
}

static void what_is_no_partition_is_not_added(void **state)
{
	(void)state;
	require_partition("v={type}", "_late/v=x", "");
	require_partition("v={type}", "_overflow", "");
	require_partition("v={type}", "v=", "");
	require_partition("v={type}", "v=x/y=z", "");
	require_partition("v={type}/w={type}", "v=x", "");
	require_partition("v={type}/{type}", "v=x/y", "");
	require_partition("{name}", "", "");
}

static void require_table(const char *template, const char *table, const char *wanted)
{
	const char *why;
	size_t column;
	struct buffer out;
	struct layout *l = layout_new(span_of(template), &why, &column);
	assert_non_null(l);
	buffer_init(&out, 1 << 16);
	assert_true(ddl_append_table(&out, &(struct ddl){ l, table, "hdfs:///data/it's" }));
	assert_string_equal(buffer_text(&out), wanted);
	buffer_release(&out);
	layout_free(l);
}

static void a_table_has_a_column_once(void **state)
{
	(void)state;
	require_table("type={type}/dt={date}/hour={hour}", "metlog", "CREATE EXTERNAL TABLE IF NOT EXISTS `metlog` (\n  `timestamp` string,\n  `logger` string,\n  `severity` int,\n  `payload` string,\n"
		"  `fields` map<string,string>,\n  `env_version` string,\n  `metlog_pid` string,\n  `metlog_hostname` string\n)\nPARTITIONED BY (`type` string, `dt` string, `hour` string)\n"
		"ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'\nSTORED AS TEXTFILE\nLOCATION 'hdfs:///data/it\\'s';\n-- Partitions that are there are found by:  MSCK REPAIR TABLE `metlog`\n");
	static const char columns[] = "`timestamp` string,\n  `logger` string,\n  `type` string,\n  `severity` int,\n  `payload` string,\n  `fields` map<string,string>,\n  `env_version` string,\n"
		"  `metlog_pid` string,\n  `metlog_hostname` string\n)\nROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'\nSTORED AS TEXTFILE\nLOCATION 'hdfs:///data/it\\'s';\n";
	char wanted[2000];
	snprintf(wanted, sizeof wanted, "CREATE EXTERNAL TABLE IF NOT EXISTS `db`.`t` (\n  %s", columns);
	require_table("{name}", "db.t", wanted);
	snprintf(wanted, sizeof wanted, "CREATE EXTERNAL TABLE IF NOT EXISTS `t` (\n  %s-- This layout's directories are not partitions. To read the files in them:\n"
		"--   SET mapreduce.input.fileinputformat.input.dir.recursive=true\n--   SET hive.mapred.supports.subdirectories=true\n", columns);
	require_table("type={type}/{date}", "t", wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_flat_stays_as_it_is),
		cmocka_unit_test(nested_values_are_their_json_text),
		cmocka_unit_test(keys_are_lower_case_and_unique),
		cmocka_unit_test(the_names_of_members_are_theirs),
		cmocka_unit_test(keys_that_name_a_position_do_not),
		cmocka_unit_test(lone_surrogates_are_mended),
		cmocka_unit_test(numbers_that_are_no_double_are_strings),
		cmocka_unit_test(numbers_and_keys_too_long_for_the_reader_are_mended),
		cmocka_unit_test(many_keys_stay_unique),
		cmocka_unit_test(keys_of_one_object_are_free_in_the_other),
		cmocka_unit_test(a_limit_is_told_of),
		cmocka_unit_test(partitions_are_added_with_their_values),
		cmocka_unit_test(what_is_no_partition_is_not_added),
		cmocka_unit_test(a_table_has_a_column_once),
	};
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
