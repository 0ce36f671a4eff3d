/* field_set - finds the values of many paths of an envelope in one walk over its fields. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_FIELD_SET_H
#define ENVELOPE_FIELD_SET_H

#include "envelope/field.h"

/* For programs that ask every envelope for the same few dozen fields: one walk hashes each key once, and a value is then a load away; field_find would walk
 * for each of them. The walk is made when the first field is asked for, so an envelope that no field is asked of costs nothing.
 *
 *     number = field_set_add(set, SPAN("fields.req.method"));      once; the same path gets the same number
 *     field_set_walk(set, &envelope);                              for each envelope
 *     value = field_set_value(set, number);
 *
 * A path is one of field_path_init_key's. One that begins with "fields." means what field_find_in finds below `fields`, as the matcher does (a member of the envelope that is named "fields.x" is
 * not looked at); any other what field_find finds. Keys with escapes are compared decoded, the last of repeated keys counts, a key that equals all the rest of a
 * path wins over its next segment. */
struct field_set; /* opaque; one thread at a time may use it */

enum { FIELD_SET_MAX = 4096 };

struct field_set *field_set_new(void);  /* NULL: no memory */
void field_set_free(struct field_set *);

/* Copies the text. False: no path, more than FIELD_SET_MAX, or no memory. Values of the envelope walked last are asked for anew after it. */
bool field_set_add(struct field_set *, struct span path, uint32_t *number);

/* The envelope, its line and its scan must stay as they are while values are asked for. Takes no memory. */
void field_set_walk(struct field_set *, const struct envelope *);

/* What stands there in the envelope walked last; of kind VALUE_ABSENT if nothing does. Valid until the next walk or add. */
const struct value *field_set_value(struct field_set *, uint32_t number);

#endif
