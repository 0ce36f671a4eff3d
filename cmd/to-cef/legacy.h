/* legacy - the finished CEF lines that the original client sends: let through when right, mended when wrong in the ways it is known to be. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_LEGACY_H
#define TO_CEF_LEGACY_H

#include "record.h"

/* Of mozilla/cef 0.5 and metlog-cef 0.2 (payload) or 0.1 (fields.logtext):
 *     Oct 05 12:00:00 web1.example.com CEF:0|mozilla|weave|3|sig|name|5|cs1Label=requestClientApplication cs1=UA requestMethod=M request=PATH src=IP dhost=HOST suser=USER[ key=value...]
 * with or without date and host, with dest= for dhost= before September 2012. Its faults, and what becomes of them:
 *   vendor, product, version, suser not escaped    pipes: the header is read from its right end, where signature and name are escaped; suser: text up to the first extra key
 *   a raw newline behind a backslash in the header one space                           raw newlines, CR in values      \n, \r
 *   a lone backslash, an unknown escape in a value \\                                  keys such as ba|d, a-b, a.b     the bytes that no key has become _
 *   a key for the second time                      is text of the value before it: so nothing can overwrite src or suser that stood before
 *   src=None, suser=none ...                       None for an address is left out; other words stay
 * A line without any of this goes out byte for byte, from "CEF:" on, whatever its keys are. */
struct legacy_tally { uint64_t repaired, as_was; };

struct legacy; /* opaque */
struct legacy *legacy_new(struct record *, const struct record_rules *);
void legacy_free(struct legacy *);
const struct legacy_tally *legacy_tally(const struct legacy *);

/* True if there is a CEF line in the text at all. */
bool legacy_is(struct span text);

/* The line, without a newline; it holds until the next call (or record_begin). `host` and `date` are those in front of it, empty if there were none ("Oct 05 12:00:00").
 * Empty data: refused for *why. A right line that is longer than max_bytes is treated as a wrong one. */
struct span legacy_line(struct legacy *, struct span text, struct span *date, struct span *host, const char **why);

#endif
