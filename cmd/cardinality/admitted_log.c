/* admitted_log - reads the log once, then appends a line with one write(2) for each value that is let in. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "admitted_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admitted_mark.h"
#include "base/checksum.h"
#include "base/number.h"
#include "base/text.h"
#include "envelope/field.h"
#include "io/diag.h"
#include "io/reader.h"
#include "io/writer.h"
#include "sink/spool.h"
#include "sink/state_file.h"
#include "state_dir.h"

/* UNSAFE_MAX: what a loss of power may take where there is always input; some thousand values, so their two fsyncs cost nothing. */
enum { SUM_DIGITS = ADMITTED_MARK_DIGITS, LINE_MAX_BYTES = 8 * 1024 * 1024, UNSAFE_MAX = 64 * 1024 };

static const char file_name[] = "admitted.ndjson";
static const char no_line[] = "it is no line of this file", wrong_sum[] = "its sum is not that of its bytes and the line before";

struct admitted_log {
	struct admitted *admitted;
	char *name;                   /* for messages */
	struct state_dir dir;
	int fd;
	char sum[SUM_DIGITS + 1];     /* of the last line */
	uint32_t sets;                /* how many stand in the log */
	uint64_t size;
	struct admitted_mark mark;    /* as it stands on disk */
	struct buffer line;
};

/* --- lines --- */

static uint64_t sum_of(struct admitted_log *l, struct span body)
{
	struct checksum *c = l->admitted->checksum;
	checksum_reset(c);
	checksum_add(c, (struct span){ l->sum, SUM_DIGITS });
	checksum_add(c, body);
	return checksum_value(c);
}

/* Puts the sum behind what was appended to l->line since `from`, and ends the line. */
static void end_line(struct admitted_log *l, size_t from)
{
	uint64_t sum = sum_of(l, span_between(l->line.data + from, l->line.data + l->line.length));
	snprintf(l->sum, sizeof l->sum, "%016" PRIx64, sum);
	buffer_append_text(&l->line, ",\"sum\":\"");
	buffer_append(&l->line, l->sum, SUM_DIGITS);
	buffer_append_text(&l->line, "\"}\n");
}

static void append_name(struct buffer *out, const char *key, const struct admitted_name *name)
{
	buffer_append_byte(out, ',');
	if (name->kind == ADMITTED_SHARED) {
		buffer_append_text(out, "\"rest\":true");
		return;
	}
	buffer_append_byte(out, '"');
	buffer_append_text(out, key);
	if (name->kind == ADMITTED_HASH) buffer_append_text(out, "_hash");
	buffer_append_text(out, "\":");
	if (name->kind == ADMITTED_NONE) buffer_append_text(out, "null");
	else text_append_quoted(out, name->text);
}

/* With one write(2), as long as there is room; what was written of it is taken back if not all of it could be. */
static int write_lines(struct admitted_log *l)
{
	if (l->line.failed) return ENOMEM;
	int error = write_all(l->fd, buffer_span(&l->line));
	if (!error) {
		l->size += l->line.length;
	} else if (ftruncate(l->fd, (off_t)l->size) < 0) {
		diag_warn("%s: what was written of the last line cannot be taken off: %s", l->name, strerror(errno));
	}
	return error;
}

static void append_rule(struct admitted_log *l, const char *key)
{
	buffer_append_text(&l->line, "{\"rule\":");
	buffer_append_int(&l->line, l->sets);
	buffer_append_text(&l->line, key);
}

static int remember(void *context, struct admitted_set *set, const struct admitted_name *group, const struct admitted_name *value)
{
	struct admitted_log *l = context;
	char before[sizeof l->sum];
	uint32_t sets = l->sets, number = set->number;
	memcpy(before, l->sum, sizeof before);
	buffer_clear(&l->line);
	if (!set->number) {
		set->number = ++l->sets;
		append_rule(l, ",\"is\":");
		text_append_quoted(&l->line, span_of(set->identity));
		end_line(l, 0);
	}
	size_t from = l->line.length;
	buffer_append_text(&l->line, "{\"rule\":");
	buffer_append_int(&l->line, set->number);
	if (group) append_name(&l->line, "per", group);
	append_name(&l->line, "value", value);
	end_line(l, from);
	int error = write_lines(l);
	if (!error) return 0;
	memcpy(l->sum, before, sizeof before);
	l->sets = sets;
	set->number = number;
	return error;
}

/* --- reading --- */

struct reading {
	struct admitted_log *log;
	struct reader reader;
	struct scan scan;
	struct envelope envelope;
	struct buffer texts[2];       /* group and value, or identity, decoded */
	struct admitted_set **set;    /* by number, from 1 */
	bool at_mark;                 /* a line ends where the mark says, with the sum it says */
	bool torn;                    /* what comes now was not safe when the power failed */
};

static struct value member(const struct envelope *e, const char *name)
{
	struct field_path path;
	if (!field_path_init(&path, span_of(name))) return (struct value){ 0 };
	return field_find(e, &path);
}

/* What was written by append_name. `none`: null is allowed, and no member at all is, which gives false and no reason. */
static bool read_name(struct reading *r, const char *key, const char *hash_key, struct buffer *text, struct admitted_name *name)
{
	struct value plain = member(&r->envelope, key), hash = member(&r->envelope, hash_key);
	struct checksum_wide sum;
	buffer_clear(text);
	if (hash.kind == VALUE_STRING && checksum_parse_wide(hash.text, &sum)) {
		*name = (struct admitted_name){ ADMITTED_HASH, hash.text };
		return true;
	}
	if (plain.kind == VALUE_NULL) {
		*name = (struct admitted_name){ ADMITTED_NONE, { NULL, 0 } };
		return true;
	}
	if (plain.kind != VALUE_STRING || !field_append_text(text, plain) || text->length > ADMITTED_TEXT_MAX) return false;
	*name = (struct admitted_name){ ADMITTED_TEXT, buffer_span(text) };
	return true;
}

static const char *read_set(struct reading *r, int64_t number, struct value is)
{
	struct admitted_log *l = r->log;
	if (number != (int64_t)l->sets + 1) return "the numbers of rules do not follow one another";
	buffer_clear(&r->texts[0]);
	if (!field_append_text(&r->texts[0], is)) return "no memory";
	struct span identity = buffer_span(&r->texts[0]);
	for (size_t i = 0; i < l->admitted->count; i++)
		if (span_equal(identity, span_of(l->admitted->set[i]->identity))) return "a rule stands there twice";
	/* Whether it has groups is seen by its first value. */
	struct admitted_set *set = admitted_find(l->admitted, identity, false);
	set->number = ++l->sets;
	r->set = must_resize(r->set, (l->sets + 1) * sizeof *r->set);
	r->set[l->sets] = set;
	return NULL;
}

static const char *read_value(struct reading *r, int64_t number)
{
	struct admitted_log *l = r->log;
	struct admitted_name group, value;
	if (number < 1 || number > l->sets) return "a value of a rule that does not stand before it";
	struct admitted_set *set = r->set[number];
	bool grouped = true;
	if (member(&r->envelope, "rest").kind == VALUE_TRUE) group = (struct admitted_name){ ADMITTED_SHARED, { NULL, 0 } };
	else grouped = read_name(r, "per", "per_hash", &r->texts[0], &group);
	if (!read_name(r, "value", "value_hash", &r->texts[1], &value) || value.kind == ADMITTED_NONE) return "no value";
	if (set->values.count && grouped != set->has_groups) return "a value with \"per\" among others without";
	set->has_groups = grouped;
	if (admitted_restore(l->admitted, set, grouped ? &group : NULL, &value)) return NULL;
	return l->admitted->memory > l->admitted->memory_limit ? "it does not fit into --max-memory" : "a value stands there twice";
}

/* Why the line is none of ours; NULL: it was taken. */
static const char *read_line(struct reading *r, struct span line)
{
	static const char tail[] = ",\"sum\":\"";
	struct admitted_log *l = r->log;
	struct envelope_fault fault;
	char sum[sizeof l->sum];
	size_t behind = sizeof tail - 1 + SUM_DIGITS + 2;
	if (envelope_parse(&r->envelope, &r->scan, line, &fault) != ENVELOPE_GOOD || line.length < behind) return no_line;
	struct span body = { line.data, line.length - behind };
	snprintf(sum, sizeof sum, "%016" PRIx64, sum_of(l, body));
	if (memcmp(body.data + body.length, tail, sizeof tail - 1) != 0 || memcmp(body.data + body.length + sizeof tail - 1, sum, SUM_DIGITS) != 0) return wrong_sum;
	memcpy(l->sum, sum, sizeof sum);
	struct value rule = member(&r->envelope, "rule"), is = member(&r->envelope, "is");
	int64_t number;
	if (r->reader.lines == 1) return span_equal(member(&r->envelope, "metlog-guard").text, SPAN("1")) ? NULL : "it is not of a version that is known here";
	if (rule.kind != VALUE_NUMBER || !number_parse_int(rule.text, &number)) return "it is of no kind that is known here";
	return is.kind == VALUE_STRING ? read_set(r, number, is) : read_value(r, number);
}

static _Noreturn void refuse(const struct reading *r, const char *why)
{
	die(EXIT_CONFIGURATION, "%s:%" PRIu64 ": %s: the state is not used, and stays as it is", r->log->name, r->reader.lines, why);
}

static void take_lines(struct reading *r)
{
	struct admitted_log *l = r->log;
	while (!r->torn && reader_has_line(&r->reader)) {
		size_t length = scan_line(&r->scan, r->reader.data + r->reader.at, r->reader.data + r->reader.lines_end);
		const char *why = read_line(r, reader_take(&r->reader, length));
		r->torn = r->at_mark && (why == no_line || why == wrong_sum);
		if (r->torn) return;
		if (why) refuse(r, why);
		l->size += length + 1;
		if (l->size == l->mark.bytes) r->at_mark = memcmp(l->sum, l->mark.sum, SUM_DIGITS) == 0;
	}
}

/* Up to the last newline; what stands behind it is no line. */
static void read_lines(struct reading *r, uint64_t whole)
{
	struct reader *reader = &r->reader;
	reader_init(reader, LINE_MAX_BYTES);
	reader_open(reader, r->log->fd, r->log->name);
	reader->follows = true;
	while (reader->bytes < whole && !r->torn) switch (reader_fill(reader)) {
	case READER_LINES: take_lines(r); break;
	case READER_NOTHING: break;
	case READER_ERROR:
		errno = reader->error;
		die_errno(EXIT_IO, "%s", r->log->name);
	case READER_OVERLONG:
	case READER_END: refuse(r, no_line);
	}
	take_lines(r);
	reader_release(reader);
}

static _Noreturn void refuse_cut(const struct admitted_log *l, const char *what)
{
	die(EXIT_CONFIGURATION, "%s: %s: the state is not used, and stays as it is; to go on with what is left of it remove %s/%s", l->name, what, l->dir.path, admitted_mark_name);
}

static void hold_against_mark(const struct reading *r, uint64_t bytes)
{
	const struct admitted_log *l = r->log;
	char what[128];
	if (!l->mark.known || r->at_mark) return;
	if (bytes >= l->mark.bytes) refuse_cut(l, "it is not the file that was last saved");
	snprintf(what, sizeof what, "it has %" PRIu64 " bytes, and had %" PRIu64 " when it was last saved", bytes, l->mark.bytes);
	refuse_cut(l, what);
}

/* What of the file is no line of it: nothing was promised of that yet. */
static void take_off(const struct reading *r, uint64_t bytes)
{
	const struct admitted_log *l = r->log;
	if (r->torn) diag_warn("%s:%" PRIu64 ": from here on it was not safe on disk yet when the power failed (%" PRIu64 " bytes): they are taken off", l->name, r->reader.lines, bytes);
	else diag_warn("%s: its last line was not written whole (%" PRIu64 " bytes): it is taken off", l->name, bytes);
	int error = ftruncate(l->fd, (off_t)l->size) < 0 ? errno : spool_sync_fd(l->fd, true);
	if (error) die(EXIT_IO, "%s: %s", l->name, strerror(error));
}

static void read_log(struct admitted_log *l)
{
	struct reading r = { .log = l };
	struct stat status;
	if (fstat(l->fd, &status) < 0) die_errno(EXIT_IO, "%s", l->name);
	uint64_t bytes = (uint64_t)status.st_size;
	if (!scan_init(&r.scan)) die(EXIT_INTERNAL, "no memory for the scanner");
	for (int i = 0; i < 2; i++) buffer_init(&r.texts[i], LINE_MAX_BYTES);
	read_lines(&r, bytes);
	for (int i = 0; i < 2; i++) buffer_release(&r.texts[i]);
	scan_release(&r.scan);
	free(r.set);
	hold_against_mark(&r, bytes);
	if (bytes > l->size) take_off(&r, bytes - l->size);
}

/* --- opening --- */

static _Noreturn void die_of(const struct admitted_log *l, const char *verb, int error)
{
	state_dir_die(&l->dir, verb, file_name, error);
}

/* Whole or not at all. */
static void write_head(struct admitted_log *l)
{
	buffer_clear(&l->line);
	buffer_append_text(&l->line, "{\"metlog-guard\":1");
	end_line(l, 0);
	int error = l->line.failed ? ENOMEM : state_file_replace(l->dir.fd, file_name, buffer_span(&l->line), true);
	if (error) die_of(l, "making", error);
	l->size = l->line.length;
}

static int open_file(const struct admitted_log *l)
{
	return state_dir_file(&l->dir, file_name, O_RDWR | O_APPEND);
}

/* The file to append to: what is in it has been read. */
static void open_log(struct admitted_log *l)
{
	l->fd = open_file(l);
	if (l->fd < 0 && errno != ENOENT) die_of(l, "opening", errno);
	if (l->fd < 0 && l->mark.known) refuse_cut(l, "it is not there");
	if (l->fd >= 0) read_log(l);
	if (l->size) return;
	if (l->fd >= 0) close(l->fd);
	write_head(l);
	l->fd = open_file(l);
	if (l->fd < 0) die_of(l, "opening", errno);
}

struct admitted_log *admitted_log_open(const char *dir, struct admitted *admitted)
{
	struct admitted_log *l = must_alloc(sizeof *l);
	l->admitted = admitted;
	memset(l->sum, '0', SUM_DIGITS);
	buffer_init(&l->line, LINE_MAX_BYTES);
	state_dir_open(&l->dir, dir);
	buffer_append_text(&l->line, l->dir.path);
	buffer_append_byte(&l->line, '/');
	buffer_append_text(&l->line, file_name);
	l->name = must_copy(buffer_span(&l->line));
	const char *why = admitted_mark_read(&l->dir, &l->mark);
	if (why) die(EXIT_CONFIGURATION, "%s/%s: %s: the state is not used, and stays as it is", l->dir.path, admitted_mark_name, why);
	open_log(l);
	/* What a run that was killed has written is safe from now on, too. */
	int error = admitted_log_sync(l);
	if (error) die(EXIT_IO, "%s: %s", l->name, strerror(error));
	admitted->remember = remember;
	admitted->remember_context = l;
	return l;
}

bool admitted_log_is_due(const struct admitted_log *l)
{
	return l->size - l->mark.bytes >= UNSAFE_MAX;
}

int admitted_log_sync(struct admitted_log *l)
{
	if (l->mark.known && l->size == l->mark.bytes) return 0;
	struct admitted_mark mark = { .known = true, .bytes = l->size };
	memcpy(mark.sum, l->sum, sizeof mark.sum);
	int error = spool_sync_fd(l->fd, true);
	if (!error) error = admitted_mark_write(&l->dir, &mark);
	if (!error) l->mark = mark;
	return error;
}

const char *admitted_log_name(const struct admitted_log *l)
{
	return l->name;
}

void admitted_log_close(struct admitted_log *l)
{
	close(l->fd);
	state_dir_close(&l->dir);
	buffer_release(&l->line);
	free(l->name);
	free(l);
}
