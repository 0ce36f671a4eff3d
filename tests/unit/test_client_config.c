/* test_client_config - client/config: what a file says of a client, and where it is wrong. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/config.h"

static struct config config;
static struct fault fault;

static void read_text(const char *text)
{
	size_t length = strlen(text);
	char *exactly = malloc(length + 1); /* nothing is to be read behind it, and nothing of it kept */
	memcpy(exactly, text, length);
	if (!config_read(&config, (struct span){ exactly, length }, "shop.ini", &fault)) fail_msg("%s", fault.text);
	free(exactly);
}

static void assert_wrong(const char *text, const char *reason)
{
	assert_false(config_read(&config, span_of(text), "shop.ini", &fault));
	assert_string_equal(fault.text, reason);
	assert_int_equal(fault.status, EXIT_CONFIGURATION);
	config_release(&config);
}

static void assert_list(const char *const *list, const char *joined)
{
	char text[200] = "";
	if (!joined) {
		assert_null(list);
		return;
	}
	assert_non_null(list);
	for (; *list; list++) snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? "|" : "", *list);
	assert_string_equal(text, joined);
}

static void every_key_is_read(void **state)
{
	(void)state;
	read_text("# the shop's\n; client\n[metlog]\nendpoint = push:tcp://127.0.0.1:5565\nlogger = shop\nseverity = 5\nhostname = web1\ndisabled_timers = db.query cache.get\n  *\n\n  last\n"
		"when_full = block\nbuffer = 4Mi\nline = 64k\nthreads = 8\nclose = 250ms\ncurve_secret = /a b/c\ncurve_server: d\ninsecure = yes\n");
	const struct metlog_options *o = &config.options;
	assert_string_equal(config.endpoint, "push:tcp://127.0.0.1:5565");
	assert_string_equal(o->logger, "shop");
	assert_int_equal(o->severity, 5);
	assert_string_equal(o->hostname, "web1");
	assert_list(o->disabled_timers, "db.query|cache.get|*|last");
	assert_int_equal(o->when_full, METLOG_BLOCK);
	assert_int_equal(o->buffer_bytes, 4 << 20);
	assert_int_equal(o->line_bytes, 64000);
	assert_int_equal(o->threads, 8);
	assert_int_equal(o->close_ms, 250);
	assert_string_equal(o->curve_secret, "/a b/c");
	assert_string_equal(o->curve_server, "d");
	assert_int_equal(o->insecure, 1);
	config_release(&config);
}

static void what_is_not_said_is_the_default(void **state)
{
	(void)state;
	struct metlog_options defaults;
	metlog_options_init(&defaults, sizeof defaults);
	read_text("[metlog]\n");
	assert_null(config.endpoint);
	assert_memory_equal(&config.options, &defaults, sizeof defaults);
	config_release(&config);
}

static void a_file_is_read_as_pythons_configparser_reads_it(void **state)
{
	(void)state;
	read_text("[app]\nanything goes\nx\n[ metlog ]\nz = 1\n[metlog]\r\n  Endpoint:file:/tmp/a=b\r\n# between\n  logger =  a = b ; c  \n disabled_timers =\n# no\n  x = y\n\n\t [z]\n\t[other]\n= 1\n[metlog_filter_a]\nprovider=type_deny\ntypes=\n a\n ; not b\n\n\tc d\n");
	assert_string_equal(config.endpoint, "file:/tmp/a=b");
	assert_string_equal(config.options.logger, "a = b ; c");
	assert_list(config.options.disabled_timers, "x|=|y|[z]");
	assert_list(config.options.types_denied, "a|c|d");
	config_release(&config);
}

static void a_value_may_begin_with_an_environment_variable(void **state)
{
	(void)state;
	setenv("METLOG_TEST_HOST", "web7 b", 1);
	unsetenv("METLOG_TEST_NONE");
	read_text("[metlog]\nendpoint = ${METLOG_TEST_HOST}/x\nlogger = a${METLOG_TEST_NONE}\nhostname = ${open\ndisabled_timers = ${METLOG_TEST_HOST} c\n");
	assert_string_equal(config.endpoint, "web7 b/x");
	assert_string_equal(config.options.logger, "a${METLOG_TEST_NONE}");
	assert_string_equal(config.options.hostname, "${open");
	assert_list(config.options.disabled_timers, "web7|b|c");
	config_release(&config);
	assert_wrong("[metlog]\nlogger = ${METLOG_TEST_NONE}\n", "shop.ini:2: no such environment variable: \"METLOG_TEST_NONE\"");
}

static void filters_have_a_provider_and_what_it_takes(void **state)
{
	(void)state;
	read_text("[metlog]\n[metlog_filter_a]\nprovider = severity_max\nseverity = 5\n[metlog_filter_b]\ntypes = x y\nprovider = type_allow\n"
		"[metlog_filter_c]\nprovider = type_deny\ntypes = z\n[metlog_filter_d]\nprovider = type_severity_max\ntypes = request:4\n  a:b:7\n");
	assert_int_equal(config.options.severity_max, 5);
	assert_list(config.options.types_allowed, "x|y");
	assert_list(config.options.types_denied, "z");
	assert_list(config.options.type_severities, "request:4|a:b:7");
	config_release(&config);
}

static void the_names_of_the_original_filters_are_taken(void **state)
{
	(void)state;
	read_text("[metlog]\n[metlog_filter_a]\nprovider = metlog.filters.severity_max_provider\nseverity = 5\n[metlog_filter_b]\nprovider = metlog.filters.type_whitelist_provider\ntypes = x\n"
		"[metlog_filter_c]\nprovider = type_blacklist_provider\ntypes = z\n[metlog_filter_d]\nprovider = own.type_severity_max_provider\ntypes = r:4\n");
	assert_int_equal(config.options.severity_max, 5);
	assert_list(config.options.types_allowed, "x");
	assert_list(config.options.types_denied, "z");
	assert_list(config.options.type_severities, "r:4");
	config_release(&config);
}

static void all_of_several_filters_must_be_passed(void **state)
{
	(void)state;
	read_text("[metlog]\n[metlog_filter_a]\nprovider = severity_max\nseverity = 3\n[metlog_filter_b]\nprovider = severity_max\nseverity = 5\n"
		"[metlog_filter_c]\nprovider = type_allow\ntypes = a b c\n[metlog_filter_d]\nprovider = type_allow\ntypes = c d b\n"
		"[metlog_filter_e]\nprovider = type_deny\ntypes = x\n[metlog_filter_f]\nprovider = type_deny\ntypes = y\n");
	assert_int_equal(config.options.severity_max, 3);
	assert_list(config.options.types_allowed, "c|b");
	assert_list(config.options.types_denied, "x|y");
	config_release(&config);
}

static void what_an_application_sets_wins_over_the_file(void **state)
{
	(void)state;
	const char *const mine[] = { "m", NULL };
	struct metlog_options given;
	metlog_options_init(&given, sizeof given);
	read_text("[metlog]\nlogger = shop\nhostname = web1\nseverity = 5\ndisabled_timers = a\n");
	config_override(&config, &given);
	assert_string_equal(config.options.logger, "shop");
	assert_int_equal(config.options.severity, 5);
	given.logger = "mine";
	given.severity = 2;
	given.disabled_timers = mine;
	given.pid = 7;
	config_override(&config, &given);
	assert_string_equal(config.options.logger, "mine");
	assert_string_equal(config.options.hostname, "web1");
	assert_int_equal(config.options.severity, 2);
	assert_list(config.options.disabled_timers, "m");
	assert_int_equal(config.options.pid, 7);
	config_release(&config);
}

static void a_mistake_is_named_with_its_file_and_line(void **state)
{
	(void)state;
	static const struct { const char *text, *reason; } cases[] = {
		{ "", "shop.ini: there is no section [metlog]" },
		{ "[metlog_filter_a]\nprovider = type_deny\ntypes = a\n", "shop.ini: there is no section [metlog]" },
		{ "logger = a\n[metlog]\n", "shop.ini:1: a [section] is missing before this" },
		{ "[metlog]\nlogger = a\nlogger = b\n", "shop.ini:3: the key is there twice" },
		{ "[metlog]\nloger = a\n", "shop.ini:2: unknown key: \"loger\"" },
		{ "[metlog]\nendpoint\n", "shop.ini:2: neither [section] nor KEY = VALUE" },
		{ "[metlog]\n= a\n", "shop.ini:2: a key is missing" },
		{ "[metlog\n", "shop.ini:1: ']' is missing" },
		{ "[metlog] x\n", "shop.ini:1: more behind ']'" },
		{ "[metlog]\n[metlog]\n", "shop.ini:2: the section is there twice: \"metlog\"" },
		{ "[metlog]\n[metlog_plugin_x]\n", "shop.ini:2: unknown section: \"metlog_plugin_x\"" },
		{ "[metlog]\n[metlogs]\n", "shop.ini:2: unknown section: \"metlogs\"" },
		{ "[metlog]\nseverity = 8\n", "shop.ini:2: not from 0 to 7: \"8\"" },
		{ "[metlog]\nlogger = a\n\n# c\nbuffer = much\n", "shop.ini:5: not a size, as 64k or 2Mi: \"much\"" },
		{ "[metlog]\nline = 0\n", "shop.ini:2: not a size, as 64k or 2Mi: \"0\"" },
		{ "[metlog]\nthreads = -1\n", "shop.ini:2: not a number of threads: \"-1\"" },
		{ "[metlog]\nclose = soon\n", "shop.ini:2: not a duration, as 500ms or 5s: \"soon\"" },
		{ "[metlog]\nwhen_full = wait\n", "shop.ini:2: neither drop nor block: \"wait\"" },
		{ "[metlog]\ninsecure = maybe\n", "shop.ini:2: neither yes nor no: \"maybe\"" },
		{ "[metlog]\nlogger = a\n b\n", "shop.ini:2: one line is expected: \"a\nb\"" },
		{ "[metlog]\n[metlog_filter_a]\ntypes = a\n", "shop.ini:2: the filter has no provider" },
		{ "[metlog]\n[metlog_filter_a]\nprovider = x.type_maybe\ntypes = a\n", "shop.ini:3: not a provider (severity_max type_allow type_deny type_severity_max): \"x.type_maybe\"" },
		{ "[metlog]\n[metlog_filter_a]\nprovider = type_deny\n[x]\n", "shop.ini:3: the filter takes `types'" },
		{ "[metlog]\n[metlog_filter_a]\nprovider = severity_max\nseverity = 4\ntypes = a\n", "shop.ini:3: the filter takes `severity'" },
		{ "[metlog]\n[metlog_filter_a]\nprovider = severity_max\nseverity = high\n", "shop.ini:4: not from 0 to 7: \"high\"" },
		{ "[metlog]\n[metlog_filter_a]\nprovider = type_severity_max\ntypes = a\n", "shop.ini:4: not TYPE:N with a severity from 0 to 7: \"a\"" },
		{ "[metlog]\n[metlog_filter_a]\nlevel = 4\n", "shop.ini:3: unknown key: \"level\"" },
		{ "[metlog]\n[metlog_filter_a]\nprovider = type_deny\ntypes = a\n[metlog_filter_a]\n", "shop.ini:5: the section is there twice: \"metlog_filter_a\"" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_wrong(cases[i].text, cases[i].reason);
	assert_false(config_read(&config, SPAN("[metlog]\nlogger = a\0b\n"), "shop.ini", &fault));
	assert_string_equal(fault.text, "shop.ini:2: a NUL byte");
	config_release(&config);
}

static void booleans_are_those_of_the_original_client(void **state)
{
	(void)state;
	static const struct { const char *text; int value; } cases[] = { { "true", 1 }, { "T", 1 }, { "on", 1 }, { "YES", 1 }, { "False", 0 }, { "f", 0 }, { "off", 0 }, { "no", 0 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[100];
		snprintf(text, sizeof text, "[metlog]\ninsecure = %s", cases[i].text);
		read_text(text);
		assert_int_equal(config.options.insecure, cases[i].value);
		config_release(&config);
	}
}

static void a_client_is_opened_by_its_file_or_says_why_not(void **state)
{
	(void)state;
	char path[] = "/tmp/test_client_config.XXXXXX", expected[200];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "w");
	struct metlog_fault why;
	assert_null(metlog_open_config("/nonexistent/shop.ini", NULL, &why));
	assert_int_equal(why.status, 66);
	assert_string_equal(why.text, "/nonexistent/shop.ini: No such file or directory");
	assert_null(metlog_open_config("/", NULL, NULL));
	fprintf(file, "[metlog]\nlogger = shop\n");
	fflush(file);
	assert_null(metlog_open_config(path, NULL, &why));
	snprintf(expected, sizeof expected, "%s: [metlog] has no endpoint", path);
	assert_string_equal(why.text, expected);
	assert_int_equal(why.status, 78);
	fprintf(file, "endpoint = file:/dev/null\n");
	fclose(file);
	struct metlog *client = metlog_open_config(path, NULL, &why);
	if (!client) fail_msg("%s", why.text);
	assert_int_equal(metlog_count(client, "n", 1, 1, METLOG_NONE), METLOG_TAKEN);
	assert_int_equal(metlog_close(client, -1, NULL), 0);
	remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(what_is_not_said_is_the_default),
		cmocka_unit_test(a_file_is_read_as_pythons_configparser_reads_it),
		cmocka_unit_test(a_value_may_begin_with_an_environment_variable),
		cmocka_unit_test(filters_have_a_provider_and_what_it_takes),
		cmocka_unit_test(the_names_of_the_original_filters_are_taken),
		cmocka_unit_test(all_of_several_filters_must_be_passed),
		cmocka_unit_test(what_an_application_sets_wins_over_the_file),
		cmocka_unit_test(a_mistake_is_named_with_its_file_and_line),
		cmocka_unit_test(booleans_are_those_of_the_original_client),
		cmocka_unit_test(a_client_is_opened_by_its_file_or_says_why_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
