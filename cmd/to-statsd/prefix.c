/* prefix - compiled once into parts, literal or looked up. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "prefix.h"

static bool add(struct prefix *p, struct prefix_part part)
{
	if (p->count == PREFIX_PARTS_MAX) return false;
	p->part[p->count++] = part;
	return true;
}

const char *prefix_init(struct prefix *p, struct span text)
{
	const char *at = text.data, *end = at + text.length;
	p->count = 0;
	while (at < end) {
		const char *open = memchr(at, '{', (size_t)(end - at)), *literal_end = open ? open : end;
		if (literal_end > at && !add(p, (struct prefix_part){ .literal = span_between(at, literal_end) })) return "more than 16 parts";
		if (!open) break;
		const char *close = memchr(open, '}', (size_t)(end - open));
		if (!close) return "a { that is not closed";
		struct span name = span_between(open + 1, close);
		struct prefix_part part = { .is_member = true };
		if (!member_init(&part.member, name)) return "not a member: between braces may stand logger, type, hostname, pid, severity or fields.NAME";
		part.is_flat = span_equal(name, SPAN("hostname")) || span_equal(name, SPAN("metlog_hostname"));
		if (!add(p, part)) return "more than 16 parts";
		at = close + 1;
	}
	return NULL;
}

char *prefix_put(const struct prefix *p, const struct envelope *e, char *out, const char *end, const struct text_map *map, struct buffer *decoded)
{
	const char *start = out;
	for (size_t i = 0; i < p->count; i++) {
		const struct prefix_part *part = &p->part[i];
		struct span raw = part->is_member ? member_text(member_find(e, &part->member), decoded) : part->literal;
		if (raw.length >= (size_t)(end - out)) return NULL;
		char *from = out;
		if (raw.length) out = text_put_name(out, start, raw, map);
		for (; part->is_flat && from < out; from++)
			if (*from == '.') *from = '_';
	}
	if (out > start && out[-1] != '.') *out++ = '.';
	return out;
}
