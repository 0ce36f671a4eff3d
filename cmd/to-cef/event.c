/* event - which of the three kinds an envelope is, and who makes its line. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>

#include "envelope/field.h"
#include "io/diag.h"
#include "io/whole.h"

enum { REASON_MAX = 600 };

struct events {
	struct event_options options;
	struct record *record;
	struct legacy *legacy;
	struct structured *structured;
	struct map *map, *fresh;      /* fresh: read by events_read, not taken yet */
	struct field_path logtext;
	struct buffer text;           /* the text of a finished line whose JSON has escapes */
	int status;                   /* of the last read_map that failed */
	char reason[REASON_MAX];
};

/* NULL: it cannot be used; reason and status say why. */
static struct map *read_map(struct events *events)
{
	struct map_fault fault = { .reason = "" };
	struct buffer text;
	struct map *map = NULL;
	const char *path = events->options.map;
	buffer_init(&text, 0); /* of the built-in mapping there is none */
	int error = path ? whole_read(&text, path, MAP_BYTES_MAX) : 0;
	events->status = EXIT_NO_INPUT;
	if (error) {
		snprintf(events->reason, sizeof events->reason, "%s: %s", path, strerror(error));
	} else {
		struct span whole = path ? (struct span){ text.length ? text.data : "", text.length } : (struct span){ NULL, 0 };
		map = map_new(whole, events->options.mapping, &fault);
		events->status = strcmp(fault.reason, "no memory") ? EXIT_CONFIGURATION : EXIT_INTERNAL;
		if (!map) snprintf(events->reason, sizeof events->reason, "%s:%zu:%zu: %s", path ? path : "the built-in mapping", fault.line, fault.column, fault.reason);
	}
	buffer_release(&text);
	return map;
}

struct events *events_new(const struct event_options *options)
{
	struct events *events = must_alloc(sizeof *events);
	events->options = *options;
	events->map = read_map(events);
	if (!events->map) die((enum diag_exit)events->status, "%s", events->reason);
	events->record = record_new(options->rules);
	events->legacy = legacy_new(options->rules, options->mapping);
	events->structured = structured_new(options->mapping);
	field_path_init(&events->logtext, SPAN("fields.logtext"));
	buffer_init(&events->text, SIZE_MAX / 2);
	return events;
}

void events_free(struct events *events)
{
	map_free(events->map);
	map_free(events->fresh);
	structured_free(events->structured);
	legacy_free(events->legacy);
	record_free(events->record);
	buffer_release(&events->text);
	free(events);
}

const char *events_read(struct events *events)
{
	map_free(events->fresh);
	events->fresh = read_map(events);
	return events->fresh ? NULL : events->reason;
}

void events_take(struct events *events)
{
	map_free(events->map);
	events->map = events->fresh;
	events->fresh = NULL;
}

/* The text of a string in which a CEF line stands; empty if it is none. */
static struct span finished(struct events *events, struct value value)
{
	struct span text = value.text;
	if (value.kind != VALUE_STRING) return SPAN("");
	if (value.escaped) {
		buffer_clear(&events->text);
		if (!field_append_text(&events->text, value)) die(EXIT_INTERNAL, "no memory for a line of %zu bytes", value.text.length);
		text = buffer_span(&events->text);
	}
	return legacy_is(text) ? text : SPAN("");
}

static struct span finished_line(struct events *events, const struct envelope *e)
{
	if (!field_equals(e->type, SPAN("cef"))) return SPAN("");
	struct span text = finished(events, e->payload);
	return text.length ? text : finished(events, field_find(e, &events->logtext));
}

static enum event_verdict end_record(struct events *events, struct event *event)
{
	event->line = record_end(events->record, &event->why);
	return event->line.data ? EVENT_MADE : EVENT_REFUSED;
}

enum event_verdict events_make(struct events *events, const struct envelope *e, struct event *event)
{
	*event = (struct event){ .rule = "" };
	/* Before its payload is looked at: there a user's text that quotes a line of CEF could pass for the event. */
	if (structured_is(events->structured, e)) {
		event->kind = EVENT_STRUCTURED;
		event->why = structured_put(events->structured, e, events->record);
		return event->why ? EVENT_REFUSED : end_record(events, event);
	}
	struct span text = finished_line(events, e), date;
	if (text.length) {
		event->kind = EVENT_FINISHED;
		event->line = legacy_line(events->legacy, text, &date, &event->host, &event->why);
		return event->line.data ? EVENT_MADE : EVENT_REFUSED;
	}
	event->kind = EVENT_MAPPED;
	enum map_verdict verdict = map_apply(events->map, e, events->record, &event->why);
	event->rule = map_event(events->map);
	if (verdict == MAP_DROPPED) return EVENT_DROPPED;
	return verdict == MAP_REFUSED ? EVENT_REFUSED : end_record(events, event);
}

struct event_tally events_tally(const struct events *events)
{
	const struct record_tally *t = record_tally(events->record);
	const struct legacy_tally *l = legacy_tally(events->legacy);
	return (struct event_tally){ l->repaired, t->cut, t->truncated + l->truncated, t->omitted, t->text.replaced, t->text.trimmed };
}
