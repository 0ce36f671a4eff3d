/* webhdfs - the operations: what each asks, and what it makes of the answer. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/webhdfs_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/diag.h"
#include "sink/webhdfs_checksum.h"

enum { URL_LIMIT = 1 << 16, TEXT_LIMIT = 1 << 16, TOKEN_MAX = 16384 };

/* --- the token --- */

static bool is_token(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] <= ' ' || text.data[i] > '~') return false;
	}
	return text.length > 0;
}

/* The URL string alone, or the JSON that GETDELEGATIONTOKEN has answered. */
static char *token_of(struct webhdfs *h, struct span text)
{
	if (text.length && text.data[0] == '{' && webhdfs_json_read(&h->json, text) && webhdfs_json_text(&h->json, "Token.urlString", &h->message)) text = buffer_span(&h->message);
	return is_token(text) ? must_copy(text) : NULL;
}

bool webhdfs_token_read(struct webhdfs *h, bool *changed, const char **why)
{
	char text[TOKEN_MAX];
	size_t length = 0;
	ssize_t got = -1;
	int fd = open(h->options.token_file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd >= 0 && length < sizeof text && (got = read(fd, text + length, sizeof text - length)) > 0) length += (size_t)got;
	*why = got < 0 ? strerror(errno) : "it holds no delegation token";
	if (fd >= 0) close(fd);
	char *token = got < 0 || length == sizeof text ? NULL : token_of(h, span_trim((struct span){ text, length }));
	explicit_bzero(text, sizeof text);
	if (!token) return false;
	*changed = !h->token || strcmp(token, h->token) != 0;
	free(h->token);
	h->token = token;
	return true;
}

/* --- the reason --- */

/* What a server repeats in its message is not ours to choose: our token, and whatever it calls one, is made unreadable. Before it is cut
 * to a length, lest a part of it stays. */
static void mask_secrets(const struct webhdfs *h, char *text, size_t length)
{
	static const char *const names[] = { "delegation=", "token=" };
	char *end = text + length, *at;
	size_t secret = h->token ? strlen(h->token) : 0;
	for (at = text; secret && (at = memmem(at, (size_t)(end - at), h->token, secret)); at += secret) memset(at, '*', secret);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t name = strlen(names[i]);
		for (at = text; (at = memmem(at, (size_t)(end - at), names[i], name));) {
			for (at += name; at < end && *at > ' ' && !strchr("&'\"<>,;)", *at); at++) *at = '*';
		}
	}
}

void webhdfs_mask(const struct webhdfs *h, struct buffer *text)
{
	if (text->length) mask_secrets(h, text->data, text->length);
}

void webhdfs_explain(struct webhdfs *h, const char *format, ...)
{
	char *whole;
	va_list list;
	va_start(list, format);
	int length = vasprintf(&whole, format, list);
	va_end(list);
	if (length < 0) die(EXIT_INTERNAL, "out of memory");
	mask_secrets(h, whole, (size_t)length);
	snprintf(h->reason, sizeof h->reason, "%s", whole);
	free(whole);
	for (char *at = h->reason; *at; at++) {
		if (*at == '\n' || *at == '\r') *at = ' ';
	}
}

const char *webhdfs_reason(const struct webhdfs *h)
{
	return h->reason;
}

/* --- its life --- */

struct webhdfs *webhdfs_new(const struct webhdfs_options *options, const char **why)
{
	struct webhdfs *h = must_alloc(sizeof *h);
	bool changed;
	h->options = *options;
	buffer_init(&h->url, URL_LIMIT);
	buffer_init(&h->target, URL_LIMIT);
	buffer_init(&h->exception, TEXT_LIMIT);
	buffer_init(&h->message, TEXT_LIMIT);
	http_answer_init(&h->answer);
	if (!webhdfs_json_init(&h->json)) die(EXIT_INTERNAL, "out of memory");
	if (!webhdfs_address_parse(&h->address, options->address, why) || !(h->http = http_new(&h->options.http, why))) {
		webhdfs_free(h);
		return NULL;
	}
	const char *token_why;
	if (options->token_file && !webhdfs_token_read(h, &changed, &token_why)) die(EXIT_NO_INPUT, "--token-file: %s: %s", options->token_file, token_why);
	return h;
}

void webhdfs_free(struct webhdfs *h)
{
	if (!h) return;
	if (h->http) http_free(h->http);
	http_answer_release(&h->answer);
	webhdfs_json_release(&h->json);
	webhdfs_address_release(&h->address);
	buffer_release(&h->url);
	buffer_release(&h->target);
	buffer_release(&h->exception);
	buffer_release(&h->message);
	if (h->token) explicit_bzero(h->token, strlen(h->token));
	free(h->token);
	free(h);
}

struct span webhdfs_base(const struct webhdfs *h)
{
	return span_of(h->address.base);
}

/* --- the operations --- */

static enum webhdfs_verdict not_webhdfs(struct webhdfs *h, const char *op)
{
	webhdfs_explain(h, "%s:%u: HTTP %d, but no answer of WebHDFS to %s", h->address.node[h->current].host, (unsigned)h->address.node[h->current].port, h->answer.status, op);
	return WEBHDFS_REFUSED;
}

/* Of an operation that has nothing to find, and nothing in its way but what will stay there. */
static enum webhdfs_verdict for_good(enum webhdfs_verdict verdict)
{
	return verdict == WEBHDFS_EXISTS || verdict == WEBHDFS_ABSENT ? WEBHDFS_REFUSED : verdict;
}

enum webhdfs_verdict webhdfs_status(struct webhdfs *h, struct span path, struct webhdfs_status *status)
{
	struct webhdfs_call call = { .method = "GET", .op = "GETFILESTATUS", .path = path, .want = 200, .fd = -1 };
	uint64_t modified = 0;
	enum webhdfs_verdict verdict = webhdfs_call(h, &call);
	if (verdict == WEBHDFS_EXISTS) return WEBHDFS_REFUSED;
	if (verdict != WEBHDFS_DONE) return verdict;
	*status = (struct webhdfs_status){ 0 };
	if (!webhdfs_json_text(&h->json, "FileStatus.type", &h->message) || !webhdfs_json_count(&h->json, "FileStatus.length", &status->length)) return not_webhdfs(h, call.op);
	status->is_directory = span_equal(buffer_span(&h->message), SPAN("DIRECTORY"));
	if (webhdfs_json_count(&h->json, "FileStatus.modificationTime", &modified)) status->modified_ms = (int64_t)modified;
	return WEBHDFS_DONE;
}

enum webhdfs_verdict webhdfs_mkdirs(struct webhdfs *h, struct span path)
{
	struct webhdfs_call call = { .method = "PUT", .op = "MKDIRS", .path = path, .want = 200, .fd = -1 };
	enum webhdfs_verdict verdict = for_good(webhdfs_call(h, &call));
	if (verdict != WEBHDFS_DONE) return verdict;
	return webhdfs_json_find(&h->json, "boolean").kind == VALUE_TRUE ? WEBHDFS_DONE : not_webhdfs(h, call.op);
}

enum webhdfs_verdict webhdfs_delete(struct webhdfs *h, struct span path)
{
	struct webhdfs_call call = { .method = "DELETE", .op = "DELETE", .path = path, .query = SPAN("&recursive=false"), .want = 200, .fd = -1 };
	enum webhdfs_verdict verdict = webhdfs_call(h, &call);
	if (verdict == WEBHDFS_ABSENT) return WEBHDFS_DONE;
	if (verdict != WEBHDFS_DONE) return for_good(verdict);
	enum value_kind kind = webhdfs_json_find(&h->json, "boolean").kind;
	return kind == VALUE_TRUE || kind == VALUE_FALSE ? WEBHDFS_DONE : not_webhdfs(h, call.op);
}

enum webhdfs_verdict webhdfs_rename(struct webhdfs *h, struct span from, struct span to, bool replace)
{
	struct buffer query;
	buffer_init(&query, URL_LIMIT);
	buffer_append_text(&query, "&destination=");
	http_append_encoded(&query, to, "/");
	buffer_append_text(&query, replace ? "&renameoptions=OVERWRITE" : "&renameoptions=NONE");
	struct webhdfs_call call = { .method = "PUT", .op = "RENAME", .path = from, .query = buffer_span(&query), .want = 200, .fd = -1, .once = true };
	enum webhdfs_verdict verdict = webhdfs_call(h, &call);
	buffer_release(&query);
	if (verdict != WEBHDFS_DONE) return verdict;
	/* With renameoptions there is no body; HttpFS, and servers that do not know them, say true or false. */
	struct value said = webhdfs_json_find(&h->json, "boolean");
	if (said.kind == VALUE_TRUE || !span_trim(buffer_span(&h->answer.body)).length) return WEBHDFS_DONE;
	if (said.kind == VALUE_FALSE) webhdfs_explain(h, "%s:%u: RENAME says false", h->address.node[h->current].host, (unsigned)h->address.node[h->current].port);
	else not_webhdfs(h, call.op);
	return WEBHDFS_UNKNOWN;
}

enum webhdfs_verdict webhdfs_create(struct webhdfs *h, struct span path, int fd, uint64_t bytes, void (*on_progress)(void *, uint64_t), void *context)
{
	const struct webhdfs_options *o = &h->options;
	struct buffer query;
	buffer_init(&query, 1024);
	buffer_append_text(&query, "&overwrite=true");
	if (o->permission) {
		buffer_append_text(&query, "&permission=");
		http_append_encoded(&query, span_of(o->permission), "");
	}
	if (o->replication > 0) {
		buffer_append_text(&query, "&replication=");
		buffer_append_int(&query, o->replication);
	}
	if (o->block_bytes > 0) {
		buffer_append_text(&query, "&blocksize=");
		buffer_append_int(&query, o->block_bytes);
	}
	struct webhdfs_call call = { .method = "PUT", .op = "CREATE", .path = path, .query = buffer_span(&query), .want = 201, .two_steps = true, .anew = true,
		.fd = fd, .bytes = bytes, .on_progress = on_progress, .context = context };
	enum webhdfs_verdict verdict = for_good(webhdfs_call(h, &call));
	buffer_release(&query);
	return verdict;
}

enum webhdfs_verdict webhdfs_verify(struct webhdfs *h, struct span path, int fd, uint64_t bytes, bool *equal)
{
	struct webhdfs_call call = { .method = "GET", .op = "GETFILECHECKSUM", .path = path, .want = 200, .two_steps = true, .fd = -1 };
	struct webhdfs_checksum checksum;
	uint64_t length = 0;
	enum webhdfs_verdict verdict = webhdfs_call(h, &call);
	if (verdict == WEBHDFS_EXISTS) return WEBHDFS_REFUSED;
	if (verdict != WEBHDFS_DONE) return verdict;
	webhdfs_json_count(&h->json, "FileChecksum.length", &length);
	if (!webhdfs_json_text(&h->json, "FileChecksum.algorithm", &h->exception) || !webhdfs_json_text(&h->json, "FileChecksum.bytes", &h->message)) return not_webhdfs(h, call.op);
	if (!webhdfs_checksum_parse(&checksum, buffer_span(&h->exception), buffer_span(&h->message), length)) {
		webhdfs_explain(h, "a checksum \"%.*s\" is none that can be computed here", (int)h->exception.length, h->exception.data);
		return WEBHDFS_REFUSED;
	}
	int answer = webhdfs_checksum_equal(&checksum, fd, bytes);
	if (answer < 0) {
		webhdfs_explain(h, "our own file: %s", strerror(errno));
		return WEBHDFS_IO;
	}
	*equal = answer;
	return WEBHDFS_DONE;
}
