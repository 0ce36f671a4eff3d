/* rejects - lines that are no envelopes: reported, counted, and kept as envelopes of type metlog.reject. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "filter/rejects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "filter/stats.h"
#include "io/diag.h"
#include "io/writer.h"

void rejects_open(struct rejects *r, const char *path, bool strict)
{
	*r = (struct rejects){ .path = path, .fd = -1, .strict = strict };
	buffer_init(&r->record, SIZE_MAX / 2);
	if (!path) return;
	r->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (r->fd < 0) die_errno(EXIT_NO_OUTPUT, "%s", path);
}

void rejects_reopen(struct rejects *r)
{
	if (!r->path) return;
	int fd = open(r->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		diag_warn("SIGHUP: %s: %s; rejects go where they went", r->path, strerror(errno));
		return;
	}
	close(r->fd);
	r->fd = fd;
	diag_warn("SIGHUP: %s was opened anew", r->path);
}

static void report(const struct reject *reject)
{
	char where[64] = "";
	struct buffer shown;
	bool cut = reject->raw.length > 200;
	if (reject->column) snprintf(where, sizeof where, "column %zu: ", reject->column);
	buffer_init(&shown, 4096);
	text_append_visible(&shown, (struct span){ reject->raw.data, cut ? 200 : reject->raw.length });
	diag_error("%s:%llu: %s%s: %s%s", reject->source, (unsigned long long)reject->line, where, reject->reason, buffer_text(&shown), cut ? "..." : "");
	buffer_release(&shown);
}

/* Of a line that is over the limit the record holds so much that it is an envelope within the limit itself, however it is escaped. */
enum { RECORD_START_MAX = 64 * 1024 };

static struct span recorded(const struct reject *reject)
{
	struct span raw = reject->raw;
	if (!reject->length || raw.length <= RECORD_START_MAX) return raw;
	raw.length = RECORD_START_MAX;
	while (raw.length > RECORD_START_MAX - 4 && ((unsigned char)raw.data[raw.length] & 0xC0) == 0x80) raw.length--; /* not within a character */
	return raw;
}

static void append_record(struct buffer *out, const struct reject *reject)
{
	struct span raw = recorded(reject);
	bool is_text = text_is_utf8(raw);
	buffer_clear(out);
	stats_append_head(out, "metlog.reject", 4);
	buffer_append_text(out, "\"payload\":\"");
	if (is_text) text_append_escaped(out, raw);
	else text_append_base64(out, raw);
	buffer_append_text(out, "\",\"fields\":{\"tool\":");
	text_append_quoted(out, span_of(diag_program()));
	buffer_append_text(out, ",\"reason\":");
	text_append_quoted(out, span_of(reject->reason));
	if (reject->column) buffer_append_text(out, ",\"column\":"), buffer_append_int(out, (int64_t)reject->column);
	buffer_append_text(out, ",\"source\":");
	text_append_quoted(out, text_is_utf8(span_of(reject->source)) ? span_of(reject->source) : SPAN("?"));
	buffer_append_text(out, ",\"line\":");
	buffer_append_int(out, (int64_t)reject->line);
	if (!is_text) buffer_append_text(out, ",\"encoding\":\"base64\"");
	if (reject->length > raw.length) {
		buffer_append_text(out, ",\"truncated\":true,\"length\":");
		buffer_append_int(out, (int64_t)reject->length);
	}
	buffer_append_text(out, "}}\n");
}

/* A compressed file is no damaged one: the reason alone (a NUL byte) would mislead. */
static void hint(const struct reject *reject)
{
	static const struct { struct span magic; const char *program; } kinds[] = { { SPAN("\x28\xb5\x2f\xfd"), "zstdcat" }, { SPAN("\x1f\x8b"), "zcat" } };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && reject->line == 1; i++)
		if (reject->raw.length >= kinds[i].magic.length && memcmp(reject->raw.data, kinds[i].magic.data, kinds[i].magic.length) == 0)
			diag_warn("%s: this looks compressed; %s(1) reads it", reject->source, kinds[i].program);
}

void rejects_add(struct rejects *r, const struct reject *reject)
{
	r->count++;
	hint(reject);
	if (r->path) {
		append_record(&r->record, reject);
		if (r->record.failed) die(EXIT_INTERNAL, "no memory for a reject record");
		int error = write_all(r->fd, buffer_span(&r->record));
		if (error) die(EXIT_IO, "%s: %s", r->path, strerror(error));
	} else if (r->count == 1 && !r->shown) report(reject);
	if (!r->strict || r->fatal) return;
	if (r->path) report(reject);
	diag_error("stopped at the first reject (--strict)");
	r->fatal = true;
}

int rejects_close(struct rejects *r)
{
	buffer_release(&r->record);
	if (!r->path || r->fatal) {
		if (r->path && close(r->fd) < 0) return EXIT_IO;
		if (r->count > 1 && !r->path) diag_error("%llu lines rejected; the first is shown above (--rejects FILE keeps them all)", (unsigned long long)r->count);
		return r->count ? EXIT_REJECTS : EXIT_DONE;
	}
	if (close(r->fd) < 0) {
		diag_error("%s: cannot close", r->path);
		return EXIT_IO;
	}
	if (r->count) diag_warn("%llu line%s rejected, kept in %s", (unsigned long long)r->count, r->count == 1 ? "" : "s", r->path);
	return EXIT_DONE;
}
