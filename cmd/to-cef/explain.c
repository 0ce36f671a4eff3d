/* explain - what an envelope was taken for, on a line of its own. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "explain.h"

#include <stdio.h>

#include "base/text.h"
#include "io/diag.h"

static void put_changes(struct buffer *out, const struct event_tally *before, const struct event_tally *after)
{
	const struct { const char *name; uint64_t count; } changes[] = {
		{ "repaired", after->repaired - before->repaired }, { "values cut", after->cut - before->cut }, { "shortened for --max-bytes", after->truncated - before->truncated },
		{ "values omitted", after->omitted - before->omitted }, { "characters replaced", after->replaced - before->replaced }, { "values trimmed", after->trimmed - before->trimmed },
	};
	const char *between = "; ";
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		if (!changes[i].count) continue;
		buffer_append_text(out, between);
		buffer_append_text(out, changes[i].name);
		if (changes[i].count > 1) buffer_append_text(out, ": "), buffer_append_int(out, (int64_t)changes[i].count);
		between = ", ";
	}
}

void explain_event(struct filter *f, enum event_verdict verdict, const struct event *event, const struct event_tally *before, const struct event_tally *after)
{
	static const char *const kinds[] = { [EVENT_FINISHED] = "a finished CEF line", [EVENT_STRUCTURED] = "structured", [EVENT_MAPPED] = "event " };
	struct buffer text;
	buffer_init(&text, 65536);
	buffer_append_text(&text, "# ");
	text_append_visible(&text, span_of(f->reader.name));
	buffer_append_byte(&text, ':');
	buffer_append_int(&text, (int64_t)f->line);
	buffer_append_text(&text, ": ");
	buffer_append_text(&text, kinds[event->kind]);
	text_append_visible(&text, span_of(event->rule));
	if (verdict == EVENT_DROPPED) buffer_append_text(&text, "; dropped");
	if (verdict == EVENT_REFUSED) buffer_append_text(&text, "; refused: "), text_append_visible(&text, span_of(event->why));
	if (verdict == EVENT_MADE) put_changes(&text, before, after);
	if (text.failed) die(EXIT_INTERNAL, "no memory for what is to be printed");
	if (!writer_line(&f->out, buffer_span(&text))) filter_flush(f);
	buffer_release(&text);
}
