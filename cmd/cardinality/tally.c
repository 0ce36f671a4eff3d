/* tally - one look at each member that is counted or counted by; a group is not looked for while there is nothing to count. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "tally.h"

#include "io/diag.h"

void tally_init(struct tally *t, const struct cardinality_options *options)
{
	*t = (struct tally){ .options = options };
	buffer_init(&t->group, GROUP_MAX);
	buffer_init(&t->scratch, SIZE_MAX / 2);
}

void tally_release(struct tally *t)
{
	buffer_release(&t->group);
	buffer_release(&t->scratch);
}

static _Noreturn void no_memory(void)
{
	die(EXIT_INTERNAL, "no memory for one more group or value");
}

struct span tally_group(struct tally *t, const struct envelope *envelope)
{
	if (t->options->by_count == 0) return SPAN("{}");
	buffer_clear(&t->group);
	if (!group_append(&t->group, &t->scratch, envelope, t->options->by, t->options->by_count)) no_memory();
	return buffer_span(&t->group);
}

bool tally_value(struct tally *t, const struct envelope *envelope, size_t of, struct span *text)
{
	bool is_there = group_value(text, &t->scratch, field_find(envelope, &t->options->of[of].path));
	if (is_there && t->scratch.failed) no_memory();
	if (!t->options->address) return is_there;
	*text = address_canonical(is_there ? *text : (struct span){ 0 }, t->address);
	return true;
}

void tally_add(struct groups *groups, struct span group, size_t of, uint64_t hash)
{
	if (!groups_add(groups, group, of, hash)) no_memory();
}

void tally_rest(struct tally *t, struct groups *groups, const struct envelope *envelope, size_t of)
{
	struct span text, group = { 0 };
	for (; of < t->options->of_count; of++) {
		if (!tally_value(t, envelope, of, &text)) continue;
		uint64_t hash = sketch_hash(text);
		if (!group.length) group = tally_group(t, envelope);
		tally_add(groups, group, of, hash);
	}
}

void tally_envelope(struct tally *t, struct groups *groups, const struct envelope *envelope)
{
	struct span text, group = { 0 };
	if (!t->options->by_count) {
		tally_rest(t, groups, envelope, 0);
		return;
	}
	for (size_t of = 0; of < t->options->of_count; of++) {
		if (!tally_value(t, envelope, of, &text)) continue;
		uint64_t hash = sketch_hash(text);
		if (!group.length) group = tally_group(t, envelope);
		if (!batch_add(&t->batch, groups, group, of, hash)) no_memory();
	}
}

void tally_settle(struct tally *t, struct groups *groups)
{
	if (!batch_settle(&t->batch, groups)) no_memory();
}
