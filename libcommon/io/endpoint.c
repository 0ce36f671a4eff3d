/* endpoint - where envelopes come from or go to, read once from the text an option or a route names it by. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/endpoint.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/number.h"

const char ENDPOINT_NO_MEMORY[] = "no memory";

static const struct kind_row {
	const char *name;
	enum endpoint_kind kind;
} kinds[] = {
	{ "-", ENDPOINT_STDIO }, { "file", ENDPOINT_FILE }, { "spool", ENDPOINT_SPOOL }, { "udp", ENDPOINT_UDP },
	{ "tcp", ENDPOINT_TCP }, { "unix", ENDPOINT_UNIX }, { "pub", ENDPOINT_PUB }, { "sub", ENDPOINT_SUB },
	{ "push", ENDPOINT_PUSH }, { "pull", ENDPOINT_PULL }, { "rep", ENDPOINT_REP }, { "ack", ENDPOINT_ACK },
	{ "webhdfs", ENDPOINT_WEBHDFS }, { "swebhdfs", ENDPOINT_WEBHDFS }, { "http", ENDPOINT_HTTP }, { "https", ENDPOINT_HTTP },
};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

/* Hands out NUL-terminated pieces of one allocation; `at` never passes the sum of what endpoint_parse asks for. */
struct pieces {
	char *at;
};

static char *keep(struct pieces *p, struct span text)
{
	char *start = p->at;
	if (text.length) memcpy(start, text.data, text.length);
	start[text.length] = '\0';
	p->at += text.length + 1;
	return start;
}

static bool port_is_valid(struct span port, bool star)
{
	int64_t number;
	if (star && span_equal(port, SPAN("*"))) return true;
	return port.length && port.data[0] != '-' && number_parse_int(port, &number) && number <= 65535;
}

/* HOST:PORT, [IPv6]:PORT; "" and "*" are any address. */
static bool split_host(struct endpoint *e, struct pieces *p, struct span text, bool star_port, const char **reason)
{
	const char *end = text.data + text.length, *colon;
	struct span host;
	if (text.length && text.data[0] == '[') {
		const char *bracket = memchr(text.data, ']', text.length);
		struct in6_addr address;
		char copy[INET6_ADDRSTRLEN + 1];
		if (!bracket) return *reason = "'[' without ']'", false;
		host = span_between(text.data + 1, bracket);
		const char *zone = memchr(host.data, '%', host.length);
		size_t length = zone ? (size_t)(zone - host.data) : host.length;
		if (length >= sizeof copy) return *reason = "not an IPv6 address between the brackets", false;
		memcpy(copy, host.data, length);
		copy[length] = '\0';
		if (inet_pton(AF_INET6, copy, &address) != 1) return *reason = "not an IPv6 address between the brackets", false;
		colon = bracket + 1;
		if (colon == end || *colon != ':') return *reason = "a port is missing: HOST:PORT", false;
	} else {
		colon = text.length ? memrchr(text.data, ':', text.length) : NULL;
		if (!colon) return *reason = "a port is missing: HOST:PORT", false;
		host = span_between(text.data, colon);
		if (host.length && memchr(host.data, ':', host.length)) return *reason = "an IPv6 address needs brackets: [::1]:PORT", false;
	}
	struct span port = span_between(colon + 1, end);
	if (!port_is_valid(port, star_port)) return *reason = "the port is not a number from 0 to 65535", false;
	e->host = keep(p, host.length ? host : SPAN("*"));
	e->port = keep(p, port);
	return true;
}

static bool parse_path(struct endpoint *e, struct pieces *p, struct span path, const char **reason)
{
	if (!path.length) return *reason = "a path is missing", false;
	e->path = keep(p, path);
	return true;
}

static bool parse_zeromq(struct endpoint *e, struct pieces *p, struct span text, const char **reason)
{
	if (text.length && (text.data[0] == '@' || text.data[0] == '>')) {
		e->side = text.data[0] == '@' ? ENDPOINT_BINDS : ENDPOINT_CONNECTS;
		text.data++, text.length--;
	}
	e->address = keep(p, text);
	if (span_starts(text, SPAN("tcp://"))) {
		/* libzmq's "source;destination" form: the far side is what counts. */
		struct span rest = { text.data + 6, text.length - 6 };
		const char *semicolon = memchr(rest.data, ';', rest.length);
		if (semicolon) rest = span_between(semicolon + 1, text.data + text.length);
		return split_host(e, p, rest, true, reason);
	}
	if (span_starts(text, SPAN("ipc://"))) return parse_path(e, p, (struct span){ text.data + 6, text.length - 6 }, reason);
	*reason = "the ZeroMQ address does not begin with tcp:// or ipc://";
	return false;
}

static bool parse_kind(struct endpoint *e, struct pieces *p, struct span text, const char **reason)
{
	const char *colon = memchr(text.data, ':', text.length);
	if (!colon) return *reason = "no kind in front, such as file: udp: tcp: unix: pub: or sub:", false;
	struct span name = span_between(text.data, colon), rest = span_between(colon + 1, text.data + text.length);
	for (int i = 0; i < KIND_COUNT; i++) {
		if (!span_equal(name, span_of(kinds[i].name))) continue;
		switch (e->kind = kinds[i].kind) {
		case ENDPOINT_FILE: case ENDPOINT_SPOOL: case ENDPOINT_UNIX:
			return parse_path(e, p, rest, reason);
		case ENDPOINT_UDP: case ENDPOINT_TCP:
			return split_host(e, p, rest, false, reason);
		case ENDPOINT_WEBHDFS: case ENDPOINT_HTTP:
			if (!span_starts(rest, SPAN("//")) || rest.length == 2) return *reason = "\"//HOST\" is missing", false;
			e->address = keep(p, text);
			return true;
		case ENDPOINT_PUB: case ENDPOINT_SUB: case ENDPOINT_PUSH: case ENDPOINT_PULL: case ENDPOINT_REP: case ENDPOINT_ACK:
			return parse_zeromq(e, p, rest, reason);
		case ENDPOINT_STDIO:
			break;
		}
	}
	*reason = "unknown kind; known are - file: spool: udp: tcp: unix: pub: sub: push: pull: rep: ack: webhdfs:// http(s)://";
	return false;
}

bool endpoint_parse(struct endpoint *e, struct span text, const char **reason)
{
	*e = (struct endpoint){ 0 };
	if (!text.length) return *reason = "it is empty", false;
	if (memchr(text.data, '\0', text.length)) return *reason = "a NUL byte in it", false;
	/* Each byte of the text is kept at most three times (text, address, host and port or path), with five NULs and a "*". */
	if (!(e->memory = malloc(3 * text.length + 16))) return *reason = ENDPOINT_NO_MEMORY, false;
	struct pieces p = { e->memory };
	e->text = keep(&p, text);
	if (span_equal(text, SPAN("-"))) return e->kind = ENDPOINT_STDIO, true;
	if (parse_kind(e, &p, text, reason)) return true;
	endpoint_release(e);
	return false;
}

void endpoint_release(struct endpoint *e)
{
	free(e->memory);
	*e = (struct endpoint){ 0 };
}

const char *endpoint_kind_name(enum endpoint_kind kind)
{
	for (int i = 0; i < KIND_COUNT; i++)
		if (kinds[i].kind == kind) return kinds[i].name;
	return "";
}

bool endpoint_is_zeromq(const struct endpoint *e)
{
	return e->kind >= ENDPOINT_PUB && e->kind <= ENDPOINT_ACK;
}

bool endpoint_is_local(const struct endpoint *e)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (e->kind == ENDPOINT_WEBHDFS || e->kind == ENDPOINT_HTTP) return false;
	if (!e->host) return true;
	if (!strcmp(e->host, "localhost")) return true;
	if (inet_pton(AF_INET, e->host, &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, e->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
