/* spool_reader - takes envelopes out of a spool one by one, beside its writer, and remembers how far they are done with. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SPOOL_READER_H
#define SINK_SPOOL_READER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/span.h"

/* For who delivers envelope by envelope (metlog-send --to ack: --spool, a route with full=spool); metlog-spool drain takes whole segments.
 *
 *     struct spool_reader *reader = spool_reader_open(path, line_limit);
 *     while (spool_reader_next(reader, &line, &sequence) == SPOOL_READER_LINE) deliver(line, sequence);
 *     spool_reader_done(reader, sequence);        all up to this one are delivered
 *
 * Every envelope of a spool has a sequence number, 1, 2, 3 ... in its order, which stays its own across restarts as long as the state file
 * (forward.state in the directory: one envelope, replaced by rename, with a checksum) can be read and what was on its way is still there, as it
 * was: if a segment of it was removed or damaged by others, or another kernel runs (what was not synced may be lost), a new sender id is drawn
 * and what is not done comes under new numbers. If the state cannot be read, so does everything that is there, from the oldest segment on:
 * duplicates, never a loss.
 * Segments of which all is done are removed (after the state that says so is on disk). The lines of a segment that is damaged are looked at one
 * by one, and those that are good envelopes are given out. Memory: a block, a line, and some bytes for each segment that is not done. */
struct spool_reader;

enum { SPOOL_READER_ID_BYTES = 16 };

/* Takes drain.lock: dies (73) if another process takes out of this spool. */
struct spool_reader *spool_reader_open(const char *path, uint64_t line_limit);
struct spool_reader *spool_reader_try_open(const char *path, uint64_t line_limit, int *status); /* says why, and NULL with the exit status, instead of dying */
void spool_reader_close(struct spool_reader *); /* writes the state */

const char *spool_reader_id(const struct spool_reader *); /* SPOOL_READER_ID_BYTES random bytes, kept in the state: the numbers are this sender's */
uint64_t spool_reader_done_up_to(const struct spool_reader *); /* sequence of the last one done; 0: none */

enum spool_reader_result { SPOOL_READER_LINE, SPOOL_READER_NOTHING, SPOOL_READER_FAILED };

/* The next line behind the one given out last. NOTHING: the writer has not written more. A damaged segment's whole lines are given out, and the damage is
 * said once; the segment is then kept in quarantine/ and not removed. `line` is without its newline; valid until the next call. */
enum spool_reader_result spool_reader_next(struct spool_reader *, struct span *line, uint64_t *sequence);

/* Goes back: the next line given out is the one behind the last that is done. */
void spool_reader_rewind(struct spool_reader *);

/* All lines up to this one are done. The state is written now and then, at once when a segment is finished, and at the close. */
void spool_reader_done(struct spool_reader *, uint64_t sequence);

bool spool_reader_is_empty(struct spool_reader *); /* everything written so far is done */

#endif
