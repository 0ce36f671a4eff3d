/* template - fills in a file name so that no message can leave the directory it was meant for. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "base/timestamp.h"
#include "io/diag.h"
#include "template.h"

static const struct { const char *name; enum template_piece kind; } NAMES[] = {
	{ "type", PIECE_TYPE }, { "logger", PIECE_LOGGER }, { "severity", PIECE_SEVERITY }, { "date", PIECE_DATE }, { "hour", PIECE_HOUR },
};

static const int64_t QUARTER_NS = INT64_C(900) * 1000000000; /* zones differ from UTC by whole quarters of an hour */

bool template_is(struct span path)
{
	return path.length && memchr(path.data, '{', path.length);
}

static bool find_name(struct span name, enum template_piece *kind)
{
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		if (span_equal(name, span_of(NAMES[i].name))) return *kind = NAMES[i].kind, true;
	return false;
}

static void add_piece(struct template *t, enum template_piece kind, struct span text)
{
	if (kind == PIECE_TEXT && text.length == 0) return;
	t->piece[t->count].kind = kind;
	t->piece[t->count++].text = text;
	if (kind == PIECE_DATE || kind == PIECE_HOUR) t->dated = true;
}

/* Cuts `rest` into pieces; the fault's place is counted from the start of rest. */
static const char *cut(struct template *t, size_t *column)
{
	const char *at = t->rest, *text = at;
	while ((at = strpbrk(at, "{}"))) {
		*column = (size_t)(at - t->rest) + 1;
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		if (*at == '}') return "a '}' without its '{'";
		if (!end) return "a '{' without its '}'";
		if (t->count + 2 >= TEMPLATE_PIECES_MAX) return "too many parts in one file name";
		enum template_piece kind;
		if (!find_name(span_between(at + 1, end), &kind)) return "unknown: {type} {logger} {severity} {date} {hour} can be here";
		add_piece(t, PIECE_TEXT, span_between(text, at));
		add_piece(t, kind, (struct span){ NULL, 0 });
		text = at = end + 1;
	}
	add_piece(t, PIECE_TEXT, span_of(text));
	return NULL;
}

/* The text a user wrote may not climb out of its root either: an empty, "." or ".." part below it is a mistake. */
static bool has_odd_part(const char *rest)
{
	for (const char *at = rest; ; ) {
		size_t length = strcspn(at, "/");
		if (length == 0 || (length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.')) return true;
		if (!at[length]) return false;
		at += length + 1;
	}
}

bool template_init(struct template *t, struct span path, const char **fault, size_t *column)
{
	*t = (struct template){ .quarter = INT64_MIN };
	const char *brace = memchr(path.data, '{', path.length);
	const char *slash = memrchr(path.data, '/', (size_t)(brace - path.data));
	size_t root = slash ? (size_t)(slash - path.data) : 0;
	size_t rest = slash ? root + 1 : 0;
	t->root = !slash ? must_copy(SPAN(".")) : root ? must_copy((struct span){ path.data, root }) : must_copy(SPAN("/"));
	t->rest = must_copy((struct span){ path.data + rest, path.length - rest });
	buffer_init(&t->value, 16 * 1024 * 1024);
	*column = 1;
	*fault = cut(t, column);
	if (!*fault && has_odd_part(t->rest)) *fault = "a part of the path is empty, \".\" or \"..\"";
	if (!*fault) return true;
	*column += rest;
	template_release(t);
	return false;
}

void template_release(struct template *t)
{
	free(t->root);
	free(t->rest);
	buffer_release(&t->value);
	t->root = t->rest = NULL;
}

static uint64_t hash_bytes(struct span s) /* FNV-1a: names a cut value, protects nothing */
{
	uint64_t hash = 14695981039346656037u;
	for (size_t i = 0; i < s.length; i++) hash = (hash ^ (unsigned char)s.data[i]) * 1099511628211u;
	return hash;
}

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '=' || c == '-';
}

/* Writes the value as a part of a file name; `out` has room for TEMPLATE_VALUE_MAX bytes. */
static size_t encode(char *out, struct span value)
{
	static const char digits[] = "0123456789ABCDEF";
	enum { CUT = TEMPLATE_VALUE_MAX - 17 }; /* "-" and 16 digits of a hash */
	if (value.length == 0 || span_equal(value, SPAN(".")) || span_equal(value, SPAN(".."))) return out[0] = '_', 1;
	size_t length = 0, cut = 0;
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];
		size_t needed = is_plain(c) ? 1 : 3;
		if (length + needed > TEMPLATE_VALUE_MAX) {
			char name[18];
			snprintf(name, sizeof name, "-%016llx", (unsigned long long)hash_bytes(value));
			memcpy(out + cut, name, 17);
			return cut + 17;
		}
		if (needed == 1) {
			out[length] = (char)c;
		} else {
			out[length] = '%';
			out[length + 1] = digits[c >> 4];
			out[length + 2] = digits[c & 15];
		}
		length += needed;
		if (length <= CUT) cut = length;
	}
	return length;
}

static struct span plain_text(struct template *t, struct value v)
{
	if (!v.escaped) return v.text;
	buffer_clear(&t->value);
	text_append_unescaped(&t->value, v.text);
	return buffer_span(&t->value);
}

static void set_date(struct template *t, const struct envelope *e)
{
	int64_t when;
	if (e->timestamp.kind != VALUE_STRING || !timestamp_parse(e->timestamp.text, &when)) {
		t->quarter = INT64_MIN;
		memcpy(t->date, "_", 2);
		memcpy(t->hour, "_", 2);
		return;
	}
	int64_t quarter = when / QUARTER_NS - (when % QUARTER_NS < 0);
	if (quarter == t->quarter) return;
	t->quarter = quarter;
	struct timestamp_local l = timestamp_local(when);
	snprintf(t->date, sizeof t->date, "%04u-%02u-%02u", (unsigned)l.year % 10000, (unsigned)l.month % 100, (unsigned)l.day % 100);
	snprintf(t->hour, sizeof t->hour, "%02u", (unsigned)l.hour % 100);
}

/* Several values in one name can make it longer than a file system takes: then its end becomes a hash of the whole name. */
static size_t shorten_names(char path[TEMPLATE_PATH_MAX], size_t length)
{
	enum { NAME_MOST = 255, HASH = 17 };
	for (size_t from = 0; from < length; ) {
		const char *slash = memchr(path + from, '/', length - from);
		size_t end = slash ? (size_t)(slash - path) : length;
		if (end - from > NAME_MOST) {
			char name[HASH + 1];
			size_t kept = from + NAME_MOST;
			snprintf(name, sizeof name, "-%016llx", (unsigned long long)hash_bytes(span_between(path + from, path + end)));
			memcpy(path + kept - HASH, name, HASH);
			memmove(path + kept, path + end, length - end);
			length -= end - kept;
			end = kept;
		}
		from = end + 1;
	}
	return length;
}

bool template_expand(struct template *t, const struct envelope *e, char path[TEMPLATE_PATH_MAX], size_t *length)
{
	if (t->dated) set_date(t, e);
	size_t at = 0;
	for (int i = 0; i < t->count; i++) {
		if (at + t->piece[i].text.length + TEMPLATE_VALUE_MAX >= TEMPLATE_PATH_MAX) return false;
		struct span text = t->piece[i].text;
		switch (t->piece[i].kind) {
		case PIECE_TYPE: at += encode(path + at, plain_text(t, e->type)); continue;
		case PIECE_LOGGER: at += encode(path + at, plain_text(t, e->logger)); continue;
		case PIECE_SEVERITY: path[at++] = (char)('0' + e->severity); continue;
		case PIECE_DATE: text = span_of(t->date); break;
		case PIECE_HOUR: text = span_of(t->hour); break;
		case PIECE_TEXT: break;
		}
		memcpy(path + at, text.data, text.length);
		at += text.length;
	}
	at = shorten_names(path, at);
	path[at] = '\0';
	*length = at;
	return true;
}
