/* http_url - the parts of a URL, percent-encoding, and who is spoken to instead of whom. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/http_private.h"

#include <stdlib.h>
#include <strings.h>

#include "base/number.h"

static bool is_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

bool http_append_encoded(struct buffer *out, struct span text, const char *also)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (is_plain((char)c) || (c && strchr(also, c))) buffer_append_byte(out, (char)c);
		else buffer_append(out, (char[]){ '%', digits[c >> 4], digits[c & 15] }, 3);
	}
	return !out->failed;
}

static bool is_hexadecimal(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* HOST[:PORT] at the start of `text`, which is cut by it. An IPv6 address stands in brackets. Stricter than RFC 3986: what a
 * resolver could read in another way than we do ("a\@b", "%2e") is no host. */
static bool take_authority(struct span *text, struct span *host, uint16_t *port)
{
	size_t end = 0;
	*port = 0;
	if (text->length && text->data[0] == '[') {
		for (end = 1; end < text->length && (is_hexadecimal(text->data[end]) || strchr(":.", text->data[end])) && text->data[end]; end++) {}
		if (end < 3 || end >= text->length || text->data[end] != ']') return false;
		*host = (struct span){ text->data + 1, end - 1 };
		end++;
	} else {
		while (end < text->length && is_plain(text->data[end])) end++;
		if (!end) return false;
		*host = (struct span){ text->data, end };
	}
	if (end < text->length && text->data[end] == ':') {
		size_t from = ++end;
		int64_t number;
		while (end < text->length && text->data[end] >= '0' && text->data[end] <= '9') end++;
		if (!number_parse_int((struct span){ text->data + from, end - from }, &number) || number < 1 || number > 65535) return false;
		*port = (uint16_t)number;
	}
	text->data += end;
	text->length -= end;
	return true;
}

bool http_url_parse(struct span text, struct http_url *url)
{
	size_t end = 0;
	while (end < text.length && (is_plain(text.data[end]) || text.data[end] == '+') && text.data[end] != '_' && text.data[end] != '~') end++;
	url->scheme = (struct span){ text.data, end };
	if (!end || !span_starts((struct span){ text.data + end, text.length - end }, SPAN("://"))) return false;
	text.data += end + 3;
	text.length -= end + 3;
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 0x7f) return false;
	if (!take_authority(&text, &url->host, &url->port)) return false;
	url->path = text;
	return !text.length || strchr("/?#", text.data[0]);
}

uint16_t http_url_port(const struct http_url *url)
{
	return url->port ? url->port : url->scheme.length == 5 ? 443 : 80;
}

/* --- maps ------------------------------------------------------------------------ */

struct map {
	struct span from, to; /* hosts */
	uint16_t from_port, to_port;
	struct span to_text;  /* as it was written */
};

static bool map_parse(const char *text, struct map *map)
{
	struct span rest = span_of(text);
	if (!take_authority(&rest, &map->from, &map->from_port) || !rest.length || rest.data[0] != '=') return false;
	rest.data++, rest.length--;
	map->to_text = rest;
	return take_authority(&rest, &map->to, &map->to_port) && !rest.length;
}

bool http_map_print(const char *text, struct buffer *out)
{
	struct map map;
	if (!map_parse(text, &map)) return false;
	const struct { struct span host; uint16_t port; } side[2] = { { map.from, map.from_port }, { map.to, map.to_port } };
	for (int i = 0; i < 2; i++) {
		bool brackets = memchr(side[i].host.data, ':', side[i].host.length);
		if (i) buffer_append_byte(out, ':');
		if (brackets) buffer_append_byte(out, '[');
		buffer_append_span(out, side[i].host);
		if (brackets) buffer_append_byte(out, ']');
		buffer_append_byte(out, ':');
		if (side[i].port) buffer_append_int(out, side[i].port);
	}
	return true;
}

struct span http_map_find(const struct http_options *options, const struct http_url *url)
{
	struct map map;
	for (size_t i = 0; i < options->map_count; i++)
		if (map_parse(options->maps[i], &map) && map.from.length == url->host.length && !strncasecmp(map.from.data, url->host.data, map.from.length) &&
			(!map.from_port || map.from_port == http_url_port(url)))
			return map.to_text;
	return (struct span){ NULL, 0 };
}
