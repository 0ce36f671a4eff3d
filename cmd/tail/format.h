/* format - templates such as "{timestamp} {fields.name}={payload}", read once and filled in for each envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TAIL_FORMAT_H
#define TAIL_FORMAT_H

#include "render.h"

/*  {path}       a member or field by its path; an object or array as compact JSON; nothing if it is absent
 *  {path|text}  the same, `text` if it is absent or empty
 *  {@time} {@date} {@level}   time and date in the zone of --tz, the name of the severity
 *  {{ }}        braces;  \n \t \\  as in C */
struct format;

struct format_fault {
	const char *reason;   /* static text */
	size_t column;        /* 1-based byte position in the template */
};

struct format *format_new(const char *text, struct format_fault *fault); /* NULL on a fault. Dies without memory. */
void format_free(struct format *);

/* The line with its newline: valid until the next call, kept in `render`, whose settings for raw and zone it uses. */
struct span format_envelope(const struct format *, struct render *, const struct envelope *);

#endif
