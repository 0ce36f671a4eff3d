/* curve - files that hold CURVE keys, and a directory of the keys that are let in. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_CURVE_H
#define IO_CURVE_H

#include <stdbool.h>

#include "base/fault.h"

/* Keys are 40 characters of Z85 (ZeroMQ RFC 32). A key file is either such a line alone, or a certificate as CZMQ and pyzmq write
 * them (ZPL: lines  public-key = "..."  and  secret-key = "..."); '#' begins a comment line. */
enum { CURVE_KEY_SIZE = 41 }; /* with its NUL */

/* Each of these returns false with the fault. */

/* Reads our secret key. 66: no such file, 77 if group or others have any permission on it or it is another user's (root's is
 * taken), 78 if it holds no secret key. A file of two bare lines: the public key, then the secret one. */
bool curve_read_secret(const char *path, char secret[CURVE_KEY_SIZE], struct fault *);

/* Reads somebody's public key; 66 or 78. */
bool curve_read_public(const char *path, char public[CURVE_KEY_SIZE], struct fault *);

/* 66 if it is no directory that can be read, 77 if others may write to it. */
bool curve_check_directory(const char *directory, struct fault *);

/* True if a file of the directory holds this public key. The directory is read at each call, so that a key added or removed
 * counts from the next handshake on. Files whose names begin with '.' are skipped. */
bool curve_is_listed(const char *directory, const char public[CURVE_KEY_SIZE]);

/* Writes path (0600: both keys) and path.pub (0644: the public one). Neither may exist; 73, or 74 if they cannot be written. */
bool curve_write_pair(const char *path, const char public[CURVE_KEY_SIZE], const char secret[CURVE_KEY_SIZE], struct fault *);

#endif
