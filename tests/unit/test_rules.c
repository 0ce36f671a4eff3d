/* test_rules - client/rules: the filters of the original clients, all of which a message must pass. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/rules.h"

static const struct metlog_options none = { .size = sizeof none, .severity_max = METLOG_SEVERITY_DEFAULT };

static void assert_passes(const struct metlog_options *options, const char *type, int severity, bool expected)
{
	struct rules rules;
	assert_true(rules_init(&rules, options, NULL));
	assert_int_equal(rules_pass(&rules, span_of(type), severity), expected);
	if (!expected) assert_true(rules.is_any);
	rules_release(&rules);
}

static void without_rules_everything_passes(void **state)
{
	(void)state;
	struct rules rules;
	assert_true(rules_init(&rules, &none, NULL));
	assert_false(rules.is_any);
	assert_true(rules_pass(&rules, SPAN("a"), 7));
	assert_false(rules_disable_timer(&rules, SPAN("a")));
	rules_release(&rules);
}

static void a_severity_up_to_the_greatest_allowed_passes(void **state)
{
	(void)state;
	struct metlog_options o = none;
	o.severity_max = 4;
	assert_passes(&o, "a", 4, true);
	assert_passes(&o, "a", 5, false);
	o.severity_max = 0;
	assert_passes(&o, "a", 0, true);
	assert_passes(&o, "a", 1, false);
}

static void only_the_types_allowed_pass_and_those_denied_do_not(void **state)
{
	(void)state;
	const char *const list[] = { "counter", "timer", NULL }, *const empty[] = { NULL };
	struct metlog_options o = none;
	o.types_allowed = list;
	assert_passes(&o, "timer", 6, true);
	assert_passes(&o, "time", 6, false);
	assert_passes(&o, "timers", 6, false);
	o.types_allowed = empty;
	assert_passes(&o, "timer", 6, false);
	o.types_allowed = NULL;
	o.types_denied = list;
	assert_passes(&o, "timer", 6, false);
	assert_passes(&o, "time", 6, true);
}

static void a_type_has_a_greatest_severity_of_its_own_and_others_pass(void **state)
{
	(void)state;
	const char *const list[] = { "request:4", "a:b:0", NULL };
	struct metlog_options o = none;
	o.type_severities = list;
	assert_passes(&o, "request", 4, true);
	assert_passes(&o, "request", 5, false);
	assert_passes(&o, "a:b", 1, false);
	assert_passes(&o, "a", 7, true);
}

static void all_rules_must_be_passed(void **state)
{
	(void)state;
	const char *const allowed[] = { "a", "b", NULL }, *const denied[] = { "b", NULL }, *const severities[] = { "a:3", NULL };
	struct metlog_options o = none;
	o.types_allowed = allowed;
	o.types_denied = denied;
	o.type_severities = severities;
	o.severity_max = 5;
	assert_passes(&o, "a", 3, true);
	assert_passes(&o, "a", 4, false);
	assert_passes(&o, "b", 3, false);
	assert_passes(&o, "c", 3, false);
}

static void timers_are_disabled_by_name_or_all_of_them(void **state)
{
	(void)state;
	const char *const some[] = { "db", "cache.get", NULL }, *const all[] = { "db", "*", NULL };
	struct metlog_options o = none;
	struct rules rules;
	o.disabled_timers = some;
	assert_true(rules_init(&rules, &o, NULL));
	assert_true(rules_disable_timer(&rules, SPAN("cache.get")));
	assert_false(rules_disable_timer(&rules, SPAN("cache")));
	assert_false(rules_disable_timer(&rules, SPAN("cache.gex")));
	assert_false(rules_disable_timer(&rules, SPAN("xache.get")));
	assert_false(rules.is_any);
	rules_release(&rules);
	o.disabled_timers = all;
	assert_true(rules_init(&rules, &o, NULL));
	assert_true(rules_disable_timer(&rules, SPAN("cache")));
	rules_release(&rules);
}

static void the_lists_are_copied(void **state)
{
	(void)state;
	char name[] = "timer";
	const char *const list[] = { name, NULL };
	struct metlog_options o = none;
	struct rules rules;
	o.types_denied = list;
	assert_true(rules_init(&rules, &o, NULL));
	memset(name, 'x', 5);
	assert_false(rules_pass(&rules, SPAN("timer"), 6));
	rules_release(&rules);
}

static void a_severity_that_is_none_is_refused_with_what_was_given(void **state)
{
	(void)state;
	static const char *const wrong[][2] = { { "request", NULL }, { "request:8", NULL }, { "request:", NULL }, { "request:44", NULL } };
	struct rules rules;
	struct metlog_fault fault;
	struct metlog_options o = none;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		o.type_severities = wrong[i];
		assert_false(rules_init(&rules, &o, &fault));
		assert_int_equal(fault.status, 78);
		assert_non_null(strstr(fault.text, wrong[i][0]));
	}
	o = none;
	o.severity_max = 8;
	assert_false(rules_init(&rules, &o, &fault));
	assert_string_equal(fault.text, "severity_max is not from 0 to 7: \"8\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_everything_passes),
		cmocka_unit_test(a_severity_up_to_the_greatest_allowed_passes),
		cmocka_unit_test(only_the_types_allowed_pass_and_those_denied_do_not),
		cmocka_unit_test(a_type_has_a_greatest_severity_of_its_own_and_others_pass),
		cmocka_unit_test(all_rules_must_be_passed),
		cmocka_unit_test(timers_are_disabled_by_name_or_all_of_them),
		cmocka_unit_test(the_lists_are_copied),
		cmocka_unit_test(a_severity_that_is_none_is_refused_with_what_was_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
