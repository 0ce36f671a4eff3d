/* progress - a line on the terminal for work that lasts: how far, how fast, how long still. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "filter/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/diag.h"

#define MILLISECOND INT64_C(1000000)

enum { WAIT_MS = 2000, BETWEEN_MS = 250 };

static int64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 * MILLISECOND + now.tv_nsec;
}

/* Adds the size of a regular file; false for anything else, which has no known end. */
static bool add_size(const char *name, uint64_t *total)
{
	struct stat status;
	int failed = strcmp(name, "-") == 0 ? fstat(STDIN_FILENO, &status) : stat(name, &status);
	if (failed) return true; /* it will be reported when it is opened */
	*total += (uint64_t)status.st_size;
	return S_ISREG(status.st_mode);
}

void progress_open(struct progress *p, char *const *operands, int operand_count, bool quiet)
{
	const char *term = getenv("TERM");
	*p = (struct progress){ 0 };
	if (quiet || !isatty(STDERR_FILENO) || isatty(STDOUT_FILENO) || !term || strcmp(term, "dumb") == 0) return;
	if (operand_count == 0 && !add_size("-", &p->total_bytes)) return;
	for (int i = 0; i < operand_count; i++)
		if (!add_size(operands[i], &p->total_bytes)) return;
	p->wanted = p->total_bytes > 0;
	p->start_ns = clock_ns();
	p->next_ns = p->start_ns + WAIT_MS * MILLISECOND;
}

/* 4.9 GB, 812 MB: three digits at most before the unit. */
static void print_bytes(char out[32], double bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	size_t unit = 0;
	for (; bytes >= 999.5 && unit < 5; unit++) bytes /= 1000;
	snprintf(out, 32, "%.*f %s", bytes < 9.95 && unit ? 1 : 0, bytes, units[unit]);
}

static void print_time(char out[32], double seconds)
{
	long s = (long)(seconds + 0.5);
	if (s < 60) snprintf(out, 32, "%ld s", s);
	else if (s < 3600) snprintf(out, 32, "%ld:%02ld min", s / 60, s % 60);
	else snprintf(out, 32, "%ld:%02ld h", s / 3600, s / 60 % 60);
}

void progress_tick(struct progress *p, uint64_t bytes)
{
	if (!p->wanted) return;
	int64_t now = clock_ns();
	if (now < p->next_ns) return;
	p->next_ns = now + BETWEEN_MS * MILLISECOND;
	char line[160], total[32], rate[32], left[32];
	uint64_t done = p->before_bytes + bytes;
	double per_second = (double)done / ((double)(now - p->start_ns) / 1e9);
	if (done > p->total_bytes) p->total_bytes = done; /* it grew while we read */
	print_bytes(total, (double)p->total_bytes);
	print_bytes(rate, per_second);
	print_time(left, per_second > 0 ? (double)(p->total_bytes - done) / per_second : 0);
	int length = snprintf(line, sizeof line, "%s: %.0f %% of %s, %s/s, %s left", diag_program(), 100.0 * (double)done / (double)p->total_bytes, total, rate, left);
	if (length > 0) diag_status(line);
}

void progress_next_file(struct progress *p, uint64_t bytes)
{
	p->before_bytes += bytes;
}

void progress_close(struct progress *p)
{
	if (p->wanted) diag_status("");
	p->wanted = false;
}
