/* fuzz_line - any bytes as lines of groups and sketches: what is taken is written again as it was, is an envelope's fields, and sorts as its bytes do. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "envelope/envelope.h"
#include "group.h"
#include "line.h"

enum { TEXT_MAX = 1 << 20 };

/* A line that was taken, and its key as it stood there. */
struct taken {
	struct line line;
	struct sketch sketch;
	struct buffer group;
	struct span key;
};

static struct scan scan;

static void require(bool condition)
{
	if (!condition) abort();
}

static bool take(struct taken *t, struct span text)
{
	buffer_init(&t->group, GROUP_MAX);
	const char *reason = line_parse(&t->line, &t->sketch, &t->group, text);
	require(!reason || t->sketch.length == 0);
	require(!reason || (t->line.column >= 1 && t->line.column <= text.length + 1));
	if (reason) return false;
	t->key = (struct span){ text.data, (size_t)((const char *)memchr(text.data, '\t', text.length) - text.data) };
	return true;
}

static void release(struct taken *t)
{
	sketch_release(&t->sketch);
	buffer_release(&t->group);
}

/* Written and read again it is the same, and from then on the same bytes. */
static void check_again(const struct taken *t)
{
	struct buffer first, second;
	struct taken again = { 0 };
	buffer_init(&first, TEXT_MAX);
	buffer_init(&second, TEXT_MAX);
	require(line_append(&first, t->line.of, t->line.group, &t->sketch, t->line.seen));
	require(take(&again, buffer_span(&first)));
	require(span_equal(again.key, t->key) && span_equal(again.line.of, t->line.of) && span_equal(again.line.group, t->line.group));
	require(again.line.seen == t->line.seen && sketch_count(&again.sketch) == sketch_count(&t->sketch));
	require(line_append(&second, again.line.of, again.line.group, &again.sketch, again.line.seen));
	require(span_equal(buffer_span(&first), buffer_span(&second)));
	release(&again);
	buffer_release(&first);
	buffer_release(&second);
}

/* --reduce makes an envelope of the key, and takes it for granted that it is one. */
static void check_envelope(const struct taken *t)
{
	struct buffer text, copy;
	struct envelope envelope;
	struct envelope_fault fault;
	buffer_init(&text, TEXT_MAX);
	buffer_init(&copy, TEXT_MAX);
	buffer_append_text(&text, "{\"type\":\"metlog.sketch\",\"fields\":");
	buffer_append_span(&text, t->key);
	buffer_append_byte(&text, '}');
	require(envelope_parse_copy(&envelope, &scan, &copy, buffer_span(&text), &fault) == ENVELOPE_GOOD);
	buffer_release(&text);
	buffer_release(&copy);
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct taken last = { 0 };
	bool has_last = false;
	if (!scan.kernel && !scan_init(&scan)) abort();
	for (struct span rest = { (const char *)data, size }; rest.length;) {
		struct taken t = { 0 };
		if (take(&t, span_take_line(&rest))) {
			check_again(&t);
			check_envelope(&t);
			if (has_last) {
				int order = line_compare_keys(last.line.of, last.line.group, t.line.of, t.line.group);
				require(sign(order) == sign(span_compare(last.key, t.key)));
				release(&last);
			}
			last = t;
			has_last = true;
		} else {
			release(&t);
		}
	}
	if (has_last) release(&last);
	return 0;
}
