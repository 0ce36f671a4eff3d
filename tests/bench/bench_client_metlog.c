/* bench_client_metlog - the calls of libmetlog that are measured, to whatever endpoint. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <string.h>

#include "client_ways.h"
#include "client/metlog.h"

static void *open_with(const char *where, struct metlog_options *options)
{
	struct metlog_fault fault;
	options->logger = "sync";
	options->hostname = "web1.example.com";
	options->pid = 26482;
	struct metlog *m = metlog_open(where ? where : "file:/dev/null", options, &fault);
	if (!m) fprintf(stderr, "%s\n", fault.text);
	return m;
}

static void *metlog_open_plain(const char *where)
{
	METLOG_OPTIONS(options);
	return open_with(where, &options);
}

/* Lists of a usual length, of which none says anything about our message. */
static void *metlog_open_rules(const char *where)
{
	static const char *const timers[] = { "db.query", "cache.get", NULL }, *const denied[] = { "debug", "trace", NULL }, *const severities[] = { "request:4", "debug:7", NULL };
	METLOG_OPTIONS(options);
	options.disabled_timers = timers;
	options.types_denied = denied;
	options.type_severities = severities;
	options.severity_max = METLOG_INFORMATIONAL;
	return open_with(where, &options);
}

static void drain(void *state)
{
	if (metlog_flush(state, 10000)) fputs("the sender has not drained within 10 s\n", stderr);
}

static void finish(void *state)
{
	struct metlog_counts counts;
	metlog_close(state, 5000, &counts);
	if (counts.dropped || counts.refused || counts.unsent)
		fprintf(stderr, "%llu dropped, %llu refused, %llu unsent\n", (unsigned long long)counts.dropped, (unsigned long long)counts.refused, (unsigned long long)counts.unsent);
}

static void call_count(void *state)
{
	metlog_count(state, "request.answer.2xx", 1, 1, METLOG_FIELDS(metlog_field_int("status", 200)));
}

/* The longer way: text that has to be looked at for what JSON escapes, a number with a fraction, tags. */
static void call_send(void *state)
{
	metlog_send(state, "request", METLOG_INFORMATIONAL, "GET /1.1/user/storage/tabs",
		METLOG_FIELDS(metlog_field_int("status", 200), metlog_field_double("ms", 4.25), metlog_tag("node", "sync1")));
}

static void call_log(void *state)
{
	metlog_info(state, "GET %s took %d ms, answered with %d, by node %s", "/1.1/user/storage/tabs?newer=1349438401", 4, 200, "sync1.web.mtv1");
}

static void call_timer(void *state)
{
	struct metlog_timer timer = metlog_timer_begin(state, "request.answer", 1);
	metlog_timer_end(&timer, METLOG_FIELDS(metlog_field_int("status", 200)));
}

static void call_never(void *state)
{
	metlog_count(state, "request.answer.2xx", 1, 0, METLOG_FIELDS(metlog_field_int("status", 200)));
}

static void call_rarely(void *state)
{
	metlog_count(state, "request.answer.2xx", 1, 0.000001, METLOG_FIELDS(metlog_field_int("status", 200)));
}

static void call_disabled(void *state)
{
	struct metlog_timer timer = metlog_timer_begin(state, "cache.get", 1);
	metlog_timer_end(&timer, METLOG_FIELDS(metlog_field_int("status", 200)));
}

static void call_filtered(void *state)
{
	metlog_send(state, "request", METLOG_DEBUG, "GET /", METLOG_FIELDS(metlog_field_int("status", 200)));
}

const struct client_way bench_metlog[] = {
	{ "metlog_count", metlog_open_plain, call_count, drain, finish },
	{ "metlog_send", metlog_open_plain, call_send, drain, finish },
	{ "metlog_info", metlog_open_plain, call_log, drain, finish },
	{ "metlog_timer", metlog_open_plain, call_timer, drain, finish },
	{ "metlog_count-rules", metlog_open_rules, call_count, drain, finish },
	{ "metlog_count-never", metlog_open_plain, call_never, drain, finish },
	{ "metlog_count-rarely", metlog_open_plain, call_rarely, drain, finish },
	{ "metlog_timer-disabled", metlog_open_rules, call_disabled, drain, finish },
	{ "metlog_send-filtered", metlog_open_rules, call_filtered, drain, finish },
	{ NULL, NULL, NULL, NULL, NULL }
};
