/* plan - finds for each route the sink that serves it already, or opens one. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>
#include "command.h"
#include "io/diag.h"
#include "overflow.h"
#include "plan.h"

static bool is_process(const struct destination *d)
{
	return d->kind == DESTINATION_COMMAND || d->kind == DESTINATION_ENDPOINT;
}

static bool same_overflow(const struct overflow *o, const struct destination *d)
{
	if (!o || !d->spool) return !o && !d->spool;
	return strcmp(o->path, d->spool) == 0 && destination_same_options(&o->options, &d->spool_options);
}

/* Files, spools and standard output are shared by all routes that name them; a process belongs to one route. */
static bool serves(const struct sink *s, const struct route *route)
{
	const struct destination *d = &route->destination;
	if (s->leaving || s->kind != d->kind || strcmp(s->path, d->path) != 0) return false;
	if (!is_process(d)) return true;
	return s->buffer_bytes == d->buffer_bytes && strcmp(s->access, d->access) == 0 && strcmp(s->name, route->name) == 0 && !s->failed && same_overflow(s->overflow, d);
}

static struct sink *find_sink(struct sink *const *sink, size_t count, const struct route *route)
{
	for (size_t i = 0; i < count; i++)
		if (serves(sink[i], route)) return sink[i];
	return NULL;
}

static bool is_open_already(const struct router *r, const struct sink *s)
{
	for (size_t i = 0; i < r->sink_count; i++)
		if (r->sink[i] == s) return true;
	return false;
}

static bool holds_spool(const struct router *r, const char *path)
{
	for (size_t i = 0; path && i < r->sink_count; i++)
		if (r->sink[i]->overflow && strcmp(r->sink[i]->overflow->path, path) == 0) return true;
	return false;
}

static bool plan_leg(const struct router *r, struct plan *p, struct route *route)
{
	struct leg *leg = &p->leg[p->leg_count++];
	*leg = (struct leg){ .route = route };
	if (route->destination.kind == DESTINATION_DROP) return true;
	leg->sink = find_sink(p->sink, p->sink_count, route);
	if (leg->sink) return true;
	leg->sink = find_sink(r->sink, r->sink_count, route);
	if (!leg->sink) {
		struct sink_settings settings = r->settings;
		settings.overflow_later = holds_spool(r, route->destination.spool);
		leg->sink = sink_open(&route->destination, route->name, &settings, &p->status);
	}
	if (leg->sink) p->sink[p->sink_count++] = leg->sink;
	return leg->sink != NULL;
}

static void undo(const struct router *r, struct plan *p)
{
	for (size_t i = 0; i < p->sink_count; i++) {
		struct sink *s = p->sink[i];
		if (is_open_already(r, s)) continue;
		if (s->command) command_give_up(s, "not needed");
		sink_free(s);
	}
	free(p->leg);
	free(p->sink);
}

bool plan_make(struct plan *p, const struct router *r, const struct routes *routes)
{
	*p = (struct plan){ 0 };
	p->leg = must_alloc((routes->count + 1) * sizeof *p->leg);
	p->sink = must_alloc((routes->count + 1) * sizeof *p->sink);
	bool good = true;
	for (size_t i = 0; good && i < routes->count; i++) good = plan_leg(r, p, &routes->route[i]);
	if (good) good = plan_leg(r, p, routes->other);
	if (!good) undo(r, p);
	return good;
}

bool plan_uses(const struct plan *p, const struct sink *s)
{
	for (size_t i = 0; i < p->sink_count; i++)
		if (p->sink[i] == s) return true;
	return false;
}

struct sink *plan_heir(struct sink *const *sink, size_t count, const struct sink *leaving)
{
	if (!leaving->overflow || leaving->overflow->awaited) return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct overflow *o = sink[i]->overflow;
		if (o && o->awaited && !sink[i]->leaving && strcmp(o->path, leaving->overflow->path) == 0) return sink[i];
	}
	return NULL;
}
