/* child - starts other programs, with pipes to and from them, and learns how they ended. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_CHILD_H
#define IO_CHILD_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/*     struct child child;
 *     if (!child_start(&child, (char *[]){ "metlog-send", "--json", "--to", endpoint, NULL }, CHILD_PIPE_IN | CHILD_TOOL))
 *             die_errno(EXIT_SYSTEM, "cannot start metlog-send");
 *     write to child.in; child_close_in(&child);
 *     if (child_wait(&child, -1)) child_describe(child.status, text) ...
 */
enum child_option {
	CHILD_PIPE_IN = 1,    /* its standard input is a pipe from us: `in` */
	CHILD_PIPE_OUT = 2,   /* its standard output is a pipe to us: `out` */
	CHILD_PIPE_ERR = 4,   /* its standard error is a pipe to us: `err` */
	CHILD_NULL_IN = 8,    /* its standard input is the null device */
	CHILD_OWN_GROUP = 16, /* a process group of its own: Ctrl-C in the terminal reaches us only, and we decide when it ends */
	CHILD_DIES_WITH_US = 32, /* SIGTERM when we die, however we die. Not for a shell, which would not pass it on */
	CHILD_SOCKET_IN = 128, /* its standard input is a unix stream socket from us, `in`, which tells our death from the end: see below */
	CHILD_TOOL = 64,      /* argv[0] is a program of this family: the one beside our own executable if there is one, else by PATH */
};

/* A pipe ends the same way whether its writer has closed it or was killed, so a program that reads one may take a half for the whole. With
 * CHILD_SOCKET_IN it reads an end of file only after child_close_in; if we die before, however we die, its read fails with ECONNRESET. That is
 * because a byte lies unread on our side until then, which makes the kernel reset the connection when our end goes. Send with MSG_DONTWAIT and
 * MSG_NOSIGNAL; EPIPE and ECONNRESET say that it has stopped reading. */
struct child {
	pid_t pid;            /* 0: not running (never started, or reaped) */
	int in, out, err;     /* our ends, close-on-exec; -1 if not asked for or closed */
	int status;           /* as waitpid gives it, once pid is 0 again */
	bool own_group, socket_in;
};

/* Starts a program: argv as it is, no shell; found by PATH if it holds no slash. All our descriptors beyond 0, 1 and 2 are
 * close-on-exec by the rule of this project, so it inherits none; signals have their default actions again.
 * False with errno if it cannot be started (ENOENT: no such program, ...); then nothing is left behind. */
bool child_start(struct child *, char *const argv[], unsigned options);

/* `sh -c COMMAND`: for text that the user wrote into a configuration or on the command line, never for text out of a message. */
bool child_start_shell(struct child *, const char *command, unsigned options);

/* True if it has ended (now or before) and `status` is valid. timeout_ms: 0 only looks, < 0 waits for ever. A wait is cut short,
 * with false, by SIGTERM or SIGINT coming (signals_stopping), but one that was there before does not cut it. */
bool child_wait(struct child *, int timeout_ms);

void child_end_in(struct child *);         /* of CHILD_SOCKET_IN: its standard input ends; `in` stays open until it is closed */
bool child_left_input(struct child *);     /* of CHILD_SOCKET_IN, once it has ended: whether there was input that it did not read */
void child_close_in(struct child *);       /* its standard input ends */
void child_close(struct child *);          /* closes our ends (of CHILD_SOCKET_IN without an end: its read fails); does not wait */
void child_signal(const struct child *, int number); /* to its group if it has its own; nothing if it is not running */

/* The exit status as a shell would give it: 0..255, 128 + N for signal N. */
int child_exit_status(int status);

enum { CHILD_TEXT_MAX = 64 };
/* "exited with status 3", "was killed by signal 9 (Killed)" */
const char *child_describe(int status, char text[CHILD_TEXT_MAX]);

/* Path of a program of this family: beside our own executable if it is there, else its bare name for PATH. */
const char *child_find_tool(const char *name, char path[PATH_MAX]);

#endif
