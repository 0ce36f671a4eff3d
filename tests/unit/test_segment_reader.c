/* test_segment_reader - a segment's body comes out whole or is said to be damaged, plain, compressed and while it grows. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/resource.h>

#include "segment_fixture.h"

enum { LIMIT = 1 << 20 };

static void expect_all(struct fixture *f, enum segment_form form)
{
	enum segment_read result = harvest(f, form, LIMIT);
	if (result != SEGMENT_END) fail_msg("form %d: result %d, %s", (int)form, (int)result, f->reason);
	assert_true(span_equal(buffer_span(&f->text), buffer_span(&f->body)));
	assert_int_equal(f->sum.bytes, f->body.length);
}

static void expect_damaged(struct fixture *f, enum segment_form form, struct span text, const char *reason)
{
	assert_int_equal(harvest(f, form, LIMIT), SEGMENT_DAMAGED);
	assert_string_equal(f->reason, reason);
	assert_true(span_equal(buffer_span(&f->text), text));
}

static void bodies_of_every_size_come_out_plain_and_compressed(void **state)
{
	struct fixture *f = *state;
	struct buffer packed;
	struct segment_trailer sum;
	const char *reason;
	buffer_init(&packed, 64 << 20);
	static const unsigned counts[] = { 0, 1, 2, 3, 100, 12000, 13000, 14000, 200000 }; /* a block of the reader is 256 KiB */
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		make_body(f, counts[i]);
		write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
		expect_all(f, SEGMENT_SEALED);
		assert_int_equal(f->sum.records, counts[i]);
		assert_int_equal(segment_check(f->dir_fd, &f->segment, LIMIT, &sum, &reason), SEGMENT_END);
		assert_true(sum.records == counts[i] && sum.bytes == f->body.length);
		for (size_t frame = counts[i] < 1000 ? 7 : 100001; frame; frame = frame == SIZE_MAX ? 0 : SIZE_MAX) { /* in many frames, and in one */
			deflate(&packed, buffer_span(&f->file), frame);
			write_form(f, SEGMENT_COMPRESSED, buffer_span(&packed));
			expect_all(f, SEGMENT_COMPRESSED);
		}
		remove_form(f, SEGMENT_COMPRESSED);
	}
	buffer_release(&packed);
}

static void lines_of_every_length_survive_the_borders_of_blocks(void **state)
{
	struct fixture *f = *state;
	struct buffer packed;
	buffer_init(&packed, 64 << 20);
	for (size_t length = 1, i = 0; f->body.length < 5 * 1024 * 1024; length = (length * 7 + i++ % 3) % 500009 + 1) {
		for (size_t at = 0; at < length; at++) buffer_append_byte(&f->body, (char)('a' + (i + at) % 26));
		buffer_append_byte(&f->body, '\n');
	}
	seal(f);
	write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
	expect_all(f, SEGMENT_SEALED);
	deflate(&packed, buffer_span(&f->file), SIZE_MAX);
	write_form(f, SEGMENT_COMPRESSED, buffer_span(&packed));
	expect_all(f, SEGMENT_COMPRESSED);
	buffer_release(&packed);
}

/* How much of the body is whole lines within its first `length` bytes. */
static struct span whole_lines(const struct fixture *f, size_t length)
{
	if (length > f->body.length) length = f->body.length;
	while (length && f->body.data[length - 1] != '\n') length--;
	return (struct span){ f->body.data, length };
}

static void one_cut_at_any_byte_is_damaged_and_gives_its_whole_lines(void **state)
{
	struct fixture *f = *state;
	make_body(f, 5);
	for (size_t length = 0; length < f->file.length; length++) {
		write_form(f, SEGMENT_SEALED, (struct span){ f->file.data, length });
		bool at_line = length == 0 || f->file.data[length - 1] == '\n';
		expect_damaged(f, SEGMENT_SEALED, whole_lines(f, length), at_line ? "it has no trailer" : "it ends in a torn line");
	}
	buffer_append_byte(&f->file, '\n');
	write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
	assert_int_equal(harvest(f, SEGMENT_SEALED, LIMIT), SEGMENT_DAMAGED);
}

static void one_with_any_bit_changed_is_damaged(void **state)
{
	struct fixture *f = *state;
	make_body(f, 4);
	for (size_t at = 0; at < f->file.length; at++)
		for (int bit = 0; bit < 8; bit += 1 + (int)(at % 3)) {
			f->file.data[at] = (char)(f->file.data[at] ^ 1 << bit);
			write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
			if (harvest(f, SEGMENT_SEALED, LIMIT) != SEGMENT_DAMAGED) fail_msg("byte %zu, bit %d: not seen", at, bit);
			if (at >= f->body.length) assert_true(span_equal(buffer_span(&f->text), buffer_span(&f->body))); /* the broken trailer is not handed out */
			f->file.data[at] = (char)(f->file.data[at] ^ 1 << bit);
		}
}

static void a_compressed_one_that_is_cut_or_changed_gives_no_other_lines_as_right(void **state)
{
	struct fixture *f = *state;
	struct buffer packed;
	buffer_init(&packed, 1 << 20);
	make_body(f, 20);
	deflate(&packed, buffer_span(&f->file), 300);
	for (size_t length = 0; length < packed.length; length++) {
		write_form(f, SEGMENT_COMPRESSED, (struct span){ packed.data, length });
		assert_int_equal(harvest(f, SEGMENT_COMPRESSED, LIMIT), SEGMENT_DAMAGED);
		assert_true(span_equal(buffer_span(&f->text), whole_lines(f, f->text.length)));
	}
	for (size_t at = 0; at < packed.length; at++)
		for (int bit = 0; bit < 8; bit++) {
			packed.data[at] = (char)(packed.data[at] ^ 1 << bit);
			write_form(f, SEGMENT_COMPRESSED, buffer_span(&packed));
			/* There are bits of a frame's header that say nothing. */
			if (harvest(f, SEGMENT_COMPRESSED, LIMIT) != SEGMENT_DAMAGED) assert_true(span_equal(buffer_span(&f->text), buffer_span(&f->body)));
			packed.data[at] = (char)(packed.data[at] ^ 1 << bit);
		}
	buffer_release(&packed);
}

static void a_user_s_own_line_is_no_trailer(void **state)
{
	struct fixture *f = *state;
	struct buffer own;
	buffer_init(&own, 1 << 16);
	/* A whole trailer of another segment in the body, and even as its last line. */
	append_trailer(&own, "000000000001-20121005T120001Z-00000000", SPAN("{}\n"));
	buffer_append_span(&f->body, buffer_span(&own));
	buffer_append_text(&f->body, "{}\n");
	buffer_append_span(&f->body, buffer_span(&own));
	seal(f);
	write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
	expect_all(f, SEGMENT_SEALED);
	write_form(f, SEGMENT_SEALED, buffer_span(&f->body));
	expect_damaged(f, SEGMENT_SEALED, buffer_span(&f->body), "it has no trailer");
	/* The very trailer of this segment, in the middle: of these bytes, and of others. */
	append_trailer(&f->body, f->segment.stem, buffer_span(&f->body));
	buffer_append_text(&f->body, "{}\n");
	append_trailer(&f->body, f->segment.stem, SPAN("{}\n"));
	buffer_append_text(&f->body, "{}\n");
	seal(f);
	write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
	expect_all(f, SEGMENT_SEALED);
	buffer_release(&own);
}

static void a_trailer_of_another_body_is_damage(void **state)
{
	struct fixture *f = *state;
	static const char reason[] = "its trailer is damaged, or of another body";
	static const char *const others[] = { "{}\n", "{\"payload\":\"line 1\"}\n{}\n" };
	make_body(f, 1);
	for (size_t i = 0; i < 2; i++) {
		buffer_clear(&f->file);
		buffer_append_span(&f->file, buffer_span(&f->body));
		append_trailer(&f->file, f->segment.stem, span_of(others[i]));
		write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
		expect_damaged(f, SEGMENT_SEALED, buffer_span(&f->body), reason);
	}
	/* The right length, but other lines, or another count of them. */
	buffer_clear(&f->file);
	buffer_append_span(&f->file, buffer_span(&f->body));
	append_trailer(&f->file, f->segment.stem, SPAN("{\"payload\":\"line 2\"}\n"));
	write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
	expect_damaged(f, SEGMENT_SEALED, buffer_span(&f->body), "its checksum is not that of its trailer");
	struct segment_trailer trailer = { 2, f->body.length, checksum_of(buffer_span(&f->body)) };
	buffer_clear(&f->file);
	buffer_append_span(&f->file, buffer_span(&f->body));
	segment_trailer_append(&f->file, f->segment.stem, &trailer);
	write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
	expect_damaged(f, SEGMENT_SEALED, buffer_span(&f->body), "its number of lines is not that of its trailer");
}

static void an_open_one_is_read_as_it_grows_until_it_is_sealed(void **state)
{
	struct fixture *f = *state;
	f->segment.form = SEGMENT_OPEN;
	append_open(f, SPAN("{\"a\":1}\n{\"a\""));
	struct segment_reader *r = segment_reader_open(f->dir_fd, &f->segment, LIMIT);
	assert_int_equal(gather(f, r), SEGMENT_END);
	assert_true(span_equal(buffer_span(&f->text), SPAN("{\"a\":1}\n")));
	assert_int_equal(gather(f, r), SEGMENT_END);
	append_open(f, SPAN(":2}\n{"));
	assert_int_equal(gather(f, r), SEGMENT_END);
	assert_true(span_equal(buffer_span(&f->text), SPAN("{\"a\":1}\n{\"a\":2}\n")));
	/* The writer is killed, and the recovery cuts the torn line off. */
	char name[SEGMENT_NAME_MAX];
	segment_name(name, &f->segment, SEGMENT_OPEN);
	int fd = openat(f->dir_fd, name, O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 16), 0);
	assert_int_equal(gather(f, r), SEGMENT_END);
	assert_false(segment_reader_is_sealed(r));
	/* A trailer that its writer takes back again, because the file could not be renamed. */
	buffer_append_span(&f->body, buffer_span(&f->text));
	seal(f);
	struct span trailer = { f->file.data + f->body.length, f->file.length - f->body.length };
	append_open(f, (struct span){ trailer.data, 100 });
	assert_int_equal(gather(f, r), SEGMENT_END);
	assert_false(segment_reader_is_sealed(r));
	append_open(f, (struct span){ trailer.data + 100, trailer.length - 100 });
	assert_int_equal(gather(f, r), SEGMENT_END);
	assert_true(segment_reader_is_sealed(r));
	assert_int_equal(ftruncate(fd, 16), 0);
	append_open(f, SPAN("{\"a\":3}\n"));
	assert_int_equal(gather(f, r), SEGMENT_END);
	assert_false(segment_reader_is_sealed(r));
	assert_true(span_equal(buffer_span(&f->text), SPAN("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n")));
	/* Sealed and compressed under our eyes. */
	buffer_clear(&f->body);
	buffer_append_span(&f->body, buffer_span(&f->text));
	seal(f);
	append_open(f, (struct span){ f->file.data + f->body.length, f->file.length - f->body.length });
	rename_form(f, SEGMENT_OPEN, SEGMENT_SEALED);
	remove_form(f, SEGMENT_SEALED);
	assert_int_equal(gather(f, r), SEGMENT_END);
	assert_true(segment_reader_is_sealed(r));
	assert_int_equal(segment_reader_form(r), SEGMENT_OPEN);
	assert_true(span_equal(buffer_span(&f->text), buffer_span(&f->body)));
	assert_int_equal(f->sum.records, 3);
	/* What was handed out and is no longer there is damage. */
	assert_int_equal(ftruncate(fd, 8), 0);
	assert_int_equal(gather(f, r), SEGMENT_DAMAGED);
	close(fd);
	segment_reader_free(r);
}

static void an_open_one_of_any_length_gives_its_whole_lines(void **state)
{
	struct fixture *f = *state;
	make_body(f, 6);
	for (size_t length = 0; length <= f->file.length; length++) {
		write_form(f, SEGMENT_OPEN, (struct span){ f->file.data, length });
		assert_int_equal(harvest(f, SEGMENT_OPEN, LIMIT), SEGMENT_END);
		assert_true(span_equal(buffer_span(&f->text), whole_lines(f, length)));
	}
	/* A byte at a time, to one reader. */
	write_form(f, SEGMENT_OPEN, SPAN(""));
	buffer_clear(&f->text);
	struct segment_reader *r = segment_reader_open(f->dir_fd, &f->segment, LIMIT);
	for (size_t at = 0; at < f->file.length; at++) {
		append_open(f, (struct span){ f->file.data + at, 1 });
		assert_int_equal(gather(f, r), SEGMENT_END);
		assert_true(span_equal(buffer_span(&f->text), whole_lines(f, at + 1)));
		assert_int_equal(segment_reader_is_sealed(r), at + 1 == f->file.length);
	}
	segment_reader_free(r);
}

static void one_renamed_between_the_list_and_the_opening_is_found(void **state)
{
	struct fixture *f = *state;
	struct buffer packed;
	buffer_init(&packed, 1 << 20);
	make_body(f, 3);
	write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
	expect_all(f, SEGMENT_OPEN);
	remove_form(f, SEGMENT_SEALED);
	deflate(&packed, buffer_span(&f->file), SIZE_MAX);
	write_form(f, SEGMENT_COMPRESSED, buffer_span(&packed));
	expect_all(f, SEGMENT_OPEN);
	expect_all(f, SEGMENT_SEALED);
	remove_form(f, SEGMENT_COMPRESSED);
	assert_int_equal(harvest(f, SEGMENT_OPEN, LIMIT), SEGMENT_ERROR);
	assert_int_equal(errno, ENOENT);
	buffer_release(&packed);
}

static void links_and_what_is_no_plain_file_are_refused(void **state)
{
	struct fixture *f = *state;
	char name[SEGMENT_NAME_MAX];
	make_body(f, 3);
	segment_name(name, &f->segment, SEGMENT_SEALED);
	write_name(f, "elsewhere", buffer_span(&f->file), O_TRUNC);
	assert_int_equal(symlinkat("elsewhere", f->dir_fd, name), 0);
	assert_int_equal(harvest(f, SEGMENT_SEALED, LIMIT), SEGMENT_ERROR);
	assert_int_equal(errno, ELOOP);
	unlinkat(f->dir_fd, name, 0);
	assert_int_equal(linkat(f->dir_fd, "elsewhere", f->dir_fd, name, 0), 0);
	assert_int_equal(harvest(f, SEGMENT_SEALED, LIMIT), SEGMENT_ERROR);
	assert_int_equal(errno, EPERM);
	unlinkat(f->dir_fd, "elsewhere", 0);
	expect_all(f, SEGMENT_SEALED);
	unlinkat(f->dir_fd, name, 0);
	assert_int_equal(mkfifoat(f->dir_fd, name, 0600), 0);
	assert_int_equal(harvest(f, SEGMENT_SEALED, LIMIT), SEGMENT_ERROR);
	assert_int_equal(errno, EPERM);
	unlinkat(f->dir_fd, name, 0);
	assert_int_equal(mkdirat(f->dir_fd, name, 0700), 0);
	assert_int_equal(harvest(f, SEGMENT_SEALED, LIMIT), SEGMENT_ERROR);
	assert_int_equal(errno, EPERM);
	if (geteuid() != 0) return;
	unlinkat(f->dir_fd, name, AT_REMOVEDIR);
	write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
	assert_int_equal(fchownat(f->dir_fd, name, 1, 1, 0), 0);
	assert_int_equal(harvest(f, SEGMENT_SEALED, LIMIT), SEGMENT_ERROR);
	assert_int_equal(errno, EPERM);
}

static void append_long(struct buffer *out, size_t length)
{
	for (size_t i = 0; i < length; i++) buffer_append_byte(out, 'x');
	buffer_append_byte(out, '\n');
}

static void a_line_over_the_limit_is_damage_and_costs_no_other(void **state)
{
	struct fixture *f = *state;
	static const size_t limits[] = { 10, 70000, 300000, 600000 };
	struct buffer rest, packed;
	buffer_init(&rest, 1 << 24);
	buffer_init(&packed, 1 << 24);
	for (size_t i = 0; i < 4; i++) {
		buffer_clear(&f->body), buffer_clear(&rest);
		append_long(&f->body, limits[i]);
		append_long(&rest, limits[i]);
		append_long(&f->body, limits[i] + 1);
		append_long(&f->body, 3 * limits[i] + 500000);
		buffer_append_text(&f->body, "{}\n"), buffer_append_text(&rest, "{}\n");
		append_long(&f->body, limits[i] + 1);
		seal(f);
		deflate(&packed, buffer_span(&f->file), SIZE_MAX);
		write_form(f, SEGMENT_SEALED, buffer_span(&f->file));
		write_form(f, SEGMENT_COMPRESSED, buffer_span(&packed));
		for (int form = SEGMENT_SEALED; form <= SEGMENT_COMPRESSED; form++) {
			assert_int_equal(harvest(f, (enum segment_form)form, limits[i]), SEGMENT_DAMAGED);
			assert_string_equal(f->reason, "a line is longer than the limit");
			/* The trailer is a line too: if it is over the limit itself, that is all that can be said. */
			assert_true(span_equal(buffer_span(&f->text), buffer_span(&rest)));
			assert_int_equal(f->sum.bytes, i ? f->body.length : f->file.length);
		}
	}
	buffer_release(&rest);
	buffer_release(&packed);
}

static void what_is_no_zstd_or_wants_too_much_is_damage(void **state)
{
	struct fixture *f = *state;
	struct buffer packed;
	struct rusage before, after;
	make_body(f, 3);
	write_form(f, SEGMENT_COMPRESSED, buffer_span(&f->file));
	expect_damaged(f, SEGMENT_COMPRESSED, SPAN(""), "the compressed data are no zstd");
	write_form(f, SEGMENT_COMPRESSED, SPAN("\x28\xb5\x2f\xfd\x00\x88zzzzzzzz")); /* a window of 128 MiB */
	expect_damaged(f, SEGMENT_COMPRESSED, SPAN(""), "the compressed data want a window over 8 MiB");
	write_form(f, SEGMENT_COMPRESSED, SPAN(""));
	expect_damaged(f, SEGMENT_COMPRESSED, SPAN(""), "it has no trailer");
	/* What follows the last frame is not passed over. */
	buffer_init(&packed, 1 << 20);
	deflate(&packed, buffer_span(&f->file), SIZE_MAX);
	buffer_append_text(&packed, "more");
	write_form(f, SEGMENT_COMPRESSED, buffer_span(&packed));
	expect_damaged(f, SEGMENT_COMPRESSED, buffer_span(&f->body), "the compressed data are no zstd");
	/* 48 MiB without a newline out of a few kilobytes. */
	buffer_clear(&f->body);
	for (int i = 0; i < 48; i++) assert_true(buffer_reserve(&f->body, 1 << 20)), memset(f->body.data + f->body.length, 0, 1 << 20), f->body.length += 1 << 20;
	buffer_clear(&packed);
	deflate(&packed, buffer_span(&f->body), SIZE_MAX);
	buffer_release(&f->body);
	write_form(f, SEGMENT_COMPRESSED, buffer_span(&packed));
	getrusage(RUSAGE_SELF, &before);
	expect_damaged(f, SEGMENT_COMPRESSED, SPAN(""), "a line is longer than the limit");
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 16 * 1024);
	buffer_release(&packed);
}

static void reading_goes_on_behind_any_line_and_nowhere_else(void **state)
{
	struct fixture *f = *state;
	struct buffer packed;
	buffer_init(&packed, 1 << 20);
	make_body(f, 30);
	deflate(&packed, buffer_span(&f->file), 100);
	for (int form = SEGMENT_OPEN; form <= SEGMENT_COMPRESSED; form++) {
		write_form(f, (enum segment_form)form, form == SEGMENT_OPEN ? buffer_span(&f->body) : form == SEGMENT_SEALED ? buffer_span(&f->file) : buffer_span(&packed));
		f->segment.form = (enum segment_form)form;
		for (size_t at = 0; at <= f->file.length + 3; at++) {
			struct segment_reader *r = segment_reader_open(f->dir_fd, &f->segment, LIMIT);
			bool possible = at <= f->body.length && (at == 0 || f->body.data[at - 1] == '\n');
			assert_int_equal(segment_reader_skip(r, at), possible);
			buffer_clear(&f->text);
			if (possible) {
				assert_int_equal(gather(f, r), SEGMENT_END);
				assert_true(span_equal(buffer_span(&f->text), (struct span){ f->body.data + at, f->body.length - at }));
				assert_int_equal(f->sum.bytes, f->body.length);
			}
			segment_reader_free(r);
		}
		remove_form(f, (enum segment_form)form);
	}
	buffer_release(&packed);
}

static void an_open_one_is_never_checked_as_sealed(void **state)
{
	struct fixture *f = *state;
	struct segment_trailer sum;
	const char *reason;
	make_body(f, 3);
	f->segment.form = SEGMENT_OPEN;
	write_form(f, SEGMENT_OPEN, buffer_span(&f->body));
	assert_int_equal(segment_check(f->dir_fd, &f->segment, LIMIT, &sum, &reason), SEGMENT_DAMAGED);
	assert_string_equal(reason, "it is not sealed");
	remove_form(f, SEGMENT_OPEN);
	assert_int_equal(segment_check(f->dir_fd, &f->segment, LIMIT, &sum, &reason), SEGMENT_ERROR);
	assert_int_equal(errno, ENOENT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(bodies_of_every_size_come_out_plain_and_compressed), CASE(lines_of_every_length_survive_the_borders_of_blocks),
		CASE(one_cut_at_any_byte_is_damaged_and_gives_its_whole_lines), CASE(one_with_any_bit_changed_is_damaged),
		CASE(a_compressed_one_that_is_cut_or_changed_gives_no_other_lines_as_right), CASE(a_user_s_own_line_is_no_trailer),
		CASE(a_trailer_of_another_body_is_damage), CASE(an_open_one_is_read_as_it_grows_until_it_is_sealed), CASE(an_open_one_of_any_length_gives_its_whole_lines),
		CASE(one_renamed_between_the_list_and_the_opening_is_found), CASE(links_and_what_is_no_plain_file_are_refused),
		CASE(a_line_over_the_limit_is_damage_and_costs_no_other), CASE(what_is_no_zstd_or_wants_too_much_is_damage),
		CASE(reading_goes_on_behind_any_line_and_nowhere_else), CASE(an_open_one_is_never_checked_as_sealed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
