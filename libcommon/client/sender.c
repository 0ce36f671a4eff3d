/* sender - the thread that hands over what is in the lanes, and what other threads ask of it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "io/socket.h"

/* GRACE: beyond its deadline a close waits so long for a thread that hangs in a system call. START_AGAIN: between attempts to start a thread.
 * HWM: messages of 64 KiB (push:) that libzmq queues; the buffers are meant to be the place where lines wait. */
enum { GRACE_MS = 250, START_AGAIN_MS = 100, PUSH_HWM = 32 };

/* --- the thread ----------------------------------------------------------------------- */

/* Where signals of the process shall be handled is the application's affair, and never here, nor in libzmq's threads. */
static void block_signals(sigset_t *before)
{
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

static int without_standard(int fd)
{
	if (fd < 0 || fd > STDERR_FILENO) return fd;
	int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return higher;
}

/* In a child another thread may call while this one makes the pipe: by its descriptors it sees all of it or nothing. */
static bool open_wake(struct sender *s)
{
	struct stat status;
	int fds[2];
	if (s->wake[0] >= 0) return true;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) return false;
	for (int i = 0; i < 2; i++) fds[i] = without_standard(fds[i]);
	if (fds[0] >= 0 && fds[1] >= 0 && fstat(fds[0], &status) == 0) {
		s->wake_inode = status.st_ino;
		for (int i = 0; i < 2; i++) s->wake[i] = fds[i];
		return true;
	}
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0) close(fds[i]);
	return false;
}

static bool start(struct sender *s)
{
	sigset_t before;
	int absent = SENDER_ABSENT, cancels;
	if (!atomic_compare_exchange_strong(&s->state, &absent, SENDER_AWAKE)) return true;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
	block_signals(&before);
	int error = open_wake(s) ? pthread_create(&s->thread, NULL, sender_run, s) : errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_setcancelstate(cancels, NULL);
	if (!error) return true;
	atomic_store(&s->tried_ms, socket_clock_ms());
	atomic_store(&s->state, SENDER_ABSENT);
	pthread_mutex_lock(&s->lock); /* others may have believed that there is one, and wait for it */
	pthread_cond_broadcast(&s->turn);
	pthread_mutex_unlock(&s->lock);
	errno = error;
	return false;
}

bool sender_has_pipe(const struct sender *s, int end)
{
	struct stat status;
	int fd = s->wake[end];
	return fd >= 0 && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_ino == s->wake_inode;
}

/* write(2) ends a thread that is to be cancelled, without writing: all that others say would then lie there until the next flush. */
void sender_call(struct sender *s)
{
	int kept = errno, cancels;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
	if (sender_has_pipe(s, 1) && write(s->wake[1], "", 1) < 0) { /* full: it is called already */ }
	pthread_setcancelstate(cancels, NULL);
	errno = kept;
}

void sender_wake(struct sender *s)
{
	int kept = errno, state = atomic_load(&s->state);
	if (state == SENDER_ABSENT) {
		int64_t tried = atomic_load(&s->tried_ms);
		if (!tried || socket_clock_ms() - tried >= START_AGAIN_MS) start(s);
	} else if (state != SENDER_AWAKE && atomic_compare_exchange_strong(&s->state, &state, SENDER_AWAKE)) {
		sender_call(s);
	}
	errno = kept;
}

/* --- opening ------------------------------------------------------------------------------ */

static void init_turn(struct sender *s)
{
	pthread_condattr_t attributes;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&s->turn, &attributes);
	pthread_condattr_destroy(&attributes);
}

static bool has_membarrier(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

/* What belongs to libzmq does not survive a fork: a server that opens the client, forks its workers and sends nothing itself shall have no connection. So it is tried here, and
 * opened again when there is a first line. */
static bool try_outlet(struct sender *s, struct fault *fault)
{
	sigset_t before;
	block_signals(&before);
	s->options.is_trial = endpoint_is_zeromq(&s->endpoint);
	s->outlet = outlet_open(&s->endpoint, &s->options, fault);
	bool is_good = s->outlet != NULL;
	if (is_good && s->options.is_trial) {
		outlet_close(s->outlet, NULL, NULL);
		s->outlet = NULL;
	}
	s->options.is_trial = false;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return is_good;
}

static bool prepare(struct sender *s, struct fault *fault)
{
	/* The longest of all logger names is in it, and the longest number. */
	struct message longest = { .type = SPAN("counter"), .payload = SPAN("18446744073709551615"), .metric = SPAN("metlog.client.dropped"), .rate = 1, .severity = 7 };
	s->report_bytes = message_bound(&longest, s->parts);
	s->report = malloc(s->report_bytes);
	if (!s->report) return fault_set(fault, EXIT_SYSTEM, "no memory for %zu bytes", s->report_bytes);
	if (s->endpoint.kind == ENDPOINT_PUSH) s->options.hwm = PUSH_HWM;
	s->is_fenced = !has_membarrier();
	sender_set_waits(s);
	if (!try_outlet(s, fault)) return false;
	if (start(s)) return true;
	fault_set_errno(fault, EXIT_SYSTEM, "cannot start a thread");
	if (s->outlet) outlet_close(s->outlet, NULL, NULL);
	return false;
}

bool sender_open(struct sender *s, const char *endpoint, struct fault *fault)
{
	const char *reason;
	s->wake[0] = s->wake[1] = -1;
	init_turn(s);
	if (!endpoint_parse(&s->endpoint, span_of(endpoint), &reason))
		return fault_set(fault, reason == ENDPOINT_NO_MEMORY ? EXIT_SYSTEM : EXIT_USAGE, "%s: %s", endpoint, reason);
	if (prepare(s, fault)) return true;
	sender_release(s);
	return false;
}

/* In the meantime a child may have closed all descriptors that it did not know, and opened others under their numbers. */
static void close_pipe(struct sender *s)
{
	for (int i = 0; i < 2; i++) {
		if (sender_has_pipe(s, i)) close(s->wake[i]);
		s->wake[i] = -1;
	}
}

void sender_release(struct sender *s)
{
	close_pipe(s);
	pthread_cond_destroy(&s->turn);
	pthread_mutex_destroy(&s->lock);
	endpoint_release(&s->endpoint);
	free(s->report);
}

void sender_adopt(struct sender *s)
{
	close_pipe(s);
	outlet_abandon(s->outlet);
	s->outlet = NULL;
	s->is_fenced = !has_membarrier();
	init_turn(s);
	s->tally = (struct tally){ 0 };
	s->has_ended = s->is_orphan = s->is_dirty = false;
	s->reason[0] = '\0';
	s->flushing = 0;
	s->worked_ms = s->pause_ms = s->reported_ms = 0;
	s->reported = 0;
	atomic_store(&s->tried_ms, 0);
	atomic_store(&s->waiters, 0);
	atomic_store(&s->is_closing, false);
	atomic_store(&s->flush_wanted, 0);
	atomic_store(&s->flush_done, 0);
	atomic_store(&s->sent, 0);
	atomic_store(&s->lost, 0);
	atomic_store(&s->state, SENDER_ABSENT);
}

/* --- waiting for it -------------------------------------------------------------------------- */

void sender_lock(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	/* The sender looks at the number of waiters after it has changed what they wait for; they look at that after this. */
	atomic_fetch_add(&s->waiters, 1);
	atomic_thread_fence(memory_order_seq_cst);
}

void sender_await(struct sender *s, int64_t deadline_ms)
{
	struct timespec end = { .tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000 };
	int cancels;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels); /* the lock, and what else this call holds, would never be given back */
	if (deadline_ms < 0) pthread_cond_wait(&s->turn, &s->lock);
	else pthread_cond_timedwait(&s->turn, &s->lock, &end);
	pthread_setcancelstate(cancels, NULL);
}

void sender_unlock(struct sender *s)
{
	atomic_fetch_sub(&s->waiters, 1);
	pthread_mutex_unlock(&s->lock);
}

bool sender_end(struct sender *s, int timeout_ms)
{
	if (atomic_load(&s->state) == SENDER_ABSENT) return true;
	int64_t deadline = socket_clock_ms() + timeout_ms;
	atomic_store(&s->deadline_ms, deadline);
	atomic_store(&s->is_closing, true);
	sender_call(s);
	sender_lock(s);
	while (!s->has_ended && socket_clock_ms() < deadline + GRACE_MS) sender_await(s, deadline + GRACE_MS);
	bool has_ended = s->has_ended;
	sender_unlock(s);
	if (has_ended) pthread_join(s->thread, NULL);
	return has_ended;
}

bool sender_leave(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	bool has_ended = s->has_ended;
	s->is_orphan = !has_ended;
	pthread_mutex_unlock(&s->lock); /* an orphan may be gone here */
	if (has_ended) pthread_join(s->thread, NULL);
	return has_ended;
}
