/* cef - ArcSight's Common Event Format: one event as one line, written and read. Knows the grammar, not the meaning of keys. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_CEF_H
#define TO_CEF_CEF_H

#include <stdint.h>
#include "base/buffer.h"

/*     CEF:0|Vendor|Product|Version|Signature|Name|Severity|key=value key=value
 *
 * (ArcSight, "Implementing ArcSight Common Event Format"; revisions 15 to 25 have header version 0, the later documents 1.)
 * Header: '\' is "\\", '|' is "\|", '=' stands for itself. Extension: '\' is "\\", '=' is "\=", LF is "\n", CR is "\r", '|' stands for itself. Nothing else is escaped.
 * Here text is valid UTF-8 (other bytes pass as they are). In a header CR LF, any other C0 or C1 control, DEL, U+2028 and U+2029 become one space each; in a value that holds for C0 but TAB, LF and CR, and for DEL;
 * blanks (space, TAB, and the controls that become one) at the end of a value cannot be told from those before the next key, and are left out. All this is counted: `replaced` characters, `trimmed` values.
 * Blanks at the start of a value stay: lognormalizer and others read them back as they were. A value of blanks only is empty, and lognormalizer does not read a line that ends in "key=": whoever writes pairs leaves those out.
 * So cef_read(cef_append(x)) = x for every x without such characters, and one event is one line whatever is in it. */
enum { CEF_PAIRS_MAX = 512, CEF_KEY_MAX = 1023 };

struct cef_pair { struct span key, value; };       /* value: plain, not escaped */

struct cef_header {
	int version;                                   /* 0 or 1 are written; others are read, too: 0 to 99, "0.1" and "1.2" as 0 and 1 */
	struct span vendor, product, device_version, signature, name, severity;
};

struct cef_tally { uint64_t replaced, trimmed; };

/* "CEF:0|...|7|" with the last pipe. False: the buffer's limit, or no memory. */
bool cef_append_header(struct buffer *out, const struct cef_header *, struct cef_tally *);
bool cef_append_value(struct buffer *out, struct span value, struct cef_tally *); /* the value alone, escaped */

bool cef_key_is(struct span key);                  /* A-Z a-z 0-9 _, 1 to CEF_KEY_MAX of them */
bool cef_severity_is(struct span text);            /* "0" to "10", or Unknown Low Medium High Very-High */

struct cef_event {
	struct cef_header header;
	struct cef_pair pair[CEF_PAIRS_MAX];
	size_t pair_count;
};

/* Finds "CEF:" digits '|' in a text, at its start or behind a blank (a syslog header, the date and host of old lines). False: there is none. */
bool cef_find(struct span text, struct span *before, struct span *line);

/* STRICT: exactly the grammar above: seven pipes, no escape but these, no control (in values: but TAB), no raw '=' in a value, no key twice, one space at least before a key, no text before the first pair's '=' but
 * its key, a severity that is one, a version without a point or a zero in front. What is read so is written again as the same line, but for blanks at the end of a value (which are not part of it). Empty values are read.
 * LENIENT: what is in the field, too: unknown escapes and lone backslashes stand for themselves, a '=' is a part of the value unless a blank and a key stand before it
 * (keys may have . - [ ] then: cef_key_is tells), raw CR and LF are what they are, blanks before the first key, TAB between pairs; "high", " 5", "Very High" are read as High, 5, Very-High, and what is no severity at all
 * is left to the caller (cef_severity_is). A key for the second time is still a mistake.
 * Spans point into the line or, where something had to be decoded, into `decoded` (cleared first; its limit must be the line's length at least).
 * False: *why is static text ("the header ends before its severity", "key given twice") and *column the byte, counted from 1. */
enum cef_reading { CEF_STRICT, CEF_LENIENT };
bool cef_read(struct cef_event *, struct span line, enum cef_reading, struct buffer *decoded, const char **why, size_t *column);

#endif
