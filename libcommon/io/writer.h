/* writer - buffered output to a descriptor that survives EINTR and short writes and remembers its first error. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_WRITER_H
#define IO_WRITER_H

#include <stdint.h>
#include "base/span.h"

struct writer {
	int fd;
	const char *name;    /* for messages: "standard output", a path */
	char *data;
	size_t length;
	size_t capacity;
	bool unbuffered;     /* flush after each writer_line */
	int error;           /* errno of the first write that failed; 0 while all is well. After it nothing is written. */
	uint64_t bytes;      /* accepted so far */
};

enum { WRITER_CAPACITY = 256 * 1024 };

/* name is borrowed. For a pipe the kernel's buffer is made 1 MiB if it lets us. Dies without memory. */
void writer_open(struct writer *, int fd, const char *name, size_t capacity_bytes);
bool writer_line(struct writer *, struct span line);   /* the line and a newline; whole lines stay whole in the buffer */
bool writer_bytes(struct writer *, struct span bytes);
bool writer_flush(struct writer *);
bool writer_sync(struct writer *);                     /* flush and fdatasync; a descriptor that cannot sync is no error */
/* Flushes, closes the descriptor, frees. False if anything at all failed since writer_open (a full disk shows here). */
bool writer_close(struct writer *);

/* Writes all of it to a descriptor: EINTR retried, short writes continued, EAGAIN polled. Returns 0 or an errno. */
int write_all(int fd, struct span bytes);

#endif
