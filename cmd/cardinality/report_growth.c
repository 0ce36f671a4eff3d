/* report_growth - buckets of event time that double their width, and counts that follow them late. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "report_growth.h"

enum { SETTLE_AFTER = 256 }; /* additions: a count of a dense sketch takes some 10 us, so 40 ns for each */

static const int64_t second = 1000000000;

/* --- the clock ----------------------------------------------------------------------- */

void clock_init(struct clock *c)
{
	*c = (struct clock){ .first = INT64_MAX, .last = INT64_MIN, .width = second, .from = 0, .to = -1, .bucket = CLOCK_NONE };
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t halve(int64_t number)
{
	return floor_divide(number, 2);
}

void clock_set(struct clock *c, int64_t time)
{
	if (time < c->first) c->first = time;
	if (time > c->last) c->last = time;
	c->bucket = floor_divide(time, c->width);
	if (c->bucket >= c->from && c->bucket <= c->to) return;
	if (c->to < c->from) c->from = c->to = c->bucket;
	if (c->bucket < c->from) c->from = c->bucket;
	if (c->bucket > c->to) c->to = c->bucket;
	while (c->to - c->from >= REPORT_BUCKETS) {
		c->from = halve(c->from), c->to = halve(c->to), c->bucket = halve(c->bucket);
		c->width *= 2, c->level++;
	}
}

size_t clock_buckets(const struct clock *c)
{
	return (size_t)(c->to - c->from + 1);
}

/* --- what is counted ----------------------------------------------------------------- */

void growth_init(struct growth *g)
{
	*g = (struct growth){ .open = CLOCK_NONE };
}

static void widen(struct growth *g)
{
	int64_t merged[REPORT_BUCKETS] = { 0 };
	int64_t from = halve(g->from);
	for (int64_t i = 0; i < REPORT_BUCKETS; i++) merged[halve(g->from + i) - from] += g->fresh[i];
	memcpy(g->fresh, merged, sizeof merged);
	g->from = from;
	if (g->open != CLOCK_NONE) g->open = halve(g->open);
	g->level++;
}

/* The buckets as the clock has them now. What was counted always fits: the clock never loses a bucket. */
static void follow(struct growth *g, const struct clock *c)
{
	if (g->open == CLOCK_NONE) { /* nothing is in a bucket yet */
		g->level = c->level, g->from = c->from;
		return;
	}
	while (g->level < c->level) widen(g);
	if (g->from == c->from) return;
	int64_t moved[REPORT_BUCKETS] = { 0 };
	for (int64_t i = 0; i < REPORT_BUCKETS; i++) {
		int64_t to = g->from + i - c->from;
		if (to >= 0 && to < REPORT_BUCKETS) moved[to] += g->fresh[i];
	}
	memcpy(g->fresh, moved, sizeof moved);
	g->from = c->from;
}

/* What came since the last count goes to the open bucket. */
static void settle(struct growth *g, uint64_t count)
{
	g->fresh[g->open - g->from] += (int64_t)(count - g->counted);
	g->counted = count;
	g->added = 1; /* the value that is about to be added */
}

void growth_turn(struct growth *g, const struct clock *c, const struct sketch *s)
{
	follow(g, c);
	if (g->open == CLOCK_NONE) g->open = c->bucket;
	if (g->open == c->bucket) return;
	/* Back and forth at every envelope, where several hosts' lines are mixed, would mean a count for each. */
	if (c->bucket < g->open && g->added < SETTLE_AFTER && !sketch_is_exact(s)) return;
	settle(g, sketch_count(s));
	g->open = c->bucket;
}

static void close_bucket(struct growth *g, const struct clock *c, uint64_t count)
{
	follow(g, c);
	if (g->open == CLOCK_NONE) g->open = c->to; /* values that came without a time only */
	settle(g, count);
}

void growth_merge(struct growth *into, struct growth *from, const struct clock *c, const uint64_t count[3])
{
	if (!clock_buckets(c)) return;
	close_bucket(into, c, count[0]);
	close_bucket(from, c, count[1]);
	for (size_t i = 0; i < REPORT_BUCKETS; i++) into->fresh[i] += from->fresh[i]; /* what both had, twice: growth_finish does not go beyond the count */
	into->counted = count[2];
}

void growth_finish(struct growth *g, const struct clock *c, uint64_t count, uint64_t out[REPORT_BUCKETS])
{
	size_t buckets = clock_buckets(c);
	memset(out, 0, REPORT_BUCKETS * sizeof *out);
	if (!buckets) return;
	close_bucket(g, c, count);
	int64_t sum = 0, most = 0;
	for (size_t i = 0; i < buckets; i++) {
		sum += g->fresh[i];
		if (sum > most) most = sum; /* an estimate that takes over from an exact count may be a little below it */
		out[i] = (uint64_t)most < count ? (uint64_t)most : count;
	}
	out[buckets - 1] = count;
}

double growth_per_hour(const struct clock *c, const uint64_t values[REPORT_BUCKETS])
{
	size_t buckets = clock_buckets(c), quarter = buckets / 4;
	if (!quarter) return -1;
	int64_t from = (c->to - (int64_t)quarter + 1) * c->width;
	double hours = (double)(c->last - from + 1) / (3600.0 * (double)second);
	return (double)(values[buckets - 1] - values[buckets - 1 - quarter]) / hours;
}
