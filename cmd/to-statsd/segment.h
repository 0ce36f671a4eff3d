/* segment - datagrams of one length go to the kernel in one piece, which cuts them (UDP_SEGMENT): half the price a datagram. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_STATSD_SEGMENT_H
#define TO_STATSD_SEGMENT_H

#include <sys/socket.h>

#include "batch.h"

enum { SEGMENT_RUN_MAX = 64 }; /* what every kernel with UDP_SEGMENT (Linux 4.18) takes */

/* The messages of one sendmmsg(2): each carries one packet of the batch, or a run of packets of one length. */
struct segment_plan {
	struct mmsghdr message[BATCH_PACKETS];
	struct iovec piece[BATCH_PACKETS];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
	} control[BATCH_PACKETS];
	size_t count;
};

/* Brings packets of one length together. Those whose order matters (struct packet) come last, in their order. */
void segment_sort(struct batch *);

/* Plans the packets from `at` on; `runs`: as runs where neighbours have one length and no order, else one by one. */
void segment_plan(struct segment_plan *, const struct batch *, size_t at, bool runs);

static inline size_t segment_packets(const struct segment_plan *p, size_t message)
{
	return p->message[message].msg_hdr.msg_iovlen;
}

/* Whether the error says that this kernel or this network card does not cut. */
bool segment_is_unable(int error);

#endif
