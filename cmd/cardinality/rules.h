/* rules - the rules of --guard: which tags are kept tame, and how. Language: metlog-guard(5). */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_RULES_H
#define CARDINALITY_RULES_H

#include "base/logical.h"
#include "base/table.h"
#include "envelope/field.h"
#include "envelope/match.h"

/*     # a comment
 *     tag fields.region limit 50 -> other
 *     tag fields.region limit 50 per fields.name -> other      a set of its own for each metric
 *     tag fields.key drop over 1000                             the pair is taken out of its object; "per" as above
 *     tag fields.wifi bucket none,one,many -> other             0, 1, 2 or more; what is no count becomes other
 *     tag fields.path normalise path                            without "path": only the steps of generate_tag
 *     tag fields.status keep 200,404,500 -> other               an allow-list
 *     tag fields.id drop                                        always
 * "-> other" may be left out where it is just that. A word with a blank, a comma, a quote, a backslash or a # in it stands in double quotes. A line that ends in '\'
 * goes on. Any rule may end in "if EXPR", EXPR as in metlog-match(7), to the end of the line. */
enum rule_kind { RULE_LIMIT, RULE_DROP_OVER, RULE_BUCKET, RULE_NORMALISE, RULE_NORMALISE_PATH, RULE_KEEP, RULE_DROP };

enum { RULES_MAX = 1024, RULES_BYTES_MAX = LOGICAL_BYTES_MAX, RULES_LIMIT_MAX = 10000000, RULES_LABELS_MAX = 10000, RULES_VALUE_MAX = 200 };

struct offenders;
struct admitted_set;

struct rule {
	enum rule_kind kind;
	struct field_path path, per;   /* per.depth 0: none */
	uint32_t limit;
	struct span other;             /* what stands in for a value that may not pass */
	struct table labels;           /* of bucket, in order, and of keep */
	struct match *condition;       /* NULL: always */
	struct span identity;          /* in canonical form, but without the limit and what stands in: by it a set of values is found again */
	struct span text;              /* in canonical form */
	const char *source;            /* the file, or "--rule": borrowed */
	size_t line;
	struct rule_books { uint64_t matched, changed, dropped, bad; } books; /* envelopes; bad: values of bucket that are no count */
	struct admitted_set *set;      /* put there by whoever uses the rules; not owned */
	struct offenders *offenders;   /* likewise, owned */
};

struct rules {
	struct rule *rule;
	size_t count;
};

void rules_init(struct rules *);
void rules_release(struct rules *);

/* Adds the rules of a file's text. False: `fault` is filled, and of this text none counts (release them all). only_one: as of --rule. */
bool rules_add(struct rules *, const char *source, struct span text, bool only_one, struct logical_fault *);

const struct rule *rules_find(const struct rules *, struct span identity); /* NULL: there is none */

/* True if the kind lets values in one by one, and so has a set. */
static inline bool rule_has_set(const struct rule *r) { return r->kind == RULE_LIMIT || r->kind == RULE_DROP_OVER; }

#endif
