/* zeromq_private - what the files of zeromq share: libzmq's functions, and the context with its gatekeeper. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_ZEROMQ_PRIVATE_H
#define IO_ZEROMQ_PRIVATE_H

#include <pthread.h>
#include <zmq.h>

#include "io/zeromq.h"

#define ZEROMQ_CALLS(each) \
	each(zmq_errno) each(zmq_strerror) each(zmq_version) each(zmq_ctx_new) each(zmq_ctx_term) each(zmq_ctx_shutdown) \
	each(zmq_socket) each(zmq_close) each(zmq_setsockopt) each(zmq_getsockopt) each(zmq_bind) each(zmq_connect) \
	each(zmq_send) each(zmq_recv) each(zmq_msg_init) each(zmq_msg_recv) each(zmq_msg_close) each(zmq_msg_data) \
	each(zmq_msg_size) each(zmq_msg_more) each(zmq_msg_move) each(zmq_socket_monitor) each(zmq_z85_encode) each(zmq_curve_keypair) each(zmq_curve_public)

/* libzmq's functions under their own names. */
struct library {
#define CALL_FIELD(name) __typeof__(&name) name;
	ZEROMQ_CALLS(CALL_FIELD)
#undef CALL_FIELD
};

struct zeromq {
	struct library call;
	void *context;
	unsigned sockets;       /* made so far: numbers the monitors */
	char *clients;          /* directory of keys that the gatekeeper lets in; NULL: all */
	bool keeps_gate;
	pthread_t gatekeeper;
	void *gate;
};

/* zeromq_gate.c: runs before the first server socket is bound, and until the context ends: there is no moment in which a key goes unasked. */
bool zeromq_gate_start(struct zeromq *, const char *clients, struct fault *);

/* zeromq_held.c: duplicates of libzmq's descriptors of connections over unix sockets, by the number that libzmq has. It goes by the far side's end of the connection: a
 * libzmq 4.3 that has stopped reading for a moment, as its queue is full, throws away what the kernel still has for it when the connection ends. (Over TCP it does not notice the end
 * before it reads again.) No more peers than this are held; of others the last messages can be lost. */
enum { ZEROMQ_HELD_MAX = 64 };
struct zeromq_held {
	size_t count;
	struct zeromq_held_peer {
		int number, fd;
	} peer[ZEROMQ_HELD_MAX];
};
void zeromq_held_add(struct zeromq_held *, int number);  /* a connection that libzmq has told of; what is no unix socket, or cannot be held, is not */
void zeromq_held_drop(struct zeromq_held *, int number); /* whose end libzmq has told of */
void zeromq_held_close(struct zeromq_held *);            /* all of them */
/* How many have not read everything yet; *lost: how many have gone without having done so. */
size_t zeromq_held_unread(const struct zeromq_held *, size_t *lost);

/* zeromq_room.c: whether this process may have as many threads and descriptors more as a context takes. Without them libzmq prints a line and aborts. */
bool zeromq_has_room(struct fault *);

#endif
