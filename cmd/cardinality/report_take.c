/* report_take - from an envelope's members to values and series: each pair is looked at once. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "report_take.h"

#include <stdlib.h>

#include "io/diag.h"

static const char no_memory[] = "no memory for the report";
static const int64_t minute_ns = INT64_C(60000000000);

/* A tag is shown as the user would write it: below fields the path from there on, elsewhere all of it; or the name it was given. */
static struct span shown_name(const struct cardinality_field *tag)
{
	struct span path = tag->path.whole, last = tag->path.segment[tag->path.depth - 1];
	if (!span_equal(tag->name, last)) return tag->name;
	return span_starts(path, SPAN("fields.")) ? (struct span){ path.data + 7, path.length - 7 } : path;
}

void take_init(struct take *t, const struct cardinality_options *options)
{
	*t = (struct take){ 0 };
	metrics_init(&t->metrics, options);
	for (size_t i = 0; i < options->tag_count; i++) t->option_name[i] = shown_name(&options->tag[i]);
	buffer_init(&t->type, SIZE_MAX / 2);
	buffer_init(&t->name, SIZE_MAX / 2);
	buffer_init(&t->key, SIZE_MAX / 2);
}

void take_release(struct take *t)
{
	metrics_release(&t->metrics);
	series_arrivals_release(&t->arrivals);
	free(t->member);
	buffer_release(&t->type);
	buffer_release(&t->name);
	buffer_release(&t->key);
}

/* --- what is there ---------------------------------------------------------------------- */

static bool is_scalar(struct value value)
{
	return value.kind == VALUE_STRING || value.kind == VALUE_NUMBER || value.kind == VALUE_TRUE || value.kind == VALUE_FALSE;
}

static struct span text_of(struct value value, struct buffer *room)
{
	if (value.kind != VALUE_STRING || !value.escaped) return value.text;
	buffer_clear(room);
	if (!field_append_text(room, value)) die(EXIT_INTERNAL, "%s", no_memory);
	return buffer_span(room);
}

static void gather_one(struct take *t, const struct take_member *one)
{
	if (t->count == t->capacity) {
		t->capacity = t->capacity ? t->capacity * 2 : 64;
		t->member = must_resize(t->member, t->capacity * sizeof *t->member);
	}
	t->member[t->count++] = *one;
}

/* Of four letters, as name, rate and tags are. */
static inline bool is_key(struct value key, struct span name)
{
	if (key.escaped) return field_equals(key, name);
	return key.text.length == 4 && memcmp(key.text.data, name.data, 4) == 0;
}

/* Leaves the members in t->member, those of fields.tags behind, and returns fields.name. Of a repeated key the last one counts, so a value of any kind is
 * gathered: it takes the place of an earlier one. */
static struct value gather(struct take *t, const struct envelope *envelope)
{
	struct value key, value, name = { 0 }, tags = { 0 };
	struct field_walk walk = field_walk(envelope, envelope->fields);
	t->count = 0;
	while (field_next(&walk, &key, &value)) {
		if (is_key(key, SPAN("name"))) name = value;
		else if (is_key(key, SPAN("tags"))) tags = value;
		else if (!is_key(key, SPAN("rate"))) gather_one(t, &(struct take_member){ .place = PLACE_FIELDS, .key = key, .value = value });
	}
	if (is_scalar(tags)) gather_one(t, &(struct take_member){ .place = PLACE_FIELDS, .key = { .text = SPAN("tags"), .kind = VALUE_STRING }, .value = tags });
	walk = field_walk(envelope, tags);
	while (field_next(&walk, &key, &value)) gather_one(t, &(struct take_member){ .place = PLACE_TAGS, .key = key, .value = value });
	const struct cardinality_options *options = t->metrics.options;
	for (size_t i = 0; i < options->tag_count; i++) {
		value = field_find(envelope, &options->tag[i].path);
		gather_one(t, &(struct take_member){ .place = PLACE_OPTION, .name = t->option_name[i], .value = value });
	}
	return name;
}

/* Finds what the report keeps of each member, and leaves those to be counted in t->member. */
static void resolve(struct take *t, struct metric *metric)
{
	size_t kept = 0;
	struct member **guess = &metric->first;
	for (size_t i = 0; i < t->count; i++) {
		struct take_member *one = &t->member[i];
		struct span key = one->place == PLACE_OPTION ? one->name : text_of(one->key, &t->key);
		/* A value that is none makes no member. But where there is one, it may come behind a value of the same key. */
		if (!is_scalar(one->value) && !metrics_has(metric, one->place, key)) continue;
		one->member = metrics_member(&t->metrics, metric, one->place, key, *guess);
		struct member *member = one->member;
		if (member->place == PLACE_REST) one->pair = metrics_name_hash(one->place, key);
		else if (member->envelope == t->envelopes) {
			t->member[member->slot].value = one->value;
			continue;
		}
		if (member->is_skipped) continue;
		if (member->is_of_other == (metric == t->metrics.other)) { /* one of another metric must not be kept: it outlives this one's, or they it */
			*guess = member;
			guess = &member->next;
		}
		member->envelope = t->envelopes;
		member->slot = kept;
		t->member[kept++] = *one;
	}
	t->count = kept;
}

/* --- counting ----------------------------------------------------------------------------- */

static bool makes_tag(const struct take *t, const struct take_member *one)
{
	if (one->member->place == PLACE_REST) return one->place == PLACE_TAGS && !t->metrics.options->tag_count;
	return one->member->is_tag;
}

/* The first tag of a metric that had none, before it is counted: until now the series with a member were its values, and the hash of a value stands for it alone. */
static void begin_sets(struct take *t, struct metric *metric, uint64_t hash)
{
	bool has_tag = metric == t->metrics.other;
	for (size_t i = 0; i < t->count && !has_tag; i++) has_tag = makes_tag(t, &t->member[i]);
	if (!has_tag) return;
	metric->has_sets = true;
	for (size_t i = 0; i < metric->count; i++) {
		struct member *member = metric->member[i];
		if (member->is_tag || member->is_skipped || member->is_folded) continue;
		if (member->seen < metric->envelopes - 1) metrics_count_member_series(&t->metrics, member, series_hash(hash));
		metrics_series_from_values(&t->metrics, member);
	}
}

/* "name=value", for what is counted together with others. */
static struct span named(struct take *t, const struct take_member *one, struct span text)
{
	buffer_clear(&t->name);
	if (one->place == PLACE_TAGS) buffer_append_text(&t->name, "tags.");
	field_append_text(&t->name, one->key);
	buffer_append_byte(&t->name, '=');
	if (!buffer_append_span(&t->name, text)) die(EXIT_INTERNAL, "%s", no_memory);
	return buffer_span(&t->name);
}

/* Counts the values; the sum of the tags' pairs, and a number for which members there are. */
static uint64_t count_values(struct take *t, uint64_t *presence)
{
	uint64_t sum = 0;
	size_t kept = 0;
	for (size_t i = 0; i < t->count; i++) {
		struct take_member *one = &t->member[i];
		struct member *member = one->member;
		if (!is_scalar(one->value)) {
			member->envelope = 0;
			continue;
		}
		struct span text = text_of(one->value, &t->key);
		uint64_t hash = one->hash = sketch_hash(text);
		bool is_rest = member->place == PLACE_REST;
		one->pair = series_pair(is_rest ? one->pair : member->name_hash, hash);
		metrics_count_value(&t->metrics, member, is_rest ? named(t, one, text) : text, is_rest ? one->pair : hash);
		if (makes_tag(t, one)) sum += one->pair;
		*presence += is_rest ? one->pair : member->name_hash;
		t->member[kept++] = *one;
	}
	t->count = kept;
	return sum;
}

/* A set of tags that was not there lately: the series, and what it would be without each tag; a member that is not there makes no difference to it. */
static void count_sets(struct take *t, struct metric *metric, uint64_t sum)
{
	metrics_count_series(&t->metrics, metric, series_hash(sum));
	for (size_t i = 0; i < t->count; i++)
		if (t->member[i].member->is_tag) metrics_count_member_series(&t->metrics, t->member[i].member, series_hash(sum - t->member[i].pair));
	for (size_t i = 0; i < metric->count; i++) {
		struct member *absent = metric->member[i];
		if (absent->envelope != t->envelopes && (absent->is_tag || metric->has_sets) && !absent->is_skipped && !absent->is_folded) metrics_count_member_series(&t->metrics, absent, series_hash(sum));
	}
}

/* hash: of the metric, with which the sum began. Where a metric has no tags at all there is one series, and with a member it would be the member's values: nothing is
 * to be counted but those. */
static void count_series(struct take *t, struct metric *metric, uint64_t hash, uint64_t sum, uint64_t presence)
{
	if (!series_was_lately(&t->lately, series_mix(sum) + series_mix(presence))) {
		count_sets(t, metric, sum);
		int64_t bucket = t->metrics.clock.bucket;
		if (!series_arrivals_add(&t->arrivals, series_hash(sum), bucket == CLOCK_NONE ? INT64_MIN : t->when / minute_ns)) die(EXIT_INTERNAL, "%s", no_memory);
	}
	if (!metric->has_sets) return;
	for (size_t i = 0; i < t->count; i++) {
		const struct take_member *one = &t->member[i];
		if (one->member->is_tag || one->member->place == PLACE_REST) continue;
		metrics_count_member_series(&t->metrics, one->member, sum == hash && metric != t->metrics.other ? one->hash : series_hash(sum + one->pair));
	}
}

void take_envelope(struct take *t, const struct envelope *envelope)
{
	struct clock *clock = &t->metrics.clock;
	t->envelopes++;
	clock_unset(clock);
	if (!envelope->timestamp.escaped && timestamp_parse_next(&t->minute, envelope->timestamp.text, &t->when)) clock_set(clock, t->when);
	struct value name = gather(t, envelope);
	uint64_t presence = 0, hash;
	struct metric *metric = metrics_find(&t->metrics, text_of(envelope->type, &t->type), name.kind == VALUE_STRING ? text_of(name, &t->name) : (struct span){ 0 }, &hash);
	metric->envelopes++;
	resolve(t, metric);
	if (!metric->has_sets) begin_sets(t, metric, hash);
	uint64_t sum = hash + count_values(t, &presence);
	count_series(t, metric, hash, sum, presence);
	if (metrics_is_full(&t->metrics)) metrics_fold(&t->metrics, metric);
}
