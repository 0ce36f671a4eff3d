/* layout - prints where the members of the public structs of libmetlog lie: what a program that was compiled once relies on. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <metlog.h>

#include <stdio.h>

#define STRUCT(type) printf("struct %s %zu\n", #type, sizeof(struct type))
#define MEMBER(type, member) printf("  %s %zu\n", #member, offsetof(struct type, member))
#define CONSTANT(name) printf("%s %d\n", #name, (int)name)

int main(void)
{
	STRUCT(metlog_options);
	MEMBER(metlog_options, size), MEMBER(metlog_options, logger), MEMBER(metlog_options, hostname), MEMBER(metlog_options, severity);
	MEMBER(metlog_options, when_full), MEMBER(metlog_options, buffer_bytes), MEMBER(metlog_options, line_bytes), MEMBER(metlog_options, threads);
	MEMBER(metlog_options, disabled_timers), MEMBER(metlog_options, severity_max), MEMBER(metlog_options, types_allowed), MEMBER(metlog_options, types_denied);
	MEMBER(metlog_options, type_severities), MEMBER(metlog_options, curve_secret), MEMBER(metlog_options, curve_server), MEMBER(metlog_options, insecure);
	MEMBER(metlog_options, pid), MEMBER(metlog_options, close_ms);
	STRUCT(metlog_message);
	MEMBER(metlog_message, size), MEMBER(metlog_message, type), MEMBER(metlog_message, logger), MEMBER(metlog_message, severity);
	MEMBER(metlog_message, payload_is_json), MEMBER(metlog_message, payload), MEMBER(metlog_message, payload_length), MEMBER(metlog_message, metric);
	MEMBER(metlog_message, rate), MEMBER(metlog_message, fields), MEMBER(metlog_message, timestamp_ns), MEMBER(metlog_message, timestamp);
	MEMBER(metlog_message, pid), MEMBER(metlog_message, hostname);
	STRUCT(metlog_field);
	MEMBER(metlog_field, name), MEMBER(metlog_field, value), MEMBER(metlog_field, length), MEMBER(metlog_field, name_length), MEMBER(metlog_field, kind);
	STRUCT(metlog_fields);
	MEMBER(metlog_fields, list), MEMBER(metlog_fields, count);
	STRUCT(metlog_timer);
	MEMBER(metlog_timer, client), MEMBER(metlog_timer, name), MEMBER(metlog_timer, rate), MEMBER(metlog_timer, began_ns);
	STRUCT(metlog_counts);
	MEMBER(metlog_counts, taken), MEMBER(metlog_counts, left_out), MEMBER(metlog_counts, dropped), MEMBER(metlog_counts, refused);
	MEMBER(metlog_counts, sent), MEMBER(metlog_counts, unsent);
	STRUCT(metlog_fault);
	MEMBER(metlog_fault, status), MEMBER(metlog_fault, text);
	STRUCT(metlog_cef_event);
	MEMBER(metlog_cef_event, signature), MEMBER(metlog_cef_event, name), MEMBER(metlog_cef_event, severity), MEMBER(metlog_cef_event, vendor);
	MEMBER(metlog_cef_event, product), MEMBER(metlog_cef_event, version);
	CONSTANT(METLOG_EMERGENCY), CONSTANT(METLOG_DEBUG), CONSTANT(METLOG_SEVERITY_DEFAULT);
	CONSTANT(METLOG_TAKEN), CONSTANT(METLOG_LEFT_OUT), CONSTANT(METLOG_DROPPED), CONSTANT(METLOG_REFUSED), CONSTANT(METLOG_CLOSED);
	CONSTANT(METLOG_DROP), CONSTANT(METLOG_BLOCK);
	CONSTANT(METLOG_KIND_NULL), CONSTANT(METLOG_KIND_BOOL), CONSTANT(METLOG_KIND_INT), CONSTANT(METLOG_KIND_UINT), CONSTANT(METLOG_KIND_DOUBLE);
	CONSTANT(METLOG_KIND_TEXT), CONSTANT(METLOG_KIND_JSON), CONSTANT(METLOG_KIND_TAG);
	return 0;
}
