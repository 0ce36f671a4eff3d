/* field - a field whose value is given as JSON on the command line. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SEND_FIELD_H
#define SEND_FIELD_H

#include "base/buffer.h"

/* Appends the pair to the inside of an object; dies with a usage error (64), pointing at the column, if `json` is not one JSON value.
 * Newlines between its tokens become blanks: an envelope is one line. */
void field_add_json(struct buffer *fields, struct span name, struct span json);

#endif
