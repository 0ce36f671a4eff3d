/* test - hands each envelope to the routes that take it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "test.h"

#include <stdlib.h>

#include "filter/golden.h"
#include "io/diag.h"

static void give(struct buffer *output, const struct envelope *e)
{
	buffer_append_span(output, e->line);
	buffer_append_byte(output, '\n');
}

static bool take(void *context, const struct envelope *e, struct buffer *outputs)
{
	const struct routes *routes = context;
	bool any = false;
	for (size_t i = 0; i < routes->count; i++) {
		if (!match_eval(routes->route[i].match, e)) continue;
		any = true;
		give(&outputs[i], e);
	}
	if (!any) give(&outputs[routes->count], e);
	return true;
}

int test_run(const char *folder, const struct routes *routes, size_t line_limit, bool write)
{
	size_t count = routes->count + 1;
	const char **label = must_alloc(count * sizeof *label);
	for (size_t i = 0; i < count; i++) label[i] = i < routes->count ? routes->route[i].name : routes->other->name;
	int status = golden_run(&(struct golden){
		.folder = folder, .line_limit = line_limit, .write = write, .label_is = "route", .label = label, .count = count, .take = take, .context = (void *)routes,
	});
	free(label);
	return status;
}
