/* holder - which process holds a lock of a spool, found out without touching the lock. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SPOOL_HOLDER_H
#define SPOOL_HOLDER_H

#include <sys/types.h>

/* The process that holds flock(2) on the file `name` of the directory; 0 if none does, as far as this process can see: not beyond its own pid
 * namespace. Trying the lock would tell it exactly, but a writer that starts in that moment would be turned away. */
pid_t holder_find(int dir_fd, const char *name);

#endif
