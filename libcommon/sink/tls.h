/* tls - a verified TLS connection that bytes are written to, by libcurl. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_TLS_H
#define SINK_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/span.h"

/* libcurl's CURLOPT_CONNECT_ONLY: its TLS, its verification of chain and name (TLS 1.2 at least), opened by dlopen as sink/http does, and no HTTP: bytes go as they are, without ALPN. */
struct tls_options {
	const char *ca_file;          /* PEM; NULL: the system's */
	const char *cert_file, *key_file; /* our own certificate and its key, PEM; NULL: none */
};

enum tls_verdict {
	TLS_DONE,
	TLS_AWAY,                     /* no name, no route, refused, not in time; or cut later, or ended */
	TLS_UNTRUSTED,                /* chain, name or date of its certificate, or it refuses ours; it speaks no TLS, or too old a one; a file of ours cannot be used */
	TLS_STOPPED,                  /* signals_stopping_now */
};

enum { TLS_REASON_MAX = 256, TLS_RECORD_MAX = 16384 };
struct tls;

/* `host`: a name or an address, without brackets. timeout_ms is for all of it: name, connection, handshake. `reason` says why it is not TLS_DONE: "certificate has expired".
 * In TLS 1.3 the far side looks at our certificate only after the handshake: that it misses one comes from tls_hear or tls_write. */
enum tls_verdict tls_open(struct tls **, const char *host, uint16_t port, const struct tls_options *, int64_t timeout_ms, char reason[TLS_REASON_MAX]);

/* As much as goes without waiting. *sent is 0 when nothing went: then wait for tls_fd (to be writable, or readable: tls_hear), and offer the same bytes again, or more. */
enum tls_verdict tls_write(struct tls *, struct span bytes, size_t *sent);
enum tls_verdict tls_hear(struct tls *);                      /* reads what came (TLS 1.3 tickets) and forgets it. TLS_AWAY: the far side has ended its side, or broke it */
int tls_fd(const struct tls *);                               /* to wait for */
const char *tls_reason(const struct tls *);                   /* of the last write or hear that was not TLS_DONE */

/* Waits for its first word (see tls.c) if there was none. Ends our side with close_notify and FIN, then waits until the far side, which has read everything by then, ends its own. Frees in any case.
 * TLS_AWAY with errno ETIMEDOUT: for timeout_ms nothing moved. is_known: it has taken bytes under our certificate before, and need not be waited for if it says nothing of it. */
enum tls_verdict tls_close(struct tls *, int64_t timeout_ms, bool is_known, char reason[TLS_REASON_MAX]);
void tls_drop(struct tls *);                                  /* frees at once, proving nothing: what the kernel holds still goes */

#endif
