/* metlog-from-mozlog - turns lines of MozLog 2.0 into envelopes. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/compose.h"
#include "envelope/mozlog.h"
#include "filter/filter.h"
#include "io/diag.h"

enum text_use { TEXT_REJECT, TEXT_ENVELOPE, TEXT_PASS, TEXT_DROP };
enum { KEY_TEXT = TOOL_KEY };

struct run {
	struct filter filter;
	struct mozlog_reader *reader;
	enum text_use text;
};

static enum text_use text_use(const char *word)
{
	static const char *const words[] = { "reject", "envelope", "pass", "drop" };
	for (int i = 0; i < 4; i++)
		if (strcmp(word, words[i]) == 0) return (enum text_use)i;
	tool_usage_error("--text: reject, envelope, pass or drop, not '%s'", word);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct run *r = state->input;
	if (key != KEY_TEXT) return ARGP_ERR_UNKNOWN;
	r->text = text_use(arg);
	return 0;
}

static const struct argp_option own_options[] = {
	{ NULL, 0, NULL, 0, "What is none of MozLog:", 1 },
	{ "text", KEY_TEXT, "WHAT", 0, "What a line that is no JSON object becomes: reject (default), envelope, pass, drop", 1 },
	{ 0 },
};

static const struct tool_about about = {
	.name = "metlog-from-mozlog",
	.usage = "[FILE...]",
	.summary = "Turn lines of MozLog 2.0, the structured logs of Mozilla's services, into envelopes",
	.examples =
		"  metlog-from-mozlog app.log >app.ndjson\n"
		"  docker logs -f web 2>&1 | metlog-from-mozlog --text=envelope | metlog-tail\n"
		"  metlog-from-mozlog -m 'severity <= 3' app.log | metlog-to-mozlog\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_OUTPUT,
	.options = own_options,
	.parse = parse_option,
};

/* Streams are mixed: what is an envelope already is passed on, byte for byte. Nearly every object could be one, so it has to have one of an envelope's members. */
static enum translated take_envelope(struct run *r, struct span line, struct buffer *out, struct envelope_fault *fault)
{
	struct envelope e;
	struct scan *scan = &r->filter.scan;
	struct envelope_fault none = *fault;
	scan_line(scan, line.data, line.data + line.length + 1);
	if (envelope_parse(&e, scan, line, fault) != ENVELOPE_GOOD) return TRANSLATED_BAD;
	const struct value *const members[] = { &e.timestamp, &e.logger, &e.type, &e.payload, &e.fields, &e.env_version, &e.metlog_pid, &e.metlog_hostname };
	bool any = e.has_severity;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) any |= members[i]->kind != VALUE_ABSENT;
	*fault = none;
	if (!any) return TRANSLATED_BAD;
	buffer_append_span(out, line);
	return TRANSLATED_GOOD;
}

static enum translated take_text(struct run *r, struct span line, struct buffer *out)
{
	switch (r->text) {
	case TEXT_REJECT: return TRANSLATED_BAD;
	case TEXT_DROP: return TRANSLATED_DROPPED;
	case TEXT_PASS: return TRANSLATED_AS_IT_IS;
	case TEXT_ENVELOPE: break;
	}
	if (line.data[line.length - 1] == '\r') line.length--;
	buffer_append_span(out, SPAN("{\"logger\":\"\",\"type\":\"text\",\"severity\":6,\"payload\":"));
	compose_text(out, line);
	buffer_append_span(out, SPAN(",\"fields\":{},\"env_version\":\"0.8\"}"));
	return TRANSLATED_GOOD;
}

static enum translated translate(void *context, struct span line, struct buffer *out, struct envelope_fault *fault)
{
	struct run *r = context;
	enum translated made = TRANSLATED_GOOD;
	switch (mozlog_read(r->reader, line, out, fault)) {
	case MOZLOG_GOOD: break;
	case MOZLOG_TEXT: made = take_text(r, line, out); break;
	case MOZLOG_OTHER: return take_envelope(r, line, out, fault);
	case MOZLOG_BLANK: case MOZLOG_BAD: return TRANSLATED_BAD;
	}
	if (made != TRANSLATED_GOOD) return made;
	*fault = (struct envelope_fault){ "longer than --max-line as an envelope", 0 };
	return out->length > r->filter.options.line_limit ? TRANSLATED_BAD : TRANSLATED_GOOD;
}

static bool view(const void *context, struct envelope *envelope)
{
	const struct run *r = context;
	return mozlog_reader_view(r->reader, envelope);
}

int main(int argc, char **argv)
{
	static struct run r;
	struct envelope envelope;
	filter_open(&r.filter, &about, argc, argv, &r);
	r.reader = mozlog_reader_new();
	if (!r.reader) die(EXIT_INTERNAL, "no memory to read MozLog");
	if (filter_chooses(&r.filter)) mozlog_reader_keep_view(r.reader);
	r.filter.translate = translate;
	r.filter.translate_view = view;
	r.filter.translate_is_trusted = true;
	r.filter.translate_context = &r;
	while (filter_next(&r.filter, &envelope)) filter_pass(&r.filter, &envelope);
	mozlog_reader_free(r.reader);
	return filter_close(&r.filter);
}
