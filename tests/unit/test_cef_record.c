/* test_cef_record - events in the making: which key a value gets, what is cut, and what is counted. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "record.h"

static const struct cef_header plain = { 0, { "v", 1 }, { "p", 1 }, { "1", 1 }, { "s", 1 }, { "n", 1 }, { "5", 1 } };

static struct record *begin(const struct record_rules rules)
{
	struct record *r = record_new(&rules);
	assert_null(record_begin(r, &plain));
	return r;
}

static void put(struct record *r, const char *name, const char *value)
{
	const char *why = record_put_named(r, span_of(name), span_of(value));
	if (why) fail_msg("%s=%s: %s", name, value, why);
}

static const struct dictionary_key *key(const char *name) { return dictionary_find(span_of(name)); }

/* The line's extension is this; the record is freed. */
static void require_end(struct record *r, const char *wanted)
{
	const char *why = NULL;
	struct span line = record_end(r, &why), start = SPAN("CEF:0|v|p|1|s|n|5|");
	if (!line.data) fail_msg("%s", why);
	if (line.length > 4) start.data = line.data[4] == '1' ? "CEF:1|v|p|1|s|n|5|" : start.data;
	assert_true(span_starts(line, start));
	line.data += start.length;
	line.length -= start.length;
	if (!span_equal(line, span_of(wanted))) fail_msg("\"%.*s\", not \"%s\"", (int)line.length, line.data, wanted);
	record_free(r);
}

/* --- which key --- */

static void pairs_stand_in_their_order_one_blank_apart(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ 0 });
	put(r, "src", "192.0.2.1");
	put(r, "msg", "a=b\nc");
	put(r, "my_key", "x");
	put(r, "cs1Label", "user");
	assert_true(record_has(r, key("msg")) && record_has(r, key("cs1Label")) && !record_has(r, key("cs1")));
	assert_true(record_put_spare(r, SPAN("l"), SPAN("y"), false));
	require_end(r, "src=192.0.2.1 msg=a\\=b\\nc my_key=x cs1Label=user cs2Label=l cs2=y");
}

static void an_empty_value_is_left_out(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ 0 });
	put(r, "msg", "");
	put(r, "other", " \t ");
	put(r, "dpt", "");
	assert_null(record_put_labelled(r, key("cs1"), SPAN("l"), SPAN(" ")));
	assert_true(record_put_spare(r, SPAN("l"), SPAN(""), false));
	put(r, "act", "x");
	require_end(r, "act=x");
}

static void a_key_keeps_its_first_value(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ 0 });
	put(r, "suser", "root");
	put(r, "suser", "other");
	put(r, "mine", "1");
	put(r, "mine", "2");
	put(r, "mine2", "3");
	assert_int_equal(record_tally(r)->omitted, 0);
	require_end(r, "suser=root mine=1 mine2=3");
}

static void what_only_a_consumer_sets_is_left_out_and_counted(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ 0 });
	put(r, "rawEvent", "x");
	assert_null(record_put(r, key("agt"), SPAN("192.0.2.1")));
	assert_int_equal(record_tally(r)->omitted, 2);
	require_end(r, "");
}

static void a_name_that_is_no_key_becomes_a_label(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ 0 });
	put(r, "a b=c", "x");
	put(r, "src=6.6.6.6 suser", "y");
	put(r, "", "12");
	require_end(r, "cs1Label=a b\\=c cs1=x cs2Label=src\\=6.6.6.6 suser cs2=y cs3Label=unnamed cs3=12");
}

static void with_keys_of_the_dictionary_only_another_key_becomes_a_label(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ .dictionary_only = true });
	put(r, "realm", "x");
	put(r, "threatActor", "y");
	put(r, "act", "z");
	require_end(r, "cs1Label=realm cs1=x cs2Label=threatActor cs2=y act=z");
	r = begin((struct record_rules){ .version = 1, .dictionary_only = true });
	put(r, "threatActor", "y");
	require_end(r, "threatActor=y");
}

static void spare_values_go_by_their_kind_until_all_is_taken(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ 0 });
	for (int i = 0; i < 4; i++) assert_true(record_put_spare(r, SPAN("i"), SPAN("7"), true));
	assert_true(record_put_spare(r, SPAN("f"), SPAN("1.5"), true));
	assert_true(record_put_spare(r, SPAN("t"), SPAN("8"), false));
	assert_true(record_put_spare(r, SPAN("big"), SPAN("99999999999999999999"), true));
	for (int i = 0; i < 4; i++) assert_true(record_put_spare(r, SPAN("s"), SPAN("x"), false));
	assert_false(record_put_spare(r, SPAN("s"), SPAN("x"), false));
	assert_false(record_put_spare(r, SPAN("i"), SPAN("7"), true));
	assert_true(record_put_spare(r, SPAN("f"), SPAN("2.5"), true));
	put(r, "no key", "x");
	assert_int_equal(record_tally(r)->omitted, 1);
	require_end(r, "cn1Label=i cn1=7 cn2Label=i cn2=7 cn3Label=i cn3=7 cs1Label=i cs1=7 cfp1Label=f cfp1=1.5 cs2Label=t cs2=8 cfp2Label=big cfp2=99999999999999999999"
		" cs3Label=s cs3=x cs4Label=s cs4=x cs5Label=s cs5=x cs6Label=s cs6=x cfp3Label=f cfp3=2.5");
}

static void a_spare_value_makes_way_for_one_that_is_meant_for_the_key(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ 0 });
	record_put_spare(r, SPAN("spare"), SPAN("x"), false);
	record_put_spare(r, SPAN("count"), SPAN("3"), true);
	put(r, "cs1", "mine");
	put(r, "cn1Label", "my number");
	put(r, "cn1", "4");
	assert_null(record_put_labelled(r, key("cs2"), SPAN("label"), SPAN("y")));
	require_end(r, "cs3Label=spare cs3=x cn2Label=count cn2=3 cs1=mine cn1Label=my number cn1=4 cs2Label=label cs2=y");
}

static void a_spare_value_for_which_no_place_is_left_is_counted(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ .wrong = RECORD_WRONG_OMIT });
	for (int i = 0; i < 3; i++) record_put_spare(r, SPAN("i"), SPAN("7"), true);
	put(r, "cn1", "no number");
	assert_int_equal(record_tally(r)->omitted, 1);
	put(r, "cn1", "8");
	assert_int_equal(record_tally(r)->omitted, 2);
	put(r, "act", "x");
	put(r, "cn3", "9");
	require_end(r, "cn2Label=i cn2=7 cn1=8 act=x cn3=9");
	r = begin((struct record_rules){ .max_bytes = 45 });
	for (int i = 0; i < 3; i++) record_put_spare(r, SPAN("i"), SPAN("7"), true);
	put(r, "cn1", "8");
	require_end(r, "cn2Label=i cn2=7");
}

static void a_custom_key_has_its_label_before_it_or_there_is_neither(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ .wrong = RECORD_WRONG_OMIT });
	assert_null(record_put_labelled(r, key("cn1"), SPAN("count"), SPAN("many")));
	assert_null(record_put_labelled(r, key("cn1"), SPAN("count"), SPAN("5")));
	assert_null(record_put_labelled(r, key("cn1"), SPAN("again"), SPAN("6")));
	assert_null(record_put_labelled(r, key("flexString1"), SPAN("f"), SPAN("x")));
	assert_null(record_put_labelled(r, key("cs1"), SPAN(""), SPAN("x")));
	assert_null(record_put_labelled(r, key("act"), SPAN("none"), SPAN("x")));
	static char blanks[4002];
	memset(blanks, ' ', sizeof blanks - 1);
	blanks[4001] = 'x';
	assert_null(record_put_labelled(r, key("cs2"), SPAN("l"), (struct span){ blanks, sizeof blanks }));
	assert_true(record_try(r, key("cs3"), SPAN("l"), (struct span){ blanks, sizeof blanks }));
	assert_false(record_has(r, key("cs2Label")) || record_has(r, key("cs3Label")));
	require_end(r, "cn1Label=count cn1=5 flexString1Label=f flexString1=x cs1=x act=x");
}

static void an_ipv6_address_has_a_custom_key_in_version_0(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ 0 });
	put(r, "src", "2001:db8::1");
	put(r, "dst", "2001:db8::2");
	put(r, "dvc", "2001:db8::3");
	put(r, "spt", "1");
	assert_string_equal(record_put_named(r, SPAN("src"), SPAN("2001:db8::4")), "src: not an IPv4 address");
	assert_string_equal(record_put_named(r, SPAN("sourceTranslatedAddress"), SPAN("::1")), "sourceTranslatedAddress: not an IPv4 address");
	require_end(r, "c6a2Label=Source IPv6 Address c6a2=2001:db8::1 c6a3Label=Destination IPv6 Address c6a3=2001:db8::2 c6a1Label=Device IPv6 Address c6a1=2001:db8::3 spt=1");
	r = begin((struct record_rules){ .version = 1 });
	put(r, "src", "2001:db8::1");
	put(r, "dst", "192.0.2.1");
	put(r, "in", "99999999999");
	require_end(r, "src=2001:db8::1 dst=192.0.2.1 in=99999999999");
}

/* --- wrong types --- */

static void a_value_of_the_wrong_type_is_refused_left_out_or_kept_by_the_rule(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ .wrong = RECORD_WRONG_REJECT });
	assert_string_equal(record_put_named(r, SPAN("dpt"), SPAN("http")), "dpt: not an integer from -2147483648 to 2147483647");
	assert_string_equal(record_put_labelled(r, key("cfp1"), SPAN("l"), SPAN("x=y")), "cfp1: not a number");
	require_end(r, "");
	r = begin((struct record_rules){ .wrong = RECORD_WRONG_OMIT });
	put(r, "dpt", "http");
	assert_int_equal(record_tally(r)->omitted, 1);
	require_end(r, "");
	r = begin((struct record_rules){ .wrong = RECORD_WRONG_KEEP });
	put(r, "dpt", "ht=tp");
	put(r, "src", "None");
	assert_int_equal(record_tally(r)->omitted, 0);
	require_end(r, "dpt=ht\\=tp src=None");
}

static void a_try_puts_what_fits_and_else_does_and_counts_nothing(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ .wrong = RECORD_WRONG_REJECT });
	assert_false(record_try(r, key("dpt"), SPAN(""), SPAN("http")));
	assert_false(record_try(r, key("rawEvent"), SPAN(""), SPAN("x")));
	assert_false(record_try(r, key("threatActor"), SPAN(""), SPAN("x")));
	assert_false(record_try(r, key("cn1"), SPAN("l"), SPAN("x")));
	assert_true(record_try(r, key("dpt"), SPAN(""), SPAN("80")));
	assert_false(record_try(r, key("dpt"), SPAN(""), SPAN("81")));
	assert_true(record_try(r, key("cn1"), SPAN("l"), SPAN("5")));
	assert_true(record_try(r, key("src"), SPAN(""), SPAN("::1")));
	assert_true(record_try(r, key("act"), SPAN(""), SPAN("")));
	assert_int_equal(record_tally(r)->omitted, 0);
	require_end(r, "dpt=80 cn1Label=l cn1=5 c6a2Label=Source IPv6 Address c6a2=::1");
}

/* --- the header --- */

static void a_header_needs_a_severity_and_something_that_tells_what_it_is(void **state)
{
	(void)state;
	struct record_rules rules = { 0 };
	struct record *r = record_new(&rules);
	struct cef_header header = plain;
	header.severity = SPAN("11");
	assert_string_equal(record_begin(r, &header), "severity: not 0 to 10 or a word of CEF");
	header = (struct cef_header){ .severity = SPAN("5"), .device_version = SPAN("1") };
	assert_string_equal(record_begin(r, &header), "no vendor, product, signature and name");
	header.name = SPAN("n");
	assert_null(record_begin(r, &header));
	const char *why;
	assert_true(span_equal(record_end(r, &why), SPAN("CEF:0|||1||n|5|")));
	record_free(r);
	/* The version is that of the rules, whatever the header says. */
	r = record_new(&(struct record_rules){ .version = 1 });
	assert_null(record_begin(r, &header));
	assert_true(span_equal(record_end(r, &why), SPAN("CEF:1|||1||n|5|")));
	record_free(r);
}

static void what_is_longer_than_the_dictionary_allows_is_cut_at_a_character_and_counted(void **state)
{
	(void)state;
	char text[4096], wanted[4096];
	struct record_rules rules = { 0 };
	struct record *r = record_new(&rules);
	struct cef_header header = plain;
	const char *why;
	for (size_t i = 0; i < sizeof text; i += 2) memcpy(text + i, "\xc3\xa4", 2);
	header.device_version = (struct span){ text, 64 };
	assert_null(record_begin(r, &header));
	put(r, "act", "0123456789012345678901234567890123456789012345678901234567890123456789");
	assert_null(record_put(r, key("proto"), (struct span){ text, 62 }));
	assert_null(record_put(r, key("app"), (struct span){ text, 64 }));
	assert_null(record_put(r, key("outcome"), SPAN("                                                               x")));
	assert_int_equal(record_tally(r)->cut, 4);
	snprintf(wanted, sizeof wanted, "CEF:0|v|p|%.62s|s|n|5|act=012345678901234567890123456789012345678901234567890123456789012 proto=%.62s app=%.62s", text, text, text);
	struct span line = record_end(r, &why);
	assert_true(span_equal(line, span_of(wanted)));
	record_free(r);
}

/* --- what does not fit --- */

static void the_longest_custom_string_is_cut_first_and_the_event_is_marked(void **state)
{
	(void)state;
	char text[1000];
	memset(text, 'x', sizeof text);
	struct record *r = begin((struct record_rules){ .max_bytes = 500 });
	assert_null(record_put(r, key("msg"), (struct span){ text, 250 }));
	assert_null(record_put(r, key("cs1"), (struct span){ text, 150 }));
	assert_null(record_put(r, key("cs2"), (struct span){ text, 800 }));
	assert_int_equal(record_tally(r)->truncated, 0);
	const char *why;
	struct span line = record_end(r, &why);
	assert_int_equal(record_tally(r)->truncated, 1);
	assert_true(line.length <= 500 && line.length > 490);
	char wanted[600];
	snprintf(wanted, sizeof wanted, "CEF:0|v|p|1|s|n|5|msg=%.250s cs1=%.126s cs2=%.64s cs6Label=truncated cs6=1232", text, text, text);
	if (!span_equal(line, span_of(wanted))) fail_msg("%.*s", (int)line.length, line.data);
	record_free(r);
}

static void a_cut_is_never_inside_a_character_or_an_escape(void **state)
{
	(void)state;
	static struct cef_event event;
	struct buffer decoded;
	buffer_init(&decoded, 1 << 16);
	for (size_t most = 90; most < 300; most++) {
		struct record *r = begin((struct record_rules){ .max_bytes = most });
		char text[200];
		for (size_t i = 0; i < sizeof text; i += 10) memcpy(text + i, "\\\xf0\x9f\x92\xa9=\n \xc3\xa4", 10);
		put(r, "act", "x");
		assert_null(record_put(r, key("cs1"), (struct span){ text, sizeof text }));
		const char *why;
		size_t column;
		struct span line = record_end(r, &why);
		assert_true(line.data && line.length <= most);
		if (!cef_read(&event, line, CEF_STRICT, &decoded, &why, &column)) fail_msg("%s at %zu: %.*s", why, column, (int)line.length, line.data);
		struct span value = event.pair[1].value;
		assert_true(value.length > 0 && value.length <= sizeof text && memcmp(value.data, text, value.length) == 0);
		assert_true(value.length == 200 || ((unsigned char)text[value.length] & 0xc0) != 0x80);
		record_free(r);
	}
	buffer_release(&decoded);
}

static void a_label_and_its_value_go_together(void **state)
{
	(void)state;
	char blanks[200];
	memset(blanks, ' ', sizeof blanks);
	blanks[199] = 'x';
	for (int is_label = 0; is_label < 2; is_label++) {
		struct span odd = { blanks, sizeof blanks }, short_one = SPAN("y");
		struct record *r = begin((struct record_rules){ .max_bytes = 100 });
		assert_null(record_put_labelled(r, key("cs1"), is_label ? odd : short_one, is_label ? short_one : odd));
		put(r, "act", "z");
		require_end(r, "act=z cs6Label=truncated cs6=239");
	}
}

static void what_cannot_be_cut_is_left_out_from_the_end(void **state)
{
	(void)state;
	struct record *r = begin((struct record_rules){ .max_bytes = 60 });
	put(r, "src", "192.0.2.1");
	put(r, "cs6", "x");
	put(r, "spt", "12345");
	assert_null(record_put_labelled(r, key("cn1"), SPAN("count"), SPAN("77777")));
	put(r, "dst", "192.0.2.2");
	require_end(r, "src=192.0.2.1 cs6=x spt=12345");
	for (size_t most = 90; most < 92; most++) {
		r = begin((struct record_rules){ .max_bytes = most });
		put(r, "src", "192.0.2.1");
		for (int i = 0; i < 3; i++) record_put_spare(r, SPAN("count"), SPAN("1234567890123"), true);
		require_end(r, most == 90 ? "src=192.0.2.1 cn1Label=count cn1=1234567890123" : "src=192.0.2.1 cn1Label=count cn1=1234567890123 cs6Label=truncated cs6=130");
	}
}

static void a_header_that_is_too_long_by_itself_is_refused(void **state)
{
	(void)state;
	const char *why = NULL;
	struct record *r = begin((struct record_rules){ .max_bytes = 17 });
	put(r, "src", "192.0.2.1");
	assert_null(record_end(r, &why).data);
	assert_string_equal(why, "the header alone is longer than the line may be");
	record_free(r);
	r = begin((struct record_rules){ .max_bytes = 18 });
	put(r, "src", "192.0.2.1");
	require_end(r, "");
}

static void pairs_beyond_512_are_left_out_and_counted(void **state)
{
	(void)state;
	char name[16];
	struct record *r = begin((struct record_rules){ 0 });
	for (int i = 0; i < CEF_PAIRS_MAX + 3; i++) {
		snprintf(name, sizeof name, "k%d", i);
		put(r, name, "x");
	}
	assert_false(record_put_spare(r, SPAN("l"), SPAN("x"), false));
	assert_false(record_try(r, key("act"), SPAN(""), SPAN("x")));
	put(r, "dpt", "1");
	assert_int_equal(record_tally(r)->omitted, 4);
	record_free(r);
}

static void an_event_of_more_than_16_mib_is_refused(void **state)
{
	(void)state;
	const char *why = NULL;
	size_t length = 17 * 1024 * 1024;
	char *text = malloc(length);
	assert_non_null(text);
	memset(text, 'x', length);
	struct record *r = begin((struct record_rules){ 0 });
	assert_null(record_put_named(r, SPAN("mine"), (struct span){ text, length }));
	put(r, "act", "x");
	assert_null(record_end(r, &why).data);
	assert_string_equal(why, "the event is longer than 16 MiB");
	assert_null(record_begin(r, &plain));
	put(r, "act", "x");
	require_end(r, "act=x");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_stand_in_their_order_one_blank_apart),
		cmocka_unit_test(an_empty_value_is_left_out),
		cmocka_unit_test(a_key_keeps_its_first_value),
		cmocka_unit_test(what_only_a_consumer_sets_is_left_out_and_counted),
		cmocka_unit_test(a_name_that_is_no_key_becomes_a_label),
		cmocka_unit_test(with_keys_of_the_dictionary_only_another_key_becomes_a_label),
		cmocka_unit_test(spare_values_go_by_their_kind_until_all_is_taken),
		cmocka_unit_test(a_spare_value_makes_way_for_one_that_is_meant_for_the_key),
		cmocka_unit_test(a_spare_value_for_which_no_place_is_left_is_counted),
		cmocka_unit_test(a_custom_key_has_its_label_before_it_or_there_is_neither),
		cmocka_unit_test(an_ipv6_address_has_a_custom_key_in_version_0),
		cmocka_unit_test(a_value_of_the_wrong_type_is_refused_left_out_or_kept_by_the_rule),
		cmocka_unit_test(a_try_puts_what_fits_and_else_does_and_counts_nothing),
		cmocka_unit_test(a_header_needs_a_severity_and_something_that_tells_what_it_is),
		cmocka_unit_test(what_is_longer_than_the_dictionary_allows_is_cut_at_a_character_and_counted),
		cmocka_unit_test(the_longest_custom_string_is_cut_first_and_the_event_is_marked),
		cmocka_unit_test(a_cut_is_never_inside_a_character_or_an_escape),
		cmocka_unit_test(a_label_and_its_value_go_together),
		cmocka_unit_test(what_cannot_be_cut_is_left_out_from_the_end),
		cmocka_unit_test(a_header_that_is_too_long_by_itself_is_refused),
		cmocka_unit_test(pairs_beyond_512_are_left_out_and_counted),
		cmocka_unit_test(an_event_of_more_than_16_mib_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
