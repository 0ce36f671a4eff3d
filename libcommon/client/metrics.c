/* metrics - counters, timings, gauges and sets: the calls that an application makes most. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/client.h"

#include "base/number.h"
#include "base/timestamp.h"
#include "client/message_text.h"

enum { NO_RATE = -1 };

/* A name that is NULL is an empty one: without a name it would be no metric. */
static struct span name_of(const char *name)
{
	return span_of(name ? name : "");
}

static inline enum metlog_result send_metric(struct metlog *client, struct span type, const struct client_metric *metric, struct metlog_fields fields)
{
	const struct rules *rules = client_rules(client);
	int severity = client_default_severity(client);
	struct message message;
	if (rules->is_any && !rules_pass(rules, type, severity)) return client_leave_out(client);
	message_init(&message, type, severity);
	message.payload = metric->payload;
	message.is_plain = metric->is_number;
	message.metric = name_of(metric->name);
	message.rate = metric->rate;
	message.fields = fields.list;
	message.field_count = fields.count;
	message.timestamp_ns = timestamp_now();
	return client_send(client, &message);
}

enum metlog_result client_send_metric(struct metlog *client, struct span type, const struct client_metric *metric, struct metlog_fields fields)
{
	return send_metric(client, type, metric, fields);
}

/* Of a number that can be none in JSON nothing can be sent: a payload is the number's text, and null is no number. */
static enum metlog_result send_number(struct metlog *client, struct span type, const char *name, double value, double rate, struct metlog_fields fields)
{
	if (!client) return METLOG_CLOSED;
	char text[NUMBER_JSON_MAX];
	size_t length = number_print_json(text, value);
	if (length == 0) return client_refuse(client);
	struct client_metric metric = { name, rate, { text, length }, true };
	return client_send_metric(client, type, &metric, fields);
}

static __attribute__((noinline)) enum metlog_result count(struct metlog *client, const char *name, int64_t value, double rate, struct metlog_fields fields)
{
	char text[NUMBER_INT_MAX];
	struct client_metric metric = { name, rate, { text, (size_t)(message_int(text, value) - text) }, true };
	return send_metric(client, SPAN("counter"), &metric, fields);
}

static __attribute__((noinline)) enum metlog_result count_first(struct metlog *client, const char *name, int64_t value, double rate, struct metlog_fields fields)
{
	client_seed();
	return metlog_count(client, name, value, rate, fields);
}

/* What is left out by its rate goes no further than this, and saves no register for what it does not do: each call here is the last thing done. */
enum metlog_result metlog_count(struct metlog *client, const char *name, int64_t value, double rate, struct metlog_fields fields)
{
	if (!client) return METLOG_CLOSED;
	enum client_choice choice = client_choose(rate);
	if (choice == CLIENT_TAKES) return count(client, name, value, rate, fields);
	return choice == CLIENT_UNSEEDED ? count_first(client, name, value, rate, fields) : client_leave_out(client);
}

enum metlog_result metlog_timing(struct metlog *client, const char *name, double milliseconds, double rate, struct metlog_fields fields)
{
	return send_number(client, SPAN("timer"), name, milliseconds, rate, fields);
}

enum metlog_result metlog_gauge(struct metlog *client, const char *name, double value, struct metlog_fields fields)
{
	return send_number(client, SPAN("gauge"), name, value, NO_RATE, fields);
}

enum metlog_result metlog_set(struct metlog *client, const char *name, const char *member, struct metlog_fields fields)
{
	if (!client) return METLOG_CLOSED;
	struct client_metric metric = { name, NO_RATE, span_of(member ? member : ""), false };
	return client_send_metric(client, SPAN("set"), &metric, fields);
}
