/* value - judges a JSON value that an application hands over, without memory of its own. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_VALUE_H
#define CLIENT_VALUE_H

#include <stdbool.h>
#include "base/span.h"

/* Whether `text` is one JSON value (RFC 8259) in valid UTF-8, blanks around it allowed, that an envelope can have where `depth` containers are open already: nested at
 * most 64 deep altogether. The same as envelope_parse says of the whole line once newlines are blanks; a test holds them together. */
bool value_is_good(struct span text, unsigned depth);

#endif
