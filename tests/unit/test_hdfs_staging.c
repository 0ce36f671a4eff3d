/* test_hdfs_staging - what is sealed outlives a kill, once; what is not whole, or not ours, is never handed out. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "staging_fixture.h"

static void one_batch_file(struct fixture *f)
{
	put(f, "type=x", "{\"n\":1}");
	put(f, "type=x", "{\"n\":2}");
	assert_true(partitions_seal_all(f->partitions));
}

static void batch(struct fixture *f)
{
	f->options.batch = true;
	f->options.segment = "seg";
}

static void a_sealed_file_is_handed_out_once(void **state)
{
	struct fixture *f = *state;
	batch(f);
	begin(f);
	one_batch_file(f);
	struct staging_sum left = staging_left(f->staging, false);
	assert_int_equal(left.files, 1);
	assert_int_equal(left.records, 2);
	assert_int_equal(left.bytes, 16);
	assert_int_equal(staging_left(f->staging, true).files, 0);
	taken(f, "type=x/seg-1.ndjson 2: {\"n\":1}\n{\"n\":2}\n");
	nothing_taken(f);
	assert_int_equal(staging_left(f->staging, false).files, 0);
	end(f);
	nothing_left(f);
}

static void a_dead_runs_sealed_files_are_handed_out_first(void **state)
{
	struct fixture *f = *state;
	batch(f);
	die_after(f, one_batch_file);
	f->options.segment = "next";
	begin(f);
	put(f, "", "{}");
	assert_true(partitions_seal_all(f->partitions));
	assert_int_equal(staging_left(f->staging, true).records, 2);
	assert_int_equal(staging_left(f->staging, false).records, 1);
	taken(f, "type=x/seg-1.ndjson 2: {\"n\":1}\n{\"n\":2}\n");
	taken(f, "/next-1.ndjson 1: {}\n");
	nothing_taken(f);
	end(f);
	nothing_left(f);
}

static void a_living_runs_files_are_let_alone(void **state)
{
	struct fixture *f = *state, other;
	batch(f);
	begin(f);
	one_batch_file(f);
	put(f, "open", "{}");
	other = *f;
	begin(&other);
	nothing_taken(&other);
	end(&other);
	taken(f, "type=x/seg-1.ndjson 2: {\"n\":1}\n{\"n\":2}\n");
	assert_true(partitions_seal_all(f->partitions));
	taken(f, "open/seg-1.ndjson 1: {}\n");
	end(f);
	nothing_left(f);
}

static void what_is_put_back_waits_for_the_next_run(void **state)
{
	struct fixture *f = *state;
	batch(f);
	begin(f);
	one_batch_file(f);
	staging_put_back(f->staging, staging_next(f->staging));
	nothing_taken(f);
	assert_int_equal(staging_left(f->staging, false).files, 1);
	assert_true(staging_keep(f->staging));
	end(f);
	begin(f);
	taken(f, "type=x/seg-1.ndjson 2: {\"n\":1}\n{\"n\":2}\n");
	end(f);
	nothing_left(f);
}

static void two_targets_do_not_mix(void **state)
{
	struct fixture *f = *state;
	batch(f);
	die_after(f, one_batch_file);
	struct staging *other = staging_open(&(struct staging_options){ .dir = f->dir, .target = "file:/elsewhere", .batch = true });
	assert_null(staging_next(other));
	staging_close(other);
}

static void a_directory_may_have_any_characters(void **state)
{
	static const char *const dirs[] = { "type=%2e%2e/x=\"q\\\x7f", "a=\t\n b/c=\xc3\xa9\xe2\x80\xae\xf0\x9f\x98\x80", "...", "_late/x=~", "" };
	struct fixture *f = *state;
	batch(f);
	f->options.open_limit = 10;
	begin(f);
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) put(f, dirs[i], "{}");
	assert_true(partitions_seal_all(f->partitions));
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		struct staging_item *item = staging_next(f->staging);
		assert_string_equal(item->dir, dirs[i]);
		staging_done(f->staging, item);
	}
	end(f);
}

static void what_is_no_directory_below_the_base_is_refused(void **state)
{
	static const char *const dirs[] = { "..", "a/..", "../a", "a/../b", "/a", "a/", "a//b", ".", "a/./b", "a\xff", "\xed\xa0\x80" };
	struct fixture *f = *state;
	begin(f);
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		assert_false(partitions_append(f->partitions, span_of(dirs[i]), SPAN("{}")));
		assert_int_equal(errno, EINVAL);
	}
	assert_false(partitions_append(f->partitions, (struct span){ "a\0b", 3 }, SPAN("{}")));
	assert_int_equal(partitions_staged(f->partitions), 0);
	end(f);
}

static void only_we_may_look(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	mode_t old = umask(0);
	f->options.pack = PACK_ZSTD;
	begin(f);
	put(f, "a", "{}");
	assert_true(partitions_flush(f->partitions));
	assert_int_equal(stat(target_dir(f), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(stat(only(target_dir(f), "run-"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	for (const char *const *name = (const char *const[]){ "lock", "1.dir", "1.ndjson", NULL }; *name; name++) {
		assert_int_equal(stat(run_file(f, *name), &status), 0);
		assert_int_equal(status.st_mode & 07777, 0600);
	}
	assert_true(partitions_seal_all(f->partitions));
	assert_int_equal(stat(run_file(f, "1.data"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(entries(only(target_dir(f), "run-")), 3);
	umask(old);
	end(f);
}

static void a_link_in_the_place_of_the_directory_is_refused(void **state)
{
	struct fixture *f = *state;
	char real[100], name[600];
	begin(f);
	end(f);
	snprintf(real, sizeof real, "%s/real", f->top);
	assert_int_equal(rename(f->dir, real), 0);
	assert_int_equal(symlink(real, f->dir), 0);
	assert_int_equal(exit_status_of(f), EXIT_NO_OUTPUT);
	assert_int_equal(unlink(f->dir), 0);
	assert_int_equal(rename(real, f->dir), 0);
	snprintf(name, sizeof name, "%s", target_dir(f));
	assert_int_equal(rename(name, real), 0);
	assert_int_equal(symlink(real, name), 0);
	assert_int_equal(exit_status_of(f), EXIT_NO_OUTPUT);
}

/* --- what a kill, or a machine that went down, leaves ------------------------------ */

static void one_packed_file(struct fixture *f)
{
	one_batch_file(f);
}

static void spoiled(struct fixture *f, void (*spoil)(struct fixture *))
{
	batch(f);
	f->options.pack = PACK_GZIP;
	die_after(f, one_packed_file);
	spoil(f);
	begin(f);
	nothing_taken(f);
	end(f);
	nothing_left(f);
}

static void cut_item(struct fixture *f) { assert_int_equal(truncate(run_file(f, "1.item"), 40), 0); }
static void empty_item(struct fixture *f) { assert_int_equal(truncate(run_file(f, "1.item"), 0), 0); }
static void cut_data(struct fixture *f) { assert_int_equal(truncate(run_file(f, "1.data"), 10), 0); }
static void longer_data(struct fixture *f) { append_text(run_file(f, "1.data"), "x"); }
static void no_data(struct fixture *f) { assert_int_equal(unlink(run_file(f, "1.data")), 0); }
static void unnamed_item(struct fixture *f) { assert_int_equal(rename(run_file(f, "1.item"), run_file(f, ".1.item")), 0); }
static void no_item(struct fixture *f) { assert_int_equal(unlink(run_file(f, "1.item")), 0); }
static void item_that_climbs(struct fixture *f)
{
	write_text(run_file(f, "1.item"), "{\"dir\":\"a/../..\",\"name\":\"n\",\"temp\":\".n\",\"data\":\"data\",\"bytes\":1,\"raw_bytes\":1,\"records\":1,\"checksum\":\"00000000000000000000000000000000\"}\n");
}

static void what_is_not_whole_is_no_sealed_file(void **state)
{
	void (*const ways[])(struct fixture *) = { cut_item, empty_item, cut_data, longer_data, no_data, unnamed_item, no_item, item_that_climbs };
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) spoiled(*state, ways[i]);
}

static void change_data(struct fixture *f)
{
	FILE *file = fopen(run_file(f, "1.data"), "r+");
	assert_non_null(file);
	assert_true(fputs("{\"n\":9}", file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void data_that_have_changed_are_not_published(void **state)
{
	struct fixture *f = *state;
	batch(f);
	die_after(f, one_batch_file);
	change_data(f);
	begin(f);
	nothing_taken(f);
	end(f);
	nothing_left(f);
}

/* Nobody is going to give them again. */
static void damaged_data_of_a_stream_are_set_aside(void **state)
{
	struct fixture *f = *state;
	die_after(f, one_batch_file);
	change_data(f);
	silence(true);
	begin(f);
	nothing_taken(f);
	end(f);
	silence(false);
	assert_int_equal(access(run_file(f, "1.damaged"), F_OK), 0);
	assert_int_equal(access(run_file(f, "1.item"), F_OK), -1);
}

static void sealed_with_its_lines_still_there(struct fixture *f)
{
	put(f, "x", "{}");
	assert_true(partitions_flush(f->partitions));
	assert_int_equal(link(run_file(f, "1.ndjson"), run_file(f, "keep")), 0);
	assert_int_equal(unlink(run_file(f, "1.ndjson")), 0);
	assert_int_equal(rename(run_file(f, "keep"), run_file(f, "1.ndjson")), 0);
	assert_true(partitions_seal_all(f->partitions));
	write_text(run_file(f, "1.ndjson"), "{}\n"); /* as if it had been killed before they were removed */
	write_text(run_file(f, "1.dir"), "{\"dir\":\"x\",\"file\":1,\"before\":\"00000000000000000000000000000000\"}\n");
}

static void lines_that_are_sealed_are_no_leftover(void **state)
{
	struct fixture *f = *state;
	f->options.pack = PACK_ZSTD;
	die_after(f, sealed_with_its_lines_still_there);
	begin(f);
	assert_int_equal(staging_leftover_count(f->staging), 0);
	char text[256];
	assert_true(take(f, text, sizeof text));
	nothing_taken(f);
	end(f);
	nothing_left(f);
}

static void open_batch_file(struct fixture *f)
{
	char line[70000];
	memset(line, ' ', sizeof line);
	line[0] = '{', line[sizeof line - 2] = '}', line[sizeof line - 1] = '\0';
	put(f, "x", line);
	assert_int_equal(access(run_file(f, "1.ndjson"), F_OK), 0);
}

static void what_a_batch_left_open_is_removed(void **state)
{
	struct fixture *f = *state;
	batch(f);
	die_after(f, open_batch_file);
	begin(f);
	nothing_taken(f);
	open_batch_file(f);
	end(f);
	nothing_left(f);
}

static void files_of_others_are_left_alone(void **state)
{
	struct fixture *f = *state;
	char outside[100];
	batch(f);
	snprintf(outside, sizeof outside, "%s/outside", f->top);
	write_text(outside, "{}\n");
	die_after(f, one_batch_file);
	write_text(run_file(f, "notes"), "mine");
	write_text(run_file(f, "01.item"), "mine");
	assert_int_equal(symlink(outside, run_file(f, "7.item")), 0);
	assert_int_equal(mkdir(run_file(f, "8.item"), 0700), 0);
	begin(f);
	taken(f, "type=x/seg-1.ndjson 2: {\"n\":1}\n{\"n\":2}\n");
	nothing_taken(f);
	end(f);
	assert_int_equal(access(outside, F_OK), 0);
	for (const char *const *name = (const char *const[]){ "notes", "01.item", "7.item", "8.item", NULL }; *name; name++)
		assert_int_equal(access(run_file(f, *name), F_OK), 0);
}

static void a_run_that_died_while_it_was_made_is_removed(void **state)
{
	struct fixture *f = *state;
	char path[600];
	begin(f);
	end(f);
	for (const char *const *name = (const char *const[]){ "run-20260101T000000Z-00000001-batch", "run-20260101T000000Z-00000002-stream", NULL }; *name; name++) {
		snprintf(path, sizeof path, "%s/%s", target_dir(f), *name);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	begin(f);
	end(f);
	nothing_left(f);
}

static void a_link_in_the_place_of_a_run_is_left_alone(void **state)
{
	struct fixture *f = *state;
	char outside[100], link[1000];
	batch(f);
	die_after(f, one_batch_file);
	snprintf(outside, sizeof outside, "%s/outside", f->top);
	snprintf(link, sizeof link, "%s", only(target_dir(f), "run-"));
	assert_int_equal(rename(link, outside), 0);
	assert_int_equal(symlink(outside, link), 0);
	begin(f);
	nothing_taken(f);
	end(f);
	assert_int_equal(entries(outside), 3);
}

static void all_dead_runs_have_their_turn(void **state)
{
	enum { RUNS = 140 };
	struct fixture *f = *state;
	size_t count = 0;
	batch(f);
	for (int i = 0; i < RUNS; i++) die_after(f, one_batch_file);
	begin(f);
	for (struct staging_item *item; (item = staging_next(f->staging)); count++) staging_done(f->staging, item);
	assert_int_equal(count, RUNS);
	end(f);
	nothing_left(f);
}

static void one_of_two_takes_a_dead_run_over(void **state)
{
	struct fixture *f = *state, other;
	batch(f);
	die_after(f, one_batch_file);
	begin(f);
	other = *f;
	begin(&other);
	nothing_taken(&other);
	taken(f, "type=x/seg-1.ndjson 2: {\"n\":1}\n{\"n\":2}\n");
	end(&other);
	end(f);
	nothing_left(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sealed_file_is_handed_out_once),
		TEST(a_dead_runs_sealed_files_are_handed_out_first),
		TEST(a_living_runs_files_are_let_alone),
		TEST(what_is_put_back_waits_for_the_next_run),
		TEST(two_targets_do_not_mix),
		TEST(a_directory_may_have_any_characters),
		TEST(what_is_no_directory_below_the_base_is_refused),
		TEST(only_we_may_look),
		TEST(a_link_in_the_place_of_the_directory_is_refused),
		TEST(what_is_not_whole_is_no_sealed_file),
		TEST(data_that_have_changed_are_not_published),
		TEST(damaged_data_of_a_stream_are_set_aside),
		TEST(lines_that_are_sealed_are_no_leftover),
		TEST(what_a_batch_left_open_is_removed),
		TEST(files_of_others_are_left_alone),
		TEST(a_run_that_died_while_it_was_made_is_removed),
		TEST(a_link_in_the_place_of_a_run_is_left_alone),
		TEST(all_dead_runs_have_their_turn),
		TEST(one_of_two_takes_a_dead_run_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
