/* router - hands envelopes to destinations and keeps the destinations going. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/text.h"
#include "command.h"
#include "io/diag.h"
#include "partition.h"
#include "router.h"

/* What a plan of legs and sinks is made of, until it takes the place of the one before. */
struct plan {
	struct leg *leg;
	size_t leg_count;
	struct sink **sink;
	size_t sink_count;
	int status;
};

static bool is_process(const struct destination *d)
{
	return d->kind == DESTINATION_COMMAND || d->kind == DESTINATION_ENDPOINT;
}

/* Files and standard output are shared by all routes that name them; a process belongs to one route. */
static bool serves(const struct sink *s, const struct route *route)
{
	const struct destination *d = &route->destination;
	if (s->leaving || s->kind != d->kind || strcmp(s->path, d->path) != 0) return false;
	return !is_process(d) || (s->buffer_bytes == d->buffer_bytes && strcmp(s->access, d->access) == 0 && strcmp(s->name, route->name) == 0 && !s->failed);
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

static bool plan_leg(const struct router *r, struct plan *p, struct route *route)
{
	struct leg *leg = &p->leg[p->leg_count++];
	*leg = (struct leg){ .route = route };
	if (route->destination.kind == DESTINATION_DROP) return true;
	leg->sink = find_sink(p->sink, p->sink_count, route);
	if (leg->sink) return true;
	leg->sink = find_sink(r->sink, r->sink_count, route);
	if (!leg->sink) leg->sink = sink_open(&route->destination, route->name, &r->settings, &p->status);
	if (leg->sink) p->sink[p->sink_count++] = leg->sink;
	return leg->sink != NULL;
}

static void plan_release(struct plan *p)
{
	free(p->leg);
	free(p->sink);
}

/* False: something could not be opened, and what had been opened for the plan is closed again. */
static bool plan_make(const struct router *r, struct plan *p, const struct routes *routes)
{
	*p = (struct plan){ 0 };
	p->leg = must_alloc((routes->count + 1) * sizeof *p->leg);
	p->sink = must_alloc((routes->count + 1) * sizeof *p->sink);
	bool good = true;
	for (size_t i = 0; good && i < routes->count; i++) good = plan_leg(r, p, &routes->route[i]);
	if (good) good = plan_leg(r, p, routes->other);
	if (good) return true;
	for (size_t i = 0; i < p->sink_count; i++) {
		struct sink *s = p->sink[i];
		if (is_open_already(r, s)) continue;
		if (s->command) command_give_up(s, "not needed");
		sink_free(s);
	}
	plan_release(p);
	return false;
}

static void set_alone(struct router *r)
{
	r->alone = r->sink_count == 1 && r->sink[0]->kind == DESTINATION_STDOUT;
	signal(SIGPIPE, r->alone ? SIG_DFL : SIG_IGN);
}

static void refresh_detail(void *context)
{
	struct router *r = context;
	uint64_t undelivered = r->undelivered_before;
	buffer_clear(&r->detail);
	buffer_append_text(&r->detail, "\"routes\":{");
	for (size_t i = 0; i < r->sink_count; i++) undelivered += r->sink[i]->undelivered;
	for (size_t i = 0; i < r->leg_count; i++) {
		const struct leg *leg = &r->leg[i];
		const struct sink *s = leg->sink;
		if (i) buffer_append_byte(&r->detail, ',');
		text_append_quoted(&r->detail, span_of(leg->route->name));
		buffer_append_text(&r->detail, ":{\"matched\":");
		buffer_append_int(&r->detail, (int64_t)leg->matched);
		buffer_append_text(&r->detail, ",\"full\":");
		buffer_append_int(&r->detail, (int64_t)leg->refused);
		buffer_append_text(&r->detail, ",\"lost\":");
		buffer_append_int(&r->detail, s && strcmp(s->name, leg->route->name) == 0 ? (int64_t)s->undelivered : 0);
		buffer_append_byte(&r->detail, '}');
	}
	buffer_append_byte(&r->detail, '}');
	*stats_extra(&r->filter->stats, "undelivered") = undelivered;
	r->filter->stats.detail_json = buffer_text(&r->detail);
}

void router_open(struct router *r, struct filter *filter, struct routes *routes, int64_t grace_ms)
{
	*r = (struct router){ .filter = filter, .grace_ms = grace_ms };
	r->settings = (struct sink_settings){ filter->options.line_limit, filter->options.unbuffered, grace_ms };
	buffer_init(&r->detail, 1024 * 1024);
	signals_open(SIGNALS_HANGUP | SIGNALS_CHILD);
	signals_ignore_pipe();
	srandom((unsigned)getpid());
	struct plan p;
	if (!plan_make(r, &p, routes)) exit(p.status);
	r->routes = *routes;
	r->leg = p.leg, r->leg_count = p.leg_count;
	r->sink = p.sink, r->sink_count = p.sink_count;
	set_alone(r);
	filter->before_stats = refresh_detail;
	filter->before_stats_context = r;
}

/* Waits until a destination can take more, a child has changed, a signal has come, there is input (if its descriptor is given), or time is up. */
static void wait_for(struct router *r, int input_fd, int64_t timeout_ms)
{
	struct pollfd fds[SIGNALS_POLL_MAX];
	struct sink *of[SIGNALS_POLL_MAX];
	size_t count = 0;
	int64_t now = command_now_ms();
	for (size_t i = 0; i < r->sink_count; i++) {
		struct sink *s = r->sink[i];
		int64_t wakes = command_wakes_ms(s);
		if (wakes != INT64_MAX && (timeout_ms < 0 || wakes - now < timeout_ms)) timeout_ms = wakes > now ? wakes - now : 0;
		bool watched = s->fd >= 0 && (sink_waits(s) ? !s->regular : r->alone);
		if (!watched || count == SIGNALS_POLL_MAX - 1) continue;
		of[count] = s;
		fds[count++] = (struct pollfd){ .fd = s->fd, .events = sink_waits(s) ? POLLOUT : 0 };
	}
	if (input_fd >= 0) fds[count++] = (struct pollfd){ .fd = input_fd, .events = POLLIN };
	signals_poll(fds, count, timeout_ms < 0 ? -1 : timeout_ms > 60000 ? 60000 : (int)timeout_ms);
	for (size_t i = 0; i < count - (input_fd >= 0); i++) {
		if (!fds[i].revents) continue;
		if (fds[i].revents & (POLLERR | POLLHUP) && r->alone) raise(SIGPIPE); /* the reader of standard output has gone */
		sink_flush(of[i]);
	}
}

static void let_one_go(struct router *r, struct sink *s)
{
	if (s->partition) partition_close_files(s->partition);
	filter_fail(r->filter, s->status);
	r->undelivered_before += s->undelivered;
	sink_free(s);
}

static void look_after_children(struct router *r)
{
	int64_t now = command_now_ms();
	for (size_t i = 0; i < r->sink_count; i++) {
		struct sink *s = r->sink[i];
		if (!s->command) continue;
		command_look(s, now);
		if (!s->leaving || !s->command->done) continue;
		let_one_go(r, s);
		r->sink[i--] = r->sink[--r->sink_count];
	}
}

void router_attend(struct router *r)
{
	signals_take(SIGNALS_CHILD);
	look_after_children(r);
	for (size_t i = 0; i < r->sink_count; i++)
		if (r->sink[i]->stuck) {
			wait_for(r, -1, 0);
			return;
		}
}

/* After SIGTERM destinations have grace_ms; what they have not taken then is lost. True when that time is over. */
static bool is_over(struct router *r, int64_t *left_ms)
{
	int64_t now = command_now_ms();
	if (!signals_stopping()) {
		*left_ms = -1;
		return false;
	}
	if (!r->deadline_ms) r->deadline_ms = now + r->grace_ms;
	*left_ms = r->deadline_ms - now;
	return *left_ms <= 0;
}

static void abandon(struct sink *s)
{
	if (s->command) {
		command_give_up(s, "the time to stop is over");
		return;
	}
	uint64_t before = s->undelivered;
	sink_lose(s);
	s->failed = true;
	s->ring.capacity = 0;
	s->status = EXIT_IO;
	diag_error("route %s: %s takes no more; the time to stop is over; %llu envelopes undelivered", s->name, s->text, (unsigned long long)(s->undelivered - before));
}

/* Nothing is read while a destination with full=block is full, but the others go on with what they have. */
static void wait_for_room(struct router *r, struct sink *s, struct span line)
{
	while (!sink_put(s, line)) {
		int64_t left_ms;
		if (is_over(r, &left_ms)) abandon(s);
		else wait_for(r, -1, left_ms);
		look_after_children(r);
	}
}

enum outcome { OUTCOME_DROPPED, OUTCOME_LOST, OUTCOME_DELIVERED }; /* the better one counts */

static enum outcome deliver(struct router *r, struct leg *leg, const struct envelope *e)
{
	struct sink *s = leg->sink;
	leg->matched++;
	if (!s) return OUTCOME_DROPPED;
	if (s->partition) return partition_put(s, e) ? OUTCOME_DELIVERED : OUTCOME_LOST;
	if (!sink_put(s, e->line)) {
		if (leg->route->destination.full == FULL_DROP) {
			leg->refused++;
			return OUTCOME_DROPPED;
		}
		wait_for_room(r, s, e->line);
	}
	return s->failed ? OUTCOME_LOST : OUTCOME_DELIVERED;
}

void router_take(struct router *r, const struct envelope *e)
{
	bool matched = false;
	enum outcome best = OUTCOME_DROPPED;
	size_t last = r->leg_count - 1;
	for (size_t i = 0; i < last; i++) {
		if (!match_eval(r->leg[i].route->match, e)) continue;
		matched = true;
		enum outcome one = deliver(r, &r->leg[i], e);
		if (one > best) best = one;
	}
	if (!matched) best = deliver(r, &r->leg[last], e);
	if (best == OUTCOME_DELIVERED) filter_booked_pass(r->filter);
	else if (best == OUTCOME_DROPPED) filter_drop(r->filter);
	/* One that is lost is none of what may happen to an envelope: it is counted as undelivered, and the exit status tells. */
}

void router_rest(struct router *r)
{
	for (size_t i = 0; i < r->sink_count; i++)
		if (!r->sink[i]->stuck) sink_flush(r->sink[i]);
	wait_for(r, r->filter->reader.fd, -1);
	router_attend(r);
}

static bool is_in(const struct plan *p, const struct sink *s)
{
	for (size_t i = 0; i < p->sink_count; i++)
		if (p->sink[i] == s) return true;
	return false;
}

/* What the plan does not use any more: files are closed at once, a process is drained and stays in the list until it has ended. */
static void let_go(struct router *r, struct plan *p)
{
	p->sink = must_resize(p->sink, (p->sink_count + r->sink_count) * sizeof *p->sink);
	size_t used = p->sink_count;
	for (size_t i = 0; i < r->sink_count; i++) {
		struct sink *s = r->sink[i];
		if (is_in(&(struct plan){ .sink = p->sink, .sink_count = used }, s)) continue;
		sink_flush(s);
		if (s->command || sink_waits(s)) {
			s->leaving = true;
			if (s->command) s->command->draining = true;
			p->sink[p->sink_count++] = s;
		} else {
			let_one_go(r, s);
		}
	}
}

bool router_reload(struct router *r, struct routes *routes)
{
	struct plan p;
	if (!plan_make(r, &p, routes)) {
		routes_release(routes);
		return false;
	}
	for (size_t i = 0; i < p.leg_count; i++) /* a route that keeps its name keeps its counts */
		for (size_t k = 0; k < r->leg_count; k++)
			if (strcmp(p.leg[i].route->name, r->leg[k].route->name) == 0) {
				p.leg[i].matched = r->leg[k].matched;
				p.leg[i].refused = r->leg[k].refused;
			}
	router_reopen(r);
	let_go(r, &p);
	free(r->leg);
	free(r->sink);
	routes_release(&r->routes);
	r->routes = *routes;
	r->leg = p.leg, r->leg_count = p.leg_count;
	r->sink = p.sink, r->sink_count = p.sink_count;
	set_alone(r);
	return true;
}

void router_reopen(struct router *r)
{
	for (size_t i = 0; i < r->sink_count; i++)
		if (!sink_reopen(r->sink[i])) filter_fail(r->filter, EXIT_NO_OUTPUT);
}

static bool has_work(struct router *r)
{
	bool work = false;
	look_after_children(r);
	for (size_t i = 0; i < r->sink_count; i++) {
		struct sink *s = r->sink[i];
		if (s->command ? !s->command->done : sink_waits(s)) work = true;
	}
	return work;
}

void router_drain(struct router *r)
{
	for (size_t i = 0; i < r->sink_count; i++) {
		sink_flush(r->sink[i]);
		if (r->sink[i]->command) r->sink[i]->command->draining = true;
	}
	while (has_work(r)) {
		int64_t left_ms;
		if (!is_over(r, &left_ms)) {
			wait_for(r, -1, left_ms);
			continue;
		}
		for (size_t i = 0; i < r->sink_count; i++) {
			struct sink *s = r->sink[i];
			if (s->command ? !s->command->done : sink_waits(s)) abandon(s);
		}
	}
	for (size_t i = 0; i < r->sink_count; i++) {
		struct sink *s = r->sink[i];
		if (s->partition) partition_close_files(s->partition);
		filter_fail(r->filter, s->status);
		if (s->undelivered && s->status == 0) filter_fail(r->filter, EXIT_REFUSED);
	}
}

void router_release(struct router *r)
{
	for (size_t i = 0; i < r->sink_count; i++) sink_free(r->sink[i]);
	free(r->sink);
	free(r->leg);
	routes_release(&r->routes);
	buffer_release(&r->detail);
}
