/* preface - reads what stands before a CEF line, from its first byte on: what a header quotes is never taken for the line. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "preface.h"

#include <stdio.h>
#include "base/number.h"
#include "base/timestamp.h"

struct walk {
	const char *p, *end;
	const char *why;
	const int64_t *now_ns;     /* NULL: times are not wanted */
};

static bool fail_here(struct walk *w, const char *why)
{
	if (!w->why) w->why = why;
	return false;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static struct span rest_of(const struct walk *w) { return span_between(w->p, w->end); }

static bool take(struct walk *w, struct span text)
{
	if (!span_starts(rest_of(w), text)) return false;
	w->p += text.length;
	return true;
}

static bool is_line(struct span text)
{
	return span_starts(text, SPAN("CEF:")) && text.length > 4 && is_digit(text.data[4]);
}

static void skip_blanks(struct walk *w)
{
	while (w->p < w->end && (*w->p == ' ' || *w->p == '\t')) w->p++;
}

/* Up to the next blank. */
static struct span take_word(struct walk *w)
{
	const char *from = w->p;
	while (w->p < w->end && *w->p != ' ' && *w->p != '\t') w->p++;
	return span_between(from, w->p);
}

/* Exactly `count` digits, or with a blank in place of the first of two. -1: they are not there, and nothing was taken. */
static int take_digits(struct walk *w, int count, bool padded)
{
	int value = 0;
	if (w->end - w->p < count) return -1;
	for (int i = 0; i < count; i++) {
		if (padded && i == 0 && w->p[i] == ' ') continue;
		if (!is_digit(w->p[i])) return -1;
		value = value * 10 + (w->p[i] - '0');
	}
	w->p += count;
	return value;
}

/* "335 " before "<" or "CEF:", if it is the length of what follows. */
static bool take_count(struct walk *w)
{
	const char *p = w->p;
	uint64_t count = 0;
	while (p < w->end && is_digit(*p) && p - w->p < 10) count = count * 10 + (uint64_t)(*p++ - '0');
	if (p == w->p || p == w->end || *p != ' ') return true;
	struct span behind = span_between(p + 1, w->end);
	if (!span_starts(behind, SPAN("<")) && !is_line(behind)) return true;
	if (*w->p == '0' || (count != behind.length && count != behind.length + 1)) return fail_here(w, "the octet count is not the length of the message behind it");
	w->p = p + 1;
	return true;
}

static bool take_priority(struct walk *w, struct preface *preface)
{
	if (!take(w, SPAN("<"))) return true;
	const char *from = w->p;
	int priority = 0;
	while (w->p < w->end && is_digit(*w->p) && w->p - from < 3) priority = priority * 10 + (*w->p++ - '0');
	bool canonical = w->p > from && (*from != '0' || w->p - from == 1);
	if (!canonical || priority > 191 || !take(w, SPAN(">"))) {
		w->p = from;
		return fail_here(w, "not a priority of syslog, <0> to <191>");
	}
	preface->has_priority = true;
	preface->facility = priority / 8;
	preface->severity = priority % 8;
	return true;
}

/* --- RFC 5424 --- */

static bool take_nilable(struct walk *w, struct span *field, const char *missing)
{
	*field = take_word(w);
	if (field->length == 0 || !take(w, SPAN(" "))) return fail_here(w, missing);
	if (span_equal(*field, SPAN("-"))) *field = SPAN("");
	return true;
}

/* "-", or one or more of [ID NAME="VALUE"...], in which \" \\ and \] are escapes. */
static bool take_structured_data(struct walk *w)
{
	if (take(w, SPAN("-"))) return true;
	if (w->p == w->end || *w->p != '[') return fail_here(w, "no structured data in a header of RFC 5424");
	while (take(w, SPAN("["))) {
		bool quoted = false;
		for (; w->p < w->end && (quoted || *w->p != ']'); w->p++) {
			if (*w->p == '"') quoted = !quoted;
			else if (quoted && *w->p == '\\' && w->end - w->p > 1) w->p++;
		}
		if (!take(w, SPAN("]"))) return fail_here(w, "structured data without its end");
	}
	return true;
}

static bool take_rfc5424(struct walk *w, struct preface *preface)
{
	struct span msgid;
	w->p += 2;
	if (!take_nilable(w, &preface->date, "a header of RFC 5424 that ends before its host")) return false;
	preface->has_time = preface->date.length && timestamp_parse(preface->date, &preface->time_ns);
	if (preface->date.length && !preface->has_time) {
		w->p = preface->date.data;
		return fail_here(w, "not a time in a header of RFC 5424");
	}
	if (!take_nilable(w, &preface->host, "a header of RFC 5424 that ends before its application")) return false;
	if (!take_nilable(w, &preface->ident, "a header of RFC 5424 that ends before its process")) return false;
	if (!take_nilable(w, &preface->pid, "a header of RFC 5424 that ends before its message's name")) return false;
	if (!take_nilable(w, &msgid, "a header of RFC 5424 that ends before its structured data") || !take_structured_data(w)) return false;
	skip_blanks(w);
	take(w, SPAN("\xef\xbb\xbf"));
	return true;
}

/* --- RFC 3164, and the original client --- */

static int month_of(struct span name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	for (int i = 0; i < 12; i++)
		if (span_starts(name, (struct span){ months + 3 * i, 3 })) return i + 1;
	return 0;
}

static bool is_clock(struct span text)
{
	static const char most[] = "29:59:69";
	if (text.length < 8 || text.length > 18 || (text.length > 8 && text.data[8] != '.')) return false;
	for (size_t i = 0; i < 8; i++)
		if (text.data[i] < (most[i] == ':' ? ':' : '0') || text.data[i] > most[i]) return false;
	return text.data[0] < '2' || text.data[1] < '4';
}

/* `clock` is "12:00:00" or "12:00:00.123". */
static bool make_time(int year, int month, int day, struct span clock, int64_t now_ns, int64_t *time_ns)
{
	char text[TIMESTAMP_MAX];
	int length = snprintf(text, sizeof text, "%04d-%02d-%02d %.*s", year, month, day, (int)clock.length, clock.data);
	return timestamp_parse_loose((struct span){ text, (size_t)length }, now_ns, time_ns);
}

/* The 29th of February has a year of its own only each fourth one, or eighth. */
static bool make_nearest_time(int month, int day, struct span clock, int64_t now_ns, int64_t *time_ns)
{
	int year = timestamp_local(now_ns).year;
	bool found = false;
	for (int around = 1; around <= 8 && !found; around += 7)
		for (int i = -around; i <= around; i++) {
			int64_t candidate;
			if (!make_time(year + i, month, day, clock, now_ns, &candidate)) continue;
			uint64_t distance = candidate > now_ns ? (uint64_t)candidate - (uint64_t)now_ns : (uint64_t)now_ns - (uint64_t)candidate;
			uint64_t best = *time_ns > now_ns ? (uint64_t)*time_ns - (uint64_t)now_ns : (uint64_t)now_ns - (uint64_t)*time_ns;
			if (!found || distance < best) *time_ns = candidate;
			found = true;
		}
	return found;
}

/* Takes nothing if no date stands there. */
static void take_date(struct walk *w, struct preface *preface)
{
	const char *from = w->p;
	struct span word = take_word(w);
	if (timestamp_parse(word, &preface->time_ns)) {
		preface->date = word;
		preface->has_time = true;
		return;
	}
	int month = month_of(word), year = 0, day = -1;
	if (word.length == 3 && month && take(w, SPAN(" "))) {
		day = take_digits(w, 2, true);
		if (day < 0) day = take_digits(w, 1, false);
	}
	if (day > 0 && take(w, SPAN(" "))) {
		const char *back = w->p;
		year = take_digits(w, 4, false);
		if (year < 0 || !take(w, SPAN(" "))) w->p = back, year = 0;
		struct span clock = take_word(w);
		preface->has_time = day <= 31 && is_clock(clock);
		if (preface->has_time && w->now_ns)
			preface->has_time = year ? make_time(year, month, day, clock, *w->now_ns, &preface->time_ns) : make_nearest_time(month, day, clock, *w->now_ns, &preface->time_ns);
	}
	if (preface->has_time) preface->date = span_between(from, w->p);
	else w->p = from;
}

bool preface_time(struct span text, int64_t now_ns, int64_t *time_ns)
{
	static const struct span utc[] = { { " UTC", 4 }, { " GMT", 4 }, { " Z", 2 } };
	struct preface preface = { .has_time = false };
	bool zoned = false;
	for (size_t i = 0; i < sizeof utc / sizeof *utc && !zoned; i++) {
		zoned = text.length > utc[i].length && memcmp(text.data + text.length - utc[i].length, utc[i].data, utc[i].length) == 0;
		if (zoned) text.length -= utc[i].length;
	}
	struct walk w = { .p = text.data, .end = text.data + text.length, .now_ns = &now_ns };
	take_date(&w, &preface);
	*time_ns = preface.time_ns;
	if (!preface.has_time || w.p != w.end) return false;
	/* What take_date reads is in the zone of --tz, unless it is RFC 3339. */
	if (zoned && month_of(text)) *time_ns += (int64_t)timestamp_local(*time_ns).offset_s * 1000000000;
	return true;
}

/* "ident:", "ident[123]:" */
static bool split_tag(struct span word, struct preface *preface)
{
	if (word.length < 2 || word.data[word.length - 1] != ':') return false;
	word.length--;
	const char *bracket = memchr(word.data, '[', word.length);
	preface->ident = word;
	if (!bracket || word.data[word.length - 1] != ']') return true;
	preface->ident = span_between(word.data, bracket);
	preface->pid = span_between(bracket + 1, word.data + word.length - 1);
	return true;
}

static bool take_rfc3164(struct walk *w, struct preface *preface)
{
	static const char unknown[] = "what stands before \"CEF:\" is neither a syslog header nor a date and a host";
	take_date(w, preface);
	if (!preface->has_time && !preface->has_priority) return is_line(rest_of(w)) || fail_here(w, unknown);
	skip_blanks(w);
	for (int words = 0; !is_line(rest_of(w)); words++) {
		const char *from = w->p;
		struct span word = take_word(w);
		bool known = word.length && w->p < w->end && preface->ident.length == 0 && (split_tag(word, preface) || words == 0);
		if (known && preface->ident.length == 0) preface->host = word;
		if (!known) {
			w->p = from;
			return fail_here(w, unknown);
		}
		skip_blanks(w);
	}
	return true;
}

bool preface_read(struct preface *preface, struct span text, const int64_t *now_ns, struct span *line, const char **why, size_t *column)
{
	if (!text.data) text = SPAN("");
	struct walk w = { .p = text.data, .end = text.data + text.length, .now_ns = now_ns };
	*preface = (struct preface){ .severity = 6, .date = SPAN(""), .host = SPAN(""), .ident = SPAN(""), .pid = SPAN("") };
	take(&w, SPAN("\xef\xbb\xbf"));
	bool known = is_line(rest_of(&w)) || (take_count(&w) && take_priority(&w, preface));
	if (known && !is_line(rest_of(&w))) known = preface->has_priority && span_starts(rest_of(&w), SPAN("1 ")) ? take_rfc5424(&w, preface) : take_rfc3164(&w, preface);
	if (known && !is_line(rest_of(&w))) known = fail_here(&w, "no CEF line behind the syslog header");
	*line = rest_of(&w);
	if (known) return true;
	*why = w.why;
	*column = (size_t)(w.p - text.data) + 1;
	return false;
}
