/* text - UTF-8, JSON strings, base64, and text made safe for a terminal. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdint.h>
#include "base/buffer.h"

/* Decodes one code point at the start of `s` (RFC 3629: no overlong form, no surrogate, at most U+10FFFF).
 * Returns its length, 1 to 4, or 0 if the bytes are not valid UTF-8 or `s` is empty. */
size_t text_decode_utf8(struct span s, uint32_t *codepoint);
size_t text_encode_utf8(char out[4], uint32_t codepoint); /* returns the length; surrogates are written as U+FFFD */
bool text_is_utf8(struct span s);                         /* a NUL byte is valid UTF-8 */

/* Appends the text of a JSON string given its inside (between the quotes), escapes decoded.
 * Lone surrogates become U+FFFD; \u0000 becomes a NUL byte. The input must be valid JSON. */
bool text_append_unescaped(struct buffer *out, struct span inside);

/* Appends `text` as the inside of a JSON string (no quotes): '"', '\\' and bytes below 0x20 are escaped,
 * the rest is kept. The input must be valid UTF-8. */
bool text_append_escaped(struct buffer *out, struct span text);
bool text_append_quoted(struct buffer *out, struct span text); /* the same with its quotes */

bool text_append_base64(struct buffer *out, struct span bytes); /* RFC 4648, padded, no line breaks */

/* Appends `text` so that it cannot drive a terminal: C0, DEL, C1, U+2028/9, bidi controls, zero-width and tag
 * characters and bytes that are not UTF-8 are shown as \n, \t, \xNN or \u{NNNN}; '\\' is kept as it is. */
bool text_append_visible(struct buffer *out, struct span text);
size_t text_plain_length(struct span text); /* how many bytes at the start are printable ASCII, space to '~' */
bool text_is_hidden(uint32_t codepoint);    /* true for the code points that text_append_visible escapes */

/* Edits (one letter more, less or other, case aside) between two short words, to guess what was meant; SIZE_MAX if one has more than TEXT_EDITS_MAX bytes. */
enum { TEXT_EDITS_MAX = 40 };
size_t text_edits(struct span a, struct span b);

#endif
