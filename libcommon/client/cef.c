/* cef - security events, as fields of which metlog-to-cef makes the line. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/client.h"

#include "base/timestamp.h"

/* metlog-to-cef(1), "Structured events": the parts are fields of these names, every other field is a key of the extension. */
enum metlog_result metlog_cef(struct metlog *client, const struct metlog_cef_event *event, struct metlog_fields extension)
{
	if (!client) return METLOG_CLOSED;
	const struct { const char *name, *text; } texts[] = {
		{ "signature", event->signature }, { "name", event->name }, { "vendor", event->vendor }, { "product", event->product }, { "version", event->version },
	};
	struct metlog_field parts[sizeof texts / sizeof *texts + 1];
	size_t count = 0;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (texts[i].text) parts[count++] = metlog_field_text(texts[i].name, texts[i].text);
		if (i == 1) parts[count++] = metlog_field_int("severity", event->severity);
	}
	struct message message = {
		.type = SPAN("cef"), .severity = client_default_severity(client), .payload = SPAN(""), .own = parts, .own_count = count,
		.fields = extension.list, .field_count = extension.count, .timestamp_ns = timestamp_now(),
	};
	const struct rules *rules = client_rules(client);
	if (rules->is_any && !rules_pass(rules, message.type, message.severity)) return client_leave_out(client);
	return client_send(client, &message);
}
