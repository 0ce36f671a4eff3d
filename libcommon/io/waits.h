/* waits - how a transport waits, and learns that it shall stop: the caller's affair. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_WAITS_H
#define IO_WAITS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/* A tool gives signals_waits (io/signals.h); a thread of a library its own, whose `poll` also watches what wakes it, and returns then. Every transport looks
 * at `stopping` after each poll, so a wake is all it takes to end a wait. Members that are NULL: poll(2), and never stopping. */
struct waits {
	/* As poll(2), but never -1: 0 for a time-out, for an interruption, and for being woken. timeout_ms < 0: for ever. */
	int (*poll)(void *context, struct pollfd *fds, size_t count, int timeout_ms);
	bool (*stopping)(void *context);     /* waits end; stays true. Without keeps_deadlines that is all of them, at once */
	bool (*stopping_now)(void *context); /* waits for a far side that is to end its connection (socket_end) end */
	void *context;
	bool keeps_deadlines;                /* stopping ends only waits that have no end of their own, and connects */
};

extern const struct waits waits_plain; /* poll(2), never stopping */

/* `waits` may be NULL in all of these: waits_plain. */
int waits_poll(const struct waits *, struct pollfd *fds, size_t count, int timeout_ms);
bool waits_stopping(const struct waits *);
bool waits_stopping_now(const struct waits *);
bool waits_are_over(const struct waits *, bool has_deadline); /* a wait with, or without, an end of its own is to end now */

#endif
