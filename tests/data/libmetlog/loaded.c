/* loaded - a plug-in host: loads libmetlog when it runs, sends from a thread that outlives it, and unloads it, a number of times. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <metlog.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct library {
	struct metlog *(*open)(const char *, const struct metlog_options *, struct metlog_fault *);
	enum metlog_result (*count)(struct metlog *, const char *, int64_t, double, struct metlog_fields);
	int (*close)(struct metlog *, int, struct metlog_counts *);
	struct metlog *client;
	pthread_barrier_t counted, unloaded;
};

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void *find(void *handle, const char *name)
{
	void *found = dlsym(handle, name);

	if (found == NULL)
		fail(dlerror());
	return found;
}

static void *thread(void *argument)
{
	struct library *library = argument;

	library->count(library->client, "orders", 1, 1, METLOG_NONE);
	pthread_barrier_wait(&library->counted);
	pthread_barrier_wait(&library->unloaded);
	return NULL; /* whatever the library keeps for a thread is let go of here */
}

static void turn(const char *name, const char *endpoint)
{
	struct library library;
	pthread_t other;
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL)
		fail(dlerror());
	*(void **)&library.open = find(handle, "metlog_open");
	*(void **)&library.count = find(handle, "metlog_count");
	*(void **)&library.close = find(handle, "metlog_close");
	library.client = library.open(endpoint, NULL, NULL);
	if (library.client == NULL)
		fail("metlog_open failed");
	pthread_barrier_init(&library.counted, NULL, 2);
	pthread_barrier_init(&library.unloaded, NULL, 2);
	if (pthread_create(&other, NULL, thread, &library) != 0)
		fail("no thread");
	pthread_barrier_wait(&library.counted);
	library.count(library.client, "orders", 1, 1, METLOG_NONE);
	if (library.close(library.client, -1, NULL) != 0)
		fail("metlog_close failed");
	if (dlclose(handle) != 0)
		fail(dlerror());
	pthread_barrier_wait(&library.unloaded);
	pthread_join(other, NULL);
	pthread_barrier_destroy(&library.counted);
	pthread_barrier_destroy(&library.unloaded);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	for (int left = atoi(argv[3]); left > 0; left--)
		turn(argv[1], argv[2]);
	return 0;
}
