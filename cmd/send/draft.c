/* draft - the envelopes that metlog-send makes out of its options, by the rules of the clients. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "draft.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "envelope/compose.h"
#include "envelope/field.h"
#include "io/diag.h"

enum { NO_RATE = -1, OWN_MAX = 3 }; /* OWN: fields of a message in front of those given */

/* The client's parts are none: each message has a logger, a pid and a hostname of its own. */
static const struct message_parts no_parts;

static const char *or_else(const char *given, const char *otherwise)
{
	return given ? given : otherwise;
}

/* A given RFC 3339 text stays as it is, digits and zone; any other way to say a time becomes one. */
static void set_stamp(struct draft *d, const char *given)
{
	int64_t instant;
	struct span text = span_of(given);
	if (text.length < sizeof d->stamp && text.length > 10 && text.data[10] == 'T' && timestamp_parse(text, &instant)) {
		memcpy(d->stamp, text.data, text.length);
		d->message.timestamp = (struct span){ d->stamp, text.length };
	} else if (timestamp_parse_loose(text, timestamp_now(), &instant)) {
		d->message.timestamp = (struct span){ d->stamp, timestamp_print(d->stamp, instant) };
	}
}

void draft_init(struct draft *d, const struct send_options *o, size_t line_limit)
{
	*d = (struct draft){ .options = o };
	if (gethostname(d->host, sizeof d->host - 1) != 0) d->host[0] = '\0';
	d->message.logger = span_of(or_else(o->logger, ""));
	d->message.hostname = span_of(or_else(o->hostname, d->host));
	d->message.pid = o->pid ? o->pid : getpid();
	if (o->timestamp) set_stamp(d, o->timestamp);
	d->fields = must_resize(NULL, (OWN_MAX + o->field_count) * sizeof *d->fields);
	if (o->field_count) memcpy(d->fields + OWN_MAX, o->fields, o->field_count * sizeof *d->fields);
	buffer_init(&d->line, line_limit);
	buffer_init(&d->lacked, SIZE_MAX / 2);
}

void draft_release(struct draft *d)
{
	free(d->fields);
	buffer_release(&d->line);
	buffer_release(&d->lacked);
}

/* --- messages --------------------------------------------------------------------------- */

static void begin(struct draft *d, const char *type, int severity, struct span payload)
{
	struct message *m = &d->message;
	m->type = span_of(type);
	m->severity = d->options->severity == SEND_SEVERITY_UNSAID ? severity : d->options->severity;
	m->payload = payload;
	m->metric = (struct span){ NULL, 0 };
	m->rate = NO_RATE;
	m->fields = d->fields + OWN_MAX;
	m->field_count = d->options->field_count;
}

/* In front of the fields there are: the last one that is put there is the first of the message. */
static void put_field(struct draft *d, struct metlog_field field)
{
	d->message.field_count++;
	d->message.fields--;
	d->fields[d->message.fields - d->fields] = field;
}

static enum draft_result make(struct draft *d)
{
	struct message *m = &d->message;
	if (!rules_pass(&d->options->rules, m->type, m->severity)) return DRAFT_LEFT_OUT;
	errno = 0;
	m->timestamp_ns = timestamp_now();
	size_t room = message_bound(m, &no_parts);
	if (room > d->line.limit) room = room == SIZE_MAX ? room : message_length(m, &no_parts) - 1; /* the newline, which is not written */
	buffer_clear(&d->line);
	if (!buffer_reserve(&d->line, room)) return DRAFT_TOO_LONG;
	d->line.length = (size_t)(message_write_bare(d->line.data, m, &no_parts, &d->clock) - d->line.data);
	return DRAFT_MADE;
}

enum draft_result draft_text(struct draft *d, struct span payload)
{
	begin(d, or_else(d->options->type, "oldstyle"), d->options->severity_default, payload);
	if (d->options->has_rate) put_field(d, metlog_field_double("rate", d->options->rate));
	return make(d);
}

/* A gauge and the members of a set are never sampled, and so have no rate. */
static void begin_metric(struct draft *d, const struct send_metric *metric, struct span payload)
{
	begin(d, metric->type, d->options->severity_default, payload);
	d->message.metric = metric->name;
	if (strcmp(metric->type, "counter") == 0 || strcmp(metric->type, "timer") == 0) d->message.rate = d->options->rate;
}

enum draft_result draft_metric(struct draft *d, const struct send_metric *metric)
{
	begin_metric(d, metric, metric->value);
	return make(d);
}

static void put_result(struct draft *d, const struct command_result *result)
{
	if (result->signal) put_field(d, metlog_field_int("signal", result->signal));
	put_field(d, metlog_field_int("exit_status", result->status));
}

static int64_t whole_ms(int64_t nanoseconds)
{
	return (nanoseconds + 500000) / 1000000;
}

enum draft_result draft_timing(struct draft *d, const struct send_metric *metric, const struct command_result *result)
{
	char text[NUMBER_INT_MAX];
	if (rules_disable_timer(&d->options->rules, metric->name)) return DRAFT_LEFT_OUT;
	begin_metric(d, metric, (struct span){ text, number_print_int(text, whole_ms(result->duration_ns)) });
	put_result(d, result);
	return make(d);
}

enum draft_result draft_failure(struct draft *d, const struct send_metric *metric, const struct command_result *result)
{
	struct span tail = buffer_span(&result->tail);
	while (tail.length && (tail.data[tail.length - 1] == '\n' || tail.data[tail.length - 1] == '\r')) tail.length--;
	begin(d, d->options->failure_type, METLOG_ERROR, tail);
	d->message.metric = metric->name;
	put_field(d, metlog_field_int("duration_ms", whole_ms(result->duration_ns)));
	put_result(d, result);
	return make(d);
}

/* --- envelopes -------------------------------------------------------------------------- */

bool draft_passes(struct draft *d, const struct envelope *e)
{
	if (!d->options->rules.is_any) return true;
	buffer_clear(&d->lacked);
	if (!field_append_text(&d->lacked, e->type)) die(EXIT_INTERNAL, "no memory for the type of an envelope");
	return rules_pass(&d->options->rules, buffer_span(&d->lacked), e->severity);
}

/* Members that an envelope has not. */
struct lack {
	bool timestamp, logger, env_version, pid, hostname;
};

static bool find_lack(const struct envelope *e, struct lack *lack)
{
	*lack = (struct lack){ e->timestamp.kind == VALUE_ABSENT, e->logger.kind == VALUE_ABSENT, e->env_version.kind == VALUE_ABSENT,
		e->metlog_pid.kind == VALUE_ABSENT, e->metlog_hostname.kind == VALUE_ABSENT };
	return lack->timestamp || lack->logger || lack->env_version || lack->pid || lack->hostname;
}

struct span draft_fill(struct draft *d, const struct envelope *e)
{
	struct lack lack;
	struct buffer *more = &d->lacked, *out = &d->line;
	char text[TIMESTAMP_MAX];
	if (!find_lack(e, &lack)) return e->line;
	errno = 0;
	buffer_clear(more);
	struct span stamp = d->message.timestamp;
	if (lack.timestamp && !stamp.length) stamp = (struct span){ text, timestamp_print(text, timestamp_now()) };
	if (lack.timestamp) compose_field_text(more, SPAN("timestamp"), stamp);
	if (lack.logger) compose_field_text(more, SPAN("logger"), d->message.logger);
	if (lack.env_version) compose_field_text(more, SPAN("env_version"), SPAN("0.8"));
	if (lack.pid) compose_field_int(more, SPAN("metlog_pid"), d->message.pid);
	if (lack.hostname) compose_field_text(more, SPAN("metlog_hostname"), d->message.hostname);
	/* The index of a line ends with the closing brace and the newline; that of an empty object has but one entry more. */
	size_t brace = e->scan->index[e->scan->count - 2];
	buffer_clear(out);
	buffer_append(out, e->line.data, brace);
	if (e->scan->count > 3) buffer_append_byte(out, ',');
	buffer_append_span(out, buffer_span(more));
	buffer_append(out, e->line.data + brace, e->line.length - brace);
	return out->failed || more->failed ? (struct span){ NULL, 0 } : buffer_span(out);
}
