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
	progress_open_silent(p, operands, operand_count, quiet || isatty(STDOUT_FILENO));
}

void progress_open_silent(struct progress *p, char *const *operands, int operand_count, bool quiet)
{
	const char *term = getenv("TERM");
	*p = (struct progress){ 0 };
	p->shown = !quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
	if (!p->shown) return;
	if (operand_count == 0 && !add_size("-", &p->total_bytes)) return;
	for (int i = 0; i < operand_count; i++)
		if (!add_size(operands[i], &p->total_bytes)) return;
	p->wanted = p->total_bytes > 0;
	p->start_ns = clock_ns();
	p->next_ns = p->start_ns + WAIT_MS * MILLISECOND;
}

void progress_print_bytes(char out[32], double bytes)
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

static void show(const char *what, uint64_t done, uint64_t total_bytes, int64_t elapsed_ns)
{
	char line[160], total[32], rate[32], left[32];
	double per_second = (double)done / ((double)elapsed_ns / 1e9);
	progress_print_bytes(total, (double)total_bytes);
	progress_print_bytes(rate, per_second);
	print_time(left, per_second > 0 ? (double)(total_bytes - done) / per_second : 0);
	int length = snprintf(line, sizeof line, "%s: %s%s%.0f %% of %s, %s/s, %s left", diag_program(), what, *what ? ": " : "",
		100.0 * (double)done / (double)total_bytes, total, rate, left);
	if (length > 0) diag_status(line);
}

void progress_tick(struct progress *p, uint64_t bytes)
{
	if (!p->wanted) return;
	int64_t now = clock_ns();
	if (now < p->next_ns) return;
	p->next_ns = now + BETWEEN_MS * MILLISECOND;
	uint64_t done = p->before_bytes + bytes;
	if (done > p->total_bytes) p->total_bytes = done; /* it grew while we read */
	show("", done, p->total_bytes, now - p->start_ns);
}

void progress_task_tick(const struct progress *p, struct progress_task *t, const char *what, uint64_t bytes)
{
	if (!p->shown) return;
	int64_t now = clock_ns();
	if (!t->start_ns) t->start_ns = now, t->next_ns = now + WAIT_MS * MILLISECOND;
	if (now < t->next_ns) return;
	t->next_ns = now + BETWEEN_MS * MILLISECOND;
	if (bytes > t->total_bytes) t->total_bytes = bytes;
	t->is_shown = true;
	if (t->total_bytes) show(what, bytes, t->total_bytes, now - t->start_ns);
}

void progress_task_end(const struct progress *p, struct progress_task *t)
{
	if (p->shown && t->start_ns) diag_status("");
	*t = (struct progress_task){ 0 };
}

void progress_next_file(struct progress *p, uint64_t bytes)
{
	p->before_bytes += bytes;
}

void progress_close(struct progress *p)
{
	if (p->shown) diag_status("");
	p->shown = p->wanted = false;
}
