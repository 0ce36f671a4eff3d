/* fuzz_tail - renders any envelope and any reject in every form; nothing that is shown may drive a terminal. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "format.h"

/* The first byte chooses the form, the rest is the line; with a NUL in it, what stands before is a template. What must hold:
 *   what is shown is UTF-8 without control or hidden characters, but for newlines and (in payloads) tabs;
 *   with colour it is the same text, and our colours are all there is to take away;
 *   text between envelopes is one line, and marked;
 *   --oneline and --format give one line; in the other form a further line is indented, so that none can pass for an envelope;
 *   JSON made safe is an envelope still. */

static void require(bool condition)
{
	if (!condition) abort();
}

static void require_harmless(struct span text, bool tabs)
{
	require(text.length && text.data[text.length - 1] == '\n');
	while (text.length) {
		uint32_t c;
		size_t length = text_decode_utf8(text, &c);
		require(length > 0);
		require(!text_is_hidden(c) || c == '\n' || (tabs && c == '\t'));
		text.data += length;
		text.length -= length;
	}
}

static size_t count_newlines(struct span text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.length; i++) count += text.data[i] == '\n';
	return count;
}

/* But for the line of the date and the envelope's own first one. */
static void require_indented(struct span text)
{
	size_t line = 0, own = span_starts(text, SPAN("-- ")) ? 1 : 0;
	for (size_t at = 0; at < text.length; line++) {
		struct span rest = { text.data + at, text.length - at };
		require(line <= own || span_starts(rest, SPAN("    ")));
		const char *newline = memchr(rest.data, '\n', rest.length);
		at += (size_t)(newline - rest.data) + 1;
	}
}

static void append_without_colors(struct buffer *out, struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] != '\033') {
			buffer_append_byte(out, text.data[i]);
			continue;
		}
		require(++i < text.length && text.data[i] == '[');
		for (i++; i < text.length && text.data[i] != 'm'; i++) require(strchr("0123456789;", text.data[i]) != NULL);
	}
}

static void set_form(struct render *r, unsigned form)
{
	render_init(r, false);
	r->oneline = form & 1;
	r->all = form & 2;
	r->width = form & 4 ? 20 + (form >> 3) : 0;
}

static void try_people(const struct envelope *e, unsigned form)
{
	struct render plain, colored;
	struct buffer bare;
	set_form(&plain, form);
	set_form(&colored, form);
	colored.colors = true;
	for (int turn = 0; turn < 2; turn++) { /* the second one with what the first has left behind: columns, the minute */
		struct span shown = render_envelope(&plain, e);
		require_harmless(shown, !plain.oneline);
		if (plain.oneline) require(count_newlines(shown) == 1);
		else require_indented(shown);
		buffer_init(&bare, SHOW_LIMIT);
		append_without_colors(&bare, render_envelope(&colored, e));
		require(span_equal(buffer_span(&bare), shown));
		buffer_release(&bare);
	}
	if (e->payload.kind == VALUE_STRING) {
		struct span shown = render_text(&plain, e->payload);
		require_harmless(shown, true);
		require(span_starts(shown, SPAN("  | ")) && count_newlines(shown) == 1);
	}
	render_release(&plain);
	render_release(&colored);
}

static void try_json(const struct envelope *e)
{
	struct buffer shown, copy;
	struct scan scan;
	struct envelope again;
	struct envelope_fault fault;
	buffer_init(&shown, SHOW_LIMIT);
	buffer_init(&copy, SHOW_LIMIT);
	require(scan_init(&scan));
	show_json_line(&shown, e->line);
	require(envelope_parse_copy(&again, &scan, &copy, buffer_span(&shown), &fault) == ENVELOPE_GOOD);
	require(again.severity == e->severity && again.payload.kind == e->payload.kind);
	buffer_append_byte(&shown, '\n');
	require_harmless(buffer_span(&shown), true);
	scan_release(&scan);
	buffer_release(&shown);
	buffer_release(&copy);
}

static void try_format(const struct envelope *e, const char *text)
{
	struct render render;
	struct format_fault fault;
	struct format *format = format_new(text, &fault);
	if (!format) {
		require(fault.reason && fault.column >= 1 && fault.column <= strlen(text));
		return;
	}
	set_form(&render, 0);
	struct span shown = format_envelope(format, &render, e);
	/* The text of the template itself is the user's own and may hold anything. */
	bool own = memchr(text, '\\', strlen(text)) != NULL;
	for (const char *p = text; *p; p++) own |= *p < 0x20 || *p >= 0x7f; /* char is signed or not: either way */
	if (!own) require_harmless(shown, false), require(count_newlines(shown) == 1);
	render_release(&render);
	format_free(format);
}

static void try_reject(struct span line, unsigned form)
{
	struct render render;
	set_form(&render, form);
	struct span shown = render_reject(&render, "a reason", "a file", 1, line, 0);
	require_harmless(shown, false);
	require(count_newlines(shown) == 1);
	render_release(&render);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1) return 0;
	unsigned form = data[0];
	struct span line = { (const char *)data + 1, size - 1 };
	const char *nul = size > 1 ? memchr(line.data, '\0', line.length) : NULL;
	const char *template = nul ? line.data : "{payload}{fields}{logger|none}{fields.dsn}{@time}";
	if (nul) line = span_between(nul + 1, line.data + line.length);
	struct buffer copy;
	struct scan scan;
	struct envelope envelope;
	struct envelope_fault fault;
	buffer_init(&copy, SHOW_LIMIT);
	require(scan_init(&scan));
	if (!memchr(line.data, '\n', line.length) && envelope_parse_copy(&envelope, &scan, &copy, line, &fault) == ENVELOPE_GOOD) {
		try_people(&envelope, form);
		try_json(&envelope);
		try_format(&envelope, template);
	}
	try_reject(line, form);
	scan_release(&scan);
	buffer_release(&copy);
	return 0;
}
