/* mozlog - MozLog 2.0 lines to envelopes and back, as metlog-from-mozlog(1) and metlog-to-mozlog(1) tell. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_MOZLOG_H
#define ENVELOPE_MOZLOG_H

#include "envelope/field.h"

/* The format: the "mozlog" page of Mozilla's Dockerflow, and the JSON schema of its checkers. What real writers do besides it is read, and never written.
 *
 *     MozLog               envelope              to the envelope                                     to MozLog
 *     Timestamp            timestamp             integer text -> RFC 3339 Z: 6 digits, 9 if needed   nanoseconds; below them cut; an offset is applied
 *     Type, Logger         type, logger          absent: ""                                          "": left out
 *     Severity             severity              absent: 6                                           as it is (6 if absent)
 *     EnvVersion           env_version           "0.8"                                               "2.0"
 *     Hostname             metlog_hostname       as it is                                            a host name; else Fields.metlog_hostname
 *     Pid                  metlog_pid            as it is                                            an integer of 0 or more; else Fields.metlog_pid
 *     Fields.msg, text     payload               moved; absent: ""                                   left out if ""; any other value but a text: as Heka's object
 *     Fields["fields.msg"] fields.msg            beside a msg that was moved, and is not ""          beside a payload; or if it would be taken for one
 *     other Fields         fields                byte for byte, in their order                       byte for byte if the schema allows the value
 *     other members        metlog_mozlog_NAME    as they are                                         back under their name
 *     metlog_NAME          NAME                  an envelope's other members                         as they are
 *
 * What MozLog has in the place of one of the eight and an envelope cannot have there (a Type that is no text, a Severity of 9, an EnvVersion that is not "2.0") is kept as
 * metlog_mozlog_NAME; such a member goes into Fields under that name, for the schema does not allow it elsewhere (but an EnvVersion), and is taken from there again.
 *
 * A value that the schema does not allow (null, an object, an array that is empty or mixed or has more than scalars in it) is written as Heka's object
 *     {"value":"<its JSON text>","representation":"json"}
 * and read back as the value; an object that would be read so is wrapped once more. */

/* --- from MozLog --- */

enum mozlog_verdict {
	MOZLOG_GOOD,
	MOZLOG_BLANK,
	MOZLOG_TEXT,   /* does not begin as an object does: what a container prints between */
	MOZLOG_OTHER,  /* a good object of JSON, but without a Timestamp */
	MOZLOG_BAD,    /* no JSON, or a member that cannot be read: `fault` says which */
};

struct mozlog_reader; /* opaque; one thread at a time */
struct mozlog_reader *mozlog_reader_new(void);  /* NULL: no memory */
void mozlog_reader_free(struct mozlog_reader *);

/* Appends the envelope, without a newline, if it is MOZLOG_GOOD; else nothing. `line` is followed by a newline and SCAN_PADDING readable bytes, as in the block of a reader. out->failed tells of
 * its limit, or of no memory. */
enum mozlog_verdict mozlog_read(struct mozlog_reader *, struct span line, struct buffer *out, struct envelope_fault *fault);

/* The view of the envelope that was appended last, where that comes cheaper than scanning and parsing it: what envelope_parse would make of it. To be asked for once, before the first line. False: there is none, for this
 * line. Valid until the next line is read, or `out` or the line changes; behind the envelope stand bytes that may be read, as behind a line. */
void mozlog_reader_keep_view(struct mozlog_reader *);
bool mozlog_reader_view(const struct mozlog_reader *, struct envelope *);

/* Whether a line that was taken for an envelope had better be read as MozLog. A guess, for a hint. */
bool mozlog_is_likely(struct span line);

/* --- to MozLog --- */

struct mozlog_options {
	bool plain;      /* for readers that know no Heka: null members are left out, other such values are written as their JSON text */
	bool has_now;    /* an envelope without a timestamp (or with an empty one) gets `now_ns`; else it is refused */
	int64_t now_ns;
};

struct mozlog_writer; /* opaque; one thread at a time */
struct mozlog_writer *mozlog_writer_new(const struct mozlog_options *);  /* borrowed, and looked at for each line; NULL: no memory */
void mozlog_writer_free(struct mozlog_writer *);

/* Appends the line, without a newline. False: *why says why the envelope can be none: "no timestamp", "a timestamp before 1970", ..., and nothing is appended. */
bool mozlog_write(struct mozlog_writer *, const struct envelope *, struct buffer *out, const char **why);

#endif
