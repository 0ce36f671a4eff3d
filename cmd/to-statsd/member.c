/* member - maps the names that options use to paths. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "member.h"

#include "base/text.h"

bool member_init(struct member *m, struct span name)
{
	static const struct { const char *name, *path; } known[] = {
		{ "hostname", "metlog_hostname" }, { "metlog_hostname", "metlog_hostname" }, { "pid", "metlog_pid" }, { "metlog_pid", "metlog_pid" },
		{ "logger", "logger" }, { "type", "type" }, { "severity", "severity" }, { "payload", "payload" },
		{ "timestamp", "timestamp" }, { "env_version", "env_version" },
	};
	*m = (struct member){ .is_logger = span_equal(name, SPAN("logger")) };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (span_equal(name, span_of(known[i].name))) return field_path_init(&m->path, span_of(known[i].path));
	return span_starts(name, SPAN("fields.")) && field_path_init(&m->path, name);
}

struct value member_find(const struct envelope *e, const struct member *m)
{
	return m->is_logger ? e->logger : field_find(e, &m->path);
}

struct span member_text(struct value v, struct buffer *decoded)
{
	if (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL || v.kind == VALUE_OBJECT || v.kind == VALUE_ARRAY) return (struct span){ NULL, 0 };
	if (!v.escaped) return v.text;
	buffer_clear(decoded);
	text_append_unescaped(decoded, v.text);
	return buffer_span(decoded);
}
