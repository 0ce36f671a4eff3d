/* config - what a file says of a client; metlog-client(5). */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_CONFIG_H
#define CLIENT_CONFIG_H

#include "base/fault.h"
#include "base/span.h"
#include "client/metlog.h"

struct config {
	const char *endpoint;           /* NULL: the file names none */
	struct metlog_options options;  /* defaults where the file says nothing */
	struct config_block *memory;    /* of all texts and lists above */
};

/* Reads the text of a file; `path` is for messages. False, with "FILE:LINE: reason". To be released in either case. */
bool config_read(struct config *, struct span text, const char *path, struct fault *);
void config_release(struct config *);

/* The same of a file of at most 1 MiB. */
bool config_read_file(struct config *, const char *path, struct fault *);

/* What is set in `given` takes the place of what the file says. Its texts and lists are borrowed. */
void config_override(struct config *, const struct metlog_options *given);

#endif
