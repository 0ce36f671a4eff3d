/* test_syslog - addresses, frames, the window and the books of the syslog transport, against receivers in this process. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "io/diag.h"
#include "sink/syslog_private.h"

enum { RANDOM_TURNS = 2000 };

static struct syslog_options options_to(const char *to)
{
	return (struct syslog_options){ .to = to, .max_bytes = 8000, .window_bytes = 1 << 20, .timeout_ms = 20000, .retry_ms = 0 };
}

static struct syslog *must_make(const struct syslog_options *o)
{
	const char *why = NULL;
	struct syslog *s = syslog_new(o, &why);
	if (!s) fail_msg("%s: %s", o->to, why);
	return s;
}

static void expect_books(const struct syslog *s, uint64_t taken, uint64_t proved, uint64_t waiting, uint64_t lost)
{
	const struct syslog_counts *c = syslog_counts(s);
	if (c->taken != taken || c->proved != proved || c->waiting != waiting || c->lost != lost)
		fail_msg("taken %llu proved %llu waiting %llu lost %llu", (unsigned long long)c->taken, (unsigned long long)c->proved, (unsigned long long)c->waiting, (unsigned long long)c->lost);
}

static void addresses_are_read_with_their_default_ports(void **state)
{
	static const struct {
		const char *to, *place;
		enum syslog_transport transport;
		bool counted;
	} rows[] = {
		{ "syslog+udp:logs", "logs:514", SYSLOG_UDP, false }, { "syslog+udp:logs:1", "logs:1", SYSLOG_UDP, false },
		{ "syslog+tcp:10.0.0.1", "10.0.0.1:514", SYSLOG_TCP, false }, { "syslog+tcp:[::1]", "[::1]:514", SYSLOG_TCP, false },
		{ "syslog+tcp:[::1]:65535", "[::1]:65535", SYSLOG_TCP, false }, { "syslog+tls:logs.example.net", "logs.example.net:6514", SYSLOG_TLS, true },
		{ "syslog+tls:[fe80::1]:99", "[fe80::1]:99", SYSLOG_TLS, true }, { "syslog+unix:/dev/log", "/dev/log", SYSLOG_UNIX, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct syslog_options o = options_to(rows[i].to);
		struct syslog *s = must_make(&o);
		assert_string_equal(s->place, rows[i].place);
		assert_int_equal(s->transport, rows[i].transport);
		assert_int_equal(s->window.counted, rows[i].counted);
		syslog_free(s);
	}
	assert_true(syslog_is(SPAN("syslog+udp:x")));
	assert_false(syslog_is(SPAN("udp:x:1")));
}

static void what_is_no_address_or_no_size_is_refused(void **state)
{
	static const char *const bad[] = { "", "syslog", "syslog+", "syslog+x:y", "udp:x:1", "syslog+udp:", "syslog+tcp::1", "syslog+tcp:x:", "syslog+tcp:x:0", "syslog+tcp:x:65536",
		"syslog+tcp:[::1", "syslog+tcp:::1", "syslog+tcp:*", "syslog+tls:a/b", "syslog+tls:a?b", "syslog+tls:a@b", "syslog+tls:a b", "syslog+tls:a\\b", "syslog+unix:" };
	const char *why = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct syslog_options o = options_to(bad[i]);
		if (syslog_new(&o, &why) || !why) fail_msg("'%s' was taken", bad[i]);
	}
	struct syslog_options o = options_to("syslog+udp:x");
	o.max_bytes = 65508;
	assert_null(syslog_new(&o, &why));
	o.max_bytes = 63;
	assert_null(syslog_new(&o, &why));
	o.max_bytes = 64;
	o.framing = SYSLOG_FRAMING_COUNTED;
	assert_null(syslog_new(&o, &why));
}

static void a_cut_is_at_a_character_and_no_longer_than_allowed(void **state)
{
	struct span text = SPAN("a\xc3\xa9z\xe2\x82\xac\xf0\x9f\x98\x80x");
	(void)state;
	for (size_t most = 0; most <= text.length + 1; most++) {
		struct span cut = syslog_cut(text, most);
		assert_true(cut.length <= most);
		assert_true(text_is_utf8(cut));
		assert_true(cut.length + 4 > most || cut.length == text.length);
	}
	assert_int_equal(syslog_cut(SPAN("\x80\x80\x80\x80\x80\x80"), 5).length, 5); /* no character at all */
	assert_int_equal(syslog_cut(SPAN("abc"), 3).length, 3);
}

static void expect_frame(bool counted, struct span message, size_t max_bytes, struct span frame, bool is_cut)
{
	struct syslog_window w = { .counted = counted };
	bool truncated = false;
	buffer_init(&w.bytes, SIZE_MAX);
	syslog_window_add(&w, message, max_bytes, &truncated);
	if (!span_equal(buffer_span(&w.bytes), frame)) fail_msg("'%.*s' instead of '%.*s'", (int)w.bytes.length, w.bytes.data, (int)frame.length, frame.data);
	assert_int_equal(truncated, is_cut);
	buffer_release(&w.bytes);
}

static void a_line_stays_a_line_and_is_not_taken_for_a_count(void **state)
{
	(void)state;
	expect_frame(false, SPAN("<13>x"), 100, SPAN("<13>x\n"), false);
	expect_frame(false, SPAN("a\nb\0c"), 100, SPAN("a#012b#000c\n"), false);
	expect_frame(false, SPAN("a\nb"), 5, SPAN("a#012\n"), true);
	expect_frame(false, SPAN("a\nb"), 4, SPAN("a#01\n"), true);
	expect_frame(false, SPAN("a\n\xc3\xa9"), 6, SPAN("a#012\n"), true);
	expect_frame(false, SPAN("12 x"), 100, SPAN(" 12 x\n"), false);
	expect_frame(false, SPAN("12 x"), 4, SPAN(" 12 \n"), true);
	expect_frame(false, SPAN(""), 100, SPAN(" \n"), false);
	expect_frame(false, SPAN("a\xc3\xa9"), 2, SPAN("a\n"), true);
	expect_frame(false, SPAN("a\r\tb"), 100, SPAN("a\r\tb\n"), false);
}

static void a_count_is_of_what_is_left_after_the_cut(void **state)
{
	(void)state;
	expect_frame(true, SPAN("<13>x"), 100, SPAN("5 <13>x"), false);
	expect_frame(true, SPAN("a\nb\0c"), 100, SPAN("5 a\nb\0c"), false);
	expect_frame(true, SPAN("a\xc3\xa9"), 2, SPAN("1 a"), true);
	expect_frame(true, SPAN("12 x"), 100, SPAN("4 12 x"), false);
	expect_frame(true, SPAN(""), 100, SPAN("1  "), false);
}

static size_t draw(size_t most)
{
	return (size_t)rand() % (most + 1);
}

/* Whatever was sent and acknowledged, the window begins with a whole frame, and forgets each exactly once. */
static void the_window_forgets_whole_messages_only(void **state)
{
	(void)state;
	srand(4711);
	for (int counted = 0; counted < 2; counted++) {
		struct syslog_window w = { .counted = counted };
		uint64_t added = 0, released = 0;
		size_t acknowledged = 0;
		buffer_init(&w.bytes, SIZE_MAX);
		for (int turn = 0; turn < RANDOM_TURNS; turn++) {
			char message[64];
			bool truncated;
			for (size_t n = draw(3); n; n--, added++) {
				size_t length = (size_t)snprintf(message, sizeof message, "<%llu>", (unsigned long long)added);
				for (size_t more = draw(20); more; more--) message[length++] = "a\n1 \0"[draw(4)];
				syslog_window_add(&w, (struct span){ message, length }, 1000, &truncated);
			}
			w.sent += draw(w.bytes.length - w.sent);
			acknowledged += draw(w.sent - acknowledged);
			uint64_t begun = syslog_window_begun(&w), gone = syslog_window_release(&w, acknowledged);
			size_t before = w.sent;
			assert_true(gone <= begun);
			released += gone;
			assert_int_equal(w.messages, added - released);
			assert_int_equal(syslog_window_begun(&w), begun - gone);
			acknowledged = 0; /* what is left of it is the head of a frame */
			if (w.bytes.length) {
				snprintf(message, sizeof message, "<%llu>", (unsigned long long)released);
				const char *at = counted ? memchr(w.bytes.data, ' ', w.bytes.length) : w.bytes.data - 1;
				assert_int_equal(strncmp(at + 1, message, strlen(message)), 0);
			}
			assert_int_equal(before, w.sent);
		}
		assert_int_equal(released + syslog_window_release(&w, w.bytes.length), added);
		assert_int_equal(w.bytes.length, 0);
		buffer_release(&w.bytes);
	}
}

/* A receiver in this process; its address in `to`. */
static int receiver(const char *kind, char to[64])
{
	char name[SOCKET_NAME_MAX], reason[SOCKET_REASON_MAX], text[32];
	struct endpoint e;
	const char *why;
	snprintf(text, sizeof text, "%s:127.0.0.1:0", kind);
	assert_true(endpoint_parse(&e, span_of(text), &why));
	int fd = socket_listen(&e, SOCKET_STREAM, 0600, reason);
	assert_true(fd >= 0);
	socket_name(fd, name);
	snprintf(to, 64, "syslog+%s:%.50s", kind, name);
	endpoint_release(&e);
	return fd;
}

static void expect_read(int fd, struct span text)
{
	char got[1024];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t length = 0;
	while (length < text.length && poll(&p, 1, 20000) > 0) {
		ssize_t n = recv(fd, got + length, sizeof got - length, 0);
		if (n <= 0) break;
		length += (size_t)n;
	}
	if (!span_equal((struct span){ got, length }, text)) fail_msg("'%.*s' instead of '%.*s'", (int)length, got, (int)text.length, text.data);
}

static void a_portion_of_the_window_is_whole_frames_and_one_at_least(void **state)
{
	(void)state;
	for (int counted = 0; counted < 2; counted++) {
		struct syslog_window w = { .counted = counted };
		bool truncated;
		buffer_init(&w.bytes, SIZE_MAX);
		for (int i = 0; i < 3; i++) syslog_window_add(&w, SPAN("<1>abcd"), 100, &truncated);
		size_t frame = w.bytes.length / 3;
		assert_int_equal(syslog_window_first(&w, 0), 3 * frame);
		assert_int_equal(syslog_window_first(&w, 1), frame);
		assert_int_equal(syslog_window_first(&w, frame), frame);
		assert_int_equal(syslog_window_first(&w, 2 * frame - 1), frame);
		assert_int_equal(syslog_window_first(&w, 2 * frame), 2 * frame);
		assert_int_equal(syslog_window_first(&w, 9 * frame), 3 * frame);
		buffer_release(&w.bytes);
	}
}

static void messages_are_gathered_until_they_are_flushed(void **state)
{
	char to[64], peer[SOCKET_NAME_MAX];
	int listener = receiver("tcp", to);
	struct syslog_options o = options_to(to);
	struct syslog *s = must_make(&o);
	struct pollfd p;
	(void)state;
	assert_false(syslog_poll(s, &p));
	assert_int_equal(syslog_timeout_ms(s), -1);
	assert_int_equal(syslog_send(s, SPAN("<1>a")), SYSLOG_FINE);
	assert_int_equal(syslog_send(s, SPAN("<1>b")), SYSLOG_FINE);
	assert_int_equal(socket_accept(listener, peer), -1);
	assert_int_equal(syslog_timeout_ms(s), -1);
	assert_int_equal(syslog_flush(s), SYSLOG_FINE);
	int fd = socket_accept(listener, peer);
	expect_read(fd, SPAN("<1>a\n<1>b\n"));
	assert_true(syslog_poll(s, &p) && p.fd >= 0);
	assert_in_range(syslog_timeout_ms(s), 0, 5000);
	expect_books(s, 2, 0, 2, 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger)); /* a reset proves nothing, and nobody takes it on the next connection */
	close(fd);
	close(listener);
	assert_int_equal(syslog_finish(s), SYSLOG_GONE);
	expect_books(s, 2, 0, 2, 0);
	assert_int_equal(syslog_send(s, SPAN("<1>c")), SYSLOG_GONE);
	expect_books(s, 3, 0, 3, 0);
	assert_int_equal(syslog_counts(s)->reconnects, 1);
	assert_int_equal(syslog_counts(s)->resent, 2);
	assert_int_equal(strncmp(syslog_reason(s), to + strlen("syslog+tcp:"), strlen(to) - strlen("syslog+tcp:")), 0);
	syslog_free(s);
}

/* It said that it is at its end, and may go without having read the rest. */
static void an_end_that_comes_before_our_last_byte_was_taken_proves_nothing(void **state)
{
	char to[64], peer[SOCKET_NAME_MAX], reason[SOCKET_REASON_MAX], text[64];
	static char bytes[65536];
	int listener = receiver("tcp", to);
	struct endpoint e;
	const char *why;
	(void)state;
	snprintf(text, sizeof text, "%.50s", to + strlen("syslog+"));
	assert_true(endpoint_parse(&e, span_of(text), &why));
	int ours = socket_connect(&e, SOCKET_STREAM, 20000, &waits_plain, reason), theirs = socket_accept(listener, peer);
	assert_true(ours >= 0 && theirs >= 0);
	while (send(ours, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
	shutdown(theirs, SHUT_WR);
	assert_int_equal(socket_end(ours, 100, &waits_plain, reason), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_string_equal(reason, "it takes no more");
	close(theirs); /* with the rest unread: a reset */
	assert_int_equal(socket_end(ours, 20000, &waits_plain, reason), -1);
	assert_int_not_equal(errno, ETIMEDOUT);
	close(ours);
	close(listener);
	endpoint_release(&e);
}

static void a_datagram_is_a_message_as_it_came(void **state)
{
	char to[64];
	int fd = receiver("udp", to);
	struct syslog_options o = options_to(to);
	o.max_bytes = 70;
	struct syslog *s = must_make(&o);
	char long_one[100];
	(void)state;
	memset(long_one, 'x', sizeof long_one);
	assert_int_equal(syslog_send(s, SPAN("<1>a\nb\0c")), SYSLOG_FINE);
	expect_read(fd, SPAN("<1>a\nb\0c"));
	assert_int_equal(syslog_send(s, (struct span){ long_one, 100 }), SYSLOG_FINE);
	expect_read(fd, (struct span){ long_one, 70 });
	assert_int_equal(syslog_finish(s), SYSLOG_FINE);
	expect_books(s, 2, 2, 0, 0);
	assert_int_equal(syslog_counts(s)->truncated, 1);
	assert_int_equal(syslog_send(s, SPAN("<1>again")), SYSLOG_FINE);
	expect_read(fd, SPAN("<1>again"));
	syslog_free(s);
	close(fd);
}

static void a_datagram_that_was_refused_goes_again_when_that_is_heard(void **state)
{
	char to[64];
	int fd = receiver("udp", to), port = atoi(strrchr(to, ':') + 1);
	struct syslog_options o = options_to(to);
	struct syslog *s = must_make(&o);
	struct endpoint e;
	char text[64], reason[SOCKET_REASON_MAX];
	const char *why;
	(void)state;
	close(fd);
	assert_int_equal(syslog_send(s, SPAN("<1>a")), SYSLOG_FINE);
	expect_books(s, 1, 1, 0, 0);
	snprintf(text, sizeof text, "udp:127.0.0.1:%d", port);
	assert_true(endpoint_parse(&e, span_of(text), &why));
	if ((fd = socket_listen(&e, SOCKET_DATAGRAM, 0600, reason)) < 0) skip(); /* somebody has it now */
	assert_int_equal(syslog_send(s, SPAN("<1>b")), SYSLOG_FINE);
	expect_read(fd, SPAN("<1>a"));
	expect_read(fd, SPAN("<1>b"));
	assert_int_equal(syslog_finish(s), SYSLOG_FINE);
	expect_books(s, 2, 2, 0, 0);
	assert_int_equal(syslog_counts(s)->refused, 1);
	assert_int_equal(syslog_counts(s)->resent, 1);
	endpoint_release(&e);
	syslog_free(s);
	close(fd);
}

static void a_message_too_long_for_a_unix_socket_is_lost_and_the_next_ones_go(void **state)
{
	char path[] = "/tmp/test_syslog.XXXXXX", to[128], name[64], reason[SOCKET_REASON_MAX];
	struct endpoint e;
	const char *why;
	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(name, sizeof name, "unix:%s/log", path);
	snprintf(to, sizeof to, "syslog+%s", name);
	assert_true(endpoint_parse(&e, span_of(name), &why));
	int fd = socket_listen(&e, SOCKET_DATAGRAM, 0600, reason);
	struct syslog_options o = options_to(to);
	o.max_bytes = 64 << 20;
	struct syslog *s = must_make(&o);
	char *huge = calloc(1, 64 << 20);
	assert_non_null(huge);
	memset(huge, 'x', 64 << 20);
	assert_int_equal(syslog_send(s, (struct span){ huge, 64 << 20 }), SYSLOG_FINE);
	assert_int_equal(syslog_send(s, SPAN("<1>a")), SYSLOG_FINE);
	expect_read(fd, SPAN("<1>a"));
	assert_int_equal(syslog_finish(s), SYSLOG_FINE);
	expect_books(s, 2, 1, 0, 1);
	free(huge);
	syslog_free(s);
	close(fd);
	unlink(e.path);
	rmdir(path);
	endpoint_release(&e);
}

/* --- names: what getaddrinfo says of those that end in ".test" is made here --- */

int __real_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
void __real_freeaddrinfo(struct addrinfo *);
int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
void __wrap_freeaddrinfo(struct addrinfo *);
int __real_waits_poll(const struct waits *, struct pollfd *, size_t, int);
int __wrap_waits_poll(const struct waits *, struct pollfd *, size_t, int);

static struct sockaddr_in places[2];
static struct addrinfo two[2];
static int failures, connect_ms;

/* How long a connection may take that is being made: over loopback it is there at once, whatever it may take. */
int __wrap_waits_poll(const struct waits *waits, struct pollfd *fds, size_t count, int timeout_ms)
{
	if (count == 1 && fds->events == POLLOUT) connect_ms = timeout_ms;
	return __real_waits_poll(waits, fds, count, timeout_ms);
}

/* "two.test" is 127.0.0.2 and 127.0.0.3; "later.test" is 127.0.0.1 once `failures` are used up. */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list)
{
	if (host && !strcmp(host, "later.test")) return failures-- > 0 ? EAI_AGAIN : __real_getaddrinfo("127.0.0.1", port, hints, list);
	if (!host || strcmp(host, "two.test") != 0) return __real_getaddrinfo(host, port, hints, list);
	for (unsigned i = 0; i < 2; i++) {
		places[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(0x7F000002 + i) };
		two[i] = (struct addrinfo){ .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_addrlen = sizeof places[i], .ai_addr = (struct sockaddr *)&places[i], .ai_next = i ? NULL : &two[1] };
	}
	*list = two;
	return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
	if (list != two) __real_freeaddrinfo(list);
}

static int must_listen(uint32_t address, uint16_t *port, int backlog)
{
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(address) };
	socklen_t size = sizeof place;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&place, size) < 0 || listen(fd, backlog) < 0) skip();
	assert_int_equal(getsockname(fd, (struct sockaddr *)&place, &size), 0);
	*port = ntohs(place.sin_port);
	return fd;
}

static void an_address_that_does_not_answer_leaves_time_for_the_next(void **state)
{
	enum { FULL = 4 };
	uint16_t port = 0;
	int deaf = must_listen(0x7F000002, &port, 0), good = must_listen(0x7F000003, &port, 5), waiting[FULL];
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7F000002) };
	char to[64];
	(void)state;
	for (int i = 0; i < FULL; i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(waiting[i], (struct sockaddr *)&place, sizeof place) < 0) assert_int_equal(errno, EINPROGRESS);
	}
	snprintf(to, sizeof to, "syslog+tcp:two.test:%u", (unsigned)port);
	struct syslog_options o = options_to(to);
	o.timeout_ms = 1000;
	struct syslog *s = must_make(&o);
	assert_int_equal(syslog_send(s, SPAN("<1>a")), SYSLOG_FINE);
	assert_int_equal(syslog_flush(s), SYSLOG_FINE);
	assert_true(connect_ms > 0);
	int fd = accept(good, NULL, NULL);
	expect_read(fd, SPAN("<1>a\n"));
	syslog_free(s);
	for (int i = 0; i < FULL; i++) close(waiting[i]);
	close(fd), close(good), close(deaf);
}

static void a_trouble_that_is_over_is_not_held_against_a_later_connection(void **state)
{
	struct syslog_options o = options_to("syslog+udp:later.test:9");
	o.retry_ms = 1000;
	failures = 1;
	struct syslog *s = must_make(&o);
	(void)state;
	assert_int_equal(syslog_send(s, SPAN("<1>a")), SYSLOG_FINE);
	assert_true(s->away_since_ms < 0);
	assert_int_equal(syslog_reconnect(s), SYSLOG_FINE);
	o.retry_ms = 0;
	assert_int_equal(syslog_send(s, SPAN("<1>b")), SYSLOG_FINE);
	syslog_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_with_their_default_ports),
		cmocka_unit_test(what_is_no_address_or_no_size_is_refused),
		cmocka_unit_test(a_cut_is_at_a_character_and_no_longer_than_allowed),
		cmocka_unit_test(a_line_stays_a_line_and_is_not_taken_for_a_count),
		cmocka_unit_test(a_count_is_of_what_is_left_after_the_cut),
		cmocka_unit_test(the_window_forgets_whole_messages_only),
		cmocka_unit_test(a_portion_of_the_window_is_whole_frames_and_one_at_least),
		cmocka_unit_test(messages_are_gathered_until_they_are_flushed),
		cmocka_unit_test(an_end_that_comes_before_our_last_byte_was_taken_proves_nothing),
		cmocka_unit_test(a_datagram_is_a_message_as_it_came),
		cmocka_unit_test(a_datagram_that_was_refused_goes_again_when_that_is_heard),
		cmocka_unit_test(a_message_too_long_for_a_unix_socket_is_lost_and_the_next_ones_go),
		cmocka_unit_test(an_address_that_does_not_answer_leaves_time_for_the_next),
		cmocka_unit_test(a_trouble_that_is_over_is_not_held_against_a_later_connection),
	};
	diag_init("test_syslog");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
