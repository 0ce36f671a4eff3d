/* test_sketch_memory - at whichever allocation there is no memory: it is said, nothing leaks, and a sketch is what it was. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sketch_fixture.h"

/* The linker puts these in front of the allocator (--wrap): the n-th from here on fails, and all behind it. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);

static size_t left = SIZE_MAX;

static bool granted(void)
{
	if (left == SIZE_MAX) return true;
	if (left == 0) return false;
	left--;
	return true;
}

void *__wrap_malloc(size_t size) { return granted() ? __real_malloc(size) : NULL; }
void *__wrap_calloc(size_t count, size_t size) { return granted() ? __real_calloc(count, size) : NULL; }
void *__wrap_realloc(void *old, size_t size) { return granted() ? __real_realloc(old, size) : NULL; }

/* Each addition is tried without memory first: then it needs none, or nothing has changed. */
static void an_addition_without_memory_changes_nothing(void **state)
{
	struct sketch s = { 0 };
	size_t refused = 0;
	(void)state;
	for (uint64_t i = 0; i < 2000; i++) {
		for (size_t n = 0;; n++) {
			struct buffer before = text_of(&s), after;
			left = n;
			bool added = sketch_add(&s, hash_of(i));
			left = SIZE_MAX;
			after = text_of(&s);
			bool same = span_equal(buffer_span(&before), buffer_span(&after));
			buffer_release(&before);
			buffer_release(&after);
			if (added) break;
			refused++;
			assert_true(same);
			assert_true(n < 40);
		}
	}
	assert_int_equal(s.form, SKETCH_DENSE_FORM);
	assert_true(refused > 20);
	sketch_release(&s);
}

/* A value whose rank its entry does not tell makes a small set dense: by way of the other two forms. */
static void a_rank_too_high_for_an_entry_needs_memory(void **state)
{
	struct sketch s = { 0 };
	(void)state;
	for (uint64_t i = 0; i < 100; i++) assert_true(sketch_add(&s, hash_of(i)));
	for (size_t n = 0;; n++) {
		left = n;
		bool added = sketch_add(&s, 0);
		left = SIZE_MAX;
		if (added) break;
		assert_int_equal(sketch_count(&s), 100);
		assert_true(sketch_is_exact(&s));
		assert_true(n < 40);
	}
	assert_int_equal(s.form, SKETCH_DENSE_FORM);
	sketch_release(&s);
}

static struct sketch of_size(uint64_t from, uint64_t count)
{
	struct sketch s = { 0 };
	for (uint64_t i = from; i < from + count; i++) assert_true(sketch_add(&s, hash_of(i)));
	return s;
}

static void a_union_without_memory_says_so(void **state)
{
	static const uint64_t sizes[] = { 0, 3, 200, 400, 1400, 3000 };
	(void)state;
	for (size_t a = 0; a < 6; a++) {
		for (size_t b = 0; b < 6; b++) {
			for (size_t n = 0;; n++) {
				struct sketch into = of_size(0, sizes[a]), from = of_size(sizes[a] / 2, sizes[b]);
				uint64_t count = sketch_count(&from);
				left = n;
				bool merged = sketch_merge(&into, &from);
				left = SIZE_MAX;
				assert_int_equal(sketch_count(&from), count);
				sketch_count(&into);
				sketch_release(&into);
				sketch_release(&from);
				if (merged) break;
				assert_true(n < 40);
			}
		}
	}
}

static void reading_and_writing_without_memory_says_so(void **state)
{
	static const uint64_t sizes[] = { 3, 256, 400, 1400, 3000 };
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct sketch s = of_size(0, sizes[i]), again = { 0 };
		struct buffer value = value_of(&s), text = text_of(&s), out;
		const char *why = SKETCH_NO_MEMORY;
		for (size_t n = 0; why; n++) {
			assert_ptr_equal(why, SKETCH_NO_MEMORY);
			assert_null(again.data);
			left = n;
			why = sketch_read(&again, buffer_span(&value));
			left = SIZE_MAX;
		}
		sketch_release(&again);
		why = SKETCH_NO_MEMORY;
		for (size_t n = 0; why; n++) {
			assert_ptr_equal(why, SKETCH_NO_MEMORY);
			assert_null(again.data);
			left = n;
			why = sketch_read_text(&again, buffer_span(&text));
			left = SIZE_MAX;
		}
		sketch_release(&again);
		bool written = false;
		for (size_t n = 0; !written; n++) {
			buffer_init(&out, 1 << 16);
			left = n;
			written = sketch_append(&out, &s);
			left = SIZE_MAX;
			assert_true(written || out.no_memory);
			buffer_release(&out);
		}
		buffer_init(&out, 17);
		assert_false(sketch_append(&out, &s));
		assert_false(out.no_memory);
		buffer_release(&out);
		buffer_release(&value);
		buffer_release(&text);
		sketch_release(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_addition_without_memory_changes_nothing),
		cmocka_unit_test(a_rank_too_high_for_an_entry_needs_memory),
		cmocka_unit_test(a_union_without_memory_says_so),
		cmocka_unit_test(reading_and_writing_without_memory_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
