/* client_fixture - a client that keeps what it was given, in the place of client/client: its calls are judged one at a time. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_CLIENT_FIXTURE_H
#define TESTS_UNIT_CLIENT_FIXTURE_H

#include <errno.h>
#include <stdio.h>

#include "base/sample.h"
#include "client/client.h"

struct metlog {
	struct rules rules;
	int severity;
	struct message_clock clock;
	char line[1 << 16], scratch[1 << 15];
	size_t scratch_size;      /* 0: there is none, as in a signal handler */
	bool scratch_lent;
	unsigned sent, left_out, refused, dropped;
};

static const struct message_parts fixture_parts = {
	.head = SPAN(",\"logger\":\"sync\",\"severity\":"),
	.tail = SPAN("},\"env_version\":\"0.8\",\"metlog_pid\":26482,\"metlog_hostname\":\"web1\"}\n"),
	.logger = SPAN("sync"), .hostname = SPAN("web1"), .pid = 26482,
};

_Thread_local struct client_chance client_chance;

void client_seed(void)
{
	sample_init_seed(&client_chance.sample, 1);
	client_chance.is_seeded = true;
}

static inline void fixture_init(struct metlog *m)
{
	*m = (struct metlog){ .rules = { .severity_max = 7 }, .severity = 6, .scratch_size = sizeof m->scratch };
	client_seed();
}

/* The line without what is the same in all: from "severity" to the end of "fields". */
static inline const char *fixture_line(struct metlog *m)
{
	static char part[sizeof m->line];
	const char *from = strstr(m->line, "\"severity\""), *to = strstr(m->line, ",\"env_version\"");
	snprintf(part, sizeof part, "%.*s", (int)(to - from), from);
	return part;
}

enum metlog_result client_send(struct metlog *m, const struct message *message)
{
	errno = EAGAIN; /* as the wake of a sender may leave it */
	if (message_bound(message, &fixture_parts) == SIZE_MAX || message_length(message, &fixture_parts) > sizeof m->line - 1) return client_refuse(m);
	*message_write(m->line, message, &fixture_parts, &m->clock) = '\0';
	m->sent++;
	return METLOG_TAKEN;
}

enum metlog_result client_leave_out(struct metlog *m)
{
	m->left_out++;
	return METLOG_LEFT_OUT;
}

enum metlog_result client_refuse(struct metlog *m)
{
	m->refused++;
	return METLOG_REFUSED;
}

enum metlog_result client_drop(struct metlog *m)
{
	m->dropped++;
	return METLOG_DROPPED;
}

char *client_scratch(struct metlog *m, size_t *size)
{
	*size = m->scratch_size;
	m->scratch_lent = m->scratch_size > 0;
	return m->scratch_lent ? m->scratch : NULL;
}

enum metlog_result client_send_scratch(struct metlog *m, const struct message *message)
{
	m->scratch_lent = false;
	return client_send(m, message);
}

enum metlog_result client_refuse_scratch(struct metlog *m)
{
	m->scratch_lent = false;
	return client_refuse(m);
}

int client_default_severity(const struct metlog *m)
{
	return m->severity;
}

size_t client_line_max(const struct metlog *m)
{
	return sizeof m->line - 1;
}

const struct message_parts *client_parts(struct metlog *m)
{
	(void)m;
	return &fixture_parts;
}

/* The call was taken, and its line is of this type; from its severity on, as fixture_line has it, it is as expected. */
static inline void fixture_assert_sent(struct metlog *client, enum metlog_result result, const char *type, const char *expected)
{
	char start[100];
	assert_int_equal(result, METLOG_TAKEN);
	snprintf(start, sizeof start, "{\"type\":\"%s\",\"timestamp\":\"", type);
	assert_memory_equal(client->line, start, strlen(start));
	assert_string_equal(fixture_line(client), expected);
}

#endif
