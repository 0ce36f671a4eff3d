/* bench_client_rivals - how others hand messages over: zmq_send, datagrams, syslog(3); each with a receiver that keeps up. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>
#include <zmq.h>

#include "client_ways.h"

/* The receiver is a process of its own, as a real one is; it counts what it gets in memory that both have. */
struct peer {
	_Atomic uint64_t *received;
	uint64_t sent, lost;
	pid_t pid;
	int fd;
	void *context, *socket;
};

enum { GIVE_UP_NS = 20000000 };

static struct peer *peer_new(void)
{
	struct peer *p = calloc(1, sizeof *p);
	void *shared = mmap(NULL, sizeof *p->received, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!p || shared == MAP_FAILED) return perror("bench_client"), NULL;
	p->received = shared;
	p->fd = -1;
	return p;
}

/* Datagrams get lost: what has not come although nothing comes any more never will. */
static void peer_drain(void *state)
{
	struct peer *p = state;
	struct timespec nap = { 0, 50000 };
	uint64_t seen = atomic_load(p->received);
	for (int64_t since = client_clock(); seen < p->sent && client_clock() - since < GIVE_UP_NS; nanosleep(&nap, NULL)) {
		uint64_t now = atomic_load(p->received);
		if (now != seen) seen = now, since = client_clock();
	}
	p->lost += p->sent - seen;
	p->sent = seen;
}

static void peer_close(void *state)
{
	struct peer *p = state;
	if (p->socket) zmq_close(p->socket);
	if (p->context) zmq_ctx_term(p->context);
	if (p->fd >= 0) close(p->fd);
	kill(p->pid, SIGKILL);
	if (p->lost) fprintf(stderr, "%llu messages got lost on the way\n", (unsigned long long)p->lost);
	free(p);
}

static void peer_fork(struct peer *p)
{
	p->pid = fork();
	if (p->pid < 0) abort();
	if (!p->pid) prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* --- datagrams ------------------------------------------------------------------------- */

/* Room for two bursts, so that a receiver that does not run for a moment loses nothing. */
static void receive_datagrams(struct peer *p, int fd)
{
	char line[2048];
	for (;;)
		if (recv(fd, line, sizeof line, 0) > 0) atomic_fetch_add(p->received, 1);
}

static struct peer *datagram_peer(int domain, const struct sockaddr *address, socklen_t length, struct sockaddr_storage *bound)
{
	struct peer *p = peer_new();
	socklen_t size = sizeof *bound;
	int fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;
	if (!p || fd < 0 || bind(fd, address, length) < 0 || getsockname(fd, (struct sockaddr *)bound, &size) < 0) return perror("bench_client: bind"), NULL;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	peer_fork(p);
	if (!p->pid) receive_datagrams(p, fd);
	close(fd);
	p->fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(p->fd, (struct sockaddr *)bound, size) < 0) return perror("bench_client: connect"), NULL;
	return p;
}

static void *udp_open(const char *where)
{
	(void)where;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage bound;
	return datagram_peer(AF_INET, (struct sockaddr *)&address, sizeof address, &bound);
}

/* A name in the abstract space, of the kernel's choice. */
static void *unix_open(const char *where)
{
	(void)where;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct sockaddr_storage bound;
	return datagram_peer(AF_UNIX, (struct sockaddr *)&address, sizeof(sa_family_t), &bound);
}

static void call_send(void *state)
{
	struct peer *p = state;
	if (send(p->fd, BENCH_ENVELOPE, BENCH_ENVELOPE_LENGTH, 0) > 0) p->sent++;
}

/* The receiver listens at /dev/log itself; bench_client is to run where that may be made (client.sh: in a namespace with a /dev of its own). */
static void *syslog_open(const char *where)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	struct sockaddr_storage bound;
	if (!where || strcmp(where, "own-dev")) return fputs("syslog(3) writes to /dev/log: not without a /dev of our own\n", stderr), NULL;
	struct peer *p = datagram_peer(AF_UNIX, (struct sockaddr *)&address, sizeof address, &bound);
	if (p) openlog("sync", LOG_PID | LOG_NDELAY, LOG_USER);
	return p;
}

/* The header that it puts in front has what the envelope's first two members have. */
static void call_syslog(void *state)
{
	struct peer *p = state;
	syslog(LOG_INFO, "type=%s payload=%d name=%s rate=%d status=%d host=%s", "counter", 1, "request.answer.2xx", 1, 200, "web1.example.com");
	p->sent++;
}

/* --- ZeroMQ ----------------------------------------------------------------------------- */

static void receive_zeromq(struct peer *p, const char *address)
{
	void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_SUB);
	char line[2048];
	int none = 0;
	zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
	zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
	if (zmq_connect(socket, address)) _exit(71);
	for (;;)
		if (zmq_recv(socket, line, sizeof line, 0) > 0) atomic_fetch_add(p->received, 1);
}

static void *zeromq_open(const char *where)
{
	struct peer *p = peer_new();
	char address[256];
	size_t length = sizeof address;
	int pipes[2], none = 0;
	struct timespec nap = { 0, 5000000 };
	if (!p || pipe(pipes)) return perror("bench_client"), NULL;
	peer_fork(p); /* before there are threads of libzmq's */
	if (!p->pid) {
		if (read(pipes[0], address, sizeof address) <= 0) _exit(71);
		receive_zeromq(p, address);
	}
	p->context = zmq_ctx_new();
	p->socket = zmq_socket(p->context, ZMQ_PUB);
	zmq_setsockopt(p->socket, ZMQ_LINGER, &none, sizeof none);
	zmq_setsockopt(p->socket, ZMQ_SNDHWM, &none, sizeof none);
	if (zmq_bind(p->socket, where ? where : "tcp://127.0.0.1:*") || zmq_getsockopt(p->socket, ZMQ_LAST_ENDPOINT, address, &length) ||
		write(pipes[1], address, length) < 0) return fprintf(stderr, "%s\n", zmq_strerror(errno)), NULL;
	while (!atomic_load(p->received)) zmq_send(p->socket, "?", 1, 0), nanosleep(&nap, NULL);
	nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
	p->sent = atomic_load(p->received);
	return p;
}

static void call_zeromq(void *state)
{
	struct peer *p = state;
	if (zmq_send(p->socket, BENCH_ENVELOPE, BENCH_ENVELOPE_LENGTH, 0) > 0) p->sent++;
}

const struct client_way bench_rivals[] = {
	{ "zmq_send", zeromq_open, call_zeromq, peer_drain, peer_close },
	{ "udp", udp_open, call_send, peer_drain, peer_close },
	{ "unix", unix_open, call_send, peer_drain, peer_close },
	{ "syslog", syslog_open, call_syslog, peer_drain, peer_close },
	{ NULL, NULL, NULL, NULL, NULL }
};
