/* segment - datagrams of one length go to the kernel in one piece, which cuts them (UDP_SEGMENT): half the price a datagram. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "segment.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>

enum { LENGTHS = 256 }; /* longer packets are few, and go alone */

static size_t bucket(const struct packet *p)
{
	return p->ordered || p->length >= LENGTHS ? LENGTHS : p->length;
}

void segment_sort(struct batch *b)
{
	struct packet sorted[BATCH_PACKETS];
	size_t place[LENGTHS + 2] = { 0 };
	for (size_t i = 0; i < b->count; i++) place[bucket(&b->packet[i]) + 1]++;
	for (size_t i = 1; i < LENGTHS + 2; i++) place[i] += place[i - 1];
	for (size_t i = 0; i < b->count; i++) sorted[place[bucket(&b->packet[i])]++] = b->packet[i];
	memcpy(b->packet, sorted, b->count * sizeof *sorted);
}

static size_t run_from(const struct batch *b, size_t at)
{
	size_t length = bucket(&b->packet[at]), run = 1;
	if (length == LENGTHS) return 1;
	while (run < SEGMENT_RUN_MAX && at + run < b->count && bucket(&b->packet[at + run]) == length) run++;
	return run;
}

#ifdef UDP_SEGMENT
static void cut_at(struct msghdr *m, void *control, size_t control_length, uint16_t length)
{
	m->msg_control = control;
	m->msg_controllen = control_length;
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof length);
	memcpy(CMSG_DATA(c), &length, sizeof length);
}
#endif

void segment_plan(struct segment_plan *p, const struct batch *b, size_t at, bool runs)
{
	p->count = 0;
	while (at < b->count) {
		size_t run = 1;
#ifdef UDP_SEGMENT
		if (runs) run = run_from(b, at);
#else
		(void)run_from, (void)runs;
#endif
		struct msghdr *m = &p->message[p->count].msg_hdr;
		*m = (struct msghdr){ .msg_iov = &p->piece[at], .msg_iovlen = run };
#ifdef UDP_SEGMENT
		if (run > 1) cut_at(m, p->control[p->count].bytes, sizeof p->control[p->count].bytes, (uint16_t)b->packet[at].length);
#endif
		p->count++;
		for (; run; run--, at++) p->piece[at] = (struct iovec){ b->data + b->packet[at].from, b->packet[at].length };
	}
}

bool segment_is_unable(int error)
{
	return error == EINVAL || error == EIO || error == EMSGSIZE || error == ENOPROTOOPT || error == EOPNOTSUPP;
}
