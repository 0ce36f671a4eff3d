/* ackwindow - the envelopes that a sender of ack: holds until they are acknowledged, as one queue of bytes with their numbers. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_ACKWINDOW_H
#define IO_ACKWINDOW_H

#include <stdint.h>
#include "base/buffer.h"

/*   acknowledged            sent                      taken          numbers of the last line before each place
 *        |  sent, and held   |   still to be sent       |
 *        head                next                       bytes.length
 *
 * Going back puts `next` to `head`: what was sent is then sent again. `highest` is the last number that was ever sent. */
struct ackwindow {
	struct buffer bytes; /* whole lines, each with its newline; what stands before `head` is settled and not yet moved away */
	size_t head, next;
	uint64_t acknowledged, sent, highest, taken;
};

/* ACKWINDOW_BYTES: what is held at most, or a single line if that is longer. A window must hold what the far side takes between two of its
 * commits; at 300 MB/s and 10 ms for one, that is 3 MB. */
enum { ACKWINDOW_BYTES = 4 * 1024 * 1024 };

void ackwindow_init(struct ackwindow *, uint64_t acknowledged);
void ackwindow_release(struct ackwindow *);

bool ackwindow_has_room(const struct ackwindow *, size_t line_length);
bool ackwindow_add(struct ackwindow *, struct span line); /* without its newline. False: no memory */
bool ackwindow_add_lines(struct ackwindow *, struct span lines, uint64_t count); /* each with its newline */
size_t ackwindow_unsent(const struct ackwindow *);        /* bytes */
bool ackwindow_is_empty(const struct ackwindow *);

/* The lines to send next, at most `most` bytes of them but at least one; empty: nothing is unsent. Valid until the next change. */
struct span ackwindow_batch(const struct ackwindow *, size_t most);
void ackwindow_sent(struct ackwindow *, struct span batch);
void ackwindow_go_back(struct ackwindow *);

/* Everything up to `number` is settled. False: that is nothing new, or beyond what was ever sent; nothing is changed then. */
bool ackwindow_acknowledge(struct ackwindow *, uint64_t number);

/* A line that is held, without its newline; data is NULL if it is not. */
struct span ackwindow_line(const struct ackwindow *, uint64_t number);

#endif
