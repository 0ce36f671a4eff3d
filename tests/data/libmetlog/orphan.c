/* orphan - a plug-in host that closes and unloads libmetlog while the library's thread looks up a name, which takes as long as this program wants. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <metlog.h>

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

static sem_t asked, answer;

/* In the place of the C library's, also for libmetlog. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	(void)host, (void)service, (void)hints, (void)found;
	sem_post(&asked);
	sem_wait(&answer);
	return EAI_NONAME;
}

static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 2; /* . and .. */
}

int main(int argc, char **argv)
{
	struct metlog *(*opened)(const char *, const struct metlog_options *, struct metlog_fault *);
	enum metlog_result (*counted)(struct metlog *, const char *, int64_t, double, struct metlog_fields);
	int (*closed)(struct metlog *, int, struct metlog_counts *);
	void *handle = dlopen(argc > 1 ? argv[1] : "libmetlog.so.0", RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&opened = dlsym(handle, "metlog_open");
	*(void **)&counted = dlsym(handle, "metlog_count");
	*(void **)&closed = dlsym(handle, "metlog_close");
	sem_init(&asked, 0, 0);
	sem_init(&answer, 0, 0);
	struct metlog *m = opened("tcp:far.example:5565", NULL, NULL);
	counted(m, "orders", 1, 1, METLOG_NONE);
	sem_wait(&asked);
	struct metlog_counts counts;
	printf("close %d", closed(m, 10, &counts));
	printf(" unsent %d\n", (int)counts.unsent);
	dlclose(handle);
	for (int i = 0; i < 100; i++)
		sem_post(&answer);
	while (threads() > 1)
		usleep(1000);
	return 0;
}
