/* spool_behind - a thread that syncs the batch before while the next one is taken. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* One job at a time; `busy` and `error` are under the lock, the rest is the thread's while it is busy and the writer's otherwise. */
struct spool_behind {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool busy, ends;
	int error;
	int fd, dir_fd;              /* dir_fd -1: the directory is on disk already */
	uint64_t bytes, lines;       /* that the job makes committed */
};

static void *run(void *argument)
{
	struct spool_behind *b = argument;
	pthread_mutex_lock(&b->lock);
	for (;;) {
		while (!b->busy && !b->ends) pthread_cond_wait(&b->changed, &b->lock);
		if (!b->busy) break;
		pthread_mutex_unlock(&b->lock);
		int error = spool_sync_fd(b->fd, true);
		if (!error && b->dir_fd >= 0) error = spool_sync_fd(b->dir_fd, false);
		pthread_mutex_lock(&b->lock);
		b->error = error;
		b->busy = false;
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* NULL: there will be no thread, and batches are synced where they are full. */
static struct spool_behind *behind_new(void)
{
	struct spool_behind *b = calloc(1, sizeof *b);
	sigset_t all, old;
	if (!b) return NULL;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	sigfillset(&all); /* signals are for the main thread */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	int error = pthread_create(&b->thread, NULL, run, b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!error) return b;
	free(b);
	return NULL;
}

void spool_behind_free(struct spool_behind *b)
{
	if (!b) return;
	pthread_mutex_lock(&b->lock);
	b->ends = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->thread, NULL);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->changed);
	free(b);
}

uint64_t spool_behind_bytes(const struct spool *s)
{
	return s->behind ? s->behind->bytes : 0;
}

int spool_behind_wait(struct spool *s)
{
	struct spool_behind *b = s->behind;
	if (!b || !b->lines) return 0;
	pthread_mutex_lock(&b->lock);
	while (b->busy) pthread_cond_wait(&b->changed, &b->lock);
	int error = b->error;
	pthread_mutex_unlock(&b->lock);
	if (!error) {
		s->counts.syncs++;
		s->counts.committed += b->lines;
		s->unsynced_bytes -= b->bytes;
		s->unsynced_lines -= b->lines;
		if (b->dir_fd >= 0) s->name_synced = true;
	}
	b->bytes = b->lines = 0;
	return error;
}

bool spool_behind_start(struct spool *s)
{
	if (s->options.sync_bytes < SPOOL_BEHIND_BYTES) return false;
	if (!s->behind && !(s->behind = behind_new())) return false;
	struct spool_behind *b = s->behind;
	pthread_mutex_lock(&b->lock);
	b->fd = s->fd;
	b->dir_fd = s->name_synced ? -1 : s->dir_fd;
	b->bytes = s->unsynced_bytes;
	b->lines = s->unsynced_lines;
	b->busy = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	return true;
}
