/* syslog - carries syslog messages over UDP, TCP, TLS or a unix socket, and knows what became of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SYSLOG_H
#define SINK_SYSLOG_H

#include <poll.h>
#include <stdint.h>
#include "base/buffer.h"
#include "sink/tls.h"

/* syslog+udp:HOST[:514]      RFC 5426: a datagram a message
 * syslog+tcp:HOST[:514]      RFC 6587: a newline behind each message, or an octet count before it
 * syslog+tls:HOST[:6514]     RFC 5425: octet counts; the certificate and HOST are verified
 * syslog+unix:PATH           /dev/log: datagrams, or a stream with newlines if that is what listens there
 *
 * Syslog has no acknowledgement. A stream is proved to be read another way: we end our side of the connection (close_notify, FIN) and wait until the far side, which has read everything then, ends its own.
 * What was sent since the last proof is held in memory, at most window_bytes (and a message longer than that, alone). When that is full, when the first of it was sent 5 s ago (proof_ms), and at the end, it is proved,
 * and the next message opens a new connection. If a connection breaks before, everything not proved goes out again on the next: nothing that the receiver has not read is lost, and what it had read may come twice.
 * After a break a connection is given less, so that one is proved in the end even if the far side breaks each after so many messages.
 * SYSLOG_CONFIRM_ACKED is for receivers that do not end their side, and keeps the connection: proved is then what the far side's kernel has acknowledged.
 * Datagrams are given to the network: one that it says was refused is sent again, once; the queue of a unix socket is waited for.
 *
 * A far side that takes nothing, or does not end its side, for timeout_ms is gone. One that breaks, or cannot be connected to, is tried again with growing pauses; it is gone when for retry_ms nothing was proved.
 * Open the signals with SIGNALS_STOP_AGAIN: whatever waits here ends at signals_stopping_now, so the first request to stop leaves time to deliver what was read. */
enum syslog_framing { SYSLOG_FRAMING_DEFAULT, SYSLOG_FRAMING_LF, SYSLOG_FRAMING_COUNTED };
enum syslog_confirm { SYSLOG_CONFIRM_CLOSE, SYSLOG_CONFIRM_ACKED };

struct syslog_options {
	const char *to;
	enum syslog_framing framing;
	enum syslog_confirm confirm;
	size_t max_bytes;             /* of a message, header included, framing not; longer ones are cut at a character before they are framed. 64 at least, for udp 65507 at most; 0: no other limit */
	size_t window_bytes;
	uint64_t pace;                /* messages a second; 0: as fast as they are taken */
	int64_t timeout_ms;           /* to connect; and for a far side that takes nothing, or does not end its side */
	int64_t retry_ms;             /* a far side that is away so long is gone */
	int64_t proof_ms;             /* 0: 5 s */
	struct tls_options tls;
};

enum syslog_state {
	SYSLOG_FINE,
	SYSLOG_GONE,                  /* away for retry_ms, stalled for timeout_ms, or signals_stopping_now while it was waited for: 75. Final, as is: */
	SYSLOG_UNTRUSTED,             /* its certificate, its name, or ours: 77 */
};

struct syslog_counts {
	uint64_t taken;               /* messages that syslog_send was given; taken = proved + waiting + lost */
	uint64_t proved;              /* datagrams: given to the network */
	uint64_t waiting;             /* sent and not proved, or not sent */
	uint64_t lost;                /* datagrams only: refused twice, too long for the socket */
	uint64_t truncated, resent, reconnects, refused;
};

struct syslog;
/* NULL: *why, static text. The options are borrowed as long as it lives. Connects when the first message is sent. Ignores SIGPIPE. */
struct syslog *syslog_new(const struct syslog_options *, const char **why);
void syslog_free(struct syslog *);
bool syslog_is(struct span endpoint);                             /* begins with "syslog+" */

/* Takes a whole message, header and all. Waits while the far side does: that is the back-pressure. In a message that goes as a line LF and NUL are written #012, #000, as rsyslog does; one that begins with a digit,
 * which would be taken for a count, gets a blank before it. An empty one is sent as a blank. Of a pace every message is written at once; else up to 64 KiB are gathered. */
enum syslog_state syslog_send(struct syslog *, struct span message);
enum syslog_state syslog_flush(struct syslog *);                  /* hands over what is buffered; before one waits for input */
enum syslog_state syslog_finish(struct syslog *);                 /* everything proved, or why not */

/* While there is no input: */
bool syslog_poll(const struct syslog *, struct pollfd *);         /* a descriptor to watch; false: none */
int syslog_timeout_ms(const struct syslog *);                     /* until syslog_tick is due; -1: never */
enum syslog_state syslog_tick(struct syslog *);                   /* a connection that broke is made anew, one that is idle proved */
enum syslog_state syslog_reconnect(struct syslog *);              /* proves, then resolves the name again at the next message */

const struct syslog_counts *syslog_counts(const struct syslog *);
const char *syslog_reason(const struct syslog *);                 /* "logs.example.net:6514: certificate has expired" */

#endif
