/* test_outlet - blocks of lines through each kind that needs no peer, what is counted of them, and waits that end. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/outlet.h"
#include "io/socket.h"
#include "io/zeromq.h"

#define BLOCK "{\"payload\":\"1\"}\n{}\n{\"payload\":\"three\"}\n"
enum { LINES = 3, LONG_MS = 600000, SOON_MS = 60000 };

static char folder[64];
static struct endpoint endpoint;

static struct outlet *must_open(const char *kind, const char *rest, const struct outlet_options *options)
{
	static struct fault fault;
	char text[256];
	const char *why;
	snprintf(text, sizeof text, "%s%s", kind, rest);
	assert_true(endpoint_parse(&endpoint, span_of(text), &why));
	struct outlet *o = outlet_open(&endpoint, options, &fault);
	if (!o) fail_msg("%s", fault.text);
	return o;
}

static const char *in_folder(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

/* Opens what the outlet will send to; `rest` becomes the part of the endpoint behind the kind. */
static int must_listen(const char *kind, enum socket_type type, char rest[SOCKET_NAME_MAX])
{
	char text[256], reason[SOCKET_REASON_MAX];
	const char *why;
	struct endpoint e;
	snprintf(text, sizeof text, "%s%s", kind, strcmp(kind, "unix:") ? "127.0.0.1:0" : in_folder(type == SOCKET_STREAM ? "stream" : "datagram"));
	assert_true(endpoint_parse(&e, span_of(text), &why));
	int fd = socket_listen(&e, type, 0600, reason);
	if (fd < 0) fail_msg("%s", reason);
	socket_name(fd, rest);
	endpoint_release(&e);
	return fd;
}

static void close_all(struct outlet *o, uint64_t expected_lost, enum outlet_result expected)
{
	uint64_t lost;
	char reason[OUTLET_REASON_MAX];
	assert_int_equal(outlet_close(o, &lost, reason), expected);
	assert_int_equal(lost, expected_lost);
	endpoint_release(&endpoint);
}

static void expect_bytes(int fd, struct span expected)
{
	char got[4096];
	size_t length = 0;
	while (length < expected.length) {
		ssize_t n = read(fd, got + length, sizeof got - length);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, SOON_MS);
			continue;
		}
		assert_true(n > 0);
		length += (size_t)n;
	}
	assert_true(span_equal((struct span){ got, length }, expected));
}

/* --- what a block becomes -------------------------------------------------------------- */

static void a_block_goes_to_a_file_as_it_is_and_counts_in_envelopes_once_written(void **state)
{
	size_t taken;
	(void)state;
	struct outlet *o = must_open("file:", in_folder("file"), &(struct outlet_options){ .timeout_ms = SOON_MS });
	assert_int_equal(outlet_send_lines(o, SPAN(BLOCK), &taken), OUTLET_DELIVERED);
	assert_int_equal(taken, sizeof BLOCK - 1);
	assert_int_equal(outlet_delivered(o), 0);
	assert_int_equal(outlet_send(o, SPAN("{\"payload\":\"one more\"}")), OUTLET_DELIVERED);
	assert_int_equal(outlet_flush(o), OUTLET_DELIVERED);
	assert_int_equal(outlet_delivered(o), LINES + 1);
	close_all(o, 0, OUTLET_DELIVERED);
	int fd = open(in_folder("file"), O_RDONLY);
	expect_bytes(fd, SPAN(BLOCK "{\"payload\":\"one more\"}\n"));
	close(fd);
}

static void block_to_stream(const char *kind)
{
	char rest[SOCKET_NAME_MAX], peer[SOCKET_NAME_MAX];
	size_t taken;
	int listener = must_listen(kind, SOCKET_STREAM, rest), fd;
	struct outlet *o = must_open(kind, rest, &(struct outlet_options){ .timeout_ms = SOON_MS });
	assert_int_equal(outlet_send_lines(o, SPAN(BLOCK), &taken), OUTLET_DELIVERED);
	assert_int_equal(taken, sizeof BLOCK - 1);
	assert_int_equal(outlet_flush(o), OUTLET_DELIVERED);
	while ((fd = socket_accept(listener, peer)) < 0) poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, SOON_MS);
	expect_bytes(fd, SPAN(BLOCK));
	assert_int_equal(outlet_delivered(o), LINES);
	close_all(o, 0, OUTLET_DELIVERED);
	close(fd), close(listener);
}

static void a_block_goes_to_a_stream_as_it_is(void **state)
{
	(void)state;
	block_to_stream("tcp:");
	block_to_stream("unix:");
}

static void block_to_datagrams(const char *kind)
{
	char rest[SOCKET_NAME_MAX];
	size_t taken;
	int fd = must_listen(kind, SOCKET_DATAGRAM, rest);
	struct outlet *o = must_open(kind, rest, &(struct outlet_options){ .timeout_ms = SOON_MS });
	assert_int_equal(outlet_send_lines(o, SPAN(BLOCK), &taken), OUTLET_DELIVERED);
	assert_int_equal(taken, sizeof BLOCK - 1);
	expect_bytes(fd, SPAN("{\"payload\":\"1\"}"));
	expect_bytes(fd, SPAN("{}"));
	expect_bytes(fd, SPAN("{\"payload\":\"three\"}"));
	assert_int_equal(outlet_delivered(o), LINES);
	close_all(o, 0, OUTLET_DELIVERED);
	close(fd);
}

static void a_block_goes_in_datagrams_of_one_envelope_without_its_newline(void **state)
{
	(void)state;
	block_to_datagrams("udp:");
	block_to_datagrams("unix:");
}

static void a_line_too_long_for_a_datagram_is_refused_alone_and_the_caller_knows_where_it_stands(void **state)
{
	enum { LONG = 70000 };
	static char block[LONG + 64];
	char rest[SOCKET_NAME_MAX];
	size_t taken;
	(void)state;
	int length = snprintf(block, sizeof block, "{\"payload\":\"first\"}\n");
	size_t before = (size_t)length;
	memset(block + before, ' ', LONG);
	memcpy(block + before + LONG, "\n{}\n", 4);
	int fd = must_listen("udp:", SOCKET_DATAGRAM, rest);
	struct outlet *o = must_open("udp:", rest, &(struct outlet_options){ .timeout_ms = SOON_MS });
	assert_int_equal(outlet_send_lines(o, (struct span){ block, before + LONG + 4 }, &taken), OUTLET_REFUSED);
	assert_true(outlet_refused_line(o));
	assert_int_equal(taken, before);
	assert_int_equal(outlet_send_lines(o, (struct span){ block + before + LONG + 1, 3 }, &taken), OUTLET_DELIVERED);
	assert_false(outlet_refused_line(o));
	expect_bytes(fd, SPAN("{\"payload\":\"first\"}"));
	expect_bytes(fd, SPAN("{}"));
	assert_int_equal(outlet_delivered(o), 2);
	close_all(o, 0, OUTLET_DELIVERED);
	close(fd);
}

/* --- what is not handed over ------------------------------------------------------------ */

static void of_a_block_that_nobody_takes_nothing_counts_as_taken(void **state)
{
	size_t taken = 1;
	(void)state;
	struct outlet *o = must_open("push:ipc://", in_folder("nobody"), &(struct outlet_options){ .timeout_ms = 0 });
	assert_int_equal(outlet_send_lines(o, SPAN(BLOCK), &taken), OUTLET_TRY_AGAIN);
	assert_int_equal(taken, 0);
	assert_true(strlen(outlet_reason(o)) > 0);
	close_all(o, 0, OUTLET_DELIVERED);
}

static void of_ack_each_line_of_a_block_counts_until_it_is_acknowledged(void **state)
{
	size_t taken;
	(void)state;
	struct outlet *o = must_open("ack:ipc://", in_folder("nobody"), &(struct outlet_options){ .timeout_ms = 0 });
	for (int i = 0; i < 10; i++) assert_int_equal(outlet_send_lines(o, SPAN(BLOCK), &taken), OUTLET_DELIVERED);
	assert_int_equal(taken, sizeof BLOCK - 1);
	assert_int_equal(outlet_delivered(o), 0);
	close_all(o, 10 * LINES, OUTLET_TRY_AGAIN);
}

static void a_pipe_that_nobody_reads_blocks_neither_the_open_nor_the_close(void **state)
{
	struct fault fault;
	const char *why;
	static char block[1 << 20];
	size_t taken, sent = 0;
	(void)state;
	assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
	char text[256];
	snprintf(text, sizeof text, "file:%s", in_folder("pipe"));
	assert_true(endpoint_parse(&endpoint, span_of(text), &why));
	assert_null(outlet_open(&endpoint, &(struct outlet_options){ .timeout_ms = 0 }, &fault));
	assert_int_equal(fault.status, EXIT_NO_OUTPUT);
	endpoint_release(&endpoint);
	int reader = open(in_folder("pipe"), O_RDONLY | O_NONBLOCK);
	struct outlet *o = must_open("file:", in_folder("pipe"), &(struct outlet_options){ .timeout_ms = 0 });
	for (size_t i = 0; i < sizeof block; i += 64) memset(block + i, 'x', 63), block[i + 63] = '\n';
	while (outlet_send_lines(o, (struct span){ block, sizeof block }, &taken) == OUTLET_DELIVERED && sent < 64) sent++;
	assert_true(sent < 64);
	uint64_t all = (sent * sizeof block + taken) / 64, delivered = outlet_delivered(o);
	assert_true(delivered < all);
	close_all(o, all - delivered, OUTLET_TRY_AGAIN);
	close(reader);
}

static void what_cannot_be_opened_says_why_and_with_which_status(void **state)
{
	static const struct {
		const char *text;
		enum diag_exit status;
		const char *says;
	} rows[] = {
		{ "file:/nowhere/file", EXIT_NO_OUTPUT, "cannot open /nowhere/file: No such file or directory" },
		{ "sub:tcp://127.0.0.1:1", EXIT_CONFIGURATION, "sub:tcp://127.0.0.1:1: nothing can be sent to sub: endpoints" },
		{ "push:tcp://192.0.2.1:1", EXIT_CONFIGURATION, "push:tcp://192.0.2.1:1: connecting off this host without CURVE" },
		{ "ack:@tcp://127.0.0.1:1", EXIT_CONFIGURATION, "ack:@tcp://127.0.0.1:1: of ack: the receiver binds" },
	};
	struct endpoint e;
	struct fault fault;
	const char *why;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(endpoint_parse(&e, span_of(rows[i].text), &why));
		assert_null(outlet_open(&e, &(struct outlet_options){ 0 }, &fault));
		assert_int_equal(fault.status, rows[i].status);
		if (strncmp(fault.text, rows[i].says, strlen(rows[i].says))) fail_msg("%s", fault.text);
		endpoint_release(&e);
	}
}

/* --- waits ---------------------------------------------------------------------------------- */

/* As a library has it: its poll watches an eventfd too, which wakes it. */
struct wake {
	int fd;
	_Atomic bool stop, waits;
};

static int wake_poll(void *context, struct pollfd *fds, size_t count, int timeout_ms)
{
	struct wake *w = context;
	struct pollfd all[8] = { 0 };
	assert_true(count < 8);
	if (count) memcpy(all, fds, count * sizeof *fds);
	all[count] = (struct pollfd){ .fd = w->fd, .events = POLLIN };
	w->waits = true;
	int ready = poll(all, count + 1, timeout_ms);
	if (count) memcpy(fds, all, count * sizeof *fds);
	return ready > 0 ? ready - (all[count].revents != 0) : 0;
}

static bool wake_stopping(void *context)
{
	return ((struct wake *)context)->stop;
}

static void *wake_soon(void *context)
{
	struct wake *w = context;
	while (!w->waits) usleep(1000);
	w->stop = true;
	eventfd_write(w->fd, 1);
	return NULL;
}

/* Sends until it would wait, and is told to stop then. */
static void stop_amid(const char *kind, const char *rest, bool closes)
{
	static char block[1 << 16];
	struct wake w = { .fd = eventfd(0, EFD_CLOEXEC) };
	struct waits waits = { .poll = wake_poll, .stopping = wake_stopping, .context = &w };
	pthread_t waker;
	size_t taken;
	int64_t start = socket_clock_ms();
	for (size_t i = 0; i < sizeof block; i += 64) memset(block + i, 'x', 63), block[i + 63] = '\n';
	struct outlet *o = must_open(kind, rest, &(struct outlet_options){ .timeout_ms = LONG_MS, .waits = &waits, .hwm = 10 });
	assert_int_equal(pthread_create(&waker, NULL, wake_soon, &w), 0);
	if (!closes) while (outlet_send_lines(o, (struct span){ block, sizeof block }, &taken) == OUTLET_DELIVERED) continue;
	else outlet_send_lines(o, (struct span){ block, sizeof block }, &taken);
	outlet_close(o, NULL, NULL);
	endpoint_release(&endpoint);
	pthread_join(waker, NULL);
	close(w.fd);
	assert_true(socket_clock_ms() - start < LONG_MS / 2);
}

static void a_stop_ends_a_wait_long_before_its_time(void **state)
{
	char rest[SOCKET_NAME_MAX];
	(void)state;
	int listener = must_listen("tcp:", SOCKET_STREAM, rest);
	stop_amid("tcp:", rest, false);
	stop_amid("push:ipc://", in_folder("nobody"), false);
	stop_amid("pub:ipc://", in_folder("nobody"), false);
	stop_amid("ack:ipc://", in_folder("nobody"), false);
	stop_amid("ack:ipc://", in_folder("nobody"), true);
	stop_amid("unix:", in_folder("nobody"), false);
	close(listener);
}

static void pub_without_a_subscriber_takes_nothing_however_often_it_is_tried(void **state)
{
	(void)state;
	struct outlet *o = must_open("pub:ipc://", in_folder("nobody"), &(struct outlet_options){ .timeout_ms = 1, .hwm = 10 });
	for (int i = 0; i < 3; i++) assert_int_equal(outlet_send(o, SPAN("{}")), OUTLET_TRY_AGAIN);
	close_all(o, 0, OUTLET_DELIVERED);
}

/* A receiver that takes what its queue holds and never reads, and an outlet that has filled it, and its own queue of four messages. */
struct jam {
	struct zeromq *zeromq;
	struct zeromq_socket *deaf;
	struct outlet *outlet;
};

enum { JAM_HWM = 4, JAM_BYTES = 1 << 16, JAM_LINES = JAM_HWM * JAM_BYTES / 64 };

static struct jam jam_open(const struct waits *waits)
{
	static char block[JAM_BYTES];
	struct fault fault;
	struct endpoint e;
	const char *why;
	char text[256];
	size_t taken;
	struct jam j;
	for (size_t i = 0; i < sizeof block; i += 64) memset(block + i, 'x', 63), block[i + 63] = '\n';
	snprintf(text, sizeof text, "pull:ipc://%s", in_folder("deaf"));
	assert_true(endpoint_parse(&e, span_of(text), &why));
	assert_non_null(j.zeromq = zeromq_open(&fault));
	j.deaf = zeromq_socket_open(j.zeromq, &e, &(struct zeromq_options){ .hwm = 1, .message_limit_bytes = -1, .failure = EXIT_NO_INPUT }, &fault);
	if (!j.deaf) fail_msg("%s", fault.text);
	j.outlet = must_open("push:ipc://", in_folder("deaf"), &(struct outlet_options){ .timeout_ms = SOON_MS, .waits = waits, .hwm = JAM_HWM });
	assert_int_equal(outlet_send_lines(j.outlet, (struct span){ block, sizeof block }, &taken), OUTLET_DELIVERED);
	outlet_set_timeout(j.outlet, 200);
	while (outlet_send_lines(j.outlet, (struct span){ block, sizeof block }, &taken) == OUTLET_DELIVERED) continue;
	assert_true(outlet_delivered(j.outlet) >= JAM_LINES);
	endpoint_release(&e);
	return j;
}

static void jam_close(struct jam *j)
{
	endpoint_release(&endpoint);
	zeromq_socket_close(j->deaf);
	zeromq_close(j->zeromq);
}

static void a_stop_ends_the_close_of_a_queue_that_nobody_takes(void **state)
{
	static const int timeouts_ms[] = { LONG_MS, -1 };
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct wake w = { .fd = eventfd(0, EFD_CLOEXEC) };
		struct waits waits = { .poll = wake_poll, .stopping = wake_stopping, .context = &w };
		struct jam j = jam_open(&waits);
		uint64_t lost;
		int64_t start = socket_clock_ms();
		outlet_set_timeout(j.outlet, timeouts_ms[i]);
		w.stop = true;
		assert_int_equal(outlet_close(j.outlet, &lost, NULL), OUTLET_TRY_AGAIN);
		assert_true(socket_clock_ms() - start < LONG_MS / 2);
		assert_int_equal(lost, JAM_LINES);
		jam_close(&j);
		close(w.fd);
	}
}

static size_t count_threads(void)
{
	size_t count = 0;
	DIR *d = opendir("/proc/self/task");
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

static void a_close_at_its_deadline_leaves_no_thread_behind(void **state)
{
	size_t before = count_threads();
	uint64_t lost;
	(void)state;
	struct jam j = jam_open(NULL);
	outlet_set_timeout(j.outlet, 20);
	assert_int_equal(outlet_close(j.outlet, &lost, NULL), OUTLET_TRY_AGAIN);
	assert_int_equal(lost, JAM_LINES);
	jam_close(&j);
	/* What has been joined may be seen for a moment still. */
	for (int i = 0; count_threads() > before && i < SOON_MS; i++) usleep(1000);
	assert_int_equal(count_threads(), before);
}

static void a_stop_leaves_what_has_a_deadline_its_time_where_that_was_asked_for(void **state)
{
	struct wake w = { .fd = -1, .stop = true };
	struct waits waits = { .stopping = wake_stopping, .context = &w, .keeps_deadlines = true };
	(void)state;
	assert_false(waits_are_over(&waits, true));
	assert_true(waits_are_over(&waits, false));
	waits.keeps_deadlines = false;
	assert_true(waits_are_over(&waits, true));
	assert_false(waits_are_over(NULL, false));
	assert_false(waits_are_over(&waits_plain, false));
}

/* --- fork ------------------------------------------------------------------------------------ */

static void abandon_in_child(const char *kind, const char *rest)
{
	size_t taken;
	int status;
	struct outlet *o = must_open(kind, rest, &(struct outlet_options){ .timeout_ms = 0 });
	outlet_send_lines(o, SPAN(BLOCK), &taken);
	pid_t child = fork();
	if (child == 0) {
		outlet_abandon(o);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	outlet_close(o, NULL, NULL);
	endpoint_release(&endpoint);
}

static void a_child_that_abandons_its_parents_outlet_sends_nothing_and_takes_nothing_away(void **state)
{
	char rest[SOCKET_NAME_MAX];
	struct stat file;
	(void)state;
	int listener = must_listen("tcp:", SOCKET_STREAM, rest);
	abandon_in_child("file:", in_folder("forked"));
	assert_int_equal(stat(in_folder("forked"), &file), 0);
	assert_int_equal(file.st_size, sizeof BLOCK - 1); /* once: by the parent */
	abandon_in_child("tcp:", rest);
	abandon_in_child("push:ipc://", in_folder("nobody"));
	abandon_in_child("ack:ipc://", in_folder("nobody"));
	close(listener);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/test_outlet.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_goes_to_a_file_as_it_is_and_counts_in_envelopes_once_written),
		cmocka_unit_test(a_block_goes_to_a_stream_as_it_is),
		cmocka_unit_test(a_block_goes_in_datagrams_of_one_envelope_without_its_newline),
		cmocka_unit_test(a_line_too_long_for_a_datagram_is_refused_alone_and_the_caller_knows_where_it_stands),
		cmocka_unit_test(of_a_block_that_nobody_takes_nothing_counts_as_taken),
		cmocka_unit_test(of_ack_each_line_of_a_block_counts_until_it_is_acknowledged),
		cmocka_unit_test(a_pipe_that_nobody_reads_blocks_neither_the_open_nor_the_close),
		cmocka_unit_test(what_cannot_be_opened_says_why_and_with_which_status),
		cmocka_unit_test(pub_without_a_subscriber_takes_nothing_however_often_it_is_tried),
		cmocka_unit_test(a_stop_ends_a_wait_long_before_its_time),
		cmocka_unit_test(a_close_at_its_deadline_leaves_no_thread_behind),
		cmocka_unit_test(a_stop_ends_the_close_of_a_queue_that_nobody_takes),
		cmocka_unit_test(a_stop_leaves_what_has_a_deadline_its_time_where_that_was_asked_for),
		cmocka_unit_test(a_child_that_abandons_its_parents_outlet_sends_nothing_and_takes_nothing_away),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
