/* cef_read - a line of CEF taken apart again, by the book or as it is found in the field. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "cef_private.h"

#include <strings.h>

#include "cef_text.h"

struct reading {
	const char *p, *end;
	enum cef_reading how;
	struct buffer *decoded;
	const char *why;
};

static bool fail_at(struct reading *r, const char *p, const char *why)
{
	r->p = p;
	r->why = why;
	return false;
}

/* "0|", "12|", "1.2|" behind "CEF:". The bytes it takes with its pipe, 0 if it is none. */
static size_t version_length(struct span text, int *version)
{
	size_t i = 0, digits = 0;
	for (*version = 0; i < text.length && i < 2 && text.data[i] >= '0' && text.data[i] <= '9'; i++) *version = *version * 10 + text.data[i] - '0';
	if (i == 0) return 0;
	if (i < text.length && text.data[i] == '.') {
		for (i++; i < text.length && digits < 2 && text.data[i] >= '0' && text.data[i] <= '9'; i++) digits++;
		if (digits == 0) return 0;
	}
	return i < text.length && text.data[i] == '|' ? i + 1 : 0;
}

bool cef_find(struct span text, struct span *before, struct span *line)
{
	if (text.length == 0) return false;
	const char *end = text.data + text.length, *p = text.data;
	for (int version; (p = memmem(p, (size_t)(end - p), "CEF:", 4)); p += 4) {
		if (p > text.data && p[-1] != ' ' && p[-1] != '\t') continue;
		if (!version_length(span_between(p + 4, end), &version)) continue;
		*before = span_between(text.data, p);
		*line = span_between(p, end);
		return true;
	}
	return false;
}

/* What stands behind a backslash, decoded; 0 if it is no escape there. */
static char header_escape(char c) { return c == '\\' || c == '|' ? c : '\0'; }

static char value_escape(char c)
{
	return c == '\\' || c == '=' ? c : c == 'n' ? '\n' : c == 'r' ? '\r' : '\0';
}

/* The span with its escapes decoded; one without any is left where it is. `decoded` has room: it was reserved for the whole line. */
static struct span decode(struct reading *r, struct span raw, char (*escape)(char))
{
	const char *p = raw.data, *end = p + raw.length, *next = raw.length ? memchr(p, '\\', raw.length) : NULL;
	if (!next) return raw;
	size_t from = r->decoded->length;
	for (; next; next = memchr(p, '\\', (size_t)(end - p))) {
		char c = end - next >= 2 ? escape(next[1]) : '\0';
		buffer_append(r->decoded, p, (size_t)(next - p));
		buffer_append_byte(r->decoded, c ? c : '\\');
		p = next + (c ? 2 : 1);
		if (p == end) break;
	}
	if (p < end) buffer_append(r->decoded, p, (size_t)(end - p));
	return (struct span){ r->decoded->data + from, r->decoded->length - from };
}

/* --- the header --- */

static bool read_version(struct reading *r, int *version)
{
	struct span rest = span_between(r->p, r->end);
	if (!span_starts(rest, SPAN("CEF:"))) return fail_at(r, r->p, "no \"CEF:\" at the start");
	rest = span_between(r->p + 4, r->end);
	size_t length = version_length(rest, version);
	if (length == 0) return fail_at(r, r->p + 4, "no version behind \"CEF:\"");
	bool canonical = length == (*version < 10 ? 2 : 3);
	if (r->how == CEF_STRICT && !canonical) return fail_at(r, r->p + 4, "not a version");
	r->p += 4 + length;
	return true;
}

/* Neither the end of a field nor an escape, nor the first byte of what cannot stand there. */
static inline bool is_header_text(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '|' && c != '\\';
}

static bool read_header_field(struct reading *r, struct span *field, const char *missing)
{
	const char *p = r->p;
	bool escaped = false;
	for (;; p++) {
		p = cef_skip_plain(p, r->end, CEF_IN_HEADER);
		while (p < r->end && is_header_text(*p)) p++;
		if (p >= r->end || *p == '|') break;
		escaped = escaped || *p == '\\';
		bool known = *p == '\\' && r->end - p >= 2 && header_escape(p[1]);
		if (known) p++;
		else if (r->how == CEF_LENIENT) continue;
		else if (*p == '\\') return fail_at(r, p, "unknown escape in the header");
		else if (cef_control_length(span_between(p, r->end))) return fail_at(r, p, "control character in the header");
	}
	if (p >= r->end) return fail_at(r, r->end, missing);
	*field = span_between(r->p, p);
	if (escaped) *field = decode(r, *field, header_escape);
	r->p = p + 1;
	return true;
}

/* In the field "high", " 5" and "Very High" are meant as what they look like. Anything else stays for the caller to judge. */
static struct span nearest_severity(struct span text)
{
	static const char *const words[] = { "Unknown", "Low", "Medium", "High", "Very-High" };
	text = span_trim(text);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (text.length == strlen(words[i]) && strncasecmp(text.data, words[i], text.length) == 0) return span_of(words[i]);
	return text.length == 9 && strncasecmp(text.data, "Very High", 9) == 0 ? span_of("Very-High") : text;
}

static bool read_header(struct reading *r, struct cef_header *header)
{
	if (!read_version(r, &header->version)) return false;
	if (!read_header_field(r, &header->vendor, "the header ends before its product")) return false;
	if (!read_header_field(r, &header->product, "the header ends before its device version")) return false;
	if (!read_header_field(r, &header->device_version, "the header ends before its signature")) return false;
	if (!read_header_field(r, &header->signature, "the header ends before its name")) return false;
	if (!read_header_field(r, &header->name, "the header ends before its severity")) return false;
	const char *at = r->p;
	if (!read_header_field(r, &header->severity, at == r->end ? "the header ends before its severity" : "the header ends before the pipe behind its severity")) return false;
	if (r->how == CEF_LENIENT) header->severity = nearest_severity(header->severity);
	else if (!cef_severity_is(header->severity)) return fail_at(r, at, "not a severity");
	return true;
}

/* --- the extension --- */

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Bytes of a key by the book, and of one in the field. */
enum { KEY_STRICT = 1, KEY_LENIENT = 2 };
static const unsigned char in_key[256] = {
	['0'] = 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, ['_'] = 3, ['.'] = 2, ['-'] = 2, ['['] = 2, [']'] = 2,
	['A'] = 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
	['a'] = 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
};

static inline bool is_key_byte(const struct reading *r, char c)
{
	return in_key[(unsigned char)c] & (r->how == CEF_LENIENT ? KEY_LENIENT : KEY_STRICT);
}

/* Nothing that read_value looks at. */
static inline bool is_value_text(char c) { return (unsigned char)c >= 0x20 && c != '=' && c != '\\' && c != 0x7f; }

/* The start of the key in front of the '=' at `equals`, not before `from`; NULL if there is none with a blank before it. */
static const char *key_before(const struct reading *r, const char *from, const char *equals)
{
	const char *key = equals;
	while (key > from && is_key_byte(r, key[-1])) key--;
	bool apart = key > from && (r->how == CEF_LENIENT ? is_blank(key[-1]) : key[-1] == ' ');
	return apart && key < equals && equals - key <= CEF_KEY_MAX ? key : NULL;
}

/* From the value at r->p to its end. *next is the key behind it, or NULL, and *equals that key's '='. */
static bool read_value(struct reading *r, struct span *value, const char **next, const char **equals)
{
	const char *from = r->p, *p = from;
	bool escaped = false;
	*next = NULL;
	for (;; p++) {
		p = cef_skip_plain(p, r->end, CEF_IN_VALUE);
		while (p < r->end && is_value_text(*p)) p++;
		if (p >= r->end) break;
		char c = *p;
		if (c == '=') {
			if ((*next = key_before(r, from, p))) break;
			if (r->how == CEF_STRICT) return fail_at(r, p, "'=' in a value without a backslash");
		}
		else if (c == '\\') {
			escaped = true;
			if (r->end - p >= 2 && value_escape(p[1])) p++;
			else if (r->how == CEF_STRICT) return fail_at(r, p, "unknown escape in a value");
		}
		else if (r->how == CEF_STRICT && (unsigned char)c < 0x20 && c != '\t') return fail_at(r, p, "control character in a value");
		else if (r->how == CEF_STRICT && c == 0x7f) return fail_at(r, p, "control character in a value");
	}
	*equals = p;
	const char *end = *next ? *next - 1 : r->end;
	while (end > from && is_blank(end[-1])) end--;
	*value = span_between(from, end);
	if (escaped) *value = decode(r, *value, value_escape);
	r->p = *next ? *next : r->end;
	return true;
}

static bool is_repeated(const struct cef_event *event, struct cef_seen *seen, struct span key)
{
	if (!cef_seen_before(seen, key)) return false;
	for (size_t i = 0; i < event->pair_count; i++)
		if (span_equal(event->pair[i].key, key)) return true;
	return false;
}

static bool read_extension(struct reading *r, struct cef_event *event)
{
	struct cef_seen seen = { 0 };
	if (r->how == CEF_LENIENT)
		while (r->p < r->end && is_blank(*r->p)) r->p++;
	const char *key = r->p, *equals = key;
	while (equals < r->end && is_key_byte(r, *equals)) equals++;
	if (key == r->end) return true;
	if (equals == r->end || *equals != '=' || equals == key || equals - key > CEF_KEY_MAX) return fail_at(r, equals, "no key and '=' behind the header");
	while (key) {
		struct span name = span_between(key, equals);
		if (is_repeated(event, &seen, name)) return fail_at(r, key, "key given twice");
		if (event->pair_count == CEF_PAIRS_MAX) return fail_at(r, key, "more than 512 keys");
		struct cef_pair *pair = &event->pair[event->pair_count++];
		pair->key = name;
		r->p = equals + 1;
		if (!read_value(r, &pair->value, &key, &equals)) return false;
	}
	return true;
}

bool cef_read(struct cef_event *event, struct span line, enum cef_reading how, struct buffer *decoded, const char **why, size_t *column)
{
	if (line.length == 0) line = SPAN("");
	struct reading r = { .p = line.data, .end = line.data + line.length, .how = how, .decoded = decoded };
	event->pair_count = 0;
	buffer_clear(decoded);
	/* Spans point into `decoded`, so it gets all its room now: what is decoded is never longer. */
	if (!buffer_reserve(decoded, line.length)) fail_at(&r, r.p, "the line is too long");
	else if (read_header(&r, &event->header) && read_extension(&r, event)) return true;
	*why = r.why;
	*column = (size_t)(r.p - line.data) + 1;
	return false;
}
