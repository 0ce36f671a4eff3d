/* place_fixture - where a client's messages go in a test: a file in a folder of its own, or a socket that is read when the test wants it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_PLACE_FIXTURE_H
#define TESTS_UNIT_PLACE_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/metlog.h"

struct place {
	char folder[32];
	char file[96], to_file[112];      /* "file:..." */
	char socket[96], to_socket[112];  /* "unix:..." */
	int listener;
};

static inline void place_make(struct place *p)
{
	strcpy(p->folder, "/tmp/metlog-client.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->file, sizeof p->file, "%s/file", p->folder);
	snprintf(p->to_file, sizeof p->to_file, "file:%s", p->file);
	snprintf(p->socket, sizeof p->socket, "%s/socket", p->folder);
	snprintf(p->to_socket, sizeof p->to_socket, "unix:%s", p->socket);
	p->listener = -1;
}

static inline void place_remove(struct place *p)
{
	if (p->listener >= 0) close(p->listener);
	unlink(p->file);
	unlink(p->socket);
	rmdir(p->folder);
}

static inline void place_listen(struct place *p)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, p->socket);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(p->listener, 16), 0);
}

static inline int place_accept(const struct place *p)
{
	int fd = accept(p->listener, NULL, NULL);
	assert_true(fd >= 0);
	return fd;
}

/* All that the descriptor has until its end, NUL-terminated; to be freed. Closes it. */
static inline char *place_read(int fd)
{
	size_t length = 0, room = 1 << 16;
	char *text = malloc(room);
	ssize_t got;
	assert_true(fd >= 0);
	while ((got = read(fd, text + length, room - length - 1)) > 0) {
		length += (size_t)got;
		if (room - length < 2) text = realloc(text, room *= 2);
	}
	close(fd);
	text[length] = '\0';
	return text;
}

/* The same, in a thread of its own from now on: some far sides must read for a close to end. */
struct place_reader {
	pthread_t thread;
	int fd;
	char *text;
};

static inline void *place_reader_run(void *argument)
{
	struct place_reader *r = argument;
	r->text = place_read(r->fd);
	return NULL;
}

static inline void place_reader_start(struct place_reader *r, int fd)
{
	r->fd = fd;
	assert_int_equal(pthread_create(&r->thread, NULL, place_reader_run, r), 0);
}

static inline char *place_reader_end(struct place_reader *r)
{
	pthread_join(r->thread, NULL);
	return r->text;
}

static inline char *place_text(const struct place *p)
{
	return place_read(open(p->file, O_RDONLY | O_CLOEXEC));
}

/* strstr(3), whose stand-in under ThreadSanitizer reads all of the text at each call. */
static inline const char *find_in(const char *text, const char *what)
{
	for (; *text; text++) {
		const char *at = text, *with = what;
		while (*with && *at == *with) at++, with++;
		if (!*with) return text;
	}
	return NULL;
}

static inline size_t count_in(const char *text, const char *what)
{
	size_t count = 0;
	for (const char *at = text; (at = find_in(at, what)); at++) count++;
	return count;
}

/* The sum of the payloads of all reports of drops. */
static inline unsigned long drops_reported(const char *text)
{
	static const char report[] = "\"name\":\"metlog.client.dropped\"", payload[] = "\"payload\":\"";
	unsigned long sum = 0;
	for (const char *at = text; (at = find_in(at, report)); at++) {
		const char *line = at;
		while (line > text && line[-1] != '\n') line--;
		sum += strtoul(find_in(line, payload) + sizeof payload - 1, NULL, 10);
	}
	return sum;
}

/* Entries of a folder of /proc/self: descriptors, threads. */
static inline unsigned entries(const char *folder)
{
	unsigned count = 0;
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	while (readdir(dir)) count++;
	closedir(dir);
	return count;
}

/* For cmocka: each test has a place of its own. */
static inline int place_setup(void **state)
{
	static struct place place;
	place_make(&place);
	*state = &place;
	return 0;
}

static inline int place_teardown(void **state)
{
	place_remove(*state);
	return 0;
}

static inline enum metlog_result say(struct metlog *m, const char *text)
{
	return metlog_send(m, "test", METLOG_SEVERITY_DEFAULT, text, METLOG_NONE);
}

/* Does the thread sleep, as one does that is in a call and waits? 0: not yet known which it is. */
static inline bool is_asleep(int thread)
{
	char path[64], state = '?';
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
	FILE *f = thread ? fopen(path, "re") : NULL;
	if (!f) return false;
	int found = fscanf(f, "%*d (%*[^)]) %c", &state);
	fclose(f);
	return found == 1 && state == 'S';
}

#endif
