/* staging_record - N.dir and N.item: a JSON object each, written whole, believed only when it is whole. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "staging_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "base/text.h"
#include "envelope/field.h"

enum { TEXT_MAX = 128 * 1024 };

bool staging_path_is_plain(struct span dir)
{
	if (dir.length > STAGING_DIR_MAX || !text_is_utf8(dir) || (dir.length && memchr(dir.data, '\0', dir.length))) return false;
	for (struct span rest = dir; rest.length;) {
		const char *slash = memchr(rest.data, '/', rest.length);
		struct span part = { rest.data, slash ? (size_t)(slash - rest.data) : rest.length };
		if (part.length == 0 || part.length > STAGING_COMPONENT_MAX || span_equal(part, SPAN(".")) || span_equal(part, SPAN(".."))) return false;
		if (slash && part.length + 1 == rest.length) return false;
		rest = slash ? span_between(slash + 1, rest.data + rest.length) : SPAN("");
	}
	return true;
}

static bool name_is_plain(const char *name)
{
	return *name && !strchr(name, '/') && staging_path_is_plain(span_of(name));
}

/* --- writing ------------------------------------------------------------------ */

static void append_text(struct buffer *out, const char *name, const char *value)
{
	buffer_append_text(out, out->length ? ",\"" : "{\"");
	buffer_append_text(out, name);
	buffer_append_text(out, "\":");
	text_append_quoted(out, span_of(value));
}

static void append_count(struct buffer *out, const char *name, uint64_t value)
{
	buffer_append_text(out, ",\"");
	buffer_append_text(out, name);
	buffer_append_text(out, "\":");
	buffer_append_int(out, (int64_t)value);
}

static void append_sum(struct buffer *out, const char *name, struct checksum_wide sum)
{
	char text[CHECKSUM_WIDE_MAX];
	checksum_print_wide(text, sum);
	append_text(out, name, text);
}

static int write_record(const struct staging_run *run, int number, enum staging_kind kind, struct buffer *text)
{
	buffer_append_text(text, "}\n");
	int error = text->failed ? ENOMEM : staging_write_file(run, number, kind, buffer_span(text));
	buffer_release(text);
	return error;
}

int staging_write_dir(const struct staging_run *run, int number, const char *dir, uint64_t file, struct checksum_wide before)
{
	struct buffer text;
	buffer_init(&text, TEXT_MAX);
	append_text(&text, "dir", dir);
	append_count(&text, "file", file);
	append_sum(&text, "before", before);
	return write_record(run, number, STAGING_DIR, &text);
}

static const char *data_name(enum staging_kind data)
{
	return data == STAGING_DATA ? "data" : "ndjson";
}

int staging_write_item(const struct staging_run *run, int number, const struct staging_record *r)
{
	struct buffer text;
	char temporary[STAGING_NAME_MAX], name[STAGING_NAME_MAX];
	buffer_init(&text, TEXT_MAX);
	append_text(&text, "dir", r->dir);
	append_text(&text, "name", r->name);
	append_text(&text, "temp", r->temp);
	append_text(&text, "data", data_name(r->data));
	append_count(&text, "bytes", r->bytes);
	append_count(&text, "raw_bytes", r->raw_bytes);
	append_count(&text, "records", r->records);
	append_sum(&text, "checksum", r->sum);
	int error = write_record(run, number, STAGING_TEMPORARY, &text);
	staging_name(temporary, number, STAGING_TEMPORARY);
	staging_name(name, number, STAGING_ITEM);
	if (!error && renameat(run->dir_fd, temporary, run->dir_fd, name) < 0) {
		error = errno;
		staging_unlink(run, number, STAGING_TEMPORARY);
	}
	return error;
}

/* --- reading ------------------------------------------------------------------ */

static int read_text(const struct staging_run *run, int number, enum staging_kind kind, struct buffer *text)
{
	int error = 0, fd = staging_open_file(run, number, kind, O_RDONLY);
	if (fd < 0) return errno;
	for (ssize_t got = 1; got && !error;) {
		if (!buffer_reserve(text, 4096)) error = text->length > TEXT_MAX / 2 ? EBADMSG : ENOMEM;
		else if ((got = read(fd, text->data + text->length, text->capacity - text->length)) >= 0) text->length += (size_t)got;
		else if (errno != EINTR) error = errno;
	}
	close(fd);
	return error;
}

struct record {
	struct scan scan;
	struct buffer copy, text;
	struct envelope envelope;
};

static void record_release(struct record *r)
{
	scan_release(&r->scan);
	buffer_release(&r->copy);
	buffer_release(&r->text);
}

/* A record is a JSON object, and so an envelope with other members. */
static int record_read(struct record *r, const struct staging_run *run, int number, enum staging_kind kind)
{
	struct envelope_fault fault;
	*r = (struct record){ 0 };
	buffer_init(&r->copy, 2 * TEXT_MAX);
	buffer_init(&r->text, TEXT_MAX);
	if (!scan_init(&r->scan)) return ENOMEM;
	int error = read_text(run, number, kind, &r->text);
	if (error) return error;
	bool good = r->text.length && r->text.data[r->text.length - 1] == '\n' &&
	            envelope_parse_copy(&r->envelope, &r->scan, &r->copy, buffer_span(&r->text), &fault) == ENVELOPE_GOOD;
	return good ? 0 : EBADMSG;
}

static struct value find(const struct record *r, const char *name)
{
	struct field_path path;
	return field_path_init(&path, span_of(name)) ? field_find(&r->envelope, &path) : (struct value){ .kind = VALUE_ABSENT };
}

static bool read_count(const struct record *r, const char *name, uint64_t *count)
{
	struct value value = find(r, name);
	int64_t number;
	if (value.kind != VALUE_NUMBER || !number_parse_int(value.text, &number) || number < 0) return false;
	*count = (uint64_t)number;
	return true;
}

static bool read_string(const struct record *r, const char *name, char **text)
{
	struct value value = find(r, name);
	struct buffer decoded;
	if (value.kind != VALUE_STRING) return false;
	buffer_init(&decoded, TEXT_MAX);
	bool ok = text_append_unescaped(&decoded, value.text) && buffer_text(&decoded);
	if (ok && strlen(decoded.data) == decoded.length) *text = strdup(decoded.data);
	buffer_release(&decoded);
	return ok && *text;
}

static bool read_sum(const struct record *r, const char *name, struct checksum_wide *sum)
{
	struct value value = find(r, name);
	return value.kind == VALUE_STRING && checksum_parse_wide(value.text, sum);
}

int staging_read_dir(const struct staging_run *run, int number, char **dir, uint64_t *file, struct checksum_wide *before)
{
	struct record r;
	*dir = NULL;
	int error = record_read(&r, run, number, STAGING_DIR);
	if (!error && !(read_string(&r, "dir", dir) && staging_path_is_plain(span_of(*dir)) && read_count(&r, "file", file) && read_sum(&r, "before", before)))
		error = EBADMSG;
	record_release(&r);
	if (!error) return 0;
	free(*dir);
	*dir = NULL;
	return error;
}

static bool read_data_kind(const struct record *r, enum staging_kind *kind)
{
	struct value value = find(r, "data");
	*kind = field_equals(value, SPAN("data")) ? STAGING_DATA : STAGING_LINES;
	return value.kind == VALUE_STRING && field_equals(value, span_of(data_name(*kind)));
}

static bool read_members(const struct record *r, struct staging_record *item)
{
	return read_string(r, "dir", &item->dir) && read_string(r, "name", &item->name) && read_string(r, "temp", &item->temp) &&
	       staging_path_is_plain(span_of(item->dir)) && name_is_plain(item->name) && name_is_plain(item->temp) && read_data_kind(r, &item->data) &&
	       read_count(r, "bytes", &item->bytes) && read_count(r, "raw_bytes", &item->raw_bytes) && read_count(r, "records", &item->records) &&
	       read_sum(r, "checksum", &item->sum);
}

int staging_read_item(const struct staging_run *run, int number, struct staging_record *item)
{
	struct record r;
	*item = (struct staging_record){ 0 };
	int error = record_read(&r, run, number, STAGING_ITEM);
	if (!error && !read_members(&r, item)) error = EBADMSG;
	record_release(&r);
	if (error) staging_record_release(item);
	return error;
}

void staging_record_release(struct staging_record *r)
{
	free(r->dir);
	free(r->name);
	free(r->temp);
	*r = (struct staging_record){ 0 };
}

int staging_open_data(const struct staging_run *run, int number, const struct staging_record *r)
{
	struct stat status;
	int fd = staging_open_file(run, number, r->data, O_RDONLY);
	if (fd < 0) return -1;
	int error = fstat(fd, &status) < 0 ? errno : (uint64_t)status.st_size != r->bytes ? EBADMSG : 0;
	if (!error) return fd;
	close(fd);
	errno = error;
	return -1;
}
