/* segment - names of segments, and walking them in order while a writer renames them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"
#include "base/timestamp.h"

/* 000000000042-20121005T120001Z-8a7b6c5d */
enum { NUMBER_DIGITS = 12, TIME_AT = 13, TIME_LENGTH = 16, RANDOM_AT = 30, STEM_LENGTH = 38 };

static const uint64_t NUMBER_MAX = 999999999999;
static const int64_t SECOND_NS = 1000000000;
static const int64_t TIME_MAX = 9214646399 * 1000000000; /* the end of 2261 */

static const char *const endings[] = { [SEGMENT_OPEN] = ".open", [SEGMENT_SEALED] = ".ndjson", [SEGMENT_COMPRESSED] = ".ndjson.zst" };

static uint32_t draw(void)
{
	uint32_t drawn;
	if (getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) == (ssize_t)sizeof drawn) return drawn;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)now.tv_nsec ^ (uint32_t)getpid() << 16;
}

void segment_make(struct segment *segment, uint64_t number, int64_t now)
{
	/* A clock may say anything; a name must be one that is read as a time again. */
	if (now < 0) now = 0;
	if (now > TIME_MAX) now = TIME_MAX;
	time_t seconds = (time_t)(now / SECOND_NS);
	struct tm at;
	gmtime_r(&seconds, &at);
	*segment = (struct segment){ .number = number > NUMBER_MAX ? NUMBER_MAX : number, .begun = (int64_t)seconds * SECOND_NS, .form = SEGMENT_OPEN };
	char when[TIME_LENGTH + 1], stem[64];
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &at);
	snprintf(stem, sizeof stem, "%012llu-%s-%08x", (unsigned long long)segment->number, when, draw());
	memcpy(segment->stem, stem, STEM_LENGTH);
}

static bool parse_number(struct segment *segment, const char *stem)
{
	int64_t number;
	if (strspn(stem, "0123456789") != NUMBER_DIGITS || !number_parse_int((struct span){ stem, NUMBER_DIGITS }, &number)) return false;
	segment->number = (uint64_t)number;
	return true;
}

/* 20121005T120001Z */
static bool parse_time(struct segment *segment, const char *text)
{
	if (strspn(text, "0123456789") != 8 || strspn(text + 9, "0123456789") != 6) return false;
	char spread[24];
	int length = snprintf(spread, sizeof spread, "%.4s-%.2s-%.2s%c%.2s:%.2s:%.2s%c", text, text + 4, text + 6, text[8], text + 9, text + 11, text + 13, text[15]);
	return text[8] == 'T' && text[15] == 'Z' && timestamp_parse((struct span){ spread, (size_t)length }, &segment->begun);
}

bool segment_parse(struct segment *segment, const char *file_name)
{
	if (strnlen(file_name, STEM_LENGTH) < STEM_LENGTH) return false;
	size_t form = 0;
	while (form < sizeof endings / sizeof *endings && strcmp(file_name + STEM_LENGTH, endings[form]) != 0) form++;
	if (form == sizeof endings / sizeof *endings) return false;
	*segment = (struct segment){ .form = (enum segment_form)form };
	memcpy(segment->stem, file_name, STEM_LENGTH);
	return parse_number(segment, segment->stem) && segment->stem[TIME_AT - 1] == '-' && parse_time(segment, segment->stem + TIME_AT) &&
	       segment->stem[RANDOM_AT - 1] == '-' && strspn(segment->stem + RANDOM_AT, "0123456789abcdef") == STEM_LENGTH - RANDOM_AT;
}

void segment_name(char name[SEGMENT_NAME_MAX], const struct segment *segment, enum segment_form form)
{
	snprintf(name, SEGMENT_NAME_MAX, "%s%s", segment->stem, endings[form]);
}

/* --- the list ----------------------------------------------------------------- */

void segment_list_init(struct segment_list *list, int dir_fd)
{
	*list = (struct segment_list){ .dir_fd = dir_fd };
}

/* Which of two forms counts if both names were seen: what is sealed, and uncompressed. */
static bool is_better(enum segment_form a, enum segment_form b)
{
	static const int rank[] = { [SEGMENT_SEALED] = 0, [SEGMENT_COMPRESSED] = 1, [SEGMENT_OPEN] = 2 };
	return rank[a] < rank[b];
}

/* Keeps the lowest SEGMENT_LIST_MAX stems, in order. */
static void insert(struct segment_list *list, const struct segment *segment)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(list->found[middle].stem, segment->stem) < 0) low = middle + 1;
		else high = middle;
	}
	if (low < list->count && strcmp(list->found[low].stem, segment->stem) == 0) {
		if (is_better(segment->form, list->found[low].form)) list->found[low] = *segment;
		return;
	}
	if (low == SEGMENT_LIST_MAX) {
		list->last = false;
		return;
	}
	if (list->count == SEGMENT_LIST_MAX) list->last = false, list->count--;
	memmove(list->found + low + 1, list->found + low, (list->count - low) * sizeof *list->found);
	list->found[low] = *segment;
	list->count++;
}

/* One pass over the directory: adds what sorts behind `after` and not behind `up_to` ("": no end). 0 or an errno. */
static int read_pass(struct segment_list *list, const char *up_to)
{
	int fd = openat(list->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own */
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int error = errno;
		if (fd >= 0) close(fd);
		return error;
	}
	struct dirent *entry;
	struct segment segment;
	while (errno = 0, (entry = readdir(dir)))
		if (segment_parse(&segment, entry->d_name) && strcmp(segment.stem, list->after) > 0 && (!*up_to || strcmp(segment.stem, up_to) <= 0)) insert(list, &segment);
	int error = errno;
	closedir(dir);
	return error;
}

static bool is_before(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/* One pass; *quiet: nothing in the directory was renamed, made or removed during it. The directory's time of change is a reading of the coarse
 * clock, so if it lies before the clock's present reading, any change from now on will show. */
static int read_watched(struct segment_list *list, const char *up_to, bool *quiet)
{
	struct stat before, after;
	struct timespec now;
	if (fstat(list->dir_fd, &before) < 0) return errno;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	int error = read_pass(list, up_to);
	if (error) return error;
	if (fstat(list->dir_fd, &after) < 0) return errno;
	*quiet = is_before(before.st_mtim, now) && before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
	return 0;
}

/* A file that is renamed during a pass may be seen under neither name, and the one begun after it be seen: who trusted that would pass over
 * it. A segment changes its name twice at most (sealed, compressed) and is made once, so of those up to the last one found in a pass, four
 * passes miss none. A quiet pass is enough by itself. */
static int fill(struct segment_list *list)
{
	enum { ENOUGH = 4 };
	char up_to[SEGMENT_STEM_MAX] = "";
	bool quiet = false;
	int passes = 0;
	list->count = list->at = 0;
	list->last = true;
	for (int bounded = 0; !quiet && bounded < ENOUGH && (*up_to || passes < ENOUGH); passes++) {
		int error = read_watched(list, up_to, &quiet);
		if (error) {
			list->count = 0, list->last = false;
			return error;
		}
		if (!*up_to && list->count) memcpy(up_to, list->found[list->count - 1].stem, sizeof up_to);
		bounded += *up_to != '\0';
	}
	if (!list->count) return 0;
	/* Behind the last one of a noisy pass nobody has looked. */
	if (!quiet || passes > 1) list->last = false;
	memcpy(list->after, list->found[list->count - 1].stem, sizeof list->after);
	return 0;
}

int segment_list_next(struct segment_list *list, struct segment *segment)
{
	if (list->at == list->count) {
		if (list->last) return 0;
		int error = fill(list);
		if (error) {
			errno = error;
			return -1;
		}
		if (!list->count) return 0;
	}
	*segment = list->found[list->at++];
	return 1;
}
