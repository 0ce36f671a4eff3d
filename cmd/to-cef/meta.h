/* meta - what fields.cef_meta says of the syslog header, as the original client sends it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_META_H
#define TO_CEF_META_H

#include <stdint.h>
#include "envelope/field.h"

/* fields.cef_meta {syslog_options, syslog_facility, syslog_ident, syslog_priority}, each of which may be null: facility and priority by name, as in syslog_message.h; ident
 * any text; options a list with commas, of which PID is heeded and CONS, NDELAY, NOWAIT, ODELAY, PERROR (each also with LOG_ in front) mean nothing here. */
struct meta {
	int facility, severity;       /* -1: not said */
	struct span ident;            /* empty: not said; holds until the next meta_read */
	bool pid;
};

struct meta_reader {
	struct field_path whole, options, facility, ident, priority;
	struct buffer decoded;
	uint64_t ignored;             /* values that nothing could be made of */
};

void meta_init(struct meta_reader *);
void meta_release(struct meta_reader *);
void meta_read(struct meta_reader *, const struct envelope *, struct meta *);

#endif
