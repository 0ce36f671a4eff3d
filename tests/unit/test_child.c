/* test_child - a program that reads a socket from us sees its end when we say so, and an error when we die before. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/child.h"

enum { FED = 4 * 1024 * 1024 }; /* more than any socket buffer holds */

/* Feeds until `bytes` are taken or the other side reads no more; how many were taken. */
static size_t feed(int fd, size_t bytes)
{
	static char block[65536];
	size_t done = 0;
	memset(block, 'x', sizeof block);
	while (done < bytes) {
		size_t part = bytes - done < sizeof block ? bytes - done : sizeof block;
		ssize_t sent = send(fd, block, part, MSG_NOSIGNAL);
		if (sent < 0) break;
		done += (size_t)sent;
	}
	return done;
}

/* Counts what it reads; its output: the count, then how it ended. */
static char count_program[] = "n=$(cat 2>/dev/null | wc -c); cat >/dev/null 2>&1; echo $n";
static char status_program[] = "cat >/dev/null 2>&1; echo $?";

static void start(struct child *child, char *program, unsigned options)
{
	char name[] = "sh", option[] = "-c";
	char *argv[] = { name, option, program, NULL };
	assert_true(child_start(child, argv, CHILD_SOCKET_IN | options));
}

static void what_it_says(struct child *child, char *text, size_t room)
{
	size_t length = 0;
	ssize_t got;
	while (length < room - 1 && (got = read(child->out, text + length, room - 1 - length)) > 0) length += (size_t)got;
	text[length] = '\0';
	child_close(child);
	assert_true(child_wait(child, -1));
}

static void all_that_was_sent_is_read_and_then_the_end(void **state)
{
	(void)state;
	struct child child;
	char text[64];
	start(&child, status_program, CHILD_PIPE_OUT);
	assert_int_equal(feed(child.in, FED), FED);
	child_close_in(&child);
	what_it_says(&child, text, sizeof text);
	assert_string_equal(text, "0\n");
	start(&child, count_program, CHILD_PIPE_OUT);
	assert_int_equal(feed(child.in, FED), FED);
	child_end_in(&child);
	char number[32];
	snprintf(number, sizeof number, "%d\n", (int)FED);
	what_it_says(&child, text, sizeof text);
	assert_string_equal(text, number);
}

static void a_close_without_an_end_is_an_error_to_who_reads(void **state)
{
	(void)state;
	struct child child;
	char text[64];
	start(&child, status_program, CHILD_PIPE_OUT);
	assert_int_equal(feed(child.in, FED), FED);
	close(child.in);
	child.in = -1;
	what_it_says(&child, text, sizeof text);
	assert_string_equal(text, "1\n");
}

static void a_kill_of_the_one_who_feeds_is_an_error_to_who_reads(void **state)
{
	(void)state;
	for (size_t fed = 0; fed <= FED; fed += FED) { /* nothing, and more than the buffers hold */
		int out[2];
		char text[8] = "";
		assert_int_equal(pipe(out), 0);
		pid_t feeder = fork();
		assert_true(feeder >= 0);
		if (feeder == 0) {
			struct child child;
			dup2(out[1], STDOUT_FILENO);
			close(out[0]);
			close(out[1]);
			char name[] = "sh", option[] = "-c";
			char *argv[] = { name, option, status_program, NULL };
			if (!child_start(&child, argv, CHILD_SOCKET_IN)) _exit(1);
			if (feed(child.in, fed) != fed) _exit(2);
			kill(getpid(), SIGKILL);
		}
		close(out[1]);
		int status;
		assert_int_equal(waitpid(feeder, &status, 0), feeder);
		assert_true(WIFSIGNALED(status));
		assert_true(read(out[0], text, sizeof text - 1) > 0);
		assert_string_equal(text, "1\n");
		close(out[0]);
	}
}

static void who_stops_reading_is_seen_and_so_is_what_it_left(void **state)
{
	(void)state;
	struct child child;
	static char nothing[] = "exit 3", all[] = "cat >/dev/null";
	start(&child, nothing, 0);
	assert_true(feed(child.in, FED) < FED);
	child_end_in(&child);
	assert_true(child_wait(&child, -1));
	assert_int_equal(child_exit_status(child.status), 3);
	start(&child, nothing, 0);
	if (feed(child.in, 10) == 10) { /* it may have gone already */
		child_end_in(&child);
		assert_true(child_wait(&child, -1));
		assert_true(child_left_input(&child));
	} else assert_true(child_wait(&child, -1));
	child_close(&child);
	start(&child, all, 0);
	assert_int_equal(feed(child.in, FED), FED);
	child_end_in(&child);
	assert_true(child_wait(&child, -1));
	assert_false(child_left_input(&child));
	child_close(&child);
}

static void what_it_writes_to_its_input_is_refused(void **state)
{
	(void)state;
	struct child child;
	char text[8];
	static char program[] = "echo wrong >&0; echo $?";
	start(&child, program, CHILD_PIPE_OUT | CHILD_PIPE_ERR);
	child_close_in(&child);
	what_it_says(&child, text, sizeof text);
	assert_true(text[0] == '\0' || strcmp(text, "1\n") == 0); /* by SIGPIPE, or by EPIPE where that is ignored */
}

static void a_program_that_is_not_there_leaves_nothing_behind(void **state)
{
	(void)state;
	struct child child;
	char name[] = "/nonexistent/program";
	char *argv[] = { name, NULL };
	int before = dup(0);
	close(before);
	assert_false(child_start(&child, argv, CHILD_SOCKET_IN));
	assert_int_equal(errno, ENOENT);
	int after = dup(0);
	close(after);
	assert_int_equal(before, after);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_was_sent_is_read_and_then_the_end),
		cmocka_unit_test(a_close_without_an_end_is_an_error_to_who_reads),
		cmocka_unit_test(a_kill_of_the_one_who_feeds_is_an_error_to_who_reads),
		cmocka_unit_test(who_stops_reading_is_seen_and_so_is_what_it_left),
		cmocka_unit_test(what_it_writes_to_its_input_is_refused),
		cmocka_unit_test(a_program_that_is_not_there_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
