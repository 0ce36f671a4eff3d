/* bench_client - measures what handing over one message costs the calling thread, for libmetlog, its rivals and what bounds them all. */
/* SPDX-License-Identifier: MPL-2.0 */

/* usage: bench_client NAME BURSTS [WHERE]    prints "p50 p99 p99.9 mean whole", see client_measure.h
 *        bench_client --list                 the names */

#include <stdbool.h>
#include <string.h>

#include "client_ways.h"

static const struct client_way *const groups[] = { bench_floor, bench_rivals, bench_metlog };

int main(int argc, char **argv)
{
	bool list = argc == 2 && !strcmp(argv[1], "--list");
	if (!list && argc != 3 && argc != 4) return fputs("usage: bench_client NAME BURSTS [WHERE] | bench_client --list\n", stderr), 64;
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
		for (const struct client_way *way = groups[i]; way->name; way++) {
			if (list) puts(way->name);
			else if (!strcmp(way->name, argv[1])) return client_measure(way, argv[3], atoi(argv[2]));
		}
	if (!list) fprintf(stderr, "bench_client: no such row: %s\n", argv[1]);
	return list ? 0 : 64;
}
