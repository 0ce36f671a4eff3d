/* test_spool_limits - a spool that is full takes nothing and loses nothing, or drops its oldest segments; when there is room again it goes on. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mount.h>
#include <sys/statvfs.h>

#include "base/timestamp.h"
#include "io/diag.h"
#include "io/socket.h"
#include "left_out.h"
#include "spool_fixture.h"

static void await_due(struct spool *s)
{
	while (socket_clock_ms() < spool_due_ms(s)) usleep(1000);
}

/* Appends lines from `from` on until one is not taken, and commits now and then; returns the number of the first that was not. */
static uint64_t fill(struct spool *s, uint64_t from, uint64_t most, enum spool_result *result)
{
	for (uint64_t i = from; i < from + most; i++)
		if ((*result = append_line(s, i)) != SPOOL_DONE) return i;
	return from + most;
}

static void take_out_oldest(struct fixture *f)
{
	int dir_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct segment_list list;
	struct segment segment;
	char name[SEGMENT_NAME_MAX];
	segment_list_init(&list, dir_fd);
	assert_int_equal(segment_list_next(&list, &segment), 1);
	assert_int_not_equal(segment.form, SEGMENT_OPEN);
	segment_name(name, &segment, segment.form);
	assert_int_equal(unlinkat(dir_fd, name, 0), 0);
	close(dir_fd);
}

static uint64_t size_of_spool(struct fixture *f)
{
	uint64_t bytes = 0;
	struct stat status;
	struct segment segment;
	int dir_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(dir_fd);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (segment_parse(&segment, entry->d_name) && fstatat(dir_fd, entry->d_name, &status, 0) == 0) bytes += (uint64_t)status.st_size;
	closedir(dir);
	return bytes;
}

static void a_full_spool_blocks_until_segments_are_taken_out(void **state)
{
	struct fixture *f = *state;
	enum spool_result result;
	f->options.limit_bytes = 20000;
	f->options.segment_bytes = 2000;
	f->options.sync_bytes = 1000;
	struct spool *s = open_spool(f);
	uint64_t taken = fill(s, 0, 5000, &result);
	assert_int_equal(result, SPOOL_FULL);
	assert_in_range(taken, 100, 400);
	assert_non_null(strstr(spool_reason(s), "limit of 20000 bytes reached"));
	assert_int_equal(spool_counts(s)->waits, 1);
	assert_int_equal(spool_counts(s)->appended, taken);
	assert_true(size_of_spool(f) <= 20000);
	assert_int_equal(count_files(f, ".", ".open"), 0); /* all can be taken out */
	assert_true(spool_due_ms(s) <= socket_clock_ms() + 51);
	assert_int_equal(append_line(s, taken), SPOOL_FULL); /* nothing of it was taken, at once and after the wait */
	await_due(s);
	int64_t from = socket_clock_ms();
	assert_int_equal(append_line(s, taken), SPOOL_FULL);
	assert_int_equal(spool_counts(s)->appended, taken);
	assert_in_range(spool_due_ms(s), from + 51, socket_clock_ms() + 100);
	for (int i = 0; i < 10; i++) {
		from = socket_clock_ms();
		spool_commit(s);
		assert_true(spool_due_ms(s) <= socket_clock_ms() + 1000);
	}
	assert_int_equal(spool_counts(s)->waits, 1);
	assert_true(spool_due_ms(s) > from + 900);
	take_out_oldest(f);
	take_out_oldest(f);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	uint64_t more = fill(s, taken, 10, &result);
	assert_int_equal(result, SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	struct buffer all;
	char line[256];
	buffer_init(&all, 1 << 20);
	assert_int_equal(read_spool(f, &all), 0);
	struct span last = line_of(line, more - 1);
	assert_memory_equal(all.data + all.length - 1 - last.length, last.data, last.length);
	buffer_release(&all);
}

static void each_envelope_is_committed_or_not_taken(void **state)
{
	struct fixture *f = *state;
	enum spool_result result;
	f->options.sync = SPOOL_SYNC_EACH;
	f->options.limit_bytes = 20000;
	f->options.segment_bytes = 2000;
	struct spool *s = open_spool(f);
	uint64_t taken = fill(s, 0, 5000, &result);
	assert_int_equal(result, SPOOL_FULL);
	assert_int_equal(spool_uncommitted(s), 0);
	assert_int_equal(spool_counts(s)->committed, taken);
	assert_true(holds(f, 0, taken));
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, 0, taken));
}

static void a_limit_below_one_batch_or_one_line_stops_nothing_for_ever(void **state)
{
	struct fixture *f = *state;
	enum spool_result result;
	f->options.limit_bytes = 3000;
	struct spool *s = open_spool(f); /* a batch is 1 MiB */
	assert_int_equal(fill(s, 0, 500, &result), 500);
	assert_int_equal(spool_commit(s), SPOOL_FULL);
	assert_in_range(size_of_spool(f), 1000, 3000);
	uint64_t committed = spool_counts(s)->committed;
	assert_in_range(committed, 10, 100);
	while (spool_counts(s)->committed < 500) {
		take_out_oldest(f);
		result = spool_commit(s);
		assert_true(spool_counts(s)->committed > committed);
		committed = spool_counts(s)->committed;
	}
	assert_int_equal(result, SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	remove_all(AT_FDCWD, f->path);
	f->options.limit_bytes = 10;
	s = open_spool(f);
	assert_int_equal(append_line(s, 0), SPOOL_DONE);
	assert_int_equal(append_line(s, 1), SPOOL_DONE);
	assert_int_equal(spool_commit(s), SPOOL_FULL);
	assert_int_equal(spool_counts(s)->committed, 1);
	take_out_oldest(f);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
}

static void drop_oldest_with(struct fixture *f, uint64_t segment_bytes)
{
	enum spool_result result;
	f->options.when_full = SPOOL_DROP_OLDEST;
	f->options.limit_bytes = 20000;
	f->options.segment_bytes = segment_bytes;
	f->options.sync_bytes = 1000;
	struct spool *s = open_spool(f);
	int kept = said_begin(f);
	assert_int_equal(fill(s, 0, 2000, &result), 2000);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	said_end(f, kept);
	const char *first = strstr(f->said, "oldest segments are dropped, first 000000000001-");
	assert_non_null(first);
	assert_string_equal(strchr(first, '\n'), "\n"); /* the end of all that was said */
	uint64_t dropped = spool_counts(s)->dropped_records;
	assert_true(spool_counts(s)->dropped_segments > 3);
	assert_true(dropped > 1000 && dropped < 2000);
	assert_int_equal(spool_counts(s)->waits, 0);
	assert_true(size_of_spool(f) <= 20000);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, dropped, 2000 - dropped));
	assert_non_null(strstr(f->said, "were dropped in all"));
	remove_all(AT_FDCWD, f->path);
}

static void drop_oldest_drops_the_oldest_and_says_so_once(void **state)
{
	drop_oldest_with(*state, 2000);
	drop_oldest_with(*state, 16 << 20); /* there is never more than the open one: it is sealed for that */
}

static void drop_oldest_counts_compressed_segments_too(void **state)
{
	struct fixture *f = *state;
	enum spool_result result;
	f->options.when_full = SPOOL_DROP_OLDEST;
	f->options.compress = true;
	f->options.limit_bytes = 8000;
	f->options.segment_bytes = 2000;
	struct spool *s = open_spool(f);
	int kept = said_begin(f);
	assert_int_equal(fill(s, 0, 2000, &result), 2000);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	said_end(f, kept);
	uint64_t dropped = spool_counts(s)->dropped_records;
	assert_true(dropped > 100);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, dropped, 2000 - dropped));
}

static void leave_aged(struct fixture *f, int64_t age_s)
{
	struct segment segment;
	struct buffer content;
	char name[SEGMENT_NAME_MAX], path[500];
	segment_make(&segment, 1, timestamp_now() - age_s * 1000000000);
	segment_name(name, &segment, SEGMENT_SEALED);
	mkdir(f->path, 0700);
	snprintf(path, sizeof path, "%s/%s", f->path, name);
	buffer_init(&content, 4096);
	struct segment_trailer sum = { .records = 0 };
	assert_true(segment_trailer_append(&content, segment.stem, &sum));
	assert_true(write_file(path, buffer_span(&content)));
	buffer_release(&content);
}

static void a_spool_is_full_once_its_oldest_segment_is_too_old(void **state)
{
	struct fixture *f = *state;
	f->options.limit_ms = 60000;
	f->options.segment_bytes = 1;
	leave_aged(f, 50);
	struct spool *s = open_spool(f);
	assert_int_equal(append_line(s, 0), SPOOL_DONE);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	remove_all(AT_FDCWD, f->path);
	leave_aged(f, 70);
	s = open_spool(f);
	assert_int_equal(append_line(s, 0), SPOOL_DONE);
	assert_int_equal(spool_commit(s), SPOOL_FULL);
	assert_non_null(strstr(spool_reason(s), "the oldest segment is 7"));
	take_out_oldest(f);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	/* A clock that was ahead when it was begun. */
	remove_all(AT_FDCWD, f->path);
	leave_aged(f, -100000);
	s = open_spool(f);
	assert_int_equal(append_line(s, 0), SPOOL_DONE);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
}

static void the_reserve_is_kept_free(void **state)
{
	struct fixture *f = *state;
	struct statvfs disk;
	struct spool *s;
	assert_int_equal(statvfs(f->root, &disk), 0);
	f->options.reserve_bytes = (uint64_t)disk.f_bavail * disk.f_frsize * 2;
	s = open_spool(f);
	assert_int_equal(append_line(s, 0), SPOOL_DONE);
	assert_int_equal(spool_commit(s), SPOOL_FULL);
	assert_non_null(strstr(spool_reason(s), "reserve"));
	assert_int_equal(spool_uncommitted(s), 1);
	assert_int_equal(close_spool(f, s), SPOOL_FULL);
	f->options.reserve_bytes = 4096;
	s = open_spool(f);
	assert_int_equal(append_line(s, 0), SPOOL_DONE);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
}

/* --- a disk that is full: a small filesystem in memory --- */

static void mount_small(struct fixture *f)
{
	if (mkdir(f->path, 0700) < 0 || mount("none", f->path, "tmpfs", 0, "size=64k,mode=0700") < 0)
		leave_out("a small file system cannot be mounted: %s", strerror(errno));
}

static int unmount_and_close(void **state)
{
	struct fixture *f = *state;
	umount2(f->path, MNT_DETACH);
	return close_fixture(state);
}

static void a_full_disk_blocks_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	enum spool_result result;
	mount_small(f);
	f->options.segment_bytes = 8000;
	f->options.sync_bytes = 3000;
	struct spool *s = open_spool(f);
	assert_non_null(s);
	uint64_t taken = fill(s, 0, 5000, &result);
	assert_int_equal(result, SPOOL_FULL);
	assert_string_equal(spool_reason(s), "writing: No space left on device");
	uint64_t committed = spool_counts(s)->committed;
	assert_true(committed > 300);
	assert_true(holds(f, 0, committed)); /* nothing torn is seen */
	await_due(s);
	assert_int_equal(spool_attend(s), SPOOL_FULL);
	assert_true(holds(f, 0, committed));
	take_out_oldest(f);
	await_due(s);
	assert_int_equal(spool_attend(s), SPOOL_DONE);
	uint64_t all = fill(s, taken, 20, &result);
	assert_int_equal(result, SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	struct buffer content;
	char line[256];
	buffer_init(&content, 1 << 20);
	assert_int_equal(read_spool(f, &content), 0);
	struct span last = line_of(line, all - 1);
	assert_memory_equal(content.data + content.length - 1 - last.length, last.data, last.length);
	buffer_release(&content);
}

static void a_full_disk_at_the_end_leaves_what_the_next_writer_seals(void **state)
{
	struct fixture *f = *state;
	enum spool_result result;
	char path[500];
	mount_small(f);
	f->options.sync_bytes = 100;
	struct spool *s = open_spool(f);
	assert_non_null(s);
	uint64_t taken = fill(s, 0, 5000, &result);
	assert_int_equal(result, SPOOL_FULL);
	assert_int_equal(spool_counts(s)->segments_sealed, 0);
	assert_true(spool_uncommitted(s) <= 2);
	uint64_t committed = spool_counts(s)->committed;
	assert_true(committed + 2 >= taken);
	close_spool(f, s);
	assert_int_equal(count_files(f, ".", ".open"), 1);
	assert_true(holds(f, 0, committed));
	assert_null(open_spool(f)); /* no room to recover either, and nothing lost by trying */
	assert_int_equal(f->status, EXIT_IO);
	assert_true(holds(f, 0, committed));
	assert_true(find_file(f, ".", ".open", path));
	assert_int_equal(mount("none", f->path, "tmpfs", MS_REMOUNT, "size=128k"), 0);
	s = open_spool(f);
	assert_non_null(s);
	assert_int_equal(spool_counts(s)->recovered, committed);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, 0, committed));
	assert_int_equal(count_files(f, ".", ".open"), 0);
}

static void drop_oldest_makes_room_on_a_full_disk(void **state)
{
	struct fixture *f = *state;
	enum spool_result result;
	mount_small(f);
	f->options.when_full = SPOOL_DROP_OLDEST;
	f->options.segment_bytes = 8000;
	f->options.sync_bytes = 3000;
	struct spool *s = open_spool(f);
	assert_non_null(s);
	int kept = said_begin(f);
	uint64_t taken = fill(s, 0, 5000, &result);
	result = spool_commit(s);
	said_end(f, kept);
	assert_int_equal(taken, 5000);
	assert_int_equal(result, SPOOL_DONE);
	uint64_t dropped = spool_counts(s)->dropped_records;
	assert_true(dropped > 1000);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, dropped, 5000 - dropped));
}

#define spool_test(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)
#define disk_test(test) cmocka_unit_test_setup_teardown(test, open_fixture, unmount_and_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		spool_test(a_full_spool_blocks_until_segments_are_taken_out),
		spool_test(each_envelope_is_committed_or_not_taken),
		spool_test(a_limit_below_one_batch_or_one_line_stops_nothing_for_ever),
		spool_test(drop_oldest_drops_the_oldest_and_says_so_once),
		spool_test(drop_oldest_counts_compressed_segments_too),
		spool_test(a_spool_is_full_once_its_oldest_segment_is_too_old),
		spool_test(the_reserve_is_kept_free),
		disk_test(a_full_disk_blocks_and_loses_nothing),
		disk_test(a_full_disk_at_the_end_leaves_what_the_next_writer_seals),
		disk_test(drop_oldest_makes_room_on_a_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
