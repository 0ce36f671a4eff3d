/* preface - what stands before a CEF line: a syslog header, or the date and host of the original client. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_PREFACE_H
#define TO_CEF_PREFACE_H

#include <stdint.h>
#include "base/buffer.h"

/* Known are, each behind an octet count of RFC 6587, too (it must be that of the rest, with or without a newline):
 *     nothing
 *     <PRI>1 TIME HOST APP PROCID MSGID STRUCTURED-DATA [BOM]             RFC 5424
 *     [<PRI>][DATE ][HOST ][IDENT[PID]: ]                                 RFC 3164, but without DATE only behind a PRI; IDENT ends with a ':' or it is HOST
 * DATE: "Oct 05 12:00:00", "Oct  5 12:00:00", "Oct 5 2012 12:00:00", each with a fraction, too, or RFC 3339 as rsyslog's files have it. */
struct preface {
	bool has_priority;
	int facility, severity;
	bool has_time;
	int64_t time_ns;                      /* since 1970; a date without a year: the one that makes it nearest to now, in the zone of --tz */
	struct span date, host, ident, pid;   /* empty: there is none, or "-" */
};

/* `line` is the text from its "CEF:" on. `now_ns` NULL: the caller has no use for the time, which costs more than all the rest; a date is still looked at, and has_time set. False: *why is static text, *column the byte, counted from 1. */
bool preface_read(struct preface *, struct span text, const int64_t *now_ns, struct span *line, const char **why, size_t *column);

/* A time alone, in one of the forms of DATE; "UTC", "GMT" or "Z" may stand behind it, other names of zones not. */
bool preface_time(struct span text, int64_t now_ns, int64_t *time_ns);

#endif
