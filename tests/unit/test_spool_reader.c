/* test_spool_reader - envelopes of a spool come in order, and keep their numbers across restarts and beside a writer. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spool_reader_fixture.h"

static void lines_are_numbered_from_one_and_segments_leave_when_they_are_done(void **state)
{
	struct fixture *f = *state;
	set_up(f, 1000, 100);
	size_t segments = count_segments(f);
	assert_true(segments > 3);
	struct spool_reader *r = open_reader(f);
	assert_string_equal(f->said, "");
	assert_int_equal(spool_reader_done_up_to(r), 0);
	assert_false(spool_reader_is_empty(r));
	assert_true(takes(r, 1, 1, 100));
	assert_true(takes_nothing(r));
	assert_false(spool_reader_is_empty(r)); /* nothing is done yet */
	assert_int_equal(count_segments(f), segments);
	size_t before = segments;
	for (uint64_t i = 1; i <= 100; i++) {
		spool_reader_done(r, i);
		assert_int_equal(spool_reader_done_up_to(r), i);
		assert_true(count_segments(f) <= before);
		before = count_segments(f);
		if (i == 99) assert_int_equal(before, 1);
	}
	assert_int_equal(before, 0);
	assert_true(spool_reader_is_empty(r));
	assert_int_equal(count_files(f, "delivered", "") + count_files(f, "quarantine", ""), 0);
	spool_reader_close(r);
}

static void a_restart_goes_on_with_the_same_numbers(void **state)
{
	struct fixture *f = *state;
	f->options.compress = true;
	set_up(f, 1000, 100);
	char id[SPOOL_READER_ID_BYTES];
	struct spool_reader *r = open_reader(f);
	memcpy(id, spool_reader_id(r), sizeof id);
	spool_reader_close(r);
	uint64_t done = 0;
	for (uint64_t step = 0; done < 100; step++) { /* takes more than is done, and less or more than a segment */
		r = open_reader(f);
		assert_string_equal(f->said, "");
		assert_memory_equal(spool_reader_id(r), id, sizeof id);
		assert_int_equal(spool_reader_done_up_to(r), done);
		uint64_t count = 100 - done < 30 ? 100 - done : 30;
		assert_true(takes(r, done + 1, done + 1, count));
		uint64_t some = step % 8;
		done += some < count ? some : count;
		spool_reader_done(r, done);
		spool_reader_close(r);
	}
	assert_int_equal(count_segments(f), 0);
	/* The spool's own numbers begin at 1 again, those of the envelopes do not. */
	write_lines(f, 101, 50);
	r = open_reader(f);
	assert_memory_equal(spool_reader_id(r), id, sizeof id);
	assert_true(takes(r, 101, 101, 50));
	assert_true(takes_nothing(r));
	spool_reader_close(r);
}

/* Without a close, what was written last is the state of a segment's beginning or end: more comes again, with the numbers that it had. */
static void after_a_kill_lines_come_again_with_the_numbers_they_had(void **state)
{
	struct fixture *f = *state;
	set_up(f, 1000, 100);
	char id[SPOOL_READER_ID_BYTES];
	struct spool_reader *r = open_reader(f);
	memcpy(id, spool_reader_id(r), sizeof id);
	spool_reader_close(r);
	for (uint64_t killed_at = 1; killed_at < 100; killed_at += 3) {
		IN_A_CHILD(
			struct spool_reader *child_s = open_reader(f);
			uint64_t from = spool_reader_done_up_to(child_s) + 1;
			if (from <= killed_at && !takes(child_s, from, from, killed_at - from + 1)) _exit(1);
			spool_reader_done(child_s, killed_at - 1));
		r = open_reader(f);
		assert_string_equal(f->said, "");
		assert_memory_equal(spool_reader_id(r), id, sizeof id);
		uint64_t done = spool_reader_done_up_to(r);
		assert_true(done < killed_at);
		assert_true(takes(r, done + 1, done + 1, 100 - done));
		spool_reader_close(r);
	}
}

static void going_back_gives_what_is_not_done_again(void **state)
{
	struct fixture *f = *state;
	set_up(f, 700, 60);
	struct spool_reader *r = open_reader(f);
	for (uint64_t done = 0; done < 60; done++) {
		assert_true(takes(r, done + 1, done + 1, 60 - done));
		spool_reader_rewind(r);
		assert_true(takes(r, done + 1, done + 1, (60 - done) / 2));
		spool_reader_rewind(r);
		/* The answer to what was given out before the rewind comes late. */
		spool_reader_done(r, done + 1);
		assert_int_equal(spool_reader_done_up_to(r), done + 1);
	}
	assert_true(takes_nothing(r));
	assert_true(spool_reader_is_empty(r));
	assert_int_equal(count_segments(f), 0);
	spool_reader_done(r, 1000); /* nobody was given that one */
	assert_int_equal(spool_reader_done_up_to(r), 60);
	spool_reader_close(r);
}

static void a_growing_segment_is_followed_and_stays_until_it_is_sealed(void **state)
{
	struct fixture *f = *state;
	f->options.segment_bytes = 2000;
	struct spool *s = open_spool(f);
	struct spool_reader *r = open_reader(f);
	assert_true(spool_reader_is_empty(r));
	for (uint64_t i = 1; i <= 200; i++) {
		append_line(s, i);
		assert_int_equal(spool_write(s), SPOOL_DONE);
		assert_true(takes(r, i, i, 1));
		assert_true(takes_nothing(r));
		spool_reader_done(r, i);
		assert_true(spool_reader_is_empty(r));
		assert_int_equal(count_segments(f), count_files(f, ".", ".open"));
		if (i % 50) continue;
		spool_reader_close(r);
		r = open_reader(f);
		assert_string_equal(f->said, "");
		assert_int_equal(spool_reader_done_up_to(r), i);
	}
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(takes_nothing(r));
	assert_int_equal(count_segments(f), 0);
	spool_reader_close(r);
}

static void what_came_since_the_reader_looked_into_the_folder_is_there_at_once(void **state)
{
	struct fixture *f = *state;
	set_up(f, 1000, 100);
	struct spool_reader *r = open_reader(f);
	assert_int_equal(utimensat(AT_FDCWD, f->path, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }, 0), 0); /* nothing has changed lately */
	assert_true(takes(r, 1, 1, 1)); /* it has seen the names that there were */
	write_lines(f, 101, 100);
	assert_true(takes(r, 2, 2, 199));
	assert_true(takes_nothing(r));
	spool_reader_close(r);
}

static void one_that_a_crash_left_open_is_sealed_and_taken(void **state)
{
	struct fixture *f = *state;
	IN_A_CHILD(
		struct spool *s = open_spool(f);
		for (uint64_t i = 1; i <= 20; i++) append_line(s, i);
		spool_write(s));
	assert_int_equal(count_files(f, ".", ".open"), 1);
	struct spool_reader *r = open_reader(f);
	assert_int_equal(count_files(f, ".", ".ndjson"), 1);
	assert_true(takes(r, 1, 1, 20));
	spool_reader_done(r, 20);
	assert_true(spool_reader_is_empty(r));
	spool_reader_close(r);
}

/* Between the two steps of compressing, and after a recovery that was cut short, two files hold the same lines. */
static void an_open_file_beside_a_sealed_one_goes_with_it(void **state)
{
	struct fixture *f = *state;
	char path[500];
	struct buffer content;
	set_up(f, 1 << 20, 5);
	struct spool_reader *r = open_reader(f);
	assert_true(takes(r, 1, 1, 5));
	buffer_init(&content, 1 << 20);
	assert_true(find_file(f, ".", ".ndjson", path) && read_file(path, &content));
	memcpy(strstr(path, ".ndjson"), ".open", sizeof ".open");
	assert_true(write_file(path, buffer_span(&content)));
	buffer_release(&content);
	spool_reader_done(r, 5);
	assert_true(takes_nothing(r));
	assert_int_equal(count_segments(f), 0);
	spool_reader_close(r);
}

static void only_one_takes_out(void **state)
{
	struct fixture *f = *state;
	struct spool_reader *r = open_reader(f);
	assert_null(open_reader(f));
	assert_int_equal(f->status, 73);
	assert_non_null(strstr(f->said, "is being drained by process "));
	spool_reader_close(r);
	r = open_reader(f);
	assert_non_null(r);
	spool_reader_close(r);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lines_are_numbered_from_one_and_segments_leave_when_they_are_done),
		CASE(a_restart_goes_on_with_the_same_numbers),
		CASE(after_a_kill_lines_come_again_with_the_numbers_they_had),
		CASE(going_back_gives_what_is_not_done_again),
		CASE(a_growing_segment_is_followed_and_stays_until_it_is_sealed),
		CASE(what_came_since_the_reader_looked_into_the_folder_is_there_at_once),
		CASE(one_that_a_crash_left_open_is_sealed_and_taken),
		CASE(an_open_file_beside_a_sealed_one_goes_with_it),
		CASE(only_one_takes_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
