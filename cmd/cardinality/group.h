/* group - which group an envelope belongs to, as text that can be compared, sorted, kept in a file and read back. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_GROUP_H
#define CARDINALITY_GROUP_H

#include "base/buffer.h"
#include "envelope/field.h"
#include "options.h"

/* A group is a JSON object on one line without blanks: a pair for each --by member, in the order of the options, its name and the text of its value, or null
 * where the envelope has none (or has null there):
 *     {"key":"3f1c","type":"counter"}    {"key":null,"type":"timer"}    {}  (without --by)
 * A string stands decoded and escaped again in the one way of text_append_quoted, so that equal values make equal bytes; any other value is
 * its JSON text as a string (7 and "7" are one group). Values longer than GROUP_VALUE_MAX bytes are cut there, at a character, and
 * "#" and 16 hex digits of their hash are put behind. So a group holds no TAB and no newline, and says by itself what it is. */
enum { GROUP_VALUE_MAX = 512, GROUP_MAX = 256 * 1024 };

/* Appends the group of the envelope. `scratch` is used for decoding. False: no memory. */
bool group_append(struct buffer *out, struct buffer *scratch, const struct envelope *, const struct cardinality_field *by, size_t by_count);

/* The text of a value that is counted: decoded where need be into `scratch`. False: there is none (absent, null), and it is not counted. */
bool group_value(struct span *text, struct buffer *scratch, struct value);

/* Takes one pair off a group's text, from *at on (0 at first): name and value are the insides of strings, still escaped; a value of null is a span with data NULL.
 * False at its end; where the text is no group *at is SIZE_MAX then. */
bool group_next(struct span group, size_t *at, struct span *name, struct span *value);
/* Members that the envelopes of counts have of themselves: no member of a group goes by such a name ("other" but in the group other's text, see line.h). */
bool group_name_is_taken(struct span name);
bool group_is_good(struct span group); /* in exactly the form above: what group_append could have written */

#endif
