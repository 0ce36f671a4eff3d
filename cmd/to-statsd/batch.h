/* batch - lines packed into packets, ready to be sent as datagrams or as one run of bytes. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_STATSD_BATCH_H
#define TO_STATSD_BATCH_H

#include <stdint.h>
#include "base/span.h"

/*   data     a:1|c\nb:2|c\nc:3|g\nd:4|ms\n|            |
 *   packet   [--- 0 --- ]  [---- 1 ----]   ^ length     ^ BATCH_BYTES
 * Each line has its newline in `data`; a packet is a stretch of whole lines without the last newline. So the same bytes serve for
 * datagrams (one packet each) and for streams (all of it). */
enum { BATCH_PACKETS = 512, BATCH_LINE_MAX = 65507, BATCH_BYTES = 256 * 1024 };

struct batch {
	char *data;
	size_t length;
	struct packet {
		size_t from, length;
		uint32_t units;       /* lines that belong together count as one */
		uint32_t lines;
		uint64_t envelopes;   /* that went into it */
		bool ordered;         /* it must not overtake another ordered one: the last value of a gauge counts */
	} packet[BATCH_PACKETS];
	size_t count;
	size_t packet_bytes;      /* a packet grows to that; a longer line is a packet of its own */
	uint32_t packet_units, batch_lines; /* most units in a packet, lines in the batch */
	uint64_t lines;
};

void batch_init(struct batch *, size_t packet_bytes, uint32_t packet_units, uint32_t batch_lines);
void batch_release(struct batch *);
void batch_clear(struct batch *);

/* Where the next unit is written: BATCH_LINE_MAX bytes of room. Then batch_commit takes `length` bytes of it, without a newline at
 * their end. False: the batch is full, and must be sent and cleared first; the unit is still at batch_room. */
static inline char *batch_room(struct batch *b)
{
	return b->data + b->length;
}
bool batch_commit(struct batch *, size_t length, uint32_t lines, uint64_t envelopes, bool ordered);

#endif
