/* senders_file - the file `senders` of a spool: how far each sender was when the receiver ended, however it ended. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef RECV_SENDERS_FILE_H
#define RECV_SENDERS_FILE_H

#include "senders.h"
#include "sink/spool.h"

/*  Records of 64 bytes, each with a checksum, in the byte order of the host:
 *
 *      head    who wrote: the boot of the system, whether data was synced before its numbers were written
 *      base    a generation: the time from one commit to the next; and where in the spool it began
 *      runs    whose lines were appended in this generation, in order: a record whenever that changes, before the first of them
 *      slots   a sender and the number up to which its lines are in the spool, as of a generation
 *
 *  Slots are written after the commit of their lines, and before the acknowledgement; so none is ever ahead of the data. They may be behind: after
 *  SIGKILL by what was written to the spool since. How many lines that was, recovery of the spool tells, and the runs say whose they were: so many of
 *  the lines that this sender sends again are not taken another time (sender.present).
 *  After the loss of power the runs say nothing, and slots may be behind by what the kernel had not written: then lines may come twice. If data was not
 *  synced (--sync none), slots might be ahead of it, and are not believed. */
struct senders_file {
	int fd;                      /* -1: there is none */
	uint64_t generation;
	uint64_t lines;              /* appended in this generation */
	size_t runs;
	const struct sender *runner; /* whose the last run is; NULL: of other sources, or none */
	struct spool_position base;  /* and how many lines were committed then */
	uint64_t committed;
	bool shortage_told;
};

/* Opens, or makes, `senders` in the spool's directory and fills the table from it. Dies: 73 if it is a link or not ours, 74 on an I/O error. */
void senders_file_open(struct senders_file *, struct senders *, struct spool *, bool synced);
void senders_file_close(struct senders_file *);

/* Before a line is appended; `sender` NULL: of another source. 0 or an errno: then nothing may be appended any more. */
int senders_file_run(struct senders_file *, struct senders *, struct sender *sender);

/* True if there may be no room for another batch's runs: commit first. */
bool senders_file_is_full(const struct senders_file *);

/* After a commit of everything: writes the slots of those whose number has changed, ... */
int senders_file_slots(struct senders_file *, struct senders *);
/* ... and after the spool has been sealed, if it was, begins a new generation. */
int senders_file_base(struct senders_file *, struct spool *);

/* At the end, if not everything could be committed: leaves word of what was, for the next senders_file_open. */
void senders_file_leave(const struct senders_file *, struct spool *);

#endif
