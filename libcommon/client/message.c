/* message - writes an envelope into memory that has room for it, without allocating. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/message.h"

#include "base/number.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "client/message_text.h"
#include "client/value.h"

/* Everything in an envelope that is neither a text of the caller's nor one of the parts: names of members and quotes, the time, the severity, name and rate, the object of tags, a pid. */
enum {
	FIXED_MAX = 320,
	FIELD_MAX = 4 + NUMBER_JSON_MAX, /* the quotes, the colon and the comma of a field, and the longest value that is not a text */
	ESCAPE_MAX = 6,                  /* of one byte: \u001f */
	FIELDS_DEPTH = 2,                /* containers that are open around a field's value */
};
static const size_t text_max = (size_t)1 << 40; /* the sum of 2^20 of them does not overflow */

/* --- numbers ---------------------------------------------------------------------------- */

#define PAIRS(tens) tens "0" tens "1" tens "2" tens "3" tens "4" tens "5" tens "6" tens "7" tens "8" tens "9"
const char message_pairs[201] = PAIRS("0") PAIRS("1") PAIRS("2") PAIRS("3") PAIRS("4") PAIRS("5") PAIRS("6") PAIRS("7") PAIRS("8") PAIRS("9");

/* Into its place at once: pairs that are written elsewhere and copied from there in larger pieces would have to reach the cache first. */
char *message_uint_long(char *at, uint64_t value)
{
	int digits = 4;
	for (uint64_t limit = 10000; digits < 20 && value >= limit; limit *= 10) digits++;
	char *to = at + digits;
	for (; value >= 100; value /= 100) message_pair(to -= 2, (unsigned)(value % 100));
	if (value >= 10) message_pair(at, (unsigned)value);
	else *at = (char)('0' + value);
	return at + digits;
}

static char *write_real(char *at, double value)
{
	char text[NUMBER_JSON_MAX];
	size_t length = number_print_json(text, value);
	return length ? message_copy(at, text, length) : MESSAGE_LITERAL(at, "null");
}

static inline char *write_double(char *at, double value)
{
	if (value >= 0 && value < 1000 && value == (double)(unsigned)value) return message_uint(at, (unsigned)value);
	return write_real(at, value);
}

/* --- texts ------------------------------------------------------------------------------ */

/* What a byte becomes, or 0: it is plain or part of a character; 'u' is \u00XX. */
static inline char escape_of(unsigned char c)
{
	static const char letters[] = "uuuuuuuubtnufruu";
	return c == '"' || c == '\\' ? (char)c : c >= 0x20 ? 0 : c < 0x10 ? letters[c] : 'u';
}

static char *write_escape(char *at, unsigned char c, char letter)
{
	static const char hex[] = "0123456789abcdef";
	*at++ = '\\';
	*at++ = letter;
	if (letter != 'u') return at;
	*at++ = '0';
	*at++ = '0';
	*at++ = hex[c >> 4];
	*at++ = hex[c & 15];
	return at;
}

char *message_text_odd(char *at, struct span text)
{
	const char *from = text.data, *end = from + text.length;
	while (from < end) {
		unsigned char c = (unsigned char)*from;
		if (message_is_plain(c)) {
			uint64_t eight;
			if (end - from >= 8 && (memcpy(&eight, from, 8), !message_odd_of_8(eight))) {
				memcpy(at, &eight, 8);
				at += 8, from += 8;
			}
			else *at++ = *from++;
			continue;
		}
		if (c < 0x80) {
			at = write_escape(at, c, escape_of(c));
			from++;
			continue;
		}
		uint32_t codepoint;
		size_t length = text_decode_utf8(span_between(from, end), &codepoint);
		if (length == 0) {
			at = MESSAGE_LITERAL(at, "\xef\xbf\xbd");
			from++;
		}
		else {
			for (size_t i = 0; i < length; i++) *at++ = *from++;
		}
	}
	return at;
}

static size_t text_length(struct span text)
{
	size_t total = 0;
	for (size_t i = 0; i < text.length;) {
		unsigned char c = (unsigned char)text.data[i];
		uint32_t codepoint;
		size_t taken = c < 0x80 ? 1 : text_decode_utf8((struct span){ text.data + i, text.length - i }, &codepoint);
		char letter = escape_of(c);
		total += taken == 0 ? 3 : letter == 'u' ? ESCAPE_MAX : letter ? 2 : taken;
		i += taken ? taken : 1;
	}
	return total;
}

/* A JSON value goes out on one line: newlines can only stand between its parts. */
static char *write_json(char *at, struct span json)
{
	for (size_t i = 0; i < json.length; i++) *at++ = json.data[i] == '\n' || json.data[i] == '\r' ? ' ' : json.data[i];
	return at;
}

/* --- fields ----------------------------------------------------------------------------- */

/* What of the list is not written as it stands there: this file writes these itself. Bits, as three bools are read back as one before they are written: that is 20 ns. */
enum { OWN_NAME = 1, OWN_RATE = 2, OWN_TAGS = 4 };

static inline unsigned names_taken(const struct message *m)
{
	unsigned taken = m->metric.data ? OWN_NAME | (m->rate < 0 ? 0U : OWN_RATE) : 0U;
	for (size_t i = 0; i < m->field_count; i++)
		if (m->fields[i].kind == METLOG_KIND_TAG) taken |= OWN_TAGS;
	return taken;
}

static inline bool is_called(const struct metlog_field *f, const char four[4])
{
	return memcmp(f->name, four, 4) == 0;
}

static inline struct span field_name(const struct metlog_field *f)
{
	return (struct span){ f->name, f->name_length };
}

static bool is_own(const struct message *m, const struct metlog_field *f)
{
	for (size_t i = 0; i < m->own_count; i++)
		if (span_equal(field_name(&m->own[i]), field_name(f))) return true;
	return false;
}

static inline bool is_left_out(const struct message *m, const struct metlog_field *f, unsigned taken)
{
	if (f->kind == METLOG_KIND_TAG) return true; /* written later */
	if (m->own_count && is_own(m, f)) return true;
	if (f->name_length != 4) return false;
	return (taken & OWN_NAME && is_called(f, "name")) || (taken & OWN_RATE && is_called(f, "rate")) || (taken & OWN_TAGS && is_called(f, "tags"));
}

static inline struct span field_text(const struct metlog_field *f)
{
	return (struct span){ f->value.text, f->length };
}

static inline bool has_text(const struct metlog_field *f)
{
	return f->kind >= METLOG_KIND_TEXT && f->kind <= METLOG_KIND_TAG;
}

static char *write_string(char *at, struct span text)
{
	*at++ = '"';
	at = message_text(at, text);
	*at++ = '"';
	return at;
}

static inline char *write_field(char *at, const struct metlog_field *f)
{
	*at++ = '"';
	at = message_text(at, field_name(f));
	at = MESSAGE_LITERAL(at, "\":");
	switch (f->kind) {
	case METLOG_KIND_BOOL: return f->value.integer ? MESSAGE_LITERAL(at, "true") : MESSAGE_LITERAL(at, "false");
	case METLOG_KIND_INT: return message_int(at, f->value.integer);
	case METLOG_KIND_UINT: return message_uint(at, f->value.unsigned_integer);
	case METLOG_KIND_DOUBLE: return write_double(at, f->value.number);
	case METLOG_KIND_TEXT: case METLOG_KIND_TAG: return write_string(at, field_text(f));
	case METLOG_KIND_JSON: return write_json(at, field_text(f));
	case METLOG_KIND_NULL: break;
	}
	return MESSAGE_LITERAL(at, "null");
}

static size_t field_length(const struct metlog_field *f)
{
	char room[FIELD_MAX];
	if (f->kind == METLOG_KIND_JSON) return text_length(field_name(f)) + 3 + f->length;
	if (has_text(f)) return text_length(field_name(f)) + 5 + text_length(field_text(f));
	struct metlog_field nameless = *f;
	nameless.name_length = 0;
	return text_length(field_name(f)) + (size_t)(write_field(room, &nameless) - room);
}

/* Each field has a comma in front: the first one's is taken back by the brace. */
static inline char *write_fields(char *at, const struct message *m)
{
	unsigned taken = names_taken(m);
	char *brace = at;
	if (taken & OWN_NAME) {
		at = MESSAGE_LITERAL(at, ",\"name\":\"");
		at = message_text(at, m->metric);
		*at++ = '"';
	}
	if (taken & OWN_RATE) {
		at = MESSAGE_LITERAL(at, ",\"rate\":");
		at = write_double(at, m->rate);
	}
	for (size_t i = 0; i < m->own_count; i++) {
		*at++ = ',';
		at = write_field(at, &m->own[i]);
	}
	for (size_t i = 0; i < m->field_count; i++) {
		if (is_left_out(m, &m->fields[i], taken)) continue;
		*at++ = ',';
		at = write_field(at, &m->fields[i]);
	}
	if (taken & OWN_TAGS) {
		char *inner;
		at = MESSAGE_LITERAL(at, ",\"tags\":");
		inner = at;
		for (size_t i = 0; i < m->field_count; i++) {
			if (m->fields[i].kind != METLOG_KIND_TAG) continue;
			*at++ = ',';
			at = write_field(at, &m->fields[i]);
		}
		*inner = '{';
		*at++ = '}';
	}
	if (at == brace) at++;
	*brace = '{';
	return at; /* the closing brace begins the tail */
}

static size_t fields_length(const struct message *m)
{
	unsigned taken = names_taken(m);
	char room[NUMBER_JSON_MAX];
	size_t total = 0;
	if (taken & OWN_NAME) total += sizeof ",\"name\":\"\"" - 1 + text_length(m->metric);
	if (taken & OWN_RATE) total += sizeof ",\"rate\":" - 1 + (size_t)(write_double(room, m->rate) - room);
	for (size_t i = 0; i < m->own_count; i++) total += 1 + field_length(&m->own[i]);
	for (size_t i = 0; i < m->field_count; i++)
		if (!is_left_out(m, &m->fields[i], taken) || m->fields[i].kind == METLOG_KIND_TAG) total += 1 + field_length(&m->fields[i]);
	if (taken & OWN_TAGS) total += sizeof ",\"tags\":}" - 1;
	return total ? total : 1;
}

/* --- the envelope ----------------------------------------------------------------------- */

static void clock_set(struct message_clock *clock, int64_t nanoseconds, int64_t second)
{
	char text[TIMESTAMP_MAX];
	timestamp_print(text, nanoseconds);
	memcpy(clock->text, text, sizeof clock->text); /* up to the point */
	clock->second = second;
}

static inline char *write_time(char *at, int64_t nanoseconds, struct message_clock *clock)
{
	int64_t second = nanoseconds / 1000000000, rest = nanoseconds % 1000000000;
	if (rest < 0) second--, rest += 1000000000;
	if (__builtin_expect(second != clock->second || !clock->text[0], 0)) clock_set(clock, nanoseconds, second);
	at = message_copy(at, clock->text, sizeof clock->text);
	at = message_digits_6(at, (unsigned)(rest / 1000));
	*at++ = 'Z';
	return at;
}

/* True: the tail of the client says what this message says. */
static inline bool has_tail(const struct message *m)
{
	return m->pid == 0 && m->hostname.data == NULL;
}

static char *write_own_tail(char *at, const struct message *m, const struct message_parts *parts)
{
	at = MESSAGE_LITERAL(at, "},\"env_version\":\"0.8\",\"metlog_pid\":");
	at = message_int(at, m->pid ? m->pid : parts->pid);
	at = MESSAGE_LITERAL(at, ",\"metlog_hostname\":\"");
	at = message_text(at, m->hostname.data ? m->hostname : parts->hostname);
	return MESSAGE_LITERAL(at, "\"}");
}

char *message_write_bare(char *at, const struct message *m, const struct message_parts *parts, struct message_clock *clock)
{
	at = MESSAGE_LITERAL(at, "{\"type\":\"");
	at = m->is_plain ? message_copy(at, m->type.data, m->type.length) : message_text(at, m->type);
	at = MESSAGE_LITERAL(at, "\",\"timestamp\":\"");
	at = m->timestamp.length ? message_copy(at, m->timestamp.data, m->timestamp.length) : write_time(at, m->timestamp_ns, clock);
	*at++ = '"';
	if (m->logger.data) {
		at = MESSAGE_LITERAL(at, ",\"logger\":\"");
		at = message_text(at, m->logger);
		at = MESSAGE_LITERAL(at, "\",\"severity\":");
	}
	else at = message_copy(at, parts->head.data, parts->head.length);
	*at++ = (char)('0' + m->severity);
	at = MESSAGE_LITERAL(at, ",\"payload\":");
	if (m->payload_is_json) at = write_json(at, m->payload);
	else if (m->is_plain) {
		*at++ = '"';
		at = message_copy(at, m->payload.data, m->payload.length);
		*at++ = '"';
	}
	else at = write_string(at, m->payload);
	at = MESSAGE_LITERAL(at, ",\"fields\":");
	at = write_fields(at, m);
	return has_tail(m) ? message_copy(at, parts->tail.data, parts->tail.length - 1) : write_own_tail(at, m, parts);
}

char *message_write(char *at, const struct message *m, const struct message_parts *parts, struct message_clock *clock)
{
	at = message_write_bare(at, m, parts, clock);
	*at = '\n';
	return at + 1;
}

/* Adds up how long names and texts are; `all` has the bits of each length. False: one is no JSON. */
static inline bool add_texts(const struct metlog_field *list, size_t count, size_t *total, size_t *all)
{
	for (size_t i = 0; i < count; i++) {
		const struct metlog_field *f = &list[i];
		*total += f->name_length;
		if (!has_text(f)) continue;
		*total += f->length;
		*all |= f->length;
		if (f->kind == METLOG_KIND_JSON && (f->length >= text_max || !value_is_good(field_text(f), FIELDS_DEPTH))) return false;
	}
	return true;
}

size_t message_bound(const struct message *m, const struct message_parts *parts)
{
	size_t all = m->type.length | m->logger.length | m->payload.length | m->metric.length | m->timestamp.length | m->hostname.length | m->field_count >> 20 << 40;
	size_t total = m->type.length + m->logger.length + m->payload.length + m->metric.length + m->timestamp.length + m->hostname.length + parts->hostname.length;
	if (m->severity < 0 || m->severity > 7) return SIZE_MAX;
	if (m->own_count && !add_texts(m->own, m->own_count, &total, &all)) return SIZE_MAX;
	if (!add_texts(m->fields, m->field_count, &total, &all) || all >= text_max) return SIZE_MAX;
	return ESCAPE_MAX * total + (m->own_count + m->field_count) * FIELD_MAX + parts->head.length + parts->tail.length + FIXED_MAX;
}

size_t message_length(const struct message *m, const struct message_parts *parts)
{
	char room[NUMBER_INT_MAX];
	size_t total = sizeof "{\"type\":\"\",\"timestamp\":\"\"" - 1 + text_length(m->type);
	total += m->timestamp.length ? m->timestamp.length : sizeof "2012-10-05T12:00:01.137911Z" - 1;
	total += m->logger.data ? sizeof ",\"logger\":\"\",\"severity\":" - 1 + text_length(m->logger) : parts->head.length;
	total += sizeof "6,\"payload\":,\"fields\":" - 1 + (m->payload_is_json ? m->payload.length : 2 + text_length(m->payload));
	total += fields_length(m);
	if (has_tail(m)) return total + parts->tail.length;
	total += sizeof "},\"env_version\":\"0.8\",\"metlog_pid\":,\"metlog_hostname\":\"\"}\n" - 1;
	total += (size_t)(message_int(room, m->pid ? m->pid : parts->pid) - room);
	return total + text_length(m->hostname.data ? m->hostname : parts->hostname);
}
