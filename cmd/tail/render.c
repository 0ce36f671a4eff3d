/* render - an envelope as lines for a person at a terminal. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "render.h"

#include <stdio.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "io/diag.h"

enum { LOGGER_COLUMNS_MAX = 16, TYPE_COLUMNS_MAX = 12, INDENT = 4, REJECT_SHOWN = 300 };

static const char indent[] = "\n    ";

void render_init(struct render *r, bool raw)
{
	*r = (struct render){ .logger_columns = 8, .type_columns = 8, .minute = INT64_MIN };
	show_init(&r->show, raw);
	buffer_init(&r->text, SHOW_LIMIT);
}

void render_release(struct render *r)
{
	show_release(&r->show);
	buffer_release(&r->text);
}

/* --- colour --- */

enum paint { PAINT_TIME, PAINT_LOGGER, PAINT_TYPE, PAINT_KEY, PAINT_DATE, PAINT_REJECT };

static void begin(struct render *r, enum paint paint)
{
	static const char *const codes[] = { "\033[2m", "\033[36m", "\033[35m", "\033[2m", "\033[1m", "\033[1;31m" };
	if (r->colors) buffer_append_text(&r->text, codes[paint]);
}

static void end(struct render *r)
{
	if (r->colors) buffer_append(&r->text, "\033[0m", 4);
}

/* --- time --- */

/* Brings clock and date to the minute of an instant: a clock is worked out once a minute, not once an envelope. */
static void turn_clock(struct render *r, int64_t instant)
{
	const int64_t minute_ns = INT64_C(60000000000);
	int64_t minute = instant / minute_ns - (instant % minute_ns < 0);
	if (minute == r->minute) return;
	struct timestamp_local at = timestamp_local(instant);
	char text[64];
	snprintf(text, sizeof text, "%02d:%02d:", at.hour, at.minute);
	memcpy(r->clock, text, sizeof r->clock);
	int minutes = (at.offset_s < 0 ? -at.offset_s : at.offset_s) / 60;
	int length = at.offset_s == 0 ? snprintf(text, sizeof text, "%04d-%02d-%02d UTC", at.year, at.month, at.day)
	                              : snprintf(text, sizeof text, "%04d-%02d-%02d %c%02d:%02d", at.year, at.month, at.day, at.offset_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
	r->date_length = length > 0 && length < (int)sizeof r->date ? (size_t)length : 0;
	memcpy(r->date, text, r->date_length);
	/* Before zones had whole minutes, a minute of the zone is none of UTC: work out each one anew. */
	r->minute = at.offset_s % 60 ? INT64_MIN : minute;
}

static void append_clock(struct render *r, struct buffer *out, int64_t instant)
{
	const int64_t minute_ns = INT64_C(60000000000);
	turn_clock(r, instant);
	int64_t rest = instant % minute_ns;
	if (rest < 0) rest += minute_ns;
	if (r->minute == INT64_MIN) rest = timestamp_local(instant).second * INT64_C(1000000000) + rest % 1000000000;
	int millis = (int)(rest / 1000000), second = millis / 1000;
	char text[12] = { [2] = ':', [5] = ':', [8] = '.' };
	memcpy(text, r->clock, sizeof r->clock);
	text[6] = (char)('0' + second / 10);
	text[7] = (char)('0' + second % 10);
	text[9] = (char)('0' + millis / 100 % 10);
	text[10] = (char)('0' + millis / 10 % 10);
	text[11] = (char)('0' + millis % 10);
	buffer_append(out, text, sizeof text);
}

void render_clock(struct render *r, struct buffer *out, struct span timestamp)
{
	int64_t instant;
	if (timestamp_parse(timestamp, &instant)) append_clock(r, out, instant);
}

void render_date(struct render *r, struct buffer *out, struct span timestamp)
{
	int64_t instant;
	if (!timestamp_parse(timestamp, &instant)) return;
	turn_clock(r, instant);
	buffer_append(out, r->date, 10);
}

/* A timestamp in the minute of the one before, in UTC, needs no arithmetic: its seconds and milliseconds stand in it. */
static bool copy_clock(const struct render *r, struct span timestamp, char clock[12])
{
	if (timestamp.length < 20 || r->minute == INT64_MIN || memcmp(timestamp.data, r->stamp, sizeof r->stamp) != 0) return false;
	if (timestamp.data[timestamp.length - 1] != 'Z' || timestamp.data[17] == '6') return false;
	memcpy(clock, r->clock, sizeof r->clock);
	memcpy(clock + 6, timestamp.data + 17, 2);
	memcpy(clock + 8, ".000", 4);
	size_t fraction = timestamp.length - 20; /* with its point */
	memcpy(clock + 8, timestamp.data + 19, fraction < 4 ? fraction : 4);
	return true;
}

static void append_time(struct render *r, struct span timestamp)
{
	int64_t instant = 0;
	char clock[12];
	bool copied = copy_clock(r, timestamp, clock), known = copied || timestamp_parse(timestamp, &instant);
	if (known && !copied) {
		turn_clock(r, instant);
		/* Not from a leap second, which belongs to the minute behind the one it is written in. */
		if (timestamp.data[timestamp.length - 1] == 'Z' && timestamp.data[17] != '6') memcpy(r->stamp, timestamp.data, sizeof r->stamp);
		else r->stamp[0] = '\0';
	}
	bool new_date = known && (r->date_length != strlen(r->date_shown) || memcmp(r->date, r->date_shown, r->date_length) != 0);
	if (new_date && !r->oneline) {
		memcpy(r->date_shown, r->date, r->date_length);
		r->date_shown[r->date_length] = '\0';
		begin(r, PAINT_DATE);
		buffer_append_text(&r->text, "-- ");
		buffer_append(&r->text, r->date, r->date_length);
		buffer_append_text(&r->text, " --");
		end(r);
		buffer_append_byte(&r->text, '\n');
	}
	begin(r, PAINT_TIME);
	if (r->oneline) {
		buffer_append(&r->text, known ? r->date : "----------", 10);
		buffer_append_byte(&r->text, ' ');
	}
	if (copied) buffer_append(&r->text, clock, sizeof clock);
	else if (known) append_clock(r, &r->text, instant);
	else buffer_append(&r->text, "--:--:--.---", 12);
	end(r);
	buffer_append_byte(&r->text, ' ');
}

/* --- columns --- */

static const char *const levels[] = { "EMERG", "ALERT", "CRIT", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG" };

const char *render_level(int severity)
{
	return levels[severity & 7];
}

static void append_level(struct render *r, int severity)
{
	static const char padded[][9] = { "EMERG   ", "ALERT   ", "CRIT    ", "ERROR   ", "WARNING ", "NOTICE  ", "INFO    ", "DEBUG   " };
	static const char *const codes[] = { "\033[1;97;41m", "\033[1;97;41m", "\033[1;97;41m", "\033[1;31m", "\033[1;33m", "\033[36m", "\033[32m", "\033[2m" };
	if (!r->colors) {
		buffer_append(&r->text, padded[severity & 7], 8);
		return;
	}
	size_t length = strlen(levels[severity & 7]);
	buffer_append_text(&r->text, codes[severity & 7]);
	buffer_append(&r->text, padded[severity & 7], length);
	end(r);
	buffer_append(&r->text, padded[severity & 7] + length, 8 - length);
}

/* A name padded to its column, which grows with the names seen. Returns where the text ends but for the padding. */
static size_t append_name(struct render *r, enum paint paint, struct value name, size_t *columns, size_t columns_max)
{
	static const char blanks[] = "                        ";
	begin(r, paint);
	size_t start = r->text.length;
	if (name.text.length == 0) buffer_append_byte(&r->text, '-');
	else show_value(&r->show, &r->text, SPAN(""), name);
	size_t width = r->text.failed ? 0 : show_columns((struct span){ r->text.data + start, r->text.length - start });
	end(r);
	size_t without_blanks = r->text.length;
	if (width > *columns && width <= columns_max) *columns = width; /* one that is far too long pushes its own line only */
	buffer_append(&r->text, blanks, 1 + (width < *columns ? *columns - width : 0));
	r->column += (width < *columns ? *columns : width) + 1;
	return without_blanks;
}

/* What was appended from `start` on, which holds no colour, moves the column. */
static void count_columns(struct render *r, size_t start)
{
	if (r->width && !r->text.failed) r->column += show_columns((struct span){ r->text.data + start, r->text.length - start });
}

/* --- payload and fields --- */

static struct span trim_newlines(struct span text)
{
	while (text.length && (text.data[text.length - 1] == '\n' || text.data[text.length - 1] == '\r')) text.length--;
	return text;
}

/* One line of a payload of several: its tabs are kept. */
static void append_payload_line(struct render *r, struct span line)
{
	if (line.length && line.data[line.length - 1] == '\r') line.length--;
	const char *tab;
	while (line.length && (tab = memchr(line.data, '\t', line.length))) {
		show_text(&r->show, &r->text, span_between(line.data, tab));
		buffer_append_byte(&r->text, '\t');
		line = span_between(tab + 1, line.data + line.length);
	}
	show_text(&r->show, &r->text, line);
}

/* True if it took more than one line. */
static bool append_payload(struct render *r, struct value payload)
{
	size_t start = r->text.length;
	if (payload.kind != VALUE_STRING || !payload.escaped || r->oneline) {
		show_value(&r->show, &r->text, SPAN(""), payload);
		count_columns(r, start);
		return false;
	}
	struct span text = trim_newlines(show_decode(&r->show, payload));
	bool several = false;
	const char *newline;
	while (text.length && (newline = memchr(text.data, '\n', text.length))) {
		append_payload_line(r, span_between(text.data, newline));
		buffer_append(&r->text, indent, INDENT + 1);
		text = span_between(newline + 1, text.data + text.length);
		several = true;
	}
	append_payload_line(r, text);
	if (!several) count_columns(r, start);
	return several;
}

/* Puts a blank before what was appended from `start` on, or begins a new line with it where the terminal's line would end. */
static void place(struct render *r, size_t start, size_t columns)
{
	if (r->width == 0 || r->oneline || r->text.failed) return;
	if (r->column + columns + 1 <= r->width || r->column <= INDENT) {
		r->column += columns + 1;
		return;
	}
	if (!buffer_append(&r->text, indent, INDENT)) return; /* makes room: the one blank becomes a newline and the indent */
	memmove(r->text.data + start + INDENT, r->text.data + start, r->text.length - INDENT - start);
	memcpy(r->text.data + start, indent, INDENT + 1);
	r->column = INDENT + columns;
}

static void append_pair(struct render *r, struct value key, struct value value)
{
	size_t start = r->text.length, columns = 0;
	buffer_append_byte(&r->text, ' ');
	begin(r, PAINT_KEY);
	size_t from = r->text.length;
	show_word(&r->show, &r->text, SPAN(""), key);
	buffer_append_byte(&r->text, '=');
	if (r->width && !r->text.failed) columns = show_columns((struct span){ r->text.data + from, r->text.length - from });
	end(r);
	from = r->text.length;
	show_word(&r->show, &r->text, key.text, value);
	if (r->width && !r->text.failed) columns += show_columns((struct span){ r->text.data + from, r->text.length - from });
	place(r, start, columns);
}

static bool is_key(struct value key, const char *text, size_t length)
{
	return key.text.length == length && memcmp(key.text.data, text, length) == 0;
}

/* The fields as key=value, but for those that a metric has shown already. */
static void append_fields(struct render *r, const struct envelope *e, bool metric)
{
	struct field_walk walk = field_walk(e, e->fields);
	struct value key, value;
	while (field_next(&walk, &key, &value))
		if (!metric || (!is_key(key, "name", 4) && !is_key(key, "rate", 4))) append_pair(r, key, value);
}

static const char *metric_unit(struct span type)
{
	static const struct { const char *type, *unit; } metrics[] = { { "counter", "" }, { "timer", "ms" }, { "gauge", "" }, { "set", "" } };
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
		if (span_equal(type, span_of(metrics[i].type))) return metrics[i].unit;
	return NULL;
}

static bool is_one(struct value rate)
{
	double number;
	if (span_equal(rate.text, SPAN("1.0")) || span_equal(rate.text, SPAN("1"))) return true;
	return field_number(rate, &number) && number == 1;
}

/* "login 3 @0.5", "db.query 35ms". False, with nothing appended, if the envelope is no metric with a name. */
static bool append_metric(struct render *r, const struct envelope *e)
{
	const char *unit = metric_unit(e->type.text);
	struct value key, value, name = { .kind = VALUE_ABSENT }, rate = name;
	if (!unit || e->payload.text.length == 0) return false;
	struct field_walk walk = field_walk(e, e->fields);
	while (field_next(&walk, &key, &value)) {
		if (is_key(key, "name", 4)) name = value;
		else if (is_key(key, "rate", 4)) rate = value;
	}
	if (name.kind == VALUE_ABSENT || name.text.length == 0) return false;
	size_t start = r->text.length;
	show_value(&r->show, &r->text, SPAN("name"), name);
	buffer_append_byte(&r->text, ' ');
	show_value(&r->show, &r->text, SPAN(""), e->payload);
	buffer_append_text(&r->text, unit);
	if (rate.kind != VALUE_ABSENT && !is_one(rate)) {
		buffer_append(&r->text, " @", 2);
		show_value(&r->show, &r->text, SPAN("rate"), rate);
	}
	count_columns(r, start);
	return true;
}

/* The members that are not of the seven: metlog_pid, metlog_hostname, and whatever else a client has sent. */
static void append_others(struct render *r, const struct envelope *e)
{
	static const char *const shown[] = { "timestamp", "logger", "type", "severity", "payload", "fields", "env_version" };
	struct value key, value, whole = { .text = e->line, .kind = VALUE_OBJECT };
	struct field_walk walk = field_walk(e, whole);
	while (field_next(&walk, &key, &value)) {
		bool usual = false;
		for (size_t i = 0; i < sizeof shown / sizeof *shown && !usual; i++) usual = field_equals(key, span_of(shown[i]));
		if (!usual) append_pair(r, key, value);
	}
}

/* Whether there is nothing in the members this page knows: then what there is instead is better than nothing. */
static bool is_foreign(const struct envelope *e)
{
	return e->type.text.length == 0 && e->logger.text.length == 0;
}

/* Cuts a line of text with our colours in it to the columns of the terminal. */
static void cut(struct render *r)
{
	size_t at = 0, columns = 0, last = 0;
	struct span text = buffer_span(&r->text);
	while (at < text.length && columns <= r->width) {
		if (text.data[at] == '\033') {
			const char *m = memchr(text.data + at, 'm', text.length - at);
			at = m ? (size_t)(m - text.data) + 1 : text.length;
			continue;
		}
		uint32_t c;
		size_t length = text_decode_utf8((struct span){ text.data + at, text.length - at }, &c);
		if (length == 0) length = 1;
		if (columns < r->width) last = at;
		columns += show_columns((struct span){ text.data + at, length });
		at += length;
	}
	if (columns <= r->width) return;
	r->text.length = last;
	buffer_append_text(&r->text, "\xe2\x80\xa6");
	end(r);
}

static struct span finish(struct render *r)
{
	if (r->oneline && r->width) cut(r);
	buffer_append_byte(&r->text, '\n');
	if (r->text.failed || r->show.decoded.failed || r->show.masked.failed) die(EXIT_INTERNAL, "no memory to show an envelope");
	return buffer_span(&r->text);
}

struct span render_envelope(struct render *r, const struct envelope *e)
{
	buffer_clear(&r->text);
	append_time(r, e->timestamp.text);
	append_level(r, e->severity);
	r->column = (r->oneline ? 11 : 0) + 13 + 8;
	append_name(r, PAINT_LOGGER, e->logger, &r->logger_columns, LOGGER_COLUMNS_MAX);
	size_t head = append_name(r, PAINT_TYPE, e->type, &r->type_columns, TYPE_COLUMNS_MAX);
	buffer_append_byte(&r->text, ' ');
	r->column++;
	size_t start = r->text.length;
	bool metric = append_metric(r, e);
	bool several = !metric && append_payload(r, e->payload);
	size_t body = r->text.length;
	if (several) {
		buffer_append(&r->text, indent, INDENT);
		r->column = INDENT - 1;
	} else if (body > start) {
		buffer_append_byte(&r->text, ' ');
		r->column++;
	} else {
		r->text.length--; /* the blank of the first field stands for it */
		r->column--;
	}
	size_t before = r->text.length;
	append_fields(r, e, metric);
	if (r->all || (r->text.length == before && body == start && is_foreign(e))) append_others(r, e);
	if (r->text.length == before) r->text.length = body > start ? body : head; /* no blanks at the end of a line */
	return finish(r);
}

struct span render_reject(struct render *r, const char *reason, const char *source, uint64_t line, struct span raw, uint64_t length)
{
	bool is_cut = raw.length > REJECT_SHOWN;
	buffer_clear(&r->text);
	begin(r, PAINT_REJECT);
	buffer_append_text(&r->text, "!! no envelope");
	end(r);
	buffer_append(&r->text, " (", 2);
	text_append_visible(&r->text, span_of(source));
	buffer_append_byte(&r->text, ':');
	buffer_append_int(&r->text, (int64_t)line);
	buffer_append(&r->text, ": ", 2);
	buffer_append_text(&r->text, reason);
	buffer_append(&r->text, "): ", 3);
	text_append_visible(&r->text, (struct span){ raw.data, is_cut ? REJECT_SHOWN : raw.length });
	if (is_cut || length > raw.length) {
		buffer_append_text(&r->text, "... (");
		buffer_append_int(&r->text, (int64_t)(length > raw.length ? length : raw.length));
		buffer_append_text(&r->text, " bytes)");
	}
	return finish(r);
}

struct span render_source(struct render *r, const char *name)
{
	buffer_clear(&r->text);
	begin(r, PAINT_DATE);
	buffer_append_text(&r->text, "==> ");
	text_append_visible(&r->text, span_of(name));
	buffer_append_text(&r->text, " <==");
	end(r);
	return finish(r);
}
