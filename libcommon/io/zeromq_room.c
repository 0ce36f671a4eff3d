/* zeromq_room - asks for the threads and descriptors that libzmq is about to take: it ends the process where it does not get them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/zeromq_private.h"

/* A context starts two threads, and each needs two descriptors that libzmq insists on; for the others it is content with an error. The rest is for what other threads of the
 * process take meanwhile, as nothing can be set aside. TURNS: a thread that was joined is still counted for some microseconds. */
enum { THREADS = 4, DESCRIPTORS = 12, TURNS = 1000 };

struct gate {
	pthread_mutex_t lock;
	_Atomic int arrived[THREADS];
	atomic_uint count;
};

static void *arrive(void *argument)
{
	struct gate *g = argument;
	atomic_store(&g->arrived[atomic_fetch_add(&g->count, 1)], (int)syscall(SYS_gettid));
	pthread_mutex_lock(&g->lock);
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static void await_gone(int thread)
{
	for (int turn = 0; turn < TURNS && syscall(SYS_tgkill, getpid(), thread, 0) == 0; turn++) sched_yield();
}

/* All at a time: 0, or the errno. */
static int try_threads(void)
{
	struct gate gate = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t threads[THREADS];
	unsigned started = 0;
	int error = 0;
	sigset_t all, old;
	sigfillset(&all); /* signals are for the program's own threads */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_mutex_lock(&gate.lock);
	while (started < THREADS && !(error = pthread_create(&threads[started], NULL, arrive, &gate))) started++;
	pthread_mutex_unlock(&gate.lock);
	for (unsigned i = 0; i < started; i++) pthread_join(threads[i], NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	for (unsigned i = 0; i < started; i++) await_gone(atomic_load(&gate.arrived[i]));
	pthread_mutex_destroy(&gate.lock);
	return error;
}

static int try_descriptors(void)
{
	int fds[DESCRIPTORS], count = 0, error = 0;
	while (count < DESCRIPTORS && !error) {
		if ((fds[count] = eventfd(0, EFD_CLOEXEC)) < 0) error = errno;
		else count++;
	}
	while (count) close(fds[--count]);
	return error;
}

bool zeromq_has_room(struct fault *fault)
{
	int error = try_descriptors();
	if (!error) error = try_threads();
	return !error || fault_set(fault, EXIT_SYSTEM, "cannot start ZeroMQ: %s", strerror(error));
}
