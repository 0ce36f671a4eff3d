/* test_http_url - URLs are taken apart as strictly as an allow-list of hosts needs it, and text is percent-encoded. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "sink/http.h"

static void assert_span(struct span s, const char *text)
{
	if (!span_equal(s, span_of(text))) fail_msg("\"%.*s\" is not \"%s\"", (int)s.length, s.data, text);
}

static void a_url_has_a_scheme_a_host_a_port_and_a_path(void **state)
{
	static const struct { const char *url, *scheme, *host; unsigned port; const char *path; } good[] = {
		{ "http://nn1/", "http", "nn1", 0, "/" },
		{ "http://nn1", "http", "nn1", 0, "" },
		{ "webhdfs://nn1:9870/data?x=/y", "webhdfs", "nn1", 9870, "/data?x=/y" },
		{ "HTTPS://Nn-1.example.NET:65535?q", "HTTPS", "Nn-1.example.NET", 65535, "?q" },
		{ "http://[::1]:1/", "http", "::1", 1, "/" },
		{ "http://[::ffff:127.0.0.1]/", "http", "::ffff:127.0.0.1", 0, "/" },
		{ "http://a_container_1:80/", "http", "a_container_1", 80, "/" },
		{ "http://h/a@b:c//..", "http", "h", 0, "/a@b:c//.." },
		{ "http://h#@evil/", "http", "h", 0, "#@evil/" },
	};
	struct http_url url;
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!http_url_parse(span_of(good[i].url), &url)) fail_msg("%s is refused", good[i].url);
		assert_span(url.scheme, good[i].scheme);
		assert_span(url.host, good[i].host);
		assert_int_equal(url.port, good[i].port);
		assert_span(url.path, good[i].path);
	}
}

static void what_two_readers_could_read_in_two_ways_is_no_url(void **state)
{
	static const char *const bad[] = {
		"", "http", "http:", "http:/", "http://", "http:///x", "://h/", "//h/", "/x", "http//h", "ht tp://h/",
		"http://u@h/", "http://u:p@h/", "http://h\\@evil/", "http://h\\.evil/", "http://h%2eevil/", "http://h:/", "http://h:0/", "http://h:65536/",
		"http://h:99999999999999999999/", "http://h:+1/", "http://h:1x/", "http://h:-1/", "http://h:80:90/", "http://[::1/", "http://[]/", "http://[:]x/",
		"http://[::1]x/", "http://[::1%eth0]/", "http://[nn1]/", "http://[::g]/", "http://h /", "http://h/a b", "http://h/\n", "http://h/\x7f", "http://h/\tx",
		"http://h,evil/", "http://h;evil/", "http://\xc3\xa4/", "http://:80/",
	};
	struct http_url url;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (http_url_parse(span_of(bad[i]), &url)) fail_msg("%s is taken", bad[i]);
	assert_false(http_url_parse((struct span){ "http://h\0evil/", 14 }, &url));
	assert_false(http_url_parse((struct span){ "http://h/\0", 10 }, &url));
	/* A span has no NUL at its end: nothing behind it is read. */
	for (size_t length = 0; length <= 14; length++) {
		char *copy = malloc(length ? length : 1);
		memcpy(copy, "http://[::1]:8", length);
		http_url_parse((struct span){ copy, length }, &url);
		free(copy);
	}
}

static void every_byte_outside_the_unreserved_is_encoded(void **state)
{
	struct buffer out;
	(void)state;
	buffer_init(&out, 4096);
	assert_true(http_append_encoded(&out, SPAN("AZaz09-._~"), ""));
	assert_span(buffer_span(&out), "AZaz09-._~");
	buffer_clear(&out);
	assert_true(http_append_encoded(&out, SPAN("/dt=1/a b%+;?#&\xc3\xa4\"'"), "/="));
	assert_span(buffer_span(&out), "/dt=1/a%20b%25%2B%3B%3F%23%26%C3%A4%22%27");
	buffer_clear(&out);
	assert_true(http_append_encoded(&out, (struct span){ "\0/=\n", 4 }, ""));
	assert_span(buffer_span(&out), "%00%2F%3D%0A");
	buffer_clear(&out);
	assert_true(http_append_encoded(&out, (struct span){ "\0", 1 }, "/="));
	assert_span(buffer_span(&out), "%00");
	buffer_release(&out);
	buffer_init(&out, 8);
	assert_false(http_append_encoded(&out, SPAN("    "), ""));
	buffer_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_has_a_scheme_a_host_a_port_and_a_path),
		cmocka_unit_test(what_two_readers_could_read_in_two_ways_is_no_url),
		cmocka_unit_test(every_byte_outside_the_unreserved_is_encoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
