/* flood - an application that hands over messages from several threads as fast as it can, and tells what has become of them. */
/* SPDX-License-Identifier: MPL-2.0 */

/* usage: flood [OPTION...] ENDPOINT
 *   --count=N     messages of each thread (500000)            --threads=N   (2)
 *   --full=HOW    drop, or block (block)                      --buffer=N    bytes of each thread (the library's default)
 *   --close=N     milliseconds that the close may take (60000)
 *   --steps       waits for a line on standard input where it has said "connected" (its first message is handed over), and again where it has said "called"
 * Each message is an envelope of some 240 bytes with fields.thread, from 0, and fields.number, from 0. It prints, one "name value" a line:
 *   called, and then calls; taken, dropped: what the calls returned; call_s: the time of the slowest thread; caller_cpu_s: of all of them;
 *   peak_kib: of the process; began: when, in seconds since 1970
 *   closed, and then the books at the close: of_taken, of_dropped, sent, unsent; wall_s: from the first call to the end of the close; cpu_s: of the process.
 * With --steps the first message, to which no thread belongs, is counted, too. Exit status: 0 if nothing was dropped or lost, else 1; 64; 69 without a client. */

#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "client/metlog.h"

enum { THREADS_MAX = 64 };

struct caller {
	pthread_t thread;
	struct metlog *client;
	pthread_barrier_t *start;
	int index;
	long count;
	uint64_t taken, dropped;
	double seconds, cpu;
};

static double clock_seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *call(void *argument)
{
	struct caller *c = argument;
	pthread_barrier_wait(c->start);
	double began = clock_seconds(CLOCK_MONOTONIC);
	for (long i = 0; i < c->count; i++) {
		enum metlog_result result = metlog_count(c->client, "flood", 1, 1, METLOG_FIELDS(metlog_field_int("thread", c->index), metlog_field_int("number", i)));
		c->taken += result == METLOG_TAKEN;
		c->dropped += result == METLOG_DROPPED;
	}
	c->seconds = clock_seconds(CLOCK_MONOTONIC) - began;
	c->cpu = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

static void step(const char *name)
{
	puts(name);
	fflush(stdout);
	while (getchar() > '\n') continue;
}

/* A message that has certainly reached the far side: there is a connection, then. */
static bool connect_first(struct metlog *client)
{
	metlog_send(client, "first", METLOG_INFORMATIONAL, NULL, METLOG_NONE);
	return metlog_flush(client, 30000) == 0;
}

static void call_all(struct metlog *client, int threads, long count, bool first)
{
	struct caller callers[THREADS_MAX] = { 0 };
	pthread_barrier_t start;
	struct rusage usage;
	double seconds = 0, cpu = 0;
	uint64_t taken = first, dropped = 0;
	pthread_barrier_init(&start, NULL, (unsigned)threads);
	double began = clock_seconds(CLOCK_REALTIME);
	for (int i = 0; i < threads; i++) {
		callers[i] = (struct caller){ .client = client, .start = &start, .index = i, .count = count };
		if (pthread_create(&callers[i].thread, NULL, call, &callers[i])) abort();
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(callers[i].thread, NULL);
		taken += callers[i].taken, dropped += callers[i].dropped, cpu += callers[i].cpu;
		if (callers[i].seconds > seconds) seconds = callers[i].seconds;
	}
	pthread_barrier_destroy(&start);
	getrusage(RUSAGE_SELF, &usage);
	printf("calls %ld\ntaken %llu\ndropped %llu\ncall_s %.6f\ncaller_cpu_s %.6f\npeak_kib %ld\nbegan %.6f\n", (long)threads * count + first,
		(unsigned long long)taken, (unsigned long long)dropped, seconds, cpu, usage.ru_maxrss, began);
}

static int close_all(struct metlog *client, int close_ms, double began)
{
	struct metlog_counts counts;
	int result = metlog_close(client, close_ms, &counts);
	printf("closed\nof_taken %llu\nof_dropped %llu\nsent %llu\nunsent %llu\nwall_s %.6f\ncpu_s %.6f\n", (unsigned long long)counts.taken, (unsigned long long)counts.dropped,
		(unsigned long long)counts.sent, (unsigned long long)counts.unsent, clock_seconds(CLOCK_MONOTONIC) - began, clock_seconds(CLOCK_PROCESS_CPUTIME_ID));
	return result == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option known[] = { { "count", 1, NULL, 'c' }, { "threads", 1, NULL, 't' }, { "full", 1, NULL, 'f' }, { "buffer", 1, NULL, 'b' },
		{ "close", 1, NULL, 'e' }, { "steps", 0, NULL, 's' }, { NULL, 0, NULL, 0 } };
	long count = 500000;
	int threads = 2, close_ms = 60000, letter;
	bool steps = false;
	struct metlog_fault fault;
	METLOG_OPTIONS(options);
	options.logger = "metlog.tests.flood";
	options.hostname = "web1.example.com";
	options.when_full = METLOG_BLOCK;
	while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) switch (letter) {
		case 'c': count = atol(optarg); break;
		case 't': threads = atoi(optarg); break;
		case 'f': options.when_full = strcmp(optarg, "drop") ? METLOG_BLOCK : METLOG_DROP; break;
		case 'b': options.buffer_bytes = strtoul(optarg, NULL, 10); break;
		case 'e': close_ms = atoi(optarg); break;
		case 's': steps = true; break;
		default: return 64;
	}
	if (optind + 1 != argc || threads < 1 || threads > THREADS_MAX) return fputs("usage: flood [OPTION...] ENDPOINT\n", stderr), 64;
	struct metlog *client = metlog_open(argv[optind], &options, &fault);
	if (!client) return fprintf(stderr, "flood: %s\n", fault.text), 69;
	if (steps && !connect_first(client)) return fputs("flood: nobody has taken the first message\n", stderr), 69;
	if (steps) step("connected");
	double began = clock_seconds(CLOCK_MONOTONIC);
	call_all(client, threads, count, steps);
	if (steps) step("called");
	else puts("called");
	return close_all(client, close_ms, began);
}
