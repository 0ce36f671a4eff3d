/* test_hdfs_leftover - a stream that was killed and is fed again is published once; one that goes on loses nothing. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "staging_fixture.h"

static const char *lines_text(int first, int last)
{
	static char text[2][4096];
	static int turn;
	char *out = text[turn ^= 1];
	*out = '\0';
	for (int i = first; i <= last; i++) sprintf(out + strlen(out), "{\"n\":%d}\n", i);
	return out;
}

static void write_five(struct fixture *f)
{
	put_lines(f, "a", 1, 5);
	assert_true(partitions_flush(f->partitions));
}

static void seal_all(struct fixture *f)
{
	assert_true(partitions_seal_all(f->partitions));
	assert_int_equal(staging_leftover_count(f->staging), 0);
}

static void finish(struct fixture *f)
{
	nothing_taken(f);
	end(f);
	nothing_left(f);
}

static void after_five(struct fixture *f)
{
	die_after(f, write_five);
	begin(f);
	assert_int_equal(staging_leftover_count(f->staging), 1);
	nothing_taken(f);
}

static void lines_that_come_again_are_published_once(void **state)
{
	struct fixture *f = *state;
	for (int last = 5; last <= 9; last += 4) { /* as many, and more */
		after_five(f);
		put_lines(f, "a", 1, last);
		seal_all(f);
		taken_lines(f, lines_text(1, last));
		finish(f);
	}
}

static void the_old_file_goes_when_its_lines_are_in_the_new_one(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	char old[1000];
	die_after(f, write_five);
	snprintf(old, sizeof old, "%s", run_file(f, "1.ndjson"));
	begin(f);
	put_lines(f, "a", 1, 4);
	assert_int_equal(stat(old, &status), 0);
	put_lines(f, "a", 5, 5);
	assert_int_equal(stat(old, &status), -1);
	assert_int_equal(stat(run_file(f, "1.ndjson"), &status), 0);
	assert_int_equal(status.st_size, 40);
	seal_all(f);
	taken_lines(f, lines_text(1, 5));
	finish(f);
}

static void other_lines_of_the_same_length_are_published_beside_it(void **state)
{
	struct fixture *f = *state;
	after_five(f);
	put_lines(f, "a", 2, 6);
	seal_all(f);
	taken_lines(f, lines_text(1, 5));
	taken_lines(f, lines_text(2, 6));
	finish(f);
}

static void a_file_that_passes_its_length_is_another(void **state)
{
	struct fixture *f = *state;
	after_five(f);
	put_lines(f, "a", 1, 4);
	put(f, "a", "{\"a longer one\":5}");
	assert_int_equal(partitions_due_ms(f->partitions), 0);
	assert_true(partitions_tick(f->partitions));
	taken_lines(f, lines_text(1, 5)); /* at once */
	seal_all(f);
	char text[256];
	assert_true(take(f, text, sizeof text));
	finish(f);
}

static void a_file_sealed_before_is_another(void **state)
{
	struct fixture *f = *state;
	after_five(f);
	put_lines(f, "a", 1, 3);
	seal_all(f);
	taken_lines(f, lines_text(1, 5));
	taken_lines(f, lines_text(1, 3));
	finish(f);
}

static void another_directorys_lines_are_others(void **state)
{
	struct fixture *f = *state;
	after_five(f);
	put_lines(f, "b", 1, 5);
	seal_all(f);
	taken(f, "a/e2fbcc5371c507426445b9c07144315d.ndjson 5: {\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n");
	taken(f, "b/e2fbcc5371c507426445b9c07144315d.ndjson 5: {\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n");
	finish(f);
}

static void a_stream_that_is_over_leaves_nothing_back(void **state)
{
	struct fixture *f = *state;
	after_five(f);
	seal_all(f);
	taken_lines(f, lines_text(1, 5));
	finish(f);
}

static void one_that_nothing_comes_for_waits_as_long_as_a_file(void **state)
{
	struct fixture *f = *state;
	f->options.rotate_ms = 3600000;
	after_five(f);
	assert_true(partitions_due_ms(f->partitions) > 3000000);
	assert_true(partitions_tick(f->partitions));
	nothing_taken(f);
	end(f);
	f->options.rotate_ms = 0;
	begin(f);
	assert_int_equal(partitions_due_ms(f->partitions), 0);
	assert_true(partitions_tick(f->partitions));
	taken_lines(f, lines_text(1, 5));
	finish(f);
}

/* --- not the first file of its directory ------------------------------------------------ */

static void write_three_files(struct fixture *f)
{
	put_lines(f, "a", 1, 6);
	put_lines(f, "b", 1, 1);
	assert_true(partitions_flush(f->partitions));
}

static void each_file_is_held_against_its_own(void **state)
{
	struct fixture *f = *state;
	f->options.rotate_bytes = 24;
	die_after(f, write_five); /* 1 2 3, sealed, 4 5 */
	begin(f);
	taken_lines(f, lines_text(1, 3));
	assert_int_equal(staging_leftover_count(f->staging), 1);
	put_lines(f, "a", 1, 3);
	put_lines(f, "a", 4, 7);
	seal_all(f);
	taken_lines(f, lines_text(1, 3)); /* under the same name: it is there */
	taken_lines(f, lines_text(4, 6));
	taken_lines(f, lines_text(7, 7));
	finish(f);
}

static void a_file_behind_others_is_another(void **state)
{
	struct fixture *f = *state;
	f->options.rotate_bytes = 24;
	die_after(f, write_five);
	begin(f);
	taken_lines(f, lines_text(1, 3));
	put_lines(f, "a", 2, 4);
	put_lines(f, "a", 4, 5); /* as in the leftover, but behind other lines */
	assert_true(partitions_tick(f->partitions));
	taken_lines(f, lines_text(4, 5)); /* at once */
	seal_all(f);
	taken_lines(f, lines_text(2, 4));
	char text[256];
	assert_true(take(f, text, sizeof text)); /* named -2: these are not the same envelopes */
	assert_non_null(strstr(text, lines_text(4, 5)));
	finish(f);
}

static void killed_again_and_again_it_is_published_once(void **state)
{
	struct fixture *f = *state;
	f->options.rotate_bytes = 32;
	for (int i = 0; i < 5; i++) die_after(f, write_five);
	begin(f);
	assert_int_equal(staging_leftover_count(f->staging), 1); /* each has forgotten the one before */
	for (int i = 0; i < 5; i++) taken_lines(f, lines_text(1, 4)); /* each under the same name */
	put_lines(f, "a", 1, 7);
	seal_all(f);
	taken_lines(f, lines_text(1, 4));
	taken_lines(f, lines_text(5, 7));
	finish(f);
}

/* --- what a kill makes of a file ---------------------------------------------------------- */

static void a_torn_line_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	char old[1000];
	die_after(f, write_five);
	snprintf(old, sizeof old, "%s", run_file(f, "1.ndjson"));
	append_text(old, "{\"n\":");
	begin(f);
	assert_int_equal(stat(old, &status), 0);
	assert_int_equal(status.st_size, 40);
	put_lines(f, "a", 1, 6);
	seal_all(f);
	taken_lines(f, lines_text(1, 6));
	finish(f);
	die_after(f, write_five);
	append_text(run_file(f, "1.ndjson"), "{\"n\":");
	begin(f);
	seal_all(f);
	taken_lines(f, lines_text(1, 5));
	finish(f);
}

static void a_file_without_a_whole_line_is_nothing(void **state)
{
	struct fixture *f = *state;
	for (int length = 0; length <= 5; length += 5) {
		die_after(f, write_five);
		assert_int_equal(truncate(run_file(f, "1.ndjson"), length), 0);
		begin(f);
		assert_int_equal(staging_leftover_count(f->staging), 0);
		finish(f);
	}
}

static void a_very_long_torn_line_is_cut_off(void **state)
{
	struct fixture *f = *state;
	FILE *file;
	die_after(f, write_five);
	assert_non_null(file = fopen(run_file(f, "1.ndjson"), "a"));
	for (int i = 0; i < 500000; i++) fputc('x', file);
	assert_int_equal(fclose(file), 0);
	begin(f);
	seal_all(f);
	taken_lines(f, lines_text(1, 5));
	finish(f);
}

static void half_packed_it_is_packed_anew(void **state)
{
	struct fixture *f = *state;
	f->options.pack = PACK_GZIP;
	die_after(f, write_five);
	write_text(run_file(f, "1.data"), "half of it");
	write_text(run_file(f, ".1.item"), "{\"dir\":");
	begin(f);
	assert_int_equal(staging_leftover_count(f->staging), 1);
	seal_all(f);
	char text[256];
	assert_true(take(f, text, sizeof text));
	assert_non_null(strstr(text, ".ndjson.gz 5: "));
	finish(f);
}

/* --- who takes it over -------------------------------------------------------------------- */

static void a_batch_leaves_it_to_the_next_stream(void **state)
{
	struct fixture *f = *state;
	die_after(f, write_five);
	f->options.batch = true;
	begin(f);
	assert_int_equal(staging_leftover_count(f->staging), 1);
	put_lines(f, "a", 1, 5);
	assert_true(partitions_seal_all(f->partitions));
	taken_lines(f, lines_text(1, 5));
	nothing_taken(f);
	end(f);
	f->options.batch = false;
	begin(f);
	seal_all(f);
	taken_lines(f, lines_text(1, 5));
	finish(f);
}

static void write_two_others(struct fixture *f)
{
	put_lines(f, "b", 7, 8);
	put_lines(f, "c", 9, 9);
	assert_true(partitions_flush(f->partitions));
}

static void what_is_not_sealed_stays_for_the_next_run(void **state)
{
	struct fixture *f = *state;
	begin(f);
	write_five(f);
	end(f);
	die_after(f, write_two_others);
	begin(f);
	assert_int_equal(staging_leftover_count(f->staging), 3);
	put_lines(f, "a", 1, 5);
	assert_int_equal(staging_leftover_count(f->staging), 2);
	seal_all(f);
	taken_lines(f, lines_text(7, 8));
	taken_lines(f, lines_text(9, 9));
	taken_lines(f, lines_text(1, 5));
	finish(f);
}

static void a_sealed_leftover_outlives_a_kill(void **state)
{
	struct fixture *f = *state;
	f->options.rotate_bytes = 16;
	die_after(f, write_three_files);
	die_after(f, seal_all);
	begin(f);
	assert_int_equal(staging_leftover_count(f->staging), 0);
	taken_lines(f, lines_text(1, 2));
	taken_lines(f, lines_text(3, 4));
	taken_lines(f, lines_text(5, 6));
	taken_lines(f, lines_text(1, 1));
	finish(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_that_come_again_are_published_once),
		TEST(the_old_file_goes_when_its_lines_are_in_the_new_one),
		TEST(other_lines_of_the_same_length_are_published_beside_it),
		TEST(a_file_that_passes_its_length_is_another),
		TEST(a_file_sealed_before_is_another),
		TEST(another_directorys_lines_are_others),
		TEST(a_stream_that_is_over_leaves_nothing_back),
		TEST(one_that_nothing_comes_for_waits_as_long_as_a_file),
		TEST(each_file_is_held_against_its_own),
		TEST(a_file_behind_others_is_another),
		TEST(killed_again_and_again_it_is_published_once),
		TEST(a_torn_line_is_cut_off),
		TEST(a_file_without_a_whole_line_is_nothing),
		TEST(a_very_long_torn_line_is_cut_off),
		TEST(half_packed_it_is_packed_anew),
		TEST(a_batch_leaves_it_to_the_next_stream),
		TEST(what_is_not_sealed_stays_for_the_next_run),
		TEST(a_sealed_leftover_outlives_a_kill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
