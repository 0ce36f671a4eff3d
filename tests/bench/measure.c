/* measure - runs a shell command and prints wall, user and system seconds and the peak memory of its largest process. */
/* SPDX-License-Identifier: MPL-2.0 */

/* usage: measure REPEATS COMMAND
 * Output: "wall user sys peak-KiB status", the times divided by REPEATS. The CPU of all descendants counts, as long as each
 * was waited for. With more than one repeat the command is run without a shell, split at blanks: the start of a program is measured. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
	if (argc != 3) return fputs("usage: measure REPEATS COMMAND\n", stderr), 64;
	int repeats = atoi(argv[1]), status = 0;
	static char sh[] = "/bin/sh", flag[] = "-c";
	char *shell[] = { sh, flag, argv[2], NULL }, *bare[16] = { 0 };
	char **command = repeats > 1 ? bare : shell;
	if (repeats > 1) {
		size_t count = 0;
		for (char *word = strtok(argv[2], " "); word && count < 15; word = strtok(NULL, " ")) bare[count++] = word;
		int null = open("/dev/null", O_RDWR);
		if (dup2(null, 0) < 0 || dup2(null, 2) < 0) return 71;
	}
	struct timespec start, end;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < repeats; i++) {
		pid_t child;
		if (posix_spawn(&child, command[0], NULL, NULL, command, environ)) return 71;
		waitpid(child, &status, 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	struct rusage usage;
	getrusage(RUSAGE_CHILDREN, &usage);
	double wall = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
	printf("%.6f %.6f %.6f %ld %d\n", wall / repeats, seconds(usage.ru_utime) / repeats, seconds(usage.ru_stime) / repeats,
		usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
