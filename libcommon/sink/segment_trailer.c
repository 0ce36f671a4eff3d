/* segment_trailer - the last line of a sealed segment: what its body must be, and that the line itself is whole. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/segment.h"

#include <errno.h>

#include "base/number.h"
#include "envelope/field.h"
#include "filter/stats.h"
#include "sink/sealed_line.h"

static const char checksum_prefix[] = "xxh3:";
bool segment_trailer_append(struct buffer *out, const char *stem, const struct segment_trailer *trailer)
{
	size_t start = out->length;
	stats_append_head(out, "metlog.segment", 6);
	buffer_append_text(out, "\"payload\":\"\",\"fields\":{\"segment\":\"");
	buffer_append_text(out, stem);
	buffer_append_text(out, "\",\"records\":");
	buffer_append_int(out, (int64_t)trailer->records);
	buffer_append_text(out, ",\"bytes\":");
	buffer_append_int(out, (int64_t)trailer->bytes);
	buffer_append_text(out, ",\"checksum\":\"");
	buffer_append_text(out, checksum_prefix);
	sealed_line_append_hex(out, trailer->checksum);
	buffer_append_byte(out, '"');
	/* The checksum of the body says nothing of a digit of this line that has changed. */
	return sealed_line_end(out, start);
}

bool segment_trailer_is_remains(struct span line, const char *stem)
{
	static const char type[] = "\"type\":\"metlog.segment\"", last[] = ",\"line\":\"xxh3:";
	if (line.length && line.data[line.length - 1] == '\n') line.length--;
	if (!line.length || line.length >= SEGMENT_TRAILER_MAX) return false;
	if (memmem(line.data, line.length, stem, strlen(stem))) return true;
	/* A trailer of another segment is data, if it is whole: somebody has written a whole file into the spool. */
	return memmem(line.data, line.length, type, sizeof type - 1) && memmem(line.data, line.length, last, sizeof last - 1) && !sealed_line_is_whole(line);
}

static bool find(const struct envelope *e, const char *path_text, enum value_kind kind, struct value *value)
{
	struct field_path path;
	if (!field_path_init(&path, span_of(path_text))) return false;
	*value = field_find(e, &path);
	return value->kind == kind && !value->escaped;
}

static bool find_count(const struct envelope *e, const char *path, uint64_t *count)
{
	struct value value;
	int64_t number;
	if (!find(e, path, VALUE_NUMBER, &value) || !number_parse_int(value.text, &number) || number < 0) return false;
	*count = (uint64_t)number;
	return true;
}

static bool read_fields(const struct envelope *e, const char *stem, struct segment_trailer *trailer)
{
	struct value value;
	if (!span_equal(e->type.text, SPAN("metlog.segment")) || !find(e, "fields.segment", VALUE_STRING, &value) || !span_equal(value.text, span_of(stem))) return false;
	if (!find_count(e, "fields.records", &trailer->records) || !find_count(e, "fields.bytes", &trailer->bytes)) return false;
	if (!find(e, "fields.checksum", VALUE_STRING, &value) || !span_starts(value.text, span_of(checksum_prefix))) return false;
	value.text.data += sizeof checksum_prefix - 1;
	value.text.length -= sizeof checksum_prefix - 1;
	return sealed_line_parse_hex(value.text, &trailer->checksum);
}

bool segment_trailer_parse(struct span line, const char *stem, struct segment_trailer *trailer)
{
	struct scan scan;
	struct buffer copy;
	struct envelope envelope;
	struct envelope_fault fault;
	if (line.length && line.data[line.length - 1] == '\n') line.length--;
	/* Most lines that are asked about are a user's: it must cost them little. */
	errno = 0;
	if (line.length >= SEGMENT_TRAILER_MAX || !sealed_line_is_whole(line) || memchr(line.data, '\n', line.length)) return false;
	if (!scan_init(&scan)) {
		errno = ENOMEM;
		return false;
	}
	buffer_init(&copy, 2 * SEGMENT_TRAILER_MAX);
	bool good = envelope_parse_copy(&envelope, &scan, &copy, line, &fault) == ENVELOPE_GOOD && read_fields(&envelope, stem, trailer);
	bool no_memory = copy.failed; /* a line so short needs no larger index */
	buffer_release(&copy);
	scan_release(&scan);
	errno = no_memory ? ENOMEM : 0;
	return good;
}
