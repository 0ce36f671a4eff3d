/* command - a destination that is a child process: started, kept running, drained, reaped. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_COMMAND_H
#define ROUTE_COMMAND_H

#include "io/child.h"
#include "sink.h"

enum { COMMAND_PIPE_BYTES = 256 * 1024 };

/* Lines written to its pipe stay in the ring until it has read them; when it dies, its successor gets what it had not read, from the
 * start of a line on. It is started again after a pause that doubles from 0.1 s to 30 s (less up to half, by chance), and is short again
 * once it has run for 10 s. It is not started again if it ended with 64, 77, 78, 126 or 127: that would not get better. */
struct command {
	struct child child;
	int rest;              /* once its input was ended: our handle on what it has not read; -1 */
	bool draining;         /* it gets no more than what waits */
	bool done;             /* drained and reaped, or given up */
	unsigned failures;     /* ends in a row; makes the pause */
	unsigned drain_starts; /* how often it was started again while draining */
	int64_t started_ms, restart_ms; /* CLOCK_MONOTONIC; restart_ms 0: it runs */
	int64_t grace_ms;      /* see below */
	size_t remains;        /* what it had not read when that was looked at last, */
	int64_t progress_ms;   /* and when that changed last */
	bool stopped;          /* it was sent SIGTERM for want of progress */
};

/* The child of an endpoint waits for its far side as long as the stream lasts: nothing is lost by an outage, and lines wait here as full= says. Once it
 * is draining, grace_ms without progress are enough: it is told to stop, and says itself what it could not hand over. */

struct command *command_new(int64_t grace_ms);
void command_free(struct command *);

int64_t command_now_ms(void);

bool command_start(struct sink *);              /* false if it cannot be started, which has been said */
void command_lost_reader(struct sink *);        /* it has closed its input */
void command_forget_read(struct sink *);        /* gives up the lines that it has read */
void command_look(struct sink *, int64_t now);  /* reaps it, starts it again when it is time, ends its input when it is drained */
int64_t command_wakes_ms(const struct sink *);  /* when command_look must be called next; INT64_MAX if a signal will tell */
void command_give_up(struct sink *, const char *why); /* no more time: what waits is lost */

#endif
