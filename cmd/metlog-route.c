/* metlog-route - sends each envelope to the destinations its routes name, or is a grep for envelopes. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include "filter/filter.h"
#include "io/diag.h"
#include "route/explain.h"
#include "route/test.h"
#include "route/router.h"

enum { KEY_CHECK = TOOL_KEY, KEY_EXPLAIN, KEY_TEST, KEY_UPDATE, KEY_COUNT, KEY_GRACE };

enum { ROUTE_OPTIONS_MAX = 200, ATTEND_EVERY = 1024 };

struct options {
	const char *config, *other, *test;
	const char *route[ROUTE_OPTIONS_MAX];
	int route_count;
	bool check, explain, update, invert, count, exit_status;
	int64_t grace_ms;
};

static const struct argp_option OPTIONS[] = {
	{ NULL, 0, NULL, 0, "Routes:", 1 },
	{ "config", 'c', "FILE", 0, "Read the routes from FILE (see metlog-route(5))", 1 },
	{ "route", 'r', "'NAME: EXPR => DEST'", 0, "Add a route; may be repeated", 1 },
	{ "default", 'd', "DEST", 0, "Send to DEST what no route takes", 1 },
	{ "grace", KEY_GRACE, "DURATION", 0, "At the end, give up on destinations that take nothing for this long (default 10s)", 1 },
	{ NULL, 0, NULL, 0, "Instead of delivering:", 2 },
	{ "check", KEY_CHECK, NULL, 0, "Only read the routes; mistakes are shown with line and column, and the exit status is 78", 2 },
	{ "explain", KEY_EXPLAIN, NULL, 0, "Print which routes take each envelope, then a table of all routes", 2 },
	{ "test", KEY_TEST, "DIR", 0, "Run DIR/NAME.in through the routes and compare with DIR/NAME.ROUTE.out", 2 },
	{ "update", KEY_UPDATE, NULL, 0, "With --test: write the .out files instead", 2 },
	{ NULL, 0, NULL, 0, "As a filter, with --match and no routes:", 3 },
	{ "invert", 'i', NULL, 0, "Take the envelopes that do not match (also before routes)", 3 },
	{ "count", KEY_COUNT, NULL, 0, "Print only how many envelopes match", 3 },
	{ "exit-status", 'e', NULL, 0, "Exit 1 if no envelope matches", 3 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	switch (key) {
	case 'c':
		if (o->config) tool_usage_error("--config can be given once");
		o->config = arg;
		return 0;
	case 'r':
		if (o->route_count == ROUTE_OPTIONS_MAX) tool_usage_error("too many --route: use --config");
		o->route[o->route_count++] = arg;
		return 0;
	case 'd': o->other = arg; return 0;
	case 'i': o->invert = true; return 0;
	case 'e': o->exit_status = true; return 0;
	case KEY_CHECK: o->check = true; return 0;
	case KEY_EXPLAIN: o->explain = true; return 0;
	case KEY_TEST: o->test = arg; return 0;
	case KEY_UPDATE: o->update = true; return 0;
	case KEY_COUNT: o->count = true; return 0;
	case KEY_GRACE: o->grace_ms = tool_duration("--grace", arg) / 1000000; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct tool_about ABOUT = {
	.name = "metlog-route",
	.usage = "-c FILE [FILE...]\n-r 'NAME: EXPR => DEST' -d DEST [FILE...]\n-m EXPR [FILE...]",
	.summary = "Send each envelope to the destinations its routes name, or be a grep for envelopes",
	.examples =
		"  metlog-recv --from udp:127.0.0.1:5565 | metlog-route -c route.conf\n"
		"  metlog-route -r 'timers: type == \"timer\" => | metlog-to-statsd' \\\n"
		"      -d file:rest.ndjson app.ndjson\n"
		"  metlog-route -m 'severity <= 3 && logger =~ /^sync/' app.ndjson\n"
		"  metlog-route -c route.conf --explain sample.ndjson\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_OUTPUT,
	.options = OPTIONS,
	.parse = parse,
};

static bool has_routes(const struct options *o)
{
	return o->config || o->route_count || o->other;
}

static void check_usage(const struct options *o, const struct tool_options *shared)
{
	bool routes = has_routes(o);
	if (!routes && !shared->match) tool_usage_error("routes are needed: --config FILE, or --route and --default; or --match EXPR alone");
	if (!routes && (o->check || o->explain || o->test)) tool_usage_error("--check, --explain and --test need routes");
	if (o->check + o->explain + (o->test != NULL) > 1) tool_usage_error("one of --check, --explain and --test, not several");
	if (o->update && !o->test) tool_usage_error("--update belongs to --test");
	if (o->invert && !shared->match) tool_usage_error("--invert belongs to --match");
	if ((o->count || o->exit_status) && (routes || !shared->match)) tool_usage_error("--count and --exit-status are for --match without routes");
}

/* All routes there are. The mistakes in them have been said; routes->faults tells their number. */
static void read_routes(const struct options *o, struct routes *routes)
{
	routes_init(routes);
	if (o->config) routes_read_file(routes, o->config);
	for (int i = 0; i < o->route_count; i++) routes_add(routes, o->route[i]);
	if (o->other) routes_add_default(routes, o->other);
	routes_finish(routes, o->config ? o->config : "the routes");
}

/* Whether the envelope passes --match; the filter has asked that already unless --invert turns it round. */
static bool is_taken(const struct options *o, const struct filter *f, const struct envelope *e)
{
	return !o->invert || !match_eval(f->match, e);
}

static int run_grep(const struct options *o, struct filter *f)
{
	struct envelope e;
	uint64_t taken = 0;
	while (filter_next(f, &e)) {
		if (!is_taken(o, f, &e)) {
			filter_drop(f);
			continue;
		}
		taken++;
		if (o->count) filter_booked_pass(f);
		else filter_pass(f, &e);
	}
	if (o->count) {
		char text[32];
		int length = snprintf(text, sizeof text, "%llu", (unsigned long long)taken);
		writer_line(&f->out, (struct span){ text, (size_t)length });
	}
	if (o->exit_status && taken == 0) filter_fail(f, EXIT_NEGATIVE);
	return filter_close(f);
}

static void hang_up(const struct options *o, struct router *router)
{
	if (!o->config) {
		router_reopen(router);
		diag_warn("SIGHUP: files were opened anew");
		return;
	}
	struct routes fresh;
	read_routes(o, &fresh);
	if (fresh.faults) {
		routes_release(&fresh);
	} else if (router_reload(router, &fresh)) {
		diag_warn("SIGHUP: %s was read again: %zu route%s and %s", o->config, router->routes.count, router->routes.count == 1 ? "" : "s", router->routes.other->name);
		return;
	}
	router_reopen(router);
	diag_warn("SIGHUP: %s cannot be used as it is now: all routes stay as they were", o->config);
}

/* The router whose destinations may still hold lines. Whatever ends the program (--strict, rejects that cannot be kept, no memory), what was
 * read before is delivered. */
static struct router *unfinished;

static void drain_unfinished(void)
{
	struct router *r = unfinished;
	unfinished = NULL;
	if (r) router_drain(r);
}

static int run_router(const struct options *o, struct filter *f, struct routes *routes)
{
	static struct router router;
	struct envelope e;
	unsigned count = 0;
	enum filter_turn turn;
	router_open(&router, f, routes, o->grace_ms);
	unfinished = &router;
	atexit(drain_unfinished);
	while ((turn = filter_turn(f, &e)) != TURN_END) {
		if (turn == TURN_ENVELOPE) {
			if (is_taken(o, f, &e)) router_take(&router, &e);
			else filter_drop(f);
			if (++count % ATTEND_EVERY) continue;
			router_attend(&router);
		} else {
			router_rest(&router);
		}
		if (!signals_take(SIGNALS_HANGUP)) continue;
		rejects_reopen(&f->rejects);
		hang_up(o, &router);
	}
	drain_unfinished();
	int status = filter_close(f);
	router_release(&router);
	return status;
}

static int run_check(const struct options *o, struct routes *routes)
{
	printf("%s: %zu route%s and %s: good\n", o->config ? o->config : "the routes", routes->count, routes->count == 1 ? "" : "s", routes->other->name);
	routes_release(routes);
	if (fflush(stdout) != 0) die_errno(EXIT_IO, "standard output");
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	static struct filter filter;
	static struct options options = { .grace_ms = 10000 };
	static struct routes routes;
	filter_open(&filter, &ABOUT, argc, argv, &options);
	filter.match_by_tool = options.invert;
	check_usage(&options, &filter.options);
	if (!has_routes(&options)) return run_grep(&options, &filter);
	read_routes(&options, &routes);
	if (routes.faults) return EXIT_CONFIGURATION;
	if (options.check) return run_check(&options, &routes);
	int status;
	if (options.test) status = test_run(options.test, &routes, filter.options.line_limit, options.update);
	else if (options.explain) status = explain_run(&filter, &routes);
	else return run_router(&options, &filter, &routes);
	routes_release(&routes);
	return status;
}
