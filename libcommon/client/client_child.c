/* client_child - a client in the child of a fork: it is made the child's own by the first call there. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "client/client_private.h"

bool client_is_inherited(struct metlog *m)
{
	uint64_t serial = atomic_load_explicit(m->serial, memory_order_acquire);
	if (m->lanes.wipes || serial == CLIENT_CLOSED) return serial == CLIENT_IN_CHILD;
	return atomic_load(&m->process) != getpid();
}

/* All that the parent has taken is the parent's to send. Of its threads none is here, so nobody holds a lock, or ever gives it back. */
static void adopt(struct metlog *m)
{
	lanes_reset(&m->lanes);
	m->interrupted = (struct lane_counts){ 0 };
	atomic_store(&m->blocked, 0);
	if (!m->pid) client_make_parts(m);
	sender_adopt(&m->sender);
	m->number++;
	atomic_store(&m->process, getpid());
	if (m->lanes.wipes) atomic_store(m->serial, m->number);
}

/* One thread does it, and the word that says so is the kernel's to clear, or, where it does not wipe, the process's number, negative meanwhile. Another thread may have done all
 * of it since this one saw that it was to be done. */
void client_adopt(struct metlog *m)
{
	int self = getpid(), process = atomic_load(&m->process), cancels;
	uint64_t nobody = 0;
	bool is_first = m->lanes.wipes ? atomic_compare_exchange_strong(m->serial + 1, &nobody, 1)
		: process != self && process != -self && atomic_compare_exchange_strong(&m->process, &process, -self);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels); /* close(2) ends a thread that is to be cancelled; for what it leaves half done all others would wait for ever */
	if (is_first) adopt(m);
	pthread_setcancelstate(cancels, NULL);
	while (client_is_inherited(m)) sched_yield();
}
