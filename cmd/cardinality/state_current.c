/* state_current - the file current: which day files count, as one envelope that a person can read. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "state_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "envelope/field.h"
#include "filter/stats.h"
#include "sink/sealed_line.h"

/*  {"type":"metlog.cardinality.state",...,"fields":{"version":1,"generation":17,"clock":"2026-11-22T13:30:12.630570Z","longest":7,"counts":{"of":...,"by":...},
 *   "days":[{"file":"2026-11-22.17.sketches","bytes":123,"groups":2,"sum":"0123456789abcdef"},...],"line":"xxh3:..."}} */
static const char type[] = "metlog.cardinality.state", extension[] = ".sketches";
enum { VERSION = 1, CURRENT_MAX = 4 << 20 };
#define DAY_NS (INT64_C(86400) * 1000000000)

/* --- names of day files --- */

static void print_day(char text[11], int64_t day)
{
	char stamp[TIMESTAMP_MAX];
	timestamp_print(stamp, day * DAY_NS);
	snprintf(text, 11, "%.10s", stamp);
}

void state_entry_name(char name[STATE_NAME_MAX], const struct state_entry *entry)
{
	char day[11];
	print_day(day, entry->day);
	snprintf(name, STATE_NAME_MAX, "%s.%" PRIu64 "%s", day, entry->generation, extension);
}

bool state_entry_parse(const char *name, struct state_entry *entry)
{
	char stamp[TIMESTAMP_MAX], again[STATE_NAME_MAX];
	int64_t when, generation;
	if (strlen(name) < 12 || strlen(name) >= STATE_NAME_MAX) return false;
	snprintf(stamp, sizeof stamp, "%.10sT00:00:00Z", name);
	if (!timestamp_parse(span_of(stamp), &when)) return false;
	struct span digits = { name + 11, strspn(name + 11, "0123456789") };
	if (!digits.length || !number_parse_int(digits, &generation) || generation < 0) return false;
	*entry = (struct state_entry){ .day = when / DAY_NS - (when % DAY_NS < 0), .generation = (uint64_t)generation };
	state_entry_name(again, entry);
	return strcmp(name, again) == 0;
}

/* --- writing --- */

static void append_count(struct buffer *out, const char *name, uint64_t value)
{
	buffer_append_text(out, name);
	buffer_append_int(out, (int64_t)value);
}

static void append_entry(struct buffer *out, const struct state_entry *entry)
{
	char name[STATE_NAME_MAX];
	state_entry_name(name, entry);
	buffer_append_text(out, "{\"file\":\"");
	buffer_append_text(out, name);
	append_count(out, "\",\"bytes\":", entry->bytes);
	append_count(out, ",\"groups\":", entry->groups);
	buffer_append_text(out, ",\"sum\":\"");
	sealed_line_append_hex(out, entry->sum);
	buffer_append_text(out, "\"}");
}

static void append_clock(struct buffer *out, const struct state *s)
{
	char stamp[TIMESTAMP_MAX];
	int64_t now = timestamp_now();
	size_t length = timestamp_print(stamp, now > s->clock ? now : s->clock);
	buffer_append_text(out, ",\"clock\":\"");
	buffer_append(out, stamp, length);
	buffer_append_byte(out, '"');
}

bool state_current_append(struct buffer *out, const struct state *s)
{
	buffer_init(out, CURRENT_MAX);
	stats_append_head(out, type, 6);
	append_count(out, "\"payload\":\"\",\"fields\":{\"version\":", VERSION);
	append_count(out, ",\"generation\":", s->generation);
	append_clock(out, s);
	append_count(out, ",\"longest\":", (uint64_t)s->asked);
	buffer_append_text(out, ",\"counts\":");
	buffer_append_span(out, buffer_span(&s->identity));
	buffer_append_text(out, ",\"days\":[");
	for (size_t i = 0; i < s->count; i++) {
		if (i) buffer_append_byte(out, ',');
		append_entry(out, &s->entry[i]);
	}
	buffer_append_byte(out, ']');
	return sealed_line_end(out, 0);
}

/* --- reading --- */

/* 0, or an errno; ENOENT: there is none. */
static int read_file(const struct state *s, struct buffer *text)
{
	int error = 0, fd = state_open_file(s, "current");
	buffer_init(text, CURRENT_MAX);
	if (fd < 0) return errno;
	for (ssize_t got = 1; got && !error;) {
		if (!buffer_reserve(text, 4096)) error = text->no_memory ? ENOMEM : EFBIG;
		else if ((got = read(fd, text->data + text->length, text->capacity - text->length)) > 0) text->length += (size_t)got;
		else if (got < 0 && errno != EINTR) error = errno;
	}
	close(fd);
	return error;
}

bool state_current_is(const struct state *s, struct span text)
{
	struct buffer found;
	bool same = read_file(s, &found) == 0 && span_equal(buffer_span(&found), text);
	buffer_release(&found);
	return same;
}

static struct value member(const struct envelope *e, struct value object, const char *name)
{
	struct field_path path;
	return field_path_init(&path, span_of(name)) ? field_find_in(e, object, &path) : (struct value){ .kind = VALUE_ABSENT };
}

static bool read_count(const struct envelope *e, struct value object, const char *name, uint64_t *count)
{
	struct value value = member(e, object, name);
	int64_t number;
	if (value.kind != VALUE_NUMBER || !number_parse_int(value.text, &number) || number < 0) return false;
	*count = (uint64_t)number;
	return true;
}

static bool read_entry(const struct envelope *e, struct value one, struct state_entry *entry)
{
	char name[STATE_NAME_MAX];
	struct value file = member(e, one, "file"), sum = member(e, one, "sum");
	if (file.kind != VALUE_STRING || file.text.length >= sizeof name || sum.kind != VALUE_STRING) return false;
	snprintf(name, sizeof name, "%.*s", (int)file.text.length, file.text.data);
	return state_entry_parse(name, entry) && read_count(e, one, "bytes", &entry->bytes) && read_count(e, one, "groups", &entry->groups) &&
	       sealed_line_parse_hex(sum.text, &entry->sum);
}

static const char *read_entries(struct state *s, const struct envelope *e)
{
	struct value list = member(e, e->fields, "days"), one;
	if (list.kind != VALUE_ARRAY) return "it has no list of days";
	struct field_walk walk = field_walk_array(e, list);
	while (field_next_element(&walk, &one)) {
		if (s->count == STATE_ENTRIES_MAX) return "it has too many days";
		s->entry = must_resize(s->entry, (s->count + 1) * sizeof *s->entry);
		struct state_entry *entry = &s->entry[s->count];
		if (!read_entry(e, one, entry)) return "a day in it cannot be read";
		if (s->count && entry->day <= entry[-1].day) return "its days are not in order";
		s->count++;
	}
	return NULL;
}

static void hold_against_options(const struct state *s, struct span counts)
{
	if (span_equal(counts, buffer_span(&s->identity))) return;
	die(EXIT_CONFIGURATION, "%s/current: it counts %.*s, and this run %.*s: give this run a --state of its own", s->dir.path, (int)counts.length, counts.data,
		(int)s->identity.length, s->identity.data);
}

/* NULL, or what is wrong with it. */
static const char *take_current(struct state *s, const struct envelope *e)
{
	uint64_t version, longest;
	if (!span_equal(e->type.text, span_of(type))) return "it is no state of metlog-cardinality";
	if (!read_count(e, e->fields, "version", &version)) return "it has no version";
	if (version != VERSION) return "it is of another version of metlog-cardinality";
	struct value counts = member(e, e->fields, "counts"), clock = member(e, e->fields, "clock");
	if (counts.kind != VALUE_OBJECT || !read_count(e, e->fields, "generation", &s->generation) || !read_count(e, e->fields, "longest", &longest) ||
	    longest > STATE_ENTRIES_MAX || clock.kind != VALUE_STRING || !timestamp_parse(clock.text, &s->clock)) return "it is damaged";
	s->longest = (int)longest;
	hold_against_options(s, counts.text);
	return read_entries(s, e);
}

/* NULL, or what is wrong with it. */
static const char *parse_current(struct state *s, struct span line)
{
	struct buffer copy;
	struct scan scan;
	struct envelope envelope;
	struct envelope_fault fault;
	const char *reason = "its checksum is not that of its text";
	if (!line.length || line.data[line.length - 1] != '\n') return reason;
	line.length--;
	if (!sealed_line_is_whole(line) || memchr(line.data, '\n', line.length)) return reason;
	buffer_init(&copy, 2 * CURRENT_MAX);
	bool good = scan_init(&scan) && envelope_parse_copy(&envelope, &scan, &copy, line, &fault) == ENVELOPE_GOOD;
	if (!good && (!scan.index || copy.no_memory || scan.flags & SCAN_NO_MEMORY)) die(EXIT_INTERNAL, "no memory to read the state");
	reason = good ? take_current(s, &envelope) : fault.reason;
	scan_release(&scan);
	buffer_release(&copy);
	return reason;
}

void state_current_read(struct state *s)
{
	struct buffer text;
	int error = read_file(s, &text);
	if (error && error != ENOENT) state_die(s, "reading", "current", error);
	s->has_current = !error;
	const char *reason = s->has_current ? parse_current(s, buffer_span(&text)) : NULL;
	if (reason) state_refuse(s, "current", reason);
	buffer_release(&text);
}
