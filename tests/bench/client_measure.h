/* client_measure - what one message costs the thread that hands it over: bursts of calls, each between two readings of the clock. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_MEASURE_H
#define CLIENT_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Also compiled as C++: a rival is. A way of handing a message over: `open` with an argument of its own (where to; may be NULL) returns its state, or NULL, having said why on
 * standard error; `drain` waits until what was handed over has left. */
struct client_way {
	const char *name;
	void *(*open)(const char *where);
	void (*call)(void *state);
	void (*drain)(void *state);
	void (*close)(void *state);
};

/* PAUSE: so that the far side, too, has worked off a burst before the next one. WARM: bursts before it counts; memory is touched, the receiver has come. */
enum { CLIENT_BURST = 1000, CLIENT_WARM = 20, CLIENT_PAUSE_NS = 500000 };

static inline int64_t client_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int client_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static inline void client_settle(const struct client_way *way, void *state)
{
	struct timespec pause = { 0, CLIENT_PAUSE_NS };
	if (way->drain) way->drain(state);
	nanosleep(&pause, NULL);
}

/* A burst with the clock read before and after each call: the reading is in each of the times. */
static inline void client_burst_each(const struct client_way *way, void *state, uint32_t *times)
{
	int64_t before = client_clock();
	for (int i = 0; i < CLIENT_BURST; i++) {
		way->call(state);
		int64_t after = client_clock();
		times[i] = after - before > UINT32_MAX ? UINT32_MAX : (uint32_t)(after - before);
		before = after;
	}
}

/* And one without: picoseconds a call. */
static inline uint32_t client_burst_whole(const struct client_way *way, void *state)
{
	int64_t before = client_clock();
	for (int i = 0; i < CLIENT_BURST; i++) way->call(state);
	int64_t taken = client_clock() - before;
	return taken > UINT32_MAX * (int64_t)CLIENT_BURST / 1000 ? UINT32_MAX : (uint32_t)(taken * 1000 / CLIENT_BURST);
}

/* Prints "p50 p99 p99.9 mean whole", in nanoseconds a call; whole: the median burst's without readings of the clock in it. The exit status. */
static inline int client_measure(const struct client_way *way, const char *where, int bursts)
{
	size_t count = (size_t)bursts * CLIENT_BURST;
	uint32_t *times = (uint32_t *)malloc(count * sizeof *times), *whole = (uint32_t *)malloc((size_t)bursts * sizeof *whole);
	void *state = way->open ? way->open(where) : times;
	double sum = 0;
	if (!times || !whole || !state) return 69;
	for (int i = 0; i < CLIENT_WARM; i++) client_burst_each(way, state, times), client_settle(way, state);
	for (int i = 0; i < bursts; i++) {
		client_burst_each(way, state, times + (size_t)i * CLIENT_BURST);
		client_settle(way, state);
		whole[i] = client_burst_whole(way, state);
		client_settle(way, state);
	}
	if (way->close) way->close(state);
	for (size_t i = 0; i < count; i++) sum += times[i];
	qsort(times, count, sizeof *times, client_compare);
	qsort(whole, (size_t)bursts, sizeof *whole, client_compare);
	printf("%u %u %u %.1f %.1f\n", times[count / 2], times[count / 100 * 99], times[count / 1000 * 999], sum / (double)count, whole[bursts / 2] / 1000.0);
	free(times);
	free(whole);
	return 0;
}

#endif
