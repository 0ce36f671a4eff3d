/* unfold - the way back: a CEF line, with or without a syslog header, becomes an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_UNFOLD_H
#define TO_CEF_UNFOLD_H

#include "base/buffer.h"
#include "cef.h"

/* For --parse. The envelope is one that structured.h takes, so that it becomes the same event again:
 *   type "cef"; logger the product; severity that of the syslog header's PRI, else the nearest of the table; payload the name; timestamp of rt, else of the header (RFC 3164 has no year: the one that makes it
 *   nearest to `now_ns`, in the zone of --tz), else absent; metlog_hostname of the header, else dvchost, else absent; metlog_pid of the header, if it is a number, else absent
 *   fields: vendor product version signature name severity, cef_version if it is not 0, then the extension in its order (integers and times of the dictionary as numbers, if that is the same text and not
 *   beyond 2^53), in an object `extension` if it has a key whose name structured.h takes; cef_meta {syslog_facility, syslog_priority, syslog_ident, syslog_options} if there was a PRI, written as the original client does
 * Headers known: those of preface.h. What else stands before "CEF:" is refused. Lines are read leniently (cef.h); a CR at the end belongs to the line's end. */
struct unfold_options { int64_t now_ns; const unsigned char *severity; /* CEF's for 0..7 */ };
struct unfold;
struct unfold *unfold_new(const struct unfold_options *); /* dies without memory */
void unfold_free(struct unfold *);

/* Appends the envelope without a newline. False: *why (static) and *column, counted from 1; nothing is appended. */
bool unfold_line(struct unfold *, struct span line, struct buffer *out, const char **why, size_t *column);

#endif
