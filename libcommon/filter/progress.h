/* progress - a line on the terminal for work that lasts: how far, how fast, how long still. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FILTER_PROGRESS_H
#define FILTER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Shown on standard error after two seconds, at most four times a second, and taken away before a message and at the end:
 *     metlog-route: 43 % of 4.9 GB, 812 MB/s, 3 s left
 * Only if standard error is a terminal (not a dumb one), standard output is none (what goes by there shows enough), all input is regular
 * files, whose size tells how much there is, and -q is not given. */
struct progress {
	bool shown;                         /* there is a terminal, and somebody who wants it */
	bool wanted;                        /* of the input, too: its size is known */
	uint64_t total_bytes, before_bytes; /* of all files; of those that are finished */
	int64_t start_ns, next_ns;
};

/* operands as in struct tool_options; none: standard input. */
void progress_open(struct progress *, char *const *operands, int operand_count, bool quiet);
/* The same for a tool that writes nothing to standard output while it works: also if that is a terminal. */
void progress_open_silent(struct progress *, char *const *operands, int operand_count, bool quiet);

/* `bytes` of the present file are read. Costs a clock reading; call it for each block, not for each line. */
void progress_tick(struct progress *, uint64_t bytes);
void progress_next_file(struct progress *, uint64_t bytes); /* the file is finished; so much was read of it */
void progress_close(struct progress *);

/* Work of another kind in between, such as publishing what was read: the same line, with its name in front. Its time begins with the first tick. */
struct progress_task {
	uint64_t total_bytes;
	int64_t start_ns, next_ns;   /* next_ns = 0: at the next tick, if is_shown */
	bool is_shown;               /* it has lasted long enough */
};
void progress_task_tick(const struct progress *, struct progress_task *, const char *what, uint64_t bytes);
void progress_task_end(const struct progress *, struct progress_task *);

void progress_print_bytes(char out[32], double bytes); /* "4.9 GB", "812 MB": three digits at most before the unit */

#endif
