/* endpoint - where envelopes come from or go to, read once from the text an option or a route names it by. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_ENDPOINT_H
#define IO_ENDPOINT_H

#include "base/span.h"

/*  -                     ENDPOINT_STDIO
 *  file:PATH             ENDPOINT_FILE     path
 *  spool:DIR             ENDPOINT_SPOOL    path
 *  udp:HOST:PORT         ENDPOINT_UDP      host port     HOST: name, IPv4, [IPv6], or * for any address
 *  tcp:HOST:PORT         ENDPOINT_TCP      host port
 *  unix:PATH             ENDPOINT_UNIX     path
 *  pub:[@>]ADDRESS       ENDPOINT_PUB      address, side; for tcp:// host and port too, for ipc:// path
 *  sub: push: pull: rep: ack:              the same
 *  webhdfs://...  swebhdfs://...  http://...  https://...  address
 *
 * A kind that a tool cannot use yet, or at all, is for that tool to refuse: endpoint_kind_name says what it was. */
enum endpoint_kind {
	ENDPOINT_STDIO, ENDPOINT_FILE, ENDPOINT_SPOOL, ENDPOINT_UDP, ENDPOINT_TCP, ENDPOINT_UNIX,
	ENDPOINT_PUB, ENDPOINT_SUB, ENDPOINT_PUSH, ENDPOINT_PULL, ENDPOINT_REP, ENDPOINT_ACK,
	ENDPOINT_WEBHDFS, ENDPOINT_HTTP,
};

enum endpoint_side { ENDPOINT_EITHER, ENDPOINT_BINDS, ENDPOINT_CONNECTS }; /* '@' and '>' of a ZeroMQ address; EITHER: not said */

struct endpoint {
	enum endpoint_kind kind;
	enum endpoint_side side;
	char *text;     /* as it was written: for messages and as the source of rejects */
	char *host;     /* without brackets; "*" for any address */
	char *port;     /* digits, or "*" for any free port of a ZeroMQ address (plain sockets: "0") */
	char *path;
	char *address;  /* what libzmq or an HTTP library is given: "tcp://127.0.0.1:5565" */
	char *memory;   /* the parts above stand in here; NULL ones were not in the text */
};

/* False: not an endpoint; *reason is then static text ("a port from 0 to 65535 is missing"; "no memory" is ENDPOINT_NO_MEMORY itself). Nothing to
 * release then. */
extern const char ENDPOINT_NO_MEMORY[];
bool endpoint_parse(struct endpoint *, struct span text, const char **reason);
void endpoint_release(struct endpoint *);

const char *endpoint_kind_name(enum endpoint_kind); /* "udp", "sub", "-" */
bool endpoint_is_zeromq(const struct endpoint *);

/* True if it cannot be reached from another machine: loopback addresses, "localhost", paths. */
bool endpoint_is_local(const struct endpoint *);

#endif
