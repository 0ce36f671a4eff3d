/* test_sketch - the bytes and counts of Redis 7.0 for the same elements in the same order, and the exact form before. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sketch_fixture.h"

#include "base/md5.h"
#include "base/text.h"

/* What a Redis server answered to GET and PFCOUNT; a value that is too long for a line by its MD5. */
struct row {
	const char *elements;                                /* with blanks between them, or NULL: */
	const char *start; unsigned from, to; const char *end;  /* a range, see add_range */
	const char *value;
	uint64_t count;                                      /* PFCOUNT */
	enum sketch_form form;
};

static const struct row rows[] = {
	{ "", .value = "SFlMTAEAAAAAAAAAAAAAgH//", .count = 0, .form = SKETCH_SMALL },
	{ "alpha beta gamma delta epsilon zeta eta theta iota kappa", .value = "SFlMTAEAAAAAAAAAAAAAgEQ8iEOWhExOkEFIjEHbhEZpiEoojEOHiEHqhE9RgENV", .count = 10 },
	{ "2001:db8::1 2001:db8::2 ::1 2001:4860:4860::8888 fe80::1%eth0", .value = "SFlMTAEAAAAAAAAAAAAAgEWUhEV9hEDVjEoEhEUNgGT+", .count = 5 },
	/* a gap of 64 registers, the most that a short run of zeros says, and one of 65 */
	{ "e110007 e125281 e107245", .value = "SFlMTAEAAAAAAAAAAAAAgEBjgD+AQECAfxc=", .count = 3 },
	/* nine neighbours of one value from the last to the first: the bytes depend on the order */
	{ "e111207 e108626 e140590 e107101 e105384 e127170 e10412 e100525 e104119", .value = "SFlMTAEAAAAAAAAAAAAAgEDHgIODfy4=", .count = 9 },
	{ "e105384 e107101 e140590 e108626 e112770", .value = "SFlMTAEAAAAAAAAAAAAAgEDLgYSAfy8=", .count = 4 },
	/* rank 36, which no run can say */
	{ "alpha beta gamma 86f8de7b", .value = "md5 4a40958b4cee192a721dd646283d6043", .count = 4, .form = SKETCH_DENSE_FORM },
	{ NULL, "user:", 1, 500, "", "md5 b98e3d8290c4177ba7455999add1395b", 499, SKETCH_SPARSE },
	{ NULL, "10.0.", 1, 20000, ".x", "md5 c81438222f9756509f8d77b96b790e42", 19888, SKETCH_DENSE_FORM },
	{ NULL, "c:", 1, 10000, "", NULL, 9919, SKETCH_DENSE_FORM },
	{ NULL, "c:", 1, 500000, "", NULL, 506964, SKETCH_DENSE_FORM },
};

static void assert_value(const struct sketch *s, const char *expected)
{
	struct buffer value = value_of(s);
	if (strncmp(expected, "md5 ", 4) == 0) {
		struct md5 m;
		unsigned char digest[MD5_BYTES];
		char hex[33];
		md5_init(&m);
		md5_add(&m, buffer_span(&value));
		md5_finish(&m, digest);
		for (size_t i = 0; i < MD5_BYTES; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
		assert_string_equal(hex, expected + 4);
	} else {
		struct buffer text;
		buffer_init(&text, 1 << 16);
		assert_true(text_append_base64(&text, buffer_span(&value)));
		assert_string_equal(buffer_text(&text), expected);
		buffer_release(&text);
	}
	buffer_release(&value);
}

static void add_words(struct sketch *s, const char *words)
{
	while (*words) {
		size_t length = strcspn(words, " ");
		assert_true(sketch_add(s, sketch_hash((struct span){ words, length })));
		words += length + (words[length] == ' ');
	}
}

static void the_same_elements_in_the_same_order_have_redis_bytes_and_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];
		struct sketch s = { 0 };
		if (row->elements) add_words(&s, row->elements);
		else add_range(&s, row->start, row->from, row->to, row->end);
		assert_int_equal(s.form, row->form);
		if (row->value) assert_value(&s, row->value);
		assert_int_equal(estimate(&s), row->count);
		sketch_release(&s);
	}
}

/* One PFMERGE of several keys. */
static void the_union_has_the_bytes_of_pfmerge(void **state)
{
	struct sketch made[2] = { { 0 }, { 0 } }, keys[2], all = { 0 };
	(void)state;
	add_range(&made[0], "a", 1, 1200, "");
	add_range(&made[1], "b", 1, 1200, "");
	for (size_t i = 0; i < 2; i++) keys[i] = reread(&made[i]);
	assert_int_equal(keys[0].form, SKETCH_SPARSE);
	assert_true(sketch_merge_all(&all, keys, 2));
	assert_value(&all, "md5 8cd0aca07fd508244b2bfccaabeec7e4");
	assert_int_equal(estimate(&all), 2414);
	for (size_t i = 0; i < 2; i++) sketch_release(&made[i]), sketch_release(&keys[i]);
	sketch_release(&all);

	struct sketch none = { 0 }, empty = reread(&none);
	assert_int_equal(empty.form, SKETCH_SPARSE);
	assert_true(sketch_merge(&all, &empty));
	assert_value(&all, "SFlMTAEAAAAAAAAAAAAAgH//");
	sketch_release(&empty);
	sketch_release(&all);
}

/* A server with hll-sparse-max-bytes 16 keeps forty values dense; values that were kept exactly are set in it. */
static void exact_values_are_set_in_a_dense_sketch(void **state)
{
	struct sketch small = { 0 }, dense = { 0 };
	char empty[SKETCH_DENSE] = "HYLL";
	(void)state;
	empty[SKETCH_HEADER - 1] = '\x80';
	assert_null(sketch_read(&dense, (struct span){ empty, sizeof empty }));
	add_range(&small, "ip", 1, 40, "");
	assert_true(sketch_merge(&dense, &small));
	assert_value(&dense, "md5 3b7b1f6afda7bcb5a04566f076dc9fc9");
	assert_int_equal(sketch_count(&dense), 40);
	sketch_release(&small);
	sketch_release(&dense);
}

static void up_to_256_values_are_counted_exactly(void **state)
{
	struct sketch s = { 0 };
	(void)state;
	assert_int_equal(sketch_count(&s), 0);
	for (unsigned i = 1; i <= SKETCH_SMALL_MAX; i++) {
		for (unsigned again = 1; again <= i; again++) assert_true(sketch_add(&s, hash_of(again)));
		assert_int_equal(sketch_count(&s), i);
		assert_true(sketch_is_exact(&s));
		assert_true(sketch_error(&s) <= 0);
	}
	assert_true(sketch_add(&s, hash_of(257)));
	assert_false(sketch_is_exact(&s));
	assert_true(sketch_error(&s) > 0.008 && sketch_error(&s) < 0.0082);
	assert_in_range(sketch_count(&s), 250, 264);
	sketch_release(&s);
	assert_int_equal(sketch_count(&s), 0);
	assert_true(sketch_is_exact(&s));
}

/* Values that differ in one of 48 bits only, so that tags or lows are equal. */
static void values_of_one_tag_are_told_apart(void **state)
{
	struct sketch s = { 0 };
	const uint64_t base = 0x123456789abc;
	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int bit = 0; bit < 48; bit++) assert_true(sketch_add(&s, base ^ 1ULL << bit));
		for (uint64_t low = 0; low < 150; low++) assert_true(sketch_add(&s, base + (low << 16)));
	}
	/* base itself is the first of the others; base + n * 2^16 is base with one bit other where that adds to a 0 */
	unsigned same = 0;
	for (int bit = 16; bit < 24; bit++) same += !(base >> bit & 1) && 1U << (bit - 16) < 150;
	assert_int_equal(sketch_count(&s), 48 + 150 - same);
	sketch_release(&s);
}

/* What lies behind the tags is looked at, too: the rest of the room, zeros, and the other halves of the entries. None of it is a value. */
static void what_lies_behind_the_tags_is_no_value(void **state)
{
	(void)state;
	for (uint64_t first = 1; first <= 40; first++) {
		struct sketch s = { 0 };
		for (uint64_t i = 0; i < first; i++) assert_true(sketch_add(&s, (0x4000 + i) << 32 | (0x5000 + i) << 16 | (0x6000 + i)));
		for (uint64_t i = 0; i < 4; i++) {
			assert_true(sketch_add(&s, (0x6000 + i) << 32 | 0x50000000));
			assert_true(sketch_add(&s, (0x5000 + i) << 32 | 0x60000000));
			assert_true(sketch_add(&s, (i + 1) << 16));
		}
		assert_int_equal(sketch_count(&s), first + 12);
		sketch_release(&s);
	}
}

/* Runs say at most 32: such a set is dense, in Redis too. */
static void a_rank_above_32_makes_a_sparse_sketch_dense(void **state)
{
	(void)state;
	for (unsigned rank = 31; rank <= 51; rank++) {
		struct sketch s = { 0 };
		uint64_t hash = 77 | (rank < 51 ? 1ULL << (13 + rank) : 0);
		assert_true(sketch_add(&s, hash));
		assert_int_equal(s.form, rank > 34 ? SKETCH_DENSE_FORM : SKETCH_SMALL);
		struct sketch again = reread(&s);
		assert_int_equal(again.form, rank > 32 ? SKETCH_DENSE_FORM : SKETCH_SPARSE);
		struct buffer value = value_of(&s);
		uint8_t registers[SKETCH_REGISTERS];
		assert_true(registers_of(registers, &value));
		assert_int_equal(registers[77], rank);
		assert_int_equal(sketch_count(&s), 1);
		buffer_release(&value);
		sketch_release(&s);
		sketch_release(&again);
	}
}

/* 3,000 bytes are the most a sparse value takes; the next change that needs more makes it dense, and nothing is lost. */
static void a_sparse_sketch_is_made_dense_by_its_length(void **state)
{
	struct sketch s = { 0 };
	unsigned longest = 0, i = 0;
	(void)state;
	for (; s.form != SKETCH_DENSE_FORM; i++) {
		if (s.form == SKETCH_SPARSE && s.length > longest) longest = s.length;
		assert_true(sketch_add(&s, hash_of(i)));
		assert_true(i < 3000);
	}
	assert_in_range(longest, SKETCH_SPARSE_MAX - 2, SKETCH_SPARSE_MAX);
	assert_in_range(i, 1500, 1800);
	assert_in_range(sketch_count(&s), i - i / 40, i + i / 40);
	sketch_release(&s);
}

static void an_estimate_saturates(void **state)
{
	struct sketch s = { 0 };
	(void)state;
	for (uint64_t index = 0; index < SKETCH_REGISTERS; index++) assert_true(sketch_add(&s, index));
	assert_int_equal(estimate(&s), INT64_MAX);
	sketch_release(&s);
}

/* A million sets of ten values below 150 MiB, the 16 bytes of each struct among them. malloc takes 8 bytes more than it gives, and multiples of 16. */
static void small_sets_take_little_memory(void **state)
{
	struct sketch s = { 0 };
	(void)state;
	for (unsigned i = 1; i <= SKETCH_SMALL_MAX; i++) {
		assert_true(sketch_add(&s, hash_of(i)));
		size_t taken = (s.capacity + 8U + 15U) / 16U * 16U;
		assert_true(taken <= 6U * i * 5 / 4 + 40);
		if (i == 10) assert_true(1000000 * (taken + sizeof s) < 150 * 1024 * 1024);
	}
	assert_int_equal(sizeof s, 16);
	sketch_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_elements_in_the_same_order_have_redis_bytes_and_count),
		cmocka_unit_test(the_union_has_the_bytes_of_pfmerge),
		cmocka_unit_test(exact_values_are_set_in_a_dense_sketch),
		cmocka_unit_test(up_to_256_values_are_counted_exactly),
		cmocka_unit_test(values_of_one_tag_are_told_apart),
		cmocka_unit_test(what_lies_behind_the_tags_is_no_value),
		cmocka_unit_test(a_rank_above_32_makes_a_sparse_sketch_dense),
		cmocka_unit_test(a_sparse_sketch_is_made_dense_by_its_length),
		cmocka_unit_test(an_estimate_saturates),
		cmocka_unit_test(small_sets_take_little_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
