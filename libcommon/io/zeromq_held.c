/* zeromq_held - keeps the connections of a unix socket open until the far side has read what stands in them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/zeromq_private.h"

void zeromq_held_add(struct zeromq_held *h, int number)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof name;
	zeromq_held_drop(h, number);
	if (h->count == ZEROMQ_HELD_MAX) return;
	int fd = fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd < 0) return;
	/* libzmq may have closed it since, and somebody else have another under that number. Then its end is told, too, behind this: until that is heard a socket is held in vain. */
	if (getsockname(fd, (struct sockaddr *)&name, &size) == 0 && name.ss_family == AF_UNIX) h->peer[h->count++] = (struct zeromq_held_peer){ number, fd };
	else close(fd);
}

void zeromq_held_drop(struct zeromq_held *h, int number)
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->peer[i].number != number) continue;
		close(h->peer[i].fd);
		h->peer[i] = h->peer[--h->count];
		return;
	}
}

void zeromq_held_close(struct zeromq_held *h)
{
	while (h->count) close(h->peer[--h->count].fd);
}

size_t zeromq_held_unread(const struct zeromq_held *h, size_t *lost)
{
	size_t unread = 0;
	*lost = 0;
	for (size_t i = 0; i < h->count; i++) {
		struct pollfd end = { .fd = h->peer[i].fd };
		int bytes = 0;
		/* In this order: of a peer that goes the kernel first makes the error, if there was anything unread, and then throws that away. */
		bool is_read = ioctl(end.fd, SIOCOUTQ, &bytes) < 0 || bytes == 0;
		if (poll(&end, 1, 0) > 0 && (end.revents & POLLERR)) ++*lost;
		else if (!is_read) unread++;
	}
	return unread;
}
