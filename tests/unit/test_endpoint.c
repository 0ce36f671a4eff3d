/* test_endpoint - the grammar of endpoints: what each part becomes, and what is refused with which reason. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "io/endpoint.h"

static const char *shown(const char *text)
{
	return text ? text : "(none)";
}

static void parts_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum endpoint_kind kind;
		enum endpoint_side side;
		const char *host, *port, *path, *address;
		bool local;
	} rows[] = {
		{ "-", ENDPOINT_STDIO, ENDPOINT_EITHER, NULL, NULL, NULL, NULL, true },
		{ "file:/var/log/a:b.ndjson", ENDPOINT_FILE, ENDPOINT_EITHER, NULL, NULL, "/var/log/a:b.ndjson", NULL, true },
		{ "spool:dir", ENDPOINT_SPOOL, ENDPOINT_EITHER, NULL, NULL, "dir", NULL, true },
		{ "unix:/run/x.sock", ENDPOINT_UNIX, ENDPOINT_EITHER, NULL, NULL, "/run/x.sock", NULL, true },
		{ "udp:127.0.0.1:8125", ENDPOINT_UDP, ENDPOINT_EITHER, "127.0.0.1", "8125", NULL, NULL, true },
		{ "udp:[::1]:0", ENDPOINT_UDP, ENDPOINT_EITHER, "::1", "0", NULL, NULL, true },
		{ "udp:[fe80::1%eth0]:5", ENDPOINT_UDP, ENDPOINT_EITHER, "fe80::1%eth0", "5", NULL, NULL, false },
		{ "tcp::65535", ENDPOINT_TCP, ENDPOINT_EITHER, "*", "65535", NULL, NULL, false },
		{ "tcp:*:1", ENDPOINT_TCP, ENDPOINT_EITHER, "*", "1", NULL, NULL, false },
		{ "tcp:localhost:1", ENDPOINT_TCP, ENDPOINT_EITHER, "localhost", "1", NULL, NULL, true },
		{ "tcp:localhost.example.com:1", ENDPOINT_TCP, ENDPOINT_EITHER, "localhost.example.com", "1", NULL, NULL, false },
		{ "tcp:127.200.0.9:1", ENDPOINT_TCP, ENDPOINT_EITHER, "127.200.0.9", "1", NULL, NULL, true },
		{ "tcp:128.0.0.1:1", ENDPOINT_TCP, ENDPOINT_EITHER, "128.0.0.1", "1", NULL, NULL, false },
		{ "sub:tcp://*:5565", ENDPOINT_SUB, ENDPOINT_EITHER, "*", "5565", NULL, "tcp://*:5565", false },
		{ "sub:@tcp://127.0.0.1:*", ENDPOINT_SUB, ENDPOINT_BINDS, "127.0.0.1", "*", NULL, "tcp://127.0.0.1:*", true },
		{ "pub:>tcp://[::1]:5", ENDPOINT_PUB, ENDPOINT_CONNECTS, "::1", "5", NULL, "tcp://[::1]:5", true },
		{ "push:tcp://127.0.0.1:0;10.0.0.1:5", ENDPOINT_PUSH, ENDPOINT_EITHER, "10.0.0.1", "5", NULL, "tcp://127.0.0.1:0;10.0.0.1:5", false },
		{ "pull:ipc:///tmp/s", ENDPOINT_PULL, ENDPOINT_EITHER, NULL, NULL, "/tmp/s", "ipc:///tmp/s", true },
		{ "rep:ipc://@abstract", ENDPOINT_REP, ENDPOINT_EITHER, NULL, NULL, "@abstract", "ipc://@abstract", true },
		{ "ack:tcp://h:1", ENDPOINT_ACK, ENDPOINT_EITHER, "h", "1", NULL, "tcp://h:1", false },
		{ "webhdfs://h:1/x", ENDPOINT_WEBHDFS, ENDPOINT_EITHER, NULL, NULL, NULL, "webhdfs://h:1/x", false },
		{ "https://h/x", ENDPOINT_HTTP, ENDPOINT_EITHER, NULL, NULL, NULL, "https://h/x", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct endpoint e;
		const char *reason = "";
		if (!endpoint_parse(&e, span_of(rows[i].text), &reason)) fail_msg("%s: %s", rows[i].text, reason);
		assert_string_equal(e.text, rows[i].text);
		assert_int_equal(e.kind, rows[i].kind);
		assert_int_equal(e.side, rows[i].side);
		assert_string_equal(shown(e.host), shown(rows[i].host));
		assert_string_equal(shown(e.port), shown(rows[i].port));
		assert_string_equal(shown(e.path), shown(rows[i].path));
		assert_string_equal(shown(e.address), shown(rows[i].address));
		if (endpoint_is_local(&e) != rows[i].local) fail_msg("%s is %slocal", rows[i].text, rows[i].local ? "" : "not ");
		endpoint_release(&e);
	}
}

static void everything_else_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "x", "--", "file", "file:", "spool:", "unix:", "udp:", "udp:h", "udp:h:", "udp:h:x", "udp:h:65536",
		"udp:h:-1", "udp:h:*", "udp:h:+1", "udp:::1:5", "udp:[::1", "udp:[::1]", "udp:[::1]5", "udp:[1.2.3.4]:5", "udp:[]:5", "UDP:h:1", "sub:",
		"sub:@", "sub:tcp://", "sub:tcp://h", "sub:inproc://x", "sub:ipc://", "sub:>>tcp://h:1", "http:", "http:x", "http://", "webhdfs:", ":" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct endpoint e;
		const char *reason = NULL;
		if (endpoint_parse(&e, span_of(bad[i]), &reason)) fail_msg("took \"%s\"", bad[i]);
		assert_non_null(reason);
		assert_null(e.memory);
	}
}

static void a_nul_byte_is_refused_and_the_text_need_not_end_in_one(void **state)
{
	(void)state;
	struct endpoint e;
	const char *reason;
	assert_false(endpoint_parse(&e, (struct span){ "file:a\0b", 8 }, &reason));
	/* Exactly as long as it is: a sanitizer sees a byte read beyond. */
	for (size_t length = 1; length <= 18; length++) {
		char *exact = malloc(length);
		memcpy(exact, "sub:>tcp://[::1]:5", length);
		if (endpoint_parse(&e, (struct span){ exact, length }, &reason)) endpoint_release(&e);
		free(exact);
	}
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(endpoint_kind_name(ENDPOINT_UDP), "udp");
	assert_string_equal(endpoint_kind_name(ENDPOINT_STDIO), "-");
	assert_string_equal(endpoint_kind_name(ENDPOINT_HTTP), "http");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_found),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(a_nul_byte_is_refused_and_the_text_need_not_end_in_one),
		cmocka_unit_test(kinds_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
