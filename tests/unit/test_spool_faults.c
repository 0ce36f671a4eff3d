/* test_spool_faults - a crash before each system call, and an error from each: what was committed is there, and nothing torn is seen. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>

#include "base/checksum.h"
#include "io/diag.h"
#include "io/socket.h"
#include "spool_fixture.h"
#include "spool_strike.h"

/* --- the writer --- */

enum { LINES = 60, BATCH = 7 };

/* How many whole lines the spool holds; the test fails unless they are lines 0, 1, 2 ... */
static uint64_t lines_held(struct fixture *f)
{
	struct buffer all;
	uint64_t count = 0;
	buffer_init(&all, 1 << 20);
	assert_int_equal(read_spool(f, &all), 0);
	for (size_t i = 0; i < all.length; i++) count += all.data[i] == '\n';
	buffer_release(&all);
	assert_true(holds(f, 0, count));
	return count;
}

/* Writes all lines, and notes after each commit how many are promised. Tries again while it is full. */
static enum spool_result write_lines(struct spool *s, volatile uint64_t *promised)
{
	for (uint64_t i = 0; i < LINES; i++) {
		enum spool_result result;
		while ((result = append_line(s, i)) == SPOOL_FULL) usleep(1000);
		if (result == SPOOL_DONE && i % BATCH == BATCH - 1)
			while ((result = spool_commit(s)) == SPOOL_FULL) usleep(1000);
		*promised = spool_counts(s)->committed;
		if (result != SPOOL_DONE) return result;
	}
	enum spool_result result;
	while ((result = spool_commit(s)) == SPOOL_FULL) usleep(1000);
	*promised = spool_counts(s)->committed;
	return result;
}

static volatile uint64_t *shared_count(void)
{
	void *memory = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	return memory;
}

/* Runs `run` in a child that dies at the n-th call: true if it came through. */
static bool run_until(struct fixture *f, unsigned crash_at, volatile uint64_t *promised, int (*run)(struct fixture *, volatile uint64_t *))
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		said_begin(f);
		arm();
		fault.crash_at = crash_at;
		_exit(run(f, promised));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 99 && WEXITSTATUS(status) != 0) fail_msg("ended with %d", WEXITSTATUS(status));
	return WEXITSTATUS(status) == 0;
}

static int write_all_lines(struct fixture *f, volatile uint64_t *promised)
{
	int status;
	struct spool *s = spool_try_open(f->path, &f->options, &status);
	return !s || write_lines(s, promised) != SPOOL_DONE || spool_close(s) != SPOOL_DONE;
}

static void crash_everywhere(struct fixture *f)
{
	volatile uint64_t *promised = shared_count();
	bool through = false;
	unsigned n = 1;
	f->options.segment_bytes = 500;
	for (; !through && n < 2000; n++) {
		*promised = 0;
		through = run_until(f, n, promised, write_all_lines);
		struct spool *s = open_spool(f);
		if (!s) fail_msg("after a crash at call %u: %s", n, f->said);
		assert_int_equal(spool_counts(s)->quarantined, 0);
		assert_int_equal(close_spool(f, s), SPOOL_DONE);
		uint64_t held = lines_held(f);
		if (held < *promised) fail_msg("%llu lines of %llu promised are there after a crash at call %u", (unsigned long long)held, (unsigned long long)*promised, n);
		assert_int_equal(count_files(f, ".", ".open"), 0);
		assert_int_equal(count_files(f, ".", ".zst") + count_files(f, ".", ".ndjson") + count_files(f, ".", "lock") + count_files(f, ".", "recovered"), count_files(f, ".", ""));
		remove_all(AT_FDCWD, f->path);
	}
	assert_true(through && n > 20);
	munmap((void *)promised, sizeof *promised);
}

static void a_writer_may_crash_anywhere(void **state)
{
	crash_everywhere(*state);
}

static void a_writer_that_compresses_may_crash_anywhere(void **state)
{
	struct fixture *f = *state;
	f->options.compress = true;
	crash_everywhere(f);
}

static void a_writer_without_fsync_may_crash_anywhere(void **state)
{
	struct fixture *f = *state;
	f->options.sync = SPOOL_SYNC_NONE;
	crash_everywhere(f);
}

/* --- recovery --- */

#define STEM "000000000001-20121005T120001Z-0000abcd"

static void leave(struct fixture *f, const char *ending, struct span content)
{
	char path[500];
	mkdir(f->path, 0700);
	snprintf(path, sizeof path, "%s/" STEM "%s", f->path, ending);
	assert_true(write_file(path, content));
}

static int only_open(struct fixture *f, volatile uint64_t *unused)
{
	int status;
	(void)unused;
	return !spool_try_open(f->path, &f->options, &status);
}

/* What a crash may leave: lines, then what is no line, then lines, then a torn one, then perhaps a trailer; and what stands beside it. */
static void recover_everywhere(struct fixture *f, const char *bad, const char *tail, bool trailer, const char *beside)
{
	struct buffer all;
	char line[256], path[500];
	bool through = false;
	buffer_init(&all, 1 << 20);
	for (uint64_t i = 0; i < 10; i++) {
		if (i == 5) buffer_append_text(&all, bad);
		buffer_append_span(&all, line_of(line, i));
		buffer_append_byte(&all, '\n');
	}
	buffer_append_text(&all, tail);
	struct segment_trailer sum = { .records = 10, .bytes = all.length, .checksum = checksum_of(buffer_span(&all)) };
	if (trailer) segment_trailer_append(&all, STEM, &sum);
	unsigned n = 1;
	for (; !through && n < 200; n++) {
		leave(f, ".open", buffer_span(&all));
		if (*beside) leave(f, beside, trailer && strcmp(beside, ".ndjson") == 0 ? buffer_span(&all) : SPAN("damaged"));
		through = run_until(f, n, NULL, only_open);
		struct spool *s = open_spool(f);
		if (!s) fail_msg("after a crash at call %u: %s", n, f->said);
		assert_int_equal(close_spool(f, s), SPOOL_DONE);
		assert_true(holds(f, 0, 10));
		size_t pieces = (*bad ? 1U : 0U) + (*tail ? 1U : 0U) + (*beside && strcmp(beside, ".ndjson") != 0 ? 1U : 0U);
		assert_int_equal(count_files(f, "quarantine", ""), pieces);
		for (size_t i = 0; i < 2; i++) {
			const char *piece = i ? tail : bad;
			struct buffer content;
			buffer_init(&content, 1 << 20);
			snprintf(path, sizeof path, "%s/quarantine/" STEM ".%zu", f->path, (size_t)(strstr(all.data, *piece ? piece : "{") - all.data));
			if (*piece) {
				assert_true(read_file(path, &content));
				assert_true(span_equal(buffer_span(&content), span_of(piece)));
			}
			buffer_release(&content);
		}
		remove_all(AT_FDCWD, f->path);
	}
	assert_true(through && n > 3);
	buffer_release(&all);
}

static void a_recovery_may_crash_anywhere(void **state)
{
	struct fixture *f = *state;
	recover_everywhere(f, "", "", false, "");
	recover_everywhere(f, "", "", true, "");
	recover_everywhere(f, "", "{\"torn", false, "");
	recover_everywhere(f, "no line\n\n", "", false, "");
	recover_everywhere(f, "no line\n\n", "{\"torn", false, "");
	recover_everywhere(f, "", "", true, ".ndjson");
	recover_everywhere(f, "", "", true, ".ndjson.zst");
}

/* --- errors --- */

struct row {
	enum call call;
	int error;
	bool gives_up; /* the spool fails for good; else it finds room again and all is written */
};

/* The n-th call fails once. What was promised is there; a shortage costs nothing at all. */
static void strike_everywhere(struct fixture *f, const struct row *row)
{
	static volatile uint64_t promised;
	bool struck_once = true;
	f->options.segment_bytes = 500;
	for (unsigned n = 1; struck_once && n < 500; n++) {
		struct spool *s = open_spool(f);
		assert_non_null(s);
		promised = 0;
		arm();
		fault.fail = row->call;
		fault.fail_at = n;
		fault.error = row->error;
		int kept = said_begin(f);
		enum spool_result written = write_lines(s, &promised);
		enum spool_result closed = spool_close(s);
		said_end(f, kept);
		fault.armed = false;
		struck_once = fault.failed;
		if (struck_once && row->gives_up) {
			assert_int_equal(closed, SPOOL_FAILED);
			if (row->call == CALL_FSYNC || row->call == CALL_FDATASYNC) assert_int_equal(fault.syncs_after, 0);
		}
		else {
			assert_int_equal(written, SPOOL_DONE);
			assert_int_equal(closed, SPOOL_DONE);
			promised = LINES;
		}
		s = open_spool(f);
		if (!s) fail_msg("after call %d, the %u-th, failed: %s", row->call, n, f->said);
		assert_int_equal(close_spool(f, s), SPOOL_DONE);
		uint64_t held = lines_held(f);
		if (held < promised) fail_msg("%llu of %llu lines after call %d, the %u-th, failed", (unsigned long long)held, (unsigned long long)promised, row->call, n);
		remove_all(AT_FDCWD, f->path);
		if (n == 1) assert_true(struck_once);
	}
	assert_false(struck_once);
}

static void an_error_of_the_disk_ends_it_and_loses_no_promise(void **state)
{
	static const struct row rows[] = {
		{ CALL_WRITE, EIO, true }, { CALL_WRITE, EROFS, true }, { CALL_FDATASYNC, EIO, true }, { CALL_FDATASYNC, ENOSPC, true },
		{ CALL_FDATASYNC, EROFS, true }, { CALL_FSYNC, EROFS, true }, /* of a filesystem that has aborted */
		{ CALL_FSYNC, EIO, true }, { CALL_RENAMEAT, EIO, true }, { CALL_OPENAT, EIO, true }, { CALL_OPENAT, EROFS, true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) strike_everywhere(*state, &rows[i]);
}

static void a_shortage_that_passes_loses_nothing_at_all(void **state)
{
	static const struct row rows[] = {
		{ CALL_WRITE, ENOSPC, false }, { CALL_WRITE, EDQUOT, false }, { CALL_WRITE, EINTR, false }, { CALL_OPENAT, ENOSPC, false }, { CALL_OPENAT, EMFILE, false },
		{ CALL_OPENAT, EINTR, false }, { CALL_RENAMEAT, ENOSPC, false }, { CALL_FDATASYNC, EINTR, false }, { CALL_FDATASYNC, EINVAL, false },
		{ CALL_FSYNC, EINTR, false }, { CALL_FSYNC, ENOTSUP, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) strike_everywhere(*state, &rows[i]);
}

static void what_cannot_be_compressed_is_sealed_as_it_is(void **state)
{
	struct fixture *f = *state;
	f->options.compress = true;
	static const struct row rows[] = { { CALL_RENAMEAT, ENOSPC, false }, { CALL_RENAMEAT, EIO, false }, { CALL_OPENAT, ENOSPC, false } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) strike_everywhere(f, &rows[i]);
}

/* A drain may have taken the compressed one out, and the .open one with it, before the writer comes to remove that. */
static void an_open_file_that_is_gone_once_it_was_compressed_is_no_error(void **state)
{
	struct fixture *f = *state;
	f->options.compress = true;
	static const struct row row = { CALL_UNLINKAT, ENOENT, false };
	strike_everywhere(f, &row);
}

/* Not once a wake-up: whoever waits until it is due would never wait. */
static void a_segment_that_cannot_be_sealed_for_want_of_room_is_due_again_later(void **state)
{
	struct fixture *f = *state;
	f->options.segment_ms = 1;
	struct spool *s = open_spool(f);
	assert_int_equal(append_line(s, 0), SPOOL_DONE);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	while (socket_clock_ms() < spool_due_ms(s)) usleep(1000);
	arm();
	fault.fail = CALL_WRITE;
	fault.fail_at = 1;
	fault.fail_on = true;
	fault.error = ENOSPC;
	assert_int_equal(spool_attend(s), SPOOL_FULL);
	fault.armed = false;
	int64_t left = spool_due_ms(s) - socket_clock_ms();
	assert_in_range(left, 100, 60000);
	assert_int_equal(append_line(s, 1), SPOOL_DONE); /* there is room for it */
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, 0, 2));
}

/* A write that is short may end with a line. What it has written is booked, and nothing is cut. */
static void a_short_write_of_whole_lines_counts_them(void **state)
{
	struct fixture *f = *state;
	struct buffer all;
	struct spool *s = open_spool(f);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(spool_append(s, SPAN("{\"a\":1}")), SPOOL_DONE);
		if (i == 0) assert_int_equal(spool_commit(s), SPOOL_DONE);
	}
	arm();
	fault.fail = CALL_WRITE;
	fault.fail_at = 1; /* two thirds of it */
	fault.error = ENOSPC;
	assert_int_equal(spool_commit(s), SPOOL_FULL);
	fault.armed = false;
	assert_int_equal(fault.seen[CALL_FTRUNCATE], 0);
	assert_int_equal(spool_counts(s)->committed, 3);
	assert_int_equal(spool_uncommitted(s), 1);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	buffer_init(&all, 4096);
	assert_int_equal(read_spool(f, &all), 0);
	assert_true(span_equal(buffer_span(&all), SPAN("{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n")));
	buffer_release(&all);
}

/* Full at once and for ever: what recovery needs is not there, and nothing is lost by trying. */
static void a_recovery_without_room_is_done_when_there_is_some(void **state)
{
	struct fixture *f = *state;
	static const char *const contents[] = { "{\"a\":1}\n{\"torn", "{\"a\":1}\nbad\n{\"b\":1}\n", "{\"a\":1}\n" };
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		struct buffer all;
		leave(f, ".open", span_of(contents[i]));
		arm();
		fault.fail = CALL_WRITE;
		fault.fail_at = 1;
		fault.fail_on = true;
		fault.error = ENOSPC;
		assert_null(open_spool(f));
		fault.armed = false;
		assert_int_equal(f->status, EXIT_IO);
		assert_non_null(strstr(f->said, "No space left on device"));
		struct spool *s = open_spool(f);
		assert_non_null(s);
		assert_int_equal(spool_counts(s)->recovered, i == 1 ? 2 : 1);
		assert_int_equal(spool_counts(s)->quarantined, i != 2);
		assert_int_equal(close_spool(f, s), SPOOL_DONE);
		buffer_init(&all, 4096);
		assert_int_equal(read_spool(f, &all), 0);
		assert_true(span_equal(buffer_span(&all), i == 1 ? SPAN("{\"a\":1}\n{\"b\":1}\n") : SPAN("{\"a\":1}\n")));
		buffer_release(&all);
		remove_all(AT_FDCWD, f->path);
	}
}

/* After a failed fsync the kernel may hold as written what is not on disk: only what is written again is. */
static void recovery_writes_again_what_it_seals(void **state)
{
	struct fixture *f = *state;
	char line[256];
	struct buffer all;
	buffer_init(&all, 1 << 20);
	for (uint64_t i = 0; i < 3000; i++) {
		buffer_append_span(&all, line_of(line, i));
		buffer_append_byte(&all, '\n');
	}
	leave(f, ".open", buffer_span(&all));
	arm();
	struct spool *s = open_spool(f);
	fault.armed = false;
	assert_non_null(s);
	assert_true(fault.rewritten >= all.length);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, 0, 3000));
	remove_all(AT_FDCWD, f->path);
	leave(f, ".open", buffer_span(&all));
	arm();
	fault.rewrite_error = EIO;
	assert_null(open_spool(f));
	assert_int_equal(f->status, EXIT_IO);
	fault.rewrite_error = ENOSPC; /* it cannot, and must not stop for that */
	s = open_spool(f);
	memset(&fault, 0, sizeof fault);
	assert_non_null(s);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, 0, 3000));
	buffer_release(&all);
}

#define spool_test(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		spool_test(a_writer_may_crash_anywhere),
		spool_test(a_writer_that_compresses_may_crash_anywhere),
		spool_test(a_writer_without_fsync_may_crash_anywhere),
		spool_test(a_recovery_may_crash_anywhere),
		spool_test(an_error_of_the_disk_ends_it_and_loses_no_promise),
		spool_test(a_shortage_that_passes_loses_nothing_at_all),
		spool_test(what_cannot_be_compressed_is_sealed_as_it_is),
		spool_test(recovery_writes_again_what_it_seals),
		spool_test(a_recovery_without_room_is_done_when_there_is_some),
		spool_test(an_open_file_that_is_gone_once_it_was_compressed_is_no_error),
		spool_test(a_segment_that_cannot_be_sealed_for_want_of_room_is_due_again_later),
		spool_test(a_short_write_of_whole_lines_counts_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
