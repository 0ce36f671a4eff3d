/* timer - the time between two points in a program. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/client.h"

#include <time.h>
#include "base/number.h"

static __attribute__((noinline)) int64_t monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static __attribute__((noinline)) enum client_choice choose_first(double rate)
{
	client_seed();
	return client_choose(rate);
}

/* The functions that are called for each timer, sent or not, save no more registers than they need, and have no array: those behind them do. */
struct metlog_timer metlog_timer_begin(struct metlog *client, const char *name, double rate)
{
	struct metlog_timer timer = { NULL, name, rate, client ? -1 : 0 };
	if (!client) return timer;
	enum client_choice choice = client_choose(rate);
	if (choice == CLIENT_UNSEEDED) choice = choose_first(rate);
	if (choice == CLIENT_LEAVES_OUT || rules_disable_named_timer(client_rules(client), name)) {
		client_leave_out(client);
		return timer;
	}
	timer.began_ns = monotonic_ns();
	timer.client = client;
	return timer;
}

/* Microseconds as milliseconds with at most three decimals: 35000 is "35", 412 is "0.412". */
static size_t print_milliseconds(char text[NUMBER_INT_MAX + 4], int64_t microseconds)
{
	size_t length = number_print_int(text, microseconds / 1000);
	unsigned rest = (unsigned)(microseconds % 1000);
	if (rest == 0) return length;
	text[length++] = '.';
	for (unsigned unit = 100; rest; rest %= unit, unit /= 10) text[length++] = (char)('0' + rest / unit);
	return length;
}

/* The header has the part of it that a timer needs which is not sent; this one is for who has no header. */
enum metlog_result (metlog_timer_end)(struct metlog_timer *timer, struct metlog_fields fields)
{
	if (!timer->client) return metlog_timer_end(timer, fields);
	char text[NUMBER_INT_MAX + 4];
	struct metlog *client = timer->client;
	struct client_metric metric = { timer->name, timer->rate, { text, print_milliseconds(text, (monotonic_ns() - timer->began_ns + 500) / 1000) }, true };
	timer->client = NULL; /* a timer ends once */
	return client_send_metric(client, SPAN("timer"), &metric, fields);
}
