/* ackwire - the messages of the acknowledged transport ack:, as metlog-wire(5) describes them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/ackwire.h"

static const struct shape {
	struct span name;
	enum ackwire_kind kind;
	size_t parts;
} shapes[] = {
	{ SPAN("METLOG1B"), ACKWIRE_BATCH, 4 },
	{ SPAN("METLOG1P"), ACKWIRE_PING, 2 },
	{ SPAN("METLOG1A"), ACKWIRE_ACK, 2 },
	{ SPAN("METLOG1R"), ACKWIRE_REJECTED, 3 },
};
enum { SHAPES = sizeof shapes / sizeof *shapes, NUMBER_BYTES = 8 };

static bool read_number(struct span part, uint64_t *number)
{
	if (part.length != NUMBER_BYTES) return false;
	*number = 0;
	for (size_t i = 0; i < NUMBER_BYTES; i++) *number = *number << 8 | (unsigned char)part.data[i];
	return true;
}

static bool read_sender(struct span part, struct span *sender)
{
	*sender = part;
	return part.length == ACKWIRE_SENDER_BYTES;
}

static bool read_batch(struct ackwire *m, const struct span *parts)
{
	m->lines = parts[3];
	return read_sender(parts[1], &m->sender) && read_number(parts[2], &m->sequence) && m->sequence > 0 && m->lines.length &&
	       m->lines.data[m->lines.length - 1] == '\n';
}

struct ackwire ackwire_read(const struct span *parts, size_t count)
{
	struct ackwire m = { .kind = ACKWIRE_NONE };
	bool good = false;
	for (size_t i = 0; i < SHAPES; i++)
		if (count == shapes[i].parts && span_equal(parts[0], shapes[i].name)) m.kind = shapes[i].kind;
	switch (m.kind) {
	case ACKWIRE_NONE: break;
	case ACKWIRE_BATCH: good = read_batch(&m, parts); break;
	case ACKWIRE_PING: good = read_sender(parts[1], &m.sender); break;
	case ACKWIRE_ACK: good = read_number(parts[1], &m.sequence); break;
	case ACKWIRE_REJECTED:
		good = read_number(parts[1], &m.sequence);
		m.reason = parts[2];
		break;
	}
	return good ? m : (struct ackwire){ .kind = ACKWIRE_NONE };
}

size_t ackwire_write(const struct ackwire *m, struct span parts[ACKWIRE_PARTS_MAX], char number[8])
{
	size_t count = 0;
	for (size_t i = 0; i < SHAPES; i++)
		if (shapes[i].kind == m->kind) parts[count++] = shapes[i].name;
	for (int i = 0; i < NUMBER_BYTES; i++) number[i] = (char)(m->sequence >> (8 * (NUMBER_BYTES - 1 - i)));
	if (m->kind == ACKWIRE_BATCH || m->kind == ACKWIRE_PING) parts[count++] = m->sender;
	if (m->kind != ACKWIRE_PING) parts[count++] = (struct span){ number, NUMBER_BYTES };
	if (m->kind == ACKWIRE_BATCH) parts[count++] = m->lines;
	if (m->kind == ACKWIRE_REJECTED) parts[count++] = m->reason;
	return count;
}
