/* ini - a file of sections, keys and values, read as Python's configparser reads it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_INI_H
#define CLIENT_INI_H

#include "base/buffer.h"

/*     [section]
 *     key = value          or "key: value"
 *         goes on          lines indented deeper than their key
 *     # and ; begin comment lines, also between those of a value; blank lines end nothing */
struct ini {
	struct span left;        /* of the text, which is borrowed */
	size_t lines;            /* taken so far */
	/* of what was found last */
	size_t line;             /* 1-based; of a value the line of its key */
	struct span name;        /* of the section, or the key; parts of the text */
	struct buffer value;     /* its lines without the blanks around them, a newline between each two */
	const char *wrong;       /* static text */
};

enum ini_item {
	INI_SECTION, INI_VALUE, INI_END,
	INI_WRONG,               /* `wrong` says why; the line was passed over, and one can go on behind it */
	INI_NO_MEMORY            /* or a value beyond the limit */
};

void ini_init(struct ini *, struct span text, size_t limit_bytes); /* the limit of a value */
void ini_release(struct ini *);
enum ini_item ini_next(struct ini *);

#endif
