/* lane - the buffers of a client: one for each thread that calls, and one with a lock that all further threads share. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_LANE_H
#define CLIENT_LANE_H

#include <pthread.h>
#include "base/fault.h"
#include "client/ring.h"

/* Counts of calls, by what became of them. Each has one writer, but for a lane that is shared. */
struct lane_counts {
	_Atomic uint64_t taken, left_out, dropped, refused;
};

struct lane {
	struct ring ring;
	struct lane_counts counts;
	char *scratch;             /* for long texts; scratch_bytes */
	bool is_shared;            /* its producers hold `lock` below, and its counts are added to as atomics */
	uint64_t mark;             /* the consumer's: how far a flush goes */
};

/* A lane belongs to a thread from its first call until another one needs a lane and finds that the thread has ended: nothing runs at a thread's end, so
 * nothing is left behind if the library is unloaded before. All memory is mapped at once, and taken by the kernel's hand as it is touched. */
struct lanes {
	struct lane *list;         /* count, and behind them the shared one */
	_Atomic uint64_t *owners;  /* thread ids, 0: free; above them, how often that has changed */
	unsigned count;
	_Atomic unsigned used;     /* those behind were never claimed */
	pthread_mutex_t lock;      /* of the shared one; and of its scratch, which is taken before: */
	pthread_mutex_t scratch_lock;
	size_t buffer_bytes, scratch_bytes;
	char *memory;
	size_t memory_bytes;
	_Atomic uint64_t *wiped;   /* LANE_WORDS, which are 0 in the child of a fork, if `wipes` */
	bool wipes;
};

enum { LANE_WORDS = 2 };

/* False, with the fault: 71, no memory. buffer_bytes is a power of two. */
bool lanes_init(struct lanes *, unsigned count, size_t buffer_bytes, size_t scratch_bytes, struct fault *);
void lanes_release(struct lanes *);

/* In the child of a fork: all lanes are free, empty, and have counted nothing. */
void lanes_reset(struct lanes *);

/* The calling thread's lane, which may be the shared one. For threads that do not know theirs. */
struct lane *lanes_claim(struct lanes *);

static inline struct lane *lanes_shared(const struct lanes *l)
{
	return &l->list[l->count];
}

/* The sums over all lanes. */
struct lane_sums {
	uint64_t taken, left_out, dropped, refused;
};
struct lane_sums lanes_sum(const struct lanes *);

/* The lanes there are to look into: from *at = 0 on each that was ever claimed, and the shared one; NULL: no more. */
struct lane *lanes_next(const struct lanes *, unsigned *at);

#endif
