/* field - a field as it is given on the command line. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SEND_FIELD_H
#define SEND_FIELD_H

#include "base/span.h"
#include "client/metlog.h"

/* Borrows both texts. */
struct metlog_field field_of(struct span name, enum metlog_kind kind, struct span text);

/* Dies with a usage error (64), pointing at the column, if `json` is not one JSON value. */
void field_check_json(struct span name, struct span json);

#endif
