/* state_reader - a day file of the state, a line at a time, held against its length and checksum. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "state_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "group.h"

enum { LINE_MAX_BYTES = GROUP_MAX + 64 * 1024, BLOCK = 64 * 1024 };

static _Noreturn void refuse(const struct state *s, const struct state_entry *entry, const char *reason)
{
	char name[STATE_NAME_MAX];
	state_entry_name(name, entry);
	state_refuse(s, name, reason);
}

static _Noreturn void fail(const struct state *s, const struct state_entry *entry, int error)
{
	char name[STATE_NAME_MAX];
	state_entry_name(name, entry);
	if (error == ENOENT) state_refuse(s, name, "current names it, and it is not there");
	state_die(s, "reading", name, error);
}

static int open_day(const struct state *s, const struct state_entry *entry)
{
	char name[STATE_NAME_MAX];
	struct stat status;
	state_entry_name(name, entry);
	int fd = state_open_file(s, name);
	if (fd < 0 || fstat(fd, &status) < 0) fail(s, entry, errno);
	if ((uint64_t)status.st_size != entry->bytes) refuse(s, entry, "its length is not that of which current tells");
	return fd;
}

static struct checksum *new_sum(void)
{
	struct checksum *sum = checksum_new();
	if (!sum) die(EXIT_INTERNAL, "no memory for a checksum");
	return sum;
}

static void judge(const struct state *s, const struct state_entry *entry, const struct checksum *sum, uint64_t bytes)
{
	if (bytes != entry->bytes) refuse(s, entry, "its length is not that of which current tells");
	if (checksum_value(sum) != entry->sum) refuse(s, entry, "its checksum is not that of which current tells");
}

void state_reader_check(const struct state *s, const struct state_entry *entry)
{
	struct checksum *sum = new_sum();
	char *block = must_alloc(BLOCK);
	uint64_t bytes = 0;
	int fd = open_day(s, entry);
	for (ssize_t got = 1; got;) {
		got = read(fd, block, BLOCK);
		if (got < 0 && errno != EINTR) fail(s, entry, errno);
		if (got < 0) continue;
		checksum_add(sum, (struct span){ block, (size_t)got });
		bytes += (uint64_t)got;
	}
	judge(s, entry, sum, bytes);
	close(fd);
	free(block);
	checksum_free(sum);
}

void state_reader_open(struct state_reader *r, const struct state *s, const struct state_entry *entry)
{
	*r = (struct state_reader){ .state = s, .entry = entry, .sum = new_sum() };
	reader_init(&r->reader, LINE_MAX_BYTES);
	reader_open(&r->reader, open_day(s, entry), "a day of the state");
	buffer_init(&r->group, GROUP_MAX);
	buffer_init(&r->before, GROUP_MAX);
}

void state_reader_close(struct state_reader *r)
{
	close(r->reader.fd);
	reader_release(&r->reader);
	checksum_free(r->sum);
	sketch_release(&r->sketch);
	buffer_release(&r->group);
	buffer_release(&r->before);
}

static bool fill(struct state_reader *r)
{
	while (!reader_has_line(&r->reader)) {
		switch (reader_fill(&r->reader)) {
		case READER_LINES:
		case READER_NOTHING: break;
		case READER_OVERLONG: refuse(r->state, r->entry, "it has a line that is too long");
		case READER_ERROR: fail(r->state, r->entry, r->reader.error);
		case READER_END:
			judge(r->state, r->entry, r->sum, r->reader.bytes);
			if (r->lines != r->entry->groups) refuse(r->state, r->entry, "it has not as many groups as current tells");
			return false;
		}
	}
	return true;
}

static void check_line(struct state_reader *r)
{
	char reason[200];
	struct buffer swap = r->before;
	r->before = r->group;
	r->group = swap;
	struct span before = buffer_span(&r->before);
	bool before_is_other = !r->line.group.length;
	sketch_release(&r->sketch);
	const char *why = line_parse(&r->line, &r->sketch, &r->group, r->text);
	if (why == SKETCH_NO_MEMORY) die(EXIT_INTERNAL, "no memory for a sketch");
	if (!why && !span_equal(r->line.of, buffer_span(&r->state->of))) why = "it is of another --of";
	if (!why && r->lines > 1 && line_compare_keys(r->line.of, before_is_other ? SPAN("") : before, r->line.of, r->line.group) >= 0) why = "it is not behind the one before it";
	if (!why) return;
	snprintf(reason, sizeof reason, "line %" PRIu64 ": %s", r->lines, why);
	refuse(r->state, r->entry, reason);
}

bool state_reader_next(struct state_reader *r)
{
	r->live = fill(r);
	if (!r->live) return false;
	const char *start = r->reader.data + r->reader.at, *newline = memchr(start, '\n', r->reader.lines_end - r->reader.at);
	r->text = reader_take(&r->reader, (size_t)(newline - start));
	checksum_add(r->sum, r->text);
	checksum_add(r->sum, SPAN("\n"));
	r->lines++;
	check_line(r);
	return true;
}
