/* command - runs the command that metlog-send times, as if we were not there. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SEND_COMMAND_H
#define SEND_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"

enum { COMMAND_TAIL_MAX = 16 * 1024 };

struct command_result {
	int status;            /* as a shell gives it: 0..255, 128 + N for signal N, 127 not found, 126 not runnable */
	int signal;            /* that killed it; 0 if none */
	int64_t duration_ns;   /* on the monotonic clock */
	struct buffer tail;    /* the end of its standard error, at most COMMAND_TAIL_MAX bytes; empty if it was not asked for */
};

/* Called first in main: notes which signals our caller wants ignored (nohup, a shell's background job), before any handler of
 * ours is installed. */
void command_note_signals(void);

/* Runs it to its end in our process group, with our standard input and output. With `watch` its standard error comes to us through
 * a pipe, goes on to ours at once, and its end is kept. Signals sent to us alone are passed on to it; those of the terminal reach
 * it without us. Dies (71) if no process can be made. */
void command_run(char *const argv[], bool watch, struct command_result *);

/* Forks. True in the copy, which is to hand over what there is to tell. False in the original, once the copy has ended, with its exit
 * status: so whatever becomes of the hand-over cannot touch what command_run told. */
bool command_fork_teller(int *status);

#endif
