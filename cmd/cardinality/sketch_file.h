/* sketch_file - sketches as files: what GET answers of a Redis key, and what redis-cli -x SET takes. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_SKETCH_FILE_H
#define CARDINALITY_SKETCH_FILE_H

#include "base/sketch.h"
#include "filter/filter.h"
#include "options.h"

/* Writes --sketch, if it is given, whole or not at all, and then shows the count that PFCOUNT has for it. A failure is said and goes to the exit status; nothing is shown then. */
void sketch_file_keep(struct filter *, const struct cardinality_options *, struct span of, const struct sketch *, uint64_t seen);

/* Reads a file ("-": standard input) into an empty sketch. Returns 0, or says why not and returns the exit status: 66 if it cannot be read, 65 if it is no sketch, 75 if SIGTERM came before all of it was read. */
int sketch_file_read(struct sketch *, const char *path);

#endif
