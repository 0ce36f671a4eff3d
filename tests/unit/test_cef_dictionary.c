/* test_cef_dictionary - the standard keys of CEF, their types, and values of each type. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "cef.h"
#include "dictionary.h"

static const struct dictionary_key *find(const char *name)
{
	const struct dictionary_key *key = dictionary_find(span_of(name));
	if (!key) fail_msg("%s is not in the dictionary", name);
	return key;
}

static void every_key_is_found_by_its_name_and_stands_at_its_number(void **state)
{
	(void)state;
	size_t count = 0;
	for (const struct dictionary_key *key; (key = dictionary_at(count)); count++) {
		if (dictionary_find(key->name) != key) fail_msg("%.*s is there twice, or not found", (int)key->name.length, key->name.data);
		assert_true(cef_key_is(key->name));
		assert_int_equal(key->number, count);
		if (!key->label.length) continue;
		assert_ptr_equal(dictionary_find(key->label), dictionary_at(count + 1));
		assert_int_equal(dictionary_at(count + 1)->type, DICTIONARY_STRING);
	}
	assert_true(count > 150 && count <= DICTIONARY_KEYS_MAX);
	assert_null(dictionary_at(DICTIONARY_KEYS_MAX));
}

static void what_is_no_key_is_not_found(void **state)
{
	(void)state;
	static const char *const others[] = { "", "a", "SRC", "srcc", "sr", "src ", "sourceAddress", "cs7", "cs1label", "c6a5", "cs0",
		"destinationTranslatedZoneExternalIDdestinationTranslatedZoneExternalID" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (dictionary_find(span_of(others[i]))) fail_msg("%s is found", others[i]);
	assert_null(dictionary_find((struct span){ NULL, 0 }));
}

/* The counts of the published tables, so that no row is lost or doubled. */
static void the_dictionary_has_the_keys_of_the_documents(void **state)
{
	(void)state;
	size_t producers = 0, later = 0, consumers = 0, labels = 0;
	for (size_t i = 0; dictionary_at(i); i++) {
		const struct dictionary_key *key = dictionary_at(i);
		consumers += key->consumer_only;
		later += key->since == 1;
		producers += !key->consumer_only && key->since == 0;
		labels += key->label.length > 0;
	}
	assert_int_equal(producers, 125);
	assert_int_equal(later, 14);
	assert_int_equal(consumers, 39);
	assert_int_equal(labels, 22);
}

static void types_and_lengths_are_those_of_the_documents(void **state)
{
	(void)state;
	static const struct { const char *name; enum dictionary_type type; uint16_t limit; } rows[] = {
		{ "cs1", DICTIONARY_STRING, 4000 }, { "cs6Label", DICTIONARY_STRING, 1023 }, { "requestContext", DICTIONARY_STRING, 2048 }, { "msg", DICTIONARY_STRING, 1023 },
		{ "dntdom", DICTIONARY_STRING, 255 }, { "devicePayloadId", DICTIONARY_STRING, 128 }, { "flexString1Label", DICTIONARY_STRING, 128 }, { "dvchost", DICTIONARY_STRING, 100 },
		{ "act", DICTIONARY_STRING, 63 }, { "externalId", DICTIONARY_STRING, 40 }, { "proto", DICTIONARY_STRING, 31 }, { "dpt", DICTIONARY_INTEGER, 0 }, { "cn3", DICTIONARY_LONG, 0 },
		{ "cfp4", DICTIONARY_FLOAT, 0 }, { "rt", DICTIONARY_TIME, 0 }, { "src", DICTIONARY_IPV4, 0 }, { "c6a4", DICTIONARY_IPV6, 0 }, { "smac", DICTIONARY_MAC, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(find(rows[i].name)->type, rows[i].type);
		assert_int_equal(find(rows[i].name)->limit, rows[i].limit);
	}
}

static void version_1_has_longer_numbers_and_both_kinds_of_addresses(void **state)
{
	(void)state;
	assert_int_equal(dictionary_type(find("in"), 0), DICTIONARY_INTEGER);
	assert_int_equal(dictionary_type(find("in"), 1), DICTIONARY_LONG);
	assert_int_equal(dictionary_type(find("out"), 1), DICTIONARY_LONG);
	assert_int_equal(dictionary_type(find("src"), 1), DICTIONARY_IP);
	assert_int_equal(dictionary_type(find("deviceTranslatedAddress"), 1), DICTIONARY_IP);
	assert_int_equal(dictionary_type(find("c6a1"), 1), DICTIONARY_IPV6);
	assert_int_equal(find("threatActor")->since, 1);
	assert_int_equal(find("src")->since, 0);
}

static void keys_that_only_consumers_set_are_marked(void **state)
{
	(void)state;
	static const char *const theirs[] = { "agt", "ahost", "art", "at", "av", "mrt", "eventId", "rawEvent", "slat", "dlong", "customerURI", "agentZoneURI", "sourceZoneExternalID", "customerKey" };
	static const char *const ours[] = { "rt", "act", "app", "dvc", "externalId", "sZoneKey", "cs1Label" };
	for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++) assert_true(find(theirs[i])->consumer_only);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) assert_false(find(ours[i])->consumer_only);
}

/* --- values --- */

static void require_value(enum dictionary_type type, const char *value, const char *wanted)
{
	struct buffer out;
	const char *why = NULL;
	buffer_init(&out, 1 << 16);
	bool done = dictionary_append(&out, type, span_of(value), &why);
	if (done != (wanted != NULL)) fail_msg("\"%s\" is %s", value, done ? "taken" : why);
	if (wanted && !span_equal(buffer_span(&out), span_of(wanted))) fail_msg("\"%s\" is sent as \"%.*s\"", value, (int)out.length, out.data);
	if (!wanted) assert_non_null(why);
	buffer_release(&out);
}

static void integers_are_decimal_and_of_their_size(void **state)
{
	(void)state;
	require_value(DICTIONARY_INTEGER, "443", "443");
	require_value(DICTIONARY_INTEGER, "-2147483648", "-2147483648");
	require_value(DICTIONARY_INTEGER, "2147483647", "2147483647");
	require_value(DICTIONARY_INTEGER, "007", "7");
	static const char *const wrong[] = { "", "-", "+1", " 1", "1 ", "443.0", "1e3", "0x1f", "2147483648", "-2147483649", "99999999999999999999", "true" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) require_value(DICTIONARY_INTEGER, wrong[i], NULL);
	require_value(DICTIONARY_LONG, "9223372036854775807", "9223372036854775807");
	require_value(DICTIONARY_LONG, "-9223372036854775808", "-9223372036854775808");
	require_value(DICTIONARY_LONG, "9223372036854775808", NULL);
}

static void numbers_are_sent_as_they_are_written(void **state)
{
	(void)state;
	require_value(DICTIONARY_FLOAT, "1.50", "1.50");
	require_value(DICTIONARY_FLOAT, "-3e-7", "-3e-7");
	require_value(DICTIONARY_FLOAT, "12", "12");
	static const char *const wrong[] = { "", "nan", "inf", "1,5", "0x1p3", "1e999", "1.5 " };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) require_value(DICTIONARY_FLOAT, wrong[i], NULL);
}

static void addresses_are_checked_strictly(void **state)
{
	(void)state;
	require_value(DICTIONARY_IPV4, "192.0.2.1", "192.0.2.1");
	static const char *const not_4[] = { "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1.2.3.4/8", "0x7f.1.1.1", "::1", "host", "1.2.3.4, 5.6.7.8" };
	for (size_t i = 0; i < sizeof not_4 / sizeof *not_4; i++) require_value(DICTIONARY_IPV4, not_4[i], NULL);
	require_value(DICTIONARY_IPV6, "2001:DB8::1", "2001:DB8::1");
	require_value(DICTIONARY_IPV6, "::ffff:192.0.2.1", "::ffff:192.0.2.1");
	static const char *const not_6[] = { "", "1.2.3.4", "fe80::1%eth0", "[::1]", ":::", "1:2:3:4:5:6:7:8:9", "::1/64", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000" };
	for (size_t i = 0; i < sizeof not_6 / sizeof *not_6; i++) require_value(DICTIONARY_IPV6, not_6[i], NULL);
	require_value(DICTIONARY_IP, "192.0.2.1", "192.0.2.1");
	require_value(DICTIONARY_IP, "::1", "::1");
	require_value(DICTIONARY_IP, "localhost", NULL);
	require_value(DICTIONARY_MAC, "00:0D:60:af:1b:61", "00:0D:60:af:1b:61");
	require_value(DICTIONARY_MAC, "00-0D-60-AF-1B-61", "00-0D-60-AF-1B-61");
	static const char *const not_mac[] = { "", "00:0D:60:af:1b", "00:0D-60:af:1b:61", "000D60af1b61", "0g:0D:60:af:1b:61", "00:0D:60:af:1b:61:", "00.0D.60.af.1b.61" };
	for (size_t i = 0; i < sizeof not_mac / sizeof *not_mac; i++) require_value(DICTIONARY_MAC, not_mac[i], NULL);
}

static void an_address_with_a_nul_byte_is_none(void **state)
{
	(void)state;
	struct buffer out;
	const char *why;
	buffer_init(&out, 1 << 10);
	assert_false(dictionary_append(&out, DICTIONARY_IPV4, SPAN("1.2.3.4\0x"), &why));
	assert_string_equal(why, "an IPv4 address");
	assert_int_equal(out.length, 0);
	buffer_release(&out);
}

static void times_are_sent_in_milliseconds(void **state)
{
	(void)state;
	require_value(DICTIONARY_TIME, "1349438400123", "1349438400123");
	require_value(DICTIONARY_TIME, "2012-10-05T12:00:00.1239Z", "1349438400123");
	require_value(DICTIONARY_TIME, "2012-10-05T14:00:00+02:00", "1349438400000");
	require_value(DICTIONARY_TIME, "1969-12-31T23:59:59.9995Z", "-1");
	require_value(DICTIONARY_TIME, "Oct 05 2012 12:00:00.123 UTC", "Oct 05 2012 12:00:00.123 UTC");
	static const char *const as_they_are[] = { "Oct 05 12:00:00", "Oct  5 12:00:00", "Feb 29 23:59:60 GMT+01:00", "Jan 1 2026 00:00:00", "Dec 31 23:59:59.999 Europe/Berlin" };
	for (size_t i = 0; i < sizeof as_they_are / sizeof *as_they_are; i++) require_value(DICTIONARY_TIME, as_they_are[i], as_they_are[i]);
	static const char *const wrong[] = { "", "now", "2012-10-05", "1349438400.5", "Oct 05", "oct 05 12:00:00", "anF 05 12:00:00", "Oct 32 12:00:00", "Oct 00 12:00:00", "Oct 05 24:00:00", "Oct 05 12:60:00",
		"Oct 05 12:00:00.1", "Oct 05 12:00:00 ", "Oct 05 12:00:00 a=b", "Oct 05 12:00:00UTC", "Oct 05 12 12:00:00", "Oct 05 2012", "Oct 05 2012 12:00" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) require_value(DICTIONARY_TIME, wrong[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_found_by_its_name_and_stands_at_its_number),
		cmocka_unit_test(what_is_no_key_is_not_found),
		cmocka_unit_test(the_dictionary_has_the_keys_of_the_documents),
		cmocka_unit_test(types_and_lengths_are_those_of_the_documents),
		cmocka_unit_test(version_1_has_longer_numbers_and_both_kinds_of_addresses),
		cmocka_unit_test(keys_that_only_consumers_set_are_marked),
		cmocka_unit_test(integers_are_decimal_and_of_their_size),
		cmocka_unit_test(numbers_are_sent_as_they_are_written),
		cmocka_unit_test(addresses_are_checked_strictly),
		cmocka_unit_test(an_address_with_a_nul_byte_is_none),
		cmocka_unit_test(times_are_sent_in_milliseconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
