/* sender - the thread that hands over what is in the lanes, and what other threads ask of it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_SENDER_H
#define CLIENT_SENDER_H

#include <sys/stat.h>
#include "base/fault.h"
#include "client/lane.h"
#include "client/message.h"
#include "client/rules.h"
#include "client/tally.h"
#include "io/outlet.h"

/*   ABSENT     there is no thread: in a child, before its first message            a message starts one
 *   AWAKE      at work, or waiting for the far side                                a message needs to tell nobody
 *   NAPPING    nothing to do for a moment: looks again within SENDER_NAP_MS        only one that makes a buffer more than half full wakes it
 *   SLEEPING   nothing to do for a while: sleeps until it is woken                 each message asks, and the first one wakes it
 *
 * Between a message's `tail` and its look at the state there must be a full fence, and between the state and the sender's last look at the tails another one. The first would
 * cost each message more than all else, so the sender has the kernel do both, by membarrier(2), in the rare moment that it goes to sleep; where there is none, is_fenced. */
enum sender_state { SENDER_ABSENT, SENDER_AWAKE, SENDER_NAPPING, SENDER_SLEEPING };

struct sender {
	_Alignas(64) _Atomic int state;
	bool is_fenced;                    /* each message makes a full fence before it looks at the state */
	_Alignas(64) _Atomic unsigned waiters; /* threads that wait for `turn` */
	/* asked by others */
	_Atomic bool is_closing;
	_Atomic int64_t deadline_ms;       /* of the close, socket_clock_ms */
	_Atomic uint64_t flush_wanted;
	/* told to others */
	_Atomic uint64_t flush_done;
	_Atomic uint64_t sent, lost;       /* calls */
	pthread_mutex_t lock;              /* of `turn`, and of these: */
	pthread_cond_t turn;               /* broadcast when something was handed over or is done, if there are waiters */
	bool has_ended, is_orphan;         /* its thread; the close did not wait for that: the thread releases */
	char reason[OUTLET_REASON_MAX];
	/* its own */
	pthread_t thread;
	_Atomic int64_t tried_ms;          /* when a thread could not be started */
	_Atomic int wake[2];               /* a pipe */
	ino_t wake_inode;
	struct endpoint endpoint;
	struct outlet_options options;
	struct waits waits;
	struct outlet *outlet;             /* NULL: opened at the first line */
	struct tally tally;
	bool is_dirty;                     /* the outlet may hold lines that a flush would hand over */
	uint64_t flushing, flush_target;   /* the flush whose marks are in the lanes; how far it goes; 0: not known yet */
	int64_t worked_ms, pause_ms;
	uint64_t reported;                 /* drops that were told of */
	int64_t reported_ms;
	char *report;                      /* report_bytes for one envelope */
	size_t report_bytes;
	void (*release)(void *);           /* of an orphan: all of the client */
	/* the client's */
	struct metlog *client;
	struct lanes *lanes;
	const struct message_parts *parts;
	const struct rules *rules;
	const struct lane_counts *interrupted;
	int severity;
};

/* ATTEMPT: how long a send waits for the far side before the thread looks up.
 * NAP: of an application that makes a call each millisecond, the sender takes 1.6 % of a processor with naps of 1 ms, 0.5 % with 5, 0.15 % with 20; its calls cost
 * the same, and 5.8 us instead of 2 if each of them wakes the sender. At ten calls a millisecond those that wake are in the p99: 7.3 us, with naps of any length 2.4. */
enum { SENDER_NAP_MS = 5, SENDER_ATTEMPT_MS = 500 };

/* Opens the endpoint once, so that what can never work is told now, and starts the thread. The members of the last group are set, as are those of `options` that are the user's, whose texts must
 * live as long. False with the fault: nothing is left. */
bool sender_open(struct sender *, const char *endpoint, struct fault *);

/* In the child of a fork: the thread, the connection and the counts are the parent's. */
void sender_adopt(struct sender *);

/* From any thread, and from signal handlers: there is something to do, while the state is not AWAKE. */
void sender_wake(struct sender *);
/* The same whatever the state, for what was asked otherwise than by a message. */
void sender_call(struct sender *);

/* Is this end of the pipe still ours? An application that closes all descriptors (closefrom) may have opened a file of its own under the number, which is not to be read or
 * written here. */
bool sender_has_pipe(const struct sender *, int end);

/* Waits for something to be handed over, or the deadline (socket_clock_ms; < 0: none). To be called with the lock held, which is given up meanwhile, and after
 * sender_waits, behind which the caller has looked once more at what it waits for. */
void sender_lock(struct sender *);     /* a waiter more */
void sender_await(struct sender *, int64_t deadline_ms);
void sender_unlock(struct sender *);   /* one less */

/* Ends the thread within timeout_ms and a little. True: it has ended, and sender_release may follow. False: it hangs in a system call. */
bool sender_end(struct sender *, int timeout_ms);
/* Then: the thread shall release the client itself, once it comes back, and nobody else may touch it any more. True: it has ended in the meantime. */
bool sender_leave(struct sender *);
void sender_release(struct sender *);

/* sender_run.c */
void *sender_run(void *sender);
void sender_set_waits(struct sender *); /* how its outlet waits: until it is called, or the close is over */

#endif
