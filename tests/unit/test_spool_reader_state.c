/* test_spool_reader_state - where the state or the segments are not what they were, all is given out anew, and nothing is passed over. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink/sealed_line.h"
#include "sink/spool_reader_private.h"
#include "spool_reader_fixture.h"

/* Removing a segment fails while this is set. */
static bool disk_is_broken;
int __real_unlinkat(int at, const char *name, int flags);
int __wrap_unlinkat(int at, const char *name, int flags);

int __wrap_unlinkat(int at, const char *name, int flags)
{
	if (!disk_is_broken || !strstr(name, ".ndjson")) return __real_unlinkat(at, name, flags);
	errno = EIO;
	return -1;
}

static void state_path(const struct fixture *f, char path[500])
{
	snprintf(path, 500, "%s/forward.state", f->path);
}

/* Some of the lines are done, some are on their way. */
static void begin(struct fixture *f, uint64_t done, uint64_t given, char id[SPOOL_READER_ID_BYTES])
{
	struct spool_reader *r = open_reader(f);
	memcpy(id, spool_reader_id(r), SPOOL_READER_ID_BYTES);
	assert_true(takes(r, 1, 1, given));
	spool_reader_done(r, done);
	spool_reader_close(r);
}

static enum spool_reader_load load_state(const struct fixture *f, struct spool_reader_state *loaded)
{
	const char *reason;
	int dir_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum spool_reader_load result = spool_reader_load(dir_fd, loaded, &reason);
	buffer_release(&loaded->held);
	close(dir_fd);
	return result;
}

static void a_state_with_any_bit_changed_or_byte_missing_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct spool_reader_state loaded;
	char path[500], id[SPOOL_READER_ID_BYTES];
	struct buffer text;
	set_up(f, 500, 30);
	begin(f, 14, 25, id);
	state_path(f, path);
	buffer_init(&text, 1 << 20);
	assert_true(read_file(path, &text));
	assert_int_equal(load_state(f, &loaded), SPOOL_READER_LOADED);
	assert_memory_equal(loaded.id, id, sizeof id);
	assert_int_equal(loaded.done, 14);
	assert_true(*loaded.segment && *loaded.finished && !loaded.clean);
	for (size_t at = 0; at < text.length; at++) {
		write_file(path, (struct span){ text.data, at });
		assert_int_equal(load_state(f, &loaded), SPOOL_READER_UNREADABLE);
		for (int bit = 0; bit < 8; bit++) {
			text.data[at] = (char)(text.data[at] ^ 1 << bit);
			write_file(path, buffer_span(&text));
			assert_int_equal(load_state(f, &loaded), SPOOL_READER_UNREADABLE);
			text.data[at] = (char)(text.data[at] ^ 1 << bit);
		}
	}
	buffer_release(&text);
}

static void a_state_that_cannot_be_read_gives_all_out_anew(void **state)
{
	struct fixture *f = *state;
	char path[500], id[SPOOL_READER_ID_BYTES];
	static const struct span states[] = { SPAN(""), SPAN("\n"), SPAN("{}\n"), SPAN("{\"type\":\"metlog.forward\",\"fields\":{}}\n") };
	set_up(f, 1 << 20, 10);
	begin(f, 3, 7, id);
	state_path(f, path);
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		write_file(path, states[i]);
		struct spool_reader *r = open_reader(f);
		assert_non_null(r);
		char *said = strstr(f->said, "forward.state: it is damaged; all that is in the spool is sent again");
		assert_non_null(said);
		assert_ptr_equal(strchr(said, '\n') + 1, f->said + strlen(f->said)); /* one line */
		assert_memory_not_equal(spool_reader_id(r), id, sizeof id);
		assert_int_equal(spool_reader_done_up_to(r), 0);
		assert_true(takes(r, 1, 1, 10));
		assert_true(takes_nothing(r));
		memcpy(id, spool_reader_id(r), sizeof id);
		spool_reader_close(r);
	}
}

static void no_state_is_a_new_sender(void **state)
{
	struct fixture *f = *state;
	char path[500], id[SPOOL_READER_ID_BYTES];
	set_up(f, 500, 30);
	begin(f, 20, 25, id);
	state_path(f, path);
	unlink(path);
	struct spool_reader *r = open_reader(f);
	assert_string_equal(f->said, "");
	assert_memory_not_equal(spool_reader_id(r), id, sizeof id);
	struct span line;
	uint64_t sequence, last = 0;
	while (spool_reader_next(r, &line, &sequence) == SPOOL_READER_LINE) assert_int_equal(sequence, ++last);
	assert_true(last >= 10 && last < 30); /* what was removed is gone, all else is there */
	spool_reader_close(r);
}

static void a_state_that_is_a_link_is_not_followed(void **state)
{
	struct fixture *f = *state;
	char path[500], elsewhere[600], id[SPOOL_READER_ID_BYTES];
	set_up(f, 500, 30);
	begin(f, 2, 5, id);
	state_path(f, path);
	snprintf(elsewhere, sizeof elsewhere, "%s.moved", path);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	struct spool_reader *r = open_reader(f);
	assert_memory_not_equal(spool_reader_id(r), id, sizeof id);
	assert_true(takes(r, 1, 1, 30));
	spool_reader_close(r);
	struct stat found;
	assert_int_equal(lstat(path, &found), 0);
	assert_true(S_ISREG(found.st_mode) && (found.st_mode & 077) == 0);
}

/* Segments by their order; -1 is the last one. */
static void path_of_segment(const struct fixture *f, int wanted, char path[500])
{
	struct segment_list list;
	struct segment segment;
	char name[SEGMENT_NAME_MAX];
	int dir_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	segment_list_init(&list, dir_fd);
	for (int i = 0; segment_list_next(&list, &segment) > 0; i++) {
		if (i != wanted && wanted >= 0) continue;
		segment_name(name, &segment, segment.form);
		snprintf(path, 500, "%s/%s", f->path, name);
	}
	close(dir_fd);
}

static void a_missing_segment_was_delivered_and_the_next_one_follows(void **state)
{
	struct fixture *f = *state;
	char path[500], id[SPOOL_READER_ID_BYTES];
	set_up(f, 500, 30);
	begin(f, 2, 5, id);
	path_of_segment(f, 0, path);
	unlink(path);
	struct spool_reader *r = open_reader(f);
	char *said = strstr(f->said, "is gone: on with the next one, under new numbers\n");
	assert_non_null(said);
	assert_int_equal(strchr(said, '\n')[1], '\0'); /* one line */
	/* What was on its way had numbers that the next ones must not get. */
	assert_memory_not_equal(spool_reader_id(r), id, sizeof id);
	struct span line;
	uint64_t sequence, last = 0;
	while (spool_reader_next(r, &line, &sequence) == SPOOL_READER_LINE) assert_int_equal(sequence, ++last);
	assert_true(last > 10 && last < 30);
	spool_reader_done(r, last);
	spool_reader_close(r);
}

/* Another tool took it out. With nothing on its way no number is in doubt. */
static void a_missing_segment_changes_no_number_if_nothing_was_on_its_way(void **state)
{
	struct fixture *f = *state;
	char path[500], id[SPOOL_READER_ID_BYTES];
	set_up(f, 1 << 20, 10);
	begin(f, 4, 4, id);
	path_of_segment(f, 0, path);
	unlink(path);
	write_lines(f, 11, 10);
	struct spool_reader *r = open_reader(f);
	assert_non_null(strstr(f->said, "of which 4 lines were delivered, is gone: on with the next one\n"));
	assert_memory_equal(spool_reader_id(r), id, sizeof id);
	assert_true(takes(r, 11, 5, 10));
	spool_reader_close(r);
}

static void flip_byte(const char *path, off_t at)
{
	char byte;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (char)(byte ^ 0x80);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void a_damaged_segment_gives_its_good_lines_and_is_kept(void **state)
{
	struct fixture *f = *state;
	char path[500], wanted[256];
	struct span line;
	uint64_t sequence, last = 0;
	set_up(f, 1 << 20, 10);
	write_lines(f, 11, 10);
	path_of_segment(f, 0, path);
	flip_byte(path, (off_t)line_of(wanted, 1).length + 1 + 5); /* the second line is no UTF-8 any more */
	struct spool_reader *r = open_reader(f);
	int kept = said_begin(f);
	while (spool_reader_next(r, &line, &sequence) == SPOOL_READER_LINE) {
		assert_int_equal(sequence, ++last);
		assert_true(span_equal(line, line_of(wanted, last < 2 ? last : last + 1)));
	}
	assert_int_equal(last, 19);
	spool_reader_rewind(r); /* the numbers stay */
	for (uint64_t i = 1; i <= 19; i++) assert_true(spool_reader_next(r, &line, &sequence) == SPOOL_READER_LINE && sequence == i && span_equal(line, line_of(wanted, i < 2 ? i : i + 1)));
	assert_int_equal(count_files(f, "quarantine", ".ndjson"), 0);
	spool_reader_done(r, 19);
	said_end(f, kept);
	char *said = strstr(f->said, " is damaged: its checksum is not that of its trailer");
	assert_non_null(said);
	assert_null(strstr(said + 15, "damaged"));
	assert_int_equal(count_files(f, "quarantine", ".ndjson"), 1);
	assert_int_equal(count_segments(f), 0);
	spool_reader_close(r);
}

/* It was whole when lines of it were given out: their numbers cannot be found again. */
static void a_segment_damaged_between_two_runs_is_given_out_anew(void **state)
{
	struct fixture *f = *state;
	char path[500], id[SPOOL_READER_ID_BYTES];
	for (int which = 0; which < 2; which++) { /* the one that was begun, and one behind it of which nothing is done */
		f->options.segment_bytes = 300;
		struct stat found;
		write_lines(f, 1, 20);
		begin(f, 1, 15, id);
		path_of_segment(f, which, path);
		stat(path, &found);
		flip_byte(path, 20);
		struct spool_reader *r = open_reader(f);
		assert_memory_not_equal(spool_reader_id(r), id, sizeof id);
		struct span line;
		uint64_t sequence;
		int kept = said_begin(f);
		assert_int_equal(spool_reader_next(r, &line, &sequence), SPOOL_READER_LINE);
		said_end(f, kept);
		assert_int_equal(sequence, 1);
		spool_reader_close(r);
		remove_all(AT_FDCWD, f->path);
	}
}

/* The same after a kill: the state knows of each segment that was begun. */
static void a_segment_damaged_after_a_kill_is_given_out_anew(void **state)
{
	struct fixture *f = *state;
	char path[500], id[SPOOL_READER_ID_BYTES];
	set_up(f, 300, 20);
	begin(f, 0, 1, id);
	IN_A_CHILD(if (!takes(open_reader(f), 1, 1, 12)) _exit(1));
	path_of_segment(f, 1, path);
	flip_byte(path, 20);
	struct spool_reader *r = open_reader(f);
	assert_memory_not_equal(spool_reader_id(r), id, sizeof id);
	spool_reader_close(r);
}

/* A crash between the state that says so and the removal. */
static void a_finished_segment_that_is_still_there_is_put_away(void **state)
{
	struct fixture *f = *state;
	char path[500], left[700], id[SPOOL_READER_ID_BYTES];
	struct buffer copy;
	buffer_init(&copy, 1 << 20);
	for (int damaged = 0; damaged < 2; damaged++) {
		set_up(f, 300, 20);
		path_of_segment(f, 0, path);
		assert_true(read_file(path, &copy));
		size_t lines = 0;
		for (size_t i = 0; i < copy.length; i++) lines += copy.data[i] == '\n';
		begin(f, lines - 1, 12, id);
		assert_int_equal(access(path, F_OK), -1);
		write_file(path, buffer_span(&copy));
		if (damaged) flip_byte(path, 20);
		snprintf(left, sizeof left, "%s/delivered/%s", f->path, strrchr(path, '/') + 1);
		write_file(left, buffer_span(&copy));
		struct spool_reader *r = open_reader(f);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(count_files(f, "delivered", ""), 0);
		assert_int_equal(count_files(f, "quarantine", ".ndjson"), damaged);
		assert_memory_equal(spool_reader_id(r), id, sizeof id);
		assert_true(takes(r, lines, lines, 21 - lines));
		assert_true(takes_nothing(r));
		spool_reader_close(r);
		remove_all(AT_FDCWD, f->path);
	}
	buffer_release(&copy);
}

static void a_segment_that_cannot_be_removed_ends_the_run_and_nothing_comes_twice(void **state)
{
	struct fixture *f = *state;
	struct span line;
	uint64_t sequence;
	set_up(f, 300, 40);
	struct spool_reader *r = open_reader(f);
	assert_true(takes(r, 1, 1, 20));
	int kept = said_begin(f);
	disk_is_broken = true;
	spool_reader_done(r, 20); /* all of the first segments, and some of another */
	assert_int_equal(spool_reader_next(r, &line, &sequence), SPOOL_READER_FAILED);
	said_end(f, kept);
	assert_non_null(strstr(f->said, "putting away the segment"));
	spool_reader_close(r);
	disk_is_broken = false;
	r = open_reader(f);
	assert_string_equal(f->said, "");
	uint64_t done = spool_reader_done_up_to(r);
	assert_true(done > 0 && done < 20);
	assert_true(takes(r, done + 1, done + 1, 40 - done));
	spool_reader_done(r, 40);
	assert_int_equal(count_segments(f) + count_files(f, "delivered", ""), 0);
	spool_reader_close(r);
}

/* The state as another run of the kernel would have left it. */
static bool set_boot(const struct fixture *f, bool clean)
{
	char path[500];
	struct buffer text;
	state_path(f, path);
	buffer_init(&text, 1 << 20);
	read_file(path, &text);
	char *boot = memmem(text.data, text.length, "\"boot\":\"", 8), *end = memmem(text.data, text.length, ",\"line\":", 8);
	bool as_expected = boot && end && (memmem(text.data, text.length, "\"clean\":true", 12) != NULL) == clean;
	if (as_expected) {
		boot[8] = boot[8] == '0' ? '1' : '0';
		text.length = (size_t)(end - text.data);
		as_expected = sealed_line_end(&text, 0) && write_file(path, buffer_span(&text));
	}
	buffer_release(&text);
	return as_expected;
}

/* What it had not synced may be lost, and other lines have come in its place. */
static void after_a_restart_of_the_kernel_what_was_on_its_way_gets_new_numbers(void **state)
{
	struct fixture *f = *state;
	char id[SPOOL_READER_ID_BYTES];
	set_up(f, 500, 30);
	begin(f, 2, 5, id);
	assert_true(set_boot(f, false));
	struct spool_reader *r = open_reader(f);
	assert_memory_not_equal(spool_reader_id(r), id, sizeof id);
	assert_non_null(strstr(f->said, "it is sent again, under new numbers"));
	memcpy(id, spool_reader_id(r), sizeof id);
	assert_true(takes(r, 3, 1, 5)); /* what is done stays done */
	spool_reader_done(r, 5);
	spool_reader_close(r);
	assert_true(set_boot(f, true)); /* nothing was on its way */
	r = open_reader(f);
	assert_string_equal(f->said, "");
	assert_memory_equal(spool_reader_id(r), id, sizeof id);
	assert_true(takes(r, 8, 6, 23));
	spool_reader_done(r, 28);
	spool_reader_close(r);
	/* Killed, it leaves a state that does not say so, though nothing was on its way when it was written. */
	write_lines(f, 31, 3);
	IN_A_CHILD(if (!takes(open_reader(f), 31, 29, 2)) _exit(1));
	assert_true(set_boot(f, false));
}

/* A router that reads its routes again must go on with those it has. */
static void what_cannot_be_recovered_is_said_and_ends_nothing(void **state)
{
	struct fixture *f = *state;
	char path[500];
	set_up(f, 1 << 20, 3);
	snprintf(path, sizeof path, "%s/000000000002-20121005T120001Z-0000abcd.open", f->path);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_null(open_reader(f));
	assert_int_not_equal(f->status, 0);
	assert_int_equal(unlink(path), 0);
	struct spool_reader *r = open_reader(f); /* nobody holds the lock */
	assert_true(takes(r, 1, 1, 3));
	spool_reader_close(r);
}

static void strange_files_are_left_alone(void **state)
{
	struct fixture *f = *state;
	char path[500], strange[600];
	set_up(f, 1 << 20, 10);
	write_lines(f, 11, 10);
	path_of_segment(f, 0, path);
	snprintf(strange, sizeof strange, "%s/other", f->path);
	assert_int_equal(rename(path, strange), 0);
	assert_int_equal(symlink("other", path), 0);
	struct spool_reader *r = open_reader(f);
	int kept = said_begin(f);
	assert_true(takes(r, 11, 1, 10));
	assert_true(takes_nothing(r));
	assert_true(takes_nothing(r));
	said_end(f, kept);
	char *said = strstr(f->said, "it is left alone");
	assert_non_null(said);
	assert_null(strstr(said + 1, "it is left alone")); /* once */
	spool_reader_done(r, 10);
	spool_reader_close(r);
	struct stat found;
	assert_int_equal(lstat(path, &found), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_state_with_any_bit_changed_or_byte_missing_is_not_believed),
		CASE(a_state_that_cannot_be_read_gives_all_out_anew),
		CASE(no_state_is_a_new_sender),
		CASE(a_state_that_is_a_link_is_not_followed),
		CASE(a_missing_segment_was_delivered_and_the_next_one_follows),
		CASE(a_missing_segment_changes_no_number_if_nothing_was_on_its_way),
		CASE(a_damaged_segment_gives_its_good_lines_and_is_kept),
		CASE(a_segment_damaged_between_two_runs_is_given_out_anew),
		CASE(a_segment_damaged_after_a_kill_is_given_out_anew),
		CASE(a_finished_segment_that_is_still_there_is_put_away),
		CASE(a_segment_that_cannot_be_removed_ends_the_run_and_nothing_comes_twice),
		CASE(after_a_restart_of_the_kernel_what_was_on_its_way_gets_new_numbers),
		CASE(what_cannot_be_recovered_is_said_and_ends_nothing),
		CASE(strange_files_are_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
