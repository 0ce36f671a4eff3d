/* batch - a unit joins the last packet or begins one; its bytes stand at the same place either way. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "batch.h"

#include <stdlib.h>

#include "io/diag.h"

void batch_init(struct batch *b, size_t packet_bytes, uint32_t packet_units, uint32_t batch_lines)
{
	*b = (struct batch){ .packet_bytes = packet_bytes, .packet_units = packet_units, .batch_lines = batch_lines };
	b->data = must_alloc(BATCH_BYTES);
}

void batch_release(struct batch *b)
{
	free(b->data);
	b->data = NULL;
}

void batch_clear(struct batch *b)
{
	b->length = b->count = 0;
	b->lines = 0;
}

bool batch_commit(struct batch *b, size_t length, uint32_t lines, uint64_t envelopes, bool ordered)
{
	struct packet *last = b->count ? &b->packet[b->count - 1] : NULL;
	if (last && (b->lines + lines > b->batch_lines || b->length + length + 1 + BATCH_LINE_MAX > BATCH_BYTES)) return false;
	if (!last || last->length + 1 + length > b->packet_bytes || last->units == b->packet_units) {
		if (b->count == BATCH_PACKETS) return false;
		last = &b->packet[b->count++];
		*last = (struct packet){ .from = b->length };
	}
	b->data[b->length + length] = '\n';
	b->length += length + 1;
	b->lines += lines;
	last->length = b->length - last->from - 1;
	last->units++;
	last->lines += lines;
	last->envelopes += envelopes;
	last->ordered |= ordered;
	return true;
}
