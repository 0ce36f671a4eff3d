/* stats - the books: every envelope read is exactly one of passed, dropped by a rule, rejected (or kept). */
/* SPDX-License-Identifier: MPL-2.0 */
#include "filter/stats.h"

#include <unistd.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "io/diag.h"

uint64_t *stats_extra(struct stats *s, const char *name)
{
	for (int i = 0; i < s->extra_count; i++)
		if (strcmp(s->extra[i].name, name) == 0) return &s->extra[i].value;
	if (s->extra_count == STATS_EXTRA_MAX) die(EXIT_INTERNAL, "too many kinds of counts");
	s->extra[s->extra_count].name = name;
	return &s->extra[s->extra_count++].value;
}

bool stats_append_head(struct buffer *out, const char *type, int severity)
{
	char stamp[TIMESTAMP_MAX], host[256] = "";
	gethostname(host, sizeof host - 1);
	buffer_append_text(out, "{\"timestamp\":\"");
	buffer_append(out, stamp, timestamp_print(stamp, timestamp_now()));
	buffer_append_text(out, "\",\"type\":");
	text_append_quoted(out, span_of(type));
	buffer_append_text(out, ",\"logger\":");
	text_append_quoted(out, span_of(diag_program()));
	buffer_append_text(out, ",\"severity\":");
	buffer_append_int(out, severity);
	buffer_append_text(out, ",\"env_version\":\"0.8\",\"metlog_pid\":");
	buffer_append_int(out, getpid());
	buffer_append_text(out, ",\"metlog_hostname\":");
	text_append_quoted(out, text_is_utf8(span_of(host)) ? span_of(host) : SPAN(""));
	return buffer_append_byte(out, ',');
}

static void append_count(struct buffer *out, const char *name, uint64_t value)
{
	buffer_append_byte(out, ',');
	text_append_quoted(out, span_of(name));
	buffer_append_byte(out, ':');
	buffer_append_int(out, (int64_t)value);
}

bool stats_append(struct buffer *out, const struct stats *s)
{
	stats_append_head(out, "metlog.stats", 6);
	buffer_append_text(out, "\"payload\":\"\",\"fields\":{\"tool\":");
	text_append_quoted(out, span_of(diag_program()));
	append_count(out, "read", s->read);
	append_count(out, "passed", s->passed);
	append_count(out, "dropped", s->dropped);
	append_count(out, "rejected", s->rejected);
	if (s->kept) append_count(out, "kept", s->kept);
	append_count(out, "bytes", s->bytes);
	for (int i = 0; i < s->extra_count; i++) append_count(out, s->extra[i].name, s->extra[i].value);
	if (s->detail_json) buffer_append_byte(out, ','), buffer_append_text(out, s->detail_json);
	return buffer_append_text(out, "}}");
}
