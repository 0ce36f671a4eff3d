/* syslog_message - one message for syslog: its header by RFC 5424 or RFC 3164, and the names of facilities and severities. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SYSLOG_MESSAGE_H
#define SINK_SYSLOG_MESSAGE_H

#include <stdint.h>
#include "base/buffer.h"

enum syslog_header {
	SYSLOG_HEADER_NONE,
	SYSLOG_HEADER_RFC3164,        /* "<PRI>Oct  5 12:00:00 HOST IDENT[PID]: TEXT"; without an ident "... HOST TEXT", which is how CEF is sent */
	SYSLOG_HEADER_RFC3164_LOCAL,  /* for /dev/log: the same without HOST */
	SYSLOG_HEADER_RFC5424,        /* "<PRI>1 2012-10-05T12:00:01.137911Z HOST APP PROCID MSGID - TEXT" */
};

enum { SYSLOG_FACILITY_USER = 1, SYSLOG_FACILITY_LOCAL4 = 20, SYSLOG_SEVERITY_INFO = 6 };

/* What the message before had worked out: the text of a second, our own host's name. Zeroed at first. */
struct syslog_cache {
	int64_t second;
	uint8_t second_length, host_length;
	char second_text[32], host[65];
};

struct syslog_message {
	int facility, severity;       /* 0..23, 0..7; others: user, info */
	bool has_time;                /* no: RFC 5424 has "-", RFC 3164 the time at which it is made */
	int64_t time_ns;              /* since 1970. RFC 3164 prints it in the zone of --tz, RFC 5424 in UTC with six digits, as long as its specification allows */
	struct span hostname, ident, procid, msgid; /* any bytes. What a header cannot hold is replaced by _ (not 33..126; ident and procid of RFC 3164: any of "[]:" too; its
	                                             * hostname: a ':' at the end) or cut (255, 48, 128, 32; RFC 3164: ident 32). Empty: "-"; RFC 3164: our own host's name, no ident, no "[PID]" */
	struct span text;             /* goes behind as it is: whoever made it saw to it that it is one line. Empty: nor is there a blank before it */
	struct syslog_cache *cache;   /* of the caller, from message to message: 3 times as fast; NULL: none */
};

/* Appends it. False: the buffer's limit, or no memory. */
bool syslog_append(struct buffer *out, enum syslog_header, const struct syslog_message *);

/* kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0..local7 (and security for auth, in any case, with or without "LOG_"; 0..23).
 * Below 0: none of them. */
int syslog_facility_find(struct span name);
/* emerg alert crit err warning notice info debug (and panic, error, warn, any case, LOG_ in front; 0..7) */
int syslog_severity_find(struct span name);
const char *syslog_facility_name(int facility);  /* "local4"; NULL: there is no such facility */
const char *syslog_severity_name(int severity);  /* "info" */

#endif
