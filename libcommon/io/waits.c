/* waits - how a transport waits, and learns that it shall stop: the caller's affair. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/waits.h"

#include <errno.h>
#include <time.h>

const struct waits waits_plain = { 0 };

static int poll_plainly(struct pollfd *fds, size_t count, int timeout_ms)
{
	int ready = poll(fds, count, timeout_ms);
	if (ready >= 0) return ready;
	/* Without memory poll(2) fails at once, again and again: that must not become a busy loop. */
	if (errno != EINTR) nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	for (size_t i = 0; i < count; i++) fds[i].revents = 0;
	return 0;
}

int waits_poll(const struct waits *w, struct pollfd *fds, size_t count, int timeout_ms)
{
	return w && w->poll ? w->poll(w->context, fds, count, timeout_ms) : poll_plainly(fds, count, timeout_ms);
}

bool waits_stopping(const struct waits *w)
{
	return w && w->stopping && w->stopping(w->context);
}

bool waits_stopping_now(const struct waits *w)
{
	return w && w->stopping_now && w->stopping_now(w->context);
}

bool waits_are_over(const struct waits *w, bool has_deadline)
{
	return w && !(has_deadline && w->keeps_deadlines) && waits_stopping(w);
}
