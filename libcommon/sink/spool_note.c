/* spool_note - the file `recovered`: what the last recovery found of a killed writer, for who must know how far that had come. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "sink/spool_salvage.h"

/* A line of text: the segment's number, the lines kept, the writer's process id. */
enum { NOTE_MAX = 80 };

void spool_note(int dir_fd, const struct spool_recovered_note *note)
{
	char text[NOTE_MAX];
	int fd = openat(dir_fd, "recovered", O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0) return;
	int length = snprintf(text, sizeof text, "%020" PRIu64 " %020" PRIu64 " %020" PRIu64 "\n", note->segment, note->records, note->pid);
	/* Always of one length, so that it is replaced at once. Without it more may come twice, and nothing is lost: a full disk is no reason to stop. */
	if (!spool_is_plain(fd) || pwrite(fd, text, (size_t)length, 0) != length) errno = 0;
	close(fd);
}

void spool_note_write(const struct salvage *v)
{
	long pid = spool_lock_writer(v->dir_fd);
	if (pid > 0) spool_note(v->dir_fd, &(struct spool_recovered_note){ v->segment.number, v->good.records, (uint64_t)pid });
}

bool spool_recovered_note(int dir_fd, struct spool_recovered_note *note)
{
	char text[NOTE_MAX] = "", end;
	int fd = openat(dir_fd, "recovered", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : pread(fd, text, sizeof text - 1, 0);
	if (fd >= 0) close(fd);
	return got > 0 && sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 "%c", &note->segment, &note->records, &note->pid, &end) == 4 && end == '\n';
}
