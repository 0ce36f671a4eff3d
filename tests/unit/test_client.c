/* test_client - what metlog_open takes and refuses, what becomes of each call, and that the books balance. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "client/metlog.h"
#include "place_fixture.h"

static void assert_balanced(const struct metlog_counts *c, uint64_t calls)
{
	assert_int_equal(c->taken + c->left_out + c->dropped + c->refused, calls);
	assert_int_equal(c->sent + c->unsent, c->taken);
}

/* --- opening ------------------------------------------------------------------------------ */

static void assert_refused(const char *endpoint, const struct metlog_options *options, int status, const char *why)
{
	struct metlog_fault fault;
	assert_null(metlog_open(endpoint, options, &fault));
	if (!strstr(fault.text, why)) fail_msg("%s: \"%s\" does not say \"%s\"", endpoint, fault.text, why);
	assert_int_equal(fault.status, status);
}

static void what_can_never_work_is_told_at_the_opening(void **state)
{
	struct place *p = *state;
	char text[200];
	assert_refused(NULL, NULL, 64, "endpoint");
	assert_refused("nonsense", NULL, 64, "nonsense");
	assert_refused("udp:localhost", NULL, 64, "port");
	assert_refused("sub:tcp://127.0.0.1:1", NULL, 78, "sub:");
	assert_refused("push:tcp://192.0.2.1:5565", NULL, 78, "CURVE");
	snprintf(text, sizeof text, "file:%s/none/there", p->folder);
	assert_refused(text, NULL, 73, "/none/there: No such file");
	METLOG_OPTIONS(keys);
	keys.curve_server = keys.curve_secret = p->file;
	close(open(p->file, O_WRONLY | O_CREAT, 0644));
	assert_refused("push:tcp://127.0.0.1:5565", &keys, 77, p->file);
	assert_null(metlog_open("nonsense", NULL, NULL));
}

static void options_that_cannot_be_are_refused(void **state)
{
	struct place *p = *state;
	METLOG_OPTIONS(long_line);
	long_line.buffer_bytes = 65536;
	long_line.line_bytes = 32769;
	assert_refused(p->to_file, &long_line, 64, "at most half of a buffer, 32768");
	METLOG_OPTIONS(severity);
	severity.severity = 8;
	assert_refused(p->to_file, &severity, 64, "severity 8");
	METLOG_OPTIONS(threads);
	threads.threads = 1000000;
	assert_refused(p->to_file, &threads, 64, "1000000 threads");
	METLOG_OPTIONS(huge);
	huge.buffer_bytes = (size_t)1 << 60;
	assert_refused(p->to_file, &huge, 71, "buffers");
	METLOG_OPTIONS(type);
	type.type_severities = (const char *const[]){ "request:nine", NULL };
	assert_refused(p->to_file, &type, 78, "request:nine");
	struct metlog_options zeroed = { 0 };
	assert_refused(p->to_file, &zeroed, 64, "metlog_options_init");
}

static void options_of_an_older_header_are_taken(void **state)
{
	struct place *p = *state;
	METLOG_OPTIONS(o);
	o.logger = "older";
	o.size = offsetof(struct metlog_options, pid);
	o.pid = -1; /* not theirs: never looked at */
	struct metlog *m = metlog_open(p->to_file, &o, NULL);
	assert_non_null(m);
	assert_int_equal(say(m, "x"), METLOG_TAKEN);
	assert_int_equal(metlog_close(m, 5000, NULL), 0);
	char *text = place_text(p);
	assert_int_equal(count_in(text, "\"logger\":\"older\""), 1);
	free(text);
}

/* --- calls ----------------------------------------------------------------------------------- */

static void each_call_is_counted_once_by_what_became_of_it(void **state)
{
	struct place *p = *state;
	METLOG_OPTIONS(o);
	o.line_bytes = 400;
	o.types_denied = (const char *const[]){ "noise", NULL };
	struct metlog *m = metlog_open(p->to_file, &o, NULL);
	struct metlog_counts c;
	char text[500];
	memset(text, 'x', sizeof text - 1), text[sizeof text - 1] = '\0';
	assert_int_equal(say(m, "one"), METLOG_TAKEN);
	assert_int_equal(say(m, text), METLOG_REFUSED);
	assert_int_equal(metlog_send(m, "noise", 6, "", METLOG_NONE), METLOG_LEFT_OUT);
	assert_int_equal(metlog_send(m, "test", 9, "", METLOG_NONE), METLOG_REFUSED);
	assert_int_equal(metlog_count(m, "n", 1, 0, METLOG_NONE), METLOG_LEFT_OUT);
	assert_int_equal(metlog_flush(m, 5000), 0);
	metlog_counts_get(m, &c);
	assert_balanced(&c, 5);
	assert_int_equal(c.taken, 1);
	assert_int_equal(c.left_out, 2);
	assert_int_equal(c.refused, 2);
	assert_int_equal(c.sent, 1);
	assert_int_equal(metlog_close(m, 5000, &c), -1); /* something was refused */
	assert_balanced(&c, 5);
	char *got = place_text(p);
	assert_int_equal(count_in(got, "\n"), 1);
	free(got);
}

static void a_client_that_is_null_takes_nothing_and_does_no_harm(void **state)
{
	struct metlog_counts c;
	char reason[10] = "x";
	(void)state;
	assert_int_equal(say(NULL, "x"), METLOG_CLOSED);
	assert_int_equal(metlog_count(NULL, "x", 1, 1, METLOG_NONE), METLOG_CLOSED);
	metlog_counts_get(NULL, &c);
	assert_balanced(&c, 0);
	metlog_reason(NULL, reason, sizeof reason);
	assert_string_equal(reason, "");
	assert_int_equal(metlog_flush(NULL, 0), 0);
	assert_int_equal(metlog_close(NULL, 0, &c), 0);
}

static void a_line_of_the_longest_length_is_taken_and_one_byte_more_is_not(void **state)
{
	struct place *p = *state;
	METLOG_OPTIONS(o);
	o.buffer_bytes = 8192;
	o.hostname = "h";
	o.pid = 1;
	struct metlog *m = metlog_open(p->to_file, &o, NULL);
	static char text[5000];
	size_t length = 0;
	memset(text, '\\', sizeof text - 1); /* escapes: what they may become is longer than what they are */
	for (size_t i = 1; i < sizeof text; i++) {
		text[i] = '\0';
		enum metlog_result result = say(m, text);
		if (result == METLOG_DROPPED) {
			assert_int_equal(metlog_flush(m, 5000), 0);
			result = say(m, text);
		}
		if (result == METLOG_REFUSED) break;
		assert_int_equal(result, METLOG_TAKEN);
		length = i;
		text[i] = '\\';
	}
	metlog_close(m, 5000, NULL);
	char *got = place_text(p);
	size_t longest = 0;
	for (const char *line = got, *end; (end = strchr(line, '\n')); line = end + 1)
		if ((size_t)(end - line) > longest) longest = (size_t)(end - line);
	assert_in_range(longest, 4095, 4096); /* each of the last bytes has become two */
	assert_in_range(length, 1900, 2000);
	free(got);
}

static void long_texts_go_out_whole(void **state)
{
	struct place *p = *state;
	struct metlog *m = metlog_open(p->to_file, NULL, NULL);
	char *text = malloc(200001);
	memset(text, 'y', 200000), text[200000] = '\0';
	assert_int_equal(metlog_log(m, METLOG_NOTICE, "<%s>", text), METLOG_TAKEN);
	assert_int_equal(metlog_log(m, METLOG_NOTICE, "%1100000d", 1), METLOG_REFUSED);
	assert_int_equal(metlog_log(m, METLOG_NOTICE, "<%s>", text), METLOG_TAKEN);
	assert_int_equal(metlog_close(m, 5000, NULL), -1);
	char *got = place_text(p);
	assert_int_equal(count_in(got, "\n"), 2);
	assert_non_null(strstr(got, text));
	assert_in_range(strlen(got), 400200, 400700);
	free(got);
	free(text);
}

static void two_clients_of_a_process_do_not_mix(void **state)
{
	struct place *p = *state, other;
	place_make(&other);
	struct metlog *one = metlog_open(p->to_file, NULL, NULL), *two = metlog_open(other.to_file, NULL, NULL);
	for (int i = 0; i < 1000; i++) say(one, "one"), say(two, "two");
	assert_int_equal(metlog_close(one, 5000, NULL), 0);
	for (int i = 0; i < 1000; i++) say(two, "two");
	assert_int_equal(metlog_close(two, 5000, NULL), 0);
	char *got = place_text(p), *others = place_text(&other);
	assert_int_equal(count_in(got, "\"one\""), 1000);
	assert_int_equal(count_in(got, "\n"), 1000);
	assert_int_equal(count_in(others, "\"two\""), 2000);
	assert_int_equal(count_in(others, "\n"), 2000);
	free(got);
	free(others);
	place_remove(&other);
}

static void more_clients_than_a_thread_remembers_keep_apart(void **state)
{
	struct place places[9];
	struct metlog *clients[9];
	(void)state;
	for (int i = 0; i < 9; i++) {
		place_make(&places[i]);
		METLOG_OPTIONS(o);
		o.threads = 1; /* one lane: who forgets it and takes another one has to share */
		clients[i] = metlog_open(places[i].to_file, &o, NULL);
	}
	for (int i = 0; i < 900; i++) {
		char text[10];
		snprintf(text, sizeof text, "c%d", i % 9);
		assert_int_equal(say(clients[i % 9], text), METLOG_TAKEN);
	}
	for (int i = 0; i < 9; i++) {
		char text[10];
		assert_int_equal(metlog_close(clients[i], 5000, NULL), 0);
		snprintf(text, sizeof text, "\"c%d\"", i);
		char *got = place_text(&places[i]);
		assert_int_equal(count_in(got, text), 100);
		assert_int_equal(count_in(got, "\n"), 100);
		free(got);
		place_remove(&places[i]);
	}
}

/* --- when it is full ------------------------------------------------------------------------------ */

static void what_is_dropped_is_counted_and_told_once_there_is_room(void **state)
{
	struct place *p = *state;
	METLOG_OPTIONS(o);
	o.buffer_bytes = 4096;
	o.logger = "shop";
	struct metlog *m = metlog_open(p->to_socket, &o, NULL);
	struct metlog_counts c;
	uint64_t dropped = 0;
	for (int i = 0; i < 100; i++) dropped += say(m, "x") == METLOG_DROPPED;
	assert_in_range(dropped, 70, 99);
	metlog_counts_get(m, &c);
	assert_balanced(&c, 100);
	assert_int_equal(c.dropped, dropped);
	assert_int_equal(c.sent, 0);
	place_listen(p);
	struct place_reader reader;
	place_reader_start(&reader, place_accept(p));
	assert_int_equal(metlog_close(m, 20000, &c), -1);
	assert_balanced(&c, 100);
	assert_int_equal(c.dropped, dropped);
	assert_int_equal(c.unsent, 0);
	char *got = place_reader_end(&reader);
	assert_int_equal(count_in(got, "\"test\""), c.sent);
	assert_int_equal(count_in(got, "\n"), c.sent + 1);
	assert_int_equal(drops_reported(got), dropped);
	assert_int_equal(count_in(got, "\"type\":\"counter\""), 1);
	assert_int_equal(count_in(got, "\"logger\":\"shop\""), c.sent + 1);
	free(got);
}

static void a_report_of_drops_is_left_out_where_the_rules_leave_out_counters(void **state)
{
	struct place *p = *state;
	METLOG_OPTIONS(o);
	o.buffer_bytes = 4096;
	o.types_denied = (const char *const[]){ "counter", NULL };
	struct metlog *m = metlog_open(p->to_socket, &o, NULL);
	struct metlog_counts c;
	for (int i = 0; i < 100; i++) say(m, "x");
	place_listen(p);
	struct place_reader reader;
	place_reader_start(&reader, place_accept(p));
	metlog_close(m, 20000, &c);
	char *got = place_reader_end(&reader);
	assert_int_equal(count_in(got, "\n"), c.sent);
	assert_int_equal(c.unsent, 0);
	free(got);
}

static void why_nothing_is_taken_is_told_and_that_it_is_over(void **state)
{
	struct place *p = *state;
	struct metlog *m = metlog_open(p->to_socket, NULL, NULL);
	char reason[200] = "";
	metlog_reason(m, reason, sizeof reason);
	assert_string_equal(reason, "");
	say(m, "x");
	assert_int_equal(metlog_flush(m, 0), -1);
	while (!reason[0]) metlog_reason(m, reason, sizeof reason);
	assert_non_null(strstr(reason, "No such file"));
	place_listen(p);
	struct place_reader reader;
	place_reader_start(&reader, place_accept(p));
	assert_int_equal(metlog_flush(m, 20000), 0);
	metlog_reason(m, reason, sizeof reason);
	assert_string_equal(reason, "");
	assert_int_equal(metlog_close(m, 20000, NULL), 0);
	free(place_reader_end(&reader));
}

static void a_datagram_that_is_too_long_is_passed_over_and_stays_unsent(void **state)
{
	struct metlog *m = metlog_open("udp:127.0.0.1:9", NULL, NULL); /* to nobody: the first of them is not refused yet */
	struct metlog_counts c;
	static char text[80000];
	(void)state;
	memset(text, 'x', sizeof text - 1);
	assert_int_equal(say(m, text), METLOG_TAKEN);
	assert_int_equal(metlog_flush(m, 20000), -1);
	assert_int_equal(metlog_close(m, 20000, &c), -1);
	assert_balanced(&c, 1);
	assert_int_equal(c.unsent, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_can_never_work_is_told_at_the_opening, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(options_that_cannot_be_are_refused, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(options_of_an_older_header_are_taken, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(each_call_is_counted_once_by_what_became_of_it, place_setup, place_teardown),
		cmocka_unit_test(a_client_that_is_null_takes_nothing_and_does_no_harm),
		cmocka_unit_test_setup_teardown(a_line_of_the_longest_length_is_taken_and_one_byte_more_is_not, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(long_texts_go_out_whole, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(two_clients_of_a_process_do_not_mix, place_setup, place_teardown),
		cmocka_unit_test(more_clients_than_a_thread_remembers_keep_apart),
		cmocka_unit_test_setup_teardown(what_is_dropped_is_counted_and_told_once_there_is_room, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(a_report_of_drops_is_left_out_where_the_rules_leave_out_counters, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(why_nothing_is_taken_is_told_and_that_it_is_over, place_setup, place_teardown),
		cmocka_unit_test(a_datagram_that_is_too_long_is_passed_over_and_stays_unsent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
