/* envelope - one message: a checked line of JSON and a view of its seven members. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/envelope.h"

#include "base/text.h"

/* The grammar is checked on the index of the scan: every entry but a closing quote begins a token, and behind the last one the
 * newline's offset is repeated, so that looking one token ahead, or past the two quotes of a string, needs no bound. */
struct walk {
	const char *text;
	const uint32_t *at;             /* the entry that comes next */
	struct envelope_fault *fault;
};

static bool fail(const struct walk *w, const uint32_t *at, const char *reason)
{
	*w->fault = (struct envelope_fault){ reason, (size_t)*at + 1 };
	return false;
}

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* What may stand behind a number, true, false or null: blanks, punctuation, a quote (refused by the grammar), the newline. */
static inline bool ends_scalar(char c)
{
	switch (c) {
	case ' ': case '\t': case '\r': case '\n': case ',': case '}': case ']': case ':': case '{': case '[': case '"':
		return true;
	default:
		return false;
	}
}

/* The end of the number at p, or NULL. RFC 8259: -? (0 | [1-9][0-9]*) (\. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static const char *number_end(const char *p)
{
	if (*p == '-') p++;
	if (*p == '0') p++;
	else if (!is_digit(*p)) return NULL;
	else while (is_digit(*p)) p++;
	if (*p == '.') {
		if (!is_digit(*++p)) return NULL;
		while (is_digit(*p)) p++;
	}
	if ((*p | 0x20) == 'e') {
		p++;
		if (*p == '+' || *p == '-') p++;
		if (!is_digit(*p)) return NULL;
		while (is_digit(*p)) p++;
	}
	return ends_scalar(*p) ? p : NULL;
}

/* Whether p[0..length) is a plain number: up to eight digits, at most one point between them, no idle zero in front. False says
 * nothing. Eight bytes in one word, because the loops of number_end cost a mispredicted branch for each number of another
 * length than the one before. */
static inline bool is_plain_number(const char *p, size_t length)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word;
	if (length == 0 || length > 8) return false;
	memcpy(&word, p, 8); /* a scanned region is followed by SCAN_PADDING bytes */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	uint64_t kept = ~UINT64_C(0) >> (64 - 8 * length);
	word = (word & kept) | (ones * '0' & ~kept);
	uint64_t differs = word ^ ones * '.', points = (differs - ones) & ~differs & ones * 0x80;
	word ^= (points >> 7) * ('.' ^ '0');
	bool digits = ((word & ones * 0xf0) | ((word + ones * 6) & ones * 0xf0) >> 4) == ones * 0x33;
	return digits & ((points & (points - 1)) == 0) & (p[0] != '.') & (p[length - 1] != '.') & ((p[0] != '0') | (length == 1) | (p[1] == '.'));
}

/* The end of the number, true, false or null at p; NULL if it is none of them. */
static const char *scalar_end(const char *p)
{
	if (*p == '-' || is_digit(*p)) return number_end(p);
	if (memcmp(p, "true", 4) == 0 && ends_scalar(p[4])) return p + 4;
	if (memcmp(p, "null", 4) == 0 && ends_scalar(p[4])) return p + 4;
	if (memcmp(p, "false", 5) == 0 && ends_scalar(p[5])) return p + 5;
	return NULL;
}

/* Checks the container whose opening bracket is at w->at and steps behind its closing one. `depth` is how many are open already.
 * The kinds of the open containers lie in a word, a bit each: 1 is an object. */
static bool skip_container(struct walk *w, unsigned depth)
{
	const char *text = w->text;
	const uint32_t *at = w->at;
	const unsigned outside = depth;
	uint64_t objects = 0;
open:
	if (depth == ENVELOPE_DEPTH_MAX) return fail(w, at, "nested deeper than 64");
	depth++;
	objects = objects << 1 | (text[*at] == '{');
	at++;
	if (objects & 1) {
		if (text[*at] == '}') goto close;
		goto key;
	}
	if (text[*at] == ']') goto close;
	goto value;
key:
	if (text[*at] != '"') return fail(w, at, "expected a name in double quotes");
	if (text[at[2]] != ':') return fail(w, at + 2, "expected ':'");
	at += 3;
value:
	switch (text[*at]) {
	case '"': at += 2; break;
	case '{': case '[': goto open;
	default:
		if (!is_plain_number(text + *at, at[1] - *at) && !scalar_end(text + *at)) return fail(w, at, "expected a value");
		at++;
	}
next:
	if (text[*at] == ',') {
		at++;
		if (objects & 1) goto key;
		goto value;
	}
	if (text[*at] != (objects & 1 ? '}' : ']')) return fail(w, at, objects & 1 ? "expected ',' or '}'" : "expected ',' or ']'");
close:
	at++;
	objects >>= 1;
	if (--depth > outside) goto next;
	w->at = at;
	return true;
}

/* Checks the value at w->at, describes it, and steps behind it. */
static inline bool take_value(struct walk *w, struct value *value, uint32_t first, bool escapes)
{
	const uint32_t *at = w->at;
	const char *start = w->text + *at;
	value->first = first;
	value->escaped = false;
	if (*start == '"') {
		value->kind = VALUE_STRING;
		value->text = span_between(start + 1, w->text + at[1]);
		value->escaped = escapes && memchr(value->text.data, '\\', value->text.length);
		w->at = at + 2;
		return true;
	}
	if (*start == '{' || *start == '[') {
		value->kind = *start == '{' ? VALUE_OBJECT : VALUE_ARRAY;
		if (!skip_container(w, 1)) return false;
		value->text = span_between(start, w->text + w->at[-1] + 1);
		return true;
	}
	const char *end = is_plain_number(start, at[1] - *at) ? w->text + at[1] : scalar_end(start);
	if (!end) return fail(w, at, "expected a value");
	value->kind = *start == 't' ? VALUE_TRUE : *start == 'f' ? VALUE_FALSE : *start == 'n' ? VALUE_NULL : VALUE_NUMBER;
	value->text = span_between(start, end);
	w->at = at + 1;
	return true;
}

enum member { MEMBER_TIMESTAMP, MEMBER_LOGGER, MEMBER_TYPE, MEMBER_SEVERITY, MEMBER_PAYLOAD, MEMBER_FIELDS, MEMBER_ENV_VERSION,
	MEMBER_JUDGED /* how many of them have a type */, MEMBER_PID = MEMBER_JUDGED, MEMBER_HOSTNAME, MEMBER_OTHER };

__attribute__((always_inline)) static inline enum member member_of(struct span name)
{
	switch (name.length) {
	case 4: return memcmp(name.data, "type", 4) ? MEMBER_OTHER : MEMBER_TYPE;
	case 6: return memcmp(name.data, "fields", 6) == 0 ? MEMBER_FIELDS : memcmp(name.data, "logger", 6) == 0 ? MEMBER_LOGGER : MEMBER_OTHER;
	case 7: return memcmp(name.data, "payload", 7) ? MEMBER_OTHER : MEMBER_PAYLOAD;
	case 8: return memcmp(name.data, "severity", 8) ? MEMBER_OTHER : MEMBER_SEVERITY;
	case 9: return memcmp(name.data, "timestamp", 9) ? MEMBER_OTHER : MEMBER_TIMESTAMP;
	case 10: return memcmp(name.data, "metlog_pid", 10) ? MEMBER_OTHER : MEMBER_PID;
	case 11: return memcmp(name.data, "env_version", 11) ? MEMBER_OTHER : MEMBER_ENV_VERSION;
	case 15: return memcmp(name.data, "metlog_hostname", 15) ? MEMBER_OTHER : MEMBER_HOSTNAME;
	default: return MEMBER_OTHER;
	}
}

/* Decodes a short string with escapes into room; a longer one than any name we look for comes out empty. */
static struct span decode_short(struct span inside, char room[96])
{
	struct buffer decoded = { .data = room, .capacity = 96, .limit = 96 };
	if (inside.length > 6 * sizeof "metlog_hostname" || !text_append_unescaped(&decoded, inside)) return SPAN("");
	return buffer_span(&decoded);
}

__attribute__((noinline)) static enum member member_of_escaped(struct span inside)
{
	char room[96];
	return member_of(decode_short(inside, room));
}

static bool is_version(struct value value)
{
	char room[96];
	return span_equal(value.escaped ? decode_short(value.text, room) : value.text, SPAN("0.8"));
}

/* The seven members are kept in an array while the line is walked; the type each must have is checked as it is met. */
static const char *wrong_member(enum member member, const struct value *value)
{
	switch (member) {
	case MEMBER_TIMESTAMP: return value->kind == VALUE_STRING ? NULL : "timestamp is not a string";
	case MEMBER_LOGGER: return value->kind == VALUE_STRING ? NULL : "logger is not a string";
	case MEMBER_TYPE: return value->kind == VALUE_STRING ? NULL : "type is not a string";
	case MEMBER_FIELDS: return value->kind == VALUE_OBJECT ? NULL : "fields is not an object";
	case MEMBER_SEVERITY:
		if (value->kind == VALUE_NUMBER && value->text.length == 1 && value->text.data[0] <= '7') return NULL;
		return "severity is not an integer from 0 to 7";
	case MEMBER_ENV_VERSION:
		if (value->kind != VALUE_STRING) return "env_version is not a string";
		return is_version(*value) ? NULL : "env_version is not \"0.8\"";
	case MEMBER_PAYLOAD: case MEMBER_PID: case MEMBER_HOSTNAME: case MEMBER_OTHER: break;
	}
	return NULL;
}

static const char *const repeated[] = {
	[MEMBER_TIMESTAMP] = "timestamp is repeated", [MEMBER_LOGGER] = "logger is repeated", [MEMBER_TYPE] = "type is repeated",
	[MEMBER_SEVERITY] = "severity is repeated", [MEMBER_PAYLOAD] = "payload is repeated", [MEMBER_FIELDS] = "fields is repeated",
	[MEMBER_ENV_VERSION] = "env_version is repeated",
};

static bool walk_members(struct walk *w, struct value values[MEMBER_OTHER + 1], const struct scan *scan)
{
	const bool escapes = scan->flags & SCAN_ESCAPES;
	unsigned seen = 0;
	if (w->text[*w->at] != '{') return fail(w, w->at, "not a JSON object");
	w->at++;
	if (w->text[*w->at] == '}') {
		w->at++;
		return true;
	}
	for (;;) {
		const uint32_t *key = w->at;
		if (w->text[*key] != '"') return fail(w, key, "expected a name in double quotes");
		if (w->text[key[2]] != ':') return fail(w, key + 2, "expected ':'");
		struct span name = span_between(w->text + *key + 1, w->text + key[1]);
		enum member member = escapes && memchr(name.data, '\\', name.length) ? member_of_escaped(name) : member_of(name);
		w->at = key + 3;
		if (!take_value(w, &values[member], (uint32_t)(key + 3 - scan->index), escapes)) return false;
		if (member < MEMBER_JUDGED) {
			const char *wrong = seen & 1U << member ? repeated[member] : wrong_member(member, &values[member]);
			if (wrong) return fail(w, key, wrong);
			seen |= 1U << member;
		}
		char next = w->text[*w->at];
		if (next == '}') break;
		if (next != ',') return fail(w, w->at, "expected ',' or '}'");
		w->at++;
	}
	w->at++;
	return true;
}

static const char *first_control(struct span line)
{
	bool inside = false;
	for (const char *p = line.data; p < line.data + line.length; p++) {
		if (inside && *p == '\\' && p + 1 < line.data + line.length) {
			p++;
			if ((unsigned char)*p >= 0x20) continue;
		}
		else if (*p == '"') inside = !inside;
		if ((unsigned char)*p < 0x20 && (inside || !strchr("\t\r", *p) || *p == '\0')) return p;
	}
	return NULL;
}

static const char *first_bad_escape(struct span line)
{
	for (const char *p = line.data; (p = memchr(p, '\\', (size_t)(line.data + line.length - p))); p += 2)
		if (!scan_escape_is_good(p + 1)) return p;
	return NULL;
}

static const char *first_bad_utf8(struct span line)
{
	uint32_t codepoint;
	while (line.length) {
		size_t length = text_decode_utf8(line, &codepoint);
		if (length == 0) break;
		line.data += length;
		line.length -= length;
	}
	return line.data;
}

/* What the scan flagged, in words. The line is bad whatever else is wrong with it. */
static enum envelope_verdict flagged(struct span line, unsigned flags, struct envelope_fault *fault)
{
	const char *reason = "string is not closed", *where = NULL;
	const char *nul = memchr(line.data, '\0', line.length);
	if (flags & SCAN_NO_MEMORY) reason = "no memory to scan it";
	else if (nul) reason = "NUL byte", where = nul;
	else if (flags & SCAN_NOT_UTF8) reason = "not valid UTF-8", where = first_bad_utf8(line);
	else if (flags & SCAN_CONTROL) reason = "control character", where = first_control(line);
	else if (flags & SCAN_BAD_ESCAPE) reason = "bad escape in a string", where = first_bad_escape(line);
	*fault = (struct envelope_fault){ reason, where ? (size_t)(where - line.data) + 1 : 0 };
	return ENVELOPE_BAD;
}

/* Sets what every line has. GOOD: it may be walked, its grammar is not judged yet. */
static inline enum envelope_verdict begin(struct envelope *e, const struct scan *scan, struct span line, struct envelope_fault *fault)
{
	e->line = line;
	e->scan = scan;
	if (__builtin_expect(scan->flags & ~(unsigned)SCAN_ESCAPES, 0)) return flagged(line, scan->flags, fault);
	return scan->count == 1 ? ENVELOPE_BLANK : ENVELOPE_GOOD;
}

/* What is left to judge once the object has been walked, or has turned out bad. */
static inline enum envelope_verdict end(const struct walk *w, struct span line, bool good)
{
	if (!good && span_starts(line, SPAN("\xef\xbb\xbf"))) *w->fault = (struct envelope_fault){ "byte order mark", 1 };
	if (good && *w->at != line.length) good = fail(w, w->at, "more behind the object");
	return good ? ENVELOPE_GOOD : ENVELOPE_BAD;
}

enum envelope_verdict envelope_parse(struct envelope *e, const struct scan *scan, struct span line, struct envelope_fault *fault)
{
	struct walk w = { line.data, scan->index, fault };
	struct value values[MEMBER_OTHER + 1];
	for (int i = 0; i < MEMBER_OTHER; i++) values[i] = (struct value){ .text = { line.data, 0 } };
	values[MEMBER_OTHER].kind = VALUE_ABSENT;
	enum envelope_verdict verdict = begin(e, scan, line, fault);
	if (verdict != ENVELOPE_GOOD || (verdict = end(&w, line, walk_members(&w, values, scan))) != ENVELOPE_GOOD) return verdict;
	e->timestamp = values[MEMBER_TIMESTAMP];
	e->logger = values[MEMBER_LOGGER];
	e->type = values[MEMBER_TYPE];
	e->payload = values[MEMBER_PAYLOAD];
	e->fields = values[MEMBER_FIELDS];
	e->env_version = values[MEMBER_ENV_VERSION];
	e->metlog_pid = values[MEMBER_PID];
	e->metlog_hostname = values[MEMBER_HOSTNAME];
	e->has_others = values[MEMBER_OTHER].kind != VALUE_ABSENT;
	e->has_severity = values[MEMBER_SEVERITY].kind != VALUE_ABSENT;
	e->severity = e->has_severity ? values[MEMBER_SEVERITY].text.data[0] - '0' : ENVELOPE_SEVERITY_DEFAULT;
	return ENVELOPE_GOOD;
}

enum envelope_verdict envelope_parse_object(struct envelope *e, struct value *object, const struct scan *scan, struct span line, struct envelope_fault *fault)
{
	struct walk w = { line.data, scan->index, fault };
	const struct value absent = { .text = { line.data, 0 } };
	*object = absent;
	enum envelope_verdict verdict = begin(e, scan, line, fault);
	if (verdict != ENVELOPE_GOOD) return verdict;
	bool good = line.data[*w.at] == '{' ? skip_container(&w, 0) : fail(&w, w.at, "not a JSON object");
	if (end(&w, line, good) != ENVELOPE_GOOD) return ENVELOPE_BAD;
	*e = (struct envelope){ line, absent, absent, absent, absent, absent, absent, absent, absent, ENVELOPE_SEVERITY_DEFAULT, false, false, scan };
	*object = (struct value){ .text = span_between(line.data + *scan->index, line.data + w.at[-1] + 1), .kind = VALUE_OBJECT };
	return ENVELOPE_GOOD;
}

enum envelope_verdict envelope_parse_copy(struct envelope *e, struct scan *scan, struct buffer *copy, struct span line, struct envelope_fault *fault)
{
	static const char padding[SCAN_PADDING];
	if (line.length && line.data[line.length - 1] == '\n') line.length--;
	buffer_clear(copy);
	buffer_append_span(copy, line);
	buffer_append_byte(copy, '\n');
	if (!buffer_append(copy, padding, sizeof padding)) {
		*fault = (struct envelope_fault){ "no memory to scan it", 0 };
		return ENVELOPE_BAD;
	}
	size_t length = scan_line(scan, copy->data, copy->data + line.length + 1);
	if (length < line.length) {
		*fault = (struct envelope_fault){ "newline inside", length + 1 };
		return ENVELOPE_BAD;
	}
	return envelope_parse(e, scan, (struct span){ copy->data, length }, fault);
}
