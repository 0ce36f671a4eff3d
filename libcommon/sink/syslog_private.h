/* syslog_private - what the files of syslog share: the window, the connection, and the two ways of sending. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SYSLOG_PRIVATE_H
#define SINK_SYSLOG_PRIVATE_H

#include "io/endpoint.h"
#include "io/pace.h"
#include "io/socket.h"
#include "sink/backoff.h"
#include "sink/syslog.h"

/* SYSLOG_BATCH: 200,000 messages of 200 bytes over loopback TCP took 16 KiB 0.10 s of CPU, 64 KiB 0.08, 256 KiB 0.08. */
enum { SYSLOG_BATCH = 64 * 1024, SYSLOG_PROOF_MS = 5000, SYSLOG_REASON_MAX = 512, SYSLOG_DATAGRAM_MAX = 65507, SYSLOG_LEAST_BYTES = 64 };

/* Frames that are not proved, in order. Their boundaries are in the bytes themselves. */
struct syslog_window {
	struct buffer bytes;
	size_t sent;                  /* so many were given to the connection */
	uint64_t messages;
	bool counted;
};

void syslog_window_add(struct syslog_window *, struct span message, size_t max_bytes, bool *truncated); /* dies without memory */
uint64_t syslog_window_begun(const struct syslog_window *);       /* messages of which something was sent */
uint64_t syslog_window_release(struct syslog_window *, size_t taken); /* forgets the whole frames among the first `taken` bytes; how many */
size_t syslog_window_first(const struct syslog_window *, size_t most); /* bytes of the whole frames among the first `most`, but of one frame at least; 0: of all */
struct span syslog_cut(struct span message, size_t max_bytes);    /* at a character's start */

enum syslog_transport { SYSLOG_UDP, SYSLOG_TCP, SYSLOG_TLS, SYSLOG_UNIX };

struct syslog {
	const struct syslog_options *options;
	enum syslog_transport transport;
	struct endpoint endpoint;     /* of TLS: as of TCP */
	enum socket_type type;        /* unix: that of the last connection */
	size_t max_bytes;
	int64_t proof_ms;
	const char *place;            /* "logs.example.net:6514", a path */

	int fd;                       /* -1: not connected; of TLS: to wait for */
	struct tls *tls;
	struct syslog_window window;
	size_t portion;               /* a connection gets so much at most, and is proved: one broke with more; 0: the whole window */
	int64_t proof_due_ms;         /* below 0: nothing was sent */

	int64_t away_since_ms;        /* the first trouble after the last success; below 0: none */
	struct backoff backoff;
	bool was_there, told;

	struct buffer last;           /* udp: the datagram that a refusal most likely is about */
	bool last_is_again, told_loss;

	struct pace pace;
	enum syslog_state state;
	struct syslog_counts counts;
	char why[SYSLOG_REASON_MAX];  /* of the last trouble, without the place */
	char reason[SYSLOG_REASON_MAX];
};

/* --- syslog_link.c: the connection --- */

/* Connected, or back again within retry_ms; else the state is final. */
enum syslog_state syslog_connect(struct syslog *);
void syslog_disconnect(struct syslog *);                          /* at once; what is in the window goes again from its first message */
void syslog_break(struct syslog *);                               /* the same after a trouble that `why` tells of: counted, and the far side is away from now on */
void syslog_well(struct syslog *);                                /* something was proved: the far side is there */
enum syslog_state syslog_end(struct syslog *, enum syslog_state, const char *why); /* final */

enum syslog_heard { SYSLOG_QUIET, SYSLOG_ENDED, SYSLOG_DISTRUSTED }; /* `why` says what */
enum syslog_heard syslog_hear(struct syslog *);                   /* reads what the far side says, and forgets it */
enum syslog_heard syslog_write(struct syslog *, size_t end, size_t *sent); /* of the window's first `end` bytes, as much as goes */
enum syslog_heard syslog_close(struct syslog *);                  /* a stream, proving it; SYSLOG_ENDED with errno ETIMEDOUT, EINTR, or broken */
size_t syslog_taken(const struct syslog *);                       /* bytes of the window that the far side's kernel has */

/* --- syslog_stream.c --- */
enum syslog_state syslog_stream_send(struct syslog *, struct span message);
enum syslog_state syslog_stream_flush(struct syslog *);
enum syslog_state syslog_stream_prove(struct syslog *);
enum syslog_state syslog_stream_tick(struct syslog *);

/* --- syslog_datagram.c --- */
enum syslog_state syslog_datagram_send(struct syslog *, struct span message);
enum syslog_state syslog_datagram_hear(struct syslog *, int timeout_ms); /* udp: what the network says of datagrams sent before */

static inline void syslog_book_proved(struct syslog *s, uint64_t messages)
{
	s->counts.proved += messages;
	s->counts.waiting -= messages;
}

#endif
