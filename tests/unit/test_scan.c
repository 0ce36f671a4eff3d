/* test_scan - every kernel this machine can run answers as a scanner does that goes byte by byte, and reads nothing it must not. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "envelope/scan.h"

/* --- the same answer from a scanner that nobody would call fast --- */

struct answer {
	uint32_t *index;
	size_t count;
	unsigned flags;
};

static void scan_slowly(struct span line, struct answer *a)
{
	bool inside = false, escaped = false, in_scalar = false;
	a->count = a->flags = 0;
	for (size_t i = 0; i < line.length; i++) {
		char c = line.data[i];
		bool literal = escaped, control = (unsigned char)c < 0x20;
		escaped = !literal && c == '\\';
		if (escaped) a->flags |= scan_escape_is_good(line.data + i + 1) ? SCAN_ESCAPES : SCAN_ESCAPES | SCAN_BAD_ESCAPE;
		if (c == '"' && !literal) {
			inside = !inside;
			in_scalar = false;
			a->index[a->count++] = (uint32_t)i;
		}
		else if (inside) {
			if (control) a->flags |= SCAN_CONTROL;
		}
		else if (c && strchr("{}[]:,", c)) {
			in_scalar = false;
			a->index[a->count++] = (uint32_t)i;
		}
		else if (c && strchr(" \t\r", c)) in_scalar = false;
		else {
			if (!in_scalar) a->index[a->count++] = (uint32_t)i;
			if (control) a->flags |= SCAN_CONTROL;
			in_scalar = true;
		}
	}
	if (inside) a->flags |= SCAN_OPEN_STRING;
	if (!text_is_utf8(line)) a->flags |= SCAN_NOT_UTF8;
	a->index[a->count++] = (uint32_t)line.length;
}

/* --- a place between two pages that may not be touched --- */

enum { PLACE = 256 * 1024 };

struct fixture {
	char *place;           /* PLACE bytes, a forbidden page on either side */
	struct answer answer;
	struct scan scan;
};

static int open_fixture(void **state)
{
	static struct fixture f;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *all = mmap(NULL, PLACE + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED || mprotect(all, page, PROT_NONE) || mprotect(all + page + PLACE, page, PROT_NONE)) return -1;
	f.place = all + page;
	f.answer.index = malloc((PLACE + 1) * sizeof *f.answer.index);
	*state = &f;
	return f.answer.index && scan_init(&f.scan) ? 0 : -1;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	munmap(f->place - page, PLACE + 2 * page);
	free(f->answer.index);
	scan_release(&f->scan);
	return 0;
}

static _Noreturn void report(const struct fixture *f, const char *what, struct span line)
{
	struct buffer shown;
	buffer_init(&shown, 1 << 20);
	text_append_visible(&shown, (struct span){ line.data, line.length < 400 ? line.length : 400 });
	fprintf(stderr, "%s: %s differs: length %zu, flags %#x (should be %#x), count %zu (should be %zu): %s\n", f->scan.kernel->name, what, line.length,
	        f->scan.flags, f->answer.flags, f->scan.count, f->answer.count, buffer_text(&shown));
	buffer_release(&shown);
	fail();
	abort();
}

/* The line at `start` is scanned by every kernel; its newline is at start[length]. */
static void expect_as_slow(struct fixture *f, const char *start, size_t length)
{
	struct span line = { start, length };
	scan_slowly(line, &f->answer);
	for (const struct scan_kernel *const *kernel = scan_kernels(); *kernel; kernel++) {
		f->scan.kernel = *kernel;
		if (scan_line(&f->scan, start, start + length + 1) != length) report(f, "length", line);
		if (f->scan.flags != f->answer.flags) report(f, "flags", line);
		if (f->answer.flags & SCAN_CONTROL) continue; /* the line is bad, and a kernel may take form feed and SUB for punctuation */
		if (f->scan.count != f->answer.count) report(f, "count", line);
		if (memcmp(f->scan.index, f->answer.index, f->answer.count * sizeof *f->answer.index) != 0) report(f, "index", line);
	}
}

/* Behind the newline stands what would change every answer if it were taken into account. */
static void end_line(char *newline)
{
	static const char poison[SCAN_PADDING + 1] = "\n\"\\\xff\x01{}[]:,\n\"\"\\\\\xc3\x80u12x\"{\"\xe2\x82\x01\x02\x03\x04\x05\x06\x07\x08\"\\\"\"\"\xf0\x9f";
	memcpy(newline, poison, sizeof poison);
}

static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void fill_randomly(char *at, size_t length, uint64_t *seed)
{
	static const struct span alphabets[] = {
		SPAN("\"\"\"\\\\{}[]:, \t\rabtrue019-u\x01\x1f\xc3\xa9\xe2\x82\xac"), SPAN("\"\\\\\\u0a"), SPAN("{}[]:,\"a 1"), SPAN("aaaaaaaaaaaaaaaaaaaaa\""), SPAN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 "),
	};
	uint64_t which = next_random(seed);
	struct span alphabet = alphabets[which % (sizeof alphabets / sizeof *alphabets)];
	for (size_t i = 0; i < length; i++) at[i] = alphabet.data[next_random(seed) % alphabet.length];
}

static void kernels_agree_at_every_length_and_alignment(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 1;
	for (size_t length = 0; length <= 200; length++)
		for (size_t offset = 0; offset < 64; offset++)
			for (int round = 0; round < 4; round++) {
				fill_randomly(f->place + offset, length, &seed);
				end_line(f->place + offset + length);
				expect_as_slow(f, f->place + offset, length);
			}
}

static void nothing_is_read_before_the_line_or_behind_its_padding(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 2;
	for (size_t length = 0; length <= 200; length++)
		for (int round = 0; round < 16; round++) {
			char *start = f->place + PLACE - SCAN_PADDING - 1 - length;
			fill_randomly(start, length, &seed);
			end_line(start + length);
			expect_as_slow(f, start, length); /* a read too far is a SIGSEGV */
			memcpy(f->place, start, length + 1 + SCAN_PADDING);
			expect_as_slow(f, f->place, length);
		}
}

static void every_byte_counts_alike_at_every_position(void **state)
{
	struct fixture *f = *state;
	static const char *const around[] = { "a", "\"", " ", "1", "\\", "\xc3" };
	for (size_t pattern = 0; pattern < sizeof around / sizeof *around; pattern++)
		for (size_t at = 0; at < 132; at++)
			for (int byte = 0; byte < 256; byte++) {
				if (byte == '\n') continue;
				memset(f->place, pattern == 1 ? 'x' : around[pattern][0], 140);
				if (pattern == 1) f->place[0] = f->place[139] = '"';
				f->place[at] = (char)byte;
				end_line(f->place + 140);
				expect_as_slow(f, f->place, 140);
			}
}

static void a_newline_at_every_position_ends_the_line(void **state)
{
	struct fixture *f = *state;
	for (size_t start = 0; start < 3; start++)
		for (size_t length = 0; length < 300; length++) {
			memset(f->place, '"', 400);
			f->place[start + length] = '\n';
			expect_as_slow(f, f->place + start, length);
		}
}

static void runs_of_backslashes_are_counted_across_blocks(void **state)
{
	struct fixture *f = *state;
	for (size_t start = 1; start < 70; start++)
		for (size_t run = 1; run <= 140; run++)
			for (const char *behind = "\"nux"; *behind; behind++) {
				f->place[0] = '"';
				memset(f->place + 1, 'y', 300);
				memset(f->place + start, '\\', run);
				f->place[start + run] = *behind;
				f->place[300] = '"';
				end_line(f->place + 301);
				expect_as_slow(f, f->place, 301);
			}
}

static void a_unicode_escape_is_checked_at_every_position(void **state)
{
	struct fixture *f = *state;
	static const char *const escapes[] = { "\\u0041", "\\uABcd", "\\u004", "\\u00g0", "\\u", "\\U0041", "\\u004\"", "\\ud83d\\ude00" };
	for (size_t row = 0; row < sizeof escapes / sizeof *escapes; row++)
		for (size_t at = 1; at < 140; at++)
			for (int to_the_end = 0; to_the_end < 2; to_the_end++) {
				size_t length = to_the_end ? at + strlen(escapes[row]) : 160;
				f->place[0] = '"';
				memset(f->place + 1, 'y', 160);
				memcpy(f->place + at, escapes[row], strlen(escapes[row]));
				end_line(f->place + length);
				expect_as_slow(f, f->place, length);
			}
}

/* --- UTF-8 --- */

static void expect_same_utf8(struct fixture *f, const char *bytes, size_t count)
{
	static const size_t offsets[] = { 0, 29, 30, 31, 32, 61, 62, 63, 64 };
	for (size_t i = 0; i < count; i++)
		if (bytes[i] == '\n') return;
	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
		for (size_t tail = 0; tail < 2; tail++) {
			size_t length = offsets[i] + count + tail;
			memset(f->place, 'a', length);
			memcpy(f->place + offsets[i], bytes, count);
			end_line(f->place + length);
			unsigned wanted = text_is_utf8((struct span){ f->place, length }) ? 0 : SCAN_NOT_UTF8;
			for (const struct scan_kernel *const *kernel = scan_kernels(); *kernel; kernel++) {
				f->scan.kernel = *kernel;
				scan_line(&f->scan, f->place, f->place + length + 1);
				if ((f->scan.flags & SCAN_NOT_UTF8) == wanted) continue;
				f->answer.flags = wanted;
				report(f, "UTF-8", (struct span){ f->place, length });
			}
		}
}

static const unsigned char edges[] = { 0x00, 0x22, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xed, 0xf0, 0xf4, 0xff };
enum { EDGES = sizeof edges };

static void all_sequences_of_one_and_two_bytes(void **state)
{
	for (unsigned first = 0; first < 256; first++) {
		expect_same_utf8(*state, (char[]){ (char)first }, 1);
		for (unsigned second = 0; second < 256; second++) expect_same_utf8(*state, (char[]){ (char)first, (char)second }, 2);
	}
}

static void all_leads_with_continuations_at_the_edges(void **state)
{
	for (unsigned lead = 0xc0; lead < 256; lead++)
		for (int a = 0; a < EDGES; a++)
			for (int b = 0; b < EDGES; b++) {
				expect_same_utf8(*state, (char[]){ (char)lead, (char)edges[a], (char)edges[b] }, 3);
				if (lead < 0xef) continue;
				for (int c = 0; c < EDGES; c++) expect_same_utf8(*state, (char[]){ (char)lead, (char)edges[a], (char)edges[b], (char)edges[c] }, 4);
			}
}

static void a_sequence_cut_anywhere_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char whole[] = "\xf4\x8f\xbf\xbf\xe2\x82\xac\xc3\xa9";
	for (size_t length = 0; length <= 9; length++) expect_same_utf8(f, whole, length);
}

/* --- long lines, the index, the choice --- */

static void long_random_lines(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 3;
	for (int round = 0; round < 30; round++) {
		size_t length = next_random(&seed) % (PLACE - 200);
		fill_randomly(f->place, length, &seed);
		end_line(f->place + length);
		expect_as_slow(f, f->place, length);
	}
}

static void the_index_grows_to_an_entry_a_byte(void **state)
{
	struct fixture *f = *state;
	size_t length = PLACE - 200;
	memset(f->place, ',', length);
	end_line(f->place + length);
	for (const struct scan_kernel *const *kernel = scan_kernels(); *kernel; kernel++) {
		struct scan small;
		assert_true(scan_init(&small));
		small.kernel = *kernel;
		assert_int_equal(scan_line(&small, f->place, f->place + length + 1), length);
		assert_int_equal(small.count, length + 1);
		for (size_t i = 0; i <= length; i++) assert_int_equal(small.index[i], i);
		scan_release(&small);
	}
}

/* The linker puts this in the place of realloc (--wrap). */
static bool memory_is_short;
void *__real_realloc(void *, size_t);
void *__wrap_realloc(void *, size_t);
void *__wrap_realloc(void *old, size_t size)
{
	return memory_is_short ? NULL : __real_realloc(old, size);
}

static void without_memory_the_line_is_still_measured(void **state)
{
	struct fixture *f = *state;
	size_t length = PLACE - 200;
	memset(f->place, ',', length);
	end_line(f->place + length);
	for (const struct scan_kernel *const *kernel = scan_kernels(); *kernel; kernel++) {
		struct scan small;
		assert_true(scan_init(&small));
		small.kernel = *kernel;
		memory_is_short = true;
		assert_int_equal(scan_line(&small, f->place, f->place + length + 1), length);
		memory_is_short = false;
		assert_int_equal(small.flags, SCAN_NO_MEMORY);
		assert_int_equal(small.count, 1);
		assert_int_equal(small.index[0], length);
		assert_int_equal(scan_line(&small, f->place + 1, f->place + length + 1), length - 1);
		assert_int_equal(small.flags, 0);
		assert_int_equal(small.count, length);
		scan_release(&small);
	}
}

static void a_kernel_is_chosen_by_name(void **state)
{
	struct fixture *f = *state;
	const struct scan_kernel *const *last = scan_kernels();
	assert_non_null(*last);
	for (; *last; last++) {
		assert_true(scan_choose(&f->scan, (*last)->name));
		assert_ptr_equal(f->scan.kernel, *last);
	}
	assert_string_equal(last[-1]->name, "plain");
	assert_false(scan_choose(&f->scan, "abacus"));
	assert_ptr_equal(f->scan.kernel, last[-1]);
}

static void the_environment_chooses_a_kernel(void **state)
{
	(void)state;
	struct scan scan;
	assert_int_equal(setenv("METLOG_SCAN", "plain", 1), 0);
	assert_true(scan_init(&scan));
	assert_string_equal(scan.kernel->name, "plain");
	scan_release(&scan);
	assert_int_equal(setenv("METLOG_SCAN", "abacus", 1), 0);
	assert_true(scan_init(&scan));
	assert_ptr_equal(scan.kernel, scan_kernels()[0]);
	scan_release(&scan);
	unsetenv("METLOG_SCAN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_agree_at_every_length_and_alignment),
		cmocka_unit_test(nothing_is_read_before_the_line_or_behind_its_padding),
		cmocka_unit_test(every_byte_counts_alike_at_every_position),
		cmocka_unit_test(a_newline_at_every_position_ends_the_line),
		cmocka_unit_test(runs_of_backslashes_are_counted_across_blocks),
		cmocka_unit_test(a_unicode_escape_is_checked_at_every_position),
		cmocka_unit_test(all_sequences_of_one_and_two_bytes),
		cmocka_unit_test(all_leads_with_continuations_at_the_edges),
		cmocka_unit_test(a_sequence_cut_anywhere_is_refused),
		cmocka_unit_test(long_random_lines),
		cmocka_unit_test(the_index_grows_to_an_entry_a_byte),
		cmocka_unit_test(without_memory_the_line_is_still_measured),
		cmocka_unit_test(a_kernel_is_chosen_by_name),
		cmocka_unit_test(the_environment_chooses_a_kernel),
	};
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
