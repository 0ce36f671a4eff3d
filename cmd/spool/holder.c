/* holder - which process holds a lock of a spool, found out without touching the lock. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "holder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The kernel's own list: "3: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF". Some filesystems show another device there than stat(2) does. */
static pid_t find_in_list(const struct stat *lock)
{
	FILE *list = fopen("/proc/locks", "re");
	char line[256];
	long found = 0;
	while (list && !found && fgets(line, sizeof line, list)) {
		long pid;
		unsigned major, minor;
		unsigned long long inode;
		if (sscanf(line, "%*s FLOCK %*s WRITE %ld %x:%x:%llu", &pid, &major, &minor, &inode) == 4 && pid > 0 && inode == lock->st_ino
		    && makedev(major, minor) == lock->st_dev)
			found = pid;
	}
	if (list) fclose(list);
	return (pid_t)found;
}

/* Whether the process has the file open. One whose descriptors may not be looked at is believed. */
static bool has_open(long pid, const struct stat *lock)
{
	char path[64];
	struct dirent *entry;
	struct stat one;
	bool found = false;
	snprintf(path, sizeof path, "/proc/%ld/fd", pid);
	DIR *dir = opendir(path);
	if (!dir) return errno == EACCES || (errno == ENOENT && access("/proc/self", F_OK) != 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM));
	while (!found && (entry = readdir(dir)))
		found = fstatat(dirfd(dir), entry->d_name, &one, 0) == 0 && one.st_dev == lock->st_dev && one.st_ino == lock->st_ino;
	closedir(dir);
	return found;
}

pid_t holder_find(int dir_fd, const char *name)
{
	char text[24] = "";
	struct stat lock;
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) return 0;
	ssize_t got = fstat(fd, &lock) < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
	close(fd);
	if (got < 0) return 0;
	pid_t listed = find_in_list(&lock);
	if (listed) return listed;
	long pid = strtol(text, NULL, 10);
	return pid > 0 && has_open(pid, &lock) ? (pid_t)pid : 0;
}
