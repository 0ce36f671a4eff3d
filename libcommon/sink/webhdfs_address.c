/* webhdfs_address - webhdfs://nn1:9870,nn2:9870/base taken apart, and the hosts that a redirect may lead to. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/webhdfs_private.h"

#include <stdlib.h>
#include <strings.h>

#include "base/number.h"
#include "io/diag.h"

enum { PORT_PLAIN = 9870, PORT_SECURE = 9871 };

void webhdfs_address_release(struct webhdfs_address *a)
{
	for (size_t i = 0; i < a->count; i++) free(a->node[i].host);
	free(a->base);
	*a = (struct webhdfs_address){ 0 };
}

static bool is_host(struct span host, bool in_brackets)
{
	for (size_t i = 0; i < host.length; i++) {
		unsigned char c = (unsigned char)host.data[i];
		bool fine = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' || c == '-' || c == '_' || (in_brackets && c == ':');
		if (!fine) return false;
	}
	return host.length > 0;
}

static const char *parse_node(struct webhdfs_address *a, struct span text)
{
	struct span host = text, port = { NULL, 0 };
	bool in_brackets = text.length && text.data[0] == '[';
	const char *end = in_brackets ? memchr(text.data, ']', text.length) : memchr(text.data, ':', text.length);
	if (in_brackets && !end) return "a bracket is not closed";
	if (in_brackets) {
		host = span_between(text.data + 1, end);
		end++;
	} else if (end) {
		host = span_between(text.data, end);
	} else {
		end = text.data + text.length;
	}
	if (!is_host(host, in_brackets)) return "webhdfs://HOST[:PORT][,HOST[:PORT]...]/PATH is expected";
	int64_t number = a->secure ? PORT_SECURE : PORT_PLAIN;
	if (end < text.data + text.length) {
		port = span_between(end + 1, text.data + text.length);
		if (*end != ':' || !number_parse_int(port, &number) || number < 1 || number > 65535) return "a port is from 1 to 65535";
	}
	if (a->count == WEBHDFS_NAMENODES_MAX) return "there are more than 16 namenodes";
	a->node[a->count++] = (struct webhdfs_node){ must_copy(host), (uint16_t)number };
	return NULL;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *append_decoded(struct buffer *out, struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		if (c == '?' || c == '#') return "a query or a fragment has no place in it";
		if (c == '%') {
			int high = i + 2 < text.length ? hex_value(text.data[i + 1]) : -1, low = high < 0 ? -1 : hex_value(text.data[i + 2]);
			if (low < 0) return "'%' stands before two hexadecimal digits in a path";
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (!c) return "a path has no NUL byte";
		buffer_append_byte(out, c);
	}
	return out->failed ? "the path is too long" : NULL;
}

static const char *check_components(struct span path)
{
	for (size_t at = 0; at < path.length;) {
		const char *from = path.data + at + 1, *end = path.data + path.length;
		const char *slash = memchr(from, '/', (size_t)(end - from));
		struct span one = span_between(from, slash ? slash : end);
		if (!one.length) return "a component of the path is empty";
		if (span_equal(one, SPAN(".")) || span_equal(one, SPAN(".."))) return "\".\" and \"..\" are no components of a path in HDFS";
		at += 1 + one.length;
	}
	return NULL;
}

static const char *parse_base(struct webhdfs_address *a, struct span text)
{
	struct buffer path;
	while (text.length && text.data[text.length - 1] == '/') text.length--;
	buffer_init(&path, 4096);
	const char *why = append_decoded(&path, text);
	if (!why) why = check_components(buffer_span(&path));
	/* Copied from what curl was given: it would become directories of these names. */
	struct span rest = span_of("/webhdfs/v1");
	if (!why && span_starts(buffer_span(&path), rest) && (path.length == rest.length || path.data[rest.length] == '/')) why = "the path is that of HDFS, without /webhdfs/v1";
	if (!why) a->base = must_copy(buffer_span(&path));
	buffer_release(&path);
	return why;
}

static const char *parse(struct webhdfs_address *a, struct span text)
{
	struct span scheme = text;
	const char *at = memmem(text.data, text.length, "://", 3);
	if (at) scheme = span_between(text.data, at);
	a->secure = span_equal(scheme, SPAN("swebhdfs"));
	if (!at || (!a->secure && !span_equal(scheme, SPAN("webhdfs")))) return "it begins with webhdfs:// or swebhdfs://";
	const char *end = text.data + text.length, *from = at + 3;
	const char *slash = memchr(from, '/', (size_t)(end - from));
	if (!slash) slash = end;
	if (memmem(from, (size_t)(end - from), "://", 3)) return "the scheme stands once, in front of all hosts";
	if (memchr(from, '@', (size_t)(slash - from))) return "a user is given by --user, and a password nowhere";
	for (;;) {
		const char *comma = memchr(from, ',', (size_t)(slash - from));
		const char *why = parse_node(a, span_between(from, comma ? comma : slash));
		if (why) return why;
		if (!comma) break;
		from = comma + 1;
	}
	return parse_base(a, span_between(slash, end));
}

bool webhdfs_address_parse(struct webhdfs_address *a, const char *text, const char **why)
{
	*a = (struct webhdfs_address){ 0 };
	*why = parse(a, span_of(text));
	if (*why) webhdfs_address_release(a);
	return !*why;
}

bool webhdfs_address_check(const char *address, struct buffer *base, const char **why)
{
	struct webhdfs_address a;
	if (!webhdfs_address_parse(&a, address, why)) return false;
	if (base) buffer_append_text(base, a.base);
	webhdfs_address_release(&a);
	return true;
}

void webhdfs_node_append(struct buffer *out, const struct webhdfs_node *node)
{
	bool bare = strchr(node->host, ':');
	if (bare) buffer_append_byte(out, '[');
	buffer_append_text(out, node->host);
	if (bare) buffer_append_byte(out, ']');
	buffer_append_byte(out, ':');
	buffer_append_int(out, node->port);
}

/* --- redirects --- */

static bool equal_names(struct span a, struct span b)
{
	return a.length == b.length && strncasecmp(a.data, b.data, a.length) == 0;
}

bool webhdfs_host_matches(struct span host, struct span pattern)
{
	if (span_equal(pattern, SPAN("*"))) return true;
	if (!span_starts(pattern, SPAN("*."))) return equal_names(host, pattern);
	struct span end = { pattern.data + 1, pattern.length - 1 };
	return host.length > end.length && equal_names((struct span){ host.data + host.length - end.length, end.length }, end);
}

static bool is_number_address(struct span host)
{
	if (memchr(host.data, ':', host.length)) return true;
	for (size_t i = 0; i < host.length; i++) {
		if (host.data[i] != '.' && (host.data[i] < '0' || host.data[i] > '9')) return false;
	}
	return true;
}

static bool is_loopback(struct span host)
{
	return equal_names(host, SPAN("localhost")) || span_equal(host, SPAN("::1")) || (span_starts(host, SPAN("127.")) && is_number_address(host));
}

/* What stands behind the first dot: "nn1.dc2.example.net" is in "dc2.example.net". A domain of one label ("net") is none of anybody's own. */
static bool in_one_domain(struct span a, struct span b)
{
	if (is_number_address(a) || is_number_address(b) || is_loopback(a) || is_loopback(b)) return false;
	const char *dot_a = memchr(a.data, '.', a.length), *dot_b = memchr(b.data, '.', b.length);
	if (!dot_a || !dot_b) return !dot_a && !dot_b; /* two short names: both are completed by the same resolver */
	struct span domain_a = span_between(dot_a + 1, a.data + a.length), domain_b = span_between(dot_b + 1, b.data + b.length);
	return memchr(domain_a.data, '.', domain_a.length) && equal_names(domain_a, domain_b);
}

static bool is_allowed(const struct webhdfs_address *a, const struct webhdfs_options *o, struct span host)
{
	for (size_t i = 0; i < a->count; i++) {
		struct span own = span_of(a->node[i].host);
		if (equal_names(host, own) || in_one_domain(host, own) || (is_loopback(host) && is_loopback(own))) return true;
	}
	for (size_t i = 0; i < o->datanode_count; i++) {
		if (webhdfs_host_matches(host, span_of(o->datanodes[i]))) return true;
	}
	for (size_t i = 0; i < o->http.map_count; i++) {
		const char *map = o->http.maps[i];
		struct span left = { map, strcspn(map, map[0] == '[' ? "]=" : ":=") };
		if (map[0] == '[') left.data++, left.length--;
		if (equal_names(host, left)) return true;
	}
	return false;
}

const char *webhdfs_redirect_refusal(const struct webhdfs_address *a, const struct webhdfs_options *o, const struct http_url *to)
{
	bool secure = equal_names(to->scheme, SPAN("https"));
	if (!secure && !equal_names(to->scheme, SPAN("http"))) return "it is neither http nor https";
	if (a->secure && !secure) return "it leads from https to http";
	if (!to->host.length) return "it names no host";
	if (!is_allowed(a, o, to->host)) return "that host is not allowed (--datanode allows it)";
	return NULL;
}
