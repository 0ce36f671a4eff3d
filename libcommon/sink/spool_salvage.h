/* spool_salvage - what is good and what is not in a segment that a crash has left open. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SPOOL_SALVAGE_H
#define SINK_SPOOL_SALVAGE_H

#include <sys/types.h>

#include "sink/segment.h"
#include "sink/spool_private.h"

/* The writer that crashed may have had a --max-line of any size. Memory for such a line is taken only if there is one. */
enum { SALVAGE_LINE_MAX = 64 << 20 };

struct salvage {
	int dir_fd, fd;
	const char *path;                  /* of the spool, for messages */
	struct segment segment;
	char open_name[SEGMENT_NAME_MAX];
	uint64_t size, whole;              /* of the file; up to behind its last newline */
	struct segment_trailer good;       /* of its good lines */
	struct checksum *checksum;
	bool has_trailer;                  /* its last line is the right trailer of all before it */
	uint64_t bad_pieces, first_bad;    /* runs of lines that are no envelopes, and where the first begins */
	uint64_t pieces, pieces_bytes;     /* taken to quarantine/ */
	char last_piece[SPOOL_NAME_MAX];   /* the name there */
};

/* Each returns 0 or an errno. */
int salvage_open(struct salvage *, int dir_fd, const char *path, const struct segment *); /* ELOOP, EPERM: nothing of ours */
void salvage_close(struct salvage *);
int salvage_find_end(struct salvage *);   /* sets whole */
int salvage_judge(struct salvage *);      /* every line up to the end of the file, which is a newline or there is none */
int salvage_copy_lines(struct salvage *, int to, bool good); /* the good ones, or all the others */
int salvage_rewrite(struct salvage *);    /* the whole file, with what it holds */
int salvage_trailer(struct salvage *, int to, off_t at);     /* behind the good lines; on a shortage nothing of it stays */

/* Copies the bytes [from, to) to quarantine/STEM.N and syncs them there; UINT64_MAX: all lines that are not good. N is where the first byte stood,
 * or the next number that is free. A piece that is there already, from a recovery that was cut short, is not copied again. */
int salvage_quarantine(struct salvage *, uint64_t from, uint64_t to);
int salvage_quarantine_file(struct salvage *, const char *name); /* moves a whole file there */

/* spool_note.c: notes in `recovered` what v->good is, before the segment gets its sealed name. */
void spool_note_write(const struct salvage *);

#endif
