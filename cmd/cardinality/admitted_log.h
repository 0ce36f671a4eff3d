/* admitted_log - the file in which the guard remembers what its rules have let in. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_ADMITTED_LOG_H
#define CARDINALITY_ADMITTED_LOG_H

#include "admitted.h"

/*     DIR/lock              held by the run that owns the state; another one: 73
 *     DIR/admitted.mark     how far that file had come when it was last safe on disk: admitted_mark.h
 *     DIR/admitted.ndjson   appended to, a line for each value, written before the first envelope that carries it goes out:
 *
 *         {"metlog-guard":1,"sum":"0f3c..."}
 *         {"rule":1,"is":"tag fields.region limit per fields.name","sum":"91aa..."}
 *         {"rule":1,"per":"login","value":"DE","sum":"a9c0..."}
 *         {"rule":2,"value_hash":"32 hex digits","sum":"77de..."}          of a long text; "per_hash" likewise
 *
 * per is null for envelopes without that member; "rest":true stands in its place for all groups beyond the maximum. sum is XXH3-64 of the sum before (16 digits, the first time
 * zeros) and of the line up to the comma before "sum": a line that is missing, changed or in another place is seen, and by the mark one that is missing at the end. A last
 * line without a newline was being written when the power or the disk failed, and is taken off with a word, and so is what stands behind the mark and is torn; anything else that does not fit is refused, and nothing is touched: 78. */
struct admitted_log;

/* Opens or makes the directory and the file (0700, 0600), puts what it holds into `admitted`, and has it remember there from now on. Dies: 73 if it cannot be had, 74 if
 * it cannot be read, 78 if it is damaged or holds more than --max-memory. */
struct admitted_log *admitted_log_open(const char *dir, struct admitted *);

/* What was written since the last call is on the disk, and cannot be lost unseen. 0, or an errno. */
int admitted_log_sync(struct admitted_log *);
bool admitted_log_is_due(const struct admitted_log *); /* so much was written that it should be called, although there is more input */
const char *admitted_log_name(const struct admitted_log *);
void admitted_log_close(struct admitted_log *);

#endif
