/* ackwire - the messages of the acknowledged transport ack:, as metlog-wire(5) describes them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_ACKWIRE_H
#define IO_ACKWIRE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/span.h"

/* The sender is a ZeroMQ DEALER that connects, the receiver a ROUTER that binds. Frames of a message (the ROUTER's routing id, which stands before
 * them on its side, is not counted); numbers are 8 bytes, big endian:
 *
 *   sender to receiver   "METLOG1B"  sender  first  lines    BATCH: envelopes, one a line, each with its newline; they are numbered first, first + 1, ...
 *                        "METLOG1P"  sender                  PING: say how far you are
 *   receiver to sender   "METLOG1A"  sequence                ACK: everything up to this number is kept (cumulative); 0: nothing is known of this sender
 *                        "METLOG1R"  sequence  reason        REJECTED: that envelope was not good here; counts as settled by a later ACK. UTF-8 text
 *
 * `sender` is 16 random bytes that name a numbering, not a connection: a sender that comes back and goes on with its numbers keeps it. Envelopes
 * are numbered from 1 without a gap. A receiver that does not know a sender begins with the first number it sees; it takes no envelope twice
 * (numbers up to the last taken are passed over), and answers a gap with the ACK of what it has, upon which the sender goes back to there.
 * An unknown kind is ignored by both, and so is what is malformed. */
enum ackwire_kind { ACKWIRE_NONE, ACKWIRE_BATCH, ACKWIRE_PING, ACKWIRE_ACK, ACKWIRE_REJECTED };

enum { ACKWIRE_SENDER_BYTES = 16, ACKWIRE_PARTS_MAX = 4, ACKWIRE_REASON_MAX = 200,
	/* What a sender puts into one batch; a line that is longer goes alone. */
	ACKWIRE_BATCH_BYTES = 64 * 1024 };

struct ackwire {
	enum ackwire_kind kind;
	struct span sender;     /* BATCH, PING */
	uint64_t sequence;      /* BATCH: of its first line; ACK, REJECTED */
	struct span lines;      /* BATCH: not empty, ends with a newline */
	struct span reason;     /* REJECTED */
};

/* Reads the parts of a message (without a routing id). ACKWIRE_NONE: not one of the four, or malformed. */
struct ackwire ackwire_read(const struct span *parts, size_t count);

/* Writes the parts; `number` is where the sequence is put. Returns how many parts. */
size_t ackwire_write(const struct ackwire *, struct span parts[ACKWIRE_PARTS_MAX], char number[8]);

#endif
