/* replace - a whole file, written beside its name and renamed: nobody ever finds half of it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_REPLACE_H
#define IO_REPLACE_H

#include <sys/types.h>
#include "base/span.h"

/* Makes `path` hold these bytes, safe on disk when it returns; a file that is there keeps its permissions, a new one gets `mode` less the umask. The name may be
 * a link to a file: the file is replaced. What is no regular file (/dev/stdout, a named pipe) is written to as it is.
 * Returns 0, or says why not and returns the exit status: EXIT_NO_OUTPUT where it cannot be created, EXIT_IO where it cannot be written. Then `path` is as it was. */
int replace_file(const char *path, mode_t mode, struct span bytes);

#endif
