/* tee - the second way of what is stored: to standard output, but not before it is committed. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "tee.h"

#include <errno.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/writer.h"

void tee_open(struct tee *tee)
{
	*tee = (struct tee){ .open = true };
	buffer_init(&tee->waiting, SIZE_MAX / 2);
}

void tee_close(struct tee *tee)
{
	if (tee->open) buffer_release(&tee->waiting);
	tee->open = false;
}

void tee_add(struct tee *tee, struct span line)
{
	if (!tee->open) return;
	buffer_append_span(&tee->waiting, line);
	if (!buffer_append_byte(&tee->waiting, '\n')) die(EXIT_INTERNAL, "no memory for the batch that --tee holds back");
	tee->lines++;
}

/* The length of the first `count` lines. */
static size_t measure(const struct tee *tee, uint64_t count)
{
	const char *at = tee->waiting.data, *end = at + tee->waiting.length;
	if (count == tee->lines) return tee->waiting.length;
	for (; count; count--) at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
	return (size_t)(at - tee->waiting.data);
}

bool tee_release(struct tee *tee, uint64_t uncommitted)
{
	if (!tee->open || tee->lines <= uncommitted) return true;
	size_t length = measure(tee, tee->lines - uncommitted);
	int error = write_all(STDOUT_FILENO, (struct span){ tee->waiting.data, length });
	buffer_drop(&tee->waiting, length);
	tee->lines = uncommitted;
	if (!error) return true;
	tee_close(tee);
	if (error == EPIPE) diag_warn("--tee: nobody reads standard output any more; the spool goes on");
	else diag_error("--tee: standard output: %s; the spool goes on", strerror(error));
	return error == EPIPE;
}
