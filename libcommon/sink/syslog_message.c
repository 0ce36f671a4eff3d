/* syslog_message - one message for syslog: its header by RFC 5424 or RFC 3164, and the names of facilities and severities. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/syslog_message.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "base/number.h"
#include "base/timestamp.h"

enum { HOSTNAME_MAX = 255, APP_MAX = 48, TAG_MAX = 32, PROCID_MAX = 128, MSGID_MAX = 32 };

static const char *const facilities[] = {
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
};
static const char *const severities[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };
enum { FACILITIES = sizeof facilities / sizeof *facilities, SEVERITIES = sizeof severities / sizeof *severities };

static bool is_name(struct span given, const char *name)
{
	return given.length == strlen(name) && !strncasecmp(given.data, name, given.length);
}

static int find(struct span given, const char *const *names, int count)
{
	int64_t number;
	if (number_parse_int(given, &number)) return number >= 0 && number < count ? (int)number : -1;
	for (int i = 0; i < count; i++)
		if (is_name(given, names[i])) return i;
	return -1;
}

static struct span without_prefix(struct span name)
{
	if (name.length > 4 && !strncasecmp(name.data, "LOG_", 4)) return (struct span){ name.data + 4, name.length - 4 };
	return name;
}

int syslog_facility_find(struct span name)
{
	name = without_prefix(name);
	return is_name(name, "security") ? 4 : find(name, facilities, FACILITIES);
}

int syslog_severity_find(struct span name)
{
	name = without_prefix(name);
	if (is_name(name, "panic")) return 0;
	if (is_name(name, "error")) return 3;
	if (is_name(name, "warn")) return 4;
	return find(name, severities, SEVERITIES);
}

const char *syslog_facility_name(int facility)
{
	return facility >= 0 && facility < FACILITIES ? facilities[facility] : NULL;
}

const char *syslog_severity_name(int severity)
{
	return severity >= 0 && severity < SEVERITIES ? severities[severity] : NULL;
}

/* --- the header --------------------------------------------------------------------- */

static void append_priority(struct buffer *out, const struct syslog_message *m)
{
	int facility = syslog_facility_name(m->facility) ? m->facility : SYSLOG_FACILITY_USER;
	int severity = syslog_severity_name(m->severity) ? m->severity : SYSLOG_SEVERITY_INFO;
	buffer_append_byte(out, '<');
	buffer_append_int(out, facility * 8 + severity);
	buffer_append_byte(out, '>');
}

/* A field of a header: what it cannot hold would end it, or the header. */
static void append_field(struct buffer *out, struct span value, size_t most, const char *none, const char *forbidden)
{
	char clean[HOSTNAME_MAX];
	size_t length = value.length < most ? value.length : most;
	if (!length) {
		buffer_append_text(out, none);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		char c = value.data[i];
		const char *one = forbidden; /* none, mostly: no call */
		while (*one && *one != c) one++;
		clean[i] = c > ' ' && c <= '~' && !*one ? c : '_';
	}
	buffer_append(out, clean, length);
}

static size_t print_second(char out[static 32], int64_t ns)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct timestamp_local t = timestamp_local(ns);
	int length = snprintf(out, 32, "%s %2d %02d:%02d:%02d ", months[(t.month - 1) % 12], t.day, t.hour, t.minute, t.second);
	return length < 32 ? (size_t)length : 31;
}

static int64_t second_of(int64_t ns)
{
	return ns / 1000000000 - (ns % 1000000000 < 0);
}

static void append_second(struct buffer *out, const struct syslog_message *m)
{
	int64_t ns = m->has_time ? m->time_ns : timestamp_now(), second = second_of(ns);
	struct syslog_cache *c = m->cache;
	char text[32];
	if (!c) {
		buffer_append(out, text, print_second(text, ns));
		return;
	}
	if (!c->second_length || c->second != second) {
		c->second = second;
		c->second_length = (uint8_t)print_second(c->second_text, ns);
	}
	buffer_append(out, c->second_text, c->second_length);
}

static size_t own_host(char host[static 65])
{
	host[64] = '\0';
	if (gethostname(host, 64) < 0 || !host[0]) memcpy(host, "localhost", 10);
	return strlen(host);
}

static void append_host(struct buffer *out, const struct syslog_message *m)
{
	struct syslog_cache fresh = { 0 }, *c = m->cache ? m->cache : &fresh;
	struct span host = m->hostname;
	if (!host.length) {
		if (!c->host_length) c->host_length = (uint8_t)own_host(c->host);
		host = (struct span){ c->host, c->host_length };
	}
	append_field(out, host, HOSTNAME_MAX, "-", "");
	if (!out->failed && out->data[out->length - 1] == ':') out->data[out->length - 1] = '_'; /* or it would be taken for an ident */
	buffer_append_byte(out, ' ');
}

static void append_rfc3164(struct buffer *out, const struct syslog_message *m, bool is_local)
{
	append_second(out, m);
	if (!is_local) append_host(out, m);
	if (!m->ident.length) {
		if (!m->text.length && !out->failed) out->length--;
		buffer_append_span(out, m->text);
		return;
	}
	append_field(out, m->ident, TAG_MAX, "", "[]:");
	if (m->procid.length) {
		buffer_append_byte(out, '[');
		append_field(out, m->procid, PROCID_MAX, "", "[]:");
		buffer_append_byte(out, ']');
	}
	buffer_append_byte(out, ':');
	if (m->text.length) buffer_append_byte(out, ' ');
	buffer_append_span(out, m->text);
}

static void append_rfc5424(struct buffer *out, const struct syslog_message *m)
{
	char time[TIMESTAMP_MAX];
	buffer_append(out, "1 ", 2);
	if (m->has_time) buffer_append(out, time, timestamp_print(time, m->time_ns));
	else buffer_append_byte(out, '-');
	buffer_append_byte(out, ' ');
	append_field(out, m->hostname, HOSTNAME_MAX, "-", "");
	buffer_append_byte(out, ' ');
	append_field(out, m->ident, APP_MAX, "-", "");
	buffer_append_byte(out, ' ');
	append_field(out, m->procid, PROCID_MAX, "-", "");
	buffer_append_byte(out, ' ');
	append_field(out, m->msgid, MSGID_MAX, "-", "");
	buffer_append(out, " -", 2);
	if (m->text.length) buffer_append_byte(out, ' ');
	buffer_append_span(out, m->text);
}

bool syslog_append(struct buffer *out, enum syslog_header header, const struct syslog_message *m)
{
	if (header != SYSLOG_HEADER_NONE) append_priority(out, m);
	switch (header) {
	case SYSLOG_HEADER_NONE: buffer_append_span(out, m->text); break;
	case SYSLOG_HEADER_RFC3164: append_rfc3164(out, m, false); break;
	case SYSLOG_HEADER_RFC3164_LOCAL: append_rfc3164(out, m, true); break;
	case SYSLOG_HEADER_RFC5424: append_rfc5424(out, m); break;
	}
	return !out->failed;
}
