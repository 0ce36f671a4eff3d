/* explain - the dry run of a configuration, as lines and a table. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "explain.h"
#include "io/diag.h"

struct explanation {
	struct filter *filter;
	const struct routes *routes;
	uint64_t *matched;     /* by route; the default's is the last */
	struct buffer line, value;
};

static void add_value(struct explanation *x, struct value v)
{
	struct span text = v.text;
	if (v.escaped) {
		buffer_clear(&x->value);
		text_append_unescaped(&x->value, v.text);
		text = buffer_span(&x->value);
	}
	if (text.length > 80) text.length = 80;
	if (text.length) text_append_visible(&x->line, text);
	else buffer_append_byte(&x->line, '-');
}

static void add_name(struct buffer *list, const char *name)
{
	if (list->length) buffer_append_text(list, ", ");
	buffer_append_text(list, name);
}

static void explain_one(struct explanation *x, const struct envelope *e, struct buffer *taken, struct buffer *passed_over)
{
	const struct routes *r = x->routes;
	bool any = false;
	buffer_clear(taken);
	buffer_clear(passed_over);
	for (size_t i = 0; i < r->count; i++) {
		bool matches = match_eval(r->route[i].match, e);
		if (matches) any = true, x->matched[i]++;
		add_name(matches ? taken : passed_over, r->route[i].name);
	}
	if (!any) {
		x->matched[r->count]++;
		add_name(taken, r->other->name);
		buffer_append_text(taken, " (default)");
	}
	buffer_clear(&x->line);
	text_append_visible(&x->line, span_of(x->filter->reader.name));
	buffer_append_byte(&x->line, ':');
	buffer_append_int(&x->line, (int64_t)x->filter->line);
	buffer_append_text(&x->line, ": ");
	add_value(x, e->type);
	buffer_append_byte(&x->line, ' ');
	add_value(x, e->logger);
	buffer_append_text(&x->line, " -> ");
	buffer_append_span(&x->line, buffer_span(taken));
	if (x->filter->options.verbose && passed_over->length) {
		buffer_append_text(&x->line, "; not ");
		buffer_append_span(&x->line, buffer_span(passed_over));
	}
	writer_line(&x->filter->out, buffer_span(&x->line));
}

static void add_row(struct explanation *x, const struct route *route, uint64_t matched, int name_width)
{
	char row[160];
	snprintf(row, sizeof row, "%12llu  %-*.100s  ", (unsigned long long)matched, name_width, route->name);
	buffer_clear(&x->line);
	buffer_append_text(&x->line, row);
	text_append_visible(&x->line, span_of(route->destination.text));
	if (matched == 0) buffer_append_text(&x->line, "  (never)");
	writer_line(&x->filter->out, buffer_span(&x->line));
}

static void add_table(struct explanation *x)
{
	const struct routes *r = x->routes;
	char head[160];
	int width = (int)strlen(r->other->name);
	for (size_t i = 0; i < r->count; i++)
		if ((int)strlen(r->route[i].name) > width) width = (int)strlen(r->route[i].name);
	if (width > 100) width = 100;
	snprintf(head, sizeof head, "\n%12s  %-*s  %s", "envelopes", width, "route", "destination");
	writer_line(&x->filter->out, span_of(head));
	for (size_t i = 0; i < r->count; i++) add_row(x, &r->route[i], x->matched[i], width);
	add_row(x, r->other, x->matched[r->count], width);
}

int explain_run(struct filter *filter, const struct routes *routes)
{
	struct explanation x = { .filter = filter, .routes = routes };
	struct buffer taken, passed_over;
	struct envelope e;
	x.matched = must_alloc((routes->count + 1) * sizeof *x.matched);
	buffer_init(&x.line, 1024 * 1024);
	buffer_init(&x.value, 16 * 1024 * 1024);
	buffer_init(&taken, 256 * 1024);
	buffer_init(&passed_over, 256 * 1024);
	while (filter_next(filter, &e)) {
		explain_one(&x, &e, &taken, &passed_over);
		filter_booked_pass(filter);
	}
	add_table(&x);
	buffer_release(&x.line);
	buffer_release(&x.value);
	buffer_release(&taken);
	buffer_release(&passed_over);
	free(x.matched);
	return filter_close(filter);
}
