/* test_spool - what is appended is there, in order, in segments that say what they are; one writer; nobody else's eyes. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/file.h>

#include "io/diag.h"
#include "io/socket.h"
#include "spool_fixture.h"

static void append_some(struct spool *s, uint64_t from, uint64_t count)
{
	for (uint64_t i = from; i < from + count; i++) assert_int_equal(append_line(s, i), SPOOL_DONE);
}

static void lines_are_there_in_order_once_committed(void **state)
{
	struct fixture *f = *state;
	struct spool *s = open_spool(f);
	assert_non_null(s);
	append_some(s, 0, 100);
	assert_true(holds(f, 0, 0));
	assert_int_equal(spool_uncommitted(s), 100);
	assert_int_equal(spool_write(s), SPOOL_DONE);
	assert_true(holds(f, 0, 100)); /* readers see them before they are on disk */
	assert_int_equal(spool_uncommitted(s), 100);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(spool_uncommitted(s), 0);
	append_some(s, 100, 50);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, 0, 150));
	assert_int_equal(count_files(f, ".", ".open"), 0);
	assert_int_equal(count_files(f, ".", ".ndjson"), 1);
}

static void a_spool_of_nothing_leaves_no_segment(void **state)
{
	struct fixture *f = *state;
	struct spool *s = open_spool(f);
	assert_non_null(s);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(spool_seal(s), SPOOL_DONE);
	assert_int_equal(spool_attend(s), SPOOL_DONE);
	assert_true(spool_due_ms(s) == INT64_MAX);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_int_equal(count_files(f, ".", ""), 1); /* the lock */
}

static void a_segment_is_sealed_with_the_line_that_makes_it_long_enough(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	char path[500], name[64];
	f->options.segment_bytes = 500;
	struct spool *s = open_spool(f);
	append_some(s, 0, 200);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	uint64_t sealed = spool_counts(s)->segments_sealed;
	assert_true(sealed > 10 && sealed < 40);
	assert_int_equal(count_files(f, ".", ".ndjson"), sealed);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, 0, 200));
	for (unsigned i = 1; i < sealed; i++) {
		struct segment_trailer sum;
		const char *reason;
		int dir_fd = open(f->path, O_RDONLY | O_DIRECTORY);
		struct segment_list list;
		struct segment segment;
		segment_list_init(&list, dir_fd);
		for (unsigned n = 0; n < i; n++) assert_int_equal(segment_list_next(&list, &segment), 1);
		assert_int_equal(segment.number, i);
		assert_int_equal(segment_check(dir_fd, &segment, 1 << 20, &sum, &reason), SEGMENT_END);
		assert_in_range(sum.bytes, 500, 600); /* a line is at most 100 long */
		close(dir_fd);
	}
	snprintf(name, sizeof name, ".ndjson");
	assert_true(find_file(f, ".", name, path));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void what_is_committed_when_follows_the_policy(void **state)
{
	struct fixture *f = *state;
	f->options.sync = SPOOL_SYNC_EACH;
	struct spool *s = open_spool(f);
	for (uint64_t i = 0; i < 20; i++) {
		append_some(s, i, 1);
		assert_int_equal(spool_counts(s)->committed, i + 1);
		assert_int_equal(spool_counts(s)->syncs, i + 1);
	}
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	f->options.sync = SPOOL_SYNC_NONE;
	s = open_spool(f);
	append_some(s, 20, 20);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(spool_counts(s)->committed, 20);
	assert_int_equal(spool_counts(s)->syncs, 0);
	assert_int_equal(spool_seal(s), SPOOL_DONE);
	assert_int_equal(spool_counts(s)->syncs, 1);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	f->options.sync = SPOOL_SYNC_BATCH;
	f->options.sync_bytes = 1000;
	s = open_spool(f);
	append_some(s, 40, 200);
	assert_true(spool_uncommitted(s) < 30);
	assert_true(spool_counts(s)->syncs > 8 && spool_counts(s)->syncs < 20);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(holds(f, 0, 240));
}

static void the_clock_commits_and_seals(void **state)
{
	struct fixture *f = *state;
	f->options.sync_ms = 20;
	f->options.segment_ms = 60;
	struct spool *s = open_spool(f);
	assert_true(spool_due_ms(s) == INT64_MAX);
	int64_t start = socket_clock_ms();
	append_some(s, 0, 5);
	assert_in_range(spool_due_ms(s) - start, 20, 1000);
	while (socket_clock_ms() < spool_due_ms(s)) usleep(1000);
	assert_int_equal(spool_attend(s), SPOOL_DONE);
	assert_int_equal(spool_uncommitted(s), 0);
	assert_int_equal(spool_counts(s)->segments_sealed, 0);
	assert_true(spool_due_ms(s) < INT64_MAX); /* the segment's age */
	while (socket_clock_ms() < spool_due_ms(s)) usleep(1000);
	assert_int_equal(spool_attend(s), SPOOL_DONE);
	assert_int_equal(spool_counts(s)->segments_sealed, 1);
	assert_true(spool_due_ms(s) == INT64_MAX);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
}

static void compressed_segments_hold_the_same(void **state)
{
	struct fixture *f = *state;
	f->options.compress = true;
	f->options.segment_bytes = 4000;
	struct spool *s = open_spool(f);
	append_some(s, 0, 1000);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	assert_true(count_files(f, ".", ".ndjson.zst") > 10);
	assert_int_equal(count_files(f, ".", ".ndjson"), 0);
	assert_int_equal(count_files(f, ".", ".open"), 0);
	assert_true(holds(f, 0, 1000));
}

static void numbers_go_on_wherever_the_highest_is(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *directory, *name; } places[] = {
		{ ".", "000000000007-20121005T120001Z-00000001.ndjson" },
		{ "failed", "000000000019-20121005T120001Z-00000001.ndjson.zst" },
		{ "delivered", "000000000023-20121005T120001Z-00000001.ndjson" },
		{ "quarantine", "000000000042-20121005T120001Z-00000001.8190" },
	};
	static const uint64_t highest[] = { 7, 19, 23, 42 };
	char path[500];
	assert_int_equal(mkdir(f->path, 0700), 0);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", f->path, places[i].directory);
		mkdir(path, 0700);
		snprintf(path, sizeof path, "%s/%s/%s", f->path, places[i].directory, places[i].name);
		assert_true(write_file(path, SPAN("")));
		struct spool *s = open_spool(f);
		assert_non_null(s);
		append_some(s, 0, 1);
		assert_int_equal(spool_write(s), SPOOL_DONE);
		struct segment segment;
		assert_true(find_file(f, ".", ".open", path));
		assert_true(segment_parse(&segment, strrchr(path, '/') + 1));
		assert_int_equal(segment.number, highest[i] + 1);
		assert_int_equal(close_spool(f, s), SPOOL_DONE);
	}
}

static void numbers_go_on_when_all_segments_were_taken_out(void **state)
{
	struct fixture *f = *state;
	char path[500];
	struct segment segment;
	f->options.segment_bytes = 1;
	for (uint64_t round = 0; round < 3; round++) {
		struct spool *s = open_spool(f);
		assert_non_null(s);
		append_some(s, 0, 5);
		assert_int_equal(close_spool(f, s), SPOOL_DONE);
		for (uint64_t i = 1; i <= 5; i++) {
			assert_true(find_file(f, ".", ".ndjson", path));
			assert_true(segment_parse(&segment, strrchr(path, '/') + 1));
			assert_in_range(segment.number, round * 5 + 1, round * 5 + 5);
			assert_int_equal(unlink(path), 0);
		}
	}
}

static void a_backlog_is_counted_at_the_open(void **state)
{
	struct fixture *f = *state;
	char path[500];
	assert_int_equal(mkdir(f->path, 0700), 0);
	for (unsigned i = 1; i <= 1000; i++) {
		snprintf(path, sizeof path, "%s/%012u-20121005T120001Z-00000001.ndjson%s", f->path, i, i % 2 ? "" : ".zst");
		assert_true(write_file(path, SPAN("")));
		assert_int_equal(truncate(path, 10 << 20), 0);
	}
	struct spool *s = open_spool(f);
	assert_non_null(s);
	assert_int_equal(spool_counts(s)->segments, 1000);
	assert_true(spool_counts(s)->bytes == 1000ULL * (10 << 20));
	append_some(s, 0, 1);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	assert_int_equal(spool_counts(s)->segments, 1001);
	assert_true(spool_counts(s)->bytes > 1000ULL * (10 << 20));
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
}

static void nobody_else_may_read_it_whatever_the_umask(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	char path[500];
	mode_t old = umask(0);
	struct spool *s = open_spool(f);
	umask(old);
	assert_non_null(s);
	assert_int_equal(stat(f->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	old = umask(0);
	append_some(s, 0, 1);
	assert_int_equal(spool_commit(s), SPOOL_DONE);
	umask(old);
	assert_true(find_file(f, ".", ".open", path));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_true(find_file(f, ".", "lock", path));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
}

static void expect_refusal(struct fixture *f, int status, const char *word)
{
	assert_null(open_spool(f));
	assert_int_equal(f->status, status);
	if (!strstr(f->said, word)) fail_msg("\"%s\" does not say \"%s\"", f->said, word);
}

static void what_is_not_ours_alone_is_refused_with_its_cure(void **state)
{
	struct fixture *f = *state;
	char path[500], link[128];
	assert_int_equal(mkdir(f->path, 0700), 0);
	snprintf(link, sizeof link, "%s/link", f->root);
	assert_int_equal(symlink(f->path, link), 0);
	char kept[sizeof f->path];
	memcpy(kept, f->path, sizeof kept);
	memcpy(f->path, link, sizeof f->path - 2);
	expect_refusal(f, EXIT_NO_OUTPUT, "symbolic link");
	strcat(f->path, "/");
	expect_refusal(f, EXIT_NO_OUTPUT, "symbolic link");
	memcpy(f->path, kept, sizeof kept);
	assert_int_equal(chmod(f->path, 0750), 0);
	expect_refusal(f, EXIT_NO_OUTPUT, "chmod 700");
	assert_int_equal(chmod(f->path, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(f->path, 12345, (gid_t)-1), 0);
		expect_refusal(f, EXIT_NO_OUTPUT, "belongs to user 12345");
		assert_int_equal(chown(f->path, 0, (gid_t)-1), 0);
	}
	snprintf(path, sizeof path, "%s/lock", f->path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	expect_refusal(f, EXIT_NO_OUTPUT, "link or no plain file");
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof path, "%s/000000000001-20121005T120001Z-00000001.open", f->path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	expect_refusal(f, EXIT_NO_OUTPUT, "link or no plain file");
	assert_int_equal(unlink(path), 0);
	assert_true(write_file(path, SPAN("{}\n")));
	snprintf(link, sizeof link, "%s/second-name", f->root);
	assert_int_equal(linkat(AT_FDCWD, path, AT_FDCWD, link, 0), 0);
	expect_refusal(f, EXIT_NO_OUTPUT, "link or no plain file");
	unlink(path);
	snprintf(path, sizeof path, "%s/a/b", f->root);
	strcpy(f->path, path);
	expect_refusal(f, EXIT_NO_OUTPUT, "No such file");
	snprintf(f->path, sizeof f->path, "%s/second-name", f->root);
	expect_refusal(f, EXIT_NO_OUTPUT, "Not a directory");
}

/* A child that holds the spool until it is killed; it says when it does by a byte. */
static pid_t start_holder(struct fixture *f)
{
	int ends[2];
	char byte;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct spool *s = open_spool(f);
		if (!s || append_line(s, 0) != SPOOL_DONE || spool_commit(s) != SPOOL_DONE || write(ends[1], "x", 1) != 1) _exit(1);
		for (;;) pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

static void a_second_writer_is_told_who_is_the_first(void **state)
{
	struct fixture *f = *state;
	char word[64];
	pid_t child = start_holder(f);
	int64_t start = socket_clock_ms();
	snprintf(word, sizeof word, "is being written by process %ld", (long)child);
	expect_refusal(f, EXIT_NO_OUTPUT, word);
	int status, dir_fd = spool_directory(f->path, false, &status);
	assert_true(dir_fd >= 0);
	assert_false(spool_recover_if_abandoned(dir_fd, f->path, &f->status));
	assert_in_range(socket_clock_ms() - start, 0, 2000);
	assert_int_equal(count_files(f, ".", ".open"), 1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	int kept = said_begin(f);
	assert_true(spool_recover_if_abandoned(dir_fd, f->path, &f->status));
	said_end(f, kept);
	assert_non_null(strstr(f->said, "1 envelopes kept"));
	assert_int_equal(count_files(f, ".", ".open"), 0);
	assert_true(holds(f, 0, 1));
	close(dir_fd);
	struct spool *s = open_spool(f);
	assert_non_null(s);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
}

/* Whoever takes out holds the lock while it seals what a crash left: a writer that comes then waits and does not give up. */
static void a_recovery_by_another_is_waited_for(void **state)
{
	struct fixture *f = *state;
	char path[500];
	struct spool *s = open_spool(f);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
	snprintf(path, sizeof path, "%s/lock", f->path);
	int fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_true(dprintf(fd, "%ld recovering\n", (long)getpid()) > 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(fd);
		s = open_spool(f);
		_exit(s && append_line(s, 0) == SPOOL_DONE && spool_close(s) == SPOOL_DONE ? 0 : 1);
	}
	int status;
	usleep(50000);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(holds(f, 0, 1));
}

static int status_of_append(struct fixture *f, struct span line)
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct spool *s = open_spool(f);
		said_begin(f);
		spool_append(s, line);
		spool_close(s);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void what_is_no_line_is_a_fault_of_the_program(void **state)
{
	struct fixture *f = *state;
	static char long_line[2048];
	memset(long_line, 'x', sizeof long_line);
	f->options.line_limit = 1024;
	assert_int_equal(status_of_append(f, SPAN("{}\n{}")), EXIT_INTERNAL);
	assert_int_equal(status_of_append(f, (struct span){ long_line, 1025 }), EXIT_INTERNAL);
	assert_int_equal(status_of_append(f, (struct span){ long_line, 1024 }), 0);
}

static void options_have_names_and_say_what_they_take(void **state)
{
	struct fixture *f = *state;
	struct spool_options *o = &f->options;
	const char *reason;
	*o = spool_defaults;
	assert_true(spool_option(o, SPAN("sync"), SPAN("each"), &reason) && o->sync == SPOOL_SYNC_EACH);
	assert_true(spool_option(o, SPAN("sync-bytes"), SPAN("64k"), &reason) && o->sync_bytes == 64000);
	assert_true(spool_option(o, SPAN("sync-interval"), SPAN("5ms"), &reason) && o->sync_ms == 5);
	assert_true(spool_option(o, SPAN("sync-interval"), SPAN("100us"), &reason) && o->sync_ms == 1);
	assert_true(spool_option(o, SPAN("segment-bytes"), SPAN("1Mi"), &reason) && o->segment_bytes == 1 << 20);
	assert_true(spool_option(o, SPAN("segment-age"), SPAN("0"), &reason) && o->segment_ms == 0);
	assert_true(spool_option(o, SPAN("max-bytes"), SPAN("10Gi"), &reason) && o->limit_bytes == 10ULL << 30);
	assert_true(spool_option(o, SPAN("max-age"), SPAN("2d"), &reason) && o->limit_ms == 172800000);
	assert_true(spool_option(o, SPAN("reserve"), SPAN("0"), &reason) && o->reserve_bytes == 0);
	assert_true(spool_option(o, SPAN("when-full"), SPAN("drop-oldest"), &reason) && o->when_full == SPOOL_DROP_OLDEST);
	assert_true(spool_option(o, SPAN("compress"), SPAN("zstd"), &reason) && o->compress);
	static const char *const names[] = { "sync", "sync-bytes", "sync-interval", "segment-bytes", "segment-age", "max-bytes", "max-age", "reserve", "when-full", "compress" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_false(spool_option(o, span_of(names[i]), SPAN("-1 parrot"), &reason));
		assert_non_null(reason);
	}
	assert_false(spool_option(o, SPAN("sync-bytes"), SPAN("0"), &reason));
	assert_false(spool_option(o, SPAN("sync-bytes"), SPAN("1Gi"), &reason));
	assert_false(spool_option(o, SPAN("segment-bytes"), SPAN("0"), &reason));
	assert_false(spool_option(o, SPAN("parrot"), SPAN("1"), &reason));
	assert_null(reason);
}

#define spool_test(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		spool_test(lines_are_there_in_order_once_committed),
		spool_test(a_spool_of_nothing_leaves_no_segment),
		spool_test(a_segment_is_sealed_with_the_line_that_makes_it_long_enough),
		spool_test(what_is_committed_when_follows_the_policy),
		spool_test(the_clock_commits_and_seals),
		spool_test(compressed_segments_hold_the_same),
		spool_test(numbers_go_on_wherever_the_highest_is),
		spool_test(numbers_go_on_when_all_segments_were_taken_out),
		spool_test(a_backlog_is_counted_at_the_open),
		spool_test(nobody_else_may_read_it_whatever_the_umask),
		spool_test(what_is_not_ours_alone_is_refused_with_its_cure),
		spool_test(a_second_writer_is_told_who_is_the_first),
		spool_test(a_recovery_by_another_is_waited_for),
		spool_test(what_is_no_line_is_a_fault_of_the_program),
		spool_test(options_have_names_and_say_what_they_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
