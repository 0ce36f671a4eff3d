/* golden - tests of a configuration kept as plain files: envelopes that go in, and what must come out. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FILTER_GOLDEN_H
#define FILTER_GOLDEN_H

#include "envelope/envelope.h"

/* For each NAME.in in the folder: its good lines are handed to `take`, which appends what becomes of them to the outputs; each of these must then be what NAME.LABEL.out
 * holds (NAME.out, for an output without a label), byte for byte, or be empty where there is no such file. */
struct golden {
	const char *folder;
	size_t line_limit;
	bool write;                    /* make the .out files instead */
	const char *label_is;          /* "route", for messages; NULL: there are no labels, and one output */
	const char *const *label;      /* by output */
	size_t count;                  /* of outputs */
	void (*begin)(void *context);  /* before each NAME.in; may be NULL */
	bool (*take)(void *context, const struct envelope *, struct buffer *outputs); /* false: it is a reject after all */
	void *context;
};

/* Says "ok" or "FAILED" with the differing lines, on standard output. Returns the exit status: 0, EXIT_NEGATIVE if anything differs or a .out file belongs to nothing, 66 if a file cannot
 * be read or there is no test, 73 if one cannot be written. */
int golden_run(const struct golden *);

#endif
