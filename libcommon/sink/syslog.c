/* syslog - carries syslog messages over UDP, TCP, TLS or a unix socket, and knows what became of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/syslog_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "io/diag.h"
#include "io/signals.h"

/* BACKOFF: many who lost the same receiver do not come back together. LAST_WORD_MS: what the network has to say of the last datagrams. */
enum { BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 5000, LAST_WORD_MS = 50 };

static const struct row {
	struct span prefix;
	enum syslog_transport transport;
	const char *kind, *port;
} rows[] = {
	{ { "syslog+udp:", 11 }, SYSLOG_UDP, "udp", ":514" },
	{ { "syslog+tcp:", 11 }, SYSLOG_TCP, "tcp", ":514" },
	{ { "syslog+tls:", 11 }, SYSLOG_TLS, "tcp", ":6514" },
	{ { "syslog+unix:", 12 }, SYSLOG_UNIX, "unix", "" },
};

bool syslog_is(struct span endpoint)
{
	return span_starts(endpoint, SPAN("syslog+"));
}

static const struct row *row_of(const char *to)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (span_starts(span_of(to), rows[i].prefix)) return &rows[i];
	return NULL;
}

static bool has_port(const char *address)
{
	const char *end = address[0] == '[' ? strchr(address, ']') : address;
	return end && strchr(end, ':');
}

/* It becomes part of a URL. */
static bool is_host(const char *host)
{
	return host[0] && host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%")] == '\0';
}

static const char *parse_address(struct syslog *s, const struct row *row)
{
	const char *address = s->options->to + row->prefix.length, *why = NULL;
	struct buffer text;
	buffer_init(&text, SIZE_MAX);
	buffer_append_text(&text, row->kind);
	buffer_append_byte(&text, ':');
	buffer_append_text(&text, address);
	if (row->port[0] && !has_port(address)) buffer_append_text(&text, row->port);
	if (text.failed) why = "out of memory";
	else if (!endpoint_parse(&s->endpoint, buffer_span(&text), &why)) { /* why says so */ }
	else if (row->transport != SYSLOG_UNIX && !is_host(s->endpoint.host)) why = "a host is missing, or its name cannot be one";
	else if (row->transport != SYSLOG_UNIX && !atoi(s->endpoint.port)) why = "a port from 1 to 65535 is missing";
	buffer_release(&text);
	if (!why) s->place = row->transport == SYSLOG_UNIX ? s->endpoint.path : s->endpoint.text + strlen(row->kind) + 1;
	return why;
}

static const char *set(struct syslog *s)
{
	const struct syslog_options *o = s->options;
	const struct row *row = row_of(o->to);
	if (!row) return "a receiver of syslog is syslog+udp:HOST, syslog+tcp:HOST, syslog+tls:HOST or syslog+unix:PATH";
	s->transport = row->transport;
	s->type = row->transport == SYSLOG_UDP ? SOCKET_DATAGRAM : SOCKET_STREAM;
	s->max_bytes = o->max_bytes ? o->max_bytes : row->transport == SYSLOG_UDP ? SYSLOG_DATAGRAM_MAX : SIZE_MAX / 8;
	s->window.counted = o->framing == SYSLOG_FRAMING_COUNTED || (o->framing == SYSLOG_FRAMING_DEFAULT && row->transport == SYSLOG_TLS);
	s->proof_ms = o->proof_ms > 0 ? o->proof_ms : SYSLOG_PROOF_MS;
	if (s->max_bytes < SYSLOG_LEAST_BYTES) return "--max-bytes: a message cannot be that short";
	if (row->transport == SYSLOG_UDP && s->max_bytes > SYSLOG_DATAGRAM_MAX) return "--max-bytes: a datagram has at most 65507 bytes";
	if (row->transport == SYSLOG_UDP && o->framing != SYSLOG_FRAMING_DEFAULT) return "--framing: datagrams have none";
	return parse_address(s, row);
}

struct syslog *syslog_new(const struct syslog_options *options, const char **why)
{
	struct syslog *s = must_alloc(sizeof *s);
	*s = (struct syslog){ .options = options, .fd = -1, .away_since_ms = -1, .proof_due_ms = -1, .pace = { .per_second = options->pace },
		.backoff = { .first_ms = BACKOFF_FIRST_MS, .most_ms = BACKOFF_MOST_MS } };
	buffer_init(&s->window.bytes, SIZE_MAX);
	buffer_init(&s->last, SIZE_MAX);
	signals_ignore_pipe();
	if (!(*why = set(s))) return s;
	syslog_free(s);
	return NULL;
}

void syslog_free(struct syslog *s)
{
	if (!s) return;
	syslog_disconnect(s);
	buffer_release(&s->window.bytes);
	buffer_release(&s->last);
	if (s->endpoint.text) endpoint_release(&s->endpoint);
	free(s);
}

static bool is_stream(const struct syslog *s)
{
	return s->type == SOCKET_STREAM;
}

enum syslog_state syslog_send(struct syslog *s, struct span message)
{
	s->counts.taken++;
	s->counts.waiting++;
	if (s->state) return s->state;
	pace_wait(&s->pace, 1);
	if (s->options->pace && signals_stopping_now()) return syslog_end(s, SYSLOG_GONE, "stopped before all was sent (--pace)");
	/* Which kind listens at a path is known once it is connected to. */
	if (s->transport == SYSLOG_UNIX && s->fd < 0 && !s->window.messages && syslog_connect(s)) return s->state;
	return is_stream(s) ? syslog_stream_send(s, message) : syslog_datagram_send(s, message);
}

enum syslog_state syslog_flush(struct syslog *s)
{
	return s->state || !is_stream(s) ? s->state : syslog_stream_flush(s);
}

enum syslog_state syslog_finish(struct syslog *s)
{
	if (s->state) return s->state;
	if (!is_stream(s)) syslog_datagram_hear(s, LAST_WORD_MS);
	else if (syslog_stream_prove(s)) return s->state;
	syslog_disconnect(s);
	return s->state;
}

enum syslog_state syslog_reconnect(struct syslog *s)
{
	return syslog_finish(s);
}

bool syslog_poll(const struct syslog *s, struct pollfd *p)
{
	*p = (struct pollfd){ .fd = s->fd, .events = is_stream(s) ? POLLIN : 0 };
	return s->fd >= 0;
}

int syslog_timeout_ms(const struct syslog *s)
{
	if (s->state || s->proof_due_ms < 0) return -1;
	int64_t left = s->proof_due_ms - socket_clock_ms();
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

enum syslog_state syslog_tick(struct syslog *s)
{
	if (s->state) return s->state;
	return is_stream(s) ? syslog_stream_tick(s) : syslog_datagram_hear(s, 0);
}

const struct syslog_counts *syslog_counts(const struct syslog *s)
{
	return &s->counts;
}

const char *syslog_reason(const struct syslog *s)
{
	return s->reason;
}
