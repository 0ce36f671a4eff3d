/* check - holds the name, the type, the tags and their values of a metric against the catalogue. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "check.h"

#include "io/diag.h"

void check_init(struct check *c, struct catalog *catalog, struct findings *findings)
{
	*c = (struct check){ .catalog = catalog, .findings = findings };
	buffer_init(&c->name, SIZE_MAX / 2);
	buffer_init(&c->key, SIZE_MAX / 2);
	buffer_init(&c->value, SIZE_MAX / 2);
}

void check_release(struct check *c)
{
	buffer_release(&c->name);
	buffer_release(&c->key);
	buffer_release(&c->value);
}

static struct span text_of(struct value value, struct buffer *room)
{
	if (value.kind != VALUE_STRING || !value.escaped) return value.text;
	buffer_clear(room);
	if (!field_append_text(room, value)) die(EXIT_INTERNAL, "no memory for a value");
	return buffer_span(room);
}

static void add_fault(struct check *c, const struct finding *found)
{
	struct finding one = *found;
	c->faults++;
	if (c->dry) return;
	one.type = c->metric->kind;
	one.name = c->metric_name;
	one.source = c->source;
	one.line = c->line;
	if (findings_repeats(c->findings, &one)) return;
	if (one.kind == FINDING_NAME && !one.others) one.more = catalog_guess(c->catalog, one.name);
	if (one.kind == FINDING_TAG && !one.others) one.more = catalog_guess_tag(c->held_against, one.tag);
	const struct finding *fresh = findings_add(c->findings, &one);
	if (fresh && c->on_finding) c->on_finding(c->context, fresh);
}

/* --- values --- */

static void check_value(struct check *c, struct catalog_tag *tag, struct value value)
{
	static const char *const no_text[] = { [VALUE_OBJECT] = "an object", [VALUE_ARRAY] = "an array", [VALUE_NULL] = "null" };
	const struct catalog_values *allowed = tag->values;
	char number[NUMBER_INT_MAX];
	bool fresh;
	struct finding one = { .kind = FINDING_NO_TEXT, .tag = tag->name };
	if (value.kind == VALUE_OBJECT || value.kind == VALUE_ARRAY || value.kind == VALUE_NULL) {
		one.more = span_of(no_text[value.kind]);
		add_fault(c, &one);
		return;
	}
	struct span text = one.value = text_of(value, &c->value);
	if (table_find(&allowed->words, text) || (allowed->any && !allowed->limit) || table_find(&tag->seen, text)) return;
	one.kind = FINDING_VALUE;
	one.more = allowed->text;
	one.told = &tag->told;
	bool open = allowed->any || (allowed->pattern && match_regex_find(allowed->pattern, text) == MATCH_REGEX_FOUND);
	if (open && c->dry) return;
	if (open && text.length > CATALOG_VALUE_MAX) {
		one.kind = FINDING_LONG;
	} else if (open && tag->seen.count < allowed->limit) {
		if (!table_put(&tag->seen, text, &fresh)) die(EXIT_INTERNAL, "no memory for the values of a tag");
		return;
	} else if (open) {
		one.kind = FINDING_MANY;
		one.more = (struct span){ number, number_print_int(number, allowed->limit) };
		one.told = NULL;
	}
	add_fault(c, &one);
}

/* --- tags --- */

/* Tags mostly stand in the order of the catalogue: the next one is tried first. */
static struct catalog_tag *find_tag(const struct catalog_line *line, struct span key, size_t *next)
{
	for (size_t i = 0; i < line->count; i++) {
		size_t at = *next + i < line->count ? *next + i : *next + i - line->count;
		if (!span_equal(line->tag[at].name, key)) continue;
		*next = at + 1 < line->count ? at + 1 : 0;
		return &line->tag[at];
	}
	return NULL;
}

static void check_tags(struct check *c, const struct envelope *e, struct catalog_line *line)
{
	struct value key, value;
	uint64_t came = 0;
	size_t next = 0;
	c->held_against = line;
	struct field_walk walk = field_walk(e, c->metric->tags);
	while (field_next(&walk, &key, &value)) {
		struct span name = text_of(key, &c->key);
		struct catalog_tag *tag = find_tag(line, name, &next);
		if (!tag) {
			if (!line->open) add_fault(c, &(struct finding){ .kind = FINDING_TAG, .tag = name, .told = &line->told });
			continue;
		}
		uint64_t bit = UINT64_C(1) << (tag - line->tag);
		if (came & bit) add_fault(c, &(struct finding){ .kind = FINDING_TWICE, .tag = tag->name });
		came |= bit;
		check_value(c, tag, value);
	}
	for (size_t i = 0; i < line->count; i++)
		if (!line->tag[i].optional && !(came >> i & 1)) add_fault(c, &(struct finding){ .kind = FINDING_MISSING, .tag = line->tag[i].name });
}

/* --- metrics --- */

/* Of the lines of this name and type that which fits best. */
static struct catalog_form *best_form(struct check *c, const struct envelope *e, struct catalog_form *first)
{
	struct catalog_form *best = NULL;
	uint64_t least = UINT64_MAX, before = c->faults;
	for (struct catalog_form *form = first; form && least; form = catalog_next(c->catalog, form)) {
		if (form->line->kind != c->metric->kind) continue;
		if (form == first && !form->next) return form; /* nothing to choose */
		c->dry = true;
		c->faults = 0;
		check_tags(c, e, form->line);
		if (c->faults < least) least = c->faults, best = form;
	}
	c->dry = false;
	c->faults = before;
	return best;
}

/* "counter", "counter or timer": the types of the lines of this name. */
static struct span kinds_of(struct check *c, const struct catalog_form *first)
{
	bool has[METRIC_SET + 1] = { false };
	for (const struct catalog_form *form = first; form; form = catalog_next(c->catalog, form)) has[form->line->kind] = true;
	buffer_clear(&c->value);
	for (enum metric_kind kind = METRIC_COUNTER; kind <= METRIC_SET; kind++) {
		if (!has[kind]) continue;
		if (c->value.length) buffer_append_text(&c->value, " or ");
		buffer_append_text(&c->value, catalog_kind_name(kind));
	}
	return buffer_span(&c->value);
}

static void check_form(struct check *c, const struct envelope *e, struct catalog_form *first)
{
	struct catalog_form *form = best_form(c, e, first);
	if (!form) {
		first->came++;
		add_fault(c, &(struct finding){ .kind = FINDING_TYPE, .more = kinds_of(c, first) });
		return;
	}
	form->came++;
	if (c->metric->tags.kind != VALUE_ABSENT && c->metric->tags.kind != VALUE_OBJECT) add_fault(c, &(struct finding){ .kind = FINDING_TAGS });
	else check_tags(c, e, form->line);
}

enum check_verdict check_envelope(struct check *c, const struct envelope *e, const char *source, uint64_t line)
{
	struct metric metric;
	const char *reason;
	enum metric_verdict verdict = metric_read(&metric, e, &reason);
	if (verdict == METRIC_OTHER) return CHECK_NO_METRIC;
	c->metric = &metric;
	c->source = source;
	c->line = line;
	c->faults = 0;
	c->metric_name = metric.name.kind == VALUE_STRING ? text_of(metric.name, &c->name) : (struct span){ 0 };
	struct catalog_form *form = catalog_find(c->catalog, c->metric_name);
	if (c->metric_name.length && !form) {
		add_fault(c, &(struct finding){ .kind = FINDING_NAME });
		return CHECK_FAULTY;
	}
	if (verdict == METRIC_BAD) add_fault(c, &(struct finding){ .kind = FINDING_METRIC, .more = span_of(reason) });
	if (form) check_form(c, e, form);
	return c->faults ? CHECK_FAULTY : CHECK_CLEAN;
}
