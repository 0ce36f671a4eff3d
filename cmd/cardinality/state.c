/* state - the sketches of each group and day in a directory: opened, locked, checked, replaced. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "state_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/spool.h"
#include "sink/state_file.h"
#include "state_merge.h"

void state_refuse(const struct state *s, const char *name, const char *reason)
{
	die(EXIT_CONFIGURATION, "reading the state %s/%s: %s; it is left as it is", s->dir.path, name, reason);
}

void state_die(const struct state *s, const char *verb, const char *name, int error)
{
	state_dir_die(&s->dir, verb, name, error);
}

int state_open_file(const struct state *s, const char *name)
{
	return state_dir_file(&s->dir, name, O_RDONLY);
}

/* --- the files that are there ------------------------------------------------- */

static bool is_named(const struct state *s, const struct state_entry *entry)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->entry[i].day == entry->day && s->entry[i].generation == entry->generation) return true;
	return false;
}

/* Calls `found` with the name of each day file that current does not name. 0, or an errno. */
static int walk_unnamed(const struct state *s, void (*found)(const struct state *, const char *name))
{
	struct state_entry entry;
	int fd = openat(s->dir.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int error = errno;
		if (fd >= 0) close(fd);
		return error;
	}
	errno = 0;
	for (struct dirent *one; (one = readdir(dir)); errno = 0)
		if (state_entry_parse(one->d_name, &entry) && !is_named(s, &entry)) found(s, one->d_name);
	int error = errno;
	closedir(dir);
	return error;
}

static void refuse_without_current(const struct state *s, const char *name)
{
	(void)name;
	state_refuse(s, "current", "it is not there, and day files are");
}

static void remove_unnamed(const struct state *s, const char *name)
{
	unlinkat(s->dir.fd, name, 0);
}

struct state *state_open(const char *dir, struct span of, struct span identity, int longest_days)
{
	struct state *s = must_alloc(sizeof *s);
	s->clock = INT64_MIN;
	buffer_init(&s->of, SIZE_MAX / 2);
	buffer_init(&s->identity, SIZE_MAX / 2);
	if (!buffer_append_span(&s->of, of) || !buffer_append_span(&s->identity, identity)) die(EXIT_INTERNAL, "no memory for the state");
	state_dir_open(&s->dir, dir);
	state_current_read(s);
	int error = s->has_current ? 0 : walk_unnamed(s, refuse_without_current);
	if (error) die(state_dir_status(error), "reading the state %s: %s", s->dir.path, strerror(error));
	for (size_t i = 0; i < s->count; i++) state_reader_check(s, &s->entry[i]);
	s->asked = s->longest > longest_days ? s->longest : longest_days;
	return s;
}

void state_close(struct state *s)
{
	state_dir_close(&s->dir);
	buffer_release(&s->of);
	buffer_release(&s->identity);
	free(s->entry);
	free(s);
}

int64_t state_newest(const struct state *s)
{
	return s->count ? s->entry[s->count - 1].day : STATE_NO_DAY;
}

int64_t state_clock(const struct state *s)
{
	return s->clock;
}

int64_t state_first_kept(const struct state *s, int64_t newest)
{
	return newest == STATE_NO_DAY ? STATE_NO_DAY : newest - s->asked;
}

/* --- replacing ---------------------------------------------------------------- */

/* Behind all that it names, for its name makes them count. *in_place: it is there, whatever the error. */
static int write_current(const struct state *s, bool *in_place)
{
	struct buffer text;
	int error = state_current_append(&text, s) ? spool_sync_fd(s->dir.fd, false) : ENOMEM;
	if (!error) error = state_file_replace(s->dir.fd, "current", buffer_span(&text), true);
	*in_place = !error || state_current_is(s, buffer_span(&text));
	buffer_release(&text);
	return error;
}

/* What this run has written, and does not count. */
static void remove_new(const struct state *next)
{
	char name[STATE_NAME_MAX];
	for (size_t i = 0; i < next->count; i++) {
		if (next->entry[i].generation != next->generation) continue;
		state_entry_name(name, &next->entry[i]);
		unlinkat(next->dir.fd, name, 0);
	}
}

static void take_out(struct state *s, size_t i)
{
	memmove(&s->entry[i], &s->entry[i + 1], (--s->count - i) * sizeof *s->entry);
}

/* In the place of the day's file of before. */
static void put(struct state *s, struct state_entry entry)
{
	size_t i = 0;
	while (i < s->count && s->entry[i].day < entry.day) i++;
	if (i == s->count || s->entry[i].day != entry.day) {
		s->entry = must_resize(s->entry, (s->count + 1) * sizeof *s->entry);
		memmove(&s->entry[i + 1], &s->entry[i], (s->count++ - i) * sizeof *s->entry);
	}
	s->entry[i] = entry;
}

static const struct state_entry *find(const struct state *s, int64_t day)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->entry[i].day == day) return &s->entry[i];
	return NULL;
}

/* Without a current, day files would be taken for what is left of a state that was lost. */
static int write_first_current(struct state *next)
{
	struct state none = *next;
	none.count = 0;
	none.generation = 0;
	return write_current(&none, &next->has_current);
}

static int add_day(struct state *next, const struct state_day *day, bool *changed)
{
	struct state_entry entry = { .day = day->day, .generation = next->generation };
	struct state_merge *merge = state_merge_new(next, find(next, day->day), &day->groups);
	int error = 0;
	if (state_merge_adds(merge)) {
		if (!next->has_current) error = write_first_current(next);
		if (!error) error = state_merge_write(merge, &entry);
		if (!error) put(next, entry);
		*changed = true;
	}
	state_merge_free(merge);
	return error;
}

int state_save(struct state *s, const struct state_day *days, size_t count)
{
	struct state next = *s;
	int64_t newest = state_newest(s);
	int error = 0;
	next.entry = must_alloc((s->count + 1) * sizeof *s->entry);
	if (s->count) memcpy(next.entry, s->entry, s->count * sizeof *s->entry);
	next.generation++;
	for (size_t i = 0; i < count; i++) newest = days[i].day > newest ? days[i].day : newest;
	bool changed = s->has_current && s->asked != s->longest;
	for (; next.count && next.entry[0].day < state_first_kept(s, newest); changed = true) take_out(&next, 0);
	for (size_t i = 0; i < count && !error; i++)
		if (days[i].day >= state_first_kept(s, newest)) error = add_day(&next, &days[i], &changed);
	bool in_place = false;
	if (!error && changed) error = write_current(&next, &in_place);
	if (error) {
		if (!in_place) remove_new(&next);
		free(next.entry);
		return error;
	}
	free(s->entry);
	*s = next;
	walk_unnamed(s, remove_unnamed); /* what a kill has left, too; if it cannot be now, the next run will */
	return 0;
}
