/* signals - SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGCHLD as flags, and a poll that they interrupt without a race. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "io/diag.h"

/* A handler can reach nothing but statics. The pipe makes a signal that comes just before poll(2) end that poll. */
static struct {
	volatile sig_atomic_t stop_number, stopping_now, again, hangup, stats, child; /* again: the second is told, not obeyed */
	sigset_t touched, ignored; /* whose action we have set; those that were ignored when we did it first */
	int pipe[2];
} got = { .pipe = { -1, -1 } };

static void handle(int number)
{
	int saved = errno;
	switch (number) {
	case SIGTERM:
	case SIGINT:
		if (got.stop_number && got.again && !got.stopping_now) {
			got.stopping_now = 1;
			break;
		}
		if (got.stop_number) {
			signal(number, SIG_DFL);
			raise(number);
		}
		got.stop_number = number;
		break;
	case SIGHUP: got.hangup = 1; break;
	case SIGUSR1: got.stats = 1; break;
	case SIGCHLD: got.child = 1; break;
	default: break;
	}
	if (write(got.pipe[1], "", 1) < 0) { /* full: poll will end anyway */ }
	errno = saved;
}

static void set_action(int number, const struct sigaction *action)
{
	struct sigaction before;
	if (sigaction(number, action, &before) < 0) die_errno(EXIT_SYSTEM, "cannot handle signal %d", number);
	if (sigismember(&got.touched, number)) return;
	sigaddset(&got.touched, number);
	if (before.sa_handler == SIG_IGN) sigaddset(&got.ignored, number);
}

static void install(int number)
{
	struct sigaction action = { .sa_handler = handle };
	sigemptyset(&action.sa_mask);
	if (number == SIGCHLD) action.sa_flags = SA_NOCLDSTOP;
	set_action(number, &action);
}

void signals_open(unsigned wanted)
{
	if (got.pipe[0] < 0 && pipe2(got.pipe, O_CLOEXEC | O_NONBLOCK) < 0) die_errno(EXIT_SYSTEM, "cannot make a pipe");
	set_action(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }); /* a file at its limit is an error of write(2) */
	if (wanted & SIGNALS_STOP) install(SIGTERM), install(SIGINT);
	if (wanted & SIGNALS_STOP_AGAIN) got.again = 1;
	if (wanted & SIGNALS_HANGUP) install(SIGHUP);
	if (wanted & SIGNALS_STATS) install(SIGUSR1);
	if (wanted & SIGNALS_CHILD) install(SIGCHLD);
}

void signals_ignore_pipe(void)
{
	set_action(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN });
}

bool signals_stopping(void)
{
	return got.stop_number != 0;
}

bool signals_stopping_now(void)
{
	return got.again ? got.stopping_now != 0 : got.stop_number != 0;
}

int signals_stop_number(void)
{
	return got.stop_number;
}

bool signals_take(unsigned one)
{
	volatile sig_atomic_t *flag = one == SIGNALS_HANGUP ? &got.hangup : one == SIGNALS_STATS ? &got.stats : &got.child;
	if (!*flag) return false;
	*flag = 0;
	return true;
}

int signals_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
	struct pollfd all[SIGNALS_POLL_MAX + 1];
	char drained[64];
	if (count > SIGNALS_POLL_MAX) die(EXIT_INTERNAL, "too many descriptors to wait for: %zu", count);
	if (count) memcpy(all, fds, count * sizeof *fds);
	all[count] = (struct pollfd){ .fd = got.pipe[0], .events = POLLIN };
	int ready = poll(all, count + 1, timeout_ms);
	if (ready < 0) {
		if (errno != EINTR) die_errno(EXIT_SYSTEM, "cannot wait for input");
		for (size_t i = 0; i < count; i++) fds[i].revents = 0;
		return 0;
	}
	if (count) memcpy(fds, all, count * sizeof *fds);
	if (all[count].revents) {
		while (read(got.pipe[0], drained, sizeof drained) > 0) {}
		ready--;
	}
	return ready;
}

static int wait_poll(void *unused, struct pollfd *fds, size_t count, int timeout_ms)
{
	(void)unused;
	return signals_poll(fds, count, timeout_ms);
}

static bool wait_stopping(void *unused)
{
	(void)unused;
	return signals_stopping();
}

static bool wait_stopping_now(void *unused)
{
	(void)unused;
	return signals_stopping_now();
}

const struct waits signals_waits = { .poll = wait_poll, .stopping = wait_stopping, .stopping_now = wait_stopping_now, .keeps_deadlines = true };

void signals_reset(void)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGPIPE, SIGXFSZ };
	sigset_t none;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (sigismember(&got.touched, ours[i])) signal(ours[i], sigismember(&got.ignored, ours[i]) ? SIG_IGN : SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
