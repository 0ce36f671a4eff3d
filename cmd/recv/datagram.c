/* datagram - reads datagrams, many with one system call. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "recv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "io/diag.h"

/* 32 datagrams a call: more brings nothing, and the buffers are untouched memory until datagrams come. */
enum { BATCH = 32 };

struct datagrams {
	size_t size;
	char *slots;
	struct mmsghdr message[BATCH];
	struct iovec vector[BATCH];
};

static size_t slot_bytes(const struct datagrams *d)
{
	return d->size + 1 + SCAN_PADDING;
}

struct datagrams *datagrams_new(size_t size_bytes)
{
	struct datagrams *d = must_alloc(sizeof *d);
	d->size = size_bytes;
	d->slots = must_alloc(BATCH * slot_bytes(d));
	for (size_t i = 0; i < BATCH; i++) {
		d->vector[i] = (struct iovec){ d->slots + i * slot_bytes(d), size_bytes };
		d->message[i].msg_hdr = (struct msghdr){ .msg_iov = &d->vector[i], .msg_iovlen = 1 };
	}
	return d;
}

void datagrams_free(struct datagrams *d)
{
	if (!d) return;
	free(d->slots);
	free(d);
}

bool datagrams_read(struct recv *r, struct source *s)
{
	struct datagrams *d = r->datagrams;
	/* MSG_TRUNC: the length told is the datagram's, however much of it found room. */
	int count = recvmmsg(s->fd, d->message, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (count < 0) {
		/* A bound socket that never sends has no errors of its own worth ending for. */
		if (errno != EAGAIN && errno != EINTR) diag_note(1, "%s: %s", s->endpoint.text, strerror(errno));
		return false;
	}
	for (int i = 0; i < count; i++) {
		size_t length = d->message[i].msg_len;
		char *data = d->vector[i].iov_base;
		r->datagram_count++;
		if (length > d->size) feed_reject(&r->feed, &s->feed, (struct span){ data, d->size }, length, "longer than a datagram may be here");
		else feed_frame_in_place(&r->feed, &s->feed, data, length);
	}
	return count > 0;
}
