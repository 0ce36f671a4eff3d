/* partition - the files behind a template: opened when an envelope first needs them, the longest unused closed. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_PARTITION_H
#define ROUTE_PARTITION_H

#include "sink.h"

enum {
	PARTITION_OPEN_MAX = 64,        /* files open at a time, for one template */
	PARTITION_CREATED_MAX = 10000,  /* files one run makes for one template: a value that never repeats must not fill the disk with names */
};

/* For the sink's path; its root must be there. NULL if not, which has been said. */
struct partition *partition_new(struct sink *, const struct sink_settings *);
void partition_free(struct partition *);     /* what waits is not written */
bool partition_put(struct sink *, const struct envelope *); /* false: it is lost, which was said once and is counted */
void partition_flush(struct partition *);
void partition_close_files(struct partition *);

#endif
