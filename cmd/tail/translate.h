/* translate - lines of MozLog, and the text that stands between them, as envelopes. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TAIL_TRANSLATE_H
#define TAIL_TRANSLATE_H

#include "filter/filter.h"

/* filter.translate of --mozlog; the context is a mozlog_reader. A line of MozLog becomes its envelope (envelope/mozlog.h); an object without a Timestamp is
 * taken as the envelope it is, for streams of both are real; any other line, such as containers print, becomes
 *     {"type":"text","payload":"<the line>","env_version":"0.8"}
 * as by metlog-from-mozlog --text=envelope. Rejects: broken objects, a Timestamp that is none, what is no text. */
enum translated translate_line(void *reader, struct span line, struct buffer *out, struct envelope_fault *fault);

/* Whether the envelope is such a text, or could be: there is nothing in it but that type and a payload. */
bool translate_is_text(const struct envelope *);

#endif
