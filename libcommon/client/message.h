/* message - writes an envelope into memory that has room for it, without allocating. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_MESSAGE_H
#define CLIENT_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/span.h"
#include "client/metlog.h"

/* The members stand in this order, compact, as raw UTF-8; it is what envelope/compose writes:
 *   {"type":"counter","timestamp":"2012-10-05T12:00:01.137911Z","logger":"sync","severity":6,"payload":"1",
 *    "fields":{"name":"login","rate":1,...,"tags":{...}},"env_version":"0.8","metlog_pid":26482,"metlog_hostname":"web1"}
 * Names of fields that come twice are the caller's affair, but for those that are ours: of its list, a field is left out that is called name, rate or tags where
 * we write these, or as one of `own`. */
struct message {
	struct span type;
	struct span logger;               /* data NULL: the client's */
	int severity;                     /* 0..7 */
	struct span payload;
	bool payload_is_json;             /* checked by the caller (client/value.h) */
	bool is_plain;                    /* type and payload have nothing that JSON escapes: the library's own word, and a number */
	struct span metric;               /* data NULL: it is none */
	double rate;                      /* of a metric; negative: none is written */
	const struct metlog_field *own;   /* the library's own fields: behind name and rate, before the caller's; no tags */
	size_t own_count;
	const struct metlog_field *fields; /* the caller's */
	size_t field_count;
	int64_t timestamp_ns;
	struct span timestamp;            /* if not empty, in its place */
	int64_t pid;                      /* 0: the client's */
	struct span hostname;             /* data NULL: the client's */
};

/* A message of no type with nothing in it. Member by member: an initializer is a `rep stos` of all of it, which costs 20 ns. */
static inline void message_init(struct message *m, struct span type, int severity)
{
	const struct span none = { NULL, 0 };
	m->type = type;
	m->logger = none;
	m->severity = severity;
	m->payload = none;
	m->payload_is_json = m->is_plain = false;
	m->metric = none;
	m->rate = 0;
	m->own = NULL;
	m->own_count = 0;
	m->fields = NULL;
	m->field_count = 0;
	m->timestamp_ns = 0;
	m->timestamp = none;
	m->pid = 0;
	m->hostname = none;
}

/* What all messages of a client share, made once: the parts between what changes, as JSON already. */
struct message_parts {
	struct span head;                 /* ,"logger":"sync","severity": */
	struct span tail;                 /* },"env_version":"0.8","metlog_pid":26482,"metlog_hostname":"web1"} and a newline */
	struct span logger, hostname;     /* as text, for messages that have one of the two of their own */
	int64_t pid;
};

/* The second whose date is written already; one a thread, zeroed at the start. */
struct message_clock {
	int64_t second;
	char text[20]; /* "2012-10-05T12:00:01." */
};

/* A bound of the length, newline included: escapes make of one byte at most six. SIZE_MAX: it can be no envelope. Its severity is beyond 0..7, a field is no JSON, or
 * it is beyond all lengths. */
size_t message_bound(const struct message *, const struct message_parts *);

/* The exact length, newline included; for the rare message whose bound does not fit. */
size_t message_length(const struct message *, const struct message_parts *);

/* Writes it with its newline, or without; returns the place behind. Only of what message_bound has taken. */
char *message_write_bare(char *at, const struct message *, const struct message_parts *, struct message_clock *);
char *message_write(char *at, const struct message *, const struct message_parts *, struct message_clock *);

#endif
