/* rules - which messages a client leaves out: severities, types, disabled timers. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_RULES_H
#define CLIENT_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include "base/span.h"
#include "client/metlog.h"

/* The filters of the original clients, all of which a message must pass. Copied at the start, then read only. */
struct rules_type {
	struct span name;
	int severity_max;
};

struct rules {
	bool is_any;                      /* there is a rule about types or severities at all */
	bool all_timers_disabled;
	int severity_max;                 /* 7: none is left out */
	const struct rules_type *types;   /* type_severities */
	size_t type_count;
	const struct span *allowed, *denied, *disabled_timers; /* each with a NUL behind it */
	size_t allowed_count, denied_count, disabled_count;
	bool has_allowed;
	void *memory;                     /* of all of them */
};

/* Copies what the options say of types, severities and timers, in one piece of memory. False, with the reason: what they say is wrong (78), or no memory (71). */
bool rules_init(struct rules *, const struct metlog_options *, struct metlog_fault *);
void rules_release(struct rules *);

/* "TYPE:N" with N from 0 to 7; the name is a part of the text. A type may have colons of its own. */
bool rules_read_type(struct rules_type *, const char *text);

bool rules_pass(const struct rules *, struct span type, int severity);

/* span_equal without a call for the lengths that names have: the first and the last eight bytes, which overlap. */
static inline bool rules_are_same(struct span a, struct span b)
{
	uint64_t first[2], last[2];
	if (a.length != b.length) return false;
	if (a.length < 8 || a.length > 16) return span_equal(a, b);
	memcpy(&first[0], a.data, 8);
	memcpy(&first[1], b.data, 8);
	memcpy(&last[0], a.data + a.length - 8, 8);
	memcpy(&last[1], b.data + b.length - 8, 8);
	return first[0] == first[1] && last[0] == last[1];
}

/* A handful of names each: a table would cost more than it saves. */
static inline bool rules_are_among(const struct span *names, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++)
		if (rules_are_same(names[i], name)) return true;
	return false;
}

static inline bool rules_disable_timer(const struct rules *r, struct span name)
{
	return r->all_timers_disabled || rules_are_among(r->disabled_timers, r->disabled_count, name);
}

/* The same of a text, which may be NULL. Inline, because a timer that is disabled is to cost next to nothing; the first byte tells nearly all names apart. strcmp(3), measured: a
 * loop of our own is slower for a name of nine bytes, and so is strlen(3) with words compared behind it. */
static inline bool rules_disable_named_timer(const struct rules *r, const char *name)
{
	if (r->all_timers_disabled) return true;
	if (!r->disabled_count) return false;
	if (!name) name = "";
	for (const struct span *timer = r->disabled_timers, *end = timer + r->disabled_count; timer < end; timer++)
		if (*timer->data == *name && strcmp(timer->data, name) == 0) return true;
	return false;
}

#endif
