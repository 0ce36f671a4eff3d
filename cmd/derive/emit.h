/* emit - makes the metric envelopes of an envelope by the rules. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_EMIT_H
#define DERIVE_EMIT_H

#include "eval.h"

/* A metric, in the order of the original clients' members, compact:
 *   {"type":"counter","timestamp":"2026-11-22T10:00:00.123456Z","logger":"ichnaea","severity":6,"payload":"1","fields":{"name":"request","rate":1,
 *    "tags":{"path":"v1.geolocate","method":"post","status":"200"}},"env_version":"0.8","metlog_pid":12,"metlog_hostname":"web1"}
 * timestamp, logger, metlog_pid and metlog_hostname are the source's own bytes, left out where it has none; so are tags if there are none.
 *
 * Tags and names are safe, whatever the fields hold: see safe.h.
 * What metlog-to-statsd(1) would not take is not made: a value that is no finite number, a timer below 0, an empty member of a set, a rate that is not in (0, 1]. */
struct emit; /* opaque */
struct emit *emit_new(struct rules *, size_t line_limit_bytes, uint64_t seed); /* dies without memory; the rules are borrowed, and their books are kept */
void emit_free(struct emit *);

/* Makes the metrics, in the order of the rules: *lines, each with its newline, good until the next call; *count: how many. False: one would be longer than the limit,
 * and none of them counts (but in the books of the rules, which cannot be taken back). */
bool emit_envelope(struct emit *, const struct envelope *, struct span *lines, uint64_t *count);

/* What became of a metric of a block that matched. */
enum emit_outcome {
	EMIT_MADE,
	EMIT_UNWANTED,    /* its `if` was not met */
	EMIT_LEFT_OUT,    /* by `sample` */
	EMIT_NO_NAME,     /* a part of it is not there */
	EMIT_NO_VALUE,
	EMIT_NO_NUMBER,   /* a value that is none */
	EMIT_NEGATIVE,    /* a timer below 0 */
	EMIT_EMPTY,       /* the member of a set */
	EMIT_NO_RATE,     /* not there, no number, not in (0, 1], or what the value is divided by to infinity */
};

/* Told of each metric of a block that matches, with its line (without newline) if it was made. */
struct emit_trace {
	void (*metric)(void *context, size_t metric, enum emit_outcome, struct span line);
	void *context;
};
void emit_set_trace(struct emit *, struct emit_trace);

/* For who explains: the values of the envelope that emit_envelope had last. */
struct eval *emit_eval(struct emit *);

#endif
