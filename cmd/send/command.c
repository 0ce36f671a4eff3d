/* command - runs the command that metlog-send times, as if we were not there. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/child.h"
#include "io/diag.h"
#include "io/signals.h"
#include "io/writer.h"

/* Passed on to the command. The terminal's stop signals act on the whole group and need no help. */
static const int passed_on[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH };
enum { PASSED_ON = sizeof passed_on / sizeof *passed_on };

static struct {
	struct sigaction at_start[PASSED_ON]; /* what each did when we were started */
	volatile sig_atomic_t pid;            /* of the process that signals go to; 0: none */
} command;

void command_note_signals(void)
{
	for (int i = 0; i < PASSED_ON; i++) sigaction(passed_on[i], NULL, &command.at_start[i]);
}

/* What the terminal or the kernel sends (SI_KERNEL) goes to the whole foreground group, the command included: passing it on would
 * make two of one Ctrl-C. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	(void)context;
	int saved = errno;
	if (command.pid > 0 && info->si_code != SI_KERNEL) kill((pid_t)command.pid, number);
	errno = saved;
}

static void block(sigset_t *before)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, before);
}

static void install_handlers(void)
{
	struct sigaction action = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };
	sigfillset(&action.sa_mask);
	for (int i = 0; i < PASSED_ON; i++)
		if (command.at_start[i].sa_handler == SIG_IGN) sigaction(passed_on[i], &command.at_start[i], NULL);
		else sigaction(passed_on[i], &action, NULL);
}

static int64_t monotonic_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Keeps the last bytes: twice as many at most, so that moving them costs little. */
static void keep_tail(struct buffer *tail, struct span more)
{
	if (more.length > COMMAND_TAIL_MAX) more.data += more.length - COMMAND_TAIL_MAX, more.length = COMMAND_TAIL_MAX;
	if (tail->length + more.length > 2 * COMMAND_TAIL_MAX) buffer_drop(tail, tail->length - COMMAND_TAIL_MAX);
	buffer_append_span(tail, more);
}

/* What was cut begins with its first whole line, if there is one, or else with a whole character. */
static void trim_tail(struct buffer *tail)
{
	if (tail->length <= COMMAND_TAIL_MAX) return;
	buffer_drop(tail, tail->length - COMMAND_TAIL_MAX);
	const char *newline = memchr(tail->data, '\n', tail->length);
	if (newline && newline + 1 < tail->data + tail->length) buffer_drop(tail, (size_t)(newline + 1 - tail->data));
	size_t inside = 0;
	while (inside < 3 && inside < tail->length && ((unsigned char)tail->data[inside] & 0xc0) == 0x80) inside++;
	buffer_drop(tail, inside);
}

/* One read from the command's standard error, on to ours and into the tail. False at its end. */
static bool relay(int fd, bool *broken, struct buffer *tail)
{
	char block_of_text[16 * 1024];
	ssize_t got = read(fd, block_of_text, sizeof block_of_text);
	if (got < 0) return errno == EINTR || errno == EAGAIN;
	if (got == 0) return false;
	struct span text = { block_of_text, (size_t)got };
	if (!*broken && write_all(STDERR_FILENO, text) != 0) *broken = true; /* nobody reads ours; the tail is kept all the same */
	keep_tail(tail, text);
	return true;
}

/* True if it has ended. Its id is ours until waitpid gives it back: by then no handler may send a signal there any more. */
static bool reap(pid_t pid, int options, int *status)
{
	siginfo_t info = { 0 };
	int error;
	do error = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | options); while (error < 0 && errno == EINTR);
	if (error == 0 && info.si_pid == 0) return false;
	command.pid = 0;
	if (waitpid(pid, status, 0) != pid) *status = 0;
	return true;
}

/* Relays until the command has ended. A process that it has left behind may hold the pipe open for ever: what has been
 * written by then is taken, and no more is waited for. */
static void watch_until_end(struct child *child, int *status, struct buffer *tail)
{
	struct pollfd err = { .fd = child->err, .events = POLLIN };
	bool broken = false;
	while (!reap(child->pid, WNOHANG, status)) {
		if (signals_poll(&err, 1, -1) > 0 && !relay(child->err, &broken, tail)) err.fd = -1;
		signals_take(SIGNALS_CHILD);
	}
	while (err.fd >= 0 && poll(&err, 1, 0) > 0 && relay(child->err, &broken, tail)) {}
}

/* The command could not be run: told as a shell tells it. */
static void not_run(const char *name, int reason, bool watch, struct command_result *result)
{
	switch (reason) {
	case EAGAIN: case ENOMEM: case EMFILE: case ENFILE: die(EXIT_SYSTEM, "cannot start %s: %s", name, strerror(reason));
	}
	diag_error("cannot run %s: %s", name, strerror(reason));
	result->status = reason == ENOENT || reason == ENOTDIR ? 127 : 126;
	if (!watch) return;
	buffer_append_text(&result->tail, "cannot run ");
	buffer_append_text(&result->tail, name);
	buffer_append_text(&result->tail, ": ");
	buffer_append_text(&result->tail, strerror(reason));
}

void command_run(char *const argv[], bool watch, struct command_result *result)
{
	struct child child;
	sigset_t before;
	int status = 0;
	*result = (struct command_result){ 0 };
	buffer_init(&result->tail, 4 * COMMAND_TAIL_MAX);
	if (watch) signals_open(SIGNALS_CHILD);
	install_handlers();
	int64_t begun = monotonic_ns();
	block(&before);
	bool started = child_start(&child, argv, watch ? CHILD_PIPE_ERR : 0);
	int reason = errno;
	if (started) command.pid = child.pid;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (!started) {
		not_run(argv[0], reason, watch, result);
		result->duration_ns = monotonic_ns() - begun;
		return;
	}
	if (watch) signals_ignore_pipe(), watch_until_end(&child, &status, &result->tail);
	else reap(child.pid, 0, &status);
	result->duration_ns = monotonic_ns() - begun;
	child_close(&child);
	trim_tail(&result->tail);
	result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	result->status = child_exit_status(status);
}

bool command_fork_teller(int *status)
{
	sigset_t before;
	int ended = 0;
	block(&before);
	pid_t pid = fork();
	int reason = errno;
	if (pid > 0) command.pid = pid;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid == 0) {
		signals_open(SIGNALS_STOP | SIGNALS_STATS);
		return true;
	}
	*status = EXIT_SYSTEM;
	if (pid < 0) diag_error("cannot tell of the command: %s", strerror(reason));
	else reap(pid, 0, &ended), *status = child_exit_status(ended);
	return false;
}
