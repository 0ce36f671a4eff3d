/* deluge - an application that makes more messages than is wise: from threads, from children, with receivers that come and go. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/metlog.h"

/* usage: deluge ENDPOINT REPORT [NAME=VALUE]...
 * Sends messages of type "flood", payloads "WHO.THREAD.NUMBER", and writes one line for each process at the end of the file REPORT:
 *   WHO calls taken left_out dropped refused sent unsent closed
 * where calls is how many were made, and closed what metlog_close returned. Everything is counted with the number that metlog_send returned, and it is a failure if that
 * is not what the client has counted. WHO is 0 for the process, and 1, 2, ... for its children.
 *
 *   count=N      messages of each thread, in each process             threads=N    in each process
 *   children=N   forked by the first thread in the midst of its flood retry=1      until each message is taken
 *   block=1      METLOG_BLOCK                                         buffer=BYTES lanes=N  of the options
 *   size=BYTES   longer payloads                                      close=MS     for metlog_close
 *   slow=FILE    the second half is slow until there is that file      flush=MS     metlog_flush before the close; its result must be 0
 *   wait=FILE    before the close waits until there is that file      mark=FILE    is made once all calls have returned */
struct settings {
	long count, threads, children, retry, block, buffer, lanes, size, close, flush;
	const char *slow, *wait, *mark, *endpoint, *report;
};

struct flooder {
	const struct settings *settings;
	struct metlog *client;
	long who, thread;
	uint64_t results[METLOG_CLOSED + 1];
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "deluge: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void await_file(const char *path)
{
	while (access(path, F_OK) < 0) nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static void make_file(const char *path)
{
	FILE *f = fopen(path, "w");
	if (!f || fclose(f)) fail(path);
}

static void send_one(struct flooder *f, long number)
{
	char text[64 * 1024];
	int length = snprintf(text, sizeof text, "%ld.%ld.%ld", f->who, f->thread, number);
	if (f->settings->size > length) memset(text + length, '.', (size_t)f->settings->size), text[f->settings->size] = '\0';
	for (;;) {
		enum metlog_result result = metlog_send(f->client, "flood", METLOG_SEVERITY_DEFAULT, text, METLOG_NONE);
		f->results[result]++;
		if (result != METLOG_DROPPED || !f->settings->retry) return;
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
}

static long run_process(struct flooder *first);

static void fork_child(struct flooder *f, long who)
{
	pid_t pid = fork();
	if (pid < 0) fail("fork");
	if (pid > 0) return;
	struct settings settings = *f->settings;
	settings.children = 0;
	settings.slow = NULL;
	struct flooder child = { .settings = &settings, .client = f->client, .who = who };
	_exit((int)run_process(&child));
}

static void *run_thread(void *argument)
{
	struct flooder *f = argument;
	const struct settings *s = f->settings;
	long children = f->thread == 0 ? s->children : 0;
	for (long i = 0; i < s->count; i++) {
		for (long child = 0; child < children; child++)
			if (i == s->count * (child + 1) / (children + 1)) fork_child(f, child + 1);
		if (i > s->count / 2 && s->slow && access(s->slow, F_OK) < 0) nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		send_one(f, i);
	}
	return NULL;
}

static void write_report(const struct settings *s, long who, const uint64_t results[], const struct metlog_counts *c, int closed)
{
	FILE *f = fopen(s->report, "a");
	uint64_t calls = results[METLOG_TAKEN] + results[METLOG_LEFT_OUT] + results[METLOG_DROPPED] + results[METLOG_REFUSED];
	if (!f) fail(s->report);
	fprintf(f, "%ld %llu %llu %llu %llu %llu %llu %llu %d\n", who, (unsigned long long)calls, (unsigned long long)c->taken, (unsigned long long)c->left_out,
		(unsigned long long)c->dropped, (unsigned long long)c->refused, (unsigned long long)c->sent, (unsigned long long)c->unsent, closed);
	if (fclose(f)) fail(s->report);
}

/* Returns the exit status: 1 if the counts are not those of the results. */
static long run_process(struct flooder *first)
{
	const struct settings *s = first->settings;
	struct flooder flooders[64];
	pthread_t threads[64];
	uint64_t results[METLOG_CLOSED + 1] = { 0 };
	long status = 0;
	for (long i = 1; i < s->threads; i++) {
		flooders[i] = (struct flooder){ .settings = s, .client = first->client, .who = first->who, .thread = i };
		if ((errno = pthread_create(&threads[i], NULL, run_thread, &flooders[i]))) fail("a thread");
	}
	run_thread(first);
	flooders[0] = *first;
	for (long i = 1; i < s->threads; i++) pthread_join(threads[i], NULL);
	for (long i = 0; i < s->threads; i++)
		for (int r = 0; r <= METLOG_CLOSED; r++) results[r] += flooders[i].results[r];
	if (s->mark && !first->who) make_file(s->mark);
	if (s->wait) await_file(s->wait);
	if (s->flush && metlog_flush(first->client, (int)s->flush)) status = 1, fprintf(stderr, "deluge: process %ld: a flush has failed\n", first->who);
	struct metlog_counts c;
	int closed = metlog_close(first->client, (int)s->close, &c);
	write_report(s, first->who, results, &c, closed);
	if (c.taken != results[METLOG_TAKEN] || c.dropped != results[METLOG_DROPPED] || c.left_out != results[METLOG_LEFT_OUT] || c.refused != results[METLOG_REFUSED]
		|| c.taken != c.sent + c.unsent || results[METLOG_CLOSED]) status = 1, fprintf(stderr, "deluge: process %ld: the counts are wrong\n", first->who);
	return status;
}

static void set(struct settings *s, const char *argument)
{
	const struct { const char *name; long *number; const char **text; } known[] = {
		{ "count", &s->count, NULL }, { "threads", &s->threads, NULL }, { "children", &s->children, NULL }, { "retry", &s->retry, NULL },
		{ "block", &s->block, NULL }, { "buffer", &s->buffer, NULL }, { "lanes", &s->lanes, NULL }, { "size", &s->size, NULL },
		{ "close", &s->close, NULL }, { "flush", &s->flush, NULL }, { "slow", NULL, &s->slow }, { "wait", NULL, &s->wait }, { "mark", NULL, &s->mark },
	};
	const char *value = strchr(argument, '=');
	for (size_t i = 0; value && i < sizeof known / sizeof *known; i++) {
		if (strncmp(argument, known[i].name, (size_t)(value - argument)) != 0 || known[i].name[value - argument]) continue;
		if (known[i].number) *known[i].number = atol(value + 1);
		else *known[i].text = value + 1;
		return;
	}
	errno = EINVAL;
	fail(argument);
}

int main(int argc, char **argv)
{
	struct settings s = { .count = 1000, .threads = 1, .close = 10000 };
	struct metlog_fault fault;
	int status, failed = 0;
	if (argc < 3) return 64;
	s.endpoint = argv[1], s.report = argv[2];
	for (int i = 3; i < argc; i++) set(&s, argv[i]);
	METLOG_OPTIONS(options);
	options.when_full = s.block ? METLOG_BLOCK : METLOG_DROP;
	options.buffer_bytes = (size_t)s.buffer;
	options.threads = (unsigned)s.lanes;
	struct metlog *client = metlog_open(s.endpoint, &options, &fault);
	if (!client) {
		fprintf(stderr, "deluge: %s\n", fault.text);
		return fault.status;
	}
	struct flooder first = { .settings = &s, .client = client };
	long result = run_process(&first);
	for (long i = 0; i < s.children; i++)
		if (wait(&status) < 0 || status) failed = 1;
	return result || failed;
}
