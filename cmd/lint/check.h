/* check - one metric against the catalogue. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef LINT_CHECK_H
#define LINT_CHECK_H

#include "catalog.h"
#include "findings.h"

struct check {
	struct catalog *catalog;    /* may be replaced between two metrics */
	struct findings *findings;
	void (*on_finding)(void *context, const struct finding *); /* told of each new one; may be NULL */
	void *context;
	struct buffer name, key, value; /* decoded texts */
	/* of the metric that is being looked at */
	const char *source;
	uint64_t line;
	const struct metric *metric;
	struct span metric_name;
	const struct catalog_line *held_against;
	bool dry;                   /* faults are counted, and nothing is booked */
	uint64_t faults;
};

void check_init(struct check *, struct catalog *, struct findings *);
void check_release(struct check *);

enum check_verdict { CHECK_NO_METRIC, CHECK_CLEAN, CHECK_FAULTY };

/* source and line: where the envelope was read. */
enum check_verdict check_envelope(struct check *, const struct envelope *, const char *source, uint64_t line);

#endif
