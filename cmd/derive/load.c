/* load - reads the files of rules. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "io/diag.h"
#include "io/whole.h"
#include "modes.h"

static bool add_file(struct rules *rules, const char *path)
{
	struct logical_fault fault;
	struct buffer text;
	int error = whole_read(&text, path, RULES_BYTES_MAX);
	bool good = !error && rules_add(rules, path, buffer_span(&text), &fault);
	if (error) diag_error("%s: %s", path, strerror(error));
	else if (!good && fault.line) diag_error_at(path, fault.line, fault.column, fault.reason, fault.physical);
	else if (!good) diag_error("%s: %s", path, fault.reason);
	buffer_release(&text);
	return good;
}

struct rules *load_rules(const struct derive_options *o)
{
	struct rules *rules = must_alloc(sizeof *rules);
	bool good = true;
	if (!rules_init(rules)) die(EXIT_INTERNAL, "no memory for the rules");
	for (size_t i = 0; good && i < o->rules_count; i++) good = add_file(rules, o->rules[i]);
	if (good && !rules->metric_count) {
		diag_error("%s: there is no rule in it", o->rules[0]);
		good = false;
	}
	if (good) return rules;
	unload_rules(rules);
	return NULL;
}

void unload_rules(struct rules *rules)
{
	rules_release(rules);
	free(rules);
}
