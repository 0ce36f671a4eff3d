/* rules_private - what the reading of rules shares: a rule of a line, and a mistake in it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_RULES_PRIVATE_H
#define CARDINALITY_RULES_PRIVATE_H

#include "base/logical.h"
#include "rules.h"

struct rule_fault { char reason[240]; size_t at; }; /* at: offset in the line */

__attribute__((format(printf, 3, 4))) bool rule_fault_set(struct rule_fault *, size_t at, const char *format, ...); /* false */

/* Reads the rule that the logical line is: kind, paths, limit, other, labels, condition, identity and text. Whatever it has taken is the rule's, also if it fails. */
bool rule_parse(struct rule *, struct span line, struct rule_fault *);

#endif
