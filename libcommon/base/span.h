/* span - borrowed bytes: a pointer and a length, never NUL-terminated, never owned. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *data;
	size_t length;
};

/* A span of a string literal; its length is known to the compiler. */
#define SPAN(literal) ((struct span){ "" literal, sizeof(literal) - 1 })

static inline struct span span_of(const char *text)
{
	return (struct span){ text, text ? strlen(text) : 0 };
}

static inline struct span span_between(const char *from, const char *to)
{
	return (struct span){ from, (size_t)(to - from) };
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool span_starts(struct span whole, struct span start)
{
	return whole.length >= start.length && (start.length == 0 || memcmp(whole.data, start.data, start.length) == 0);
}

/* Bytewise order, as memcmp: below 0, 0 or above 0. A shorter span sorts before its extensions. */
static inline int span_compare(struct span a, struct span b)
{
	size_t shared = a.length < b.length ? a.length : b.length;
	int order = shared ? memcmp(a.data, b.data, shared) : 0;
	return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* What stands before the next newline, or all there is; it is taken off *rest, and the newline with it. */
static inline struct span span_take_line(struct span *rest)
{
	const char *newline = rest->length ? (const char *)memchr(rest->data, '\n', rest->length) : NULL;
	struct span line = newline ? span_between(rest->data, newline) : *rest;
	size_t used = line.length + (newline ? 1 : 0);
	if (used) rest->data += used, rest->length -= used;
	return line;
}

/* The span without blanks (space, TAB, CR, LF) at either end. */
static inline struct span span_trim(struct span s)
{
	while (s.length && strchr(" \t\r\n", s.data[0]) && s.data[0]) s.data++, s.length--;
	while (s.length && strchr(" \t\r\n", s.data[s.length - 1]) && s.data[s.length - 1]) s.length--;
	return s;
}

#endif
