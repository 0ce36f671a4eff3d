/* zeromq - ZeroMQ sockets; the only place that knows libzmq, which is loaded when the first one is opened. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/zeromq.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "io/curve.h"
#include "io/diag.h"
#include "io/socket.h"

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

struct zeromq_socket {
	struct zeromq *owner;
	const struct library *call;
	void *socket, *monitor;
	zmq_msg_t part;
	zmq_msg_t parts[ZEROMQ_PARTS_MAX]; /* of the last message received by zeromq_receive_parts */
	size_t parts_kept;
	long subscriptions;
	struct zeromq_events events;
	unsigned failures_due;  /* failed handshakes whose disconnect is still to come */
	bool binds, is_publisher;
	char address[256];
};

/* Handshakes take milliseconds; half-open ones cost a descriptor each. */
enum { HANDSHAKE_MS = 10000, RECONNECT_MS = 100, RECONNECT_MAX_MS = 2000, SUBSCRIPTION_MAX = 4096 };

struct zeromq *zeromq_open(void)
{
	struct zeromq *z = must_alloc(sizeof *z);
	/* Never unloaded: its threads may outlive the context by a moment. */
	void *library = dlopen("libzmq.so.5", RTLD_NOW | RTLD_LOCAL);
	if (!library) library = dlopen("libzmq.so", RTLD_NOW | RTLD_LOCAL);
	if (!library) die(EXIT_SYSTEM, "cannot load ZeroMQ, which this endpoint needs (Debian's package is libzmq5): %s", dlerror());
#define CALL_LOAD(name) \
	if (!(z->call.name = (__typeof__(&name))dlsym(library, #name))) die(EXIT_SYSTEM, "this libzmq is too old: it has no %s", #name);
	ZEROMQ_CALLS(CALL_LOAD)
#undef CALL_LOAD
	z->context = z->call.zmq_ctx_new();
	if (!z->context) die(EXIT_SYSTEM, "cannot start ZeroMQ: %s", strerror(errno));
	return z;
}

void zeromq_make_keys(struct zeromq *z, const char *path)
{
	char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE];
	if (z->call.zmq_curve_keypair(public, secret) < 0) die(EXIT_CONFIGURATION, "this libzmq was built without CURVE");
	curve_write_pair(path, public, secret);
	explicit_bzero(secret, sizeof secret);
}

/* --- the gatekeeper: ZAP (RFC 27) -------------------------------------------- */

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

/* Runs before the first server socket is bound, and until the context ends: there is no moment in which a key goes unasked. */
static void gate_start(struct zeromq *z, const char *clients)
{
	sigset_t all, old;
	if (z->keeps_gate) return;
	if (clients) curve_check_directory(clients), z->clients = must_copy(span_of(clients));
	z->gate = z->call.zmq_socket(z->context, ZMQ_REP);
	if (!z->gate || z->call.zmq_bind(z->gate, "inproc://zeromq.zap.01") < 0)
		die(EXIT_SYSTEM, "cannot start ZeroMQ's authentication: %s", z->call.zmq_strerror(z->call.zmq_errno()));
	sigfillset(&all); /* signals are for the main thread */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	int error = pthread_create(&z->gatekeeper, NULL, gate_run, z);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) die(EXIT_SYSTEM, "cannot start ZeroMQ's authentication: %s", strerror(error));
	z->keeps_gate = true;
}

void zeromq_close(struct zeromq *z)
{
	if (!z) return;
	z->call.zmq_ctx_shutdown(z->context);
	if (z->keeps_gate) pthread_join(z->gatekeeper, NULL);
	while (z->call.zmq_ctx_term(z->context) < 0 && z->call.zmq_errno() == EINTR) continue;
	free(z->clients);
	free(z);
}

/* --- sockets ---------------------------------------------------------------------- */

static void set_option(struct zeromq_socket *s, int option, const void *value, size_t size, const char *name)
{
	if (s->call->zmq_setsockopt(s->socket, option, value, size) < 0)
		die(EXIT_SYSTEM, "libzmq does not take the option %s: %s", name, s->call->zmq_strerror(s->call->zmq_errno()));
}

static void set_int(struct zeromq_socket *s, int option, int value, const char *name)
{
	set_option(s, option, &value, sizeof value, name);
}

static int socket_kind(enum endpoint_kind kind, bool receives)
{
	switch (kind) {
	case ENDPOINT_ACK: return receives ? ZMQ_ROUTER : ZMQ_DEALER;
	case ENDPOINT_PUB: return ZMQ_XPUB;
	case ENDPOINT_SUB: return ZMQ_SUB;
	case ENDPOINT_PUSH: return ZMQ_PUSH;
	case ENDPOINT_PULL: return ZMQ_PULL;
	case ENDPOINT_REP: return ZMQ_REP;
	default: return -1;
	}
}

static void set_curve(struct zeromq_socket *s, const struct endpoint *e, const struct zeromq_options *o)
{
	char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE], server[CURVE_KEY_SIZE];
	if (s->binds ? !o->curve_secret : !o->curve_server) {
		if (e->host && !endpoint_is_local(e) && !o->insecure)
			die(EXIT_CONFIGURATION, "%s: %s off this host without CURVE, so anybody there may %s: give --curve-%s, or --insecure if that is meant",
				e->text, s->binds ? "listening" : "connecting", s->binds ? "connect" : "answer", s->binds ? "secret and --curve-clients" : "server");
		return;
	}
	if (s->binds && !o->curve_clients && !o->insecure)
		die(EXIT_CONFIGURATION, "%s: CURVE without --curve-clients lets in any key: give the directory of client keys, or --insecure if that is meant", e->text);
	if (s->binds) gate_start(s->owner, o->curve_clients);
	if (o->curve_secret) {
		curve_read_secret(o->curve_secret, secret);
		if (s->call->zmq_curve_public(public, secret) < 0) die(EXIT_CONFIGURATION, "the secret key in %s is no CURVE key", o->curve_secret);
	} else if (s->call->zmq_curve_keypair(public, secret) < 0) {
		die(EXIT_CONFIGURATION, "this libzmq was built without CURVE");
	}
	if (s->binds) {
		set_int(s, ZMQ_CURVE_SERVER, 1, "CURVE_SERVER (was it built without CURVE?)");
		set_option(s, ZMQ_ZAP_DOMAIN, "metlog", 6, "ZAP_DOMAIN");
	} else {
		curve_read_public(o->curve_server, server);
		set_option(s, ZMQ_CURVE_SERVERKEY, server, CURVE_KEY_SIZE, "CURVE_SERVERKEY");
		set_option(s, ZMQ_CURVE_PUBLICKEY, public, CURVE_KEY_SIZE, "CURVE_PUBLICKEY");
	}
	set_option(s, ZMQ_CURVE_SECRETKEY, secret, CURVE_KEY_SIZE, "CURVE_SECRETKEY");
	explicit_bzero(secret, sizeof secret);
}

static void set_options(struct zeromq_socket *s, const struct endpoint *e, const struct zeromq_options *o)
{
	int64_t limit = s->is_publisher ? SUBSCRIPTION_MAX : o->message_limit_bytes;
	set_int(s, ZMQ_LINGER, 0, "LINGER");
	set_int(s, ZMQ_SNDHWM, o->send_hwm ? o->send_hwm : o->hwm, "SNDHWM");
	set_int(s, ZMQ_RCVHWM, o->hwm, "RCVHWM");
	set_option(s, ZMQ_MAXMSGSIZE, &limit, sizeof limit, "MAXMSGSIZE");
	set_int(s, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS, "HANDSHAKE_IVL");
	set_int(s, ZMQ_RECONNECT_IVL, RECONNECT_MS, "RECONNECT_IVL");
	set_int(s, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS, "RECONNECT_IVL_MAX");
	set_int(s, ZMQ_TCP_KEEPALIVE, 1, "TCP_KEEPALIVE"); /* notices a dead host with any peer; heartbeats only new ones know */
	set_int(s, ZMQ_TCP_KEEPALIVE_IDLE, 60, "TCP_KEEPALIVE_IDLE");
	set_int(s, ZMQ_TCP_KEEPALIVE_INTVL, 15, "TCP_KEEPALIVE_INTVL");
	if (o->buffer_bytes) set_int(s, ZMQ_RCVBUF, o->buffer_bytes, "RCVBUF"), set_int(s, ZMQ_SNDBUF, o->buffer_bytes, "SNDBUF");
	if (o->await_peers) set_int(s, ZMQ_IMMEDIATE, 1, "IMMEDIATE");
	if (e->kind == ENDPOINT_ACK && o->receives) set_int(s, ZMQ_ROUTER_MANDATORY, 1, "ROUTER_MANDATORY");
	if (s->is_publisher) set_int(s, ZMQ_XPUB_NODROP, 1, "XPUB_NODROP");
	if (e->kind == ENDPOINT_SUB) set_option(s, ZMQ_SUBSCRIBE, "", 0, "SUBSCRIBE");
	/* With IPV6 on, a name is resolved to its IPv6 address alone, so it is on only where an IPv6 address or any address is meant. */
	if (e->host && (strchr(e->host, ':') || (s->binds && !strcmp(e->host, "*")))) set_int(s, ZMQ_IPV6, 1, "IPV6");
	set_curve(s, e, o);
}

static void open_monitor(struct zeromq_socket *s)
{
	char name[64];
	snprintf(name, sizeof name, "inproc://metlog.monitor.%u", s->owner->sockets++);
	s->monitor = s->call->zmq_socket(s->owner->context, ZMQ_PAIR);
	if (s->call->zmq_socket_monitor(s->socket, name, ZMQ_EVENT_ALL) < 0 || !s->monitor || s->call->zmq_connect(s->monitor, name) < 0)
		die(EXIT_SYSTEM, "cannot watch a ZeroMQ socket: %s", s->call->zmq_strerror(s->call->zmq_errno()));
}

/* libzmq would take a socket file over from a live process without a word. */
static void refuse_theft(const struct endpoint *e, int failure)
{
	char reason[SOCKET_REASON_MAX];
	enum socket_type type;
	if (!e->path || e->path[0] == '@' || access(e->path, F_OK) < 0) return;
	int fd = socket_connect_unix(e->path, &type, 0, reason);
	if (fd < 0 && errno == ECONNREFUSED) return;
	if (fd >= 0) close(fd);
	die((enum diag_exit)failure, "cannot listen on %s: %s", e->text, fd >= 0 ? "another process listens there" : reason);
}

static int attach(struct zeromq_socket *s, const struct endpoint *e)
{
	if (!s->binds) return s->call->zmq_connect(s->socket, e->address);
	mode_t old = umask(077); /* a socket file is for its owner */
	int result = s->call->zmq_bind(s->socket, e->address);
	if (result < 0 && e->host && !strcmp(e->host, "*")) { /* a host without IPv6 */
		set_int(s, ZMQ_IPV6, 0, "IPV6");
		result = s->call->zmq_bind(s->socket, e->address);
	}
	umask(old);
	return result;
}

bool zeromq_would_bind(const struct endpoint *e)
{
	if (e->side != ENDPOINT_EITHER) return e->side == ENDPOINT_BINDS;
	if (e->kind != ENDPOINT_PUB && e->kind != ENDPOINT_PUSH && e->kind != ENDPOINT_ACK) return true;
	return e->host && !strcmp(e->host, "*"); /* nobody can connect to every address */
}

const char *zeromq_curve_fault(const struct zeromq_options *o, bool binds, bool connects)
{
	if (!o->curve_secret && !o->curve_clients && !o->curve_server) return NULL;
	if (!binds && !connects) return "the --curve- options are for ZeroMQ endpoints, and there is none";
	if (binds && o->curve_clients && !o->curve_secret) return "--curve-clients needs --curve-secret, without which no key is asked for";
	if ((binds && o->curve_secret) || (connects && o->curve_server)) return NULL;
	return binds ? "an endpoint that binds needs --curve-secret for CURVE" : "an endpoint that connects needs --curve-server for CURVE";
}

struct zeromq_socket *zeromq_socket_open(struct zeromq *z, const struct endpoint *e, const struct zeromq_options *o)
{
	int kind = socket_kind(e->kind, o->receives);
	if (e->kind == ENDPOINT_ACK && e->side != ENDPOINT_EITHER && o->receives != (e->side == ENDPOINT_BINDS))
		die(EXIT_CONFIGURATION, "%s: of ack: the receiver binds and the sender connects, so that each envelope has one who answers for it", e->text);
	if (kind < 0) die(EXIT_CONFIGURATION, "%s: %s: is not a ZeroMQ socket that can be used yet", e->text, endpoint_kind_name(e->kind));
	struct zeromq_socket *s = must_alloc(sizeof *s);
	s->owner = z;
	s->call = &z->call;
	s->is_publisher = e->kind == ENDPOINT_PUB;
	s->binds = e->kind == ENDPOINT_ACK ? o->receives : zeromq_would_bind(e);
	s->call->zmq_msg_init(&s->part);
	s->socket = s->call->zmq_socket(z->context, kind);
	if (!s->socket) die(EXIT_SYSTEM, "cannot make a ZeroMQ socket for %s: %s", e->text, s->call->zmq_strerror(s->call->zmq_errno()));
	set_options(s, e, o);
	open_monitor(s);
	if (s->binds) refuse_theft(e, o->failure);
	if (attach(s, e) < 0)
		die((enum diag_exit)o->failure, "cannot %s %s: %s", s->binds ? "listen on" : "connect to", e->text, s->call->zmq_strerror(s->call->zmq_errno()));
	size_t size = sizeof s->address;
	if (!s->binds || s->call->zmq_getsockopt(s->socket, ZMQ_LAST_ENDPOINT, s->address, &size) < 0)
		snprintf(s->address, sizeof s->address, "%s", e->address);
	return s;
}

const char *zeromq_address(const struct zeromq_socket *s)
{
	return s->address;
}

bool zeromq_binds(const struct zeromq_socket *s)
{
	return s->binds;
}

void zeromq_fds(const struct zeromq_socket *s, int fds[ZEROMQ_FDS])
{
	size_t size = sizeof(int);
	fds[0] = fds[1] = -1;
	if (s->socket) s->call->zmq_getsockopt(s->socket, ZMQ_FD, &fds[0], &size);
	size = sizeof(int);
	s->call->zmq_getsockopt(s->monitor, ZMQ_FD, &fds[1], &size);
}

static bool next_part(struct zeromq_socket *s, void *from, int flags)
{
	s->call->zmq_msg_close(&s->part);
	s->call->zmq_msg_init(&s->part);
	while (s->call->zmq_msg_recv(&s->part, from, flags) < 0)
		if (s->call->zmq_errno() != EINTR) return false;
	return true;
}

bool zeromq_receive(struct zeromq_socket *s, struct span *last, unsigned *parts)
{
	/* Of a message that has begun all parts are there: libzmq delivers it whole. */
	*parts = 0;
	do {
		if (!next_part(s, s->socket, ZMQ_DONTWAIT)) return false;
		++*parts;
	} while (s->call->zmq_msg_more(&s->part));
	*last = (struct span){ s->call->zmq_msg_data(&s->part), s->call->zmq_msg_size(&s->part) };
	return true;
}

static void drop_parts(struct zeromq_socket *s)
{
	while (s->parts_kept) s->call->zmq_msg_close(&s->parts[--s->parts_kept]);
}

size_t zeromq_receive_parts(struct zeromq_socket *s, struct span *parts, size_t most)
{
	size_t count = 0;
	bool more;
	drop_parts(s);
	do {
		if (!next_part(s, s->socket, ZMQ_DONTWAIT)) return 0;
		more = s->call->zmq_msg_more(&s->part);
		if (count < most && count < ZEROMQ_PARTS_MAX) {
			zmq_msg_t *kept = &s->parts[s->parts_kept++];
			s->call->zmq_msg_init(kept);
			s->call->zmq_msg_move(kept, &s->part);
			parts[count] = (struct span){ s->call->zmq_msg_data(kept), s->call->zmq_msg_size(kept) };
		}
		count++;
	} while (more);
	return count;
}

int zeromq_send_parts(struct zeromq_socket *s, const struct span *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
		/* Only the first part can be refused: libzmq takes a message whole or not at all. */
		while (s->call->zmq_send(s->socket, parts[i].data, parts[i].length, flags) < 0)
			if (s->call->zmq_errno() != EINTR) return s->call->zmq_errno();
	}
	return 0;
}

void zeromq_answer(struct zeromq_socket *s)
{
	while (s->call->zmq_send(s->socket, "", 0, ZMQ_DONTWAIT) < 0 && s->call->zmq_errno() == EINTR) continue;
}

int zeromq_send(struct zeromq_socket *s, struct span message)
{
	while (s->call->zmq_send(s->socket, message.data, message.length, ZMQ_DONTWAIT) < 0)
		if (s->call->zmq_errno() != EINTR) return s->call->zmq_errno();
	return 0;
}

long zeromq_subscriptions(struct zeromq_socket *s)
{
	struct span message;
	unsigned parts;
	while (zeromq_receive(s, &message, &parts)) {
		/* XPUB tells of the first subscriber to each topic, and of the last to leave it. */
		if (message.length && message.data[0] == 1) s->subscriptions++;
		if (message.length && message.data[0] == 0 && s->subscriptions > 0) s->subscriptions--;
	}
	return s->subscriptions;
}

static void take_event(struct zeromq_socket *s, unsigned event)
{
	struct zeromq_events *told = &s->events;
	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		told->connected++;
		told->peers_now++;
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		told->denied++;
		/* fallthrough */
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
		told->handshake_failed++;
		s->failures_due++;
		break;
	case ZMQ_EVENT_DISCONNECTED:
		if (s->failures_due) {
			s->failures_due--;
			break;
		}
		told->disconnected++;
		if (told->peers_now) told->peers_now--;
		break;
	case ZMQ_EVENT_MONITOR_STOPPED:
		told->closed = true;
		break;
	default:
		break;
	}
}

const struct zeromq_events *zeromq_events(struct zeromq_socket *s)
{
	/* An event is two parts: a 16-bit number with a 32-bit value, and the address. */
	while (next_part(s, s->monitor, ZMQ_DONTWAIT)) {
		uint16_t event = 0;
		if (s->call->zmq_msg_size(&s->part) >= sizeof event) memcpy(&event, s->call->zmq_msg_data(&s->part), sizeof event);
		while (s->call->zmq_msg_more(&s->part) && next_part(s, s->monitor, ZMQ_DONTWAIT)) continue;
		take_event(s, event);
	}
	return &s->events;
}

void zeromq_close_begin(struct zeromq_socket *s, int linger_ms)
{
	if (!s->socket) return;
	set_int(s, ZMQ_LINGER, linger_ms, "LINGER");
	s->call->zmq_close(s->socket);
	s->socket = NULL;
}

void zeromq_socket_close(struct zeromq_socket *s)
{
	if (!s) return;
	zeromq_close_begin(s, 0);
	drop_parts(s);
	s->call->zmq_msg_close(&s->part);
	s->call->zmq_close(s->monitor);
	free(s);
}
