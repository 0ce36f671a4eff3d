/* tame - applies the rules to an envelope; edits are gathered, and made before a rule that would have to see them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "tame.h"

#include <stdlib.h>

#include "base/tag.h"
#include "io/diag.h"
#include "offenders.h"

/* What a rule says of a value. */
enum sentence { SENTENCE_PASS, SENTENCE_REPLACE, SENTENCE_DROP, SENTENCE_FAILED };

void tame_init(struct tame *t, struct rules *rules, struct admitted *admitted, size_t line_limit_bytes)
{
	*t = (struct tame){ .rules = NULL, .admitted = admitted, .line_limit = line_limit_bytes };
	edits_init(&t->edits, UINT32_MAX);
	if (!scan_init(&t->scan)) die(EXIT_INTERNAL, "no memory for the scanner");
	/* A line may grow beyond its limit by one rule and shrink below it by the next: what counts is what comes out. */
	buffer_init(&t->changed, line_limit_bytes < UINT32_MAX / 8 ? 4 * line_limit_bytes + 65536 : UINT32_MAX);
	buffer_init(&t->copy, SIZE_MAX / 2);
	buffer_init(&t->text, SIZE_MAX / 2);
	buffer_init(&t->made, SIZE_MAX / 2);
	buffer_init(&t->group, SIZE_MAX / 2);
	tame_rules(t, rules);
}

void tame_release(struct tame *t)
{
	edits_release(&t->edits);
	hits_release(&t->hits);
	lookup_release(&t->lookup);
	scan_release(&t->scan);
	buffer_release(&t->changed);
	buffer_release(&t->copy);
	buffer_release(&t->text);
	buffer_release(&t->made);
	buffer_release(&t->group);
}

void tame_rules(struct tame *t, struct rules *rules)
{
	t->rules = rules;
	lookup_release(&t->lookup);
	for (uint32_t i = 0; i < rules->count; i++) lookup_add(&t->lookup, &rules->rule[i].path, i);
	for (size_t i = 0; i < rules->count; i++)
		if (rule_has_set(&rules->rule[i])) rules->rule[i].set = admitted_find(t->admitted, rules->rule[i].identity, rules->rule[i].per.depth > 0);
}

static void offend(const struct tame *t, struct rule *rule, struct span text)
{
	if (!t->keeps_offenders) return;
	if (!rule->offenders) rule->offenders = offenders_new();
	offenders_add(rule->offenders, text);
}

static struct span decode(struct buffer *room, struct value value)
{
	if (value.kind != VALUE_STRING || !value.escaped) return value.text;
	buffer_clear(room);
	if (!field_append_text(room, value)) die(EXIT_INTERNAL, "no memory for a value");
	return buffer_span(room);
}

static enum sentence judge_bucket(const struct tame *t, struct rule *rule, struct value value, struct span text, struct span *made)
{
	double number;
	if (table_find(&rule->labels, text) || span_equal(text, rule->other)) return SENTENCE_PASS;
	size_t last = rule->labels.count - 1;
	if (field_number((struct value){ .text = text, .kind = value.kind }, &number) && number >= 0) {
		*made = table_key(&rule->labels, number < (double)last ? (size_t)number : last);
		return SENTENCE_REPLACE;
	}
	rule->books.bad++;
	offend(t, rule, text);
	*made = rule->other;
	return SENTENCE_REPLACE;
}

static enum sentence judge_text(struct tame *t, const struct rule *rule, struct span text, struct span *made)
{
	struct span key = rule->path.segment[rule->path.depth - 1], path = text;
	if (rule->kind == RULE_NORMALISE && tag_value_is_clean(key, text)) return SENTENCE_PASS;
	buffer_clear(&t->made);
	if (rule->kind == RULE_NORMALISE_PATH) {
		if (span_equal(text, SPAN(".homepage"))) return SENTENCE_PASS; /* it was made here before */
		buffer_reserve(&t->made, path.length + 2 * TAG_MAX); /* for the value behind it, too: it must not move while it is read */
		tag_append_path(&t->made, path);
		path = buffer_span(&t->made);
	}
	size_t start = t->made.length;
	tag_append_value(&t->made, key, path);
	/* Of a blank nothing is left either; the next guard on the way would make this of it. */
	if (rule->kind == RULE_NORMALISE_PATH && t->made.length == start) buffer_append_text(&t->made, ".homepage");
	if (t->made.failed) die(EXIT_INTERNAL, "no memory for a tag");
	*made = t->made.length > start ? (struct span){ t->made.data + start, t->made.length - start } : SPAN("");
	return span_equal(*made, text) ? SENTENCE_PASS : SENTENCE_REPLACE;
}

static enum sentence judge(struct tame *t, struct rule *rule, const struct admitted_name *group, struct value value, struct span *made)
{
	struct span text = decode(&t->text, value);
	*made = rule->other;
	switch (rule->kind) {
	case RULE_DROP: return SENTENCE_DROP;
	case RULE_BUCKET: return judge_bucket(t, rule, value, text, made);
	case RULE_NORMALISE:
	case RULE_NORMALISE_PATH: return judge_text(t, rule, text, made);
	case RULE_KEEP:
		if (table_find(&rule->labels, text) || span_equal(text, rule->other)) return SENTENCE_PASS;
		break;
	case RULE_LIMIT:
		if (span_equal(text, rule->other)) return SENTENCE_PASS;
		/* fall through */
	case RULE_DROP_OVER:
		switch (admitted_ask(t->admitted, rule->set, group, text, rule->limit)) {
		case ADMITTED_YES: return SENTENCE_PASS;
		case ADMITTED_FAILED: return SENTENCE_FAILED;
		case ADMITTED_NO: break;
		}
	}
	offend(t, rule, text);
	return rule->kind == RULE_DROP_OVER ? SENTENCE_DROP : SENTENCE_REPLACE;
}

static bool write_changed(struct tame *t, struct span line)
{
	buffer_clear(&t->changed);
	bool good = edits_apply(&t->edits, line, &t->changed);
	if (t->changed.no_memory) die(EXIT_INTERNAL, "no memory for a line of %zu bytes", line.length);
	edits_clear(&t->edits);
	return good;
}

/* Makes the edits there are; what comes out is looked at from now on. */
static bool make(struct tame *t, const struct envelope **e)
{
	struct envelope_fault fault;
	if (!write_changed(t, (*e)->line)) return false;
	if (envelope_parse_copy(&t->envelope, &t->scan, &t->copy, buffer_span(&t->changed), &fault) != ENVELOPE_GOOD) die(EXIT_INTERNAL, "a line that was changed is no envelope: %s", fault.reason);
	*e = &t->envelope;
	return true;
}

static bool touches(const struct tame *t, const struct envelope *e)
{
	size_t at = 0;
	for (size_t i = 0; i < t->hits.count; i++) {
		struct edit_place place = hit_place(e, &t->hits.hit[i]);
		if (edits_touch(&t->edits, &place, &at)) return true;
	}
	return false;
}

static struct admitted_name group_of(const struct envelope *e, const struct rule *rule, struct buffer *room)
{
	struct value value = field_find(e, &rule->per);
	if (value.kind == VALUE_ABSENT || value.kind == VALUE_NULL) return (struct admitted_name){ ADMITTED_NONE, { NULL, 0 } };
	return (struct admitted_name){ ADMITTED_TEXT, decode(room, value) };
}

static bool judge_hits(struct tame *t, struct rule *rule, const struct envelope *e, const struct admitted_name *group)
{
	bool changed = false, dropped = false;
	for (size_t i = 0; i < t->hits.count; i++) {
		const struct hit *hit = &t->hits.hit[i];
		struct span made;
		enum sentence sentence = judge(t, rule, group, hit->value, &made);
		if (sentence == SENTENCE_PASS) continue;
		if (sentence == SENTENCE_FAILED) return false;
		struct edit_place place = hit_place(e, hit);
		if (sentence == SENTENCE_REPLACE) {
			edits_replace(&t->edits, &place, made);
			changed = true;
			continue;
		}
		if (!hit->element) edits_drop(&t->edits, &place);
		else if (hit->value.kind != VALUE_NULL) edits_replace_null(&t->edits, &place);
		else continue;
		dropped = true;
	}
	rule->books.changed += changed;
	rule->books.dropped += dropped;
	if (changed || dropped) edits_sort(&t->edits);
	return true;
}

static enum tame_verdict apply(struct tame *t, uint32_t number, const struct envelope **e)
{
	struct rule *rule = &t->rules->rule[number];
	struct admitted_name group;
	if (*e == t->lookup.of) lookup_hits(&t->lookup, number, &rule->path, &t->hits);
	else hits_find(&t->hits, *e, &rule->path);
	if (!t->hits.count) return TAME_SAME;
	if (t->edits.count && (rule->condition || rule->per.depth || touches(t, *e))) {
		if (!make(t, e)) return TAME_LONG;
		hits_find(&t->hits, *e, &rule->path);
		if (!t->hits.count) return TAME_SAME;
	}
	if (rule->condition && !match_eval(rule->condition, *e)) return TAME_SAME;
	rule->books.matched++;
	if (rule->per.depth) group = group_of(*e, rule, &t->group);
	return judge_hits(t, rule, *e, rule->per.depth ? &group : NULL) ? TAME_SAME : TAME_FAILED;
}

enum tame_verdict tame_envelope(struct tame *t, const struct envelope *envelope, struct span *line)
{
	const struct envelope *e = envelope;
	edits_clear(&t->edits);
	lookup_walk(&t->lookup, e);
	for (uint32_t i = 0; i < t->rules->count; i++) {
		if (e == envelope && !lookup_has(&t->lookup, i)) continue;
		enum tame_verdict verdict = apply(t, i, &e);
		if (verdict != TAME_SAME) return verdict;
	}
	if (!t->edits.count && e == envelope) return TAME_SAME;
	*line = e->line;
	if (t->edits.count) {
		if (!write_changed(t, e->line)) return TAME_LONG;
		*line = buffer_span(&t->changed);
	}
	return line->length <= t->line_limit ? TAME_CHANGED : TAME_LONG;
}
