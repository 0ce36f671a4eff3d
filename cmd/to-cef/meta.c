/* meta - what fields.cef_meta says of the syslog header. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "meta.h"

#include "sink/syslog_message.h"

enum { TEXT_MAX = 4096 };

void meta_init(struct meta_reader *r)
{
	*r = (struct meta_reader){ 0 };
	buffer_init(&r->decoded, SIZE_MAX / 2);
	field_path_init(&r->whole, SPAN("cef_meta"));
	field_path_init(&r->options, SPAN("syslog_options"));
	field_path_init(&r->facility, SPAN("syslog_facility"));
	field_path_init(&r->ident, SPAN("syslog_ident"));
	field_path_init(&r->priority, SPAN("syslog_priority"));
}

void meta_release(struct meta_reader *r)
{
	buffer_release(&r->decoded);
}

/* The text of a member; empty if it is absent, null, "", or nothing that can be used. */
static struct span text_of(struct meta_reader *r, const struct envelope *e, struct value meta, const struct field_path *path)
{
	struct value value = field_find_in(e, meta, path);
	if (value.kind == VALUE_ABSENT || value.kind == VALUE_NULL) return SPAN("");
	if ((value.kind != VALUE_STRING && value.kind != VALUE_NUMBER) || value.text.length > TEXT_MAX) {
		r->ignored++;
		return SPAN("");
	}
	if (!value.escaped) return value.text;
	buffer_clear(&r->decoded);
	field_append_text(&r->decoded, value);
	return buffer_span(&r->decoded);
}

static int code_of(struct meta_reader *r, struct span name, int (*find)(struct span))
{
	int code = name.length ? find(name) : -1;
	if (name.length && code < 0) r->ignored++;
	return code;
}

static bool has_pid(struct meta_reader *r, struct span options)
{
	static const struct span without_effect[] = { SPAN("CONS"), SPAN("NDELAY"), SPAN("ODELAY"), SPAN("NOWAIT"), SPAN("PERROR"), SPAN("") };
	bool pid = false;
	const char *at = options.data, *end = at + options.length;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct span one = span_trim(span_between(at, comma ? comma : end));
		at = comma ? comma + 1 : end;
		if (span_starts(one, SPAN("LOG_"))) one = (struct span){ one.data + 4, one.length - 4 };
		if (span_equal(one, SPAN("PID"))) {
			pid = true;
			continue;
		}
		size_t i = 0, count = sizeof without_effect / sizeof *without_effect;
		while (i < count && !span_equal(one, without_effect[i])) i++;
		if (i == count) r->ignored++;
	}
	return pid;
}

void meta_read(struct meta_reader *r, const struct envelope *e, struct meta *m)
{
	*m = (struct meta){ .facility = -1, .severity = -1 };
	struct value meta = field_find_in(e, e->fields, &r->whole);
	if (meta.kind == VALUE_ABSENT || meta.kind == VALUE_NULL) return;
	if (meta.kind != VALUE_OBJECT) {
		r->ignored++;
		return;
	}
	m->pid = has_pid(r, text_of(r, e, meta, &r->options));
	m->facility = code_of(r, text_of(r, e, meta, &r->facility), syslog_facility_find);
	m->severity = code_of(r, text_of(r, e, meta, &r->priority), syslog_severity_find);
	m->ident = text_of(r, e, meta, &r->ident);
}
