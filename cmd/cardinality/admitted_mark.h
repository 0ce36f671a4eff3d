/* admitted_mark - how far the guard's log had come when it was last safe on disk, so that what was lost of it since is missed. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_ADMITTED_MARK_H
#define CARDINALITY_ADMITTED_MARK_H

#include <stdint.h>
#include "state_dir.h"

/*     DIR/admitted.mark
 *
 *         {"type":"metlog.cardinality.guard","fields":{"version":1,"bytes":1234,"sum":"a9c0...","line":"xxh3:..."}}
 *
 * bytes: of the log, up to the end of a line; sum: that line's. Written behind the fdatasync of the log, so it is never ahead of it: a log that has no such line at
 * that place was cut, emptied, removed or exchanged. What stands behind that place may be torn where the power failed. */
enum { ADMITTED_MARK_DIGITS = 16 };

struct admitted_mark {
	bool known;     /* false: there is none, as in a directory of before there were marks */
	uint64_t bytes;
	char sum[ADMITTED_MARK_DIGITS + 1];
};

extern const char admitted_mark_name[];

/* NULL, or what is wrong with the file. Dies if it cannot be read: 73 or 74. */
const char *admitted_mark_read(const struct state_dir *, struct admitted_mark *);

/* In the place of the one before, or that one stays; on disk when it returns. 0, or an errno. */
int admitted_mark_write(const struct state_dir *, const struct admitted_mark *);

#endif
