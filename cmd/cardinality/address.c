/* address - IPv4 is checked in place, for most addresses are; IPv6 goes through the C library. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "address.h"

#include <arpa/inet.h>

/* Whether it is one of the form that it would be written in: four numbers up to 255 without leading zeros. */
static bool is_ipv4(struct span text)
{
	size_t at = 0;
	if (text.length < 7 || text.length > 15) return false;
	for (int part = 0; part < 4; part++) {
		unsigned value = 0;
		size_t start = at;
		for (; at < text.length && text.data[at] >= '0' && text.data[at] <= '9' && at - start < 4; at++) value = value * 10 + (unsigned)(text.data[at] - '0');
		if (at == start || value > 255 || (at - start > 1 && text.data[start] == '0')) return false;
		if (part < 3 && (at == text.length || text.data[at++] != '.')) return false;
	}
	return at == text.length;
}

struct span address_canonical(struct span text, char room[ADDRESS_MAX])
{
	char copy[ADDRESS_MAX];
	struct in6_addr address;
	if (is_ipv4(text)) return text;
	if (text.length < 2 || text.length >= sizeof copy || memchr(text.data, '\0', text.length)) return SPAN("127.0.0.1");
	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	if (inet_pton(AF_INET6, copy, &address) != 1 || !inet_ntop(AF_INET6, &address, room, ADDRESS_MAX)) return SPAN("127.0.0.1");
	return span_of(room);
}
