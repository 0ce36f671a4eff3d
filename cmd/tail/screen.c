/* screen - output to a terminal that may be slow while the stream that is shown cannot wait. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "io/diag.h"

bool screen_open(struct screen *s, int terminal)
{
	char path[64];
	*s = (struct screen){ .fd = -1 };
	buffer_init(&s->waiting, SCREEN_LIMIT);
	/* Opened anew, because O_NONBLOCK on the descriptor that was given to us would be the shell's, too. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", terminal);
	s->fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return s->fd >= 0;
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
	while (s->waiting.length && !s->error) {
		ssize_t written = write(s->fd, s->waiting.data, s->waiting.length);
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
	close(s->fd);
	return !s->error;
}
