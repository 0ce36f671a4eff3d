/* log - log messages, formatted as printf does. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/client.h"

#include <errno.h>
#include <stdio.h>
#include "base/timestamp.h"

/* Most fit here: longer ones are formatted a second time, in memory of the thread. */
enum { SHORT_MAX = 1024 };

METLOG_PRINTF(3, 0)
static enum metlog_result send_long(struct metlog *client, struct message *message, const char *format, va_list arguments)
{
	size_t size;
	char *room = client_scratch(client, &size);
	if (!room) return client_drop(client);
	int length = vsnprintf(room, size, format, arguments);
	if (length < 0 || (size_t)length >= size) return client_refuse_scratch(client);
	message->payload = (struct span){ room, (size_t)length };
	return client_send_scratch(client, message);
}

enum metlog_result metlog_vlog(struct metlog *client, int severity, const char *format, va_list arguments)
{
	if (!client) return METLOG_CLOSED;
	struct message message;
	message_init(&message, SPAN("oldstyle"), severity == METLOG_SEVERITY_DEFAULT ? client_default_severity(client) : severity);
	const struct rules *rules = client_rules(client);
	if (rules->is_any && !rules_pass(rules, message.type, message.severity)) return client_leave_out(client);
	int error = errno; /* the application may ask for it behind the call */
	char text[SHORT_MAX];
	va_list again;
	va_copy(again, arguments);
	message.timestamp_ns = timestamp_now();
	int length = vsnprintf(text, sizeof text, format, arguments);
	enum metlog_result result;
	message.payload = (struct span){ text, (size_t)length };
	if (length < 0) result = client_refuse(client);
	else if (length < SHORT_MAX) result = client_send(client, &message);
	else result = send_long(client, &message, format, again);
	va_end(again);
	errno = error;
	return result;
}

enum metlog_result metlog_log(struct metlog *client, int severity, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	enum metlog_result result = metlog_vlog(client, severity, format, arguments);
	va_end(arguments);
	return result;
}
