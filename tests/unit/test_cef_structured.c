/* test_cef_structured - envelopes of type cef whose fields are the event. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "fixture.h"
#include "severity.h"
#include "structured.h"

static const struct map_options no_options = { .severity = { 10, 9, 8, 7, 5, 3, 2, 0 } };

struct setting { struct map_options options; struct record_rules rules; };
static const struct setting usual = { { .severity = { 10, 9, 8, 7, 5, 3, 2, 0 } }, { .version = 0, .wrong = RECORD_WRONG_REJECT } };

static const struct envelope *parse(void **state, const char *line)
{
	struct fixture *f = *state;
	if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, span_of(line), &f->fault) != ENVELOPE_GOOD) fail_msg("%s: %s", line, f->fault.reason);
	return &f->envelope;
}

/* The line, or "refused: " and the reason. */
static void require_with(void **state, const struct setting *setting, const char *envelope, const char *wanted)
{
	struct structured *structured = structured_new(&setting->options);
	struct record *record = record_new(&setting->rules);
	const struct envelope *e = parse(state, envelope);
	char got[4000];
	if (!structured_is(structured, e)) {
		snprintf(got, sizeof got, "not structured");
	} else {
		const char *why = structured_put(structured, e, record);
		struct span line = why ? SPAN("") : record_end(record, &why);
		if (why) snprintf(got, sizeof got, "refused: %s", why);
		else snprintf(got, sizeof got, "%.*s", (int)line.length, line.data);
	}
	if (strcmp(got, wanted)) fail_msg("%s\nbecomes %s\nnot     %s", envelope, got, wanted);
	record_free(record);
	structured_free(structured);
}

static void require(void **state, const char *envelope, const char *wanted)
{
	require_with(state, &usual, envelope, wanted);
}

#define EVENT(fields) "{\"type\":\"cef\",\"logger\":\"sync\",\"fields\":{\"signature\":\"s1\",\"name\":\"Refused\"" fields "}}"
#define LINE "CEF:0|metlog|sync|0.8|s1|Refused|2|"

static void signature_or_name_and_the_type_make_an_event(void **state)
{
	require(state, EVENT(""), LINE);
	require(state, "{\"type\":\"cef\",\"fields\":{\"signature\":\"s1\"}}", "CEF:0|metlog|metlog|0.8|s1|s1|2|");
	require(state, "{\"type\":\"cef\",\"fields\":{\"name\":\"Refused\"}}", "CEF:0|metlog|metlog|0.8|Refused|Refused|2|");
	require(state, "{\"type\":\"cef\",\"fields\":{\"signature\":401,\"name\":null}}", "CEF:0|metlog|metlog|0.8|401|401|2|");
	require(state, "{\"type\":\"cef\",\"fields\":{\"signat\\u0075re\":\"a\\u00e9|\\\\\"}}", "CEF:0|metlog|metlog|0.8|a\xc3\xa9\\|\\\\|a\xc3\xa9\\|\\\\|2|");
	require(state, "{\"type\":\"\\u0063ef\",\"fields\":{\"name\":\"x\"}}", "CEF:0|metlog|metlog|0.8|x|x|2|");
	require(state, "{\"type\":\"cef2\",\"fields\":{\"name\":\"x\"}}", "not structured");
	require(state, "{\"type\":\"cef\",\"fields\":{\"name\":\"\",\"signature\":null}}", "not structured");
	require(state, "{\"type\":\"cef\",\"fields\":{\"name\":\"\",\"signature\":\"x\"}}", "CEF:0|metlog|metlog|0.8|x||2|");
	require(state, "{\"type\":\"cef\",\"fields\":{\"name\":\"\",\"signature\":\"\"}}", "CEF:0|metlog|metlog|0.8|||2|");
	require(state, "{\"type\":\"cef\",\"fields\":{\"extension\":{\"name\":\"x\"}}}", "not structured");
	require(state, "{\"type\":\"cef\"}", "not structured");
	require(state, "{\"fields\":{\"name\":\"x\"}}", "not structured");
}

static void the_header_is_of_fields_then_of_options_then_built_in(void **state)
{
	static const struct setting given = { { .vendor = "V|1", .product = "P", .device_version = "2", .severity = { 10, 9, 8, 7, 5, 3, 2, 0 } }, { .version = 1 } };
	static const struct setting odd = { { .vendor = "", .severity = { 1, 1, 1, 1, 1, 1, 1, 10 } }, { .version = 0 } };
	require_with(state, &given, EVENT(""), "CEF:1|V\\|1|P|2|s1|Refused|2|");
	require_with(state, &given, EVENT(",\"vendor\":\"Moz\",\"product\":null,\"version\":3"), "CEF:1|Moz|P|3|s1|Refused|2|");
	require_with(state, &given, EVENT(",\"product\":\"\""), "CEF:1|V\\|1||2|s1|Refused|2|");
	require_with(state, &odd, "{\"type\":\"cef\",\"severity\":7,\"fields\":{\"name\":\"x\"}}", "CEF:0|metlog|metlog|0.8|x|x|10|");
}

static void severity_has_many_forms(void **state)
{
	static const struct { const char *json, *cef; } cases[] = {
		{ "0", "0" }, { "10", "10" }, { "7", "7" }, { "\"7\"", "7" }, { "\"07\"", "7" }, { "7.0", "7" }, { "\" 7 \"", "7" },
		{ "\"Low\"", "Low" }, { "\"very-high\"", "Very-High" }, { "\"Very High\"", "Very-High" }, { "\"UNKNOWN\"", "Unknown" }, { "\"medium\"", "Medium" }, { "\"h\\u0069gh\"", "High" },
		{ "null", "2" }, { "\"\"", "2" },
	};
	static const char *const wrong[] = { "11", "-1", "5.5", "\"critical\"", "true", "[5]", "{}", "1e1", "\"5x\"", "123456789012345678901234567890" };
	char envelope[300], wanted[300];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(envelope, sizeof envelope, "{\"type\":\"cef\",\"fields\":{\"name\":\"x\",\"severity\":%s}}", cases[i].json);
		snprintf(wanted, sizeof wanted, "CEF:0|metlog|metlog|0.8|x|x|%s|", cases[i].cef);
		require(state, envelope, wanted);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(envelope, sizeof envelope, "{\"type\":\"cef\",\"fields\":{\"name\":\"x\",\"severity\":%s}}", wrong[i]);
		require(state, envelope, "refused: fields.severity: neither 0 to 10 nor a word of CEF");
	}
	require(state, "{\"type\":\"cef\",\"severity\":0,\"fields\":{\"name\":\"x\"}}", "CEF:0|metlog|metlog|0.8|x|x|10|");
	require(state, "{\"type\":\"cef\",\"severity\":3,\"fields\":{\"name\":\"x\",\"severity\":1}}", "CEF:0|metlog|metlog|0.8|x|x|1|");
}

static void extension_keys_stand_in_the_order_of_the_line(void **state)
{
	require(state, EVENT(",\"suser\":\"bob\",\"src\":\"192.0.2.7\",\"act\":\"deny\""), LINE "suser=bob src=192.0.2.7 act=deny");
	require(state, "{\"fields\":{\"zeta\":\"1\",\"name\":\"x\",\"alpha\":\"2\",\"severity\":5,\"msg\":\"3\"},\"type\":\"cef\"}", "CEF:0|metlog|metlog|0.8|x|x|5|zeta=1 alpha=2 msg=3");
	require(state, EVENT(",\"suser\":\"bob\",\"suser\":\"eve\""), LINE "suser=bob");
	require(state, EVENT(",\"cs1Label\":\"realm\",\"cs1\":\"sync\""), LINE "cs1Label=realm cs1=sync");
}

static void each_kind_of_value_has_a_text(void **state)
{
	require(state, EVENT(",\"cnt\":3,\"cn1\":9223372036854775807,\"cn1Label\":\"big\",\"cfp1\":1.50,\"cfp1Label\":\"f\""), LINE "cnt=3 cn1=9223372036854775807 cn1Label=big cfp1=1.50 cfp1Label=f");
	require(state, EVENT(",\"act\":true,\"outcome\":false"), LINE "act=true outcome=false");
	require(state, EVENT(",\"act\":null,\"outcome\":\"\",\"reason\":\"r\""), LINE "reason=r");
	require(state, EVENT(",\"reason\":{\"a\": [1, \"b=c\"]},\"act\":[]"), LINE "reason={\"a\": [1, \"b\\=c\"]} act=[]");
	require(state, EVENT(",\"reason\":\"a=b|c\\\\d\\ne\\r\\u00e9\\ud83d\\ude00\\u0001\\ud800\""), LINE "reason=a\\=b|c\\\\d\\ne\\r\xc3\xa9\xf0\x9f\x98\x80 \xef\xbf\xbd");
	require(state, EVENT(",\"r\\u0065ason\":\"escaped key\""), LINE "reason=escaped key");
	require(state, EVENT(",\"rt\":1349438401137"), LINE "rt=1349438401137");
	require(state, EVENT(",\"end\":\"2012-10-05T12:00:01.137Z\""), LINE "end=1349438401137");
}

static void wrong_types_refuse_the_event(void **state)
{
	require(state, EVENT(",\"dpt\":\"http\""), "refused: dpt: not an integer from -2147483648 to 2147483647");
	require(state, "{\"type\":\"cef\",\"payload\":\"other\",\"fields\":{\"name\":\"x\",\"dpt\":[]}}", "refused: dpt: not an integer from -2147483648 to 2147483647");
	require(state, EVENT(",\"src\":\"nowhere\""), "refused: src: not an IPv4 address");
	require(state, EVENT(",\"extension\":{\"dpt\":1.5}"), "refused: dpt: not an integer from -2147483648 to 2147483647");
}

static void a_name_that_is_no_key_goes_to_a_custom_one(void **state)
{
	require(state, EVENT(",\"user agent\":\"UA\",\"a=b\":\"x\""), LINE "cs1Label=user agent cs1=UA cs2Label=a\\=b cs2=x");
	require(state, EVENT(",\"own_key\":\"x\",\"x src\":\"6.6.6.6\""), LINE "own_key=x cs1Label=x src cs1=6.6.6.6");
	require(state, EVENT(",\"\\n\":\"x\""), LINE "cs1Label=\\n cs1=x");
}

static void consumers_keys_are_never_sent(void **state)
{
	require(state, EVENT(",\"eventId\":1,\"agt\":\"192.0.2.1\",\"act\":\"x\""), LINE "act=x");
}

static void extension_holds_keys_whose_names_are_taken(void **state)
{
	require(state, EVENT(",\"act\":\"x\",\"extension\":{\"name\":\"n\",\"severity\":\"s\",\"cef_meta\":\"m\",\"extension\":\"e\"},\"suser\":\"bob\""), LINE "act=x name=n severity=s cef_meta=m extension=e suser=bob");
	require(state, EVENT(",\"extension\":\"text\""), LINE "extension=text");
	require(state, EVENT(",\"extension\":null"), LINE);
	require(state, EVENT(",\"extension\":{\"extension\":{\"a\":1}}"), LINE "extension={\"a\":1}");
	require(state, EVENT(",\"src\":\"192.0.2.7\",\"extension\":{\"src\":\"6.6.6.6\"}"), LINE "src=192.0.2.7");
}

static void cef_meta_and_cef_version_are_no_part_of_it(void **state)
{
	require(state, EVENT(",\"cef_meta\":{\"syslog_facility\":\"LOCAL4\",\"syslog_ident\":null},\"cef_version\":1,\"act\":\"x\""), LINE "act=x");
}

static void time_and_host_of_the_envelope_stand_in_front(void **state)
{
#define WHEN "{\"type\":\"cef\",\"timestamp\":\"2012-10-05T12:00:01.137911Z\",\"logger\":\"sync\",\"metlog_hostname\":\"web1\",\"fields\":{\"signature\":\"s1\",\"name\":\"Refused\""
	require(state, WHEN "}}", LINE "rt=1349438401137 dvchost=web1");
	require(state, WHEN ",\"act\":\"x\"}}", LINE "rt=1349438401137 dvchost=web1 act=x");
	require(state, WHEN ",\"dvchost\":\"db1\",\"rt\":5}}", LINE "dvchost=db1 rt=5");
	require(state, WHEN ",\"rt\":null,\"dvchost\":\"\"}}", LINE "rt=1349438401137 dvchost=web1");
	require(state, WHEN ",\"extension\":{\"rt\":5}}}", LINE "dvchost=web1 rt=5");
	require(state, "{\"type\":\"cef\",\"timestamp\":\"yesterday\",\"logger\":\"sync\",\"metlog_hostname\":7,\"fields\":{\"signature\":\"s1\",\"name\":\"Refused\"}}", LINE);
}

static void the_payload_is_the_message_unless_it_is_the_name(void **state)
{
#define SAID(payload, fields) "{\"type\":\"cef\",\"logger\":\"sync\",\"payload\":" payload ",\"fields\":{\"signature\":\"s1\",\"name\":\"Refused\"" fields "}}"
	require(state, SAID("\"bad password\\nagain\"", ",\"act\":\"x\""), LINE "act=x msg=bad password\\nagain");
	require(state, SAID("\"Refused\"", ""), LINE);
	require(state, SAID("\"R\\u0065fused\"", ""), LINE);
	require(state, SAID("\"\"", ""), LINE);
	require(state, SAID("null", ""), LINE);
	require(state, SAID("5", ""), LINE "msg=5");
	require(state, SAID("{\"a\":1}", ""), LINE "msg={\"a\":1}");
	require(state, SAID("\"other\"", ",\"msg\":\"this\""), LINE "msg=this");
	require(state, SAID("\"other\"", ",\"msg\":\"\""), LINE "msg=other");
	require(state, SAID("\"CEF:0|a|b|c|d|e|5|act=forged\"", ""), LINE "msg=CEF:0|a|b|c|d|e|5|act\\=forged");
}

static void every_severity_of_syslog_is_nearest_to_its_own(void **state)
{
	static const int nearest[] = { 7, 6, 6, 5, 4, 4, 3, 3, 2, 1, 0 };
	(void)state;
	for (int i = 0; i <= 10; i++) {
		char text[4];
		struct span found;
		snprintf(text, sizeof text, "%d", i);
		assert_true(severity_find(span_of(text), &found));
		if (severity_nearest(found, no_options.severity) != nearest[i]) fail_msg("%d is %d", i, severity_nearest(found, no_options.severity));
	}
	assert_int_equal(severity_nearest(SPAN("Very-High"), no_options.severity), 0);
	assert_int_equal(severity_nearest(SPAN("High"), no_options.severity), 2);
	assert_int_equal(severity_nearest(SPAN("Medium"), no_options.severity), 4);
	assert_int_equal(severity_nearest(SPAN("Low"), no_options.severity), 6);
	assert_int_equal(severity_nearest(SPAN("Unknown"), no_options.severity), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_or_name_and_the_type_make_an_event),
		cmocka_unit_test(the_header_is_of_fields_then_of_options_then_built_in),
		cmocka_unit_test(severity_has_many_forms),
		cmocka_unit_test(extension_keys_stand_in_the_order_of_the_line),
		cmocka_unit_test(each_kind_of_value_has_a_text),
		cmocka_unit_test(wrong_types_refuse_the_event),
		cmocka_unit_test(a_name_that_is_no_key_goes_to_a_custom_one),
		cmocka_unit_test(consumers_keys_are_never_sent),
		cmocka_unit_test(extension_holds_keys_whose_names_are_taken),
		cmocka_unit_test(cef_meta_and_cef_version_are_no_part_of_it),
		cmocka_unit_test(time_and_host_of_the_envelope_stand_in_front),
		cmocka_unit_test(the_payload_is_the_message_unless_it_is_the_name),
		cmocka_unit_test(every_severity_of_syslog_is_nearest_to_its_own),
	};
	return cmocka_run_group_tests_name("structured", tests, open_fixture, close_fixture);
}
