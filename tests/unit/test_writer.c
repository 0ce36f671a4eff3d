/* test_writer - every byte arrives once and in order, lines stay whole, and the first error is kept and told. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "io/writer.h"
#include "left_out.h"

static int open_scratch(void)
{
	char path[] = "/tmp/metlog-test-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void expect_content(int fd, struct span wanted)
{
	char *content = malloc(wanted.length + 1);
	assert_non_null(content);
	assert_int_equal(pread(fd, content, wanted.length + 1, 0), wanted.length);
	assert_memory_equal(content, wanted.data, wanted.length);
	free(content);
}

static void lines_of_every_length_arrive(void **state)
{
	(void)state;
	for (size_t capacity = 1; capacity <= 40; capacity++) {
		struct writer w;
		struct buffer wanted;
		int fd = open_scratch(), kept = dup(fd);
		char line[200];
		memset(line, 'a', sizeof line);
		buffer_init(&wanted, 1 << 24);
		writer_open(&w, fd, "scratch", capacity);
		for (size_t round = 0; round < 400; round++) {
			size_t length = round * 7919 % 101 % (capacity + 3);
			line[0] = (char)('a' + length % 26);
			assert_true(writer_line(&w, (struct span){ line, length }));
			buffer_append(&wanted, line, length);
			buffer_append_byte(&wanted, '\n');
			assert_true(writer_bytes(&w, (struct span){ line, length / 3 }));
			buffer_append(&wanted, line, length / 3);
		}
		assert_int_equal(w.bytes, wanted.length);
		assert_true(writer_close(&w));
		expect_content(kept, buffer_span(&wanted));
		buffer_release(&wanted);
		close(kept);
	}
}

static void nothing_is_written_before_it_must(void **state)
{
	(void)state;
	struct writer w;
	int fd = open_scratch();
	writer_open(&w, fd, "scratch", 16);
	assert_true(writer_line(&w, SPAN("0123456")));
	assert_true(writer_line(&w, SPAN("abcdefg")));
	expect_content(fd, SPAN(""));
	assert_true(writer_line(&w, SPAN("x"))); /* does not fit: what is there goes first */
	expect_content(fd, SPAN("0123456\nabcdefg\n"));
	assert_true(writer_flush(&w));
	expect_content(fd, SPAN("0123456\nabcdefg\nx\n"));
	w.unbuffered = true;
	assert_true(writer_line(&w, SPAN("now")));
	expect_content(fd, SPAN("0123456\nabcdefg\nx\nnow\n"));
	assert_true(writer_bytes(&w, SPAN("")));
	assert_true(writer_sync(&w));
	assert_true(writer_close(&w));
}

static void a_full_disk_is_told_once_and_for_ever(void **state)
{
	(void)state;
	struct writer w;
	int fd = open("/dev/full", O_WRONLY);
	if (fd < 0) leave_out("there is no /dev/full");
	writer_open(&w, fd, "/dev/full", 100);
	assert_true(writer_line(&w, SPAN("buffered")));
	assert_int_equal(w.error, 0);
	assert_false(writer_flush(&w));
	assert_int_equal(w.error, ENOSPC);
	assert_false(writer_line(&w, SPAN("more")));
	assert_false(writer_bytes(&w, SPAN("more")));
	assert_false(writer_flush(&w));
	assert_false(writer_close(&w));
	writer_open(&w, open("/dev/full", O_WRONLY), "/dev/full", 100);
	assert_true(writer_line(&w, SPAN("shows at close")));
	assert_false(writer_close(&w));
	assert_int_equal(w.error, ENOSPC);
}

static void after_an_error_nothing_is_written(void **state)
{
	(void)state;
	struct writer w;
	int fd = open_scratch(), kept = dup(fd);
	char large[300];
	memset(large, 'x', sizeof large);
	writer_open(&w, fd, "scratch", 100);
	w.error = EIO;
	assert_false(writer_line(&w, SPAN("a")));
	assert_false(writer_line(&w, (struct span){ large, sizeof large }));
	assert_false(writer_bytes(&w, (struct span){ large, sizeof large }));
	assert_false(writer_bytes(&w, (struct span){ large, 90 }));
	assert_false(writer_sync(&w));
	assert_false(writer_close(&w));
	assert_int_equal(w.error, EIO);
	expect_content(kept, SPAN(""));
	close(kept);
}

static void a_reader_that_has_gone_is_epipe(void **state)
{
	(void)state;
	struct writer w;
	int ends[2];
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	writer_open(&w, ends[1], "pipe", 100);
	close(ends[0]);
	assert_true(writer_line(&w, SPAN("a")));
	assert_false(writer_flush(&w));
	assert_int_equal(w.error, EPIPE);
	assert_false(writer_close(&w));
	signal(SIGPIPE, SIG_DFL);
}

/* A pipe of one page that does not block, and a reader that takes odd bites and is sent signals: EAGAIN and short writes on the one side. */
static void short_writes_and_eagain_lose_nothing(void **state)
{
	(void)state;
	enum { TOTAL = 1 << 20 };
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 4096);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char bite[777];
		unsigned sum = 0, count = 0;
		close(ends[1]);
		for (ssize_t got; (got = read(ends[0], bite, sizeof bite)) > 0;)
			for (ssize_t i = 0; i < got; i++, count++) sum += (unsigned char)bite[i] != (unsigned char)(count % 251);
		_exit(sum == 0 && count == TOTAL ? 0 : 1);
	}
	close(ends[0]);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	char *all = malloc(TOTAL);
	assert_non_null(all);
	for (size_t i = 0; i < TOTAL; i++) all[i] = (char)(i % 251);
	assert_int_equal(write_all(ends[1], (struct span){ all, TOTAL }), 0);
	close(ends[1]);
	free(all);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void ignore(int number)
{
	(void)number;
}

/* A blocked write that a timer interrupts again and again: EINTR, with part of it written or nothing. */
static void signals_lose_nothing(void **state)
{
	(void)state;
	enum { TOTAL = 1 << 18 };
	int ends[2];
	struct sigaction action = { .sa_handler = ignore }; /* no SA_RESTART */
	sigaction(SIGALRM, &action, NULL);
	assert_int_equal(pipe(ends), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 4096);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char bite[1000];
		size_t count = 0;
		close(ends[1]);
		for (ssize_t got; (got = read(ends[0], bite, sizeof bite)) > 0; count += (size_t)got) usleep(500);
		_exit(count == TOTAL ? 0 : 1);
	}
	close(ends[0]);
	ualarm(1000, 1000);
	char *all = calloc(1, TOTAL);
	assert_non_null(all);
	assert_int_equal(write_all(ends[1], (struct span){ all, TOTAL }), 0);
	ualarm(0, 0);
	close(ends[1]);
	free(all);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_descriptor_that_cannot_sync_is_no_error(void **state)
{
	(void)state;
	struct writer w;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	writer_open(&w, ends[1], "pipe", 100);
	assert_true(writer_line(&w, SPAN("a")));
	assert_true(writer_sync(&w));
	assert_true(writer_close(&w));
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_every_length_arrive),
		cmocka_unit_test(nothing_is_written_before_it_must),
		cmocka_unit_test(a_full_disk_is_told_once_and_for_ever),
		cmocka_unit_test(after_an_error_nothing_is_written),
		cmocka_unit_test(a_reader_that_has_gone_is_epipe),
		cmocka_unit_test(short_writes_and_eagain_lose_nothing),
		cmocka_unit_test(signals_lose_nothing),
		cmocka_unit_test(a_descriptor_that_cannot_sync_is_no_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
