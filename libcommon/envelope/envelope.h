/* envelope - one message: a checked line of JSON and a view of its members. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_ENVELOPE_H
#define ENVELOPE_ENVELOPE_H

#include "base/buffer.h"
#include "envelope/scan.h"

enum value_kind { VALUE_ABSENT, VALUE_STRING, VALUE_NUMBER, VALUE_OBJECT, VALUE_ARRAY, VALUE_TRUE, VALUE_FALSE, VALUE_NULL };

/* A JSON value as it stands in the line. For a string, `text` is what is between the quotes, escapes not decoded;
 * for every other kind it is the whole JSON text of the value, without blanks around it. */
struct value {
	struct span text;
	enum value_kind kind;
	bool escaped;          /* a string with a backslash in it: text_append_unescaped decodes it */
	uint32_t first;        /* where the value's first token stands in the index of the scan */
};

enum { ENVELOPE_DEPTH_MAX = 64, ENVELOPE_SEVERITY_DEFAULT = 6 };

/* Borrowed from the line and from the scan's index: valid until the next scan_line. Absent members have kind VALUE_ABSENT
 * and an empty text. */
struct envelope {
	struct span line;      /* byte for byte as read, without its newline */
	struct value timestamp, logger, type, payload, fields, env_version;
	struct value metlog_pid, metlog_hostname; /* of any kind; of repeated ones the last */
	int severity;          /* 0..7, ENVELOPE_SEVERITY_DEFAULT if absent */
	bool has_severity;
	bool has_others;       /* members besides those, env_version and severity */
	const struct scan *scan;
};

enum envelope_verdict { ENVELOPE_GOOD, ENVELOPE_BLANK, ENVELOPE_BAD };

struct envelope_fault {
	const char *reason;    /* static text: "not valid UTF-8", "severity is not an integer from 0 to 7", ... */
	size_t column;         /* 1-based byte position in the line where it shows; 0 if it is about the whole line */
};

/* Judges the line that the scan has just taken (`line` is what scan_line returned the length of) and fills the view.
 * ENVELOPE_BLANK: nothing but blanks. ENVELOPE_BAD: `fault` says why, and of the view only `line` is set. */
enum envelope_verdict envelope_parse(struct envelope *, const struct scan *, struct span line, struct envelope_fault *fault);

/* The same for a line that is an object of JSON but no envelope, such as a line of MozLog: only JSON itself is judged, names may repeat, and members may have any type. Of the view, `line` and `scan`
 * are set and every member is absent; *object is the whole of it (its text without blanks around it), to be walked by field_walk. */
enum envelope_verdict envelope_parse_object(struct envelope *, struct value *object, const struct scan *, struct span line, struct envelope_fault *fault);

/* Convenience for code with a single line in hand (no newline inside; a trailing one is accepted): copies it into `copy` with a newline and padding, then scans and
 * parses it. `copy` and `scan` must outlive the view. */
enum envelope_verdict envelope_parse_copy(struct envelope *, struct scan *, struct buffer *copy, struct span line, struct envelope_fault *fault);

#endif
