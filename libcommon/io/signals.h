/* signals - SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGCHLD as flags, and a poll that they interrupt without a race. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_SIGNALS_H
#define IO_SIGNALS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "io/waits.h"

enum signals_want { SIGNALS_STOP = 1, SIGNALS_HANGUP = 2, SIGNALS_STATS = 4, SIGNALS_CHILD = 8,
	SIGNALS_STOP_AGAIN = 16, /* with STOP: the second request is told by signals_stopping_now, and only the third one ends the process */
};

/* Installs handlers for what is wanted: STOP is SIGTERM and SIGINT (the second one ends the process at once, by that
 * signal), HANGUP SIGHUP, STATS SIGUSR1, CHILD SIGCHLD. Handlers are installed without SA_RESTART: a blocked read or
 * write returns EINTR, and io/writer goes on. */
void signals_open(unsigned wanted);
void signals_ignore_pipe(void); /* SIGPIPE ignored: for tools with several outputs, which handle EPIPE */

bool signals_stopping(void);     /* SIGTERM or SIGINT has come; stays true */
/* What is being done shall be broken off, too: the second request has come, with SIGNALS_STOP_AGAIN; without it, the first. Stays true. A tool that still has
 * to deliver what it has read once it is asked to stop opens with SIGNALS_STOP_AGAIN; whatever waits for a far side asks this. */
bool signals_stopping_now(void);
int signals_stop_number(void);   /* which one came first; 0 if none */
bool signals_take(unsigned one); /* HANGUP, STATS or CHILD has come since the last call: true once */

/* poll(2) that also returns (0, as on time-out) when a wanted signal comes, even if it came just before the call.
 * timeout_ms < 0 waits for ever. At most SIGNALS_POLL_MAX descriptors. Never fails with EINTR. */
enum { SIGNALS_POLL_MAX = 1024 };
int signals_poll(struct pollfd *fds, size_t count, int timeout_ms);

/* For the transports: signals_poll, signals_stopping and signals_stopping_now; what has a deadline goes on to it when a stop is asked for. */
extern const struct waits signals_waits;

/* In a child between fork and exec: nothing blocked, and the actions that we have set are the default ones again; but what our
 * own caller had ignored (nohup, a shell's background job) stays ignored. */
void signals_reset(void);

#endif
