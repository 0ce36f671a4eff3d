/* translate - lines of MozLog, and the text that stands between them, as envelopes. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "translate.h"

#include "base/text.h"
#include "envelope/compose.h"
#include "envelope/mozlog.h"

/* A compressed file, say: no text of any character set. */
static bool is_binary(struct span line)
{
	static const bool odd[0x20] = { [0x00 ... 0x08] = true, [0x0e ... 0x1a] = true, [0x1c ... 0x1f] = true };
	bool any = false;
	for (size_t i = 0; i < line.length && !any; i++) any = (unsigned char)line.data[i] < sizeof odd && odd[(unsigned char)line.data[i]];
	return any && !text_is_utf8(line);
}

static enum translated translate_text(struct span line, struct buffer *out, struct envelope_fault *fault)
{
	if (is_binary(line)) {
		*fault = (struct envelope_fault){ "neither JSON nor text", 0 };
		return TRANSLATED_BAD;
	}
	if (line.length && line.data[line.length - 1] == '\r') line.length--;
	buffer_append_text(out, "{\"logger\":\"\",\"type\":\"text\",\"severity\":6,\"payload\":");
	compose_text(out, line);
	buffer_append_text(out, ",\"fields\":{},\"env_version\":\"0.8\"}");
	return TRANSLATED_GOOD;
}

enum translated translate_line(void *reader, struct span line, struct buffer *out, struct envelope_fault *fault)
{
	switch (mozlog_read(reader, line, out, fault)) {
	case MOZLOG_GOOD: return TRANSLATED_GOOD;
	case MOZLOG_OTHER: buffer_append_span(out, line); return TRANSLATED_GOOD; /* the filter judges it */
	case MOZLOG_BLANK: /* the filter keeps those */
	case MOZLOG_TEXT: return translate_text(line, out, fault);
	case MOZLOG_BAD: break;
	}
	return TRANSLATED_BAD;
}

bool translate_is_text(const struct envelope *e)
{
	const struct value *absent[] = { &e->timestamp, &e->metlog_pid, &e->metlog_hostname };
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		if (absent[i]->kind != VALUE_ABSENT) return false;
	return e->logger.text.length == 0 && e->severity == 6 && span_equal(e->fields.text, SPAN("{}")) && !e->has_others && e->payload.kind == VALUE_STRING && span_equal(e->type.text, SPAN("text"));
}
