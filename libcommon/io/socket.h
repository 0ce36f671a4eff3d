/* socket - UDP, TCP and unix sockets: opened with a deadline, always close-on-exec and non-blocking. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_SOCKET_H
#define IO_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include "base/span.h"
#include "io/endpoint.h"
#include "io/waits.h"

enum { SOCKET_REASON_MAX = 160, SOCKET_NAME_MAX = 128 };
enum socket_type { SOCKET_STREAM, SOCKET_DATAGRAM };

/* Every opener returns a descriptor, or -1 with `reason` filled ("Connection refused", "Name or service not known") and errno
 * set (EINVAL for a name that does not resolve for good, EAGAIN for one that may later). A name is resolved each time. */

/* Towards a far side: udp: (connected, so that a dead server shows), tcp: (no delay, keepalive) and unix: of the given type; `type`
 * matters for unix: only. Waits at most timeout_ms for the connection (< 0: for ever), less if waits_stopping (EINTR). */
int socket_connect(const struct endpoint *, enum socket_type type, int timeout_ms, const struct waits *, char reason[SOCKET_REASON_MAX]);

/* The same for unix: by whatever type the listener's socket has: *type says which. */
int socket_connect_unix(const char *path, enum socket_type *type, int timeout_ms, const struct waits *, char reason[SOCKET_REASON_MAX]);

/* To receive: udp: bound, tcp: and unix: stream listening, unix: datagram bound. For unix: the file gets `mode`; a socket file that
 * nobody listens on any more is replaced, a live one is EADDRINUSE, anything but a socket is kept (EEXIST). */
int socket_listen(const struct endpoint *, enum socket_type type, mode_t mode, char reason[SOCKET_REASON_MAX]);

/* A connection from a listening socket; -1 with errno (EAGAIN: none is waiting). `peer` becomes "127.0.0.1:4711" or "". */
int socket_accept(int listener, char peer[SOCKET_NAME_MAX]);

/* The local address as an endpoint's tail: "127.0.0.1:8125", "[::1]:8125", a path. */
void socket_name(int fd, char name[SOCKET_NAME_MAX]);

/* One datagram on a connected socket. An ECONNREFUSED tells of the datagram before, and this one was not sent: tried once more.
 * Returns 0 or an errno: EAGAIN (no room now), EMSGSIZE (never), ECONNREFUSED (nobody listens), ... `refused` (may be NULL) counts the
 * refusals met, retried ones too. */
int socket_send_datagram(int fd, struct span datagram, uint64_t *refused);

/* As much as goes of a stream's bytes within timeout_ms (< 0: for ever); *sent says how much. 0, ETIMEDOUT (the waits being over is one), or the errno. */
int socket_send_stream(int fd, struct span bytes, size_t *sent, int timeout_ms, const struct waits *);

/* Ends our side of a stream, then waits until the far side has taken everything and ends its own; what it says meanwhile is forgotten. 0; or -1 with errno: ETIMEDOUT
 * (for timeout_ms nothing moved), EINTR (waits_stopping_now), ECONNRESET, ... (it went away, perhaps without having read everything). The descriptor stays open. */
int socket_end(int fd, int64_t timeout_ms, const struct waits *, char reason[SOCKET_REASON_MAX]);

/* On a connected UDP socket: has the network's errors about single datagrams kept, which send and sendmmsg alone would forget. */
void socket_keep_errors(int fd);
unsigned socket_take_errors(int fd, int *error);     /* how many came since the last call; *error: the last one's errno, if any */

bool socket_set_send_buffer(int fd, int bytes);      /* SO_SNDBUF; what the kernel grants may be less */
bool socket_set_receive_buffer(int fd, int bytes);   /* SO_RCVBUFFORCE where permitted, else SO_RCVBUF */
int socket_unsent(int fd);                           /* stream: bytes that the far side's kernel (unix: its program) has not taken yet */
int64_t socket_clock_ms(void);                       /* CLOCK_MONOTONIC, for deadlines */

#endif
