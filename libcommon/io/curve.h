/* curve - files that hold CURVE keys, and a directory of the keys that are let in. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_CURVE_H
#define IO_CURVE_H

#include <stdbool.h>

/* Keys are 40 characters of Z85 (ZeroMQ RFC 32). A key file is either such a line alone, or a certificate as CZMQ and pyzmq write
 * them (ZPL: lines  public-key = "..."  and  secret-key = "..."); '#' begins a comment line. */
enum { CURVE_KEY_SIZE = 41 }; /* with its NUL */

/* Reads our secret key. Dies: 66 no such file, 77 if group or others have any permission on it or it is another user's (root's is
 * taken), 78 if it holds no secret key. A file of two bare lines: the public key, then the secret one. */
void curve_read_secret(const char *path, char secret[CURVE_KEY_SIZE]);

/* Reads somebody's public key; dies 66 or 78. */
void curve_read_public(const char *path, char public[CURVE_KEY_SIZE]);

/* Dies 66 if it is no directory that can be read, 77 if others may write to it. */
void curve_check_directory(const char *directory);

/* True if a file of the directory holds this public key. The directory is read at each call, so that a key added or removed
 * counts from the next handshake on. Files whose names begin with '.' are skipped. Neither prints nor dies. */
bool curve_is_listed(const char *directory, const char public[CURVE_KEY_SIZE]);

/* Writes path (0600: both keys) and path.pub (0644: the public one). Neither may exist; dies 73. */
void curve_write_pair(const char *path, const char public[CURVE_KEY_SIZE], const char secret[CURVE_KEY_SIZE]);

#endif
