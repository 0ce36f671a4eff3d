/* summary - what was published, for people and for scripts: a line a file, the sums, HiveQL for the partitions. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "summary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "filter/progress.h"
#include "io/diag.h"

enum { DIRS_MAX = 1 << 14, DIRS_BYTES_MAX = 4 << 20, LINE_MAX_BYTES = 64 << 10 };

static const char *const state_names[] = { "published", "there", "kept", "refused", "planned" };

void summary_open(struct summary *s, const struct summary_options *o)
{
	*s = (struct summary){ .options = *o, .dirs_fd = -1 };
	table_init(&s->dirs, DIRS_MAX, DIRS_BYTES_MAX, 0);
	writer_open(&s->out, o->out_fd, "standard output", WRITER_CAPACITY);
	if (!o->add_partitions) return;
	/* Ours has been set aside: under its name nothing but /dev/null would be found. */
	if (o->add_partitions_to_output) s->dirs_fd = fcntl(o->out_fd, F_DUPFD_CLOEXEC, 3);
	else s->dirs_fd = open(o->add_partitions, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (s->dirs_fd < 0) die_errno(EXIT_NO_OUTPUT, "--add-partitions: %s", o->add_partitions);
}

void summary_append_path(struct buffer *out, const char *where, const char *dir, const char *name)
{
	const char *scheme = strstr(where, "://"), *path = scheme ? strchr(scheme + 3, '/') : where;
	struct span base = span_of(path ? path : "");
	while (base.length && base.data[base.length - 1] == '/') base.length--;
	buffer_append_span(out, base);
	if (base.length || *where) buffer_append_byte(out, '/');
	buffer_append_text(out, dir);
	if (*dir) buffer_append_byte(out, '/');
	buffer_append_text(out, name);
}

static void append_member(struct buffer *out, const char *name, uint64_t value)
{
	buffer_append_text(out, ",\"");
	buffer_append_text(out, name);
	buffer_append_text(out, "\":");
	buffer_append_int(out, (int64_t)value);
}

static void append_text_member(struct buffer *out, const char *name, const char *value)
{
	struct buffer shown;
	buffer_init(&shown, LINE_MAX_BYTES);
	if (text_is_utf8(span_of(value))) buffer_append_text(&shown, value);
	else text_append_visible(&shown, span_of(value));
	buffer_append_text(out, ",\"");
	buffer_append_text(out, name);
	buffer_append_text(out, "\":");
	text_append_quoted(out, buffer_span(&shown));
	buffer_release(&shown);
}

static void write_line(struct summary *s, const struct buffer *line)
{
	if (line->failed) die(EXIT_INTERNAL, "no memory for a line of --json");
	writer_line(&s->out, buffer_span(line));
	writer_flush(&s->out); /* a file takes long enough; the end says whether it went well */
}

static void write_file(struct summary *s, const struct staging_item *item, enum summary_state state, const char *reason)
{
	struct buffer line, path;
	buffer_init(&line, LINE_MAX_BYTES);
	buffer_init(&path, LINE_MAX_BYTES);
	summary_append_path(&path, s->options.where, item->dir, item->name);
	buffer_append_text(&line, "{\"path\":");
	text_append_quoted(&line, buffer_span(&path));
	append_text_member(&line, "state", state_names[state]);
	append_member(&line, "records", item->records);
	append_member(&line, "bytes", item->bytes);
	append_member(&line, "raw_bytes", item->raw_bytes);
	if (*reason) append_text_member(&line, "reason", reason);
	buffer_append_byte(&line, '}');
	write_line(s, &line);
	buffer_release(&path);
	buffer_release(&line);
}

static void write_plan(struct summary *s, const struct staging_item *item)
{
	struct buffer line, path;
	buffer_init(&line, LINE_MAX_BYTES);
	buffer_init(&path, LINE_MAX_BYTES);
	summary_append_path(&path, s->options.where, item->dir, item->name);
	text_append_visible(&line, buffer_span(&path));
	buffer_append_byte(&line, '\t');
	buffer_append_int(&line, (int64_t)item->records);
	buffer_append_byte(&line, '\t');
	buffer_append_int(&line, (int64_t)item->bytes);
	write_line(s, &line);
	buffer_release(&path);
	buffer_release(&line);
}

/* At once, for a stream may be killed, and its file is published and forgotten then. Those that are no more remembered are written again: they say IF NOT EXISTS. */
static void add_partition(struct summary *s, struct span dir)
{
	struct buffer text;
	bool fresh;
	if (table_find(&s->dirs, dir)) return;
	buffer_init(&text, LINE_MAX_BYTES);
	int error = ddl_append_partition(&text, s->options.ddl, dir) ? write_all(s->dirs_fd, buffer_span(&text)) : ENOMEM;
	buffer_release(&text);
	if (!error) table_put(&s->dirs, dir, &fresh);
	else if (!s->dirs_error) diag_error("--add-partitions: %s: %s", s->options.add_partitions, strerror(error));
	if (error && !s->dirs_error) s->dirs_error = error;
}

void summary_file(struct summary *s, const struct staging_item *item, enum summary_state state, const char *reason)
{
	struct summary_sum *sum = &s->sum[state];
	sum->files++;
	sum->records += item->records;
	sum->bytes += item->bytes;
	sum->raw_bytes += item->raw_bytes;
	if (s->options.json) write_file(s, item, state, reason);
	else if (s->options.plan) write_plan(s, item);
	if (state == SUMMARY_PUBLISHED || state == SUMMARY_THERE) {
		diag_note(1, "%s: %s/%s: envelopes: %llu, bytes: %llu", state_names[state], item->dir, item->name, (unsigned long long)item->records, (unsigned long long)item->bytes);
		/* _late and the like are no partitions of the table. */
		if (s->options.add_partitions && item->dir[0] != '_') add_partition(s, span_of(item->dir));
	}
}

static void write_sum(struct summary *s, const char *kept_in)
{
	struct buffer line;
	struct summary_sum all = { 0 };
	buffer_init(&line, LINE_MAX_BYTES);
	for (int i = 0; i < SUMMARY_STATES; i++) {
		all.files += s->sum[i].files;
		all.records += s->sum[i].records;
		all.bytes += s->sum[i].bytes;
		all.raw_bytes += s->sum[i].raw_bytes;
	}
	buffer_append_text(&line, "{\"summary\":{\"files\":");
	buffer_append_int(&line, (int64_t)all.files);
	for (int i = 0; i < SUMMARY_STATES; i++)
		if (i != SUMMARY_PLANNED || s->options.plan) append_member(&line, state_names[i], s->sum[i].files);
	append_member(&line, "records", all.records);
	append_member(&line, "bytes", all.bytes);
	append_member(&line, "raw_bytes", all.raw_bytes);
	append_text_member(&line, "to", s->options.where);
	if (kept_in) append_text_member(&line, "staging", kept_in);
	buffer_append_text(&line, "}}");
	write_line(s, &line);
	buffer_release(&line);
}

static void tell_people(const struct summary *s)
{
	const struct summary_sum *new = &s->sum[SUMMARY_PUBLISHED], *there = &s->sum[SUMMARY_THERE];
	char bytes[32], raw[32], before[64] = "";
	if (!new->files && !there->files && s->sum[SUMMARY_KEPT].files + s->sum[SUMMARY_REFUSED].files) return; /* said already, and why */
	progress_print_bytes(bytes, (double)new->bytes);
	progress_print_bytes(raw, (double)new->raw_bytes);
	if (there->files) snprintf(before, sizeof before, "; there before: %llu", (unsigned long long)there->files);
	diag_note(0, "published below %s: files: %llu, envelopes: %llu, %s (%s of lines)%s", s->options.where,
		(unsigned long long)new->files, (unsigned long long)new->records, bytes, raw, before);
}

int summary_close(struct summary *s, const char *kept_in)
{
	int status = 0;
	if (s->options.json) write_sum(s, kept_in);
	/* Who has seen enough of a plan may go. */
	if (!writer_close(&s->out) && (s->options.json || (s->options.plan && s->out.error != EPIPE))) {
		diag_error("standard output: %s", strerror(s->out.error));
		status = EXIT_IO;
	}
	if (s->options.for_people) tell_people(s);
	if (s->dirs_fd >= 0 && close(s->dirs_fd) < 0 && !s->dirs_error) {
		s->dirs_error = errno;
		diag_error("--add-partitions: %s: %s", s->options.add_partitions, strerror(errno));
	}
	if (s->dirs_error) status = EXIT_IO;
	table_release(&s->dirs);
	return status;
}
