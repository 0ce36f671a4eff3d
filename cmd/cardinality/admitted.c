/* admitted - keys of the tables begin with what tells a text from a hash, but where a plain text is the whole key: the usual case is not copied. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "admitted.h"

#include <stdlib.h>

#include "base/checksum.h"
#include "io/diag.h"

/* Of an entry of base/table besides its key: entry, slots at most half full, value; twice that while it grows. */
enum { ENTRY_BYTES = 64 };

struct admitted_group { uint32_t number, count; };

void admitted_init(struct admitted *a, uint64_t memory_limit_bytes)
{
	*a = (struct admitted){ .memory_limit = memory_limit_bytes, .checksum = checksum_new() };
	if (!a->checksum) die(EXIT_INTERNAL, "no memory for a checksum");
	buffer_init(&a->key, 4 * ADMITTED_TEXT_MAX);
	buffer_init(&a->group, 4 * ADMITTED_TEXT_MAX);
}

void admitted_release(struct admitted *a)
{
	for (size_t i = 0; i < a->count; i++) {
		table_release(&a->set[i]->values);
		table_release(&a->set[i]->groups);
		free(a->set[i]->identity);
		free(a->set[i]);
	}
	free(a->set);
	checksum_free(a->checksum);
	buffer_release(&a->key);
	buffer_release(&a->group);
}

struct admitted_set *admitted_find(struct admitted *a, struct span identity, bool has_groups)
{
	for (size_t i = 0; i < a->count; i++)
		if (span_equal(identity, span_of(a->set[i]->identity))) return a->set[i];
	struct admitted_set *set = must_alloc(sizeof *set);
	set->identity = must_copy(identity);
	set->has_groups = has_groups;
	table_init(&set->values, UINT32_MAX / 4, SIZE_MAX / 2, sizeof(uint32_t));
	table_init(&set->groups, ADMITTED_GROUPS_MAX + 1, SIZE_MAX / 2, sizeof(struct admitted_group));
	a->set = must_resize(a->set, (a->count + 1) * sizeof *a->set);
	a->set[a->count++] = set;
	return set;
}

/* A text that begins with a NUL byte would look like the key of a hash: it is kept as a hash, too. */
static bool is_kept_as_text(struct span text)
{
	return text.length <= ADMITTED_TEXT_MAX && !(text.length && text.data[0] == '\0');
}

/* The name that a text is kept by. */
static struct admitted_name name_of(struct admitted *a, struct span text, char digits[CHECKSUM_WIDE_MAX])
{
	if (is_kept_as_text(text)) return (struct admitted_name){ ADMITTED_TEXT, text };
	checksum_reset(a->checksum);
	checksum_add(a->checksum, text);
	checksum_print_wide(digits, checksum_value_wide(a->checksum));
	return (struct admitted_name){ ADMITTED_HASH, { digits, CHECKSUM_WIDE_MAX - 1 } };
}

/* The name as a part of a key; the group's number stands before it if there are groups. */
static struct span make_key(struct buffer *out, const uint32_t *number, const struct admitted_name *name)
{
	static const char mark[] = { [ADMITTED_HASH] = 'h', [ADMITTED_NONE] = 'n', [ADMITTED_SHARED] = 's' };
	if (!number && name->kind == ADMITTED_TEXT) return name->text;
	buffer_clear(out);
	if (number) buffer_append(out, number, sizeof *number);
	if (name->kind != ADMITTED_TEXT) {
		buffer_append_byte(out, '\0');
		buffer_append_byte(out, mark[name->kind]);
	}
	buffer_append_span(out, name->text);
	if (out->failed) die(EXIT_INTERNAL, "no memory for the values of a rule");
	return buffer_span(out);
}

static struct span value_key(struct admitted *a, const struct admitted_group *group, const struct admitted_name *name)
{
	return make_key(&a->key, group ? &group->number : NULL, name);
}

static bool has_room(struct admitted *a, struct span key)
{
	if (a->memory + key.length + ENTRY_BYTES <= a->memory_limit) return true;
	if (a->starved++ == 0) diag_warn("no more values are let in: they fill --max-memory (%llu bytes)", (unsigned long long)a->memory_limit);
	return false;
}

static void *put(struct admitted *a, struct table *table, struct span key)
{
	bool fresh;
	void *value = table_put(table, key, &fresh);
	if (!value) die(EXIT_INTERNAL, "no memory for the values of a rule");
	if (fresh) a->memory += key.length + ENTRY_BYTES;
	return value;
}

/* The group as it counts: its own name, or that of the rest. */
static void settle_group(struct admitted *a, struct admitted_set *set, struct admitted_name *name)
{
	if (table_find(&set->groups, make_key(&a->group, NULL, name))) return;
	if (set->groups.count < ADMITTED_GROUPS_MAX) return;
	*name = (struct admitted_name){ ADMITTED_SHARED, { NULL, 0 } };
}

/* NULL: it has no value yet. */
static struct admitted_group *find_group(struct admitted *a, struct admitted_set *set, const struct admitted_name *name)
{
	return table_find(&set->groups, make_key(&a->group, NULL, name));
}

static struct admitted_group *put_group(struct admitted *a, struct admitted_set *set, const struct admitted_name *name)
{
	struct admitted_group *group = put(a, &set->groups, make_key(&a->group, NULL, name));
	if (group->count == 0) group->number = (uint32_t)set->groups.count - 1;
	return group;
}

static enum admitted_verdict let_in(struct admitted *a, struct admitted_set *set, const struct admitted_name *group, const struct admitted_name *value)
{
	struct span longest = { value->text.data, value->text.length + (group ? group->text.length : 0) };
	if (!has_room(a, longest)) return ADMITTED_NO;
	a->error = a->remember ? a->remember(a->remember_context, set, group, value) : 0;
	if (a->error) return ADMITTED_FAILED;
	admitted_restore(a, set, group, value);
	return ADMITTED_YES;
}

static enum admitted_verdict ask_group(struct admitted *a, struct admitted_set *set, const struct admitted_name *group, const struct admitted_name *value, uint32_t limit)
{
	char digits[CHECKSUM_WIDE_MAX];
	struct admitted_name name = group->kind == ADMITTED_TEXT ? name_of(a, group->text, digits) : *group;
	settle_group(a, set, &name);
	const struct admitted_group *found = find_group(a, set, &name);
	const uint32_t *place = found ? table_find(&set->values, value_key(a, found, value)) : NULL;
	if (place) return *place < limit ? ADMITTED_YES : ADMITTED_NO;
	return (found ? found->count : 0) < limit ? let_in(a, set, &name, value) : ADMITTED_NO;
}

enum admitted_verdict admitted_ask(struct admitted *a, struct admitted_set *set, const struct admitted_name *group, struct span value, uint32_t limit)
{
	char digits[CHECKSUM_WIDE_MAX];
	struct admitted_name name = name_of(a, value, digits);
	if (group) return ask_group(a, set, group, &name, limit);
	const uint32_t *place = table_find(&set->values, value_key(a, NULL, &name));
	if (place) return *place < limit ? ADMITTED_YES : ADMITTED_NO;
	return set->values.count < limit ? let_in(a, set, NULL, &name) : ADMITTED_NO;
}

bool admitted_restore(struct admitted *a, struct admitted_set *set, const struct admitted_name *group, const struct admitted_name *value)
{
	if (a->memory > a->memory_limit) return false;
	struct admitted_group *to = group ? put_group(a, set, group) : NULL;
	struct span key = value_key(a, to, value);
	if (table_find(&set->values, key)) return false;
	uint32_t place = to ? to->count++ : (uint32_t)set->values.count;
	*(uint32_t *)put(a, &set->values, key) = place;
	return true;
}
