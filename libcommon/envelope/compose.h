/* compose - makes an envelope: the members, their order, and how text and numbers are written. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_COMPOSE_H
#define ENVELOPE_COMPOSE_H

#include <stdint.h>
#include "base/buffer.h"

/* One message, version 0.8 of the envelope. Written with all nine members, in the order and with the defaults of the original
 * clients, compact, as raw UTF-8:
 *   {"type":"counter","timestamp":"2012-10-05T12:00:01.137911Z","logger":"sync","severity":6,"payload":"1",
 *    "fields":{"name":"login","rate":1},"env_version":"0.8","metlog_pid":26482,"metlog_hostname":"web1"}
 * Text is any bytes: what is not UTF-8 is written as U+FFFD, so what comes out is always a good envelope (but for its length,
 * which the limit of the buffer bounds). Spans are borrowed for the call; nothing is allocated but by the buffer. */
struct compose {
	struct span type, logger, hostname;
	int64_t timestamp;          /* nanoseconds since 1970 */
	struct span timestamp_text; /* if not empty: stands in the place of `timestamp`; an RFC 3339 text */
	int severity;               /* 0..7 */
	struct span payload;
	bool payload_is_json;       /* `payload` is a JSON value; else it is text */
	struct span fields;         /* the inside of the object, as the functions below make it */
	int64_t pid;
};

/* Appends the line, without a newline. False: the buffer's limit, or no memory (buffer.failed). */
bool compose_append(struct buffer *out, const struct compose *);

/* Each appends one pair to the inside of an object. Names are not compared with those before. */
bool compose_field_text(struct buffer *fields, struct span name, struct span text);
bool compose_field_json(struct buffer *fields, struct span name, struct span json); /* valid JSON, on one line */
bool compose_field_int(struct buffer *fields, struct span name, int64_t value);
bool compose_field_number(struct buffer *fields, struct span name, double value);   /* NaN and infinities: null */

/* What counters and timers carry: the name and the rate, as the first two fields. */
bool compose_metric(struct buffer *fields, struct span name, double rate);

/* The text as a JSON string with its quotes; U+FFFD for each byte that is not part of valid UTF-8. */
bool compose_text(struct buffer *out, struct span text);

#endif
