/* http_answer - what libcurl tells while a request is on its way: heads, the answer's body, and what it wants of ours. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/http_private.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

void http_answer_init(struct http_answer *a)
{
	*a = (struct http_answer){ .retry_after_s = -1 };
	buffer_init(&a->body, HTTP_ANSWER_LIMIT);
	buffer_init(&a->location, HTTP_LOCATION_MAX);
}

void http_answer_release(struct http_answer *a)
{
	buffer_release(&a->body);
	buffer_release(&a->location);
}

/* A new head makes what came before it (100 Continue, a 401 that was answered with a ticket) past. */
static void begin_head(struct http_exchange *x, struct span line)
{
	size_t at = 0;
	x->head_status = 0;
	x->head_over = x->has_location = x->has_retry_after = false;
	x->forgotten = 0;
	buffer_clear(&x->answer->body);
	buffer_clear(&x->answer->location);
	while (at < line.length && line.data[at] != ' ') at++;
	while (at < line.length && line.data[at] == ' ') at++;
	for (size_t i = 0; i < 3 && at < line.length && line.data[at] >= '0' && line.data[at] <= '9'; i++) x->head_status = x->head_status * 10 + line.data[at++] - '0';
}

static bool take_header(struct span line, const char *name, struct span *value)
{
	size_t length = strlen(name);
	if (line.length <= length || strncasecmp(line.data, name, length) || line.data[length] != ':') return false;
	*value = span_trim((struct span){ line.data + length + 1, line.length - length - 1 });
	return true;
}

size_t http_take_head(char *data, size_t one, size_t length, void *exchange)
{
	struct http_exchange *x = exchange;
	struct span line = { data, one * length }, value;
	x->heard += line.length;
	if (span_starts(line, SPAN("HTTP/"))) {
		begin_head(x, line);
	} else if (!span_trim(line).length) {
		x->head_over = true;
	} else if (!x->head_over && take_header(line, "Location", &value)) { /* a header behind a chunked body is none of the answer's */
		if (!x->has_location && !buffer_append_span(&x->answer->location, value)) buffer_clear(&x->answer->location);
		x->has_location = true; /* the first one, if there are several */
	} else if (!x->head_over && take_header(line, "Retry-After", &value)) {
		x->has_retry_after = true;
	}
	return line.length;
}

size_t http_take_body(char *data, size_t one, size_t length, void *exchange)
{
	struct http_exchange *x = exchange;
	struct buffer *body = &x->answer->body;
	size_t bytes = one * length, limit = x->request->answer_limit ? x->request->answer_limit : HTTP_ANSWER_LIMIT;
	size_t room = body->length < limit ? limit - body->length : 0, kept = bytes < room ? bytes : room;
	x->heard += bytes;
	if (kept && !buffer_append(body, data, kept)) return 0;
	x->forgotten += bytes - kept;
	if (x->forgotten <= HTTP_FORGET_MAX) return bytes;
	x->is_endless = true;
	return 0;
}

/* A far side that says no and goes away resets the connection under what we send, and libcurl would see no more than that: so
 * what came is heard first. */
static bool is_answer_waiting(const struct http_exchange *x)
{
	struct pollfd poll_fd = { .fd = x->socket, .events = POLLIN };
	return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN);
}

size_t http_give_body(char *room, size_t one, size_t size, void *exchange)
{
	struct http_exchange *x = exchange;
	uint64_t left = x->request->body_bytes - x->offset;
	size_t want = one * size < left ? one * size : (size_t)left;
	ssize_t got;
	if (!want) return 0;
	do got = pread(x->request->body_fd, room, want, (off_t)x->offset);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		x->body_error = got < 0 ? errno : ENODATA;
		return CURL_READFUNC_ABORT;
	}
	if (is_answer_waiting(x)) {
		x->is_paused = true;
		return CURL_READFUNC_PAUSE;
	}
	x->offset += (uint64_t)got;
	return (size_t)got;
}

int http_seek_body(void *exchange, curl_off_t offset, int origin)
{
	struct http_exchange *x = exchange;
	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > x->request->body_bytes) return CURL_SEEKFUNC_FAIL;
	x->offset = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* libcurl tells why there is no ticket in its log only. */
int http_hear_of_kerberos(CURL *easy, curl_infotype kind, char *text, size_t length, void *exchange)
{
	struct http_exchange *x = exchange;
	struct span line = span_trim((struct span){ text, length });
	(void)easy;
	if (kind == CURLINFO_TEXT && span_starts(line, SPAN("gss_")))
		snprintf(x->kerberos, sizeof x->kerberos, "%.*s", (int)line.length, line.data);
	return 0;
}
