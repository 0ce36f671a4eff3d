/* router - hands envelopes to destinations and keeps the destinations going. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/text.h"
#include "command.h"
#include "io/diag.h"
#include "overflow.h"
#include "partition.h"
#include "plan.h"
#include "router.h"
#include "spooled.h"

static void set_alone(struct router *r)
{
	r->alone = r->sink_count == 1 && r->sink[0]->kind == DESTINATION_STDOUT;
	signal(SIGPIPE, r->alone ? SIG_DFL : SIG_IGN);
}

static void append_count(struct buffer *out, const char *name, uint64_t count)
{
	buffer_append_text(out, name);
	buffer_append_int(out, (int64_t)count);
}

static void append_leg(struct buffer *out, const struct leg *leg)
{
	const struct sink *s = leg->sink;
	bool own = s && strcmp(s->name, leg->route->name) == 0; /* what is shared counts for the route that it was opened for */
	uint64_t full = leg->refused;
	if (own && s->spooled) full += spooled_dropped(s->spooled);
	if (own && s->overflow) full += overflow_dropped(s->overflow);
	text_append_quoted(out, span_of(leg->route->name));
	append_count(out, ":{\"matched\":", leg->matched);
	append_count(out, ",\"full\":", full);
	append_count(out, ",\"lost\":", own ? s->undelivered : 0);
	if (own && s->overflow) append_count(out, ",\"spooled\":", s->overflow->stored);
	buffer_append_byte(out, '}');
}

static void refresh_detail(void *context)
{
	struct router *r = context;
	uint64_t undelivered = r->undelivered_before;
	for (size_t i = 0; i < r->sink_count; i++) undelivered += r->sink[i]->undelivered;
	buffer_clear(&r->detail);
	buffer_append_text(&r->detail, "\"routes\":{");
	for (size_t i = 0; i < r->leg_count; i++) {
		if (i) buffer_append_byte(&r->detail, ',');
		append_leg(&r->detail, &r->leg[i]);
	}
	buffer_append_byte(&r->detail, '}');
	*stats_extra(&r->filter->stats, "undelivered") = undelivered;
	r->filter->stats.detail_json = buffer_text(&r->detail);
}

void router_open(struct router *r, struct filter *filter, struct routes *routes, int64_t grace_ms)
{
	*r = (struct router){ .filter = filter, .grace_ms = grace_ms };
	r->settings = (struct sink_settings){ .line_limit = filter->options.line_limit, .unbuffered = filter->options.unbuffered, .grace_ms = grace_ms };
	buffer_init(&r->detail, 1024 * 1024);
	signals_open(SIGNALS_HANGUP | SIGNALS_CHILD);
	signals_ignore_pipe();
	srandom((unsigned)getpid());
	struct plan p;
	if (!plan_make(&p, r, routes)) exit(p.status);
	r->routes = *routes;
	r->leg = p.leg, r->leg_count = p.leg_count;
	r->sink = p.sink, r->sink_count = p.sink_count;
	set_alone(r);
	filter->before_stats = refresh_detail;
	filter->before_stats_context = r;
}

static void attend_sinks(struct router *r)
{
	for (size_t i = 0; i < r->sink_count; i++)
		if (r->sink[i]->spooled || r->sink[i]->overflow) sink_attend(r->sink[i]);
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
		int64_t wakes = sink_wakes_ms(s);
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
	attend_sinks(r);
}

static void let_one_go(struct router *r, struct sink *s)
{
	struct sink *heir = plan_heir(r->sink, r->sink_count, s);
	if (heir) overflow_hand_over(s, heir);
	else sink_finish(s);
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
		r->sink[i--] = r->sink[--r->sink_count];
		let_one_go(r, s);
	}
}

void router_attend(struct router *r)
{
	signals_take(SIGNALS_CHILD);
	look_after_children(r);
	attend_sinks(r);
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
	if (s->spooled) {
		spooled_give_up(s, "the time to stop is over");
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
	while (!(s->overflow ? overflow_put(s, line) : sink_put(s, line))) {
		int64_t left_ms;
		if (!is_over(r, &left_ms)) wait_for(r, -1, left_ms);
		else if (s->overflow && s->failed) overflow_refuse(s);
		else abandon(s);
		look_after_children(r);
	}
}

enum outcome { OUTCOME_DROPPED, OUTCOME_LOST, OUTCOME_DELIVERED }; /* the better one counts */

/* What does not simply go into a ring. */
static enum outcome deliver_apart(struct router *r, struct sink *s, const struct envelope *e)
{
	uint64_t lost = s->undelivered;
	if (s->partition) return partition_put(s, e) ? OUTCOME_DELIVERED : OUTCOME_LOST;
	if (!overflow_put(s, e->line)) wait_for_room(r, s, e->line);
	return s->undelivered > lost ? OUTCOME_LOST : OUTCOME_DELIVERED;
}

static enum outcome deliver(struct router *r, struct leg *leg, const struct envelope *e)
{
	struct sink *s = leg->sink;
	leg->matched++;
	if (!s) return OUTCOME_DROPPED;
	if (s->apart) return deliver_apart(r, s, e);
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
	attend_sinks(r);
	wait_for(r, r->filter->reader.fd, -1);
	router_attend(r);
}

/* What the plan does not use any more: files are closed at once, a process is drained and stays in the list until it has ended. */
static void let_go(struct router *r, struct plan *p)
{
	p->sink = must_resize(p->sink, (p->sink_count + r->sink_count) * sizeof *p->sink);
	for (size_t i = 0; i < r->sink_count; i++) {
		struct sink *s = r->sink[i];
		if (plan_uses(p, s)) continue;
		sink_flush(s);
		if (s->command || sink_waits(s)) {
			s->leaving = true;
			if (s->command) s->command->draining = true;
			if (s->overflow) s->overflow->closing = true;
			p->sink[p->sink_count++] = s;
		} else {
			let_one_go(r, s);
		}
	}
}

bool router_reload(struct router *r, struct routes *routes)
{
	struct plan p;
	if (!plan_make(&p, r, routes)) {
		routes_release(routes);
		return false;
	}
	for (size_t i = 0; i < p.leg_count; i++) /* a route that keeps its name keeps its counts */
		for (size_t k = 0; k < r->leg_count; k++)
			if (strcmp(p.leg[i].route->name, r->leg[k].route->name) == 0) {
				p.leg[i].matched = r->leg[k].matched;
				p.leg[i].refused = r->leg[k].refused;
			}
	for (size_t i = 0; i < p.leg_count; i++)
		if (p.leg[i].sink && p.leg[i].sink->spooled) spooled_want(p.leg[i].sink, &p.leg[i].route->destination);
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

static bool is_busy(struct sink *s)
{
	if (s->command) return !s->command->done;
	return s->spooled ? spooled_waits(s) : sink_waits(s);
}

static bool has_work(struct router *r)
{
	bool work = false;
	look_after_children(r);
	for (size_t i = 0; i < r->sink_count; i++) {
		struct sink *s = r->sink[i];
		if (is_busy(s)) work = true;
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
			if (is_busy(s)) abandon(s);
		}
	}
	for (size_t i = 0; i < r->sink_count; i++) {
		struct sink *s = r->sink[i];
		sink_finish(s);
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
