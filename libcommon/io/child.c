/* child - fork and exec, with the reason brought back when exec fails. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "io/child.h"
#include "io/signals.h"

struct pipes {
	int in[2], out[2], err[2], verdict[2]; /* verdict: the errno of a failed exec; closed by a good one */
};

static void close_both(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0) close(pair[i]);
		pair[i] = -1;
	}
}

static void pipes_close(struct pipes *p)
{
	int kept = errno;
	close_both(p->in);
	close_both(p->out);
	close_both(p->err);
	close_both(p->verdict);
	errno = kept;
}

/* [0] is the child's end. It is told nothing but its input, and can tell us nothing: the one byte that goes the other way is there before it starts. */
static bool socket_open(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 && send(pair[0], "", 1, MSG_NOSIGNAL) == 1
		&& shutdown(pair[0], SHUT_WR) == 0;
}

static bool pipes_open(struct pipes *p, unsigned options)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	bool good = pipe2(p->verdict, O_CLOEXEC) == 0
		&& (!(options & CHILD_PIPE_IN) || pipe2(p->in, O_CLOEXEC) == 0)
		&& (!(options & CHILD_SOCKET_IN) || socket_open(p->in))
		&& (!(options & CHILD_PIPE_OUT) || pipe2(p->out, O_CLOEXEC) == 0)
		&& (!(options & CHILD_PIPE_ERR) || pipe2(p->err, O_CLOEXEC) == 0);
	if (!good) pipes_close(p);
	return good;
}

static bool put_at(int fd, int target)
{
	return fd < 0 || dup2(fd, target) == target;
}

static bool arrange(const struct pipes *p, unsigned options, pid_t parent)
{
	signals_reset();
	if ((options & CHILD_OWN_GROUP) && setpgid(0, 0) != 0) return false;
	if (options & CHILD_DIES_WITH_US) {
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) return false;
		if (getppid() != parent) raise(SIGTERM); /* it died before we asked */
	}
	if (options & CHILD_NULL_IN) {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null < 0 || !put_at(null, 0)) return false;
	}
	return put_at(p->in[0], 0) && put_at(p->out[1], 1) && put_at(p->err[1], 2);
}

static _Noreturn void become(const struct pipes *p, const char *path, char *const argv[], unsigned options, pid_t parent)
{
	if (arrange(p, options, parent)) execvp(path, argv);
	int reason = errno;
	ssize_t told = write(p->verdict[1], &reason, sizeof reason);
	_exit(told == (ssize_t)sizeof reason ? 127 : 126);
}

static int read_verdict(int fd)
{
	int reason = 0;
	ssize_t got;
	do got = read(fd, &reason, sizeof reason); while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof reason ? reason : 0;
}

/* Ignored by our caller, it would let the kernel reap a child before anybody can ask how it ended. */
static void heed_children(void)
{
	struct sigaction now;
	if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
}

bool child_start(struct child *child, char *const argv[], unsigned options)
{
	heed_children();
	*child = (struct child){ .in = -1, .out = -1, .err = -1, .own_group = (options & CHILD_OWN_GROUP) != 0,
		.socket_in = (options & CHILD_SOCKET_IN) != 0 };
	char found[PATH_MAX];
	const char *path = options & CHILD_TOOL ? child_find_tool(argv[0], found) : argv[0];
	struct pipes p;
	if (!pipes_open(&p, options)) return false;
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0) become(&p, path, argv, options, parent);
	if (pid < 0) {
		pipes_close(&p);
		return false;
	}
	if (child->own_group) setpgid(pid, pid); /* here too, so that it holds when we return; one of the two comes late and fails */
	close(p.verdict[1]);
	p.verdict[1] = -1;
	int reason = read_verdict(p.verdict[0]);
	if (reason) {
		pid_t reaped;
		do reaped = waitpid(pid, NULL, 0); while (reaped < 0 && errno == EINTR);
		errno = reason;
		pipes_close(&p);
		return false;
	}
	child->pid = pid;
	child->in = p.in[1];
	child->out = p.out[0];
	child->err = p.err[0];
	p.in[1] = p.out[0] = p.err[0] = -1;
	pipes_close(&p);
	return true;
}

bool child_start_shell(struct child *child, const char *command, unsigned options)
{
	char *text = strdup(command);
	if (!text) {
		*child = (struct child){ .in = -1, .out = -1, .err = -1 };
		return false;
	}
	char name[] = "sh", option[] = "-c";
	char *argv[] = { name, option, text, NULL };
	bool good = child_start(child, argv, options & ~(unsigned)(CHILD_TOOL | CHILD_DIES_WITH_US));
	int kept = errno;
	free(text);
	errno = kept;
	return good;
}

static bool reap(struct child *child)
{
	int status = 0;
	pid_t got;
	do got = waitpid(child->pid, &status, WNOHANG); while (got < 0 && errno == EINTR);
	if (got == 0) return false;
	child->status = got < 0 ? 0 : status; /* ECHILD: somebody else has reaped it */
	child->pid = 0;
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool child_wait(struct child *child, int timeout_ms)
{
	if (child->pid == 0 || reap(child)) return true;
	if (timeout_ms == 0) return false;
	bool stopping = signals_stopping();
	int64_t end = now_ms() + timeout_ms;
	for (int pause = 1; ; pause = pause < 50 ? pause * 2 : 100) {
		/* SIGCHLD cuts the pause short where the tool asked for it; where not, the pause is short anyway. */
		int64_t left = timeout_ms < 0 ? pause : end - now_ms();
		if (left > 0) signals_poll(NULL, 0, (int)(left < pause ? left : pause));
		if (reap(child)) return true;
		if (left <= 0 || (!stopping && signals_stopping())) return false;
	}
}

static void close_raw(int *fd)
{
	if (*fd >= 0) close(*fd);
	*fd = -1;
}

void child_end_in(struct child *child)
{
	char byte;
	if (child->in < 0 || !child->socket_in) return;
	shutdown(child->in, SHUT_WR); /* first: who reads must never meet a closed end without its byte and without this */
	if (recv(child->in, &byte, 1, MSG_DONTWAIT) < 0) { /* it has been taken already */ }
}

bool child_left_input(struct child *child)
{
	int reason = 0;
	socklen_t length = sizeof reason;
	return child->in >= 0 && getsockopt(child->in, SOL_SOCKET, SO_ERROR, &reason, &length) == 0 && reason != 0;
}

void child_close_in(struct child *child)
{
	child_end_in(child);
	close_raw(&child->in);
}

void child_close(struct child *child)
{
	close_raw(&child->in);
	close_raw(&child->out);
	close_raw(&child->err);
}

void child_signal(const struct child *child, int number)
{
	if (child->pid <= 0) return;
	if (!child->own_group || kill(-child->pid, number) != 0) kill(child->pid, number);
}

int child_exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

const char *child_describe(int status, char text[CHILD_TEXT_MAX])
{
	if (WIFSIGNALED(status))
		snprintf(text, CHILD_TEXT_MAX, "was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(text, CHILD_TEXT_MAX, "exited with status %d", WEXITSTATUS(status));
	return text;
}

const char *child_find_tool(const char *name, char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (length > 0 && !strchr(name, '/')) {
		path[length] = '\0';
		char *slash = strrchr(path, '/');
		size_t room = (size_t)(path + PATH_MAX - slash - 1);
		if (slash && strlen(name) < room) {
			memcpy(slash + 1, name, strlen(name) + 1);
			if (access(path, X_OK) == 0) return path;
		}
	}
	snprintf(path, PATH_MAX, "%s", name);
	return path;
}
