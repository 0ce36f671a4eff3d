/* socket - UDP, TCP and unix sockets: opened with a deadline, always close-on-exec and non-blocking. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/socket.h"

#include <errno.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { END_STEP_MS = 5 };

int64_t socket_clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What is left of a time-out that began at `start`; below 0 for ever. */
static int remaining_ms(int64_t start, int timeout_ms)
{
	if (timeout_ms < 0) return -1;
	int64_t left = start + timeout_ms - socket_clock_ms();
	return left > 0 ? (int)left : 0;
}

static int fail(char reason[SOCKET_REASON_MAX], int error, const char *text)
{
	snprintf(reason, SOCKET_REASON_MAX, "%s", text ? text : strerror(error));
	errno = error;
	return -1;
}

/* Closes without losing the error that made us give up. */
static int give_up(int fd, char reason[SOCKET_REASON_MAX], int error)
{
	close(fd);
	return fail(reason, error, NULL);
}

bool socket_set_send_buffer(int fd, int bytes)
{
	return setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) == 0
		|| setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0;
}

bool socket_set_receive_buffer(int fd, int bytes)
{
	return setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0
		|| setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0;
}

int socket_unsent(int fd)
{
	int bytes = 0;
	return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? 0 : bytes;
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t size = sizeof error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

/* Waits until a started connect has ended: 0 or its errno. */
static int await_connect(int fd, int timeout_ms, const struct waits *waits)
{
	int64_t start = socket_clock_ms();
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		int left = remaining_ms(start, timeout_ms);
		if (waits_poll(waits, &p, 1, left) > 0) return error_of(fd);
		if (waits_stopping(waits)) return EINTR;
		if (left == 0) return ETIMEDOUT;
	}
}

static int connect_address(const struct sockaddr *address, socklen_t size, int family, int type, int timeout_ms, const struct waits *waits)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	int error = connect(fd, address, size) == 0 ? 0 : errno;
	if (error == EINPROGRESS) error = await_connect(fd, timeout_ms, waits);
	if (!error) return fd;
	close(fd);
	errno = error;
	return -1;
}

static int resolve(const struct endpoint *e, int flags, struct addrinfo **list, char reason[SOCKET_REASON_MAX])
{
	bool any = !strcmp(e->host, "*");
	struct addrinfo hints = {
		.ai_family = any && !(flags & AI_PASSIVE) ? AF_INET : AF_UNSPEC,
		.ai_socktype = e->kind == ENDPOINT_UDP ? SOCK_DGRAM : SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV,
	};
	int code = getaddrinfo(any ? NULL : e->host, e->port, &hints, list);
	if (!code) return 0;
	int error = code == EAI_SYSTEM ? errno : code == EAI_AGAIN ? EAGAIN : code == EAI_MEMORY ? ENOMEM : EINVAL;
	return fail(reason, error, code == EAI_SYSTEM ? NULL : gai_strerror(code));
}

static void tune_stream(int fd)
{
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* we write whole blocks; a last small one should not wait */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

static int connect_host(const struct endpoint *e, int timeout_ms, const struct waits *waits, char reason[SOCKET_REASON_MAX])
{
	struct addrinfo *list;
	int64_t start = socket_clock_ms();
	if (resolve(e, 0, &list, reason) < 0) return -1;
	int fd = -1, error = EINVAL, addresses = 0;
	for (struct addrinfo *a = list; a; a = a->ai_next) addresses++;
	/* Each has its share of the time, or one that does not answer would leave nothing for the others. */
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next, addresses--) {
		int left = remaining_ms(start, timeout_ms);
		fd = connect_address(a->ai_addr, a->ai_addrlen, a->ai_family, a->ai_socktype, left < 0 ? left : left / addresses, waits);
		if (fd < 0) error = errno;
	}
	freeaddrinfo(list);
	if (fd < 0) return fail(reason, error, NULL);
	if (e->kind == ENDPOINT_TCP) tune_stream(fd);
	return fd;
}

static bool unix_address(struct sockaddr_un *address, const char *path)
{
	size_t length = strlen(path);
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (length >= sizeof address->sun_path) return false;
	memcpy(address->sun_path, path, length + 1);
	return true;
}

static int connect_path(const char *path, int type, int timeout_ms, const struct waits *waits, char reason[SOCKET_REASON_MAX])
{
	struct sockaddr_un address;
	if (!unix_address(&address, path)) return fail(reason, ENAMETOOLONG, "the path is longer than a socket's may be (107 bytes)");
	int64_t start = socket_clock_ms();
	for (;;) {
		int fd = connect_address((struct sockaddr *)&address, sizeof address, AF_UNIX, type, timeout_ms, waits);
		if (fd >= 0) return fd;
		/* A stream listener whose queue is full answers EAGAIN at once, and nothing tells when to come again. */
		int left = remaining_ms(start, timeout_ms);
		if (errno != EAGAIN || left == 0) return fail(reason, errno, NULL);
		waits_poll(waits, NULL, 0, left < 0 || left > 20 ? 20 : left);
		if (waits_stopping(waits)) return fail(reason, EINTR, NULL);
	}
}

int socket_connect(const struct endpoint *e, enum socket_type type, int timeout_ms, const struct waits *waits, char reason[SOCKET_REASON_MAX])
{
	if (e->kind == ENDPOINT_UNIX) return connect_path(e->path, type == SOCKET_STREAM ? SOCK_STREAM : SOCK_DGRAM, timeout_ms, waits, reason);
	return connect_host(e, timeout_ms, waits, reason);
}

int socket_connect_unix(const char *path, enum socket_type *type, int timeout_ms, const struct waits *waits, char reason[SOCKET_REASON_MAX])
{
	int fd = connect_path(path, SOCK_STREAM, timeout_ms, waits, reason);
	*type = SOCKET_STREAM;
	if (fd >= 0 || errno != EPROTOTYPE) return fd;
	*type = SOCKET_DATAGRAM;
	return connect_path(path, SOCK_DGRAM, timeout_ms, waits, reason);
}

/* A socket file is left behind by whoever was killed; one that somebody listens on must not be stolen. */
static int clear_stale(const struct sockaddr_un *address, char reason[SOCKET_REASON_MAX])
{
	struct stat status;
	if (lstat(address->sun_path, &status) < 0) return errno == ENOENT ? 0 : fail(reason, errno, NULL);
	if (!S_ISSOCK(status.st_mode)) return fail(reason, EEXIST, "it exists and is not a socket");
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	for (int i = 0; i < 2; i++) {
		int fd = connect_address((const struct sockaddr *)address, sizeof *address, AF_UNIX, types[i], 0, &waits_plain);
		if (fd >= 0) close(fd);
		if (fd >= 0 || errno == EAGAIN) return fail(reason, EADDRINUSE, "another process listens there");
		if (errno != ECONNREFUSED && errno != EPROTOTYPE) return fail(reason, errno, NULL);
	}
	return unlink(address->sun_path) == 0 || errno == ENOENT ? 0 : fail(reason, errno, NULL);
}

static int listen_path(const char *path, int type, mode_t mode, char reason[SOCKET_REASON_MAX])
{
	struct sockaddr_un address;
	if (!unix_address(&address, path)) return fail(reason, ENAMETOOLONG, "the path is longer than a socket's may be (107 bytes)");
	if (clear_stale(&address, reason) < 0) return -1;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return fail(reason, errno, NULL);
	mode_t old = umask(0777 & ~mode); /* so that there is no moment with more permission than asked for */
	int bound = bind(fd, (struct sockaddr *)&address, sizeof address), error = errno;
	umask(old);
	if (bound < 0) return give_up(fd, reason, error);
	if (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0) return give_up(fd, reason, errno);
	return fd;
}

static int listen_address(const struct addrinfo *a, bool any)
{
	int on = 1, off = 0;
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	if (a->ai_socktype == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (any && a->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && (a->ai_socktype != SOCK_STREAM || listen(fd, SOMAXCONN) == 0)) return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int listen_host(const struct endpoint *e, char reason[SOCKET_REASON_MAX])
{
	struct addrinfo *list;
	if (resolve(e, AI_PASSIVE, &list, reason) < 0) return -1;
	bool any = !strcmp(e->host, "*");
	int fd = -1, error = EINVAL;
	/* Any address: one IPv6 socket takes both families; where there is no IPv6, the IPv4 row of the list is used. */
	for (int round = any ? 0 : 1; round < 2 && fd < 0; round++)
		for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
			if (round == 0 && a->ai_family != AF_INET6) continue;
			fd = listen_address(a, any);
			if (fd < 0) error = errno;
		}
	freeaddrinfo(list);
	return fd < 0 ? fail(reason, error, NULL) : fd;
}

int socket_listen(const struct endpoint *e, enum socket_type type, mode_t mode, char reason[SOCKET_REASON_MAX])
{
	if (e->kind == ENDPOINT_UNIX) return listen_path(e->path, type == SOCKET_STREAM ? SOCK_STREAM : SOCK_DGRAM, mode, reason);
	return listen_host(e, reason);
}

static void print_address(const struct sockaddr_storage *address, char name[SOCKET_NAME_MAX])
{
	char host[64], port[8];
	name[0] = '\0';
	if (address->ss_family == AF_UNIX) {
		snprintf(name, SOCKET_NAME_MAX, "%s", ((const struct sockaddr_un *)(const void *)address)->sun_path);
	} else if (getnameinfo((const struct sockaddr *)address, sizeof *address, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
		bool v6 = address->ss_family == AF_INET6;
		snprintf(name, SOCKET_NAME_MAX, v6 ? "[%s]:%s" : "%s:%s", host, port);
	}
}

int socket_accept(int listener, char peer[SOCKET_NAME_MAX])
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof address;
	int fd = accept4(listener, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) return -1;
	if (address.ss_family == AF_UNIX) peer[0] = '\0';
	else print_address(&address, peer);
	return fd;
}

void socket_name(int fd, char name[SOCKET_NAME_MAX])
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof address;
	name[0] = '\0';
	if (getsockname(fd, (struct sockaddr *)&address, &size) == 0) print_address(&address, name);
}

int socket_send_datagram(int fd, struct span datagram, uint64_t *refused)
{
	for (bool retried = false;; retried = true) {
		ssize_t n;
		do n = send(fd, datagram.data, datagram.length, MSG_NOSIGNAL | MSG_DONTWAIT);
		while (n < 0 && errno == EINTR);
		if (n >= 0) return 0;
		if (errno != ECONNREFUSED) return errno == EWOULDBLOCK ? EAGAIN : errno;
		if (refused) ++*refused;
		if (retried) return ECONNREFUSED;
	}
}

int socket_send_stream(int fd, struct span bytes, size_t *sent, int timeout_ms, const struct waits *waits)
{
	int64_t start = socket_clock_ms();
	*sent = 0;
	while (*sent < bytes.length) {
		ssize_t n = send(fd, bytes.data + *sent, bytes.length - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			*sent += (size_t)n;
			start = socket_clock_ms(); /* the time-out is for no progress at all */
			continue;
		}
		if (n < 0 && errno == EINTR) continue;
		if (n < 0 && errno != EAGAIN) return errno;
		int left = remaining_ms(start, timeout_ms);
		if (left == 0) return ETIMEDOUT;
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		if (waits_poll(waits, &p, 1, left) == 0 && waits_are_over(waits, left >= 0)) return ETIMEDOUT;
	}
	return 0;
}

/* What the far side says, up to its end or its error. */
static bool hear_end(int fd, int *error)
{
	char forgotten[4096];
	for (int turn = 0; turn < 64; turn++) {
		ssize_t n = recv(fd, forgotten, sizeof forgotten, MSG_DONTWAIT);
		if (n == 0) return true;
		if (n < 0 && errno == EAGAIN) return false;
		if (n < 0 && errno != EINTR) {
			*error = errno;
			return false;
		}
	}
	return false;
}

/* An end that comes before our last byte was taken proves nothing yet: it may have been closed with the byte still on its way. */
int socket_end(int fd, int64_t timeout_ms, const struct waits *waits, char reason[SOCKET_REASON_MAX])
{
	int64_t start = socket_clock_ms();
	int least = INT_MAX, error = 0;
	bool is_ended = false;
	if (shutdown(fd, SHUT_WR) < 0) return fail(reason, errno == ENOTCONN ? ECONNRESET : errno, NULL); /* it is broken, and that was told already */
	for (;;) {
		if (!is_ended) is_ended = hear_end(fd, &error);
		int waiting = socket_unsent(fd);
		if (!error) error = error_of(fd);
		if (error) return fail(reason, error, NULL);
		if (is_ended && !waiting) return 0;
		if (waiting < least) {
			least = waiting;
			start = socket_clock_ms();
		}
		int64_t left = start + timeout_ms - socket_clock_ms();
		if (waits_stopping_now(waits)) return fail(reason, EINTR, "stopped while it was taking the rest");
		if (left <= 0) return fail(reason, ETIMEDOUT, waiting ? "it takes no more" : "it does not end its side of the connection");
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int step = waiting ? END_STEP_MS : left > 1000 ? 1000 : (int)left;
		waits_poll(waits, &p, is_ended ? 0 : 1, step);
	}
}

void socket_keep_errors(int fd)
{
	int on = 1;
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
}

unsigned socket_take_errors(int fd, int *error)
{
	for (unsigned count = 0;; count++) {
		char packet[1], control[512];
		struct iovec piece = { packet, sizeof packet };
		struct msghdr m = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
			int other = count ? 0 : error_of(fd); /* where errors are not kept; or poll(2) would tell of it for ever */
			if (other) *error = other;
			return other ? 1 : count;
		}
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		struct sock_extended_err one = { .ee_errno = ECONNREFUSED };
		if (c && c->cmsg_len >= CMSG_LEN(sizeof one)) memcpy(&one, CMSG_DATA(c), sizeof one);
		*error = (int)one.ee_errno;
	}
}
