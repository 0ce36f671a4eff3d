/* source - opens what --from names, and reads what comes from it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "recv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/diag.h"

/* ANSWERS: to a peer of ack:, small ones, that wait for it; those beyond are not sent. BATCH: messages of one source before the others have their turn. FRAME_MORE: how much longer than a line a ZeroMQ frame may be. */
enum { BATCH = 1024, FRAME_MORE = 128 * 1024, UDP_BYTES = 64 * 1024, UNIX_BYTES = 256 * 1024, LINGER_MS = 1000, ANSWERS = 1000 };

static void open_zeromq(struct recv *r, struct source *s)
{
	/* A frame may hold several lines, so it may be longer than one; and a line a little too long should be a reject, not a lost connection. */
	int64_t frame_limit = (int64_t)r->filter.options.line_limit + FRAME_MORE;
	const struct tool_access *a = &r->filter.options.access;
	s->form = s->endpoint.kind == ENDPOINT_ACK ? SOURCE_ACK : SOURCE_ZEROMQ;
	if (s->form == SOURCE_ACK) ack_init(r);
	s->more = true; /* libzmq tells of changes only: the first look is ours */
	struct fault fault;
	if (!r->zeromq && !(r->zeromq = zeromq_open(&fault))) die_fault(&fault);
	s->socket = zeromq_socket_open(r->zeromq, &s->endpoint, &(struct zeromq_options){
		.hwm = s->form == SOURCE_ACK ? r->options.ack_hwm : r->options.hwm, .send_hwm = ANSWERS, .message_limit_bytes = frame_limit,
		.buffer_bytes = r->options.receive_buffer, .curve_secret = a->curve_secret, .curve_clients = a->curve_clients,
		.curve_server = a->curve_server, .insecure = a->insecure, .receives = true, .failure = EXIT_NO_INPUT }, &fault);
	if (!s->socket) die_fault(&fault);
	snprintf(s->resolved, sizeof s->resolved, "%s:%s%s", endpoint_kind_name(s->endpoint.kind), zeromq_binds(s->socket) ? "" : ">", zeromq_address(s->socket));
}

static void open_socket(struct recv *r, struct source *s)
{
	char reason[SOCKET_REASON_MAX], name[SOCKET_NAME_MAX];
	bool datagrams = s->endpoint.kind == ENDPOINT_UDP || (s->endpoint.kind == ENDPOINT_UNIX && r->options.unix_datagram);
	if (!endpoint_is_local(&s->endpoint) && !r->filter.options.access.insecure)
		die(EXIT_CONFIGURATION, "%s: %s off this host has no authentication, so anybody there may send: use ZeroMQ with CURVE, or --insecure if that is meant",
			s->endpoint.text, endpoint_kind_name(s->endpoint.kind));
	s->fd = socket_listen(&s->endpoint, datagrams ? SOCKET_DATAGRAM : SOCKET_STREAM, r->options.mode, reason);
	if (s->fd < 0) die(EXIT_NO_INPUT, "cannot listen on %s: %s", s->endpoint.text, reason);
	s->form = datagrams ? SOURCE_DATAGRAM : SOURCE_LISTENER;
	if (datagrams && r->options.receive_buffer) socket_set_receive_buffer(s->fd, r->options.receive_buffer);
	if (!datagrams && !r->block) r->block = must_alloc(READER_BLOCK + SCAN_PADDING);
	if (s->endpoint.kind == ENDPOINT_UNIX) snprintf(s->resolved, sizeof s->resolved, "%s", s->endpoint.text);
	else socket_name(s->fd, name), snprintf(s->resolved, sizeof s->resolved, "%s:%s", endpoint_kind_name(s->endpoint.kind), name);
}

void source_open(struct recv *r, struct span text)
{
	struct source *s = &r->source[r->source_count];
	const char *reason;
	*s = (struct source){ .fd = -1 };
	if (!tool_endpoint(&s->endpoint, text, &reason)) tool_usage_error("--from: '%.*s' is not an endpoint: %s", (int)text.length, text.data, reason);
	s->feed.name = s->endpoint.text;
	switch (s->endpoint.kind) {
	case ENDPOINT_SUB: case ENDPOINT_PULL: case ENDPOINT_REP: case ENDPOINT_ACK:
		open_zeromq(r, s);
		break;
	case ENDPOINT_UDP: case ENDPOINT_TCP: case ENDPOINT_UNIX:
		open_socket(r, s);
		break;
	default:
		tool_usage_error("--from: nothing can be received from '%s': use ack: sub: pull: rep: udp: tcp: or unix:", s->endpoint.text);
	}
	r->source_count++;
	/* One set of buffers for all, as long as the longest datagram any of them may bring. */
	if (s->form == SOURCE_DATAGRAM && (!r->datagrams || s->endpoint.kind == ENDPOINT_UNIX)) {
		datagrams_free(r->datagrams);
		r->datagrams = datagrams_new(s->endpoint.kind == ENDPOINT_UNIX ? UNIX_BYTES : UDP_BYTES);
	}
}

/* Written beside and renamed, so that who waits for the file never reads half of it. */
static void write_ready(struct recv *r)
{
	struct buffer text, name;
	buffer_init(&text, SIZE_MAX / 2);
	buffer_init(&name, SIZE_MAX / 2);
	buffer_append_text(&name, r->options.ready);
	buffer_append_text(&name, ".tmp");
	buffer_append_int(&name, getpid());
	for (int i = 0; i < r->source_count; i++) {
		buffer_append_text(&text, r->source[i].resolved);
		buffer_append_byte(&text, '\n');
	}
	const char *temporary = buffer_text(&name);
	if (!temporary || text.failed) die(EXIT_INTERNAL, "no memory for the names of the endpoints");
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) die_errno(EXIT_NO_OUTPUT, "--ready: %s", temporary);
	errno = write_all(fd, buffer_span(&text));
	if (errno || close(fd) < 0 || rename(temporary, r->options.ready) < 0) {
		int error = errno;
		unlink(temporary);
		errno = error;
		die_errno(EXIT_NO_OUTPUT, "--ready: %s", r->options.ready);
	}
	buffer_release(&text);
	buffer_release(&name);
}

void source_report(struct recv *r)
{
	for (int i = 0; i < r->source_count; i++) {
		struct source *s = &r->source[i];
		bool binds = !s->socket || zeromq_binds(s->socket);
		diag_note(1, "%s %s", binds ? "listening on" : "connecting to", s->resolved);
	}
	if (r->options.ready) write_ready(r);
}

static bool read_zeromq(struct recv *r, struct source *s)
{
	struct span frame;
	unsigned parts;
	int count = 0;
	zeromq_events(s->socket);
	for (; count < BATCH && zeromq_receive(s->socket, &frame, &parts); count++) {
		if (parts > 1) r->topics++;
		if (frame.length) feed_frame(&r->feed, &s->feed, frame);
		else r->handshakes++;
		if (s->endpoint.kind == ENDPOINT_REP) zeromq_answer(s->socket);
	}
	s->more = count == BATCH;
	return count > 0;
}

bool source_read(struct recv *r, struct source *s)
{
	switch (s->form) {
	case SOURCE_ZEROMQ: return read_zeromq(r, s);
	case SOURCE_ACK: return ack_read(r, s);
	case SOURCE_DATAGRAM: return datagrams_read(r, s);
	case SOURCE_LISTENER: return client_accept(r, s);
	}
	return false;
}

void source_stop_listening(struct recv *r, struct source *s)
{
	if (s->form != SOURCE_LISTENER || s->fd < 0) return;
	/* Who has connected already may have sent already. */
	while (client_accept(r, s)) continue;
	close(s->fd);
	s->fd = -1;
}

/* The last acknowledgements are written to their connections, unless nobody reads them. */
static void let_answers_leave(struct source *s)
{
	int fds[ZEROMQ_FDS];
	int64_t end = socket_clock_ms() + LINGER_MS, now;
	zeromq_close_begin(s->socket, LINGER_MS);
	zeromq_fds(s->socket, fds);
	while (!zeromq_events(s->socket)->closed && (now = socket_clock_ms()) < end)
		poll(&(struct pollfd){ .fd = fds[ZEROMQ_FDS - 1], .events = POLLIN }, 1, (int)(end - now));
}

void source_close(struct source *s)
{
	if (s->fd >= 0) close(s->fd);
	if (s->form == SOURCE_ACK) let_answers_leave(s);
	zeromq_socket_close(s->socket);
	endpoint_release(&s->endpoint);
}

void source_count(void *context)
{
	struct recv *r = context;
	uint64_t connected = r->connections, disconnected = 0, failed = 0, denied = 0;
	r->kernel_drops = 0;
	for (int i = 0; i < r->source_count; i++) {
		struct source *s = &r->source[i];
		uint32_t info[SK_MEMINFO_VARS] = { 0 };
		socklen_t size = sizeof info;
		if (s->form == SOURCE_DATAGRAM && s->fd >= 0 && getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &size) == 0) s->kernel_drops = info[SK_MEMINFO_DROPS];
		r->kernel_drops += s->kernel_drops;
		if (!s->socket) continue;
		const struct zeromq_events *told = zeromq_events(s->socket);
		connected += told->connected, disconnected += told->disconnected, failed += told->handshake_failed, denied += told->denied;
	}
	struct stats *stats = &r->filter.stats;
	*stats_extra(stats, "datagrams") = r->datagram_count;
	*stats_extra(stats, "kernel_drops") = r->kernel_drops;
	*stats_extra(stats, "documents") = r->feed.documents;
	*stats_extra(stats, "topics") = r->topics;
	*stats_extra(stats, "handshakes") = r->handshakes;
	*stats_extra(stats, "connections") = connected;
	*stats_extra(stats, "disconnected") = disconnected;
	*stats_extra(stats, "turned_away") = r->turned_away;
	*stats_extra(stats, "idle_closed") = r->idle_closed;
	*stats_extra(stats, "handshakes_failed") = failed;
	*stats_extra(stats, "keys_denied") = denied;
	if (r->senders.entry) ack_count(r);
	store_count(r);
}
