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
	TLS_AWAY,                     /* no name, no route, refused, not in time; or cut later */
	TLS_UNTRUSTED,                /* chain, name or date of its certificate, or it refuses ours; a file of ours cannot be used */
	TLS_STOPPED,                  /* a stop signal came */
};

enum { TLS_REASON_MAX = 256 };
struct tls;

/* `reason` says why it is not TLS_DONE: "certificate has expired". */
enum tls_verdict tls_open(struct tls **, const char *host, uint16_t port, const struct tls_options *, int64_t timeout_ms, char reason[TLS_REASON_MAX]);

/* As much as goes without waiting: 0 and *sent (0: wait for tls_fd to be writable, or readable), or an errno. */
int tls_write(struct tls *, struct span bytes, size_t *sent);
int tls_fd(const struct tls *);
bool tls_is_ended(struct tls *);                              /* the far side has ended its side, or broke it; reads what came (TLS 1.3 tickets) and forgets it */

/* Ends our side with close_notify and FIN, then waits until the far side ends its own. True: it did, and all was read by it. Frees in any case. */
bool tls_close(struct tls *, int64_t timeout_ms, char reason[TLS_REASON_MAX]);
void tls_drop(struct tls *);                                  /* frees at once, proving nothing */

#endif
