/* map_parse - reads a mapping file into sections of rows, and says what is wrong with it and where. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "map_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

enum { NAME_MAX_BYTES = 64 };

/* The sections are gathered here, and copied to where they stay when all is read. */
struct parsing {
	struct map *map;
	struct logical line;
	struct map_fault *fault;
	struct map_section *sections;
	size_t count;
	const struct map_row *rows[MAP_ROWS_MAX]; /* of the last section */
	size_t row_count;
};

bool map_fail(struct map_reading *r, const char *at, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(r->fault->reason, sizeof r->fault->reason, format, arguments);
	va_end(arguments);
	map_line_place(r->line, (size_t)(at - r->start), &r->fault->line, &r->fault->column);
	return false;
}

void map_skip_blanks(struct map_reading *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct span map_take_word(struct map_reading *r)
{
	const char *start = r->at;
	while (r->at < r->end && is_word(*r->at)) r->at++;
	return span_between(start, r->at);
}

static bool add_row(struct parsing *p, struct map_reading *r)
{
	const char *start = r->at;
	const struct map_section *section = &p->sections[p->count - 1];
	struct map_row *row = map_parse_row(r);
	if (!row) return false;
	if (section->drop) return map_fail(r, start, "a row behind drop, which sends nothing");
	if (p->row_count == MAP_ROWS_MAX) return map_fail(r, start, "more than %d rows for one event", MAP_ROWS_MAX);
	size_t column;
	map_line_place(r->line, (size_t)(start - r->start), &row->line, &column);
	for (size_t i = 0; i < p->row_count; i++) {
		struct span name = map_row_name(row);
		if (map_row_is_same(row, p->rows[i])) return map_fail(r, start, "%.*s stands there twice: line %zu has it, too", (int)name.length, name.data, p->rows[i]->line);
	}
	p->rows[p->row_count++] = row;
	return true;
}

static void end_section(struct parsing *p)
{
	struct map_section *section = &p->sections[p->count - 1];
	size_t bytes = p->row_count * sizeof *p->rows;
	section->rows = map_take(p->map, bytes);
	if (bytes) memcpy(section->rows, p->rows, bytes);
	section->row_count = p->row_count;
	p->row_count = 0;
}

/* The name that messages and counts call the event by. */
static bool read_name(struct parsing *p, struct map_reading *r, struct map_section *section)
{
	map_skip_blanks(r);
	const char *start = r->at;
	while (r->at < r->end && (is_word(*r->at) || *r->at == '-' || *r->at == '.')) r->at++;
	struct span name = span_between(start, r->at);
	if (!name.length || (r->at < r->end && *r->at != ' ' && *r->at != '\t')) return map_fail(r, start, "expected a name of letters, digits, - . and _: event NAME EXPRESSION");
	if (name.length > NAME_MAX_BYTES) return map_fail(r, start, "a name has at most %d letters", NAME_MAX_BYTES);
	if (span_equal(name, SPAN("default")) || span_equal(name, SPAN("built-in")) || span_equal(name, SPAN("drop"))) return map_fail(r, start, "an event cannot be called that");
	for (size_t i = 1; i < p->count; i++)
		if (p->sections[i].name && span_equal(name, span_of(p->sections[i].name))) return map_fail(r, start, "another event has that name, in line %zu", p->sections[i].line);
	map_skip_blanks(r);
	static const char *const operators[] = { "==", "!=", "=~", "!~", "<", ">", "in (", "in(" };
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (span_starts(span_between(r->at, r->end), span_of(operators[i]))) return map_fail(r, start, "a name is missing: event NAME EXPRESSION");
	section->name = map_keep(p->map, name).data;
	return true;
}

static bool read_expression(struct parsing *p, struct map_reading *r, struct map_section *section)
{
	struct match_fault fault;
	map_skip_blanks(r);
	struct span text = span_trim(span_between(r->at, r->end));
	if (!text.length) return map_fail(r, r->at, "an expression is missing (TRUE takes every envelope)");
	for (size_t i = 1; i < p->count; i++) {
		const struct map_section *before = &p->sections[i];
		if (span_equal(before->expression, SPAN("TRUE"))) return map_fail(r, r->at, "never reached: line %zu takes every envelope", before->line);
		if (span_equal(before->expression, text)) return map_fail(r, r->at, "never reached: line %zu has the same expression", before->line);
	}
	section->match = match_new(text, &fault);
	if (!section->match) return map_fail(r, text.data + fault.column - 1, "%s", fault.reason);
	section->expression = map_keep(p->map, text);
	return true;
}

static bool read_default(struct map_reading *r, struct map_section *section)
{
	section->name = "default";
	section->is_default = true;
	map_skip_blanks(r);
	const char *at = r->at;
	struct span word = map_take_word(r);
	section->drop = span_equal(word, SPAN("drop"));
	map_skip_blanks(r);
	return (r->at == r->end && (!word.length || section->drop)) || map_fail(r, at, "behind default nothing stands but drop");
}

static bool begin_section(struct parsing *p, struct map_reading *r, struct span word)
{
	struct map_section section = { .drop = span_equal(word, SPAN("drop")) };
	size_t column;
	if (p->sections[p->count - 1].is_default) return map_fail(r, word.data, "never reached: the default in line %zu takes all that is left", p->sections[p->count - 1].line);
	if (p->count > MAP_EVENTS_MAX) return map_fail(r, word.data, "more than %d events", MAP_EVENTS_MAX);
	end_section(p);
	map_line_place(r->line, (size_t)(word.data - r->start), &section.line, &column);
	bool good = span_equal(word, SPAN("default")) ? read_default(r, &section) : (section.drop || read_name(p, r, &section)) && read_expression(p, r, &section);
	if (section.drop && !section.name) section.name = "drop";
	p->sections[p->count++] = section;
	return good;
}

static bool read_line(struct parsing *p)
{
	struct span text = buffer_span(&p->line.text);
	struct map_reading r = { .map = p->map, .start = text.data, .at = text.data, .end = text.data + text.length, .fault = p->fault, .line = &p->line };
	map_skip_blanks(&r);
	const char *start = r.at;
	struct span word = map_take_word(&r);
	if (span_equal(word, SPAN("event")) || span_equal(word, SPAN("drop")) || span_equal(word, SPAN("default"))) return begin_section(p, &r, word);
	r.at = start;
	return add_row(p, &r);
}

static bool fail_at(struct map_fault *fault, struct span text, const char *at, const char *reason)
{
	const char *start = text.data;
	snprintf(fault->reason, sizeof fault->reason, "%s", reason);
	fault->line = 1;
	for (const char *newline; (newline = memchr(start, '\n', (size_t)(at - start))); start = newline + 1) fault->line++;
	fault->column = (size_t)(at - start) + 1;
	return false;
}

static bool check_text(struct span text, struct map_fault *fault)
{
	const char *nul = text.length ? memchr(text.data, '\0', text.length) : NULL;
	uint32_t codepoint;
	if (text.length > MAP_BYTES_MAX) return fail_at(fault, text, text.data, "the file is larger than 1 MiB");
	if (nul) return fail_at(fault, text, nul, "a NUL byte");
	for (size_t i = 0, bytes; i < text.length; i += bytes)
		if (!(bytes = text_decode_utf8((struct span){ text.data + i, text.length - i }, &codepoint))) return fail_at(fault, text, text.data + i, "not valid UTF-8");
	return true;
}

bool map_parse(struct map *map, struct span text, struct map_file *file, struct map_fault *fault)
{
	static const struct span mark = SPAN("\xef\xbb\xbf");
	*fault = (struct map_fault){ .line = 0 };
	if (!check_text(text, fault)) return false;
	if (span_starts(text, mark)) text = span_between(text.data + mark.length, text.data + text.length);
	struct parsing p = { .map = map, .fault = fault };
	p.sections = map_take(map, (MAP_EVENTS_MAX + 2) * sizeof *p.sections);
	p.count = 1;
	logical_init(&p.line, text, MAP_BYTES_MAX + 1);
	while (map_line_next(&p.line, fault) && read_line(&p)) continue;
	end_section(&p);
	logical_release(&p.line);
	*file = (struct map_file){ p.sections, p.count };
	return fault->reason[0] == '\0';
}
