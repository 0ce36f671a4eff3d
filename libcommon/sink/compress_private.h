/* compress_private - what the kinds of compress have in common: who takes part is known only when one is made. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_COMPRESS_PRIVATE_H
#define SINK_COMPRESS_PRIVATE_H

#include "sink/compress.h"

/* The first member of each kind. So a program that makes only one kind is linked with one library. */
struct compress {
	bool (*begin)(struct compress *, uint64_t bytes);
	size_t (*step)(struct compress *, struct span *in, bool end, char *out, size_t room, bool *done);
	void (*release)(struct compress *);
};

#endif
