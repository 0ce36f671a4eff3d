/* test_tag - tags as generate_tag of markus and Ichnaea's rule for paths make them, and at the limit of their length. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/tag.h"

static struct buffer out;

static void expect(const char *wanted)
{
	assert_int_equal(out.length, strlen(wanted));
	assert_memory_equal(out.data, wanted, out.length);
}

static void expect_tag(struct span key, struct span value, const char *wanted)
{
	buffer_clear(&out);
	assert_true(tag_append(&out, key, value));
	expect(wanted);
	const char *colon = strchr(wanted, ':');
	buffer_clear(&out);
	assert_true(tag_append_value(&out, key, value));
	expect(colon ? colon + 1 : "");
	if (tag_value_is_clean(key, value)) assert_true(span_equal(buffer_span(&out), value));
}

/* Of the length given: text, and `c` repeated. */
static struct span filled(char *room, const char *start, char c, size_t length)
{
	memset(room, c, length);
	room[length] = '\0';
	memcpy(room, start, strlen(start));
	return (struct span){ room, length };
}

static void tags_are_those_of_markus(void **state)
{
	static const struct { const char *key, *value, *tag; } cases[] = {
		{ "a", NULL, "a" }, { "a", "", "a" }, { "1", NULL, "a1" }, { ".x", NULL, "a.x" }, { "host", NULL, "host_" }, { "source", NULL, "source_" },
		{ "device", " ", "device_" }, { "DEVICE", NULL, "device_" }, { "service", NULL, "service" }, { "host", "a", "host:a" }, { "joe\u018ajoe", NULL, "joe_joe" },
		{ "k", "\U0001f525", "k:_" }, { "a:b", "c", "a_b:c" }, { "k", "a#b", "k:a_b" }, { "k", "a b", "k:a_b" }, { "k", "tab\tx", "k:tab_x" }, { "k", "\"", "k:_" },
		{ "path", "v1.geolocate", "path:v1.geolocate" }, { "k", "__a__", "k:__a__" }, { "1", "x", "a1:x" }, { "k", "A/B-c", "k:a/b-c" }, { "", "x", "a:x" }, { "", "", "" },
		{ "k", " \t\u00a0\u2003\u3000", "k" }, { "k", " a ", "k:_a_" }, { "k", "\u200b", "k:_" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_tag(span_of(cases[i].key), span_of(cases[i].value), cases[i].tag);
	expect_tag(SPAN("key"), SPAN("\0"), "key:_");
	expect_tag(SPAN("k"), SPAN("a\xff\xc3z"), "k:a__z");
}

static void a_tag_is_cut_to_200_bytes(void **state)
{
	char key[400], value[400], wanted[400];
	(void)state;
	for (size_t length = 197; length < 203; length++) {
		size_t kept = length < TAG_MAX ? length : TAG_MAX;
		expect_tag(filled(key, "", 'a', length), (struct span){ NULL, 0 }, filled(wanted, "", 'a', kept).data);
		expect_tag(filled(key, "", '1', length), (struct span){ NULL, 0 }, filled(wanted, "a", '1', length < TAG_MAX - 1 ? length + 1 : TAG_MAX).data);
		expect_tag(SPAN("k"), filled(value, "", 'V', length), filled(wanted, "k:", 'v', length + 2 < TAG_MAX ? length + 2 : TAG_MAX).data);
	}
	filled(wanted, "", 'a', TAG_MAX);
	expect_tag(filled(key, "", 'a', TAG_MAX), SPAN("v"), wanted);
	buffer_clear(&out);
	assert_true(tag_append(&out, filled(key, "", 'a', TAG_MAX - 1), SPAN("v")));
	assert_int_equal(out.length, TAG_MAX);
	assert_int_equal(out.data[TAG_MAX - 1], ':');
	filled(wanted, "", 'a', TAG_MAX - 2);
	strcpy(wanted + TAG_MAX - 2, ":v");
	expect_tag(filled(key, "", 'a', TAG_MAX - 2), SPAN("vw"), wanted);
}

static void paths_are_those_of_ichnaea(void **state)
{
	static const struct { const char *path, *tag; } cases[] = {
		{ "/", "path:.homepage" }, { "", "path:.homepage" }, { "//", "path:.homepage" }, { "..", "path:.homepage" }, { "/api/", "path:api." }, { "/api", "path:api" },
		{ "/v2/geosubmit", "path:v2.geosubmit" }, { "/@", "path:-" }, { "/contribute.json", "path:contribute.json" }, { "/caf\u00e9", "path:caf_" },
		{ "/caf%C3%A9", "path:caf_c3_a9" }, { "/a,b", "path:a_b" }, { "/~user", "path:_user" }, { "/a=b;c", "path:a_b_c" }, { "./../A", "path:a" },
	};
	struct buffer path;
	(void)state;
	buffer_init(&path, 1024);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buffer_clear(&path);
		assert_true(tag_append_path(&path, span_of(cases[i].path)));
		expect_tag(SPAN("path"), buffer_span(&path), cases[i].tag);
	}
	buffer_release(&path);
}

static void what_is_clean_is_known_at_once(void **state)
{
	(void)state;
	assert_true(tag_value_is_clean(SPAN("path"), SPAN("v1.geo-locate/x_9")));
	assert_true(tag_value_is_clean(SPAN("path"), SPAN("")));
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool clean = c && memchr("abcdefghijklmnopqrstuvwxyz0123456789._-/", c, 40);
		assert_int_equal(tag_value_is_clean(SPAN("k"), (struct span){ &byte, 1 }), clean);
		buffer_clear(&out);
		assert_true(tag_append_value(&out, SPAN("k"), (struct span){ &byte, 1 }));
		if (clean) assert_int_equal(out.data[0], c);
	}
}

static void a_full_buffer_is_told(void **state)
{
	struct buffer small;
	(void)state;
	buffer_init(&small, 3);
	assert_false(tag_append(&small, SPAN("k"), SPAN("abc")));
	buffer_clear(&small);
	assert_false(tag_append_value(&small, SPAN("k"), SPAN("abcd")));
	buffer_clear(&small);
	assert_false(tag_append_path(&small, SPAN("/abcd")));
	buffer_release(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_those_of_markus),
		cmocka_unit_test(a_tag_is_cut_to_200_bytes),
		cmocka_unit_test(paths_are_those_of_ichnaea),
		cmocka_unit_test(what_is_clean_is_known_at_once),
		cmocka_unit_test(a_full_buffer_is_told),
	};
	buffer_init(&out, 1024);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	buffer_release(&out);
	return failed;
}
