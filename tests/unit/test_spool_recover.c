/* test_spool_recover - what a crash leaves is kept as far as it is whole, and what is not goes to quarantine, wherever the next crash comes. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/checksum.h"
#include "io/diag.h"
#include "spool_fixture.h"

#define STEM "000000000001-20121005T120001Z-0000abcd"

enum { RECORDS = 20 };

static void body_of(struct buffer *body, uint64_t from, uint64_t count)
{
	char line[256];
	for (uint64_t i = from; i < from + count; i++) {
		buffer_append_span(body, line_of(line, i));
		buffer_append_byte(body, '\n');
	}
}

static struct segment_trailer sum_of(struct span body, uint64_t records)
{
	return (struct segment_trailer){ .records = records, .bytes = body.length, .checksum = checksum_of(body) };
}

/* A file STEM.ENDING with this content, in a spool that nobody has open. */
static void leave(struct fixture *f, const char *ending, struct span content)
{
	char path[500];
	mkdir(f->path, 0700);
	snprintf(path, sizeof path, "%s/" STEM "%s", f->path, ending);
	assert_true(write_file(path, content));
}

static void recover(struct fixture *f, uint64_t recovered, uint64_t quarantined)
{
	struct spool *s = open_spool(f);
	if (!s) fail_msg("%s", f->said);
	assert_int_equal(spool_counts(s)->recovered, recovered);
	assert_int_equal(spool_counts(s)->quarantined, quarantined);
	char said[sizeof f->said];
	memcpy(said, f->said, sizeof said);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	memcpy(f->said, said, sizeof said);
	assert_int_equal(count_files(f, ".", ".open"), 0);
}

/* All that lies in quarantine/, in the order of its names, is exactly this. */
static void expect_quarantine(struct fixture *f, struct span wanted)
{
	char path[500];
	struct buffer content;
	buffer_init(&content, 64 << 20);
	assert_int_equal(count_files(f, "quarantine", ""), 1);
	assert_true(find_file(f, "quarantine", "", path));
	assert_non_null(strstr(path, STEM "."));
	assert_true(read_file(path, &content));
	assert_int_equal(content.length, wanted.length);
	assert_memory_equal(content.data, wanted.data, wanted.length);
	buffer_release(&content);
}

static void every_prefix_of_an_open_segment_keeps_its_whole_lines(void **state)
{
	struct fixture *f = *state;
	struct buffer body;
	buffer_init(&body, 1 << 20);
	body_of(&body, 0, RECORDS);
	for (size_t length = 0; length <= body.length; length++) {
		const char *last = memrchr(body.data, '\n', length);
		size_t whole = last ? (size_t)(last + 1 - body.data) : 0;
		uint64_t lines = 0;
		for (size_t i = 0; i < whole; i++) lines += body.data[i] == '\n';
		leave(f, ".open", (struct span){ body.data, length });
		recover(f, lines, length > whole);
		assert_true(holds(f, 0, lines));
		if (length > whole) expect_quarantine(f, (struct span){ body.data + whole, length - whole });
		else assert_int_equal(count_files(f, "quarantine", ""), 0);
		if (lines || length > whole) assert_non_null(strchr(f->said, '\n'));
		assert_true(!strchr(f->said, '\n') || strchr(f->said, '\n')[1] == '\0'); /* one line at most */
		remove_all(AT_FDCWD, f->path);
	}
	buffer_release(&body);
}

static void a_segment_that_was_almost_sealed_is_sealed(void **state)
{
	struct fixture *f = *state;
	struct buffer all;
	buffer_init(&all, 1 << 20);
	body_of(&all, 0, RECORDS);
	struct segment_trailer sum = sum_of(buffer_span(&all), RECORDS);
	size_t body = all.length;
	assert_true(segment_trailer_append(&all, STEM, &sum));
	leave(f, ".open", buffer_span(&all));
	recover(f, RECORDS, 0);
	assert_true(holds(f, 0, RECORDS));
	struct stat status;
	char path[500];
	assert_true(find_file(f, ".", ".ndjson", path));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, all.length); /* no second trailer */
	/* A trailer that is torn, at every byte. */
	for (size_t length = body + 1; length < all.length; length++) {
		remove_all(AT_FDCWD, f->path);
		leave(f, ".open", (struct span){ all.data, length });
		recover(f, RECORDS, 1);
		assert_true(holds(f, 0, RECORDS));
	}
	/* One that says something else. */
	remove_all(AT_FDCWD, f->path);
	all.length = body;
	sum.records++;
	assert_true(segment_trailer_append(&all, STEM, &sum));
	leave(f, ".open", buffer_span(&all));
	recover(f, RECORDS, 1);
	assert_true(holds(f, 0, RECORDS));
	/* One of nothing. */
	remove_all(AT_FDCWD, f->path);
	buffer_clear(&all);
	sum = sum_of(SPAN(""), 0);
	assert_true(segment_trailer_append(&all, STEM, &sum));
	leave(f, ".open", buffer_span(&all));
	recover(f, 0, 0);
	assert_true(holds(f, 0, 0));
	assert_int_equal(count_files(f, ".", ".ndjson"), 0);
	buffer_release(&all);
}

static void append_zeros(struct buffer *b, size_t count)
{
	for (size_t i = 0; i < count; i++) buffer_append_byte(b, '\0');
}

static void garbage_in_the_middle_goes_to_quarantine(void **state)
{
	struct fixture *f = *state;
	struct buffer all, bad;
	buffer_init(&all, 64 << 20);
	buffer_init(&bad, 64 << 20);
	body_of(&all, 0, 5);
	append_zeros(&all, 4096);
	append_zeros(&bad, 4096);
	body_of(&all, 1000, 1); /* the line whose start was lost stands behind the zeros, on their line */
	body_of(&bad, 1000, 1);
	body_of(&all, 5, 5);
	buffer_append_text(&all, "not json\n\n{\"type\":7}\n");
	buffer_append_text(&bad, "not json\n\n{\"type\":7}\n");
	body_of(&all, 10, 10);
	leave(f, ".open", buffer_span(&all));
	recover(f, 20, 2);
	assert_true(holds(f, 0, 20));
	expect_quarantine(f, buffer_span(&bad));
	assert_non_null(strstr(f->said, "20 envelopes kept"));
	assert_non_null(strstr(f->said, "quarantine/" STEM));
	assert_int_equal(count_files(f, ".", ""), 3); /* lock, quarantine, the segment */
	buffer_release(&all);
	buffer_release(&bad);
}

static void garbage_and_a_torn_tail_both_go(void **state)
{
	struct fixture *f = *state;
	struct buffer all;
	buffer_init(&all, 1 << 20);
	body_of(&all, 0, 5);
	buffer_append_text(&all, "not json\n");
	body_of(&all, 5, 5);
	buffer_append_text(&all, "{\"torn");
	leave(f, ".open", buffer_span(&all));
	recover(f, 10, 2);
	assert_true(holds(f, 0, 10));
	assert_int_equal(count_files(f, "quarantine", ""), 2);
	buffer_release(&all);
}

static void a_file_without_one_good_line_is_kept_in_quarantine(void **state)
{
	struct fixture *f = *state;
	struct buffer all;
	buffer_init(&all, 64 << 20);
	append_zeros(&all, 1 << 20);
	leave(f, ".open", buffer_span(&all));
	recover(f, 0, 1);
	expect_quarantine(f, buffer_span(&all));
	remove_all(AT_FDCWD, f->path);
	leave(f, ".open", SPAN("{\"type\":\"a line without its newline\"}"));
	recover(f, 0, 1);
	expect_quarantine(f, SPAN("{\"type\":\"a line without its newline\"}"));
	remove_all(AT_FDCWD, f->path);
	leave(f, ".open", SPAN("bad\nworse\n"));
	recover(f, 0, 1);
	expect_quarantine(f, SPAN("bad\nworse\n"));
	remove_all(AT_FDCWD, f->path);
	leave(f, ".open", SPAN(""));
	recover(f, 0, 0);
	assert_int_equal(count_files(f, ".", ""), 1);
	buffer_release(&all);
}

static void append_sealed(struct buffer *to, uint64_t records)
{
	body_of(to, 0, records);
	struct segment_trailer sum = sum_of(buffer_span(to), records);
	assert_true(segment_trailer_append(to, STEM, &sum));
}

static void an_open_file_beside_its_sealed_one_is_a_left_over(void **state)
{
	struct fixture *f = *state;
	struct buffer sealed;
	buffer_init(&sealed, 1 << 20);
	append_sealed(&sealed, RECORDS);
	leave(f, ".ndjson", buffer_span(&sealed));
	leave(f, ".open", (struct span){ sealed.data, sealed.length / 2 });
	recover(f, 0, 0);
	assert_true(holds(f, 0, RECORDS));
	assert_int_equal(count_files(f, "quarantine", ""), 0);
	/* A damaged one goes to quarantine, and the open one is recovered. */
	sealed.data[10] ^= 1;
	leave(f, ".ndjson", buffer_span(&sealed));
	sealed.data[10] ^= 1;
	leave(f, ".open", buffer_span(&sealed));
	recover(f, RECORDS, 1);
	assert_true(holds(f, 0, RECORDS));
	assert_int_equal(count_files(f, "quarantine", ""), 1);
	/* The same of a compressed one. */
	remove_all(AT_FDCWD, f->path);
	leave(f, ".ndjson.zst", SPAN("no zstd"));
	leave(f, ".open", buffer_span(&sealed));
	recover(f, RECORDS, 1);
	assert_true(holds(f, 0, RECORDS));
	expect_quarantine(f, SPAN("no zstd"));
	/* One that a consumer has finished with. */
	char path[500];
	remove_all(AT_FDCWD, f->path);
	leave(f, ".open", buffer_span(&sealed));
	snprintf(path, sizeof path, "%s/delivered", f->path);
	assert_int_equal(mkdir(path, 0700), 0);
	leave(f, ".ndjson.zst", SPAN("whatever"));
	char from[500];
	snprintf(from, sizeof from, "%s/" STEM ".ndjson.zst", f->path);
	snprintf(path, sizeof path, "%s/delivered/" STEM ".ndjson.zst", f->path);
	assert_int_equal(rename(from, path), 0);
	recover(f, 0, 0);
	assert_true(holds(f, 0, 0));
	buffer_release(&sealed);
}

static void temporary_files_of_a_writer_go_and_others_stay(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { ".tmp.writer." STEM ".ndjson", ".tmp.writer." STEM ".zst", ".tmp.writer." STEM ".piece", ".tmp.state" };
	char path[500];
	mkdir(f->path, 0700);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
		assert_true(write_file(path, SPAN("half a thi")));
	}
	recover(f, 0, 0);
	assert_int_equal(count_files(f, ".", ""), 2);
	assert_int_equal(count_files(f, ".", ".tmp.state"), 1);
}

/* The states between the steps of a recovery that was cut short: each comes to the same end. */
static void a_recovery_that_was_cut_short_is_done_again(void **state)
{
	struct fixture *f = *state;
	struct buffer all;
	char path[500];
	buffer_init(&all, 1 << 20);
	body_of(&all, 0, 5);
	uint64_t tail_at = all.length;
	buffer_append_text(&all, "{\"torn");
	/* The tail is in quarantine and not yet cut. */
	leave(f, ".open", buffer_span(&all));
	snprintf(path, sizeof path, "%s/quarantine", f->path);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/quarantine/" STEM ".%llu", f->path, (unsigned long long)tail_at);
	assert_true(write_file(path, SPAN("{\"torn")));
	recover(f, 5, 1);
	assert_true(holds(f, 0, 5));
	expect_quarantine(f, SPAN("{\"torn")); /* not twice */
	/* Something else lies under that name: it is not overwritten. */
	remove_all(AT_FDCWD, f->path);
	leave(f, ".open", buffer_span(&all));
	snprintf(path, sizeof path, "%s/quarantine", f->path);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/quarantine/" STEM ".%llu", f->path, (unsigned long long)tail_at);
	assert_true(write_file(path, SPAN("{\"else")));
	recover(f, 5, 1);
	assert_int_equal(count_files(f, "quarantine", ""), 2);
	/* The good lines are in their sealed copy, and the open file with the garbage is still there. */
	remove_all(AT_FDCWD, f->path);
	buffer_clear(&all);
	append_sealed(&all, 5);
	leave(f, ".ndjson", buffer_span(&all));
	leave(f, ".open", SPAN("garbage that is in quarantine\n"));
	recover(f, 0, 0);
	assert_true(holds(f, 0, 5));
	buffer_release(&all);
}

static void several_open_files_are_all_recovered(void **state)
{
	struct fixture *f = *state;
	struct buffer all;
	char path[500];
	buffer_init(&all, 1 << 20);
	mkdir(f->path, 0700);
	for (unsigned i = 0; i < 3; i++) {
		buffer_clear(&all);
		body_of(&all, i * 5, 5);
		snprintf(path, sizeof path, "%s/00000000000%u-20121005T120001Z-0000abcd.open", f->path, i + 1);
		assert_true(write_file(path, buffer_span(&all)));
	}
	recover(f, 15, 0);
	assert_true(holds(f, 0, 15));
	buffer_release(&all);
}

/* A line of 3 MB, as a writer with a larger --max-line leaves it, and one of 70 MB, which nothing has ever written. */
static void long_lines_are_kept_and_overlong_ones_are_not_held_in_memory(void **state)
{
	struct fixture *f = *state;
	struct buffer all;
	buffer_init(&all, 100 << 20);
	body_of(&all, 0, 2);
	buffer_append_text(&all, "{\"payload\":\"");
	for (size_t i = 0; i < 3 << 20; i++) buffer_append_byte(&all, 'x');
	buffer_append_text(&all, "\"}\n");
	size_t bad_at = all.length;
	append_zeros(&all, 70 << 20);
	buffer_append_byte(&all, '\n');
	leave(f, ".open", buffer_span(&all));
	recover(f, 3, 1);
	char path[500];
	struct stat status;
	assert_true(find_file(f, "quarantine", "", path));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, all.length - bad_at);
	buffer_release(&all);
}

#define spool_test(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		spool_test(every_prefix_of_an_open_segment_keeps_its_whole_lines),
		spool_test(a_segment_that_was_almost_sealed_is_sealed),
		spool_test(garbage_in_the_middle_goes_to_quarantine),
		spool_test(garbage_and_a_torn_tail_both_go),
		spool_test(a_file_without_one_good_line_is_kept_in_quarantine),
		spool_test(an_open_file_beside_its_sealed_one_is_a_left_over),
		spool_test(temporary_files_of_a_writer_go_and_others_stay),
		spool_test(a_recovery_that_was_cut_short_is_done_again),
		spool_test(several_open_files_are_all_recovered),
		spool_test(long_lines_are_kept_and_overlong_ones_are_not_held_in_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
