/* message - the envelopes that metlog-send makes out of its options. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "message.h"

#include <errno.h>
#include <unistd.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "envelope/field.h"
#include "io/diag.h"

enum { FAILURE_SEVERITY = 3 };

static const char *or_else(const char *given, const char *otherwise)
{
	return given ? given : otherwise;
}

/* A given RFC 3339 text stays as it is, digits and zone; any other way to say a time becomes one. */
static void set_stamp(struct message *m, const char *given)
{
	int64_t instant;
	struct span text = span_of(given);
	if (text.length < sizeof m->stamp && text.length > 10 && text.data[10] == 'T' && timestamp_parse(text, &instant)) {
		memcpy(m->stamp, text.data, text.length);
		m->compose.timestamp_text = (struct span){ m->stamp, text.length };
	} else if (timestamp_parse_loose(text, timestamp_now(), &instant)) {
		m->compose.timestamp_text = (struct span){ m->stamp, timestamp_print(m->stamp, instant) };
	}
}

/* What the user gave, behind what the message itself has. */
static void add_given(struct buffer *fields, const struct send_options *o)
{
	if (fields->length && o->fields.length) buffer_append_byte(fields, ',');
	buffer_append_span(fields, buffer_span(&o->fields));
	if (!o->tag_count) return;
	compose_field_json(fields, SPAN("tags"), SPAN("{"));
	buffer_append_span(fields, buffer_span(&o->tags));
	buffer_append_byte(fields, '}');
}

void message_init(struct message *m, const struct send_options *o, size_t line_limit)
{
	*m = (struct message){ .options = o };
	if (gethostname(m->host, sizeof m->host - 1) != 0) m->host[0] = '\0';
	m->compose.logger = span_of(or_else(o->logger, ""));
	m->compose.hostname = span_of(or_else(o->hostname, m->host));
	m->compose.pid = o->pid ? o->pid : getpid();
	if (o->timestamp) set_stamp(m, o->timestamp);
	buffer_init(&m->text_fields, SIZE_MAX / 2);
	buffer_init(&m->metric_fields, SIZE_MAX / 2);
	buffer_init(&m->line, line_limit);
	if (o->has_rate) compose_field_number(&m->text_fields, SPAN("rate"), o->rate);
	add_given(&m->text_fields, o);
	if (m->text_fields.failed) die(EXIT_INTERNAL, "no memory for the fields");
}

void message_release(struct message *m)
{
	buffer_release(&m->text_fields);
	buffer_release(&m->metric_fields);
	buffer_release(&m->line);
}

static bool make(struct message *m, struct span type, int severity, struct span payload, const struct buffer *fields)
{
	struct compose *c = &m->compose;
	c->type = type;
	c->severity = m->options->severity == SEND_SEVERITY_UNSAID ? severity : m->options->severity;
	c->payload = payload;
	c->fields = buffer_span(fields);
	c->timestamp = timestamp_now();
	buffer_clear(&m->line);
	if (fields->failed) return false;
	errno = 0;
	return compose_append(&m->line, c);
}

bool message_text(struct message *m, struct span payload)
{
	return make(m, span_of(or_else(m->options->type, "oldstyle")), ENVELOPE_SEVERITY_DEFAULT, payload, &m->text_fields);
}

/* A gauge and the members of a set are never sampled, and so have no rate. */
static void begin_metric(struct message *m, const struct send_metric *metric)
{
	buffer_clear(&m->metric_fields);
	if (strcmp(metric->type, "counter") == 0 || strcmp(metric->type, "timer") == 0)
		compose_metric(&m->metric_fields, metric->name, m->options->rate);
	else
		compose_field_text(&m->metric_fields, SPAN("name"), metric->name);
}

bool message_metric(struct message *m, const struct send_metric *metric)
{
	begin_metric(m, metric);
	add_given(&m->metric_fields, m->options);
	return make(m, span_of(metric->type), ENVELOPE_SEVERITY_DEFAULT, metric->value, &m->metric_fields);
}

static void add_result(struct buffer *fields, const struct command_result *result)
{
	compose_field_int(fields, SPAN("exit_status"), result->status);
	if (result->signal) compose_field_int(fields, SPAN("signal"), result->signal);
}

static int64_t whole_ms(int64_t nanoseconds)
{
	return (nanoseconds + 500000) / 1000000;
}

bool message_timing(struct message *m, const struct send_metric *metric, const struct command_result *result)
{
	char text[NUMBER_INT_MAX];
	begin_metric(m, metric);
	add_result(&m->metric_fields, result);
	add_given(&m->metric_fields, m->options);
	struct span payload = { text, number_print_int(text, whole_ms(result->duration_ns)) };
	return make(m, span_of(metric->type), ENVELOPE_SEVERITY_DEFAULT, payload, &m->metric_fields);
}

bool message_failure(struct message *m, const struct send_metric *metric, const struct command_result *result)
{
	struct span tail = buffer_span(&result->tail);
	while (tail.length && (tail.data[tail.length - 1] == '\n' || tail.data[tail.length - 1] == '\r')) tail.length--;
	buffer_clear(&m->metric_fields);
	compose_field_text(&m->metric_fields, SPAN("name"), metric->name);
	add_result(&m->metric_fields, result);
	compose_field_int(&m->metric_fields, SPAN("duration_ms"), whole_ms(result->duration_ns));
	add_given(&m->metric_fields, m->options);
	return make(m, span_of(m->options->failure_type), FAILURE_SEVERITY, tail, &m->metric_fields);
}

struct lack {
	bool timestamp, logger, env_version, pid, hostname;
};

static bool find_lack(const struct envelope *e, struct lack *lack)
{
	struct value key, value, whole = { .kind = VALUE_OBJECT, .first = 0 };
	*lack = (struct lack){ e->timestamp.kind == VALUE_ABSENT, e->logger.kind == VALUE_ABSENT, e->env_version.kind == VALUE_ABSENT, true, true };
	for (struct field_walk walk = field_walk(e, whole); (lack->pid || lack->hostname) && field_next(&walk, &key, &value);) {
		if (lack->pid && field_equals(key, SPAN("metlog_pid"))) lack->pid = false;
		else if (lack->hostname && field_equals(key, SPAN("metlog_hostname"))) lack->hostname = false;
	}
	return lack->timestamp || lack->logger || lack->env_version || lack->pid || lack->hostname;
}

struct span message_fill(struct message *m, const struct envelope *e)
{
	struct lack lack;
	struct buffer *more = &m->metric_fields, *out = &m->line;
	char text[TIMESTAMP_MAX];
	if (!find_lack(e, &lack)) return e->line;
	errno = 0;
	buffer_clear(more);
	struct span stamp = m->compose.timestamp_text;
	if (lack.timestamp && !stamp.length) stamp = (struct span){ text, timestamp_print(text, timestamp_now()) };
	if (lack.timestamp) compose_field_text(more, SPAN("timestamp"), stamp);
	if (lack.logger) compose_field_text(more, SPAN("logger"), m->compose.logger);
	if (lack.env_version) compose_field_text(more, SPAN("env_version"), SPAN("0.8"));
	if (lack.pid) compose_field_int(more, SPAN("metlog_pid"), m->compose.pid);
	if (lack.hostname) compose_field_text(more, SPAN("metlog_hostname"), m->compose.hostname);
	/* The index of a line ends with the closing brace and the newline; that of an empty object has but one entry more. */
	size_t brace = e->scan->index[e->scan->count - 2];
	buffer_clear(out);
	buffer_append(out, e->line.data, brace);
	if (e->scan->count > 3) buffer_append_byte(out, ',');
	buffer_append_span(out, buffer_span(more));
	buffer_append(out, e->line.data + brace, e->line.length - brace);
	return out->failed || more->failed ? (struct span){ NULL, 0 } : buffer_span(out);
}
