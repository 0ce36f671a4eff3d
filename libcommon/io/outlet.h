/* outlet - hands whole envelopes over to an endpoint, and knows how many it has handed over. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_OUTLET_H
#define IO_OUTLET_H

#include <poll.h>
#include <stdint.h>
#include "base/fault.h"
#include "base/span.h"
#include "io/endpoint.h"
#include "io/waits.h"

/*     struct outlet *out = outlet_open(&endpoint, &options, &fault);
 *     if (outlet_send(out, line) != OUTLET_DELIVERED) ...     once a line, or outlet_send_lines once a block of them
 *     outlet_flush(out);                                       before blocking for more input
 *     result = outlet_close(out, &lost, reason);
 *
 * "Handed over" is what each kind can know:
 *   -  file:          written to the descriptor; a line that a full disk cut is taken off the file again at the close; behind a line that somebody else left without its end a new one begins
 *   tcp:  unix:       given to the kernel of a connection that stood (unix: a datagram was taken by the receiver's queue)
 *   udp:              given to the network, and nobody has said "port unreachable" about it so far
 *   push:  pub:       taken by libzmq for a peer that is connected (pub: that has subscribed), and at the close written to
 *                     the connection before the timeout and without a disconnect in between; over ipc:// the far side's process has read it from there, too
 *   ack:              acknowledged by the far side, which does so when it has kept the envelopes (metlog-wire(5)); until then they are held here,
 *                     at most ACK_WINDOW_BYTES of them, and sent again when the connection breaks. outlet_close waits for the last one
 * All its counts are envelopes, whatever they were sent in. Nothing here prints, ends the process, or waits otherwise than by options.waits (but for the name
 * of a host, which getaddrinfo(3) looks up at each connect). After a result that is not OUTLET_DELIVERED the outlet stays usable: the next send tries again (tcp: and unix: reconnect). */
enum outlet_result {
	OUTLET_DELIVERED,
	OUTLET_TRY_AGAIN,   /* the far side is away or slow: not within the timeout, or not before a stop (exit 75); or no memory */
	OUTLET_REFUSED,     /* for good: too long for a datagram, no permission, a full disk, a key that is not known */
};

struct outlet_options {
	int timeout_ms;              /* for each send, flush and close to make progress; < 0: until waits_stopping */
	const struct waits *waits;   /* NULL: waits_plain. When they are over, every wait here ends as if its time were */
	void (*say)(void *context, bool is_warning, const char *text); /* what is worth a word while it works, such as a loss; NULL: nobody hears it */
	void *say_context;
	int hwm;                     /* ZeroMQ messages queued at most; 0: 1000 */
	int file_mode;               /* of a file that is made, less the umask; 0: 0644 */
	int send_buffer_bytes;       /* SO_SNDBUF; 0: the kernel's choice */
	const char *curve_secret;    /* file of our key pair (mode 0600); NULL: none, or one made for this run */
	const char *curve_server;    /* file of the server's public key: we are a CURVE client */
	const char *curve_clients;   /* directory of the clients' public keys: we are the server */
	const char *sender;          /* ack: 16 bytes that name the numbering, */
	uint64_t acknowledged;       /* and the last number of it that is settled; NULL and 0: a numbering of this run */
	bool is_trial;               /* it is closed again at once: pub: push: and ack: do not connect to a host, which may take as long as its name does */
	bool insecure;               /* network endpoints off loopback without CURVE are allowed (udp: and tcp: are not asked) */
};

struct outlet;

/* Does not wait for the far side: the first send does. NULL with the fault: 78 for an endpoint that is no output or is wrong, 73 for a file that
 * cannot be made, 77 for a key file open to others, 71 if libzmq is missing, 70 without memory. '-' is standard output. The endpoint, and what the options
 * point to, must live as long as the outlet. */
struct outlet *outlet_open(const struct endpoint *, const struct outlet_options *, struct fault *);

/* One envelope, without its newline. May be kept in a buffer (kinds file, tcp, unix stream): flush tells the truth about it.
 * Not DELIVERED: this line is not handed over and not kept, so it may be sent again; lines taken before it that are
 * still in the buffer stay there. */
enum outlet_result outlet_send(struct outlet *, struct span line);

/* A block of whole lines, each with its newline and none empty; the same as outlet_send of each. *taken_bytes: the lines at its start that were taken; all with
 * OUTLET_DELIVERED, else the caller goes on behind them (and, with outlet_refused_line, behind the one line that follows). file: tcp: unix: (stream) and ack: take
 * the bytes as they are. push: sends up to OUTLET_BLOCK_BYTES of whole lines (or one longer line) as one message, in which envelopes stand one a line; options.hwm
 * counts messages. udp: pub: and unix: (datagram): one message an envelope. */
enum { OUTLET_BLOCK_BYTES = 64 * 1024 }; /* 500,000 envelopes of 240 bytes to metlog-recv: one a message 1.4 s, 1 KiB 0.5 s, 16 KiB 0.26 s, 64 KiB 0.23 s, and no less beyond */
enum outlet_result outlet_send_lines(struct outlet *, struct span lines, size_t *taken_bytes);
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

/* As far as is known now: envelopes handed over (of file: tcp: unix: those in the buffer are not yet, of ack: those acknowledged), and those that were taken and
 * are lost (what outlet_close tells of includes them). */
uint64_t outlet_delivered(const struct outlet *);
uint64_t outlet_lost(const struct outlet *);

/* From here on instead of options.timeout_ms: what a close with a deadline of its own sets before it. */
void outlet_set_timeout(struct outlet *, int timeout_ms);

/* Flushes, waits for the far side as long as the timeout allows, releases. `lost` (may be NULL): lines that were taken and are not handed
 * over, as far as can be known; 0 with OUTLET_DELIVERED. `reason` (may be NULL; OUTLET_REASON_MAX bytes) says why. */
enum { OUTLET_REASON_MAX = 200 };
enum outlet_result outlet_close(struct outlet *, uint64_t *lost, char *reason);

/* In the child of a fork, of an outlet that is its parent's: closes its descriptor if it still is that, sends nothing, and releases nothing else, for
 * another thread of the parent may have been in the midst of a call (libzmq's descriptors stay open until an exec). NULL: nothing. */
void outlet_abandon(struct outlet *);

#endif
