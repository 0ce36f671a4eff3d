/* render - an envelope as lines for a person at a terminal. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "render.h"

#include "base/text.h"
#include "io/diag.h"

enum { LOGGER_COLUMNS_MAX = 16, TYPE_COLUMNS_MAX = 12, TYPE_COLUMNS_MAX_WIDE = 20, WIDE = 100, KEYS_COLUMN_MAX = 84, INDENT = 4, REJECT_SHOWN = 300 };

static const char indent[] = "\n    ";

void render_init(struct render *r, bool raw)
{
	*r = (struct render){ .logger_columns = 8, .type_columns = 8 };
	clock_init(&r->clock);
	show_init(&r->show, raw);
	buffer_init(&r->text, SHOW_LIMIT);
	buffer_init(&r->blocks, SHOW_LIMIT);
	cells_init(&r->cells, SHOW_LIMIT);
}

void render_release(struct render *r)
{
	show_release(&r->show);
	buffer_release(&r->text);
	buffer_release(&r->blocks);
	cells_release(&r->cells);
}

/* --- colour --- */

enum paint { PAINT_TIME, PAINT_LOGGER, PAINT_TYPE, PAINT_KEY, PAINT_DATE, PAINT_REJECT, PAINT_TEXT };

static void begin(struct render *r, enum paint paint)
{
	static const char *const codes[] = { "\033[2m", "\033[36m", "\033[35m", "\033[2m", "\033[1m", "\033[1;31m", "\033[2m" };
	if (r->colors) buffer_append_text(&r->text, codes[paint]);
}

static void end(struct render *r)
{
	if (r->colors) buffer_append(&r->text, "\033[0m", 4);
}

/* --- time --- */

void render_clock(struct render *r, struct buffer *out, struct span timestamp)
{
	char text[CLOCK_COLUMNS];
	if (clock_read(&r->clock, timestamp, text)) buffer_append(out, text, sizeof text);
}

void render_date(struct render *r, struct buffer *out, struct span timestamp)
{
	char text[CLOCK_COLUMNS];
	if (clock_read(&r->clock, timestamp, text)) buffer_append(out, r->clock.date, CLOCK_DATE_COLUMNS);
}

static void append_time(struct render *r, struct span timestamp)
{
	const struct clock *c = &r->clock;
	char text[CLOCK_COLUMNS];
	bool known = clock_read(&r->clock, timestamp, text);
	bool new_date = known && (c->date_length != strlen(r->date_shown) || memcmp(c->date, r->date_shown, c->date_length) != 0);
	if (new_date && !r->oneline) {
		memcpy(r->date_shown, c->date, c->date_length);
		r->date_shown[c->date_length] = '\0';
		begin(r, PAINT_DATE);
		buffer_append_text(&r->text, "-- ");
		buffer_append(&r->text, c->date, c->date_length);
		buffer_append_text(&r->text, " --");
		end(r);
		buffer_append_byte(&r->text, '\n');
	}
	begin(r, PAINT_TIME);
	if (r->oneline) {
		buffer_append(&r->text, known ? c->date : "----------", CLOCK_DATE_COLUMNS);
		buffer_append_byte(&r->text, ' ');
	}
	buffer_append(&r->text, known ? text : "--:--:--.---", CLOCK_COLUMNS);
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
	size_t width = r->text.failed ? 0 : text_columns((struct span){ r->text.data + start, r->text.length - start });
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
	if (r->width && !r->text.failed) r->column += text_columns((struct span){ r->text.data + start, r->text.length - start });
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

/* --- fields --- */

static bool lays_out(const struct render *r)
{
	return r->width && !r->oneline;
}

static size_t columns_from(const struct render *r, size_t start)
{
	return lays_out(r) && !r->text.failed ? text_columns((struct span){ r->text.data + start, r->text.length - start }) : 0;
}

/* A text of several lines, such as a traceback: a block of its own, to stand below all the others. */
static void append_block(struct render *r, struct value key, struct value value)
{
	struct buffer envelope = r->text; /* what is written meanwhile goes to the blocks */
	r->text = r->blocks;
	buffer_append(&r->text, indent, INDENT + 1);
	begin(r, PAINT_KEY);
	show_word(&r->show, &r->text, SPAN(""), key);
	buffer_append_byte(&r->text, ':');
	end(r);
	struct span text = trim_newlines(show_decode(&r->show, value));
	while (text.length) {
		buffer_append(&r->text, indent, INDENT + 1);
		buffer_append(&r->text, indent + 1, INDENT);
		append_payload_line(r, show_without_secrets(&r->show, key.text, span_take_line(&text)));
	}
	r->blocks = r->text;
	r->text = envelope;
}

static void append_pair(struct render *r, struct value key, struct value value)
{
	if (!r->oneline && show_has_lines(&r->show, key.text, value)) {
		append_block(r, key, value);
		return;
	}
	buffer_append_byte(&r->text, ' ');
	size_t start = r->text.length;
	begin(r, PAINT_KEY);
	size_t from = r->text.length;
	show_word(&r->show, &r->text, SPAN(""), key);
	buffer_append_byte(&r->text, '=');
	size_t columns = columns_from(r, from);
	if (value.kind != VALUE_NULL) end(r); /* null, which is nothing, is as faint as its key */
	from = r->text.length;
	show_word(&r->show, &r->text, key.text, value);
	columns += columns_from(r, from);
	if (value.kind == VALUE_NULL) end(r);
	if (lays_out(r)) cells_add(&r->cells, start, r->text.length, columns);
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
		columns += text_columns((struct span){ text.data + at, length });
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
	if (r->text.failed || r->show.decoded.failed || r->show.masked.failed || r->blocks.failed || r->cells.list.failed || r->cells.rows.failed)
		die(EXIT_INTERNAL, "no memory to show an envelope");
	return buffer_span(&r->text);
}

/* Blanks before the fields, which begin at `from`, so that they stand below those of the envelopes before, if there is room for it. */
static void align_fields(struct render *r, size_t from)
{
	size_t columns_max = r->width * 3 / 5 < KEYS_COLUMN_MAX ? r->width * 3 / 5 : KEYS_COLUMN_MAX;
	if (r->column > r->keys_column && r->column <= columns_max) r->keys_column = r->column;
	if (r->column >= r->keys_column || r->keys_column + r->cells.columns > r->width || !r->cells.columns) return;
	size_t length = r->text.length - from, more = r->keys_column - r->column;
	if (!buffer_reserve(&r->text, more)) return;
	memmove(r->text.data + from + more, r->text.data + from, length);
	memset(r->text.data + from, ' ', more);
	r->text.length += more;
}

/* The fields behind the payload, which ends at `body`; they begin at `from`, in the column r->column. */
static void place_fields(struct render *r, size_t body, size_t from, bool several)
{
	if (r->text.length == from) r->text.length = body; /* no blanks at the end of a line */
	else if (lays_out(r) && r->column + r->cells.columns > r->width)
		cells_lay_out(&r->cells, &r->text, body, (struct span){ indent, INDENT + 1 }, r->width > INDENT ? r->width - INDENT : 1);
	else if (lays_out(r) && !several && from > body) align_fields(r, from);
	buffer_append_span(&r->text, buffer_span(&r->blocks));
}

struct span render_envelope(struct render *r, const struct envelope *e)
{
	buffer_clear(&r->text);
	buffer_clear(&r->blocks);
	cells_clear(&r->cells);
	append_time(r, e->timestamp.text);
	append_level(r, e->severity);
	r->column = (r->oneline ? 11 : 0) + 13 + 8;
	append_name(r, PAINT_LOGGER, e->logger, &r->logger_columns, LOGGER_COLUMNS_MAX);
	size_t head = append_name(r, PAINT_TYPE, e->type, &r->type_columns, r->width >= WIDE && !r->oneline ? TYPE_COLUMNS_MAX_WIDE : TYPE_COLUMNS_MAX);
	buffer_append_byte(&r->text, ' ');
	r->column++;
	size_t start = r->text.length;
	bool metric = append_metric(r, e);
	bool several = !metric && append_payload(r, e->payload);
	size_t body = r->text.length, from = body;
	if (several) {
		buffer_append(&r->text, indent, INDENT);
		from += INDENT;
		r->column = INDENT - 1;
	} else if (body > start) {
		buffer_append_byte(&r->text, ' ');
		from++;
		r->column++;
	} else {
		from = --r->text.length; /* the blank of the first field stands for it */
		r->column--;
		body = head;
	}
	append_fields(r, e, metric);
	bool nothing = r->text.length == from && r->blocks.length == 0 && body == head;
	if (r->all || (nothing && is_foreign(e))) append_others(r, e);
	place_fields(r, body, from, several);
	return finish(r);
}

struct span render_text(struct render *r, struct value text)
{
	buffer_clear(&r->text);
	begin(r, PAINT_TEXT);
	buffer_append_text(&r->text, "  | ");
	append_payload_line(r, show_decode(&r->show, text));
	end(r);
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
