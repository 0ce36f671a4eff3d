/* fault - why something could not be done, for a caller that decides what becomes of it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

/* Exit statuses: <sysexits.h> by the table in metlog(7). A library has none to give, but they tell kinds of faults apart. */
enum diag_exit {
	EXIT_DONE = 0,
	EXIT_NEGATIVE = 1,     /* a negative answer that was asked for */
	EXIT_USAGE = 64,
	EXIT_REJECTS = 65,     /* rejects without --rejects, or --strict */
	EXIT_NO_INPUT = 66,
	EXIT_REFUSED = 69,     /* the far side refused for good */
	EXIT_INTERNAL = 70,    /* internal, or out of memory */
	EXIT_SYSTEM = 71,      /* cannot fork, pipe, ... */
	EXIT_NO_OUTPUT = 73,   /* cannot create output, or another process owns it */
	EXIT_IO = 74,
	EXIT_LATER = 75,       /* the far side is away; what was not delivered is kept, or was not taken */
	EXIT_PERMISSION = 77,
	EXIT_CONFIGURATION = 78,
};

enum { FAULT_TEXT_MAX = 4608 }; /* the longest path and a sentence about it; what is longer is cut */

struct fault {
	enum diag_exit status;
	char text[FAULT_TEXT_MAX]; /* "what was attempted: why"; not made safe for a terminal */
};

/* Both fill in a fault (in the place of what it held) and return false, so that who fails can say `return fault_set(...)`. The caller's `struct fault` need
 * not be initialised. */
bool fault_set(struct fault *, enum diag_exit status, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool fault_set_errno(struct fault *, enum diag_exit status, const char *format, ...) __attribute__((format(printf, 3, 4))); /* appends ": strerror" */

#endif
