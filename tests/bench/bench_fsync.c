/* bench_fsync - what the spool is measured against: cat that calls fdatasync after so many bytes or milliseconds. */
/* SPDX-License-Identifier: MPL-2.0 */

/* usage: bench_fsync BYTES MILLISECONDS <INPUT >FILE
 * Reads in blocks of 256 KiB, writes, and syncs once BYTES were written or MILLISECONDS have passed since the first byte that is not synced. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

int main(int argc, char **argv)
{
	static char block[256 * 1024];
	if (argc != 3) return fputs("usage: bench_fsync BYTES MILLISECONDS <INPUT >FILE\n", stderr), 64;
	long limit = atol(argv[1]), unsynced = 0, syncs = 0;
	double interval = atof(argv[2]), first = 0;
	ssize_t got;
	while ((got = read(0, block, sizeof block)) > 0) {
		if (!unsynced) first = now_ms();
		for (ssize_t at = 0, put; at < got; at += put)
			if ((put = write(1, block + at, (size_t)(got - at))) <= 0) return perror("write"), 74;
		unsynced += got;
		if (unsynced < limit && now_ms() - first < interval) continue;
		if (fdatasync(1) != 0) return perror("fdatasync"), 74;
		unsynced = 0;
		syncs++;
	}
	if (unsynced && fdatasync(1) != 0) return perror("fdatasync"), 74;
	fprintf(stderr, "%ld\n", syncs + (unsynced > 0));
	return got < 0;
}
