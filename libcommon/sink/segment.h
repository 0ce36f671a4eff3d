/* segment - the files of a spool: their names and order, the trailer that seals one, and reading them beside a writer. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SEGMENT_H
#define SINK_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"

/*  A spool is a directory (0700, of the user who runs the tools), and in it
 *
 *      000000000042-20121005T120001Z-8a7b6c5d.open         being written, or left so by a crash
 *      000000000042-20121005T120001Z-8a7b6c5d.ndjson       sealed: all on disk, ended by a trailer
 *      000000000042-20121005T120001Z-8a7b6c5d.ndjson.zst   the same, trailer included, as one zstd frame or several
 *      failed/  delivered/  quarantine/                    segments a consumer refused; delivered ones that are kept;
 *                                                          bytes that recovery took out, one file each: STEM.N, and
 *                                                          segments whose trailer does not fit, under their own names
 *      lock  drain.lock                                    flock(2)ed by the one writer, and by the one who takes out
 *      senders  recovered                                  notes of metlog-recv on what it has acknowledged, and of recovery for it
 *      forward.state                                       how far the envelopes are delivered, of spool_reader.h
 *      .tmp.*                                              a file on its way to its name: of nobody once no lock is held
 *
 *  The stem is the segment's stable name: a number that grows (names sort by it, whatever the clock does), the time it was begun, and eight
 *  random digits, so that no two segments of any two spools share one. It stays the same from .open to delivered/.
 *  A segment's body is whole lines, each a good envelope. The trailer is the last line of a sealed one, an envelope of its own:
 *
 *      {"type":"metlog.segment",...,"fields":{"segment":STEM,"records":N,"bytes":N,"checksum":"xxh3:0123456789abcdef","line":"xxh3:..."}}
 *
 *  over the body's bytes, which stand before it; its last field is the checksum of the line itself up to there (sealed_line.h). The rename from .open to its sealed name happens once both are on disk, so a sealed name
 *  without a right trailer is damage. If an .open file stands beside a sealed one of the same stem, it is a left-over and does not count. */
enum segment_form { SEGMENT_OPEN, SEGMENT_SEALED, SEGMENT_COMPRESSED };

enum { SEGMENT_STEM_MAX = 40, SEGMENT_NAME_MAX = 52, SEGMENT_LIST_MAX = 256 }; /* with their NUL */

struct segment {
	char stem[SEGMENT_STEM_MAX];
	uint64_t number;
	int64_t begun;              /* nanoseconds since 1970, whole seconds, by the writer's clock */
	enum segment_form form;
};

void segment_make(struct segment *, uint64_t number, int64_t now);                 /* a new one, SEGMENT_OPEN */
bool segment_parse(struct segment *, const char *file_name);                       /* false: not the name of a segment */
void segment_name(char name[SEGMENT_NAME_MAX], const struct segment *, enum segment_form);

/* Walks a directory's segments, oldest first, a few at a time: its memory does not grow with the backlog.
 *     struct segment_list list;
 *     segment_list_init(&list, dir_fd);
 *     while ((more = segment_list_next(&list, &segment)) > 0) ...
 * Segments that come while it walks are seen if they sort behind; one that is gone when it is opened was delivered meanwhile. */
struct segment_list {
	int dir_fd;                 /* borrowed */
	char after[SEGMENT_STEM_MAX];
	struct segment found[SEGMENT_LIST_MAX]; /* by stem, each once */
	size_t count, at;
	bool last;                  /* nothing came behind `found` when it was read */
};
void segment_list_init(struct segment_list *, int dir_fd);
int segment_list_next(struct segment_list *, struct segment *); /* 1, 0 at the end, -1 with errno */

struct segment_trailer {
	uint64_t records, bytes;    /* of the body */
	uint64_t checksum;
};
/* A line counts as the trailer of a segment only if this is true, it is the last line, and `bytes` bytes stand before it. */
enum { SEGMENT_TRAILER_MAX = 4096 }; /* no trailer is longer */
bool segment_trailer_append(struct buffer *out, const char *stem, const struct segment_trailer *); /* with its newline */
/* False: not this segment's trailer, with errno 0; or that cannot be told, with ENOMEM. */
bool segment_trailer_parse(struct span line, const char *stem, struct segment_trailer *);

bool segment_trailer_is_remains(struct span line, const char *stem); /* the last line of a damaged segment: once its trailer, and no envelope */

/* Reads the body of a segment, whole lines at a time, uncompressed. No lock is needed; of an .open one the whole lines written so far are
 * read, and a call after SEGMENT_END reads what has come since. Memory: a block, and a line. */
enum segment_read { SEGMENT_LINES, SEGMENT_END, SEGMENT_DAMAGED, SEGMENT_ERROR };
struct segment_reader;

/* NULL with errno (ENOENT: gone; if it was sealed or compressed meanwhile, that form is opened; ELOOP: a symbolic link; EPERM: not a plain
 * file of ours, or for root of the directory's owner, with one name). line_limit: the longest line handed out whole (spools are written with that of their writer). */
struct segment_reader *segment_reader_open(int dir_fd, const struct segment *, size_t line_limit);
void segment_reader_free(struct segment_reader *);

/* SEGMENT_LINES: `lines` is whole lines, the last with its newline, followed by SCAN_PADDING readable bytes; valid until the next call. The
 * trailer is not handed out. SEGMENT_END: of a sealed one, all was read and records, bytes and checksum are those of its trailer.
 * SEGMENT_DAMAGED: all that can be read was read, but a sealed one's trailer is missing or says something else, or the compression is
 * broken, or a line is torn; segment_reader_reason says which. SEGMENT_ERROR: errno. */
enum segment_read segment_reader_next(struct segment_reader *, struct span *lines);
const char *segment_reader_reason(const struct segment_reader *);
const struct segment_trailer *segment_reader_sum(const struct segment_reader *); /* of what was read so far */
enum segment_form segment_reader_form(const struct segment_reader *);            /* as it was opened */
/* After SEGMENT_END or SEGMENT_DAMAGED: its trailer stands behind what was read. Also of one opened as .open; as long as that has no sealed name, its
 * writer may still take the trailer away and go on. */
bool segment_reader_is_sealed(const struct segment_reader *);

/* Goes on behind the first `bytes` bytes of the body, an earlier count of whole lines. An .open segment or a sealed one: seeks, and the
 * checksum is not checked then; a compressed one is read up to there. False: it is not that long. */
bool segment_reader_skip(struct segment_reader *, uint64_t bytes);

/* Whether a sealed segment is what its trailer says; reads it all. SEGMENT_END: it is, and *sum its trailer. */
enum segment_read segment_check(int dir_fd, const struct segment *, size_t line_limit, struct segment_trailer *sum, const char **reason);

#endif
