/* test_cef_map - mapping files: what they say, what the built-in one makes of envelopes, and how mistakes are told. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fixture.h"
#include "map.h"

static const struct map_options OPTIONS = { .severity = { 10, 9, 8, 7, 5, 3, 2, 0 } };

static struct map *read_map(const char *text)
{
	struct map_fault fault;
	struct map *map = map_new(span_of(text), &OPTIONS, &fault);
	if (!map) fail_msg("%zu:%zu: %s", fault.line, fault.column, fault.reason);
	return map;
}

static const struct envelope *parse(void **state, struct span line)
{
	struct fixture *f = *state;
	if (envelope_parse_copy(&f->envelope, &f->scan, &f->copy, line, &f->fault) != ENVELOPE_GOOD) fail_msg("%s: %.*s", f->fault.reason, (int)line.length, line.data);
	return &f->envelope;
}

/* "dropped", "refused: WHY", or the line of CEF; and the event's name, which must be the one said. */
static void require_by(void **state, struct map *map, struct span line, const char *event, const char *wanted)
{
	struct record *record = record_new(&(struct record_rules){ .version = 0 });
	const char *why = NULL;
	struct buffer got;
	buffer_init(&got, 1 << 24);
	enum map_verdict verdict = map_apply(map, parse(state, line), record, &why);
	if (verdict == MAP_MADE) buffer_append_span(&got, record_end(record, &why));
	else buffer_append_text(&got, verdict == MAP_DROPPED ? "dropped" : "refused: ");
	if (verdict == MAP_REFUSED) buffer_append_text(&got, why);
	if (event) assert_string_equal(map_event(map), event);
	if (!span_equal(buffer_span(&got), span_of(wanted))) fail_msg("%.*s\nis     %.*s\nbut not %s", (int)line.length, line.data, (int)got.length, got.data, wanted);
	buffer_release(&got);
	record_free(record);
}

static void require(void **state, const char *text, const char *line, const char *wanted)
{
	struct map *map = text ? read_map(text) : map_new((struct span){ NULL, 0 }, &OPTIONS, &(struct map_fault){ .line = 0 });
	require_by(state, map, span_of(line), NULL, wanted);
	map_free(map);
}

/* What the extension of a default event with these rows is. */
static void require_row(void **state, const char *rows, const char *line, const char *wanted)
{
	char text[4096], full[4096];
	snprintf(text, sizeof text, "vendor=v\nproduct=p\nversion=1\nsignature=s\nname=n\nseverity=5\ndefault\n%s\n", rows);
	snprintf(full, sizeof full, "CEF:0|v|p|1|s|n|5|%s", wanted);
	require(state, text, line, full);
}

static void require_fault(const char *text, size_t line, size_t column, const char *reason)
{
	struct map_fault fault = { .reason = "" };
	struct map *map = map_new(span_of(text), &OPTIONS, &fault);
	if (map) fail_msg("no fault in: %s", text);
	if (strcmp(fault.reason, reason) != 0) fail_msg("%s\nsays %s\nnot  %s", text, fault.reason, reason);
	if (fault.line != line || fault.column != column) fail_msg("%s\nat %zu:%zu, not %zu:%zu: %s", text, fault.line, fault.column, line, column, reason);
}

/* --- the language --- */

static void the_first_event_that_matches_is_the_one(void **state)
{
	struct map *map = read_map(
		"vendor  = Mozilla\n"
		"product = {logger}\n"
		"\n"
		"event refused-login  type == \"auth\" && fields.result != \"ok\"\n"
		"    signature = auth-{fields.result}\n"
		"    name      = Login refused\n"
		"    severity  = 7\n"
		"    src       = {fields.ip}\n"
		"    suser     = {fields.user|none}\n"
		"    cs1 realm = {fields.realm}\n"
		"    rt        = {timestamp}\n"
		"event login type == \"auth\"\n"
		"    name = Login\n"
		"drop type == \"heartbeat\"\n"
		"default\n"
		"    name = Else\n");
	require_by(state, map, SPAN("{\"type\":\"auth\",\"logger\":\"idp\",\"timestamp\":\"2012-10-05T12:00:00.137Z\",\"fields\":{\"result\":\"bad\",\"ip\":\"10.0.0.1\",\"realm\":\"a|b\"}}"),
		"refused-login", "CEF:0|Mozilla|idp|0.8|auth-bad|Login refused|7|src=10.0.0.1 suser=none cs1Label=realm cs1=a|b rt=1349438400137");
	require_by(state, map, SPAN("{\"type\":\"auth\",\"severity\":3,\"fields\":{\"result\":\"ok\"}}"), "login", "CEF:0|Mozilla|metlog|0.8|auth|Login|7|");
	require_by(state, map, SPAN("{\"type\":\"heartbeat\"}"), "drop", "dropped");
	require_by(state, map, SPAN("{\"type\":\"x\"}"), "default", "CEF:0|Mozilla|metlog|0.8|x|Else|2|");
	map_free(map);
}

static void what_no_event_takes_goes_the_built_in_way_or_is_dropped(void **state)
{
	struct map *map = read_map("vendor = Mozilla\nname = fixed\ndeviceExternalId = {fields.unit}\nevent a type == \"a\"\n");
	require_by(state, map, SPAN("{\"type\":\"counter\",\"payload\":\"3\",\"fields\":{\"unit\":\"7\",\"name\":\"n\"}}"), "built-in",
		"CEF:0|Mozilla|metlog|0.8|counter|fixed|2|cat=counter deviceExternalId=7 cn1Label=value cn1=3 cs1Label=name cs1=n");
	map_free(map);
	map = read_map("event a type == \"a\"\ndefault drop\n");
	require_by(state, map, SPAN("{\"type\":\"counter\"}"), "default", "dropped");
	require_by(state, map, SPAN("{\"type\":\"a\",\"fields\":{\"src\":\"1.2.3.4\"}}"), "a", "CEF:0|metlog|metlog|0.8|a|a|2|");
	map_free(map);
}

static void a_row_of_an_event_stands_in_for_the_same_one_before_all_events(void **state)
{
	require(state, "src = 10.0.0.1\nsuser = u\n* n = 1\nomit = {fields.a}\ndefault\nsrc = 10.0.0.2\n* n = 2\nomit = {fields.b}\n* = {fields}\n", "{\"fields\":{\"a\":1,\"b\":2,\"c\":3}}",
		"CEF:0|metlog|metlog|0.8|event|event|2|suser=u src=10.0.0.2 cn1Label=n cn1=2 cn2Label=c cn2=3");
	require(state, "cat = mine\n", "{\"type\":\"t\"}", "CEF:0|metlog|metlog|0.8|t|t|2|cat=mine");
}

static void a_value_is_text_with_paths_and_defaults(void **state)
{
	require_row(state, "msg = {fields.a}-{fields.b|none}", "{\"fields\":{\"a\":\"x\"}}", "msg=x-none");
	require_row(state, "msg = {fields.a|{fields.b|{type}: no b}}", "{\"type\":\"t\"}", "msg=t: no b");
	require_row(state, "msg = {fields.a|{fields.b|none}}", "{\"fields\":{\"a\":null,\"b\":\"y\"}}", "msg=y");
	require_row(state, "msg = {fields.a|e}{fields.b|f}{fields.c|g}", "{\"fields\":{\"a\":\"\",\"b\":{},\"c\":[ ]}}", "msg=efg");
	require_row(state, "msg = {{{fields.a}}} {{}}", "{\"fields\":{\"a\":1.50}}", "msg={1.50} {}");
	require_row(state, "msg = {fields.a} {fields.b} {fields.c}", "{\"fields\":{\"a\":true,\"b\":[1,\"x\"],\"c\":{\"d\":\"e\"}}}", "msg=true [1,\"x\"] {\"d\":\"e\"}");
	require_row(state, "msg = {fields.a.b}, {fields.c.0.d}, {fields.e.f}", "{\"fields\":{\"a\":{\"b\":1},\"c\":[{\"d\":2}],\"e.f\":3}}", "msg=1, 2, 3");
	require_row(state, "msg = {severity} {logger} {hostname} {pid} {metlog_pid} {env_version} {payload.a}", "{\"logger\":\"l\",\"metlog_hostname\":\"h\",\"metlog_pid\":7,\"env_version\":\"0.8\",\"payload\":{\"a\":8}}", "msg=6 l h 7 7 0.8 8");
	require_row(state, "msg = {fields.a}{fields.b}", "{\"fields\":{\"a\":\"\\u0041\\n\",\"b\":\"x\\\"=\"}}", "msg=A\\nx\"\\=");
	require_row(state, "msg = {metlog_x}", "{\"metlog_x\":\"y\"}", "msg=y");
}

static void the_first_line_of_a_text_can_be_had_alone(void **state)
{
	char line[1024] = "{\"payload\":\"", wanted[1024] = "msg=";
	require_row(state, "msg = {line:payload}", "{\"payload\":\"\\n  first\\r\\nsecond\"}", "msg=first");
	require_row(state, "msg = {line:payload|none} {line:fields.a|none}", "{\"payload\":{\"a\":1},\"fields\":{\"a\":\"\\n \\n\"}}", "msg=none none");
	for (int i = 0; i < 200; i++) strcat(line, "ä");
	for (int i = 0; i < 128; i++) strcat(wanted, "ä");
	require_row(state, "msg = {line:payload}", strcat(line, "\"}"), wanted);
}

static void a_row_of_which_nothing_is_there_is_left_out_with_its_label(void **state)
{
	require_row(state, "cs1 a = {fields.a} {fields.b}\nsrc = {fields.c}\nmsg = m", "{}", "msg=m");
	require_row(state, "cs1 a = x{fields.a}", "{}", "cs1Label=a cs1=x");
}

static void a_value_of_the_wrong_type_is_refused_or_put_elsewhere(void **state)
{
	require(state, "default\nsrc = {fields.a}\n", "{\"fields\":{\"a\":\"b\"}}", "refused: src: not an IPv4 address");
	require_row(state, "src ?= {fields.a}\nspt ?= {fields.p}\ncn1 tries ?= {fields.t}", "{\"fields\":{\"a\":\"b\",\"p\":99999999999,\"t\":\"no\"}}", "cs1Label=src cs1=b cn1Label=spt cn1=99999999999 cs2Label=tries cs2=no");
	require_row(state, "src ?= {fields.a}\ncs1 mine = {fields.b}", "{\"fields\":{\"a\":\"b\",\"b\":\"c\"}}", "cs1Label=mine cs1=c cs2Label=src cs2=b");
	require_row(state, "src ?= {fields.a}", "{\"fields\":{\"a\":\"1.2.3.4\"}}", "src=1.2.3.4");
	require_row(state, "* n = {fields.n}\n* x = {fields.x}\n* \"a text\" = {fields.t}", "{\"fields\":{\"n\":3,\"x\":0.5,\"t\":\"u\"}}", "cn1Label=n cn1=3 cfp1Label=x cfp1=0.5 cs1Label=a text cs1=u");
}

static void a_severity_is_a_number_a_word_or_from_the_envelope(void **state)
{
	require(state, "default\nseverity = Very-High\n", "{}", "CEF:0|metlog|metlog|0.8|event|event|Very-High|");
	require(state, "default\nseverity = {fields.level}\n", "{\"severity\":1,\"fields\":{\"level\":4}}", "CEF:0|metlog|metlog|0.8|event|event|4|");
	require(state, "default\nseverity = {fields.level}\n", "{\"severity\":1}", "CEF:0|metlog|metlog|0.8|event|event|9|");
	require(state, "default\nseverity = {severity}\n", "{\"severity\":0}", "CEF:0|metlog|metlog|0.8|event|event|10|");
	require(state, "default\nseverity = {fields.level}\n", "{\"fields\":{\"level\":11}}", "refused: severity: not 0 to 10 or a word of CEF");
}

static void what_is_missing_in_the_header_comes_from_the_built_in_mapping(void **state)
{
	require(state, "vendor = {fields.v}\nsignature = {fields.s}\ndefault\nname = {fields.n}\n", "{\"type\":\"t\",\"logger\":\"l\",\"payload\":\"hello\\nworld\",\"fields\":{\"v\":\" \",\"s\":null}}", "CEF:0|metlog|l|0.8|t|hello|2|");
	struct map_options options = OPTIONS;
	options.vendor = "V|", options.product = "{P}", options.device_version = "9";
	struct map *map = map_new((struct span){ NULL, 0 }, &options, &(struct map_fault){ .line = 0 });
	require_by(state, map, SPAN("{}"), "built-in", "CEF:0|V\\||{P}|9|event|event|2|");
	map_free(map);
}

static void all_members_of_an_object_find_a_place(void **state)
{
	require_row(state, "* = {fields}", "{\"fields\":{\"src\":\"1.2.3.4\",\"spt\":\"x\",\"dpt\":80,\"suser\":\"u\",\"free\":\"f\",\"n\":1,\"x\":1.5,\"t\":true,\"z\":null,\"e\":\"\",\"o\":{}}}",
		"src=1.2.3.4 cs1Label=spt cs1=x dpt=80 suser=u cs2Label=free cs2=f cn1Label=n cn1=1 cfp1Label=x cfp1=1.5 cs3Label=t cs3=true");
	require_row(state, "suser = {fields.who}\ncs1 mine = {fields.x.y}\n* = {fields}", "{\"fields\":{\"who\":\"a\",\"x\":{\"y\":1},\"suser\":\"forged\"}}", "suser=a cs1Label=mine cs1=1 cs2Label=x cs2={\"y\":1} cs3Label=suser cs3=forged");
	require_row(state, "* = {fields}\nmsg = {fields.m}", "{\"fields\":{\"m\":1}}", "msg=1");
	require_row(state, "* = {payload}", "{\"payload\":{\"src\":\"1.2.3.4\",\"a\":\"b\"}}", "src=1.2.3.4 cs1Label=a cs1=b");
	require_row(state, "* = {payload}", "{\"payload\":\"text\"}", "");
	require_row(state, "* = {fields.a}\nomit = {fields.b}", "{\"fields\":{\"b\":1,\"a\":{\"b\":\"c\"}}}", "cs1Label=b cs1=c");
	require_row(state, "* = {fields}\nomit = {fields.a} {fields.b}\nomit = {fields.c}", "{\"fields\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4}}", "cn1Label=d cn1=4");
}

static void what_was_shown_only_in_part_is_not_left_out(void **state)
{
	require_row(state, "msg = {line:fields.a}\nreason = {fields.x|{fields.b}}\n* = {fields}", "{\"fields\":{\"a\":\"one\\ntwo\",\"b\":\"c\",\"x\":\"y\"}}", "msg=one reason=y cs1Label=a cs1=one\\ntwo cs2Label=b cs2=c");
	require_row(state, "msg = {line:fields.a}\n* = {fields}", "{\"fields\":{\"a\":\"one\"}}", "msg=one");
}

static void no_field_can_choose_a_key_that_is_not_for_it(void **state)
{
	require_row(state, "* = {fields}", "{\"fields\":{\"cs1\":\"a\",\"cs1Label\":\"b\",\"type\":2,\"agt\":\"1.2.3.4\",\"a=b\":\"c=d\",\"\":\"e\"}}",
		"cs1Label=cs1 cs1=a cs2Label=cs1Label cs2=b cn1Label=type cn1=2 cs3Label=agt cs3=1.2.3.4 cs4Label=a\\=b cs4=c\\=d cs5Label=_ cs5=e");
	require_row(state, "rt = {timestamp}\n* = {fields}", "{\"timestamp\":\"1970-01-01T00:00:01Z\",\"fields\":{\"rt\":5}}", "rt=1000 cn1Label=rt cn1=5");
}

static void what_finds_no_place_is_json_in_the_last_string(void **state)
{
	require_row(state, "* = {fields}", "{\"fields\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\",\"e\":\"5\",\"f\":\"\\u0036\"}}",
		"cs1Label=a cs1=1 cs2Label=b cs2=2 cs3Label=c cs3=3 cs4Label=d cs4=4 cs5Label=e cs5=5 cs6Label=f cs6=6");
	require_row(state, "* = {fields}", "{\"fields\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\",\"e\":\"5\",\"f\":\"\\u0036\",\"g\":\"7\",\"suser\":\"u\",\"h\":8}}",
		"cs1Label=a cs1=1 cs2Label=b cs2=2 cs3Label=c cs3=3 cs4Label=d cs4=4 cs5Label=e cs5=5 suser=u cn1Label=h cn1=8 cs6Label=more fields cs6={\"f\":\"\\\\u0036\",\"g\":\"7\"}");
	require_row(state, "cs6 x = y\n* = {fields}", "{\"fields\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8}}",
		"cs6Label=x cs6=y cn1Label=a cn1=1 cn2Label=b cn2=2 cn3Label=c cn3=3 cfp1Label=d cfp1=4 cfp2Label=e cfp2=5 cfp3Label=f cfp3=6 cfp4Label=g cfp4=7 cs1Label=h cs1=8");
}

static void comments_quotes_and_long_lines(void **state)
{
	require_row(state, "msg = a#b # comment \\", "{}", "msg=a#b");
	require_row(state, "# = x\n  # y\nmsg = \"a # b\" # c", "{}", "msg=a # b");
	require_row(state, "msg = \"  say \\\"{fields.a}\\\" \\\\ \"", "{\"fields\":{\"a\":1}}", "msg=  say \"1\" \\\\");
	require_row(state, "msg = it's {fields.a|no # number}   # c", "{}", "msg=it's no # number");
	require_row(state, "msg = a \\\n  # between\n  b", "{}", "msg=a   b");
	require_row(state, "cs1 \"a # = b\" = c\r", "{}", "cs1Label=a # \\= b cs1=c");
	require(state, "\xef\xbb\xbf" "event a type =~ /x # \\/ [#]/ && \\\r\n logger != \"# \\\" #\" # c\r\n  name=N\r\ndefault\r\n\tname = D", "{\"type\":\"x # / #\",\"logger\":\"l\"}", "CEF:0|metlog|l|0.8|x # / #|N|2|");
	require_row(state, "sourceAddress = 1.2.3.4", "{}", "src=1.2.3.4");
}

/* --- what is built in --- */

static void every_envelope_makes_an_event(void **state)
{
	require(state, NULL, "{}", "CEF:0|metlog|metlog|0.8|event|event|2|");
	require(state, NULL, "{\"type\":\"oldstyle\",\"timestamp\":\"2012-10-05T12:02:36.514116Z\",\"logger\":\"sync\",\"severity\":1,\"payload\":\"it broke\\nTraceback\",\"fields\":{},\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}",
		"CEF:0|metlog|sync|0.8|oldstyle|it broke|9|rt=1349438556514 dvchost=web1 dvcpid=26482 cat=oldstyle cs1Label=logger cs1=sync msg=it broke\\nTraceback");
	require(state, NULL, "{\"timestamp\":\"yesterday\",\"metlog_pid\":\"p\",\"metlog_hostname\":{\"a\":1},\"payload\":[1],\"fields\":{\"src\":\"x\"}}",
		"CEF:0|metlog|metlog|0.8|event|event|2|dvchost={\"a\":1} msg=[1] cs1Label=rt cs1=yesterday cs2Label=dvcpid cs2=p cs3Label=src cs3=x");
	require(state, NULL, "{\"type\":\"t\",\"fields\":{\"signature\":\"S\",\"msg\":\"m\\nn\",\"cef_meta\":{\"a\":1}}}", "CEF:0|metlog|metlog|0.8|S|m|2|cat=t msg=m\\nn");
}

static void a_metric_is_its_name_and_its_value(void **state)
{
	require(state, NULL, "{\"type\":\"counter\",\"logger\":\"l\",\"payload\":\"3\",\"fields\":{\"name\":\"login\",\"rate\":0.5}}", "CEF:0|metlog|l|0.8|counter|login|2|cat=counter cs1Label=logger cs1=l cn1Label=value cn1=3 cfp1Label=rate cfp1=0.5");
	require(state, NULL, "{\"type\":\"procinfo\",\"payload\":0.12,\"fields\":{\"name\":\"user\"}}", "CEF:0|metlog|metlog|0.8|procinfo|user|2|cat=procinfo cfp1Label=value cfp1=0.12");
	require(state, NULL, "{\"type\":\"timer\",\"payload\":\"x\"}", "CEF:0|metlog|metlog|0.8|timer|timer|2|cat=timer cs1Label=value cs1=x");
}

static void a_sentry_message_comes_without_its_blob_and_its_secret(void **state)
{
	require(state, NULL, "{\"type\":\"sentry\",\"severity\":3,\"payload\":\"eJzFVm1v\",\"fields\":{\"msg\":\"it broke\",\"dsn\":\"udp://u:secret@h/2\",\"epoch_timestamp\":1.5}}",
		"CEF:0|metlog|metlog|0.8|sentry|it broke|7|cat=sentry msg=it broke cfp1Label=epoch_timestamp cfp1=1.5");
}

static void a_request_has_the_keys_that_an_analyst_looks_for(void **state)
{
	require(state, NULL, "{\"type\":\"wsgi\",\"fields\":{\"headers\":{\"path\":\"/1.0/\",\"host\":\"h:443\",\"User-Agent\":\"\"},\"threadlocal\":{}}}",
		"CEF:0|metlog|metlog|0.8|wsgi|wsgi|2|cat=wsgi request=/1.0/ dhost=h:443 cs1Label=headers cs1={\"path\":\"/1.0/\",\"host\":\"h:443\",\"User-Agent\":\"\"}");
	require(state, NULL, "{\"type\":\"request.summary\",\"fields\":{\"method\":\"GET\",\"path\":\"/x\",\"agent\":\"UA\",\"code\":404,\"remote_ip\":\"10.1.2.3\",\"uid\":\"u1\",\"t\":12}}",
		"CEF:0|metlog|metlog|0.8|request.summary|request.summary|2|cat=request.summary requestMethod=GET request=/x requestClientApplication=UA src=10.1.2.3 suid=u1 cn1Label=status cn1=404 cn2Label=t cn2=12");
}

/* Members by the hundred, hostile names and all: one line, never refused, and every dictionary's key only once. */
static void hundreds_of_fields_are_one_event(void **state)
{
	static const char *const names[] = { "a", "src", "cs1Label", "a=b", "\\u0000", "\\n", "|", "CEF:0|", "\xf0\x9f\x94\xa5", "\\\\", "end", "deviceCustomDate1", "x y=z" };
	static const char *const values[] = { "1", "\"a b=c\"", "{\"x\":[1,{}]}", "\"\\n\\r\"", "1e400", "-1", "\"\\ud800\"", "true", "\"1.2.3.4\"", "123456789012345678901234567890" };
	struct buffer line;
	struct record *record = record_new(&(struct record_rules){ .version = 0 });
	struct map *map = map_new((struct span){ NULL, 0 }, &OPTIONS, &(struct map_fault){ .line = 0 });
	static struct cef_event event;
	struct buffer decoded;
	buffer_init(&line, 1 << 24);
	buffer_init(&decoded, 1 << 24);
	for (unsigned count = 0; count < 600; count += 7) {
		buffer_clear(&line);
		buffer_append_text(&line, "{\"payload\":\"p\",\"fields\":{\"first\":0");
		for (unsigned i = 0; i < count; i++) {
			char pair[200];
			snprintf(pair, sizeof pair, ",\"%s%u\":%s", names[i % 13], i % 5 ? i : 0, values[(i + count) % 10]);
			buffer_append_text(&line, pair);
		}
		buffer_append_text(&line, "}}");
		const char *why = NULL;
		size_t column = 0;
		assert_int_equal(map_apply(map, parse(state, buffer_span(&line)), record, &why), MAP_MADE);
		struct span made = record_end(record, &why);
		assert_non_null(made.data);
		assert_null(memchr(made.data, '\n', made.length));
		if (!cef_read(&event, made, CEF_STRICT, &decoded, &why, &column)) fail_msg("%s at %zu: %.*s", why, column, (int)made.length, made.data);
	}
	map_free(map);
	record_free(record);
	buffer_release(&line);
	buffer_release(&decoded);
}

static void the_built_in_mapping_as_a_file_does_the_same(void **state)
{
	static const char *const lines[] = {
		"{}", "{\"type\":\"counter\",\"payload\":3,\"fields\":{\"name\":\"a\"}}", "{\"type\":\"sentry\",\"payload\":\"x\",\"fields\":{\"dsn\":\"d\",\"a\":1}}",
		"{\"type\":\"x\",\"logger\":\"l\",\"payload\":\"p\",\"fields\":{\"a\":\"b\",\"remote\":\"1.2.3.4\"}}",
	};
	struct map *builtin = map_new((struct span){ NULL, 0 }, &OPTIONS, &(struct map_fault){ .line = 0 }), *file = read_map(map_builtin().data);
	struct record *a = record_new(&(struct record_rules){ .version = 0 }), *b = record_new(&(struct record_rules){ .version = 0 });
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		const char *why;
		const struct envelope *e = parse(state, span_of(lines[i]));
		assert_int_equal(map_apply(builtin, e, a, &why), MAP_MADE);
		assert_int_equal(map_apply(file, e, b, &why), MAP_MADE);
		assert_true(span_equal(record_end(a, &why), record_end(b, &why)));
	}
	map_free(builtin);
	map_free(file);
	record_free(a);
	record_free(b);
}

/* --- mistakes --- */

static void mistakes_name_line_and_column_and_what_was_meant(void **state)
{
	(void)state;
	require_fault("default\n  srcc = x\n", 2, 3, "unknown key \"srcc\"; did you mean src?");
	require_fault("hostname = x\n", 1, 1, "unknown key \"hostname\"; did you mean dvchost?");
	require_fault("sourceAdress = x\n", 1, 1, "unknown key \"sourceAdress\"; did you mean sourceAddress?");
	require_fault("bananarama = x\n", 1, 1, "unknown key \"bananarama\"; what has no key of its own can go to a custom one: cs1 LABEL = VALUE");
	require_fault("evnt a TRUE\n", 1, 1, "unknown key \"evnt\"; did you mean event?");
	require_fault("msg = {field.x}\n", 1, 8, "unknown member \"field\"; did you mean fields?");
	require_fault("msg = a {user}\n", 1, 10, "unknown member \"user\"; a field is written fields.user");
	require_fault("msg = {type.x}\n", 1, 12, "type has nothing below it");
	require_fault("msg = {fields[x]}\n", 1, 8, "a path is written with points, as in {fields.user}");
	require_fault("msg = {fields.}\n", 1, 8, "not the path of a member or field, as in {fields.user} (at most 16 parts)");
	require_fault("event a type = \"x\"\n", 1, 14, "= alone is not a relation; == compares");
	require_fault("event a type == \"x\" && \\\n   bogus == 1\n", 2, 4, "unknown name \"bogus\"; a field is written fields.bogus");
}

static void mistakes_of_rows(void **state)
{
	(void)state;
	require_fault("src x = 1.2.3.4\n", 1, 5, "src has no label: it is not a custom key");
	require_fault("name x = y\n", 1, 6, "name has no label");
	require_fault("cs1 = x\n", 1, 5, "cs1 needs a label: cs1 LABEL = VALUE");
	require_fault("cs1Label = x\n", 1, 1, "a label stands behind its key: cs1 LABEL = VALUE");
	require_fault("cs1 a b = x\n", 1, 7, "expected = (a label of several words is put in quotes)");
	require_fault("cs1 \"a = x\n", 1, 5, "the label has no closing quote");
	require_fault("cs1 \" \" = x\n", 1, 5, "the label is empty");
	require_fault("msg\n", 1, 4, "expected = behind the key");
	require_fault("msg =\n", 1, 6, "a value is missing behind the =");
	require_fault("= x\n", 1, 1, "expected a key, or event, drop or default");
	require_fault("msg = \"x\n", 1, 7, "a value that begins with a quote ends with one (write \\\" for a quote inside)");
	require_fault("src = 1.2.3.4\n\nsrc = 1.2.3.4\n", 3, 1, "src stands there twice: line 1 has it, too");
	require_fault("cs1 a = 1\ncs1 b = 2\n", 2, 1, "cs1 stands there twice: line 1 has it, too");
	require_fault("src = 1.2.3.4\nsourceAddress = 1.2.3.4\n", 2, 1, "src stands there twice: line 1 has it, too");
	require_fault("severity = 11\n", 1, 12, "a severity is 0 to 10, Unknown, Low, Medium, High or Very-High, or {severity}");
	require_fault("src = here\n", 1, 7, "src is not an IP address");
	require_fault("agt = 1.2.3.4\n", 1, 1, "agt is not for senders: only the receiver may set it");
	require_fault("name ?= x\n", 1, 6, "?= is for keys; here it is =");
	require_fault("* = {fields} x\n", 1, 5, "behind * = stands one object, as in * = {fields}");
	require_fault("omit = {payload}\n", 1, 8, "behind omit = stand members of fields, as in omit = {fields.password} {fields.token}");
	require_fault("msg = a\x01\n", 1, 8, "a character that cannot be seen");
}

static void mistakes_of_braces(void **state)
{
	(void)state;
	require_fault("msg = {type\n", 1, 7, "a { without its } (write {{ for a brace)");
	require_fault("msg = a}\n", 1, 8, "a } without its { (write }} for a brace)");
	require_fault("msg = {type|\n", 1, 7, "a { without its } (write {{ for a brace)");
	require_fault("msg = {type|}\n", 1, 12, "a default is missing behind the |");
	require_fault("msg = {a{type}}\n", 1, 9, "a { inside another can only stand behind a |");
	require_fault("msg = {}\n", 1, 8, "a path is missing between the braces");
	require_fault("msg = {type|{type|{type|{type|{type|{type|{type|{type|{type}}}}}}}}}\n", 1, 55, "more than 8 defaults inside each other");
}

static void mistakes_of_events(void **state)
{
	(void)state;
	require_fault("event type == \"x\"\n", 1, 7, "a name is missing: event NAME EXPRESSION");
	require_fault("event a\n", 1, 8, "an expression is missing (TRUE takes every envelope)");
	require_fault("event a TRUE\nevent b type == \"x\"\n", 2, 9, "never reached: line 1 takes every envelope");
	require_fault("event a type==\"x\"\ndrop type==\"x\"\n", 2, 6, "never reached: line 1 has the same expression");
	require_fault("event a type==\"x\"\nevent a type==\"y\"\n", 2, 7, "another event has that name, in line 1");
	require_fault("event default TRUE\n", 1, 7, "an event cannot be called that");
	require_fault("default\nevent a TRUE\n", 2, 1, "never reached: the default in line 1 takes all that is left");
	require_fault("default drip\n", 1, 9, "behind default nothing stands but drop");
	require_fault("drop TRUE\n  msg = x\n", 2, 3, "a row behind drop, which sends nothing");
	require_fault("event a type =~ /(/\n", 1, 19, "missing closing parenthesis");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	(void)state;
	struct map_fault fault;
	struct span nul = SPAN("msg = a\nmsg\0 = b\n");
	assert_null(map_new(nul, &OPTIONS, &fault));
	assert_string_equal(fault.reason, "a NUL byte");
	assert_int_equal(fault.line, 2);
	assert_int_equal(fault.column, 4);
	require_fault("# \xff\n", 1, 3, "not valid UTF-8");
	char *large = malloc(MAP_BYTES_MAX + 2);
	memset(large, '\n', MAP_BYTES_MAX + 1);
	assert_null(map_new((struct span){ large, MAP_BYTES_MAX + 1 }, &OPTIONS, &fault));
	assert_string_equal(fault.reason, "the file is larger than 1 MiB");
	struct map *map = map_new((struct span){ large, MAP_BYTES_MAX }, &OPTIONS, &fault);
	assert_non_null(map);
	map_free(map);
	free(large);
}

static void there_are_limits_and_up_to_them_all_goes(void **state)
{
	(void)state;
	struct buffer text;
	struct map_fault fault;
	buffer_init(&text, MAP_BYTES_MAX);
	for (int i = 0; i < MAP_EVENTS_MAX; i++) {
		char line[100];
		snprintf(line, sizeof line, "event e%d type == \"%d\"\n", i, i);
		buffer_append_text(&text, line);
	}
	struct map *map = map_new(buffer_span(&text), &OPTIONS, &fault);
	assert_non_null(map);
	map_free(map);
	buffer_append_text(&text, "event more type == \"more\"\n");
	assert_null(map_new(buffer_span(&text), &OPTIONS, &fault));
	assert_string_equal(fault.reason, "more than 1024 events");
	assert_int_equal(fault.line, 1025);
	buffer_clear(&text);
	for (int i = 0; i <= MAP_ROWS_MAX; i++) {
		char line[100];
		snprintf(line, sizeof line, "* label%d = x\n", i);
		buffer_append_text(&text, line);
	}
	assert_null(map_new(buffer_span(&text), &OPTIONS, &fault));
	assert_string_equal(fault.reason, "more than 128 rows for one event");
	buffer_clear(&text);
	for (int i = 0; i < 300; i++) buffer_append_text(&text, "msg = x \\\n");
	assert_null(map_new(buffer_span(&text), &OPTIONS, &fault));
	assert_string_equal(fault.reason, "more than 200 lines are joined by '\\'");
	buffer_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_event_that_matches_is_the_one),
		cmocka_unit_test(what_no_event_takes_goes_the_built_in_way_or_is_dropped),
		cmocka_unit_test(a_row_of_an_event_stands_in_for_the_same_one_before_all_events),
		cmocka_unit_test(a_value_is_text_with_paths_and_defaults),
		cmocka_unit_test(the_first_line_of_a_text_can_be_had_alone),
		cmocka_unit_test(a_row_of_which_nothing_is_there_is_left_out_with_its_label),
		cmocka_unit_test(a_value_of_the_wrong_type_is_refused_or_put_elsewhere),
		cmocka_unit_test(a_severity_is_a_number_a_word_or_from_the_envelope),
		cmocka_unit_test(what_is_missing_in_the_header_comes_from_the_built_in_mapping),
		cmocka_unit_test(all_members_of_an_object_find_a_place),
		cmocka_unit_test(what_was_shown_only_in_part_is_not_left_out),
		cmocka_unit_test(no_field_can_choose_a_key_that_is_not_for_it),
		cmocka_unit_test(what_finds_no_place_is_json_in_the_last_string),
		cmocka_unit_test(comments_quotes_and_long_lines),
		cmocka_unit_test(every_envelope_makes_an_event),
		cmocka_unit_test(a_metric_is_its_name_and_its_value),
		cmocka_unit_test(a_sentry_message_comes_without_its_blob_and_its_secret),
		cmocka_unit_test(a_request_has_the_keys_that_an_analyst_looks_for),
		cmocka_unit_test(hundreds_of_fields_are_one_event),
		cmocka_unit_test(the_built_in_mapping_as_a_file_does_the_same),
		cmocka_unit_test(mistakes_name_line_and_column_and_what_was_meant),
		cmocka_unit_test(mistakes_of_rows),
		cmocka_unit_test(mistakes_of_braces),
		cmocka_unit_test(mistakes_of_events),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(there_are_limits_and_up_to_them_all_goes),
	};
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
