/* fuzz_segment - reads any bytes as a segment in each of its forms; only what its trailer vouches for counts as whole, and memory is bounded. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "envelope/scan.h"
#include "sink/compress.h"
#include "sink/segment.h"

/* The first byte chooses the limit of lines, the rest is the content of a file. What must hold:
 *   what is handed out is whole lines, none over the limit, from the file in its order, and the trailer is not among them;
 *   a sealed one that is right is what was handed out and a trailer that says so, and nothing else;
 *   compressed by us, the same content gives the same lines and the same verdict;
 *   growing, it gives the same whole lines, however it is cut;
 *   the content taken for zstd does no harm.
 * Its trailer can be right, as its stem is always this one. */
static const char stem[] = "000000000042-20121005T120001Z-8a7b6c5d";

enum { MEMORY_MAX = 24 << 20, CONTENT_MAX = 1 << 20 };

size_t __sanitizer_get_current_allocated_bytes(void);

static struct {
	char path[64];
	int dir_fd;
} place = { .dir_fd = -1 };

static void require(bool condition)
{
	if (!condition) abort();
}

static void leave_place(void)
{
	static const char *const endings[] = { "open", "ndjson", "ndjson.zst" };
	char name[SEGMENT_NAME_MAX];
	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s.%s", stem, endings[i]);
		unlinkat(place.dir_fd, name, 0);
	}
	rmdir(place.path);
}

static void make_place(void)
{
	if (place.dir_fd >= 0) return;
	const char *base = getenv("TMPDIR");
	snprintf(place.path, sizeof place.path, "%.30s/fuzz-segment-XXXXXX", base && strlen(base) <= 30 ? base : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	require(mkdtemp(place.path) != NULL);
	place.dir_fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(place.dir_fd >= 0);
	atexit(leave_place);
}

static struct segment segment_of(enum segment_form form)
{
	struct segment segment;
	char name[SEGMENT_NAME_MAX];
	snprintf(name, sizeof name, "%s.open", stem);
	require(segment_parse(&segment, name));
	segment.form = form;
	return segment;
}

static void write_form(enum segment_form form, struct span content, int flags)
{
	struct segment segment = segment_of(form);
	char name[SEGMENT_NAME_MAX];
	segment_name(name, &segment, form);
	int fd = openat(place.dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	require(fd >= 0 && write(fd, content.data, content.length) == (ssize_t)content.length);
	close(fd);
}

static void remove_form(enum segment_form form)
{
	struct segment segment = segment_of(form);
	char name[SEGMENT_NAME_MAX];
	segment_name(name, &segment, form);
	unlinkat(place.dir_fd, name, 0);
}

static enum segment_read gather(struct segment_reader *r, struct buffer *text, size_t limit)
{
	struct span lines;
	enum segment_read result;
	while ((result = segment_reader_next(r, &lines)) == SEGMENT_LINES) {
		require(lines.length && lines.data[lines.length - 1] == '\n');
		size_t start = 0;
		for (size_t i = 0; i < lines.length + SCAN_PADDING; i++) {
			if (i >= lines.length || ((const volatile char *)lines.data)[i] != '\n') continue;
			require(i - start <= limit);
			start = i + 1;
		}
		if (text->length < CONTENT_MAX * 4) buffer_append_span(text, lines);
		require(__sanitizer_get_current_allocated_bytes() < MEMORY_MAX + 8 * CONTENT_MAX);
	}
	require(result != SEGMENT_ERROR);
	require((result == SEGMENT_DAMAGED) == (*segment_reader_reason(r) != '\0') || segment_reader_form(r) == SEGMENT_OPEN);
	return result;
}

static enum segment_read read_form(enum segment_form form, struct buffer *text, size_t limit)
{
	struct segment segment = segment_of(form);
	struct segment_reader *r = segment_reader_open(place.dir_fd, &segment, limit);
	require(r != NULL);
	buffer_clear(text);
	enum segment_read result = gather(r, text, limit);
	require(form == SEGMENT_OPEN || (result == SEGMENT_END) == (segment_reader_is_sealed(r) && !*segment_reader_reason(r)));
	segment_reader_free(r);
	return result;
}

static size_t count_lines(struct span text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.length; i++) count += text.data[i] == '\n';
	return count;
}

static void require_vouched_for(struct span content, struct span text)
{
	struct segment_trailer trailer;
	require(span_starts(content, text));
	struct span rest = { content.data + text.length, content.length - text.length };
	require(segment_trailer_parse(rest, stem, &trailer));
	require(trailer.bytes == text.length && trailer.records == count_lines(text));
}

/* Each line of `text` stands in the content, in this order. */
static void require_from(struct span content, struct span text)
{
	while (text.length) {
		size_t length = (size_t)((const char *)memchr(text.data, '\n', text.length) - text.data) + 1;
		struct span line = { text.data, length };
		for (;;) {
			const char *newline = memchr(content.data, '\n', content.length);
			require(newline != NULL);
			struct span whole = { content.data, (size_t)(newline - content.data) + 1 };
			content.data += whole.length;
			content.length -= whole.length;
			if (span_equal(whole, line)) break;
		}
		text.data += length;
		text.length -= length;
	}
}

static void deflate(struct buffer *out, struct span content)
{
	struct compress *c = compress_new(1);
	char block[4096];
	require(c != NULL);
	for (bool done = false; !done;) buffer_append(out, block, compress_step(c, &content, true, block, sizeof block, &done));
	compress_free(c);
}

/* In pieces whose length the content itself chooses. */
static void try_growing(struct span content, size_t limit, struct buffer *text, struct buffer *at_once)
{
	struct segment segment = segment_of(SEGMENT_OPEN);
	write_form(SEGMENT_OPEN, content, O_TRUNC);
	require(read_form(SEGMENT_OPEN, at_once, limit) != SEGMENT_ERROR);
	require_from(content, buffer_span(at_once));
	write_form(SEGMENT_OPEN, SPAN(""), O_TRUNC);
	struct segment_reader *r = segment_reader_open(place.dir_fd, &segment, limit);
	require(r != NULL);
	buffer_clear(text);
	size_t piece = content.length / 7 + 1;
	while (content.length) {
		struct span part = { content.data, content.length < piece ? content.length : piece };
		write_form(SEGMENT_OPEN, part, O_APPEND);
		content.data += part.length;
		content.length -= part.length;
		gather(r, text, limit);
	}
	/* A whole trailer in the middle is the end of what is there at that moment, but for good only when nothing follows. */
	require(span_equal(buffer_span(text), buffer_span(at_once)));
	segment_reader_free(r);
	remove_form(SEGMENT_OPEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > CONTENT_MAX) return 0;
	size_t limit = data[0] & 0x80 ? (size_t)(data[0] & 0x7f) : 1 << 20;
	struct span content = { (const char *)data + 1, size - 1 };
	struct buffer text, other;
	make_place();
	buffer_init(&text, 8 * CONTENT_MAX);
	buffer_init(&other, 8 * CONTENT_MAX);

	write_form(SEGMENT_SEALED, content, O_TRUNC);
	enum segment_read sealed = read_form(SEGMENT_SEALED, &text, limit);
	if (sealed == SEGMENT_END) require_vouched_for(content, buffer_span(&text));
	else require_from(content, buffer_span(&text));
	remove_form(SEGMENT_SEALED);

	deflate(&other, content);
	write_form(SEGMENT_COMPRESSED, buffer_span(&other), O_TRUNC);
	require(read_form(SEGMENT_COMPRESSED, &other, limit) == sealed);
	require(span_equal(buffer_span(&text), buffer_span(&other)));

	write_form(SEGMENT_COMPRESSED, content, O_TRUNC);
	read_form(SEGMENT_COMPRESSED, &other, limit);
	remove_form(SEGMENT_COMPRESSED);

	try_growing(content, limit, &text, &other);
	buffer_release(&text);
	buffer_release(&other);
	return 0;
}
