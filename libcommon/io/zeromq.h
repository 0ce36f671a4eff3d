/* zeromq - ZeroMQ sockets; the only place that knows libzmq, which is loaded when the first one is opened. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_ZEROMQ_H
#define IO_ZEROMQ_H

#include <stdint.h>
#include "base/fault.h"
#include "base/span.h"
#include "io/endpoint.h"

struct zeromq;         /* the library, a context, and the gatekeeper: a thread that answers who may connect (ZAP, RFC 27) */
struct zeromq_socket;

/* NULL with the fault: 71 if libzmq cannot be loaded or started, 70 without memory. A process may have several. */
struct zeromq *zeromq_open(struct fault *);
/* All its sockets must be closed before. Waits as long as they linger; without a linger, milliseconds. NULL: nothing. */
void zeromq_close(struct zeromq *);
/* The same without waiting: what lingers goes on in libzmq's own threads, one of which and its memory stay with the process. */
void zeromq_leave(struct zeromq *);

/* Makes a CURVE key pair in two files: see curve_write_pair; 78 if libzmq knows no CURVE. */
bool zeromq_make_keys(struct zeromq *, const char *path, struct fault *);

struct zeromq_options {
	int hwm;                     /* messages queued at most, each peer and direction */
	int send_hwm;                /* the same of those to be sent; 0: hwm */
	int64_t message_limit_bytes; /* a peer that sends a longer message is disconnected; < 0: no limit */
	int buffer_bytes;            /* SO_RCVBUF and SO_SNDBUF; 0: the kernel's choice */
	const char *curve_secret;    /* file with our key pair. A socket that binds is a CURVE server with it */
	const char *curve_clients;   /* directory of the public keys that a server lets in */
	const char *curve_server;    /* file with the server's public key: a socket that connects is a CURVE client */
	bool insecure;               /* tcp:// off loopback without CURVE, and a server without curve_clients, are allowed */
	bool receives;               /* of ack:, which is for both directions */
	bool is_trial;               /* a host is not looked up, nor connected to: only what is wrong with the rest is told. libzmq cannot end while it waits for a name */
	bool await_peers;            /* nothing is queued for a connection that does not stand (IMMEDIATE) */
	enum diag_exit failure;      /* of the fault if the address cannot be bound or connected */
};

/* pub: sub: push: pull: rep: ack:, on the side the endpoint says, else sub: pull: rep: bind and pub: push: connect, but bind if their host is "*". A pub: socket says how many
 * subscriptions there are (XPUB) and answers EAGAIN instead of dropping when a subscriber is slow; sub: subscribes to everything.
 * ack: is a ROUTER if it binds and a DEALER if it connects; `receives` says which of both is meant, and the other side of it (ack:@ to send, ack:>
 * to receive) is refused, 78.
 * NULL with the fault: 78 if what was asked for is unsafe or wrong, 66/77/78 for key files, options->failure if the address is refused, 70, 71.
 * For an ipc:// address that is bound the process's umask is another one for a moment. */
struct zeromq_socket *zeromq_socket_open(struct zeromq *, const struct endpoint *, const struct zeromq_options *, struct fault *);
bool zeromq_would_bind(const struct endpoint *);

/* Options for CURVE that no socket would use are a mistake: who gave them thinks there is a lock where there is none. NULL, or what is wrong
 * with them, static text; binds, connects: there are sockets that do. */
const char *zeromq_curve_fault(const struct zeromq_options *, bool binds, bool connects);
const char *zeromq_address(const struct zeromq_socket *); /* as bound, with the real port: "tcp://127.0.0.1:40000" */
bool zeromq_binds(const struct zeromq_socket *);

/* Two descriptors to poll for POLLIN. They tell of changes only: call zeromq_receive (or zeromq_send) and zeromq_events until there is
 * nothing more before each poll. */
enum { ZEROMQ_FDS = 2 };
void zeromq_fds(const struct zeromq_socket *, int fds[ZEROMQ_FDS]);

/* Never blocks. The last part of the next message; false: none is there. *parts counts all of them. Valid until the next
 * call. For rep: each message must be answered with zeromq_answer before the next is received. */
bool zeromq_receive(struct zeromq_socket *, struct span *last, unsigned *parts);
void zeromq_answer(struct zeromq_socket *); /* an empty reply */

/* Never blocks. 0, or EAGAIN (no room, no peer), or another errno. */
int zeromq_send(struct zeromq_socket *, struct span message);
/* Messages of several parts, as ack: has them; of a ROUTER the first part is the peer's routing id. Neither blocks. Receiving: the number of
 * parts, 0 if there is no message; parts beyond `most` (at most ZEROMQ_PARTS_MAX) are counted but not kept; valid until the next call.
 * Sending: 0, EAGAIN (no room, no peer), EHOSTUNREACH (ROUTER: that peer is gone), or another errno; all parts or none. */
enum { ZEROMQ_PARTS_MAX = 8 };
size_t zeromq_receive_parts(struct zeromq_socket *, struct span *parts, size_t most);
int zeromq_send_parts(struct zeromq_socket *, const struct span *parts, size_t count);

long zeromq_subscriptions(struct zeromq_socket *); /* of a pub: socket, now */

/* What the socket's monitor has told so far. */
struct zeromq_events {
	uint64_t peers_now;          /* connections that stand, handshake done */
	uint64_t connected, disconnected;
	uint64_t handshake_failed;   /* all kinds, denied included */
	uint64_t denied;             /* the far side did not let us in, or our gatekeeper not it */
	bool closed;                 /* after zeromq_close_begin: nothing is left to send */
};
const struct zeromq_events *zeromq_events(struct zeromq_socket *);

/* pub: and push: over ipc://, when `closed` was told: how many peers have not read yet what was written to their connections, which stay open until
 * zeromq_socket_close; *lost: how many have gone without having read it. Closed before, with 4.3 of libzmq at the far side, it would be lost. Others: 0. */
size_t zeromq_unread(const struct zeromq_socket *, size_t *lost);

/* Keeps sending what is queued for at most linger_ms while events are still told (`closed` when that has ended); then
 * zeromq_socket_close releases. zeromq_socket_close alone drops what is queued. */
void zeromq_close_begin(struct zeromq_socket *, int linger_ms);
void zeromq_socket_close(struct zeromq_socket *);

#endif
