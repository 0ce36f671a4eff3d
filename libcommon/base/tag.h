/* tag - names and values of tags as the StatsD clients of Mozilla's services write them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_TAG_H
#define BASE_TAG_H

#include "base/buffer.h"

enum { TAG_MAX = 200 }; /* bytes of "key:value" */

/* Appends the tag that generate_tag of markus 4 and 5 makes: "key:value", or "key" where there is no value or nothing but blanks in it.
 * In this order: each code point but letters, digits (of ASCII) and . _ - / becomes '_'; 'a' is put before what does not begin with a letter; lower case; cut to TAG_MAX
 * bytes; and exactly "host", "device" or "source" gets a '_' behind. A byte that is not UTF-8 is one code point. False: no memory, or the buffer's limit. */
bool tag_append(struct buffer *out, struct span key, struct span value);

/* Of that only what stands behind "key:"; nothing if the key alone fills it. */
bool tag_append_value(struct buffer *out, struct span key, struct span value);

/* True if there is something in the value that str.strip() of Python does not take off. */
bool tag_has_text(struct span value);

/* True if tag_append_value would append the value as it is. May be false though it would. */
bool tag_value_is_clean(struct span key, struct span value);

/* Appends the path of a request as Ichnaea's tag `path` begins with it, before it goes through tag_append: '/' becomes '.', those at the start are taken off, '@'
 * becomes '-', and of nothing is made ".homepage". */
bool tag_append_path(struct buffer *out, struct span path);

#endif
