/* legacy - judges a finished CEF line, and writes again what is wrong in it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "legacy.h"

#include <stdlib.h>
#include "io/diag.h"
#include "legacy_private.h"
#include "preface.h"
#include "severity.h"

enum { KEYS_SPARE_BYTES = 4096 }; /* for keys that are told apart by a longer name */

struct legacy {
	size_t max_bytes;
	struct map_options options;
	struct record *record;          /* for lines that are too long; it takes values as they are */
	struct legacy_tally tally;
	struct cef_event event;
	struct legacy_parts parts;
	struct buffer decoded, plain, keys, out;
};

struct legacy *legacy_new(const struct record_rules *rules, const struct map_options *options)
{
	struct legacy *legacy = must_alloc(sizeof *legacy);
	struct record_rules as_it_is = *rules;
	as_it_is.wrong = RECORD_WRONG_KEEP;
	as_it_is.dictionary_only = false;
	legacy->record = record_new(&as_it_is);
	legacy->max_bytes = rules->max_bytes;
	legacy->options = *options;
	buffer_init(&legacy->decoded, SIZE_MAX / 2);
	buffer_init(&legacy->plain, SIZE_MAX / 2);
	buffer_init(&legacy->keys, SIZE_MAX / 2);
	buffer_init(&legacy->out, SIZE_MAX / 2);
	return legacy;
}

void legacy_free(struct legacy *legacy)
{
	if (!legacy) return;
	record_free(legacy->record);
	buffer_release(&legacy->decoded);
	buffer_release(&legacy->plain);
	buffer_release(&legacy->keys);
	buffer_release(&legacy->out);
	free(legacy);
}

const struct legacy_tally *legacy_tally(const struct legacy *legacy)
{
	return &legacy->tally;
}

bool legacy_is(struct span text)
{
	struct span before, line;
	return cef_find(text, &before, &line);
}

/* --- is it right? --- */

static bool is_no_address(struct span key, struct span value)
{
	if (!span_equal(value, SPAN("None"))) return false;
	const struct dictionary_key *known = dictionary_find(key);
	if (!known) return false;
	return known->type == DICTIONARY_IPV4 || known->type == DICTIONARY_IPV6 || known->type == DICTIONARY_IP || known->type == DICTIONARY_MAC;
}

/* By the grammar it is right; but the client writes dhost behind src, always: what stands there instead came in with src, and claims to be a key. */
static bool has_forged_key(const struct cef_event *event)
{
	static const char *const start[] = { "cs1Label", "cs1", "requestMethod", "request", "src" };
	enum { FIXED = sizeof start / sizeof *start };
	if (event->pair_count <= FIXED || !span_equal(event->pair[0].value, SPAN("requestClientApplication"))) return false;
	for (size_t i = 0; i < FIXED; i++)
		if (!span_equal(event->pair[i].key, span_of(start[i]))) return false;
	for (size_t i = FIXED; i + 1 < event->pair_count; i++) {
		bool is_host = span_equal(event->pair[i].key, SPAN("dhost")) || span_equal(event->pair[i].key, SPAN("dest"));
		if (is_host && span_equal(event->pair[i + 1].key, SPAN("suser"))) return i > FIXED;
	}
	return false;
}

static bool is_right(struct legacy *legacy, struct span line)
{
	const char *why;
	size_t column;
	bool good = cef_read(&legacy->event, line, CEF_STRICT, &legacy->decoded, &why, &column);
	if (legacy->decoded.no_memory) die(EXIT_INTERNAL, "no memory for a line");
	if (!good) return false;
	const struct cef_event *event = &legacy->event;
	if (event->pair_count && event->pair[event->pair_count - 1].value.length == 0) return false;
	for (size_t i = 0; i < event->pair_count; i++)
		if (is_no_address(event->pair[i].key, event->pair[i].value)) return false;
	return !has_forged_key(event);
}

/* --- mending --- */

/* What the byte behind a backslash stands for; -1: they are no escape. The client has a backslash before raw newlines, too. */
static int header_escape(char c) { return c == '\\' || c == '|' || c == '\r' || c == '\n' ? c : -1; }
static int value_escape(char c) { return c == '\\' || c == '=' ? c : c == 'n' ? '\n' : c == 'r' ? '\r' : -1; }

static bool is_escaped_text(struct span text, int (*escape)(char), char never_raw)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == never_raw) return false;
		if (text.data[i] != '\\') continue;
		if (i + 1 == text.length || escape(text.data[i + 1]) < 0) return false;
		i++;
	}
	return true;
}

/* Appends to `plain`, which has room: spans point into it. */
static struct span decode(struct buffer *plain, struct legacy_field field, int (*escape)(char), char never_raw)
{
	struct span text = field.text;
	size_t from = plain->length;
	bool literal = field.is_bare && !is_escaped_text(text, escape, never_raw);
	if (literal || text.length == 0 || !memchr(text.data, '\\', text.length)) return text;
	for (size_t i = 0; i < text.length; i++) {
		int c = text.data[i] == '\\' && i + 1 < text.length ? escape(text.data[i + 1]) : -1;
		buffer_append_byte(plain, c < 0 ? text.data[i] : (char)c);
		if (c >= 0) i++;
	}
	return (struct span){ plain->data + from, plain->length - from };
}

static bool is_taken(const struct legacy_parts *parts, size_t at, struct span key)
{
	for (size_t i = 0; i < parts->count; i++)
		if (i != at && span_equal(parts->pair[i].key, key)) return true;
	return false;
}

/* One _ for each character that no key has, and more behind it until no other key is called so. */
static bool mend_key(struct legacy *legacy, size_t at)
{
	struct buffer *keys = &legacy->keys;
	struct span *key = &legacy->parts.pair[at].key;
	size_t from = keys->length;
	if (cef_key_is(*key)) return true;
	for (size_t i = 0; i < key->length; i++) {
		bool continues = ((unsigned char)key->data[i] & 0xc0) == 0x80;
		if (!continues) buffer_append_byte(keys, legacy_is_key_byte(key->data[i]) ? key->data[i] : '_');
	}
	struct span mended = { keys->data + from, keys->length - from };
	while (is_taken(&legacy->parts, at, mended)) {
		if (keys->capacity - keys->length < 2 || mended.length == CEF_KEY_MAX) return false;
		buffer_append_byte(keys, '_');
		mended.length++;
	}
	*key = mended;
	return true;
}

static const char *write_line(struct legacy *legacy)
{
	struct legacy_parts *parts = &legacy->parts;
	struct cef_tally tally = { 0 };
	struct span field[LEGACY_FIELDS];
	for (int i = 0; i < LEGACY_FIELDS; i++) field[i] = decode(&legacy->plain, parts->field[i], header_escape, '|');
	severity_find(parts->field[LEGACY_SEVERITY].text, &field[LEGACY_SEVERITY]);
	struct cef_header header = { parts->version, field[LEGACY_VENDOR], field[LEGACY_PRODUCT], field[LEGACY_VERSION], field[LEGACY_SIGNATURE], field[LEGACY_NAME], field[LEGACY_SEVERITY] };
	cef_append_header(&legacy->out, &header, &tally);
	size_t full = legacy->out.length; /* an empty value at the end is one that many cannot read */
	for (size_t i = 0, written = 0; i < parts->count; i++) {
		struct span value = decode(&legacy->plain, parts->pair[i].value, value_escape, '=');
		if (is_no_address(parts->pair[i].key, value)) continue;
		if (!mend_key(legacy, i)) return "keys that cannot be told apart";
		if (written++) buffer_append_byte(&legacy->out, ' ');
		buffer_append_span(&legacy->out, parts->pair[i].key);
		buffer_append_byte(&legacy->out, '=');
		size_t before = legacy->out.length;
		cef_append_value(&legacy->out, value, &tally);
		if (legacy->out.length > before) full = legacy->out.length;
	}
	legacy->out.length = full;
	if (legacy->out.failed) die(EXIT_INTERNAL, "no memory for a line");
	return NULL;
}

/* What comes out is read once more, by the book: nothing leaves here that is not right. */
static const char *mend(struct legacy *legacy, struct span line)
{
	struct span extension;
	size_t column;
	const char *why = legacy_split_header(&legacy->parts, line, &legacy->options, &extension);
	if (!why) why = legacy_split_extension(&legacy->parts, extension);
	if (why) return why;
	buffer_clear(&legacy->plain);
	buffer_clear(&legacy->keys);
	buffer_clear(&legacy->out);
	if (!buffer_reserve(&legacy->plain, line.length + 1) || !buffer_reserve(&legacy->keys, line.length + KEYS_SPARE_BYTES)) die(EXIT_INTERNAL, "no memory for a line");
	why = write_line(legacy);
	if (why) return why;
	return cef_read(&legacy->event, buffer_span(&legacy->out), CEF_STRICT, &legacy->decoded, &why, &column) ? NULL : why;
}

/* --- all of it --- */

/* The event that was read last, made shorter. */
static struct span shorten(struct legacy *legacy, const char **why)
{
	const struct cef_event *event = &legacy->event;
	*why = record_begin(legacy->record, &event->header);
	for (size_t i = 0; i < event->pair_count && !*why; i++) *why = record_put_named(legacy->record, event->pair[i].key, event->pair[i].value);
	return *why ? (struct span){ NULL, 0 } : record_end(legacy->record, why);
}

/* Those around the line, which the client's neighbours leave there. */
static struct span without_newlines(struct span text)
{
	while (text.length && strchr("\r\n", text.data[text.length - 1]) && text.data[text.length - 1]) text.length--;
	while (text.length && strchr(" \t\r\n", text.data[0]) && text.data[0]) text.data++, text.length--;
	return text;
}

struct span legacy_line(struct legacy *legacy, struct span text, struct span *date, struct span *host, const char **why)
{
	struct span nothing = { NULL, 0 }, line, body = without_newlines(text);
	struct preface preface;
	size_t column;
	*date = *host = SPAN("");
	*why = "a warning of the client that quotes an event, not the event";
	if (span_starts(body, SPAN("CEF Message too big"))) return nothing;
	if (!preface_read(&preface, body, NULL, &line, why, &column)) return nothing;
	bool right = is_right(legacy, line);
	bool as_was = right && line.data + line.length == text.data + text.length;
	if (!right) {
		*why = mend(legacy, line);
		if (*why) return nothing;
		line = buffer_span(&legacy->out);
	}
	bool too_long = legacy->max_bytes && line.length > legacy->max_bytes;
	if (too_long) line = shorten(legacy, why);
	if (!line.data) return nothing;
	legacy->tally.repaired += !as_was;
	legacy->tally.as_was += as_was;
	legacy->tally.truncated += too_long;
	*date = preface.date;
	*host = preface.host;
	return line;
}
