/* options - what metlog-flood's command line asks for, checked. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FLOOD_OPTIONS_H
#define FLOOD_OPTIONS_H

#include "filter/tool.h"
#include "plan.h"

struct flood_options {
	struct plan_options plan;
	uint64_t count;              /* envelopes; UINT64_MAX: without end */
	double rate;                 /* lines a second; 0: as fast as they are taken */
	int64_t duration;            /* nanoseconds; 0: without end */
	bool live;                   /* --start now: no other run has these timestamps */
	bool verify, in_order;
	const char *acknowledged;    /* --verify: the file of those that have to be there; NULL: all of them */
	uint64_t allow_duplicates;
};

extern const struct tool_about flood_about;

void options_init(struct flood_options *);
void options_check(struct flood_options *, const struct tool_options *); /* a usage error if they do not go together */

#endif
