/* report_metric - metrics and their members, found by a guess or by their hash, and put together where memory ends. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "report_metric.h"

#include <stdlib.h>

#include "io/diag.h"

enum {
	CAPACITY_FIRST = 8,
	TABLE_ENTRY = 96,  /* bytes that an entry of the table takes, about */
	PIECES_OVERHEAD = 6 * 16, /* what malloc takes besides, for the pieces of a metric or member */
};

static const char no_memory[] = "no memory for the report";

void metrics_init(struct metrics *m, const struct cardinality_options *options)
{
	*m = (struct metrics){ .options = options };
	table_init(&m->table, SIZE_MAX, SIZE_MAX / 2, sizeof(struct metric *));
	buffer_init(&m->key, SIZE_MAX / 2);
	buffer_init(&m->scratch, SIZE_MAX / 2);
	clock_init(&m->clock);
}

static void member_clear(struct member *one)
{
	sketch_release(&one->values);
	sketch_release(&one->series);
	top_release(&one->top);
}

static void member_free(struct member *one)
{
	if (!one) return;
	member_clear(one);
	free((char *)(uintptr_t)one->name.data);
	free(one);
}

static void metric_free(struct metric *one)
{
	if (!one) return;
	for (size_t i = 0; i < one->count; i++) member_free(one->member[i]);
	member_free(one->rest);
	sketch_release(&one->series);
	free(one->member);
	free(one->index);
	free((char *)(uintptr_t)one->type.data);
	free((char *)(uintptr_t)one->name.data);
	free(one);
}

void metrics_release(struct metrics *m)
{
	for (size_t i = 0; i < m->count; i++) metric_free(m->metric[i]);
	metric_free(m->other);
	free(m->metric);
	table_release(&m->table);
	sketch_release(&m->folded);
	buffer_release(&m->key);
	buffer_release(&m->scratch);
}

/* --- what memory is taken ------------------------------------------------------------ */

/* What the report makes of one at the end is counted with it. */
static size_t metric_memory(const struct metric *one)
{
	return PIECES_OVERHEAD + sizeof *one + sizeof(struct report_metric) + one->type.length + one->name.length + one->series.capacity + one->capacity * (sizeof *one->member + 2 * sizeof *one->index);
}

static size_t member_memory(const struct member *one)
{
	return PIECES_OVERHEAD + sizeof *one + sizeof(struct report_tag) + one->name.length + one->values.capacity + one->series.capacity + top_memory(&one->top);
}

/* Once there was no room none is found any more, though folding leaves some: what came back would be shown with a part of what it had. */
static bool has_room(struct metrics *m, size_t bytes)
{
	m->is_full |= m->memory + bytes > m->options->memory_limit;
	return !m->is_full;
}

static void note_folded(struct metrics *m, uint64_t hash)
{
	if (!sketch_add(&m->folded, hash)) die(EXIT_INTERNAL, "%s", no_memory);
}

static void add(struct metrics *m, struct sketch *s, uint64_t hash)
{
	size_t before = s->capacity;
	if (!sketch_add(s, hash)) die(EXIT_INTERNAL, "%s", no_memory);
	m->memory += s->capacity - before;
}

static void merge(struct metrics *m, struct sketch *into, const struct sketch *from)
{
	size_t before = into->capacity;
	if (!sketch_merge(into, from)) die(EXIT_INTERNAL, "%s", no_memory);
	m->memory += into->capacity - before;
}

/* --- metrics -------------------------------------------------------------------------- */

/* A long name as it is kept: whole characters, then the hash of all of it, so that two that begin alike stay two. */
static void append_name(struct buffer *out, struct span name)
{
	static const char digits[] = "0123456789abcdef";
	if (name.length <= METRIC_NAME_MAX) {
		buffer_append_span(out, name);
		return;
	}
	char mark[17] = "#";
	uint64_t hash = sketch_hash(name);
	for (int i = 16; i > 0; i--, hash >>= 4) mark[i] = digits[hash & 15];
	size_t length = METRIC_NAME_MAX - sizeof mark;
	while (length && ((unsigned char)name.data[length] & 0xc0) == 0x80) length--;
	buffer_append(out, name.data, length);
	buffer_append(out, mark, sizeof mark);
}

static struct span copy(struct span text)
{
	return (struct span){ must_copy(text), text.length };
}

static struct metric *metric_new(uint64_t hash, struct span type, struct span name)
{
	struct metric *one = must_alloc(sizeof *one);
	one->hash = hash;
	one->type = copy(type);
	one->name = copy(name);
	growth_init(&one->growth);
	return one;
}

static struct metric *other_of(struct metrics *m)
{
	if (!m->other) m->other = metric_new(0, SPAN("other"), (struct span){ 0 });
	return m->other;
}

static void remember(struct metrics *m, struct metric *one)
{
	if (m->count == m->capacity) {
		size_t capacity = m->capacity ? m->capacity * 2 : CAPACITY_FIRST;
		m->metric = must_resize(m->metric, capacity * sizeof *m->metric);
		m->memory += (capacity - m->capacity) * sizeof *m->metric;
		m->capacity = capacity;
	}
	m->metric[m->count++] = one;
	m->memory += metric_memory(one);
}

struct metric *metrics_find(struct metrics *m, struct span type, struct span name, uint64_t *hash)
{
	buffer_clear(&m->key);
	uint32_t type_length = type.length < METRIC_NAME_MAX ? (uint32_t)type.length : METRIC_NAME_MAX;
	buffer_append(&m->key, &type_length, sizeof type_length);
	append_name(&m->key, type);
	size_t name_at = m->key.length;
	append_name(&m->key, name);
	if (m->key.failed) die(EXIT_INTERNAL, "%s", no_memory);
	struct span key = buffer_span(&m->key);
	struct metric **there = table_find(&m->table, key);
	if (there) {
		*hash = (*there)->hash;
		return (*there)->is_folded ? other_of(m) : *there;
	}
	*hash = series_mix(sketch_hash(key));
	bool fresh;
	if (!has_room(m, sizeof(struct metric) + sizeof(struct report_metric) + 3 * key.length + TABLE_ENTRY) || !(there = table_put(&m->table, key, &fresh))) {
		note_folded(m, *hash);
		return other_of(m);
	}
	m->memory += key.length + TABLE_ENTRY;
	*there = metric_new(*hash, (struct span){ key.data + sizeof type_length, name_at - sizeof type_length }, (struct span){ key.data + name_at, key.length - name_at });
	remember(m, *there);
	return *there;
}

/* --- members -------------------------------------------------------------------------- */

#define TAGS_PREFIX SPAN("tags.")

static struct span key_of(const struct member *one)
{
	size_t skip = one->place == PLACE_TAGS ? TAGS_PREFIX.length : 0;
	return (struct span){ one->name.data + skip, one->name.length - skip };
}

uint64_t metrics_name_hash(enum member_place place, struct span key)
{
	return series_mix(sketch_hash(key) + (uint64_t)place);
}

/* With --tags, what it names is counted there and not once more where it stands. */
static bool is_named_by_options(const struct cardinality_options *o, enum member_place place, struct span key)
{
	for (size_t i = 0; i < o->tag_count; i++) {
		struct span path = o->tag[i].path.whole;
		if (!span_starts(path, SPAN("fields."))) continue;
		path = (struct span){ path.data + 7, path.length - 7 };
		if (place == PLACE_FIELDS && span_equal(path, key)) return true;
		if (place == PLACE_TAGS && span_starts(path, TAGS_PREFIX) && span_equal((struct span){ path.data + 5, path.length - 5 }, key)) return true;
	}
	return false;
}

static struct member *member_new(struct metrics *m, enum member_place place, struct span key, uint64_t hash)
{
	struct member *one = must_alloc(sizeof *one);
	buffer_clear(&m->key);
	if (place == PLACE_TAGS) buffer_append_span(&m->key, TAGS_PREFIX);
	append_name(&m->key, key);
	if (m->key.failed) die(EXIT_INTERNAL, "%s", no_memory);
	one->name = copy(buffer_span(&m->key));
	one->name_hash = hash;
	one->place = place;
	one->is_tag = place == PLACE_OPTION || (place == PLACE_TAGS && !m->options->tag_count);
	one->is_skipped = place != PLACE_REST && place != PLACE_OPTION && is_named_by_options(m->options, place, key);
	growth_init(&one->growth);
	return one;
}

static void index_put(struct metric *metric, size_t number)
{
	size_t mask = 2 * metric->capacity - 1, at = (size_t)metric->member[number]->name_hash & mask;
	while (metric->index[at]) at = (at + 1) & mask;
	metric->index[at] = (uint16_t)(number + 1);
}

static void member_put(struct metrics *m, struct metric *metric, struct member *one)
{
	if (metric->count == metric->capacity) {
		m->memory -= metric_memory(metric);
		metric->capacity = metric->capacity ? metric->capacity * 2 : CAPACITY_FIRST;
		metric->member = must_resize(metric->member, metric->capacity * sizeof(struct member *));
		free(metric->index);
		metric->index = must_alloc(2 * metric->capacity * sizeof *metric->index);
		for (size_t i = 0; i < metric->count; i++) index_put(metric, i);
		m->memory += metric_memory(metric);
	}
	one->is_of_other = metric == m->other;
	metric->member[metric->count] = one;
	index_put(metric, metric->count++);
	metric->tag_count += one->is_tag;
	m->memory += member_memory(one);
	/* The envelopes before this one did not have it: their series are series without it, and with it too. */
	if (one->is_tag || metric->has_sets) merge(m, &one->series, &metric->series);
}

static struct member *rest_of(struct metrics *m, struct metric *metric)
{
	if (metric->rest) return metric->rest;
	metric->rest = member_new(m, PLACE_REST, SPAN("other"), 0);
	metric->rest->is_of_other = metric == m->other;
	m->memory += member_memory(metric->rest);
	return metric->rest;
}

static bool is_it(const struct member *one, enum member_place place, struct span key)
{
	return one->place == place && span_equal(key_of(one), key);
}

static struct member *find_by_hash(const struct metric *metric, enum member_place place, struct span key, uint64_t hash)
{
	size_t mask = 2 * metric->capacity - 1;
	for (size_t at = (size_t)hash & mask; metric->capacity && metric->index[at]; at = (at + 1) & mask) {
		struct member *one = metric->member[metric->index[at] - 1];
		if (one->name_hash == hash && (is_it(one, place, key) || (one->place == place && key.length > METRIC_NAME_MAX))) return one;
	}
	return NULL;
}

bool metrics_has(const struct metric *metric, enum member_place place, struct span key)
{
	return find_by_hash(metric, place, key, metrics_name_hash(place, key));
}

static struct member *find_or_make(struct metrics *m, struct metric *metric, enum member_place place, struct span key, uint64_t hash)
{
	struct member *one = find_by_hash(metric, place, key, hash);
	if (one) return one;
	if (metric->count == METRIC_MEMBERS_MAX) {
		note_folded(m, series_pair(metric->hash, hash));
		return rest_of(m, metric);
	}
	if (metric != m->other && !has_room(m, sizeof *one + sizeof(struct report_tag) + key.length + metric->series.capacity)) {
		note_folded(m, series_pair(metric->hash, hash));
		return find_or_make(m, other_of(m), place, key, hash);
	}
	one = member_new(m, place, key, hash);
	member_put(m, metric, one);
	return one;
}

struct member *metrics_member(struct metrics *m, struct metric *metric, enum member_place place, struct span key, struct member *guess)
{
	struct member *one = guess && is_it(guess, place, key) ? guess : find_or_make(m, metric, place, key, metrics_name_hash(place, key));
	return one->is_folded ? find_or_make(m, other_of(m), place, key, one->name_hash) : one;
}

/* --- counting -------------------------------------------------------------------------- */

void metrics_count_value(struct metrics *m, struct member *one, struct span text, uint64_t hash)
{
	struct top_counter *counter = top_find(&one->top, hash);
	one->seen++;
	if (counter) { /* so the sketch has it */
		counter->count++;
		return;
	}
	size_t before = top_memory(&one->top);
	if (!top_put(&one->top, hash, text)) die(EXIT_INTERNAL, "%s", no_memory);
	m->memory += top_memory(&one->top) - before;
	growth_touch(&one->growth, &m->clock, &one->values);
	add(m, &one->values, hash);
}

void metrics_count_series(struct metrics *m, struct metric *metric, uint64_t hash)
{
	growth_touch(&metric->growth, &m->clock, &metric->series);
	add(m, &metric->series, hash);
}

void metrics_count_member_series(struct metrics *m, struct member *one, uint64_t hash)
{
	add(m, &one->series, hash);
}

void metrics_series_from_values(struct metrics *m, struct member *one)
{
	merge(m, &one->series, &one->values);
}

/* --- the bound ------------------------------------------------------------------------- */

static void fold_member(struct metrics *m, struct member *into, struct member *one)
{
	uint64_t counted = sketch_count(&into->values);
	merge(m, &into->values, &one->values);
	merge(m, &into->series, &one->series);
	growth_merge(&into->growth, &one->growth, &m->clock, (uint64_t[3]){ counted, sketch_count(&one->values), sketch_count(&into->values) });
	size_t before = top_memory(&into->top);
	if (!top_merge(&into->top, &one->top)) die(EXIT_INTERNAL, "%s", no_memory);
	m->memory += top_memory(&into->top) - before;
	into->seen += one->seen;
	m->memory -= one->values.capacity + one->series.capacity + top_memory(&one->top);
	member_clear(one);
	one->seen = 0;
	one->is_folded = true;
}

static void fold_to_other(struct metrics *m, struct metric *metric, struct member *one)
{
	if (one->is_folded || one->is_skipped) return;
	note_folded(m, series_pair(metric->hash, one->name_hash));
	fold_member(m, find_or_make(m, other_of(m), one->place, key_of(one), one->name_hash), one);
}

static void fold_metric(struct metrics *m, struct metric *metric)
{
	struct metric *other = other_of(m);
	for (size_t i = 0; i < metric->count; i++) {
		fold_to_other(m, metric, metric->member[i]);
		m->memory -= member_memory(metric->member[i]);
		member_free(metric->member[i]);
	}
	if (metric->rest) {
		fold_member(m, rest_of(m, other), metric->rest);
		member_free(metric->rest);
	}
	note_folded(m, metric->hash);
	uint64_t counted = sketch_count(&other->series);
	merge(m, &other->series, &metric->series);
	growth_merge(&other->growth, &metric->growth, &m->clock, (uint64_t[3]){ counted, sketch_count(&metric->series), sketch_count(&other->series) });
	other->envelopes += metric->envelopes;
	m->memory -= metric->series.capacity + metric->capacity * (sizeof *metric->member + 2 * sizeof *metric->index);
	sketch_release(&metric->series);
	free(metric->member);
	free(metric->index);
	*metric = (struct metric){ .type = metric->type, .name = metric->name, .hash = metric->hash, .is_folded = true };
}

void metrics_fold(struct metrics *m, struct metric *metric)
{
	struct member *largest = NULL;
	if (metric == m->other || metric->is_folded) return;
	for (size_t i = 0; i < metric->count; i++) {
		struct member *one = metric->member[i];
		if (!one->is_folded && !one->is_skipped && (!largest || member_memory(one) > member_memory(largest))) largest = one;
	}
	if (largest && member_memory(largest) > metric_memory(metric)) fold_to_other(m, metric, largest);
	else fold_metric(m, metric);
}
