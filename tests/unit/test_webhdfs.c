/* test_webhdfs - addresses, hosts of redirects, reactions, answers, and checksums as a namenode of Hadoop 3.4.2 gave them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "sink/webhdfs_checksum.h"
#include "sink/webhdfs_private.h"

static void an_address_is_namenodes_and_a_base(void **state)
{
	struct webhdfs_address a;
	struct buffer text;
	const char *why;
	(void)state;
	buffer_init(&text, 1000);
	assert_true(webhdfs_address_parse(&a, "webhdfs://nn1:9870,nn2.example.net,[fe80::1],[::1]:50070/data/met%20log//", &why));
	assert_false(a.secure);
	assert_int_equal(a.count, 4);
	for (size_t i = 0; i < a.count; i++) {
		webhdfs_node_append(&text, &a.node[i]);
		buffer_append_byte(&text, ' ');
	}
	assert_string_equal(buffer_text(&text), "nn1:9870 nn2.example.net:9870 [fe80::1]:9870 [::1]:50070 ");
	assert_string_equal(a.base, "/data/met log");
	webhdfs_address_release(&a);
	assert_true(webhdfs_address_parse(&a, "swebhdfs://nn1", &why));
	assert_true(a.secure);
	assert_int_equal(a.node[0].port, 9871);
	assert_string_equal(a.base, "");
	webhdfs_address_release(&a);
	assert_true(webhdfs_address_parse(&a, "webhdfs://nn1/", &why));
	assert_string_equal(a.base, "");
	webhdfs_address_release(&a);
	buffer_release(&text);
}

static void an_address_that_is_none_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = {
		"", "webhdfs:", "webhdfs://", "webhdfs:///data", "http://nn1/data", "hdfs://nn1/data", "webhdfs://nn1:/x", "webhdfs://nn1:0/x", "webhdfs://nn1:65536/x", "webhdfs://nn1:9870x/",
		"webhdfs://nn1,/x", "webhdfs://,nn1/x", "webhdfs://nn1;rm/x", "webhdfs://a b/x", "webhdfs://[::1/x", "webhdfs://[::1]9870/x", "webhdfs://[]/x", "webhdfs://fred:secret@nn1/x", "webhdfs://fred@nn1/x",
		"webhdfs://nn1/a/../b", "webhdfs://nn1/%2e%2e/b", "webhdfs://nn1/./b", "webhdfs://nn1//b", "webhdfs://nn1/a//b", "webhdfs://nn1/a%", "webhdfs://nn1/a%4", "webhdfs://nn1/a%zz", "webhdfs://nn1/a%00b",
		"webhdfs://nn1,webhdfs://nn2/x", "webhdfs://nn1/webhdfs/v1", "webhdfs://nn1/webhdfs/v1/x", "webhdfs://nn1/%77ebhdfs/v1/x", "webhdfs://nn1/a?op=DELETE", "webhdfs://nn1/a#b", "webhdfs://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17/x", "WEBHDFS://nn1/x",
	};
	struct webhdfs_address a;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *why = NULL;
		if (webhdfs_address_parse(&a, bad[i], &why)) fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
}

/* The options of a redirect's row. */
static bool allowed(const char *address, const char *datanode, const char *map, const char *to)
{
	struct webhdfs_address a;
	struct webhdfs_options o = { .datanode_count = datanode ? 1 : 0, .datanodes = { datanode }, .http = { .map_count = map ? 1 : 0, .maps = { map } } };
	struct http_url url;
	const char *why;
	assert_true(webhdfs_address_parse(&a, address, &why));
	bool answer = http_url_parse(span_of(to), &url) && !webhdfs_redirect_refusal(&a, &o, &url);
	webhdfs_address_release(&a);
	return answer;
}

static void a_redirect_leads_to_hosts_of_ours_only(void **state)
{
	static const struct { bool good; const char *address, *datanode, *map, *to; } rows[] = {
		{ true, "webhdfs://nn1.example.net", NULL, NULL, "http://nn1.example.net:9864/x?y" },
		{ true, "webhdfs://nn1.example.net", NULL, NULL, "http://DN7.Example.NET:9864/" },
		{ false, "webhdfs://nn1.example.net", NULL, NULL, "http://example.net:9864/" },
		{ false, "webhdfs://nn1.example.net", NULL, NULL, "http://dn.sub.example.net:9864/" },
		{ false, "webhdfs://nn1.example.net", NULL, NULL, "http://dn7.example.net.evil.org:9864/" },
		{ false, "webhdfs://nn1.example.net", NULL, NULL, "http://evilexample.net:9864/" },
		{ false, "webhdfs://nn1.example.net", NULL, NULL, "http://10.0.0.1:9864/" },
		{ false, "webhdfs://nn1.example.net", NULL, NULL, "http://localhost:9864/" },
		{ false, "webhdfs://example.net", NULL, NULL, "http://evil.net:9864/" },
		{ true, "webhdfs://nn1", NULL, NULL, "http://dn1:9864/" },
		{ false, "webhdfs://nn1", NULL, NULL, "http://localhost:9864/" },
		{ false, "webhdfs://nn1", NULL, NULL, "http://dn1.example.net:9864/" },
		{ false, "webhdfs://10.0.0.1", NULL, NULL, "http://10.0.0.2:9864/" },
		{ true, "webhdfs://10.0.0.1", "10.0.0.2", NULL, "http://10.0.0.2:9864/" },
		{ true, "webhdfs://127.0.0.1", NULL, NULL, "http://localhost:9864/" },
		{ true, "webhdfs://localhost", NULL, NULL, "http://[::1]:9864/" },
		{ false, "webhdfs://localhost", NULL, NULL, "http://127.example.org:9864/" },
		{ true, "webhdfs://nn1", "*.data.example.net", NULL, "http://dn1.data.example.net:9864/" },
		{ false, "webhdfs://nn1", "*.data.example.net", NULL, "http://data.example.net:9864/" },
		{ false, "webhdfs://nn1", "*.data.example.net", NULL, "http://xdata.example.net:9864/" },
		{ true, "webhdfs://nn1", "*", NULL, "http://any.where:9864/" },
		{ true, "webhdfs://nn1", NULL, "f3a9.docker:9864=127.0.0.1:19864", "http://f3a9.docker:9864/" },
		{ true, "webhdfs://nn1", NULL, "f3a9.docker=127.0.0.1", "http://f3a9.docker:9864/" },
		{ false, "webhdfs://nn1", NULL, "f3a9.docker=evil.org", "http://evil.org:9864/" },
		{ true, "swebhdfs://nn1", NULL, NULL, "https://dn1:9865/" },
		{ false, "swebhdfs://nn1", "*", NULL, "http://dn1:9864/" },
		{ true, "webhdfs://nn1", NULL, NULL, "https://dn1:9865/" },
		{ false, "webhdfs://nn1", "*", NULL, "ftp://dn1/" },
		{ false, "webhdfs://nn1", "*", NULL, "http://fred:secret@dn1/" },
		{ false, "webhdfs://nn1", "*", NULL, "/relative" },
		{ false, "webhdfs://nn1", "*", NULL, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (allowed(rows[i].address, rows[i].datanode, rows[i].map, rows[i].to) != rows[i].good)
			fail_msg("%s -> %s should be %s", rows[i].address, rows[i].to, rows[i].good ? "allowed" : "refused");
	}
}

static void what_an_exception_wraps_decides_only_as_a_class(void **state)
{
	(void)state;
	struct span io = SPAN("IOException");
	assert_int_equal(webhdfs_reaction_of(403, io, SPAN("org.apache.hadoop.ipc.StandbyException: x")), REACTION_ELSEWHERE);
	assert_int_equal(webhdfs_reaction_of(403, io, SPAN("java.util.concurrent.ExecutionException$AccessControlException")), REACTION_DENIED);
	assert_int_equal(webhdfs_reaction_of(403, io, SPAN("no AccessControlExceptional thing")), REACTION_WAIT);
	assert_int_equal(webhdfs_reaction_of(403, io, SPAN("/data/type=AccessControlException/x is bad")), REACTION_WAIT);
	assert_int_equal(webhdfs_reaction_of(404, SPAN("FileNotFoundException"), SPAN("File does not exist: /a.StandbyException")), REACTION_ABSENT);
	assert_int_equal(webhdfs_reaction_of(401, SPAN("SecurityException"), SPAN("")), REACTION_DENIED);
	assert_int_equal(webhdfs_reaction_of(500, SPAN("NullPointerException"), SPAN("")), REACTION_WAIT);
	assert_int_equal(webhdfs_reaction_of(503, SPAN(""), SPAN("")), REACTION_CUT);
	assert_int_equal(webhdfs_reaction_of(501, SPAN(""), SPAN("")), REACTION_REFUSED);
}

static void answers_are_read_in_any_layout_and_junk_has_no_members(void **state)
{
	struct webhdfs_json j;
	struct buffer text;
	uint64_t count = 7;
	(void)state;
	assert_true(webhdfs_json_init(&j));
	buffer_init(&text, 1000);
	assert_true(webhdfs_json_read(&j, SPAN("{\r\n  \"RemoteException\" :\n\t{ \"message\": \"a \\\"b\\\" \\u00e9\\n\\tat x\", \"exception\":\"E\" } }\r\n")));
	assert_true(webhdfs_json_text(&j, "RemoteException.message", &text));
	assert_string_equal(buffer_text(&text), "a \"b\" \xc3\xa9\n\tat x");
	assert_false(webhdfs_json_text(&j, "RemoteException.javaClassName", &text));
	assert_true(webhdfs_json_read(&j, SPAN("{\"FileStatus\":{\"type\":\"FILE\",\"length\":9007199254740993,\"x\":-1,\"y\":1.5,\"z\":\"3\"}}")));
	assert_true(webhdfs_json_count(&j, "FileStatus.length", &count));
	assert_int_equal(count, 9007199254740993);
	assert_false(webhdfs_json_count(&j, "FileStatus.x", &count));
	assert_false(webhdfs_json_count(&j, "FileStatus.y", &count));
	assert_false(webhdfs_json_count(&j, "FileStatus.z", &count));
	const struct span junk[] = { SPAN(""), SPAN("null"), SPAN("[1]"), SPAN("<html>{\"boolean\":true}</html>"), SPAN("{\"boolean\":true"), SPAN("{\"boolean\":tru}"), SPAN("\xff\xfe"), { NULL, 0 } };
	for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
		assert_false(webhdfs_json_read(&j, junk[i]));
		assert_int_equal(webhdfs_json_find(&j, "boolean").kind, VALUE_ABSENT);
	}
	buffer_release(&text);
	webhdfs_json_release(&j);
}

/* `seq 20000`, 108894 bytes, in blocks of 1 MiB, 64, 16 and 4 KiB: 1, 2, 7 and 27 of them. */
static void checksums_are_those_of_hdfs(void **state)
{
	static const struct { const char *algorithm, *bytes; uint64_t length; } rows[] = {
		{ "MD5-of-0MD5-of-512CRC32C", "000002000000000000000000d6b3710621e4f23b8e6e7baaabda6ca300000000", 28 },
		{ "MD5-of-128MD5-of-512CRC32C", "000002000000000000000080e48de0969c40e16351cc5dce568fa23d00000000", 28 },
		{ "MD5-of-32MD5-of-512CRC32C", "0000020000000000000000200250da2377675dcab6d5819e117434eb00000000", 28 },
		{ "MD5-of-8MD5-of-512CRC32C", "0000020000000000000000085b0566ffa7bd3f5e559e4aea884a423a", 28 },
	};
	char path[] = "/tmp/test_webhdfs.XXXXXX";
	int fd = mkstemp(path);
	struct webhdfs_checksum c;
	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	for (int i = 1; i <= 20000; i++) assert_true(dprintf(fd, "%d\n", i) > 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(webhdfs_checksum_parse(&c, span_of(rows[i].algorithm), span_of(rows[i].bytes), rows[i].length));
		assert_int_equal(webhdfs_checksum_equal(&c, fd, 108894), 1);
		assert_int_equal(webhdfs_checksum_equal(&c, fd, 108893), 0);
		c.value[15] ^= 1;
		assert_int_equal(webhdfs_checksum_equal(&c, fd, 108894), 0);
	}
	assert_int_equal(webhdfs_checksum_equal(&c, fd, 108895), -1);
	assert_true(webhdfs_checksum_parse(&c, SPAN("MD5-of-0MD5-of-0CRC32"), SPAN("00000000000000000000000070bc8f4b72a86921468bf8e8441dce5100000000"), 28));
	assert_int_equal(webhdfs_checksum_equal(&c, fd, 0), 1);
	assert_int_equal(webhdfs_checksum_equal(&c, fd, 1), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, "123456789", 9, 0), 9);
	assert_true(webhdfs_checksum_parse(&c, SPAN("COMPOSITE-CRC32C"), SPAN("e3069283"), 4));
	assert_int_equal(webhdfs_checksum_equal(&c, fd, 9), 1);
	assert_int_equal(webhdfs_checksum_equal(&c, fd, 8), 0);
	assert_true(webhdfs_checksum_parse(&c, SPAN("COMPOSITE-CRC32"), SPAN("CBF43926"), 4));
	assert_int_equal(webhdfs_checksum_equal(&c, fd, 9), 1);
	close(fd);
}

static void a_checksum_of_another_kind_is_none(void **state)
{
	struct webhdfs_checksum c;
	struct span good = SPAN("000002000000000000000000d6b3710621e4f23b8e6e7baaabda6ca3");
	(void)state;
	assert_true(webhdfs_checksum_parse(&c, SPAN("MD5-of-0MD5-of-512CRC32C"), good, 28));
	assert_false(webhdfs_checksum_parse(&c, SPAN("MD5-of-0MD5-of-512NULL"), good, 28));
	assert_false(webhdfs_checksum_parse(&c, SPAN("SHA-CRC32C"), good, 28));
	assert_false(webhdfs_checksum_parse(&c, SPAN(""), good, 28));
	assert_false(webhdfs_checksum_parse(&c, SPAN("MD5-of-0MD5-of-512CRC32C"), good, 27));
	assert_false(webhdfs_checksum_parse(&c, SPAN("MD5-of-0MD5-of-512CRC32C"), (struct span){ good.data, 55 }, 28));
	assert_false(webhdfs_checksum_parse(&c, SPAN("MD5-of-0MD5-of-512CRC32C"), SPAN("x00002000000000000000000d6b3710621e4f23b8e6e7baaabda6ca3"), 28));
	assert_false(webhdfs_checksum_parse(&c, SPAN("MD5-of-0MD5-of-512CRC32C"), SPAN("7fffffff0000000000000000d6b3710621e4f23b8e6e7baaabda6ca3"), 28));
	assert_false(webhdfs_checksum_parse(&c, SPAN("COMPOSITE-CRC32C"), SPAN("e30692"), 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_namenodes_and_a_base),
		cmocka_unit_test(an_address_that_is_none_is_refused_with_a_reason),
		cmocka_unit_test(a_redirect_leads_to_hosts_of_ours_only),
		cmocka_unit_test(what_an_exception_wraps_decides_only_as_a_class),
		cmocka_unit_test(answers_are_read_in_any_layout_and_junk_has_no_members),
		cmocka_unit_test(checksums_are_those_of_hdfs),
		cmocka_unit_test(a_checksum_of_another_kind_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
