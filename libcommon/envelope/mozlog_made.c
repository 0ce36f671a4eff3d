/* mozlog_made - an envelope that is being made of a scanned line, and its view, without a second scan. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/mozlog_made.h"

#include <stdlib.h>

#include "envelope/field_index.h"
#include "envelope/scan_private.h"

/* The nine members, the braces and the sentinels: what may be in an envelope, and not in its line. */
enum { ENTRIES_MORE = 9 * 6 + 2 + SCAN_SENTINELS + 4 };

static bool has_room(struct scan *scan, size_t count)
{
	if (count <= scan->capacity) return true;
	uint32_t *index = realloc(scan->index, 2 * count * sizeof *index);
	if (!index) return false;
	scan->index = index;
	scan->capacity = 2 * count;
	return true;
}

void mozlog_made_begin(struct mozlog_made *m, struct buffer *out, const struct envelope *line, bool wants_view)
{
	m->out = out;
	m->start = out->length;
	m->line = line;
	m->next = wants_view && has_room(&m->scan, line->scan->count + ENTRIES_MORE) ? m->scan.index : NULL;
	if (m->next) m->view = (struct envelope){ .scan = &m->scan };
}

static inline uint32_t here(const struct mozlog_made *m)
{
	return (uint32_t)(m->out->length - m->start);
}

void mozlog_made_note_token(struct mozlog_made *m)
{
	*m->next++ = here(m);
}

void mozlog_made_note_name(struct mozlog_made *m, size_t length)
{
	uint32_t at = here(m), end = at + (uint32_t)length;
	m->next[0] = at;
	m->next[1] = at + 1;
	m->next[2] = end - 2;
	m->next[3] = end - 1;
	m->next += 4;
}

void mozlog_made_note_copy(struct mozlog_made *m, struct span text, uint32_t first, uint32_t behind)
{
	enum { AT_ONCE = 8 }; /* so many that vectors hold them */
	const uint32_t *source = m->line->scan->index + first, *end = m->line->scan->index + behind;
	uint32_t *target = m->next;
	const uint32_t moved = here(m) - (uint32_t)(text.data - m->line->line.data);
	for (; end - source >= AT_ONCE; source += AT_ONCE, target += AT_ONCE) {
		uint32_t some[AT_ONCE];
		memcpy(some, source, sizeof some);
		for (int i = 0; i < AT_ONCE; i++) some[i] += moved;
		memcpy(target, some, sizeof some);
	}
	while (source < end) *target++ = *source++ + moved;
	m->next = target;
}

/* Without its place in memory, for the buffer may move yet. */
void mozlog_made_note_value(struct mozlog_made *m, struct value value, struct value *seen)
{
	if (seen) {
		*seen = value;
		seen->first = (uint32_t)(m->next - m->scan.index);
	}
	if (value.kind == VALUE_OBJECT || value.kind == VALUE_ARRAY) {
		mozlog_made_note_copy(m, value.text, value.first, field_value_end(m->line, value.first));
		return;
	}
	*m->next++ = here(m);
	if (value.kind == VALUE_STRING) *m->next++ = here(m) + (uint32_t)value.text.length + 1;
}

static void settle(const struct mozlog_made *m, struct value *value)
{
	value->text.data = m->view.line.data;
	if (value->kind != VALUE_ABSENT) value->text.data += m->scan.index[value->first] + (value->kind == VALUE_STRING);
}

/* What reads a line may read some bytes behind it. */
static bool put_padding(struct mozlog_made *m)
{
	if (!buffer_reserve(m->out, 1 + SCAN_PADDING)) return false;
	memset(m->out->data + m->out->length, '\n', 1 + SCAN_PADDING);
	return true;
}

void mozlog_made_end(struct mozlog_made *m)
{
	struct envelope *e = &m->view;
	mozlog_made_token(m, '}');
	if (!m->next) return;
	if (m->out->failed || !put_padding(m)) {
		m->next = NULL;
		return;
	}
	m->scan.count = (size_t)(m->next - m->scan.index) + 1;
	m->scan.flags = m->line->scan->flags;
	for (int i = 0; i < SCAN_SENTINELS; i++) m->next[i] = here(m);
	e->line = (struct span){ m->out->data + m->start, m->out->length - m->start };
	struct value *const members[] = { &e->timestamp, &e->logger, &e->type, &e->payload, &e->fields, &e->env_version, &e->metlog_pid, &e->metlog_hostname };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) settle(m, members[i]);
}
