/* zeromq_gate - the gatekeeper, a thread that answers libzmq who may connect (ZAP, RFC 27). */
/* SPDX-License-Identifier: MPL-2.0 */
#include <signal.h>
#include <stdlib.h>

#include "io/curve.h"
#include "io/zeromq_private.h"

enum { ZAP_ID_MAX = 256, ZAP_PARTS = 7, ZAP_KEY = 32 };

/* One request, read whole whatever it holds; the client's key as text in `public`, empty if there was none. False: the
 * context is being ended. */
static bool gate_receive(struct zeromq *z, char id[ZAP_ID_MAX], size_t *id_length, char public[CURVE_KEY_SIZE])
{
	unsigned parts = 0;
	bool curve = false, more = true;
	public[0] = '\0';
	*id_length = 0;
	for (; more; parts++) {
		zmq_msg_t part;
		z->call.zmq_msg_init(&part);
		while (z->call.zmq_msg_recv(&part, z->gate, 0) < 0) {
			if (z->call.zmq_errno() == EINTR) continue;
			z->call.zmq_msg_close(&part);
			return false;
		}
		size_t size = z->call.zmq_msg_size(&part);
		const char *data = z->call.zmq_msg_data(&part);
		if (parts == 1 && size <= ZAP_ID_MAX) memcpy(id, data, *id_length = size);
		if (parts == 5) curve = size == 5 && !memcmp(data, "CURVE", 5);
		if (parts == 6 && curve && size == ZAP_KEY) z->call.zmq_z85_encode(public, (const uint8_t *)data, ZAP_KEY);
		more = z->call.zmq_msg_more(&part);
		z->call.zmq_msg_close(&part);
	}
	if (parts != ZAP_PARTS) public[0] = '\0';
	return true;
}

static void *gate_run(void *argument)
{
	struct zeromq *z = argument;
	char id[ZAP_ID_MAX], public[CURVE_KEY_SIZE];
	size_t id_length;
	while (gate_receive(z, id, &id_length, public)) {
		bool welcome = public[0] && (!z->clients || curve_is_listed(z->clients, public));
		struct span reply[6] = { SPAN("1.0"), { id, id_length }, welcome ? SPAN("200") : SPAN("400"),
			welcome ? SPAN("OK") : SPAN("this key is not let in"), SPAN(""), SPAN("") };
		for (int i = 0; i < 6; i++) z->call.zmq_send(z->gate, reply[i].data, reply[i].length, i < 5 ? ZMQ_SNDMORE : 0);
	}
	z->call.zmq_close(z->gate);
	return NULL;
}

static bool listen_for_requests(struct zeromq *z)
{
	z->gate = z->call.zmq_socket(z->context, ZMQ_REP);
	return z->gate && z->call.zmq_bind(z->gate, "inproc://zeromq.zap.01") == 0;
}

bool zeromq_gate_start(struct zeromq *z, const char *clients, struct fault *fault)
{
	sigset_t all, old;
	if (z->keeps_gate) return true;
	if (clients && !curve_check_directory(clients, fault)) return false;
	if (clients && !(z->clients = strdup(clients))) return fault_set(fault, EXIT_INTERNAL, "no memory for ZeroMQ's authentication");
	int error = 0;
	const char *why = NULL;
	if (!listen_for_requests(z)) {
		why = z->call.zmq_strerror(z->call.zmq_errno());
	} else {
		sigfillset(&all); /* signals are for the program's own threads */
		pthread_sigmask(SIG_BLOCK, &all, &old);
		error = pthread_create(&z->gatekeeper, NULL, gate_run, z);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		if (!error) return z->keeps_gate = true;
		why = strerror(error);
	}
	if (z->gate) z->call.zmq_close(z->gate);
	free(z->clients);
	z->clients = NULL;
	return fault_set(fault, EXIT_SYSTEM, "cannot start ZeroMQ's authentication: %s", why);
}
