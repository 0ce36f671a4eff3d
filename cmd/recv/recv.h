/* recv - what the parts of metlog-recv share: its options, its sources, and the connections of its stream sources. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef RECV_RECV_H
#define RECV_RECV_H

#include <poll.h>
#include <sys/stat.h>

#include "filter/feed.h"
#include "io/endpoint.h"
#include "io/socket.h"
#include "io/zeromq.h"
#include "senders.h"
#include "senders_file.h"
#include "sink/spool.h"

enum { RECV_SOURCES_MAX = 64, RECV_CLIENTS_MAX = 800 };

struct recv_options {
	struct span from[RECV_SOURCES_MAX];
	int from_count;
	const char *curve_keygen;
	const char *ready;             /* file that is told the endpoints as they are listened on */
	const char *spool;             /* directory; NULL: standard output */
	struct spool_options spool_options;
	bool spool_option;             /* one of them was given */
	bool unix_datagram;
	mode_t mode;
	int hwm, ack_hwm, receive_buffer, clients_max;
	int64_t idle_ms;               /* 0: never */
};

enum source_form { SOURCE_ZEROMQ, SOURCE_ACK, SOURCE_DATAGRAM, SOURCE_LISTENER };

struct source {                        /* one --from */
	struct endpoint endpoint;
	enum source_form form;
	struct feed_source feed;
	struct zeromq_socket *socket;
	int fd;                        /* datagram, listener */
	bool more;                     /* ZeroMQ: stopped reading before there was nothing left */
	int64_t paused_until_ms;       /* listener: no descriptors left, so leave those who wait alone for a moment */
	uint64_t kernel_drops;
	char resolved[SOCKET_NAME_MAX + 300];
};

struct client {                        /* a connection to a listener */
	int fd;
	struct source *source;
	struct buffer half;            /* a line that has begun */
	uint64_t length;               /* of that line; more than half.length if it is too long and only its start is kept */
	const char *fault;             /* why it is not kept; NULL while it is */
	int64_t heard_ms;
	char peer[SOCKET_NAME_MAX];
};

struct ack {                           /* what all ack: sources share besides the senders */
	struct sender *feeding;        /* whose batch is being fed; NULL: none */
	uint64_t line_before;          /* of its source, when that began */
	uint64_t bytes;                /* taken since the last acknowledgements */
	int64_t owed_since_ms;
	uint64_t sent, duplicates, gaps, malformed;
};

struct store {
	struct spool *spool;           /* NULL: standard output */
	struct senders_file file;
	uint64_t segment_bytes;        /* after which a segment is sealed, here and not by the spool */
	struct buffer held;            /* lines that came when the spool was full */
	uint64_t held_lines, plain;    /* plain: lines that nobody will send again, since the last commit */
	bool changed, blocked, failed;
};

struct datagrams;                      /* the buffers of one recvmmsg */

struct recv {
	struct recv_options options;
	struct filter filter;
	struct feed feed;
	struct zeromq *zeromq;
	struct source source[RECV_SOURCES_MAX];
	int source_count;
	struct client client[RECV_CLIENTS_MAX];
	int client_count;
	size_t half_bytes;             /* kept in all half lines together */
	char *block;                   /* READER_BLOCK bytes and padding: what a connection is read into */
	struct datagrams *datagrams;
	struct senders senders;
	struct ack ack;
	struct store store;
	struct buffer batch;           /* of an ack: message, with padding */
	uint64_t connections, turned_away, accept_failures, idle_closed, datagram_count, kernel_drops, topics, handshakes;
};

/* source.c */
void source_open(struct recv *, struct span text);
void source_report(struct recv *);                                 /* -v, --ready */
bool source_read(struct recv *, struct source *);                  /* true if anything came */
void source_stop_listening(struct recv *, struct source *);
void source_close(struct source *);
void source_count(void *recv);                                     /* brings the extra counts of --stats up to date */

/* ack.c */
void ack_init(struct recv *);                                      /* for the first ack: source; again does nothing */
void ack_release(struct recv *);
bool ack_read(struct recv *, struct source *);                     /* true if anything came */
bool ack_is_due(const struct recv *);                              /* acknowledgements have been owed for long enough */
bool ack_settle(struct recv *);                                    /* keeps what was taken and acknowledges it; true if anything was sent */
void ack_break_off(struct recv *);                                 /* --strict ends the program within a batch: up to there it counts */
void ack_rejected(void *recv, const struct reject *);
void ack_count(struct recv *);

/* store.c */
void store_open(struct recv *);                                    /* --spool */
void store_know_senders(struct recv *);                            /* fills r->senders with what the spool knows of them */
void store_keep(void *recv, struct span line);
bool store_is_blocked(const struct recv *);                        /* nothing may be read: there is no room for it, or it has failed */
bool store_has_failed(const struct recv *);                        /* for good: end with 74 */
bool store_wants_settling(const struct recv *);
bool store_settle(struct recv *);                                  /* all that was taken is kept as promised; false: it is not */
int64_t store_due_ms(const struct recv *);                         /* when store_attend is to be called; INT64_MAX: never */
void store_attend(struct recv *);
void store_seal(struct recv *);                                    /* SIGHUP */
void store_close(struct recv *);                                   /* says what was not kept */
void store_count(struct recv *);

/* datagram.c */
struct datagrams *datagrams_new(size_t size_bytes);
void datagrams_free(struct datagrams *);
bool datagrams_read(struct recv *, struct source *);

/* client.c */
bool client_accept(struct recv *, struct source *);
bool client_read(struct recv *, struct client *);                  /* true if anything came; may end the connection: client->fd < 0 */
void client_end(struct recv *, struct client *, const char *fault); /* a half line is rejected, with this reason */
void client_end_idle(struct recv *);
void client_remove_ended(struct recv *);

#endif
