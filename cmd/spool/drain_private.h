/* drain_private - what the files of the drain share: the segments in hand, the directories, and what each file does. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SPOOL_DRAIN_PRIVATE_H
#define SPOOL_DRAIN_PRIVATE_H

#include "io/child.h"
#include "sink/segment.h"
#include "verbs.h"

/* A segment in hand: its command runs, or it waits to be tried again. There are as many places as commands may run at a time, and a segment
 * keeps its place while it waits. So with one place the order is kept; with N, N - 1 troubled segments stop nothing, and when the far side
 * is away no more than N of them are tried again and again, whatever the backlog. */
enum drain_place { PLACE_FREE, PLACE_DUE, PLACE_RUNNING, PLACE_LEFT /* not tried again in this run */ };

enum { DRAIN_REASON_MAX = 128 };

/* What is known of a segment that was tried and is still there; kept in drain.json. */
struct drain_trouble {
	char stem[SEGMENT_STEM_MAX];
	int64_t attempts;         /* how many times a command was started for it */
	int64_t refusals;         /* of those, how many ended with a status that is for good */
	int status;               /* the last exit status, as a shell gives it */
	int64_t next_attempt;     /* nanoseconds since 1970; 0: at the next start */
	char reason[DRAIN_REASON_MAX];
};

struct drain_task {
	enum drain_place place;
	struct segment segment;
	struct segment_trailer sum;
	struct drain_trouble trouble;
	bool checked;             /* it is what its trailer says; sum is valid */
	int64_t tries;            /* failed in this run */
	int64_t due_ms;           /* PLACE_DUE: when it is tried, by socket_clock_ms */
	struct child child;
	struct segment_reader *reader; /* NULL: the command has all, or reads no more */
	struct span rest;         /* of the reader's last lines: not sent yet */
	bool stopped_reading;     /* the command has, before the end */
	bool ended_input;         /* it was told the end */
	bool told_to_stop;        /* we have sent it SIGTERM: what it says then is not believed */
	enum segment_read fault;  /* SEGMENT_DAMAGED or SEGMENT_ERROR met while it was fed; else SEGMENT_END */
	char fault_text[DRAIN_REASON_MAX];
};

enum { DRAIN_PARALLEL_MAX = 64, DRAIN_KNOWN_MAX = 256 };

struct drain_counts {
	uint64_t delivered, failed, quarantined, gone; /* segments; gone: removed by others before they were delivered */
};

struct drain {
	const struct verb_options *options;
	struct filter *filter;    /* for its books and the exit status */
	struct stats *books;
	size_t line_limit;
	struct drain_counts counts;
	int dir_fd, lock_fd, watch_fd;
	int delivered_fd, failed_fd, quarantine_fd;
	struct drain_task task[DRAIN_PARALLEL_MAX];
	struct drain_trouble known[DRAIN_KNOWN_MAX]; /* from drain.json, of segments that are not in hand yet */
	int known_count;
	struct segment_list list;
	bool listed_all;          /* the list has come to its end: nothing more until something comes */
	char last[SEGMENT_STEM_MAX]; /* with --once: the last segment of this run */
	int fatal;                /* an exit status: nothing more is started */
	bool state_on_disk, state_warned, unread_warned;
	int64_t expired_ms;       /* when delivered/ was last looked through */
	int64_t recover_ms;       /* when an abandoned segment is looked for next */
	int64_t term_ms, kill_ms; /* when what still runs is told to stop, and killed; 0: not yet */
};

/* drain_store.c - where segments go. */
void drain_store_open(struct drain *);      /* the directory, its lock, the directories in it; dies */
void drain_store_close(struct drain *);
bool drain_store_take(struct drain *, struct segment *); /* the next sealed segment that is not in hand; false: none (listed_all) */
bool drain_store_has(const struct drain *, const struct segment *); /* it is there, sealed */
uint64_t drain_store_left(struct drain *);  /* sealed segments that are there, with --once those of this run */
enum drain_record { RECORD_DONE, RECORD_GONE, RECORD_FAILED };
enum drain_record drain_store_deliver(struct drain *, const struct segment *); /* FAILED: said */
enum drain_record drain_store_fail(struct drain *, const struct segment *);    /* to failed/ */
enum drain_record drain_store_quarantine(struct drain *, const struct segment *);
void drain_store_retry_failed(struct drain *);
void drain_store_expire(struct drain *);    /* what has lain in delivered/ long enough */

/* drain_state.c - drain.json: {"waiting":[{"segment":STEM,"attempts":N,"refusals":N,"status":N,"next_attempt":TIME,"reason":TEXT},...]}.
 * It is advice: without it, attempts are counted anew. */
void drain_state_load(struct drain *);
void drain_state_save(struct drain *);
void drain_state_recall(struct drain *, struct drain_task *); /* moves what is known of its segment into the task */

/* drain_task.c - one segment and its command. */
void drain_task_take(struct drain *, struct drain_task *, const struct segment *); /* PLACE_DUE, now */
void drain_task_start(struct drain *, struct drain_task *); /* checks it first; a damaged one is put away, and its place is free again */
bool drain_task_has_to_send(const struct drain_task *);
void drain_task_feed(struct drain_task *);  /* as much as goes */
bool drain_task_attend(struct drain *, struct drain_task *); /* true: its command has ended, and what follows from it is done */
void drain_task_stop(struct drain_task *, int number);

/* drain_verdict.c - what the end of a command means. */
void drain_verdict(struct drain *, struct drain_task *);
void drain_verdict_unreadable(struct drain *, struct drain_task *, const char *reason); /* tried again later */
void drain_verdict_damaged(struct drain *, struct drain_task *, const char *reason);
void drain_verdict_unstartable(struct drain *, struct drain_task *, int error);
void drain_verdict_gone(struct drain *, struct drain_task *);

#endif
