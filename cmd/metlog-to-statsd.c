/* metlog-to-statsd - sends counters, timers, gauges and sets to a statsd. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "filter/filter.h"
#include "io/diag.h"
#include "to-statsd/sink.h"

enum { MTU_UDP = 1432, MTU_UNIX = 8192, TAG_OPTIONS_MAX = TAGS_OPTIONS_MAX };

struct options {
	const char *to, *prefix;
	const struct tags_style *style;
	const char *tag[TAG_OPTIONS_MAX];
	size_t tag_count;
	int64_t mtu;              /* below 0: not said */
	int64_t timeout_ns;
	struct sink_options sink;
};

enum { KEY_TO = TOOL_KEY, KEY_PREFIX, KEY_TAGS, KEY_TAG, KEY_MTU, KEY_ONE, KEY_PACE, KEY_AGGREGATE, KEY_CONTEXTS, KEY_TIMEOUT };

static const struct argp_option rows[] = {
	{ NULL, 0, NULL, 0, "Where to:", 1 },
	{ "to", KEY_TO, "ENDPOINT", 0, "Send to ENDPOINT: udp:HOST:PORT, tcp:HOST:PORT, unix:PATH (default udp:127.0.0.1:8125)", 1 },
	{ "timeout", KEY_TIMEOUT, "DURATION", 0, "Give up, with status 75, on a far side that is away this long (default 10s)", 1 },
	{ NULL, 0, NULL, 0, "Names and tags:", 2 },
	{ "prefix", KEY_PREFIX, "TEMPLATE", 0, "Put this before each name, and a dot: text with {logger} {type} {hostname} {fields.NAME}", 2 },
	{ "tags", KEY_TAGS, "STYLE", 0, "Send the tags of fields.tags in STYLE: none (default), dogstatsd, influx, graphite, librato, signalfx", 2 },
	{ "tag", KEY_TAG, "[NAME=]FIELD", 0, "Make a tag of FIELD, too; may be repeated", 2 },
	{ NULL, 0, NULL, 0, "Packets:", 3 },
	{ "mtu", KEY_MTU, "BYTES", 0, "Fill packets up to BYTES (default 1432, unix: 8192); 0 is one metric a packet", 3 },
	{ "one-per-packet", KEY_ONE, NULL, 0, "Send one metric a packet", 3 },
	{ "pace", KEY_PACE, "N[/s]", 0, "Send at most N metrics a second; the input waits", 3 },
	{ NULL, 0, NULL, 0, "Aggregation:", 4 },
	{ "aggregate", KEY_AGGREGATE, "DURATION", 0, "Fold what DURATION brings: sum counters, keep a gauge's last value and a set's members once", 4 },
	{ "max-contexts", KEY_CONTEXTS, "N", 0, "Send early when there are N different metrics in an aggregate (default 50000)", 4 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;
	switch (key) {
	case KEY_TO: o->to = text; return 0;
	case KEY_PREFIX: o->prefix = text; return 0;
	case KEY_TIMEOUT: o->timeout_ns = tool_duration("--timeout", text); return 0;
	case KEY_TAGS:
		o->style = tags_style_find(text);
		if (!o->style) tool_usage_error("--tags: '%s' is not none, dogstatsd, influx, graphite, librato or signalfx", text);
		return 0;
	case KEY_TAG:
		if (o->tag_count == TAG_OPTIONS_MAX) tool_usage_error("--tag: more than %d of them", TAG_OPTIONS_MAX);
		o->tag[o->tag_count++] = text;
		return 0;
	case KEY_MTU: o->mtu = tool_integer("--mtu", text, 0, BATCH_LINE_MAX); return 0;
	case KEY_ONE: o->sink.one_per_packet = true; return 0;
	case KEY_PACE: o->sink.pace = tool_pace("--pace", text, "metrics"); return 0;
	case KEY_AGGREGATE:
		o->sink.aggregate_ns = tool_duration("--aggregate", text);
		if (o->sink.aggregate_ns < 1000000) tool_usage_error("--aggregate: '%s' is less than a millisecond", text);
		return 0;
	case KEY_CONTEXTS: o->sink.contexts = (size_t)tool_integer("--max-contexts", text, 1, 10000000); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct tool_about about = {
	.name = "metlog-to-statsd",
	.usage = "[FILE...]",
	.summary = "Send counters, timers, gauges and sets to a statsd",
	.examples =
		"  metlog-to-statsd --dry-run metrics.ndjson\n"
		"  metlog-recv --from sub:tcp://127.0.0.1:5565 |\n"
		"      metlog-to-statsd --to udp:127.0.0.1:8125 --prefix '{logger}'\n"
		"  metlog-to-statsd --tags dogstatsd --tag host=hostname --aggregate 10s \\\n"
		"      --pace 50000 metrics.ndjson\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_DRY_RUN,
	.options = rows,
	.parse = parse,
};

/* What the options say together; after this nothing is a usage error any more. */
static void apply(struct sink *sink, struct options *o)
{
	const char *why;
	int64_t timeout_ms = o->timeout_ns / 1000000;
	if (!delivery_init(&sink->delivery, o->to, timeout_ms < INT32_MAX ? (int)timeout_ms : INT32_MAX, &why)) tool_usage_error("--to: '%s': %s", o->to, why);
	why = prefix_init(&sink->prefix, span_of(o->prefix));
	if (why) tool_usage_error("--prefix: '%s': %s", o->prefix, why);
	if (o->tag_count && !o->style->open[0]) tool_usage_error("--tag: needs --tags STYLE");
	bool is_udp = sink->delivery.endpoint.kind == ENDPOINT_UDP;
	tags_init(&sink->tags, o->style, o->sink.aggregate_ns > 0, !is_udp, BATCH_LINE_MAX);
	for (size_t i = 0; i < o->tag_count; i++)
		if (!tags_add_option(&sink->tags, o->tag[i], &why)) tool_usage_error("--tag: '%s': %s", o->tag[i], why);
	if (o->mtu < 0) o->mtu = sink->delivery.endpoint.kind == ENDPOINT_UNIX ? MTU_UNIX : MTU_UDP;
	if (o->mtu == 0) o->sink.one_per_packet = true;
	o->sink.packet_bytes = (size_t)o->mtu;
}

/* Nothing of ours goes to standard output then: whether somebody reads there must not matter. */
static void forget_output(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0) return;
	dup2(fd, STDOUT_FILENO);
	close(fd);
}

/* True until there is nothing more to read, or nobody to send to. */
static bool turn(struct filter *filter, struct sink *sink)
{
	struct envelope envelope;
	switch (filter_turn(filter, &envelope)) {
	case TURN_ENVELOPE:
		sink_take(sink, &envelope);
		break;
	case TURN_WAIT:
		sink_flush(sink);
		filter_flush(filter);
		if (!sink_is_gone(sink)) filter_wait(filter, NULL, 0, sink_timeout_ms(sink));
		if (signals_take(SIGNALS_HANGUP)) {
			rejects_reopen(&filter->rejects);
			delivery_reconnect(&sink->delivery);
		}
		sink_tick(sink);
		break;
	case TURN_END:
		return false;
	}
	return !sink_is_gone(sink) && !filter->out.error;
}

int main(int argc, char **argv)
{
	static struct filter filter;
	static struct sink sink;
	static struct options options = {
		.to = "udp:127.0.0.1:8125", .prefix = "", .mtu = -1, .timeout_ns = 10000000000, .sink = { .contexts = 50000 },
	};
	options.style = tags_style_find("none");
	filter_open(&filter, &about, argc, argv, &options);
	apply(&sink, &options);
	signals_open(SIGNALS_HANGUP);
	if (!filter.options.dry_run) forget_output();
	sink_open(&sink, &filter, &options.sink);
	while (turn(&filter, &sink)) {}
	sink_close(&sink);
	return filter_close(&filter);
}
