/* structured - envelopes of type cef that carry the event in fields: signature, name, severity, and extension keys. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_STRUCTURED_H
#define TO_CEF_STRUCTURED_H

#include "envelope/envelope.h"
#include "map.h"
#include "record.h"

/* fields of such an envelope:
 *     signature name          text; one may be missing (absent or null), and is the other then
 *     severity                0 to 10, as a number or text, or a word of CEF in any letters; absent: of the envelope's severity, by the table
 *     vendor product version  text; missing: --vendor, ..., else those of the built-in mapping (metlog, the logger or metlog, 0.8)
 *     cef_meta cef_version    not part of the event
 *     extension               an object: more keys, for those whose names are taken here. Anything else than an object is a key like others
 *     any other               an extension key, in the order of the line; see record_put_named. A number, true and false are their text, null and "" are as if they were not there, objects and arrays are their JSON text
 * rt and dvchost are put in front from timestamp and metlog_hostname if fields do not have them; msg is the payload, put last, if it is neither empty nor the name and fields have no msg.
 * An extension key that is there twice keeps its first value; of the names above the last one counts. */
struct structured;
struct structured *structured_new(const struct map_options *); /* copied but for the texts; dies without memory */
void structured_free(struct structured *);

bool structured_is(struct structured *, const struct envelope *); /* type is cef, and fields has signature or name, one that is not empty or both */
/* NULL, or why it is refused. */
const char *structured_put(struct structured *, const struct envelope *, struct record *);

#endif
