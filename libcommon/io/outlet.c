/* outlet - hands whole envelopes over to an endpoint, and knows how many it has handed over. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/outlet_private.h"
#include "io/socket.h"

/* BLOCK: one write's worth. */
enum { BLOCK_BYTES = 64 * 1024, HWM_DEFAULT = 1000 };

enum outlet_result outlet_explain(struct outlet *o, enum outlet_result result, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(o->reason, sizeof o->reason, format, arguments);
	va_end(arguments);
	return result;
}

void outlet_say(struct outlet *o, bool is_warning, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	if (!o->options.say) return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	o->options.say(o->options.say_context, is_warning, text);
}

struct patience patience(const struct outlet *o)
{
	return (struct patience){ socket_clock_ms() + o->options.timeout_ms, o->options.timeout_ms < 0, o->options.waits };
}

int patience_left(const struct patience *p)
{
	if (waits_are_over(p->waits, !p->for_ever)) return 0;
	if (p->for_ever) return -1;
	int64_t left = p->end_ms - socket_clock_ms();
	return left > 0 ? (int)left : 0;
}

void outlet_wait_writable(const struct outlet *o, int timeout_ms)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };
	waits_poll(o->options.waits, &p, 1, timeout_ms);
}

void outlet_pause(const struct outlet *o, int timeout_ms)
{
	waits_poll(o->options.waits, NULL, 0, timeout_ms);
}

void outlet_book_written(struct outlet *o, size_t length)
{
	const char *start = o->held.data, *at = start, *end = start + o->offset + length, *newline;
	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		o->delivered++;
		o->held_lines--;
		if (o->form == OUTLET_STREAM) o->unacknowledged++;
		at = newline + 1;
	}
	o->offset = (size_t)(end - at);
	buffer_drop(&o->held, (size_t)(at - start));
}

void outlet_close_fd(struct outlet *o)
{
	int fd = o->fd;
	o->fd = -1;
	if (fd >= 0) close(fd);
}

/* --- all kinds -------------------------------------------------------------------- */

static bool open_kind(struct outlet *o, struct fault *fault)
{
	const struct endpoint *e = o->endpoint;
	switch (e->kind) {
	case ENDPOINT_STDIO: case ENDPOINT_FILE:
		return outlet_open_file(o, fault);
	case ENDPOINT_TCP: case ENDPOINT_UNIX:
		o->form = OUTLET_STREAM; /* unix: until the first connection tells */
		return true;
	case ENDPOINT_UDP:
		o->form = OUTLET_DATAGRAM;
		return true;
	case ENDPOINT_PUB: case ENDPOINT_PUSH:
		return outlet_open_zeromq(o, fault);
	case ENDPOINT_ACK:
		return outlet_open_ack(o, fault);
	case ENDPOINT_SPOOL: case ENDPOINT_WEBHDFS: case ENDPOINT_HTTP:
		return fault_set(fault, EXIT_CONFIGURATION, "%s: %s endpoints cannot be used yet", e->text, endpoint_kind_name(e->kind));
	default:
		return fault_set(fault, EXIT_CONFIGURATION, "%s: nothing can be sent to %s: endpoints", e->text, endpoint_kind_name(e->kind));
	}
}

struct outlet *outlet_open(const struct endpoint *endpoint, const struct outlet_options *options, struct fault *fault)
{
	struct outlet *o = calloc(1, sizeof *o);
	if (!o) return fault_set(fault, EXIT_INTERNAL, "no memory for an outlet"), NULL;
	o->endpoint = endpoint;
	o->options = *options;
	if (!o->options.hwm) o->options.hwm = HWM_DEFAULT;
	o->fd = -1;
	buffer_init(&o->held, SIZE_MAX / 2);
	if (open_kind(o, fault)) return o;
	free(o);
	return NULL;
}

static enum outlet_result flush(struct outlet *o)
{
	switch (o->form) {
	case OUTLET_FILE: return outlet_flush_file(o);
	case OUTLET_STREAM: return outlet_flush_stream(o);
	case OUTLET_DATAGRAM: return outlet_flush_datagram(o);
	case OUTLET_ZEROMQ: return outlet_flush_zeromq(o);
	case OUTLET_ACK: return outlet_flush_ack(o);
	}
	return OUTLET_DELIVERED;
}

enum outlet_result outlet_flush(struct outlet *o)
{
	enum outlet_result result = flush(o);
	o->failed = result != OUTLET_DELIVERED;
	return result;
}

/* Room behind what is held, of which at most one block waits. */
static enum outlet_result reserve(struct outlet *o, size_t length)
{
	if (o->held.length - o->offset >= BLOCK_BYTES) {
		enum outlet_result result = flush(o);
		if (result != OUTLET_DELIVERED) return result;
	}
	if (buffer_reserve(&o->held, length)) return OUTLET_DELIVERED;
	o->held.failed = o->held.no_memory = false;
	return outlet_explain(o, OUTLET_TRY_AGAIN, "no memory for %zu bytes", length);
}

static enum outlet_result send_line(struct outlet *o, struct span line)
{
	if (o->form == OUTLET_ZEROMQ) return outlet_send_zeromq(o, line);
	if (o->form == OUTLET_ACK) return outlet_send_ack(o, line);
	enum outlet_result result = outlet_learn_form(o);
	if (result != OUTLET_DELIVERED) return result;
	if (o->form == OUTLET_DATAGRAM) {
		result = outlet_send_datagram(o, line);
		if (o->form == OUTLET_DATAGRAM || result != OUTLET_DELIVERED) return result;
	}
	result = reserve(o, line.length + 1);
	if (result != OUTLET_DELIVERED) return result;
	buffer_append_span(&o->held, line);
	buffer_append_byte(&o->held, '\n');
	o->held_lines++;
	return OUTLET_DELIVERED;
}

enum outlet_result outlet_send(struct outlet *o, struct span line)
{
	o->refused_line = false;
	enum outlet_result result = send_line(o, line);
	o->failed = result != OUTLET_DELIVERED;
	return result;
}

/* The first lines of a block, each with its newline: at most `most` bytes of them but at least one, and how many that is. */
static struct span first_lines(struct span lines, size_t most, uint64_t *count)
{
	const char *at = lines.data, *end = lines.data + lines.length, *newline;
	for (*count = 0; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1, ++*count)
		if (*count && (size_t)(newline + 1 - lines.data) > most) break;
	return span_between(lines.data, at);
}

static enum outlet_result send_block(struct outlet *o, struct span block, uint64_t count)
{
	if (o->form == OUTLET_ZEROMQ) return outlet_send_block_zeromq(o, block, count);
	if (o->form == OUTLET_ACK) return outlet_send_block_ack(o, block, count);
	enum outlet_result result = reserve(o, block.length);
	if (result != OUTLET_DELIVERED) return result;
	buffer_append_span(&o->held, block);
	o->held_lines += count;
	return OUTLET_DELIVERED;
}

static enum outlet_result send_lines(struct outlet *o, struct span lines, size_t *taken)
{
	for (*taken = 0; *taken < lines.length;) {
		uint64_t count;
		enum outlet_result result = outlet_learn_form(o);
		bool is_single = o->form == OUTLET_DATAGRAM || o->endpoint->kind == ENDPOINT_PUB;
		struct span rest = { lines.data + *taken, lines.length - *taken }, block = first_lines(rest, is_single ? 0 : OUTLET_BLOCK_BYTES, &count);
		if (!count) return outlet_explain(o, OUTLET_REFUSED, "a line without its end");
		if (result == OUTLET_DELIVERED) result = is_single ? send_line(o, (struct span){ block.data, block.length - 1 }) : send_block(o, block, count);
		if (result != OUTLET_DELIVERED) return result;
		*taken += block.length;
	}
	return OUTLET_DELIVERED;
}

enum outlet_result outlet_send_lines(struct outlet *o, struct span lines, size_t *taken_bytes)
{
	o->refused_line = false;
	enum outlet_result result = send_lines(o, lines, taken_bytes);
	o->failed = result != OUTLET_DELIVERED;
	return result;
}

uint64_t outlet_delivered(const struct outlet *o)
{
	return o->form == OUTLET_ACK ? outlet_delivered_ack(o) : o->delivered;
}

uint64_t outlet_lost(const struct outlet *o)
{
	return o->lost;
}

void outlet_set_timeout(struct outlet *o, int timeout_ms)
{
	o->options.timeout_ms = timeout_ms;
	o->failed = false; /* new patience */
}

const char *outlet_reason(const struct outlet *o)
{
	return o->reason;
}

bool outlet_refused_line(const struct outlet *o)
{
	return o->refused_line;
}

enum outlet_result outlet_close(struct outlet *o, uint64_t *lost, char *reason)
{
	if (o->failed && o->form != OUTLET_ZEROMQ) o->options.timeout_ms = 0; /* the patience is used up */
	enum outlet_result result = o->form == OUTLET_ZEROMQ ? outlet_close_zeromq(o) : o->form == OUTLET_ACK ? outlet_close_ack(o) : flush(o);
	if (result == OUTLET_DELIVERED && o->form == OUTLET_STREAM) result = outlet_close_stream(o);
	if (o->form == OUTLET_FILE && result != OUTLET_DELIVERED) outlet_mend_file(o);
	if (o->fd >= 0 && close(o->fd) < 0 && o->form == OUTLET_FILE && errno != EINTR && result == OUTLET_DELIVERED)
		result = outlet_explain(o, OUTLET_REFUSED, "%s", strerror(errno));
	o->lost += o->held_lines;
	if (o->lost && result == OUTLET_DELIVERED) {
		result = OUTLET_TRY_AGAIN;
		if (!o->reason[0]) outlet_explain(o, result, "the connection was lost");
	}
	if (lost) *lost = o->lost;
	if (reason) memcpy(reason, o->reason, sizeof o->reason);
	free(o->queue);
	buffer_release(&o->held);
	free(o);
	return result;
}

void outlet_know_descriptor(struct outlet *o)
{
	struct stat status;
	if (o->fd >= 0 && o->fd <= STDERR_FILENO) { /* they were closed, which does not make them ours */
		int standard = o->fd;
		o->fd = fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(standard);
	}
	if (o->fd < 0 || fstat(o->fd, &status) < 0) return;
	o->device = status.st_dev;
	o->inode = status.st_ino;
}

/* Another thread of the parent may have been in the midst of a call: what it was changing (buffers, say) is not to be relied on, or freed. And a child that closes all descriptors
 * it does not know, as daemons do, may have others under their numbers by now. */
void outlet_abandon(struct outlet *o)
{
	struct stat status;
	if (!o || o->fd < 0 || fstat(o->fd, &status) < 0) return;
	if (status.st_dev == o->device && status.st_ino == o->inode) outlet_close_fd(o);
}
