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

/* Whether two \\u escapes begin the text, a high surrogate and its low one: they are one character. */
bool text_is_surrogate_pair(struct span text);

/* The first escape in the inside of a JSON string that is half a surrogate pair; NULL: there is none. The input must be valid JSON. */
const char *text_find_half_pair(struct span inside);

/* Appends the inside of a JSON string as it is, but for escapes that are half a surrogate pair, which become \\ufffd: some readers refuse them. The input must be valid JSON. */
bool text_append_paired(struct buffer *out, struct span inside);

/* Appends `text` as the inside of a JSON string (no quotes): '"', '\\' and bytes below 0x20 are escaped,
 * the rest is kept. The input must be valid UTF-8. */
bool text_append_escaped(struct buffer *out, struct span text);
bool text_append_quoted(struct buffer *out, struct span text); /* the same with its quotes */

bool text_append_base64(struct buffer *out, struct span bytes); /* RFC 4648, padded, no line breaks */

/* The other way: `out` has room for 3 bytes for each 4 of the text. False: it is not what text_append_base64 writes (a letter of no base64, no or other padding, bits
 * left over that are not 0); nothing can be said of `out` then. */
bool text_decode_base64(uint8_t *out, size_t *length, struct span text);

/* Appends `text` so that it cannot drive a terminal: C0, DEL, C1, U+2028/9, bidi controls, zero-width and tag
 * characters and bytes that are not UTF-8 are shown as \n, \t, \xNN or \u{NNNN}; '\\' is kept as it is. */
bool text_append_visible(struct buffer *out, struct span text);
size_t text_plain_length(struct span text); /* how many bytes at the start are printable ASCII, space to '~' */
bool text_is_hidden(uint32_t codepoint);    /* true for the code points that text_append_visible escapes */

/* Columns of a terminal that visible text takes: wide characters two, combining ones none. */
size_t text_columns(struct span visible);
/* Bytes at the start of visible text that take at most so many columns; what combines with the last character belongs to it. */
size_t text_fit(struct span visible, size_t columns);

/* Edits (one letter more, less or other, case aside) between two short words, to guess what was meant; SIZE_MAX if one has more than TEXT_EDITS_MAX bytes. */
enum { TEXT_EDITS_MAX = 40 };
size_t text_edits(struct span a, struct span b);

#endif
