/* test_ackwire - the messages of the acknowledged transport: written as the manual says, read back, and refused when malformed. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "io/ackwire.h"

#define SENDER "0123456789abcdef"

static void batch_is_four_parts_and_reads_back(void **state)
{
	(void)state;
	struct span parts[ACKWIRE_PARTS_MAX];
	char number[8];
	struct ackwire m = { ACKWIRE_BATCH, SPAN(SENDER), 0x0102030405060708, SPAN("{}\n"), { 0 } };
	assert_int_equal(ackwire_write(&m, parts, number), 4);
	assert_memory_equal(parts[0].data, "METLOG1B", 8);
	assert_memory_equal(parts[2].data, "\1\2\3\4\5\6\7\10", 8);
	struct ackwire back = ackwire_read(parts, 4);
	assert_int_equal(back.kind, ACKWIRE_BATCH);
	assert_true(back.sequence == m.sequence);
	assert_true(span_equal(back.sender, m.sender) && span_equal(back.lines, m.lines));
}

static void answers_read_back(void **state)
{
	(void)state;
	struct span parts[ACKWIRE_PARTS_MAX];
	char number[8];
	assert_int_equal(ackwire_write(&(struct ackwire){ .kind = ACKWIRE_ACK, .sequence = 7 }, parts, number), 2);
	assert_true(ackwire_read(parts, 2).kind == ACKWIRE_ACK && ackwire_read(parts, 2).sequence == 7);
	assert_int_equal(ackwire_write(&(struct ackwire){ .kind = ACKWIRE_REJECTED, .sequence = 8, .reason = SPAN("why") }, parts, number), 3);
	assert_true(ackwire_read(parts, 3).sequence == 8 && span_equal(ackwire_read(parts, 3).reason, SPAN("why")));
	assert_int_equal(ackwire_write(&(struct ackwire){ .kind = ACKWIRE_PING, .sender = SPAN(SENDER) }, parts, number), 2);
	assert_true(ackwire_read(parts, 2).kind == ACKWIRE_PING);
}

static void malformed_messages_are_none(void **state)
{
	(void)state;
	const struct span good[4] = { SPAN("METLOG1B"), SPAN(SENDER), SPAN("\0\0\0\0\0\0\0\1"), SPAN("{}\n") };
	const struct { size_t part; struct span bad; } cases[] = {
		{ 0, SPAN("METLOG2B") }, { 0, SPAN("METLOG1") }, { 1, SPAN("short") }, { 1, SPAN(SENDER "x") }, { 2, SPAN("") },
		{ 2, SPAN("\0\0\0\0\0\0\0\0") }, { 2, SPAN("\0\0\0\0\0\0\0\0\1") }, { 3, SPAN("") }, { 3, SPAN("{}") },
	};
	assert_int_equal(ackwire_read(good, 4).kind, ACKWIRE_BATCH);
	for (size_t count = 0; count < 4; count++) assert_int_equal(ackwire_read(good, count).kind, ACKWIRE_NONE);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span parts[4];
		memcpy(parts, good, sizeof parts);
		parts[cases[i].part] = cases[i].bad;
		assert_int_equal(ackwire_read(parts, 4).kind, ACKWIRE_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_is_four_parts_and_reads_back),
		cmocka_unit_test(answers_read_back),
		cmocka_unit_test(malformed_messages_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
