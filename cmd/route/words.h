/* words - the words behind a destination: full= buffer= and those that only some destinations know. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_WORDS_H
#define ROUTE_WORDS_H

#include "destination.h"

/* What a destination is, as far as the words that may stand behind it go. */
enum words_behind { WORDS_PLAIN = 1, WORDS_COMMAND = 2, WORDS_SOCKET = 4, WORDS_ZEROMQ = 8, WORDS_ACK = 16, WORDS_SPOOL = 32 };

enum words_behind words_behind(struct span destination);

/* Takes them off the end of *rest, a part of `whole`, and sets full, buffer_bytes, access, spool and spool_options. False with `fault` filled. Behind
 * a command the words of a spool are taken only where full=spool stands before them: others belong to the command. */
bool words_parse(struct destination *, struct span whole, struct span *rest, struct destination_fault *);

enum { WORDS_LIST_MAX = 240 };
const char *words_list(enum words_behind, char list[WORDS_LIST_MAX]); /* those that may stand there: "full= buffer= insecure" */

#endif
