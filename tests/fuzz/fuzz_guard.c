/* fuzz_guard - whatever rules make of an envelope is an envelope again, in which only what they name has changed, and what the last one names is tame. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "tame.h"

/* The input: a byte for each of the up to four rules' path, kind, number and condition, then lines. Where the first byte is '#', it is a file of rules instead, to be read or refused. */
enum { RULES = 4, LINE_LIMIT = 65536, LIMIT = 3 };

static const char *const paths[] = {
	"fields.a", "fields.b", "fields.a.b", "fields.a.0", "fields.list.1", "fields.a.b.c", "logger", "type", "payload", "metlog_pid", "fields.tags.region", "other.x", "fields.\"q\"", "fields.e\u00e9",
};
static const char *const kinds[] = {
	"limit %u", "limit %u -> b", "limit %u per fields.p -> \"a b\\\"\"", "drop over %u", "drop over %u per type", "bucket none,one,many", "bucket 0,1,2 -> 2", "normalise", "normalise path",
	"keep a,b,7 -> a", "keep x,\"\"", "drop",
};
static const char *const conditions[] = { "", "", "", " if type == \"a\"", " if fields.b == NIL", " if fields.a =~ /o/" };

struct trial {
	struct rules rules;
	struct admitted admitted;
	struct tame tame;
	struct scan scan, scanned;
	struct buffer copy, copied, text;
	struct table seen;         /* what came out under the last rule's path */
	struct hits hits;
	struct envelope before, after;
};

static _Noreturn void wrong(const char *what, struct span line, struct span made)
{
	fprintf(stderr, "%s\n%.*s\n%.*s\n", what, (int)line.length, line.data, (int)made.length, made.data);
	abort();
}

/* --- nothing else has changed --- */

static bool has_at(const struct field_path *path, size_t from, struct value key, bool whole)
{
	struct span rest = span_between(path->segment[from].data, path->whole.data + path->whole.length);
	return field_equals(key, whole ? rest : path->segment[from]);
}

/* Which rules' paths go on below: a bit for each rule and how far its path is. */
struct ways { unsigned char from[RULES]; bool on[RULES]; };

static struct span raw(struct value v)
{
	return v.kind == VALUE_STRING ? (struct span){ v.text.data - 1, v.text.length + 2 } : v.text;
}

static void compare(struct trial *t, struct value old, struct value made, struct ways ways);

static void compare_arrays(struct trial *t, struct value old, struct value made, struct ways ways)
{
	struct field_walk a = field_walk_array(&t->before, old), b = field_walk_array(&t->after, made);
	struct value one, other;
	for (unsigned i = 0; field_next_element(&a, &one); i++) {
		char number[16];
		struct ways below = { 0 };
		bool ruled = false;
		if (!field_next_element(&b, &other)) wrong("an element is gone", t->before.line, t->after.line);
		snprintf(number, sizeof number, "%u", i);
		for (size_t r = 0; r < t->rules.count; r++) {
			const struct field_path *path = &t->rules.rule[r].path;
			if (!ways.on[r] || !span_equal(path->segment[ways.from[r]], span_of(number))) continue;
			if (ways.from[r] + 1u == path->depth) ruled = true;
			below.on[r] = ways.from[r] + 1u < path->depth;
			below.from[r] = (unsigned char)(ways.from[r] + 1);
		}
		if (!ruled) compare(t, one, other, below);
	}
	if (field_next_element(&b, &other)) wrong("an element more", t->before.line, t->after.line);
}

static void compare_objects(struct trial *t, struct value old, struct value made, struct ways ways)
{
	struct field_walk a = field_walk(&t->before, old), b = field_walk(&t->after, made);
	struct value key, one, made_key, other;
	bool more = field_next(&b, &made_key, &other);
	while (field_next(&a, &key, &one)) {
		struct ways below = { 0 };
		bool ruled = false;
		for (size_t r = 0; r < t->rules.count; r++) {
			const struct field_path *path = &t->rules.rule[r].path;
			if (!ways.on[r]) continue;
			if (has_at(path, ways.from[r], key, true)) ruled = true;
			below.on[r] = ways.from[r] + 1u < path->depth && has_at(path, ways.from[r], key, false);
			below.from[r] = (unsigned char)(ways.from[r] + 1);
		}
		bool same = more && span_equal(key.text, made_key.text);
		if (!same && ruled) continue; /* it was taken out */
		if (!same) wrong("a pair is gone", t->before.line, t->after.line);
		struct span between = span_between(raw(key).data, raw(one).data), kept = span_between(raw(made_key).data, raw(other).data);
		/* Where a key is repeated, this one may have been taken out, and another of them is next: what a rule has not made is one that was there. */
		if (ruled && (!span_equal(between, kept) || (other.kind != VALUE_STRING && other.kind != VALUE_OBJECT && other.kind != VALUE_ARRAY && !span_equal(raw(one), raw(other))))) continue;
		if (!span_equal(between, kept)) wrong("bytes before a value have changed", t->before.line, t->after.line);
		if (!ruled) compare(t, one, other, below);
		more = field_next(&b, &made_key, &other);
	}
	if (more) wrong("a pair more", t->before.line, t->after.line);
}

static void compare(struct trial *t, struct value old, struct value made, struct ways ways)
{
	if (old.kind == VALUE_OBJECT && made.kind == VALUE_OBJECT) compare_objects(t, old, made, ways);
	else if (old.kind == VALUE_ARRAY && made.kind == VALUE_ARRAY) compare_arrays(t, old, made, ways);
	else if (!span_equal(raw(old), raw(made))) wrong("a value has changed that no rule names", t->before.line, t->after.line);
}

static void require_rest(struct trial *t)
{
	struct value object = { .kind = VALUE_OBJECT };
	struct ways ways = { 0 };
	for (size_t r = 0; r < t->rules.count; r++) ways.on[r] = true;
	compare(t, object, object, ways);
}

/* --- what the last rule names is tame --- */

static void require_tame(struct trial *t)
{
	const struct rule *rule = &t->rules.rule[t->rules.count - 1];
	if (rule->condition || rule->per.depth) return;
	hits_find(&t->hits, &t->after, &rule->path);
	for (size_t i = 0; i < t->hits.count; i++) {
		struct value value = t->hits.hit[i].value;
		bool fresh;
		buffer_clear(&t->text);
		field_append_text(&t->text, value);
		struct span text = buffer_span(&t->text);
		bool is_other = rule->other.data && span_equal(text, rule->other), has_label = table_find(&rule->labels, text) != NULL;
		bool is_null = t->hits.hit[i].element && value.kind == VALUE_NULL;
		switch (rule->kind) {
		case RULE_DROP:
			if (!is_null) wrong("it was to be dropped", t->before.line, t->after.line);
			break;
		case RULE_KEEP:
		case RULE_BUCKET:
			if (!is_other && !has_label) wrong("none of the values that there may be", t->before.line, t->after.line);
			break;
		case RULE_LIMIT:
		case RULE_DROP_OVER:
			if (!is_other && !is_null) table_put(&t->seen, text, &fresh);
			if (t->seen.count > rule->limit) wrong("more different values than the limit", t->before.line, t->after.line);
			break;
		case RULE_NORMALISE:
		case RULE_NORMALISE_PATH:
			for (size_t k = 0; k < text.length; k++)
				if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._-/", text.data[k])) wrong("not normalised", t->before.line, t->after.line);
		}
	}
}

/* One rule, once more: it has nothing to do. */
static void require_rest_on_return(struct trial *t)
{
	struct span line;
	if (t->rules.count == 1 && !t->rules.rule[0].condition && !t->rules.rule[0].per.depth && tame_envelope(&t->tame, &t->after, &line) != TAME_SAME)
		wrong("changed once more", t->after.line, line);
}

static void try_line(struct trial *t, struct span text)
{
	struct envelope_fault fault;
	struct span line;
	if (envelope_parse_copy(&t->before, &t->scan, &t->copy, text, &fault) != ENVELOPE_GOOD) return;
	enum tame_verdict verdict = tame_envelope(&t->tame, &t->before, &line);
	if (verdict == TAME_LONG) return;
	if (verdict == TAME_SAME) line = t->before.line;
	if (envelope_parse_copy(&t->after, &t->scanned, &t->copied, line, &fault) != ENVELOPE_GOOD) wrong(fault.reason, t->before.line, line);
	require_rest(t);
	require_tame(t);
	require_rest_on_return(t);
}

static void make_rules(struct trial *t, const unsigned char *data)
{
	for (int i = 0; i < RULES; i++, data += 3) {
		char what[64], text[256];
		struct logical_fault fault;
		if (i && data[0] > 200) break;
		snprintf(what, sizeof what, kinds[data[1] % (sizeof kinds / sizeof *kinds)], data[2] % LIMIT);
		snprintf(text, sizeof text, "tag %s %s%s", data[0] % 14 == 12 ? "\"fields.\\\"q\\\"\"" : paths[data[0] % 14], what, conditions[data[2] / LIMIT % 6]);
		if (!rules_add(&t->rules, "fuzz", span_of(text), true, &fault) && !strstr(fault.reason, "already")) wrong(fault.reason, span_of(text), SPAN(""));
	}
}

/* A file of rules is read or refused; what was read is, in canonical form, read as the same. */
static void try_file(struct span text)
{
	struct rules rules, again;
	struct logical_fault fault;
	rules_init(&rules);
	rules_init(&again);
	if (rules_add(&rules, "fuzz", text, false, &fault)) {
		for (size_t i = 0; i < rules.count; i++) {
			const struct rule *rule = &rules.rule[i];
			if (!rules_add(&again, "again", rule->text, true, &fault)) wrong(fault.reason, rule->text, SPAN(""));
			const struct rule *same = &again.rule[i];
			if (!span_equal(same->text, rule->text) || !span_equal(same->identity, rule->identity)) wrong("read as another rule", rule->text, same->text);
		}
	} else if (!fault.reason[0] || fault.column > fault.physical.length) {
		wrong("a fault without a reason or a place", text, SPAN(""));
	}
	rules_release(&rules);
	rules_release(&again);
}

static void try_lines(const unsigned char *data, size_t size)
{
	struct trial t = { 0 };
	struct span rest = { (const char *)data + RULES * 3, size - RULES * 3 };
	rules_init(&t.rules);
	make_rules(&t, data);
	admitted_init(&t.admitted, 1 << 20);
	tame_init(&t.tame, &t.rules, &t.admitted, LINE_LIMIT);
	t.tame.keeps_offenders = true;
	scan_init(&t.scan);
	scan_init(&t.scanned);
	buffer_init(&t.copy, SIZE_MAX / 2);
	buffer_init(&t.copied, SIZE_MAX / 2);
	buffer_init(&t.text, SIZE_MAX / 2);
	table_init(&t.seen, 1000, 1 << 20, 1);
	while (rest.length) try_line(&t, span_take_line(&rest));
	table_release(&t.seen);
	buffer_release(&t.text);
	buffer_release(&t.copied);
	buffer_release(&t.copy);
	scan_release(&t.scanned);
	scan_release(&t.scan);
	hits_release(&t.hits);
	tame_release(&t.tame);
	admitted_release(&t.admitted);
	rules_release(&t.rules);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	if (size && data[0] == '#') try_file((struct span){ (const char *)data, size });
	else if (size > RULES * 3 && size < LINE_LIMIT) try_lines(data, size);
	return 0;
}
