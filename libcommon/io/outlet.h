/* outlet - hands whole envelopes over to an endpoint, and knows how many it has handed over. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_OUTLET_H
#define IO_OUTLET_H

#include <poll.h>
#include <stdint.h>
#include "base/span.h"
#include "io/endpoint.h"

/*     struct outlet *out = outlet_open(&endpoint, &options);
 *     if (outlet_send(out, line) != OUTLET_DELIVERED) ...     once a line
 *     outlet_flush(out);                                       before blocking for more input
 *     result = outlet_close(out, &lost, reason);
 *
 * "Handed over" is what each kind can know:
 *   -  file:          written to the descriptor; a line that a full disk cut is taken off the file again at the close; behind a line that somebody else left without its end a new one begins
 *   tcp:  unix:       given to the kernel of a connection that stood (unix: a datagram was taken by the receiver's queue)
 *   udp:              given to the network, and nobody has said "port unreachable" about it so far
 *   push:  pub:       taken by libzmq for a peer that is connected (pub: that has subscribed), and at the close written to
 *                     the connection before the timeout and without a disconnect in between
 *   ack:              acknowledged by the far side, which does so when it has kept the envelopes (metlog-wire(5)); until then they are held here,
 *                     at most ACK_WINDOW_BYTES of them, and sent again when the connection breaks. outlet_close waits for the last one
 * After a result that is not OUTLET_DELIVERED the outlet stays usable: the next send tries again (tcp: and unix: reconnect). */
enum outlet_result {
	OUTLET_DELIVERED,
	OUTLET_TRY_AGAIN,   /* the far side is away or slow: not within the timeout (exit 75) */
	OUTLET_REFUSED,     /* for good: too long for a datagram, no permission, a full disk, a key that is not known */
};

struct outlet_options {
	int timeout_ms;              /* for each send, flush and close to make progress; < 0: until a stop signal comes */
	int hwm;                     /* ZeroMQ messages queued at most; 0: 1000 */
	int file_mode;               /* of a file that is made, less the umask; 0: 0644 */
	int send_buffer_bytes;       /* SO_SNDBUF; 0: the kernel's choice */
	const char *curve_secret;    /* file of our key pair (mode 0600); NULL: none, or one made for this run */
	const char *curve_server;    /* file of the server's public key: we are a CURVE client */
	const char *curve_clients;   /* directory of the clients' public keys: we are the server */
	const char *sender;          /* ack: 16 bytes that name the numbering, */
	uint64_t acknowledged;       /* and the last number of it that is settled; NULL and 0: a numbering of this run */
	bool insecure;               /* network endpoints off loopback without CURVE are allowed (udp: and tcp: are not asked) */
};

struct outlet;

/* Does not wait for the far side: the first send does. Dies (78) for an endpoint that is no output or is wrong, (73) for a file that
 * cannot be made, (77) for a key file open to others, (71) if libzmq is missing. '-' is standard output. */
struct outlet *outlet_open(const struct endpoint *, const struct outlet_options *);

/* One envelope, without its newline. May be kept in a buffer (kinds file, tcp, unix stream): flush tells the truth about it.
 * Not DELIVERED: this line is not handed over and not kept, so it may be sent again; lines taken before it that are
 * still in the buffer stay there. */
enum outlet_result outlet_send(struct outlet *, struct span line);
enum outlet_result outlet_flush(struct outlet *);

/* For kinds whose far side answers (ack:), while the caller waits for something else: what to poll (returns how many), and how long at most (-1: no
 * matter); then outlet_attend, which takes answers, sends again, and keeps the connection alive. Other kinds: nothing to poll, nothing done. */
enum { OUTLET_FDS_MAX = 4 };
size_t outlet_polled(struct outlet *, struct pollfd fds[OUTLET_FDS_MAX], int *timeout_ms);
enum outlet_result outlet_attend(struct outlet *);

/* ack: waits, as outlet_close would, until everything that was taken is acknowledged; then all that was rejected can be taken. Others: nothing. */
enum outlet_result outlet_settle(struct outlet *);

/* ack: the number of the last envelope that is acknowledged (the first one sent has options.acknowledged + 1). */
uint64_t outlet_acknowledged(const struct outlet *);

/* ack: the next envelope that the far side rejected, with its reason; false: none. Valid until the next call. It counts as acknowledged. */
bool outlet_take_rejected(struct outlet *, struct span *line, const char **reason);

/* True if the last send was OUTLET_REFUSED for that line alone (too long for a datagram): others can still go. */
bool outlet_refused_line(const struct outlet *);

/* Why the last result was not DELIVERED: "no subscriber within 5 s", "Connection refused"; valid until the next call. */
const char *outlet_reason(const struct outlet *);

/* File kinds only: opens the file again by its name (after a rotation) and closes the old one. False: it goes on with that; outlet_reason says why. True for other kinds too. */
bool outlet_reopen(struct outlet *);

/* Flushes, waits for the far side as long as the timeout allows, releases. `lost` (may be NULL): lines that were taken and are not handed
 * over, as far as can be known; 0 with OUTLET_DELIVERED. `reason` (may be NULL; OUTLET_REASON_MAX bytes) says why. */
enum { OUTLET_REASON_MAX = 200 };
enum outlet_result outlet_close(struct outlet *, uint64_t *lost, char *reason);

#endif
