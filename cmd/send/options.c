/* options - what metlog-send's command line asks for, checked. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include <stdlib.h>

#include "base/number.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "defaults.h"
#include "field.h"
#include "io/diag.h"
#include "io/signals.h"
#include "io/zeromq.h"
#include "sink/spool_tool.h"

enum {
	KEY_COUNTER = TOOL_KEY, KEY_TIMER, KEY_GAUGE, KEY_SET, KEY_RATE, KEY_SEED, KEY_TAG, KEY_TIMESTAMP, KEY_HOSTNAME, KEY_PID,
	KEY_ON_FAILURE, KEY_JSON, KEY_AS_IS, KEY_TO, KEY_TIMEOUT, KEY_SPOOL,
};

enum { TIMEOUT_DEFAULT_MS = 5000 };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The message:", 1 },
	{ "type", 'T', "TYPE", 0, "Set the type (default oldstyle, a log message)", 1 },
	{ "logger", 'l', "LOGGER", 0, "Set the logger, who sends it (default an empty text)", 1 },
	{ "severity", 's', "LEVEL", 0, "Set the severity: 0 to 7, or emerg alert crit err warning notice info debug (default info)", 1 },
	{ "field", 'f', "NAME=VALUE", 0, "Add a field, a text; NAME:=JSON adds a number, true, a list, an object; may be repeated", 1 },
	{ "tag", KEY_TAG, "NAME=VALUE", 0, "Add a tag, for back ends that know tags; may be repeated", 1 },
	{ "timestamp", KEY_TIMESTAMP, "TIME", 0, "Set when it happened: RFC 3339, -15m, today, @EPOCH (default now)", 1 },
	{ "hostname", KEY_HOSTNAME, "NAME", 0, "Set where it happened (default this host)", 1 },
	{ "pid", KEY_PID, "N", 0, "Set the process it is about (default metlog-send itself)", 1 },
	{ NULL, 0, NULL, 0, "Metrics:", 2 },
	{ "counter", KEY_COUNTER, "NAME[=N]", 0, "Count N more (default 1)", 2 },
	{ "timer", KEY_TIMER, "NAME[=MS]", 0, "Record a duration in milliseconds; without MS, that of COMMAND", 2 },
	{ "gauge", KEY_GAUGE, "NAME=N", 0, "Set the level of something to N", 2 },
	{ "set", KEY_SET, "NAME=VALUE", 0, "Count VALUE among the distinct members of a set", 2 },
	{ "rate", KEY_RATE, "R", 0, "Send only this share, 0 to 1, at random, and say so in fields.rate", 2 },
	{ "seed", KEY_SEED, "N", 0, "Make the choices of --rate repeatable", 2 },
	{ "on-failure", KEY_ON_FAILURE, "TYPE", 0, "If COMMAND fails, also send an envelope of this type with the end of its standard error", 2 },
	{ NULL, 0, NULL, 0, "Envelopes:", 3 },
	{ "json", KEY_JSON, NULL, 0, "Read envelopes, and put in missing timestamp, logger, pid, hostname and env_version", 3 },
	{ "as-is", KEY_AS_IS, NULL, 0, "With --json: put nothing in", 3 },
	{ NULL, 0, NULL, 0, "Where to:", 4 },
	{ "to", KEY_TO, "ENDPOINT", 0, "Send to ENDPOINT: file:PATH, udp:HOST:PORT, tcp:HOST:PORT, unix:PATH, pub:ADDRESS, push:ADDRESS, ack:ADDRESS (default -, standard output)", 4 },
	{ "config", 'c', "FILE", 0, "Take endpoint, keys, logger, severity, hostname, filters and disabled timers from the clients' configuration FILE, metlog-client(5), where no option says otherwise", 4 },
	{ "timeout", KEY_TIMEOUT, "DURATION", 0, "Give up, with status 75, on a far side that is away this long (default 5s; 0 is never)", 4 },
	{ NULL, 0, NULL, 0, "A spool, which holds what an ack: endpoint has not taken:", 5 },
	{ "spool", KEY_SPOOL, "DIR", 0, "Keep envelopes in DIR until they are acknowledged, in this run or a later one", 5 },
	SPOOL_TOOL_ROWS(5),
	{ 0 },
};

static int severity_of(const char *text)
{
	static const struct { const char *name; int severity; } names[] = {
		{ "emerg", 0 }, { "emergency", 0 }, { "panic", 0 }, { "alert", 1 }, { "crit", 2 }, { "critical", 2 }, { "err", 3 }, { "error", 3 },
		{ "warning", 4 }, { "warn", 4 }, { "notice", 5 }, { "info", 6 }, { "informational", 6 }, { "debug", 7 },
	};
	if (text[0] >= '0' && text[0] <= '7' && !text[1]) return text[0] - '0';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(text, names[i].name) == 0) return names[i].severity;
	tool_usage_error("--severity: '%s' is not 0 to 7, emerg, alert, crit, err, warning, notice, info or debug", text);
}

static const char *must_be_text(const char *option, const char *text)
{
	if (!text_is_utf8(span_of(text))) tool_usage_error("%s: '%s' is not valid UTF-8", option, text);
	return text;
}

/* Splits NAME=VALUE at its first '='. False: there is none; the name is then all of it. */
static bool split(const char *option, const char *text, struct span *name, struct span *value)
{
	const char *equals = strchr(must_be_text(option, text), '=');
	*name = equals ? span_between(text, equals) : span_of(text);
	*value = equals ? span_of(equals + 1) : SPAN("");
	if (name->length == 0) tool_usage_error("%s: '%s' has no name", option, text);
	return equals != NULL;
}

static struct span name_of(const struct metlog_field *field)
{
	return (struct span){ field->name, field->name_length };
}

/* A tag may be called as a field is. */
static void add(struct send_options *o, const char *option, struct metlog_field field)
{
	bool is_tag = field.kind == METLOG_KIND_TAG;
	for (size_t i = 0; i < o->field_count; i++)
		if (is_tag == (o->fields[i].kind == METLOG_KIND_TAG) && span_equal(name_of(&o->fields[i]), name_of(&field)))
			tool_usage_error("%s: %.*s is given twice", option, (int)field.name_length, field.name);
	if (o->field_count == o->field_capacity) {
		o->field_capacity = o->field_capacity ? o->field_capacity * 2 : 16;
		o->fields = must_resize(o->fields, o->field_capacity * sizeof *o->fields);
	}
	o->fields[o->field_count++] = field;
	o->tag_count += is_tag;
}

static void add_field(struct send_options *o, const char *text)
{
	struct span name, value;
	if (!split("--field", text, &name, &value)) tool_usage_error("--field: '%s' is neither NAME=VALUE nor NAME:=JSON", text);
	bool json = name.length > 1 && name.data[name.length - 1] == ':';
	if (json) name.length--;
	if (json) field_check_json(name, value);
	add(o, "--field", field_of(name, json ? METLOG_KIND_JSON : METLOG_KIND_TEXT, json ? span_trim(value) : value));
}

static void add_tag(struct send_options *o, const char *text)
{
	struct span name, value;
	if (!split("--tag", text, &name, &value)) tool_usage_error("--tag: '%s' is not NAME=VALUE", text);
	add(o, "--tag", field_of(name, METLOG_KIND_TAG, value));
}

static void add_metric(struct send_options *o, const char *option, const char *text)
{
	struct send_metric metric = { .type = option + 2 };
	double number;
	bool has_value = split(option, text, &metric.name, &metric.value), is_set = strcmp(metric.type, "set") == 0;
	metric.timed = !has_value && strcmp(metric.type, "timer") == 0;
	if (!has_value && strcmp(metric.type, "counter") == 0) metric.value = SPAN("1");
	else if (!has_value && !metric.timed) tool_usage_error("%s: '%s' has no value (NAME=VALUE)", option, text);
	else if (!metric.timed && !is_set) {
		if (!number_parse_double(metric.value, &number)) tool_usage_error("%s: '%s' is not a number", option, metric.value.data);
		if (metric.value.data[0] == '+') metric.value.data++, metric.value.length--; /* JSON knows no plus sign */
	}
	o->metrics = must_resize(o->metrics, (o->metric_count + 1) * sizeof *o->metrics);
	o->metrics[o->metric_count++] = metric;
}

static int timeout_of(const char *text)
{
	int64_t milliseconds = (tool_duration("--timeout", text) + 999999) / 1000000;
	if (milliseconds > INT32_MAX) tool_usage_error("--timeout: '%s' is too long; 0 waits for ever", text);
	return milliseconds ? (int)milliseconds : -1;
}

static void set_timestamp(struct send_options *o, const char *text)
{
	int64_t instant;
	if (!timestamp_parse_loose(span_of(text), timestamp_now(), &instant)) tool_usage_error("--timestamp: '%s' is not a time", text);
	o->timestamp = text;
}

bool options_take_endpoint(struct send_options *o, const char *text, const char **reason)
{
	o->to = text;
	if (!tool_endpoint(&o->endpoint, span_of(text), reason)) return false;
	switch (o->endpoint.kind) {
	case ENDPOINT_STDIO: case ENDPOINT_FILE: case ENDPOINT_UDP: case ENDPOINT_TCP: case ENDPOINT_UNIX: case ENDPOINT_PUB: case ENDPOINT_PUSH:
	case ENDPOINT_ACK: return true;
	default: *reason = "it is not something metlog-send can send to"; return false;
	}
}

static void set_to(struct send_options *o, const char *text)
{
	const char *reason;
	if (o->to) tool_usage_error("--to is given twice (metlog-route copies to several places)");
	if (!options_take_endpoint(o, text, &reason)) tool_usage_error("--to: '%s': %s", text, reason);
}

static void set_config(struct send_options *o, const char *path)
{
	if (o->config_path) tool_usage_error("--config is given twice");
	o->config_path = path;
}

static error_t parse_place(int key, char *arg, struct send_options *o)
{
	switch (key) {
	case KEY_TO: set_to(o, arg); break;
	case 'c': set_config(o, arg); break;
	case KEY_TIMEOUT: o->outlet.timeout_ms = timeout_of(arg), o->has_timeout = true; break;
	case KEY_SPOOL: o->spool = arg; break;
	default:
		if (!spool_tool_parse(key, arg, &o->spool_options)) return ARGP_ERR_UNKNOWN;
		o->has_spool_options = true;
	}
	return 0;
}

static error_t parse_metric(int key, char *arg, struct send_options *o)
{
	switch (key) {
	case KEY_COUNTER: add_metric(o, "--counter", arg); break;
	case KEY_TIMER: add_metric(o, "--timer", arg); break;
	case KEY_GAUGE: add_metric(o, "--gauge", arg); break;
	case KEY_SET: add_metric(o, "--set", arg); break;
	case KEY_RATE:
		o->has_rate = number_parse_double(span_of(arg), &o->rate) && o->rate >= 0;
		if (!o->has_rate) tool_usage_error("--rate: '%s' is not a number from 0 (never) to 1 (always)", arg);
		break;
	case KEY_SEED: sample_init_seed(&o->sample, (uint64_t)tool_integer("--seed", arg, 0, INT64_MAX)); break;
	case KEY_ON_FAILURE: o->failure_type = must_be_text("--on-failure", arg); break;
	default: return parse_place(key, arg, o);
	}
	return 0;
}

static void take_operands(struct send_options *o, const struct argp_state *state)
{
	bool timed = false;
	for (size_t i = 0; i < o->metric_count; i++) timed = timed || o->metrics[i].timed;
	o->payload = state->argv + state->next;
	o->payload_count = state->argc - state->next;
	if (!timed) return;
	/* An option of the command would be taken for one of ours without it. */
	if (!state->quoted) tool_usage_error("the command to time goes behind --: metlog-send --timer NAME -- COMMAND...");
	o->command = o->payload;
	o->payload_count = 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct send_options *o = state->input;
	switch (key) {
	case 'T': o->type = must_be_text("--type", arg); break;
	case 'l': o->logger = must_be_text("--logger", arg); break;
	case 's': o->severity = severity_of(arg); break;
	case 'f': add_field(o, arg); break;
	case KEY_TAG: add_tag(o, arg); break;
	case KEY_TIMESTAMP: set_timestamp(o, arg); break;
	case KEY_HOSTNAME: o->hostname = must_be_text("--hostname", arg); break;
	case KEY_PID: o->pid = tool_integer("--pid", arg, 1, INT64_MAX); break;
	case KEY_JSON: o->json = true; break;
	case KEY_AS_IS: o->as_is = true; break;
	case ARGP_KEY_ARGS: take_operands(o, state); return ARGP_ERR_UNKNOWN; /* the family's table notes the operands too */
	default: return parse_metric(key, arg, o);
	}
	return 0;
}

const struct tool_about send_about = {
	.name = "metlog-send",
	.usage = "[PAYLOAD...]\n--timer NAME [--on-failure TYPE] -- COMMAND...\n--json [FILE...]",
	.summary = "Make envelopes from a message, lines of text, metrics or a timed command, and send them",
	.examples =
		"  metlog-send -T deploy -l web -f version=3.1 -f took_s:=12.5 \"in production\"\n"
		"  grep ERROR app.log | metlog-send -l app -s err --to udp:127.0.0.1:5565\n"
		"  metlog-send --counter logins --gauge queue=17 --to pub:tcp://127.0.0.1:5565\n"
		"  metlog-send --timer backup --on-failure cron --to udp:127.0.0.1:5565 \\\n"
		"      -- tar czf /b/home.tgz /home\n"
		"  metlog-send --json --to push:ipc:///run/metlog/in archive.ndjson\n"
		"  tail -F app.log | metlog-send -l app --to ack:tcp://10.0.0.1:5566 \\\n"
		"      --curve-server hub.key.pub --spool /var/spool/metlog/app\n",
	.uses = USES_INPUT | USES_DRY_RUN | USES_OUTPUT | USES_ACCESS,
	.options = options,
	.parse = parse,
};

void options_init(struct send_options *o)
{
	*o = (struct send_options){ .severity = SEND_SEVERITY_UNSAID, .severity_default = METLOG_INFORMATIONAL, .rate = 1, .rules.severity_max = METLOG_DEBUG };
	o->outlet.timeout_ms = TIMEOUT_DEFAULT_MS;
	o->outlet.waits = &signals_waits;
	o->outlet.say = diag_say;
	o->spool_options = spool_defaults;
	sample_init(&o->sample);
}

void options_release(struct send_options *o)
{
	rules_release(&o->rules);
	config_release(&o->config);
	free(o->fields);
	free(o->metrics);
	if (o->to) endpoint_release(&o->endpoint);
}

static void refuse_name(const struct send_options *o, const char *name, const char *because)
{
	for (size_t i = 0; i < o->field_count; i++)
		if (o->fields[i].kind != METLOG_KIND_TAG && span_equal(name_of(&o->fields[i]), span_of(name))) tool_usage_error("--field: %s is set by %s", name, because);
}

/* No field may come from two places. */
static void check_fields(const struct send_options *o)
{
	if (o->metric_count) {
		refuse_name(o, "name", "the metric");
		refuse_name(o, "rate", "the metric");
	}
	if (o->has_rate) refuse_name(o, "rate", "--rate");
	if (o->tag_count) refuse_name(o, "tags", "--tag");
	if (o->command) {
		refuse_name(o, "exit_status", "the command");
		refuse_name(o, "signal", "the command");
		refuse_name(o, "duration_ms", "the command");
	}
}

static void check_metrics(const struct send_options *o)
{
	size_t timed = 0;
	for (size_t i = 0; i < o->metric_count; i++) {
		const struct send_metric *m = &o->metrics[i];
		timed += m->timed;
		if (o->rate < 1 && (strcmp(m->type, "gauge") == 0 || strcmp(m->type, "set") == 0))
			tool_usage_error("--rate: a %s cannot be sampled: what is left out cannot be estimated from the rest", m->type);
	}
	if (timed > 1) tool_usage_error("--timer: only one can time the command; the others need a value (NAME=MS)");
	if (timed && !o->command) tool_usage_error("--timer: a value (NAME=MS) or a command behind -- is missing");
	if (o->failure_type && !o->command) tool_usage_error("--on-failure needs a command to time: --timer NAME -- COMMAND...");
	if (o->type && o->metric_count && !o->payload_count)
		tool_usage_error("--type is the type of a message: a metric has its own (a message with an empty payload: '')");
}

static void check_json(const struct send_options *o)
{
	if (o->as_is && !o->json) tool_usage_error("--as-is goes with --json");
	if (!o->json) return;
	const char *which = o->type ? "--type" : o->severity != SEND_SEVERITY_UNSAID ? "--severity" : o->field_count > o->tag_count ? "--field" : o->tag_count ? "--tag"
		: o->metric_count ? o->command ? "--timer" : "a metric" : o->has_rate ? "--rate" : NULL;
	if (which) tool_usage_error("%s does not go with --json: what an envelope has is kept", which);
}

static void check_curve(const struct send_options *o)
{
	bool zeromq = o->to && endpoint_is_zeromq(&o->endpoint);
	bool binds = zeromq && o->endpoint.kind != ENDPOINT_ACK && zeromq_would_bind(&o->endpoint);
	const char *fault = zeromq_curve_fault(&(struct zeromq_options){
		.curve_secret = o->outlet.curve_secret, .curve_clients = o->outlet.curve_clients, .curve_server = o->outlet.curve_server }, binds, zeromq && !binds);
	if (fault) tool_usage_error("%s", fault);
}

static void check_spool(struct send_options *o, const struct tool_options *tool)
{
	o->spool_options.line_limit = tool->line_limit;
	if (o->has_spool_options && !o->spool) tool_usage_error("options of a spool need --spool DIR");
	if (o->spool && (!o->to || o->endpoint.kind != ENDPOINT_ACK))
		tool_usage_error("--spool goes with --to ack:, the only kind that says what the far side keeps");
}

void options_check(struct send_options *o, struct tool_options *tool)
{
	if (o->config_path) defaults_take(o, tool, o->config_path);
	check_spool(o, tool);
	o->outlet.curve_secret = tool->access.curve_secret;
	o->outlet.curve_clients = tool->access.curve_clients;
	o->outlet.curve_server = tool->access.curve_server;
	o->outlet.insecure = tool->access.insecure;
	check_curve(o);
	check_json(o);
	check_metrics(o);
	check_fields(o);
	if (tool->dry_run && o->command) tool_usage_error("--dry-run does not go with a command: what it will take is not known before");
}
