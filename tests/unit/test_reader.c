/* test_reader - lines come out whole and in order, however the input is cut into reads, and one over the limit costs no other. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "io/reader.h"

/* What a reader gave out, written down: "line\n" for each line, "<LENGTH>\n" for one that was too long. */
struct harvest {
	struct buffer text;
	uint64_t lines, longest_capacity;
};

static void gather(struct reader *r, struct harvest *h)
{
	while (reader_has_line(r)) {
		const char *start = r->data + r->at, *newline = memchr(start, '\n', r->lines_end - r->at);
		assert_non_null(newline); /* the region ends with one */
		size_t length = (size_t)(newline - start);
		for (int i = 0; i < READER_PADDING; i++) (void)*(const volatile char *)(r->data + r->lines_end + i); /* readable: a sanitizer would tell */
		struct span line = reader_take(r, length);
		if (length > r->line_limit) { /* it came with its newline in one read: the caller sees its length */
			char mark[32];
			snprintf(mark, sizeof mark, "<%zu>\n", length);
			buffer_append_text(&h->text, mark);
		}
		else buffer_append_span(&h->text, line), buffer_append_byte(&h->text, '\n');
	}
	h->lines = r->lines;
	if (r->capacity > h->longest_capacity) h->longest_capacity = r->capacity;
}

/* One step; false at the end of the input. */
static bool step(struct reader *r, struct harvest *h)
{
	uint64_t length;
	char mark[32];
	switch (reader_fill(r)) {
	case READER_LINES: assert_true(reader_has_line(r)); break;
	case READER_NOTHING: assert_false(reader_has_line(r)); break;
	case READER_OVERLONG: {
		struct span kept = reader_overlong(r, &length);
		assert_true(kept.length <= length && length > r->line_limit && kept.length > 0);
		for (size_t i = 0; i < kept.length; i++) assert_true(kept.data[i] == 'x');
		snprintf(mark, sizeof mark, "<%llu>\n", (unsigned long long)length);
		buffer_append_text(&h->text, mark);
		break;
	}
	case READER_END: return false;
	case READER_ERROR: fail_msg("error %d", r->error);
	}
	gather(r, h);
	return true;
}

/* Feeds `input` through a pipe in pieces of `chunk` bytes (0: as much as the pipe takes), and reads after each piece. */
static void harvest(struct harvest *h, struct span input, size_t chunk, size_t limit)
{
	int ends[2];
	struct reader r;
	*h = (struct harvest){ 0 };
	buffer_init(&h->text, 1 << 26);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	reader_init(&r, limit);
	reader_open(&r, ends[0], "pipe");
	assert_true(r.polls);
	size_t total = input.length;
	while (input.length) {
		size_t piece = chunk && chunk < input.length ? chunk : input.length;
		ssize_t written = write(ends[1], input.data, piece);
		if (written < 0) assert_int_equal(errno, EAGAIN);
		else input.data += written, input.length -= (size_t)written;
		step(&r, h);
	}
	close(ends[1]);
	while (step(&r, h)) {}
	assert_int_equal(reader_fill(&r), READER_END); /* and it stays so */
	assert_int_equal(r.bytes, total);
	reader_release(&r);
	close(ends[0]);
}

static void expect_harvest(struct span input, size_t chunk, size_t limit, struct span wanted, uint64_t lines)
{
	struct harvest h;
	harvest(&h, input, chunk, limit);
	if (!span_equal(buffer_span(&h.text), wanted))
		fail_msg("chunk %zu, limit %zu: %zu bytes \"%.*s\", not %zu \"%.*s\"", chunk, limit, h.text.length, (int)(h.text.length < 200 ? h.text.length : 200), h.text.data,
		         wanted.length, (int)(wanted.length < 200 ? wanted.length : 200), wanted.data);
	assert_int_equal(h.lines, lines);
	buffer_release(&h.text);
}

static void chunks_of_every_size_give_the_same_lines(void **state)
{
	(void)state;
	static const struct { struct span in, out; uint64_t lines; } rows[] = {
		{ SPAN(""), SPAN(""), 0 }, { SPAN("\n"), SPAN("\n"), 1 }, { SPAN("a"), SPAN("a\n"), 1 }, { SPAN("a\n"), SPAN("a\n"), 1 }, { SPAN("a\n\n\nb"), SPAN("a\n\n\nb\n"), 4 },
		{ SPAN("one\ntwo\nthree"), SPAN("one\ntwo\nthree\n"), 3 }, { SPAN("a\r\nb\0c\n\xff\n"), SPAN("a\r\nb\0c\n\xff\n"), 3 },
		/* The limit is 10. */
		{ SPAN("0123456789\n"), SPAN("0123456789\n"), 1 }, { SPAN("0123456789"), SPAN("0123456789\n"), 1 }, { SPAN("xxxxxxxxxxx\n"), SPAN("<11>\n"), 1 },
		{ SPAN("xxxxxxxxxxx"), SPAN("<11>\n"), 1 }, { SPAN("a\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nb\n"), SPAN("a\n<30>\nb\n"), 3 },
		{ SPAN("xxxxxxxxxxxxxxx\nxxxxxxxxxxxx\n\nxxxxxxxxxxxxx\nok\nxxxxxxxxxxxxxx"), SPAN("<15>\n<12>\n\n<13>\nok\n<14>\n"), 6 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t chunk = 0; chunk <= rows[i].in.length; chunk++) expect_harvest(rows[i].in, chunk, 10, rows[i].out, rows[i].lines);
}

static void lines_of_every_length_survive_the_borders_of_blocks(void **state)
{
	(void)state;
	struct buffer input;
	buffer_init(&input, 1 << 26);
	uint64_t lines = 0;
	for (size_t length = 0; input.length < 5 * READER_BLOCK; length = length * 7 % 1013 + 1, lines++) {
		for (size_t i = 0; i < length; i++) buffer_append_byte(&input, (char)('a' + (lines + i) % 26));
		buffer_append_byte(&input, '\n');
	}
	static const size_t chunks[] = { 0, 1009, 4096, 65536, READER_BLOCK / 2 - 1, READER_BLOCK - 1, READER_BLOCK, READER_BLOCK + 1 };
	for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) expect_harvest(buffer_span(&input), chunks[i], 1 << 20, buffer_span(&input), lines);
	buffer_release(&input);
}

/* Lines just under, at and over a limit of 1 MiB, between short ones, with and without a newline at the end. */
static void the_limit_is_exact_for_lines_over_several_blocks(void **state)
{
	(void)state;
	static const size_t chunks[] = { 0, 5000, 65536, READER_BLOCK };
	const size_t limit = 1 << 20;
	for (size_t length = limit - 1; length <= limit + 2; length++)
		for (size_t c = 0; c < 4; c++)
			for (int newline = 0; newline < 2; newline++) {
				struct buffer input, wanted;
				char mark[32];
				buffer_init(&input, 1 << 26);
				buffer_init(&wanted, 1 << 26);
				buffer_append_text(&input, "before\n");
				for (size_t i = 0; i < length; i++) buffer_append_byte(&input, 'x');
				snprintf(mark, sizeof mark, "before\n<%zu>\n", length);
				if (length > limit) buffer_append_text(&wanted, mark);
				else buffer_append_span(&wanted, buffer_span(&input)), buffer_append_byte(&wanted, '\n');
				if (newline) buffer_append_text(&input, "\nafter\n"), buffer_append_text(&wanted, "after\n");
				expect_harvest(buffer_span(&input), chunks[c], limit, buffer_span(&wanted), newline ? 3 : 2);
				buffer_release(&input);
				buffer_release(&wanted);
			}
}

static void an_endless_line_costs_no_more_memory_than_the_limit(void **state)
{
	(void)state;
	struct buffer input;
	struct harvest h;
	buffer_init(&input, 1 << 26);
	assert_true(buffer_reserve(&input, 1 << 25));
	memset(input.data, 'x', 1 << 25);
	input.length = 1 << 25;
	buffer_append_text(&input, "\nstill there\n");
	harvest(&h, buffer_span(&input), 0, 1 << 20);
	assert_true(span_equal(buffer_span(&h.text), SPAN("<33554432>\nstill there\n")));
	assert_true(h.longest_capacity <= 4 << 20);
	buffer_release(&h.text);
	buffer_release(&input);
}

static void a_source_can_follow_another(void **state)
{
	(void)state;
	struct reader r;
	struct harvest h = { 0 };
	char path[] = "/tmp/metlog-test-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	buffer_init(&h.text, 1 << 20);
	reader_init(&r, 100);
	assert_int_equal(reader_fill(&r), READER_END); /* nothing is open yet */
	for (int round = 0; round < 3; round++) {
		assert_int_equal(pwrite(fd, "xxxxxxx\nlast", 12, 0), 12);
		lseek(fd, round == 2 ? 8 : 0, SEEK_SET);
		r.line_limit = round == 1 ? 3 : 100;
		reader_open(&r, fd, "file");
		assert_false(r.polls);
		while (step(&r, &h)) {}
		assert_int_equal(r.lines, round == 2 ? 1 : 2);
	}
	assert_true(span_equal(buffer_span(&h.text), SPAN("xxxxxxx\nlast\n<7>\n<4>\nlast\n")));
	buffer_release(&h.text);
	reader_release(&r);
	close(fd);
}

static void an_error_of_read_is_told(void **state)
{
	(void)state;
	struct reader r;
	int fd = open("/", O_RDONLY | O_DIRECTORY);
	reader_init(&r, 100);
	reader_open(&r, fd, "/");
	assert_int_equal(reader_fill(&r), READER_ERROR);
	assert_int_equal(r.error, EISDIR);
	reader_release(&r);
	close(fd);
}

static void nothing_to_read_yet_is_no_end(void **state)
{
	(void)state;
	int ends[2];
	struct reader r;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	reader_init(&r, 100);
	reader_open(&r, ends[0], "pipe");
	assert_int_equal(reader_fill(&r), READER_NOTHING);
	assert_int_equal(write(ends[1], "a\nb", 3), 3);
	assert_int_equal(reader_fill(&r), READER_LINES);
	assert_true(span_equal(reader_take(&r, 1), SPAN("a")));
	assert_int_equal(reader_fill(&r), READER_NOTHING);
	close(ends[1]);
	assert_int_equal(reader_fill(&r), READER_LINES);
	assert_true(span_equal(reader_take(&r, 1), SPAN("b")));
	assert_int_equal(reader_fill(&r), READER_END);
	reader_release(&r);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_of_every_size_give_the_same_lines),
		cmocka_unit_test(lines_of_every_length_survive_the_borders_of_blocks),
		cmocka_unit_test(the_limit_is_exact_for_lines_over_several_blocks),
		cmocka_unit_test(an_endless_line_costs_no_more_memory_than_the_limit),
		cmocka_unit_test(a_source_can_follow_another),
		cmocka_unit_test(an_error_of_read_is_told),
		cmocka_unit_test(nothing_to_read_yet_is_no_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
