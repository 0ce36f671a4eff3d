/* screen - output to a terminal that may be slow while the stream that is shown cannot wait. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "screen.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "io/diag.h"

void screen_init(struct screen *s, int fd)
{
	*s = (struct screen){ .fd = fd };
	buffer_init(&s->waiting, SCREEN_LIMIT);
}

bool screen_is_waiting(const struct screen *s)
{
	return s->waiting.length > 0;
}

bool screen_put(struct screen *s, struct span text)
{
	/* Once something was skipped, all is until the terminal has caught up: one gap and not a hundred. */
	if (!s->skipped && buffer_append_span(&s->waiting, text)) return true;
	s->waiting.failed = false;
	s->skipped++;
	s->skipped_in_all++;
	return false;
}

static void tell(struct screen *s)
{
	if (!s->skipped) return;
	diag_warn("the terminal is slower than the stream: %" PRIu64 " envelopes were not shown here", s->skipped);
	s->skipped = 0;
}

void screen_drain(struct screen *s)
{
	/* A write of no more than a page to a terminal that has room does not wait long; the descriptor stays as it is, because
	 * O_NONBLOCK would be the shell's, too. */
	while (s->waiting.length && !s->error) {
		struct pollfd out = { .fd = s->fd, .events = POLLOUT };
		if (poll(&out, 1, 0) <= 0 || !(out.revents & (POLLOUT | POLLERR | POLLHUP))) return;
		size_t chunk = s->waiting.length < SCREEN_CHUNK ? s->waiting.length : SCREEN_CHUNK;
		ssize_t written = write(s->fd, s->waiting.data, chunk);
		if (written < 0 && errno != EINTR && errno != EAGAIN) s->error = errno;
		if (written <= 0) return;
		buffer_drop(&s->waiting, (size_t)written);
	}
	if (!s->error) tell(s);
}

bool screen_close(struct screen *s)
{
	if (!s->error) s->error = write_all(s->fd, buffer_span(&s->waiting));
	if (!s->error) tell(s);
	buffer_release(&s->waiting);
	return !s->error;
}
