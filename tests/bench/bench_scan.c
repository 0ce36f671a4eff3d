/* bench_scan - the scanner alone over a corpus in memory: GB/s of one kernel, with and without the grammar. */
/* SPDX-License-Identifier: MPL-2.0 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include "envelope/envelope.h"

struct tally {
	uint64_t good, bad, types; /* `types` adds up lengths, so that nothing can be left out */
};

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static char *load(const char *path, size_t *length)
{
	struct stat about;
	FILE *file = fopen(path, "rb");
	if (!file || fstat(fileno(file), &about) < 0 || about.st_size < 1) return NULL;
	*length = (size_t)about.st_size;
	char *data = calloc(*length + 1 + SCAN_PADDING, 1);
	if (data && fread(data, 1, *length, file) != *length) return NULL;
	fclose(file);
	if (data && data[*length - 1] != '\n') data[(*length)++] = '\n';
	return data;
}

static struct tally pass(struct scan *scan, const char *data, size_t length, bool parse)
{
	struct tally tally = { 0 };
	struct envelope envelope;
	struct envelope_fault fault;
	for (const char *at = data, *end = data + length; at < end;) {
		size_t taken = scan_line(scan, at, end);
		if (!parse) tally.types += scan->count, tally.good += !(scan->flags & ~(unsigned)SCAN_ESCAPES);
		else if (envelope_parse(&envelope, scan, (struct span){ at, taken }, &fault) == ENVELOPE_GOOD)
			tally.good++, tally.types += envelope.type.text.length;
		else tally.bad++;
		at += taken + 1;
	}
	return tally;
}

int main(int argc, char **argv)
{
	struct scan scan = { 0 };
	size_t length;
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (const struct scan_kernel *const *k = scan_kernels(); *k; k++) puts((*k)->name);
		return 0;
	}
	if (argc != 3) return fputs("usage: bench_scan KERNEL FILE | --list\n", stderr), 64;
	char *data = load(argv[2], &length);
	if (!data || !scan_init(&scan)) return fprintf(stderr, "bench_scan: cannot read %s into memory\n", argv[2]), 66;
	if (!scan_choose(&scan, argv[1])) return fprintf(stderr, "bench_scan: this machine cannot run %s\n", argv[1]), 64;
	pass(&scan, data, length, true);
	for (int parse = 0; parse < 2; parse++) {
		double start = seconds();
		struct tally tally = pass(&scan, data, length, parse);
		double took = seconds() - start;
		printf("%s %s %.3f GB/s good %llu bad %llu sum %llu\n", argv[1], parse ? "full" : "index", (double)length / took / 1e9,
			(unsigned long long)tally.good, (unsigned long long)tally.bad, (unsigned long long)tally.types);
	}
	scan_release(&scan);
	free(data);
	return 0;
}
