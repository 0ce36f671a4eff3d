/* zeromq - ZeroMQ sockets; the only place that knows libzmq, which is loaded when the first one is opened. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/zeromq.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/curve.h"
#include "io/socket.h"
#include "io/zeromq_private.h"

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
	bool holds;             /* sends over unix sockets */
	struct zeromq_held held;
	char address[256];
};

/* Handshakes take milliseconds; half-open ones cost a descriptor each. */
enum { HANDSHAKE_MS = 10000, RECONNECT_MS = 100, RECONNECT_MAX_MS = 2000, SUBSCRIPTION_MAX = 4096 };

static bool load(struct library *call, struct fault *fault)
{
	/* Never unloaded: its threads may outlive the context by a moment. */
	void *library = dlopen("libzmq.so.5", RTLD_NOW | RTLD_LOCAL);
	if (!library) library = dlopen("libzmq.so", RTLD_NOW | RTLD_LOCAL);
	if (!library) return fault_set(fault, EXIT_SYSTEM, "cannot load ZeroMQ, which this endpoint needs (Debian's package is libzmq5): %s", dlerror());
#define CALL_LOAD(name) \
	if (!(call->name = (__typeof__(&name))dlsym(library, #name))) return fault_set(fault, EXIT_SYSTEM, "this libzmq is too old: it has no %s", #name);
	ZEROMQ_CALLS(CALL_LOAD)
#undef CALL_LOAD
	return true;
}

struct zeromq *zeromq_open(struct fault *fault)
{
	struct zeromq *z = calloc(1, sizeof *z);
	if (!z) return fault_set(fault, EXIT_INTERNAL, "no memory for ZeroMQ"), NULL;
	if (load(&z->call, fault) && zeromq_has_room(fault)) {
		z->context = z->call.zmq_ctx_new();
		if (z->context) return z;
		fault_set(fault, EXIT_SYSTEM, "cannot start ZeroMQ: %s", strerror(errno));
	}
	free(z);
	return NULL;
}

bool zeromq_make_keys(struct zeromq *z, const char *path, struct fault *fault)
{
	char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE];
	if (z->call.zmq_curve_keypair(public, secret) < 0) return fault_set(fault, EXIT_CONFIGURATION, "this libzmq was built without CURVE");
	bool is_made = curve_write_pair(path, public, secret, fault);
	explicit_bzero(secret, sizeof secret);
	return is_made;
}

static void end_gate(struct zeromq *z)
{
	z->call.zmq_ctx_shutdown(z->context);
	if (z->keeps_gate) pthread_join(z->gatekeeper, NULL);
}

static void release(struct zeromq *z)
{
	free(z->clients);
	free(z);
}

void zeromq_close(struct zeromq *z)
{
	if (!z) return;
	end_gate(z);
	while (z->call.zmq_ctx_term(z->context) < 0 && z->call.zmq_errno() == EINTR) continue;
	release(z);
}

void zeromq_leave(struct zeromq *z)
{
	if (!z) return;
	end_gate(z);
	release(z);
}

/* --- sockets ---------------------------------------------------------------------- */

static bool set_option(struct zeromq_socket *s, int option, const void *value, size_t size, const char *name, struct fault *fault)
{
	if (s->call->zmq_setsockopt(s->socket, option, value, size) == 0) return true;
	return fault_set(fault, EXIT_SYSTEM, "libzmq does not take the option %s: %s", name, s->call->zmq_strerror(s->call->zmq_errno()));
}

static bool set_int(struct zeromq_socket *s, int option, int value, const char *name, struct fault *fault)
{
	return set_option(s, option, &value, sizeof value, name, fault);
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

/* What is asked for is a mistake, or nothing that anybody should get without having said so. */
static bool is_safe(const struct zeromq_socket *s, const struct endpoint *e, const struct zeromq_options *o, struct fault *fault)
{
	bool has_curve = s->binds ? o->curve_secret : o->curve_server;
	if (o->insecure || (has_curve ? !s->binds || o->curve_clients : !e->host || endpoint_is_local(e))) return true;
	if (!has_curve)
		return fault_set(fault, EXIT_CONFIGURATION, "%s: %s off this host without CURVE, so anybody there may %s: give --curve-%s, or --insecure if that is meant",
			e->text, s->binds ? "listening" : "connecting", s->binds ? "connect" : "answer", s->binds ? "secret and --curve-clients" : "server");
	return fault_set(fault, EXIT_CONFIGURATION,
		"%s: CURVE without --curve-clients lets in any key: give the directory of client keys, or --insecure if that is meant", e->text);
}

/* Our key pair: from its file, or one for this socket. */
static bool get_keys(struct zeromq_socket *s, const char *path, char public[CURVE_KEY_SIZE], char secret[CURVE_KEY_SIZE], struct fault *fault)
{
	if (!path) return s->call->zmq_curve_keypair(public, secret) == 0 || fault_set(fault, EXIT_CONFIGURATION, "this libzmq was built without CURVE");
	if (!curve_read_secret(path, secret, fault)) return false;
	return s->call->zmq_curve_public(public, secret) == 0 || fault_set(fault, EXIT_CONFIGURATION, "the secret key in %s is no CURVE key", path);
}

static bool set_keys(struct zeromq_socket *s, const struct zeromq_options *o, const char public[CURVE_KEY_SIZE], const char secret[CURVE_KEY_SIZE],
	struct fault *fault)
{
	char server[CURVE_KEY_SIZE];
	bool is_set = s->binds ? set_int(s, ZMQ_CURVE_SERVER, 1, "CURVE_SERVER (was it built without CURVE?)", fault) &&
			set_option(s, ZMQ_ZAP_DOMAIN, "metlog", 6, "ZAP_DOMAIN", fault)
		: curve_read_public(o->curve_server, server, fault) &&
			set_option(s, ZMQ_CURVE_SERVERKEY, server, CURVE_KEY_SIZE, "CURVE_SERVERKEY", fault) &&
			set_option(s, ZMQ_CURVE_PUBLICKEY, public, CURVE_KEY_SIZE, "CURVE_PUBLICKEY", fault);
	return is_set && set_option(s, ZMQ_CURVE_SECRETKEY, secret, CURVE_KEY_SIZE, "CURVE_SECRETKEY", fault);
}

static bool set_curve(struct zeromq_socket *s, const struct endpoint *e, const struct zeromq_options *o, struct fault *fault)
{
	char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE];
	if (!is_safe(s, e, o, fault)) return false;
	if (s->binds ? !o->curve_secret : !o->curve_server) return true;
	if (s->binds && !zeromq_gate_start(s->owner, o->curve_clients, fault)) return false;
	bool is_set = get_keys(s, o->curve_secret, public, secret, fault) && set_keys(s, o, public, secret, fault);
	explicit_bzero(secret, sizeof secret);
	return is_set;
}

static bool set_options(struct zeromq_socket *s, const struct endpoint *e, const struct zeromq_options *o, struct fault *fault)
{
	int64_t limit = s->is_publisher ? SUBSCRIPTION_MAX : o->message_limit_bytes;
	/* With IPV6 on, a name is resolved to its IPv6 address alone, so it is on only where an IPv6 address or any address is meant. */
	bool is_ipv6 = e->host && (strchr(e->host, ':') || (s->binds && !strcmp(e->host, "*")));
	const struct {
		bool is_wanted;
		int option, value;
		const char *name;
	} rows[] = {
		{ true, ZMQ_LINGER, 0, "LINGER" },
		{ true, ZMQ_SNDHWM, o->send_hwm ? o->send_hwm : o->hwm, "SNDHWM" },
		{ true, ZMQ_RCVHWM, o->hwm, "RCVHWM" },
		{ true, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS, "HANDSHAKE_IVL" },
		{ true, ZMQ_RECONNECT_IVL, RECONNECT_MS, "RECONNECT_IVL" },
		{ true, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS, "RECONNECT_IVL_MAX" },
		{ true, ZMQ_TCP_KEEPALIVE, 1, "TCP_KEEPALIVE" }, /* notices a dead host with any peer; heartbeats only new ones know */
		{ true, ZMQ_TCP_KEEPALIVE_IDLE, 60, "TCP_KEEPALIVE_IDLE" },
		{ true, ZMQ_TCP_KEEPALIVE_INTVL, 15, "TCP_KEEPALIVE_INTVL" },
		{ o->buffer_bytes, ZMQ_RCVBUF, o->buffer_bytes, "RCVBUF" },
		{ o->buffer_bytes, ZMQ_SNDBUF, o->buffer_bytes, "SNDBUF" },
		{ o->await_peers, ZMQ_IMMEDIATE, 1, "IMMEDIATE" },
		{ e->kind == ENDPOINT_ACK && o->receives, ZMQ_ROUTER_MANDATORY, 1, "ROUTER_MANDATORY" },
		{ s->is_publisher, ZMQ_XPUB_NODROP, 1, "XPUB_NODROP" },
		{ is_ipv6, ZMQ_IPV6, 1, "IPV6" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].is_wanted && !set_int(s, rows[i].option, rows[i].value, rows[i].name, fault)) return false;
	if (!set_option(s, ZMQ_MAXMSGSIZE, &limit, sizeof limit, "MAXMSGSIZE", fault)) return false;
	if (e->kind == ENDPOINT_SUB && !set_option(s, ZMQ_SUBSCRIBE, "", 0, "SUBSCRIBE", fault)) return false;
	return set_curve(s, e, o, fault);
}

static bool open_monitor(struct zeromq_socket *s, struct fault *fault)
{
	char name[64];
	snprintf(name, sizeof name, "inproc://metlog.monitor.%u", s->owner->sockets++);
	s->monitor = s->call->zmq_socket(s->owner->context, ZMQ_PAIR);
	if (s->call->zmq_socket_monitor(s->socket, name, ZMQ_EVENT_ALL) == 0 && s->monitor && s->call->zmq_connect(s->monitor, name) == 0) return true;
	return fault_set(fault, EXIT_SYSTEM, "cannot watch a ZeroMQ socket: %s", s->call->zmq_strerror(s->call->zmq_errno()));
}

/* libzmq would take a socket file over from a live process without a word. */
static bool is_theft(const struct endpoint *e, enum diag_exit failure, struct fault *fault)
{
	char reason[SOCKET_REASON_MAX];
	enum socket_type type;
	if (!e->path || e->path[0] == '@' || access(e->path, F_OK) < 0) return false;
	int fd = socket_connect_unix(e->path, &type, 0, &waits_plain, reason);
	if (fd < 0 && errno == ECONNREFUSED) return false;
	if (fd >= 0) close(fd);
	return !fault_set(fault, failure, "cannot listen on %s: %s", e->text, fd >= 0 ? "another process listens there" : reason);
}

static int bind_path(struct zeromq_socket *s, const struct endpoint *e)
{
	mode_t old = umask(077); /* a socket file is for its owner */
	int result = s->call->zmq_bind(s->socket, e->address);
	umask(old);
	return result;
}

static bool attach(struct zeromq_socket *s, const struct endpoint *e, enum diag_exit failure, struct fault *fault)
{
	int off = 0, result = !s->binds ? s->call->zmq_connect(s->socket, e->address) : e->path ? bind_path(s, e) : s->call->zmq_bind(s->socket, e->address);
	if (result < 0 && s->binds && e->host && !strcmp(e->host, "*")) { /* a host without IPv6 */
		s->call->zmq_setsockopt(s->socket, ZMQ_IPV6, &off, sizeof off);
		result = s->call->zmq_bind(s->socket, e->address);
	}
	if (result == 0) return true;
	return fault_set(fault, failure, "cannot %s %s: %s", s->binds ? "listen on" : "connect to", e->text, s->call->zmq_strerror(s->call->zmq_errno()));
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

static bool open_socket(struct zeromq_socket *s, const struct endpoint *e, const struct zeromq_options *o, struct fault *fault)
{
	s->socket = s->call->zmq_socket(s->owner->context, socket_kind(e->kind, o->receives));
	if (!s->socket) return fault_set(fault, EXIT_SYSTEM, "cannot make a ZeroMQ socket for %s: %s", e->text, s->call->zmq_strerror(s->call->zmq_errno()));
	if (!set_options(s, e, o, fault) || !open_monitor(s, fault)) return false;
	bool is_tried = o->is_trial && !s->binds && e->host;
	if ((s->binds && is_theft(e, o->failure, fault)) || (!is_tried && !attach(s, e, o->failure, fault))) return false;
	size_t size = sizeof s->address;
	if (!s->binds || s->call->zmq_getsockopt(s->socket, ZMQ_LAST_ENDPOINT, s->address, &size) < 0)
		snprintf(s->address, sizeof s->address, "%s", e->address);
	return true;
}

struct zeromq_socket *zeromq_socket_open(struct zeromq *z, const struct endpoint *e, const struct zeromq_options *o, struct fault *fault)
{
	if (e->kind == ENDPOINT_ACK && e->side != ENDPOINT_EITHER && o->receives != (e->side == ENDPOINT_BINDS)) {
		fault_set(fault, EXIT_CONFIGURATION, "%s: of ack: the receiver binds and the sender connects, so that each envelope has one who answers for it", e->text);
		return NULL;
	}
	if (socket_kind(e->kind, o->receives) < 0) {
		fault_set(fault, EXIT_CONFIGURATION, "%s: %s: is not a ZeroMQ socket that can be used yet", e->text, endpoint_kind_name(e->kind));
		return NULL;
	}
	struct zeromq_socket *s = calloc(1, sizeof *s);
	if (!s) return fault_set(fault, EXIT_INTERNAL, "no memory for a ZeroMQ socket"), NULL;
	s->owner = z;
	s->call = &z->call;
	s->is_publisher = e->kind == ENDPOINT_PUB;
	s->holds = e->path && (s->is_publisher || e->kind == ENDPOINT_PUSH);
	s->binds = e->kind == ENDPOINT_ACK ? o->receives : zeromq_would_bind(e);
	s->call->zmq_msg_init(&s->part);
	if (open_socket(s, e, o, fault)) return s;
	zeromq_socket_close(s);
	return NULL;
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

static void take_event(struct zeromq_socket *s, unsigned event, int value)
{
	struct zeromq_events *told = &s->events;
	switch (event) {
	case ZMQ_EVENT_CONNECTED: case ZMQ_EVENT_ACCEPTED:
		if (s->holds) zeromq_held_add(&s->held, value);
		break;
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
		zeromq_held_drop(&s->held, value);
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
		int32_t value = -1;
		if (s->call->zmq_msg_size(&s->part) >= sizeof event + sizeof value) {
			const char *data = s->call->zmq_msg_data(&s->part);
			memcpy(&event, data, sizeof event);
			memcpy(&value, data + sizeof event, sizeof value);
		}
		while (s->call->zmq_msg_more(&s->part) && next_part(s, s->monitor, ZMQ_DONTWAIT)) continue;
		take_event(s, event, value);
	}
	return &s->events;
}

size_t zeromq_unread(const struct zeromq_socket *s, size_t *lost)
{
	size_t unread = zeromq_held_unread(&s->held, lost);
	return s->events.peers_now ? unread : 0; /* without a handshake nothing was sent */
}

void zeromq_close_begin(struct zeromq_socket *s, int linger_ms)
{
	if (!s->socket) return;
	s->call->zmq_setsockopt(s->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
	s->call->zmq_close(s->socket);
	s->socket = NULL;
}

void zeromq_socket_close(struct zeromq_socket *s)
{
	if (!s) return;
	zeromq_close_begin(s, 0);
	zeromq_held_close(&s->held);
	drop_parts(s);
	s->call->zmq_msg_close(&s->part);
	if (s->monitor) s->call->zmq_close(s->monitor);
	free(s);
}
