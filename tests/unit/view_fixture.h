/* view_fixture - compares two views of a line, down to the index. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_VIEW_FIXTURE_H
#define TESTS_UNIT_VIEW_FIXTURE_H

#include "envelope/envelope.h"

static inline bool view_has_same(const struct envelope *a, struct value x, const struct envelope *b, struct value y)
{
	return x.kind == y.kind && x.escaped == y.escaped && (x.kind == VALUE_ABSENT || x.first == y.first) && x.text.length == y.text.length && x.text.data - a->line.data == y.text.data - b->line.data;
}

/* Whether a view that was made by other means is what a scan of the line finds: `e` is that, of a copy. A backslash may be suspected where there is none. */
static inline bool view_is_of(const struct envelope *view, const struct envelope *e)
{
	const struct value *const a[] = { &view->timestamp, &view->logger, &view->type, &view->payload, &view->fields, &view->env_version, &view->metlog_pid, &view->metlog_hostname };
	const struct value *const b[] = { &e->timestamp, &e->logger, &e->type, &e->payload, &e->fields, &e->env_version, &e->metlog_pid, &e->metlog_hostname };
	bool same = span_equal(view->line, e->line) && view->severity == e->severity && view->has_severity == e->has_severity && view->has_others == e->has_others;
	for (size_t i = 0; i < sizeof a / sizeof *a; i++) same = same && view_has_same(view, *a[i], e, *b[i]);
	return same && view->scan->count == e->scan->count && (view->scan->flags | SCAN_ESCAPES) == (e->scan->flags | SCAN_ESCAPES) && view->scan->flags >= e->scan->flags
		&& memcmp(view->scan->index, e->scan->index, (e->scan->count + 3) * sizeof *e->scan->index) == 0;
}

#endif
