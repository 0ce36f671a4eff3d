/* bench_udp - the floor for statsd over UDP: a bare loop of send(2), and a socket that takes everything and reads nothing. */
/* SPDX-License-Identifier: MPL-2.0 */

/* bench_udp sink FILE: binds a free loopback port, writes its number to FILE, sleeps until it is killed.
 * bench_udp send PORT COUNT: sends COUNT metrics of a usual length, one a datagram. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int sink(const char *path)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || getsockname(fd, (struct sockaddr *)&address, &length) < 0) return 71;
	FILE *file = fopen(path, "w");
	if (!file || fprintf(file, "%u\n", ntohs(address.sin_port)) < 0 || fclose(file)) return 73;
	for (;;) pause();
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "sink")) return sink(argv[2]);
	if (argc != 4) return fputs("usage: bench_udp sink FILE | bench_udp send PORT COUNT\n", stderr), 64;
	static const char metric[] = "syncserver.request.response.2xx:1|c@0.1";
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)atoi(argv[2])) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return 71;
	for (long left = atol(argv[3]); left > 0; left--)
		if (send(fd, metric, sizeof metric - 1, 0) < 0) return 74;
	return 0;
}
