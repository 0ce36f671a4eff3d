/* options - structs of an application that was compiled with an older or a newer header than this library. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Copies what is given over *own, which has its defaults already. Of a shorter struct (its first member is its size) the rest of *own stays; of a longer one, what is beyond our own must
 * be 0, for we do not know what it asks for. False: it is not, or the size is none. */
bool options_copy(void *own, size_t own_size, const void *given);

#endif
