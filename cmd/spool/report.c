/* report - how a spool stands, gathered at one time, and shown to people or as an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "envelope/compose.h"
#include "envelope/field.h"
#include "filter/stats.h"
#include "holder.h"
#include "io/diag.h"

enum { WAITING_BYTES_MAX = 1024 * 1024 };

/* --- gathering ---------------------------------------------------------------- */

/* The drain's file, replaced by rename: read whole or not at all. */
static void read_waiting(struct report *r)
{
	struct stat status;
	int fd = openat(r->dir_fd, "drain.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	buffer_init(&r->waiting, WAITING_BYTES_MAX);
	if (fd < 0) return;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 && buffer_reserve(&r->waiting, (size_t)status.st_size)) {
		ssize_t got = pread(fd, r->waiting.data, (size_t)status.st_size, 0);
		if (got > 0) r->waiting.length = (size_t)got;
	}
	close(fd);
}

bool report_gather(struct report *r, const char *path, int dir_fd)
{
	*r = (struct report){ .path = path, .dir_fd = dir_fd, .now = timestamp_now() };
	/* In the way that segments go, so that one on its way may be counted twice, and not never. */
	if (!tally_count(&r->spool, dir_fd, WALK_SPOOL) || !tally_count(&r->failed, dir_fd, WALK_FAILED) || !tally_count(&r->delivered, dir_fd, WALK_DELIVERED))
		return false;
	tally_quarantine(&r->quarantine, dir_fd);
	r->writer = holder_find(dir_fd, "lock");
	r->drain = holder_find(dir_fd, "drain.lock");
	read_waiting(r);
	return true;
}

void report_release(struct report *r)
{
	buffer_release(&r->waiting);
}

int64_t report_age_ms(const struct report *r, int64_t since)
{
	return since < r->now ? (r->now - since) / 1000000 : 0;
}

/* --- what waits for another attempt ------------------------------------------- */

struct waiting {
	struct scan scan;
	struct buffer copy;
	struct envelope envelope;     /* not one, but an object of one line as envelopes are */
	struct field_walk walk;
	struct value one;
	bool good;
};

static struct value member(const struct waiting *w, const char *name)
{
	struct field_path path;
	return field_path_init(&path, span_of(name)) ? field_find_in(&w->envelope, w->one, &path) : (struct value){ .kind = VALUE_ABSENT };
}

static void waiting_open(struct waiting *w, const struct report *r)
{
	struct envelope_fault fault;
	struct field_path path;
	struct span line = span_trim(buffer_span(&r->waiting));
	*w = (struct waiting){ 0 };
	buffer_init(&w->copy, 2 * WAITING_BYTES_MAX);
	if (!scan_init(&w->scan)) die(EXIT_INTERNAL, "no memory for the scanner");
	if (!line.length) return;
	w->good = envelope_parse_copy(&w->envelope, &w->scan, &w->copy, line, &fault) == ENVELOPE_GOOD && field_path_init(&path, SPAN("waiting"));
	if (!w->good) {
		diag_warn("%s/drain.json: cannot be read: what waits for another attempt is not shown", r->path);
		return;
	}
	w->walk = field_walk_array(&w->envelope, field_find(&w->envelope, &path));
}

static bool waiting_next(struct waiting *w)
{
	return w->good && field_next_element(&w->walk, &w->one);
}

static void waiting_close(struct waiting *w)
{
	buffer_release(&w->copy);
	scan_release(&w->scan);
}

/* --- for people --------------------------------------------------------------- */

static void append(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(struct buffer *out, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	buffer_append_text(out, text);
}

static void append_size(struct buffer *out, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes;
	size_t unit = 0;
	for (; size >= 1023.95 && unit < 4; unit++) size /= 1024;
	append(out, "%.*f %s", unit ? 1 : 0, size, bytes == 1 ? "byte" : units[unit]);
}

/* 12 s, 3 min 4 s, 5 h 6 min, 7 d 8 h */
static void append_age(struct buffer *out, int64_t ms)
{
	int64_t s = ms / 1000;
	if (s < 60) append(out, "%" PRId64 " s", s);
	else if (s < 3600) append(out, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else if (s < 86400) append(out, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
	else append(out, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
}

static void append_label(struct buffer *out, const char *label)
{
	append(out, "%-12s", label);
}

static void append_tally(struct buffer *out, const struct report *r, const char *label, const struct tally *t, const char *one, const char *more)
{
	append_label(out, label);
	append(out, "%" PRIu64 " %s", t->segments, t->segments == 1 ? one : more);
	if (t->open && t->segments == 1) buffer_append_text(out, ", not sealed yet");
	else if (t->open) append(out, ", %" PRIu64 " of them not sealed yet", t->open);
	if (t->segments) buffer_append_text(out, ", "), append_size(out, t->bytes);
	if (t->records) append(out, ", %s%" PRIu64 " envelope%s", t->uncounted ? "at least " : "", t->records, t->records == 1 ? "" : "s");
	buffer_append_byte(out, '\n');
	if (t->oldest == INT64_MIN) return;
	char stamp[TIMESTAMP_MAX];
	append_label(out, "");
	buffer_append_text(out, "oldest ");
	buffer_append(out, stamp, timestamp_print(stamp, t->oldest) - 8); /* whole seconds */
	buffer_append_text(out, "Z, ");
	append_age(out, report_age_ms(r, t->oldest));
	append(out, " ago: %s\n", t->first);
}

/* What to do about segments that no drain will take up by itself. */
static void append_hint(struct buffer *out, const struct tally *t, const char *hint)
{
	if (!t->segments) return;
	append_label(out, "");
	append(out, "%s\n", hint);
}

static void append_process(struct buffer *out, const char *label, pid_t pid)
{
	append_label(out, label);
	if (pid) append(out, "process %ld\n", (long)pid);
	else buffer_append_text(out, "none\n");
}

/* Shown as text that came from outside: it may hold what a command has said. */
static void append_member(struct buffer *out, const struct waiting *w, const char *name)
{
	struct buffer text;
	buffer_init(&text, WAITING_BYTES_MAX);
	field_append_text(&text, member(w, name));
	text_append_visible(out, buffer_span(&text));
	buffer_release(&text);
}

static void append_waiting(struct buffer *out, const struct report *r)
{
	struct waiting w;
	const char *label = "waiting";
	waiting_open(&w, r);
	for (; waiting_next(&w); label = "") {
		append_label(out, label);
		append_member(out, &w, "segment");
		buffer_append_text(out, ": ");
		append_member(out, &w, "attempts");
		buffer_append_text(out, span_equal(member(&w, "attempts").text, SPAN("1")) ? " attempt, " : " attempts, ");
		append_member(out, &w, "reason");
		if (member(&w, "next_attempt").kind == VALUE_STRING) {
			buffer_append_text(out, "; next attempt ");
			append_member(out, &w, "next_attempt");
		}
		buffer_append_byte(out, '\n');
	}
	waiting_close(&w);
}

void report_append_text(struct buffer *out, const struct report *r)
{
	append_label(out, "spool");
	text_append_visible(out, span_of(r->path));
	buffer_append_byte(out, '\n');
	append_tally(out, r, "backlog", &r->spool, "segment", "segments");
	append_process(out, "writer", r->writer);
	append_process(out, "drain", r->drain);
	append_waiting(out, r);
	append_tally(out, r, "failed", &r->failed, "segment", "segments");
	append_hint(out, &r->failed, "look: metlog-spool cat --failed; deliver them after all: drain --retry-failed");
	append_tally(out, r, "delivered", &r->delivered, "segment kept", "segments kept");
	append_tally(out, r, "quarantine", &r->quarantine, "piece", "pieces");
	append_hint(out, &r->quarantine, "look: metlog-tail DIR/quarantine/*; see WHEN SOMETHING IS WRONG in metlog-spool(1)");
	if (!r->verify) return;
	append_label(out, "verified");
	append(out, "%" PRIu64 " sealed segments, %" PRIu64 " damaged\n", r->verified, r->damaged);
}

/* --- as an envelope ----------------------------------------------------------- */

static void append_oldest(struct buffer *out, const struct report *r, const struct tally *t)
{
	char stamp[TIMESTAMP_MAX];
	buffer_append_text(out, ",\"oldest\":");
	if (t->oldest == INT64_MIN) {
		buffer_append_text(out, "null,\"oldest_age\":null");
		return;
	}
	timestamp_print(stamp, t->oldest);
	append(out, "\"%s\",\"oldest_age\":%.3f", stamp, (double)report_age_ms(r, t->oldest) / 1000);
}

static void append_folder(struct buffer *out, const struct report *r, const char *name, const struct tally *t)
{
	append(out, ",\"%s\":{\"segments\":%" PRIu64 ",\"bytes\":%" PRIu64, name, t->segments, t->bytes);
	append_oldest(out, r, t);
	buffer_append_byte(out, '}');
}

static void append_pid(struct buffer *out, const char *name, pid_t pid)
{
	if (pid) append(out, ",\"%s\":%ld", name, (long)pid);
	else append(out, ",\"%s\":null", name);
}

void report_append_json(struct buffer *out, const struct report *r)
{
	const struct tally *t = &r->spool;
	struct waiting w;
	const char *comma = "";
	stats_append_head(out, "metlog.status", 6);
	buffer_append_text(out, "\"payload\":\"\",\"fields\":{\"spool\":");
	compose_text(out, span_of(r->path));
	append(out, ",\"segments\":%" PRIu64 ",\"open\":%" PRIu64 ",\"bytes\":%" PRIu64, t->segments, t->open, t->bytes);
	append(out, ",\"records\":%" PRIu64 ",\"uncounted\":%" PRIu64, t->records, t->uncounted);
	append_oldest(out, r, t);
	append_pid(out, "writer", r->writer);
	append_pid(out, "drain", r->drain);
	buffer_append_text(out, ",\"waiting\":[");
	waiting_open(&w, r);
	for (; waiting_next(&w); comma = ",") buffer_append_text(out, comma), buffer_append_span(out, w.one.text);
	waiting_close(&w);
	buffer_append_byte(out, ']');
	append_folder(out, r, "failed", &r->failed);
	append_folder(out, r, "delivered", &r->delivered);
	append(out, ",\"quarantine\":{\"pieces\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", r->quarantine.segments, r->quarantine.bytes);
	if (r->verify) append(out, ",\"verified\":%" PRIu64 ",\"damaged\":%" PRIu64, r->verified, r->damaged);
	buffer_append_text(out, "}}\n");
}
