/* test_segment - names, the list in order and beside a writer, and what counts as a trailer. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "envelope/envelope.h"
#include "segment_fixture.h"

static void a_name_is_made_of_number_time_and_chance(void **state)
{
	(void)state;
	static const int64_t times[] = { 0, 999999999, 1349438401123456789, 4102444800000000000, 9214646399000000000 };
	struct segment made, other, parsed;
	char name[SEGMENT_NAME_MAX];
	segment_make(&made, 42, 1349438401123456789);
	assert_memory_equal(made.stem, "000000000042-20121005T120001Z-", 30);
	assert_int_equal(made.begun, 1349438401000000000);
	segment_make(&other, 42, 1349438401123456789);
	assert_string_not_equal(made.stem, other.stem);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		for (int form = SEGMENT_OPEN; form <= SEGMENT_COMPRESSED; form++) {
			segment_make(&made, 999999999999, times[i]);
			segment_name(name, &made, (enum segment_form)form);
			assert_true(segment_parse(&parsed, name));
			assert_string_equal(parsed.stem, made.stem);
			assert_int_equal(parsed.number, 999999999999);
			assert_int_equal(parsed.begun, times[i] / 1000000000 * 1000000000);
			assert_int_equal(parsed.form, form);
		}
	static const int64_t odd[] = { -5, INT64_MIN, INT64_MAX };
	for (size_t i = 0; i < 3; i++) {
		segment_make(&made, 1, odd[i]);
		segment_name(name, &made, SEGMENT_SEALED);
		assert_true(segment_parse(&parsed, name));
	}
}

static void names_of_other_shapes_are_of_nobody(void **state)
{
	(void)state;
	static const char *const names[] = {
		"", ".", "..", "lock", "drain.lock", "forward.state", ".tmp.1.2", "failed", "delivered", "quarantine", "000000000042", "000000000042-20121005T120001Z-8a7b6c5d",
		"000000000042-20121005T120001Z-8a7b6c5d.", "000000000042-20121005T120001Z-8a7b6c5d.zst", "000000000042-20121005T120001Z-8a7b6c5d.ndjson.gz",
		"000000000042-20121005T120001Z-8a7b6c5d.ndjson.zst.1", "000000000042-20121005T120001Z-8a7b6c5d.1", "000000000042-20121005T120001Z-8a7b6c5d.open~",
		"000000000042-20121005T120001Z-8a7b6c5d.OPEN", "000000000042-20121005T120001Z-8a7b6c5D.open", "000000000042-20121005T120001Z-8a7b6c5g.open",
		"000000000042-20121005T120001Z-8a7b6c5.open", "000000000042-20121005T120001Z-8a7b6c5d0.open", "00000000042-20121005T120001Z-8a7b6c5d.open",
		"0000000000042-20121005T120001Z-8a7b6c5d.open", "00000000004x-20121005T120001Z-8a7b6c5d.open", "+00000000042-20121005T120001Z-8a7b6c5d.open",
		"-00000000042-20121005T120001Z-8a7b6c5d.open", "000000000042_20121005T120001Z-8a7b6c5d.open", "000000000042-20121005T120001Z_8a7b6c5d.open",
		"000000000042-20121305T120001Z-8a7b6c5d.open", "000000000042-20121000T120001Z-8a7b6c5d.open", "000000000042-20121005T250001Z-8a7b6c5d.open",
		"000000000042-20121005T126001Z-8a7b6c5d.open", "000000000042-20121005t120001Z-8a7b6c5d.open", "000000000042-20121005 120001Z-8a7b6c5d.open",
		"000000000042-20121005T120001z-8a7b6c5d.open", "000000000042-20121005T1200010-8a7b6c5d.open", "000000000042-2012100-T120001Z-8a7b6c5d.open",
		".000000000042-20121005T120001Z-8a7b6c5d.open", "a000000000042-20121005T120001Z-8a7b6c5d.open", "000000000042-20121005T120001Z-8a7b6c5d.open.ndjson",
	};
	struct segment segment;
	assert_true(segment_parse(&segment, "000000000042-20121005T120001Z-8a7b6c5d.open"));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (segment_parse(&segment, names[i])) fail_msg("\"%s\" was taken for a segment", names[i]);
}

static void touch(const struct fixture *f, const struct segment *segment, enum segment_form form)
{
	char name[SEGMENT_NAME_MAX];
	segment_name(name, segment, form);
	write_name(f, name, SPAN(""), O_TRUNC);
}

static void the_list_is_in_order_and_whole_over_many_batches(void **state)
{
	struct fixture *f = *state;
	enum { COUNT = 1300 };
	struct segment_list list;
	struct segment segment;
	static bool made[COUNT];
	for (unsigned i = 0, number = 0; i < COUNT; i++) { /* each once, in no order; the clock runs backwards */
		number = (number + 787) % COUNT;
		segment_make(&segment, number, 4102444800000000000 - (int64_t)number * 1000000000);
		touch(f, &segment, (enum segment_form)(number % 3));
		made[number] = true;
	}
	write_name(f, "lock", SPAN("1\n"), O_TRUNC);
	write_name(f, ".tmp.writer.x", SPAN(""), O_TRUNC);
	mkdirat(f->dir_fd, "failed", 0700);
	segment_list_init(&list, f->dir_fd);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(segment_list_next(&list, &segment), 1);
		assert_true(made[i]);
		assert_int_equal(segment.number, i);
		assert_int_equal(segment.form, i % 3);
	}
	assert_int_equal(segment_list_next(&list, &segment), 0);
	assert_int_equal(segment_list_next(&list, &segment), 0);
}

static void of_one_stem_the_sealed_form_counts_and_the_plain_one(void **state)
{
	struct fixture *f = *state;
	static const struct { bool open, sealed, compressed; enum segment_form listed; } rows[] = {
		{ true, false, false, SEGMENT_OPEN }, { true, true, false, SEGMENT_SEALED }, { true, false, true, SEGMENT_COMPRESSED }, { true, true, true, SEGMENT_SEALED },
		{ false, true, false, SEGMENT_SEALED }, { false, true, true, SEGMENT_SEALED }, { false, false, true, SEGMENT_COMPRESSED },
	};
	struct segment_list list;
	struct segment segment;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		segment_make(&segment, i, 0);
		if (rows[i].open) touch(f, &segment, SEGMENT_OPEN);
		if (rows[i].sealed) touch(f, &segment, SEGMENT_SEALED);
		if (rows[i].compressed) touch(f, &segment, SEGMENT_COMPRESSED);
	}
	segment_list_init(&list, f->dir_fd);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(segment_list_next(&list, &segment), 1);
		assert_int_equal(segment.number, i);
		assert_int_equal(segment.form, rows[i].listed);
	}
	assert_int_equal(segment_list_next(&list, &segment), 0);
}

static void an_empty_directory_has_none_and_a_lost_one_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct segment_list list;
	struct segment segment;
	segment_list_init(&list, f->dir_fd);
	assert_int_equal(segment_list_next(&list, &segment), 0);
	segment_list_init(&list, -1);
	assert_int_equal(segment_list_next(&list, &segment), -1);
	assert_int_equal(segment_list_next(&list, &segment), -1); /* no less so when asked again */
}

/* Makes, seals, and compresses one segment after the other, as fast as it can. */
static void write_segments(const struct fixture *f, unsigned count)
{
	char name[SEGMENT_NAME_MAX], next[SEGMENT_NAME_MAX];
	struct segment segment;
	for (unsigned i = 1; i <= count; i++) {
		segment_make(&segment, i, 0);
		touch(f, &segment, SEGMENT_OPEN);
		segment_name(name, &segment, SEGMENT_OPEN);
		segment_name(next, &segment, SEGMENT_SEALED);
		renameat(f->dir_fd, name, f->dir_fd, next);
		segment_name(name, &segment, SEGMENT_COMPRESSED);
		renameat(f->dir_fd, next, f->dir_fd, name);
	}
}

/* Whoever passed over a segment because it was just being renamed would lose it. */
static void a_walk_beside_a_writer_passes_over_none(void **state)
{
	struct fixture *f = *state;
	struct segment_list list;
	struct segment segment;
	enum { COUNT = 1500 };
	pid_t writer = fork();
	if (writer == 0) write_segments(f, COUNT), _exit(0);
	unsigned seen = 0, walks = 0;
	while (seen < COUNT) {
		seen = 0;
		segment_list_init(&list, f->dir_fd);
		while (segment_list_next(&list, &segment) > 0) {
			if (segment.number != seen + 1) kill(writer, SIGKILL);
			assert_int_equal(segment.number, seen + 1);
			seen++;
		}
		walks++;
	}
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_true(walks > 1);
}

static void a_trailer_is_a_good_envelope_that_reads_back(void **state)
{
	struct fixture *f = *state;
	static const uint64_t numbers[] = { 0, 1, 4096, INT64_MAX };
	struct scan scan;
	struct envelope envelope;
	struct envelope_fault fault;
	struct buffer copy;
	scan_init(&scan);
	buffer_init(&copy, 1 << 16);
	for (size_t i = 0; i < 4; i++) {
		struct segment_trailer trailer = { numbers[i], numbers[3 - i], ~numbers[i] }, read;
		buffer_clear(&f->file);
		assert_true(segment_trailer_append(&f->file, f->segment.stem, &trailer));
		assert_true(f->file.length < 512); /* what the writer keeps room for */
		struct span line = buffer_span(&f->file);
		assert_int_equal(line.data[line.length - 1], '\n');
		assert_int_equal(envelope_parse_copy(&envelope, &scan, &copy, line, &fault), ENVELOPE_GOOD);
		assert_true(span_equal(envelope.type.text, SPAN("metlog.segment")) && span_equal(envelope.env_version.text, SPAN("0.8")));
		assert_true(envelope.timestamp.kind == VALUE_STRING);
		assert_true(segment_trailer_parse(line, f->segment.stem, &read));
		line.length--;
		assert_true(segment_trailer_parse(line, f->segment.stem, &read));
		assert_true(read.records == trailer.records && read.bytes == trailer.bytes && read.checksum == trailer.checksum);
		assert_false(segment_trailer_parse(line, "000000000042-20121005T120001Z-00000000", &read));
		assert_true(segment_trailer_is_remains(line, f->segment.stem));
		assert_false(segment_trailer_is_remains(line, "000000000042-20121005T120001Z-00000000")); /* whole, of another: data */
	}
	buffer_release(&copy);
	scan_release(&scan);
}

static void a_trailer_with_any_byte_changed_or_missing_is_none(void **state)
{
	struct fixture *f = *state;
	struct segment_trailer read;
	append_trailer(&f->file, f->segment.stem, SPAN("{}\n"));
	for (size_t at = 0; at + 1 < f->file.length; at++) {
		for (int bit = 0; bit < 8; bit++) {
			f->file.data[at] = (char)(f->file.data[at] ^ 1 << bit);
			assert_false(segment_trailer_parse(buffer_span(&f->file), f->segment.stem, &read));
			assert_true(segment_trailer_is_remains(buffer_span(&f->file), f->segment.stem));
			f->file.data[at] = (char)(f->file.data[at] ^ 1 << bit);
		}
		assert_false(segment_trailer_parse((struct span){ f->file.data, at }, f->segment.stem, &read));
		assert_false(segment_trailer_parse((struct span){ f->file.data + at + 1, f->file.length - at - 1 }, f->segment.stem, &read));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_made_of_number_time_and_chance),
		cmocka_unit_test(names_of_other_shapes_are_of_nobody),
		cmocka_unit_test_setup_teardown(the_list_is_in_order_and_whole_over_many_batches, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(of_one_stem_the_sealed_form_counts_and_the_plain_one, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(an_empty_directory_has_none_and_a_lost_one_is_an_error, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(a_walk_beside_a_writer_passes_over_none, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(a_trailer_is_a_good_envelope_that_reads_back, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(a_trailer_with_any_byte_changed_or_missing_is_none, open_fixture, close_fixture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
