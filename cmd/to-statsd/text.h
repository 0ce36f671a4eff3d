/* text - which bytes of names, tags and set members statsd may see, and the copying that replaces the others. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_STATSD_TEXT_H
#define TO_STATSD_TEXT_H

#include <stdint.h>
#include "base/span.h"

/* One entry a byte: the byte to write, or one of these. Whatever the input, what is written holds no byte that ends a line or a part of it, so
 * one metric can never become two. */
enum text_step {
	STEP_DROP = 0,     /* nothing: the bytes that continue a UTF-8 character whose first byte has become '_' */
	STEP_COLON = 1,    /* "::" becomes '.', one alone '_' */
};

struct text_map {
	unsigned char step[256];
};

/* The map that keeps printable ASCII but for `unsafe`, and writes '_' for each other character; bytes from 0x80 on are kept if utf8. */
void text_map_init(struct text_map *, const char *unsafe, bool utf8);

/* A name or part of a name. Runs of dots become one, and there is none at `start`, where the whole name begins. Needs room for as
 * many bytes as raw has. Returns the new end. */
char *text_put_name(char *out, const char *start, struct span raw, const struct text_map *);

char *text_put(char *out, struct span raw, const struct text_map *); /* the same without care for dots and colons */

/* A set's member: bytes from 0x80 on are written as %XX, so that different members stay different. Needs three times the room. */
char *text_put_member(char *out, struct span raw);

/* Names that the reference server (npm statsd) takes for a method of its JavaScript objects, and breaks on: true for "constructor",
 * "to*String" (it drops the star), ... */
bool text_is_trap(struct span name);

#endif
