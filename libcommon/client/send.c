/* send - messages of any type, with everything that an envelope has. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/client.h"

#include "base/timestamp.h"
#include "client/options.h"
#include "client/value.h"

enum { PAYLOAD_DEPTH = 1 }; /* the envelope itself */

static int severity_of(const struct metlog *client, int severity)
{
	return severity == METLOG_SEVERITY_DEFAULT ? client_default_severity(client) : severity;
}

enum metlog_result metlog_send(struct metlog *client, const char *type, int severity, const char *payload, struct metlog_fields fields)
{
	if (!client) return METLOG_CLOSED;
	struct message message;
	struct span type_text = span_of(type ? type : "");
	const struct rules *rules = client_rules(client);
	severity = severity_of(client, severity);
	if (rules->is_any && !rules_pass(rules, type_text, severity)) return client_leave_out(client);
	message_init(&message, type_text, severity);
	message.payload = span_of(payload ? payload : "");
	message.fields = fields.list;
	message.field_count = fields.count;
	message.timestamp_ns = timestamp_now();
	return client_send(client, &message);
}

void metlog_message_init(struct metlog_message *message, size_t size)
{
	struct metlog_message defaults = { .size = size, .severity = METLOG_SEVERITY_DEFAULT, .rate = 1 };
	memset(message, 0, size);
	memcpy(message, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

/* False: it can be no envelope. */
static bool take_message(struct message *m, const struct metlog *client, const struct metlog_message *given)
{
	struct metlog_message own;
	int64_t when;
	metlog_message_init(&own, sizeof own);
	if (!options_copy(&own, sizeof own, given)) return false;
	*m = (struct message){
		.type = span_of(own.type ? own.type : ""), .logger = span_of(own.logger), .severity = severity_of(client, own.severity),
		.payload = { own.payload ? own.payload : "", own.payload ? own.payload_length : 0 }, .payload_is_json = own.payload && own.payload_is_json,
		.metric = span_of(own.metric), .rate = own.rate, .fields = own.fields.list, .field_count = own.fields.count,
		.timestamp_ns = own.timestamp_ns ? own.timestamp_ns : timestamp_now(), .timestamp = span_of(own.timestamp), .pid = own.pid, .hostname = span_of(own.hostname),
	};
	if (m->timestamp.data && !timestamp_parse(m->timestamp, &when)) return false;
	return !m->payload_is_json || value_is_good(m->payload, PAYLOAD_DEPTH);
}

enum metlog_result metlog_send_message(struct metlog *client, const struct metlog_message *given)
{
	struct message message;
	if (!client) return METLOG_CLOSED;
	if (!take_message(&message, client, given)) return client_refuse(client);
	const struct rules *rules = client_rules(client);
	if (rules->is_any && !rules_pass(rules, message.type, message.severity)) return client_leave_out(client);
	return client_send(client, &message);
}

size_t metlog_compose(struct metlog *client, const struct metlog_message *given, char *out, size_t size)
{
	struct message message;
	struct message_clock clock = { 0 };
	const struct message_parts *parts = client_parts(client);
	if (!parts || !take_message(&message, client, given) || message_bound(&message, parts) == SIZE_MAX) return 0;
	size_t length = message_length(&message, parts);
	if (length > client_line_max(client)) return 0;
	length--; /* the newline */
	if (length <= size) message_write_bare(out, &message, parts, &clock);
	return length;
}
