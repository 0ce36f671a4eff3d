/* legacy - the finished CEF lines that the original client sends: let through when right, mended when wrong in the ways it is known to be. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_LEGACY_H
#define TO_CEF_LEGACY_H

#include "map.h"
#include "record.h"

/* Of mozilla/cef 0.3 to 0.5 and metlog-cef 0.2 (payload) or 0.1 (fields.logtext):
 *     Oct 05 12:00:00 web1.example.com CEF:0|mozilla|weave|3|sig|name|5|cs1Label=requestClientApplication cs1=UA requestMethod=M request=PATH src=IP dhost=HOST suser=USER[ key=value...]
 * with or without date and host (or a syslog header in their place), with dest= for dhost= before September 2012. A line without any of the faults below goes out byte for byte, from "CEF:" on, whatever its keys are.
 * What becomes of them:
 *   a raw newline, CR, control in the header (the client puts a backslash before it)     one space
 *   the same in a value                                                                 \n, \r, a space
 *   a lone backslash, an unknown escape, a '=' that ends no key                         \\, \=
 *   vendor, product, version are not escaped: backslashes, pipes                        the header is read from its right end, where signature and name are escaped. A pipe too many belongs to the field that
 *                                                                                       --vendor, --product, --device-version name; else to the one in which it stands between blanks; else to the product
 *   suser is not escaped                                                                its text goes up to the first extra key. Behind it every '=' ends an extra key, or is part of suser; what proves the latter
 *                                                                                       (one of the seven keys again, a key that comes again, a '=' or backslash as no extra has them) makes all before it text of suser
 *   src is not escaped (it is X-Forwarded-For)                                          its text goes up to dhost=, which stands behind it always
 *   keys such as ba|d, a-b, a.b                                                         the characters that no key has become _ (in other lines than the client's: only . - [ and ])
 *   None for an address                                                                 the key is left out; other words stay
 *   an empty value at the end                                                           the key is left out: lognormalizer and others cannot read it. Before other keys it stays
 *   a key for the second time, in other lines than the client's                         text of the value before it: nothing overwrites what stood before
 *   a severity in other letters, "05", "5.0"                                            the one that is meant
 * Refused, since no one can tell what they say: dhost and suser twice (a forged src, or a forged suser), two lines in one, a severity that is none, a header with too few or undecidable fields, "CEF Message too big" (a
 * warning that quotes an event; the event comes by itself), something else than date and host before "CEF:". Nor can an extra key be told from one that stands in suser without breaking any rule: it stays a key.
 * The dictionary is not asked: these lines are finished. Only one that is longer than max_bytes is shortened as a record is. */
struct legacy_tally {
	uint64_t repaired, as_was;
	uint64_t truncated;        /* of both: shortened for max_bytes */
};

struct legacy; /* opaque */
struct legacy *legacy_new(const struct record_rules *, const struct map_options *); /* both are copied but for the texts; dies without memory */
void legacy_free(struct legacy *);
const struct legacy_tally *legacy_tally(const struct legacy *);

/* True if there is a CEF line in the text at all. */
bool legacy_is(struct span text);

/* The line, without a newline; it holds until the next call, or points into the text. `host` and `date` are those in front of it, empty if there were none ("Oct 05 12:00:00").
 * Empty data: refused for *why. */
struct span legacy_line(struct legacy *, struct span text, struct span *date, struct span *host, const char **why);

#endif
