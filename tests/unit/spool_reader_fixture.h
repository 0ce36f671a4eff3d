/* spool_reader_fixture - a spool with numbered lines and its reader, for the unit tests of the reader. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_UNIT_SPOOL_READER_FIXTURE_H
#define TESTS_UNIT_SPOOL_READER_FIXTURE_H

#include <sys/wait.h>

#include "sink/spool_reader.h"
#include "spool_fixture.h"

enum { LINE_LIMIT = 1 << 20 };

static inline struct spool_reader *open_reader(struct fixture *f)
{
	int kept = said_begin(f);
	struct spool_reader *r = spool_reader_try_open(f->path, LINE_LIMIT, &f->status);
	said_end(f, kept);
	return r;
}

/* As a crash leaves it: no state is written at the end. In a child, because a lock and a descriptor end with their process. */
#define IN_A_CHILD(code) do { \
	pid_t child = fork(); \
	if (child == 0) { code; _exit(0); } \
	int how; \
	assert_int_equal(waitpid(child, &how, 0), child); \
	assert_int_equal(how, 0); \
} while (0)

static inline void write_lines(struct fixture *f, uint64_t from, uint64_t count)
{
	struct spool *s = open_spool(f);
	assert_non_null(s);
	for (uint64_t i = from; i < from + count; i++) assert_int_equal(append_line(s, i), SPOOL_DONE);
	assert_int_equal(close_spool(f, s), SPOOL_DONE);
}

/* Takes lines from, from + 1, ... with the sequences that begin with `sequence`. */
static inline bool takes(struct spool_reader *r, uint64_t from, uint64_t sequence, uint64_t count)
{
	char wanted[256];
	struct span line;
	uint64_t got;
	for (uint64_t i = 0; i < count; i++)
		if (spool_reader_next(r, &line, &got) != SPOOL_READER_LINE || got != sequence + i || !span_equal(line, line_of(wanted, from + i))) return false;
	return true;
}

static inline bool takes_nothing(struct spool_reader *r)
{
	struct span line;
	uint64_t sequence;
	return spool_reader_next(r, &line, &sequence) == SPOOL_READER_NOTHING;
}

static inline size_t count_segments(const struct fixture *f)
{
	return count_files(f, ".", ".open") + count_files(f, ".", ".ndjson") + count_files(f, ".", ".zst");
}

static inline void set_up(struct fixture *f, uint64_t segment_bytes, uint64_t lines)
{
	f->options.segment_bytes = segment_bytes;
	write_lines(f, 1, lines);
}

#endif
