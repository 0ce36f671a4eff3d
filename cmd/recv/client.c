/* client - connections to tcp: and unix: listeners, each a stream of lines. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "recv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/diag.h"

/* HALF_TOTAL: what all half lines together may take, so that many slow or hostile connections cannot take the memory.
 * START: what is kept of a line that will be rejected. PAUSE: until the next try when there are no descriptors left. */
enum { HALF_TOTAL_BYTES = 32 * 1024 * 1024, START_BYTES = 4096, PAUSE_MS = 100 };

static bool turn_away(struct recv *r, const struct source *s, int fd, const char *peer)
{
	close(fd);
	if (r->turned_away++ == 0) diag_warn("%s: %s turned away: there are %d connections already (--max-clients)", s->endpoint.text, peer, r->client_count);
	return true;
}

bool client_accept(struct recv *r, struct source *s)
{
	char peer[SOCKET_NAME_MAX];
	int on = 1, fd = socket_accept(s->fd, peer);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			if (r->accept_failures++ == 0) diag_warn("%s: cannot take a connection, and will try again: %s", s->endpoint.text, strerror(errno));
			s->paused_until_ms = socket_clock_ms() + PAUSE_MS;
		}
		return false;
	}
	if (r->client_count >= r->options.clients_max) return turn_away(r, s, fd, peer);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	struct client *c = &r->client[r->client_count++];
	*c = (struct client){ .fd = fd, .source = s, .heard_ms = socket_clock_ms() };
	memcpy(c->peer, peer, sizeof c->peer);
	buffer_init(&c->half, r->filter.options.line_limit + START_BYTES + 1 + SCAN_PADDING);
	r->connections++;
	diag_note(2, "%s: connection from %s", s->endpoint.text, peer);
	return true;
}

static void forget_half(struct recv *r, struct client *c)
{
	r->half_bytes -= c->half.length;
	/* A long line is rare: its memory is not kept for the next one. */
	if (c->half.capacity > 2 * START_BYTES) buffer_release(&c->half);
	else buffer_clear(&c->half);
	c->length = 0;
	c->fault = NULL;
}

/* Cuts what is kept of a line that will be rejected to its start. */
static void give_up_half(struct recv *r, struct client *c, const char *fault)
{
	struct buffer start;
	size_t keep = c->half.length < START_BYTES ? c->half.length : START_BYTES;
	c->fault = fault;
	buffer_init(&start, c->half.limit);
	if (keep && !buffer_append(&start, c->half.data, keep)) die(EXIT_INTERNAL, "no memory for a connection");
	r->half_bytes -= c->half.length - keep;
	buffer_release(&c->half);
	c->half = start;
}

static void add_half(struct recv *r, struct client *c, struct span part)
{
	c->length += part.length;
	if (c->fault || !part.length) return;
	const char *fault = c->length > r->filter.options.line_limit ? "longer than --max-line"
		: r->half_bytes + part.length > HALF_TOTAL_BYTES ? "too many long lines have begun at once" : NULL;
	if (fault && part.length > START_BYTES) part.length = START_BYTES;
	if (!buffer_append_span(&c->half, part)) die(EXIT_INTERNAL, "no memory for a connection");
	r->half_bytes += part.length;
	if (fault) give_up_half(r, c, fault);
}

/* The half line has become a whole one. */
static void finish_half(struct recv *r, struct client *c)
{
	if (c->fault) {
		feed_reject(&r->feed, &c->source->feed, buffer_span(&c->half), c->length, c->fault);
	} else if (c->half.length) {
		size_t length = c->half.length;
		if (!buffer_reserve(&c->half, 1 + SCAN_PADDING)) die(EXIT_INTERNAL, "no memory for a connection");
		c->half.data[length] = '\n';
		feed_lines(&r->feed, &c->source->feed, c->half.data, c->half.data + length + 1);
	}
	forget_half(r, c);
}

void client_end(struct recv *r, struct client *c, const char *fault)
{
	if (c->fd < 0) return;
	if (c->length) feed_reject(&r->feed, &c->source->feed, buffer_span(&c->half), c->length, c->fault ? c->fault : fault);
	forget_half(r, c);
	buffer_release(&c->half);
	close(c->fd);
	c->fd = -1;
	diag_note(2, "%s: connection from %s ended", c->source->endpoint.text, c->peer);
}

bool client_read(struct recv *r, struct client *c)
{
	ssize_t n = read(c->fd, r->block, READER_BLOCK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
	if (n <= 0) {
		client_end(r, c, n == 0 ? "the connection ended within the line" : "the connection broke within the line");
		return true;
	}
	const char *start = r->block, *end = start + n;
	const char *last = memrchr(start, '\n', (size_t)n);
	c->heard_ms = socket_clock_ms();
	if (!last) {
		add_half(r, c, span_between(start, end));
		return true;
	}
	if (c->length) {
		const char *first = memchr(start, '\n', (size_t)n);
		add_half(r, c, span_between(start, first));
		finish_half(r, c);
		start = first + 1;
	}
	if (start <= last) feed_lines(&r->feed, &c->source->feed, start, last + 1);
	add_half(r, c, span_between(last + 1, end));
	return true;
}

/* A disk that was slow may have kept us from hearing it. */
static bool has_sent(const struct client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	return poll(&p, 1, 0) > 0;
}

void client_end_idle(struct recv *r)
{
	int64_t before = socket_clock_ms() - r->options.idle_ms;
	for (int i = 0; i < r->client_count; i++)
		if (r->client[i].heard_ms <= before && !has_sent(&r->client[i])) {
			r->idle_closed++;
			client_end(r, &r->client[i], "the connection was idle within the line (--idle)");
		}
}

void client_remove_ended(struct recv *r)
{
	int kept = 0;
	for (int i = 0; i < r->client_count; i++)
		if (r->client[i].fd >= 0) {
			if (kept != i) r->client[kept] = r->client[i];
			kept++;
		}
	r->client_count = kept;
}
