/* http - one HTTP request at a time, by libcurl. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/http_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>

#include "io/signals.h"
#include "io/socket.h"

/* TURN_MS: how soon a request to stop and a stall are seen. UPLOAD_BYTES: 300 MB over loopback in 0.17 s; 64 KiB 0.19, 1 MiB 0.25. */
enum { TURN_MS = 200, PROGRESS_MS = 100, UPLOAD_BYTES = 256 * 1024, CONNECTIONS_MAX = 16 };

static struct tls_options trust_of(const struct http_options *o)
{
	return (struct tls_options){ .ca_file = o->ca_file, .cert_file = o->cert_file, .key_file = o->key_file };
}

static const char *options_fault(const struct http_options *o)
{
	struct tls_options trust = trust_of(o);
	return o->map_count > HTTP_MAPS_MAX ? "--map: there are too many" : http_trust_fault(&trust);
}

static const char *maps_make(struct http *h)
{
	const char *why = NULL;
	struct buffer text;
	buffer_init(&text, 1024);
	for (size_t i = 0; !why && i < h->options->map_count; i++) {
		struct curl_slist *longer = NULL;
		buffer_clear(&text);
		if (!http_map_print(h->options->maps[i], &text) || text.failed) why = "--map: must be HOST[:PORT]=HOST[:PORT]";
		else if (!buffer_text(&text) || !(longer = h->call.curl_slist_append(h->maps, text.data))) why = "out of memory";
		else h->maps = longer;
	}
	buffer_release(&text);
	return why;
}

struct http *http_new(const struct http_options *options, const char **why)
{
	struct http *h = calloc(1, sizeof *h);
	if (!h) {
		*why = "out of memory";
		return NULL;
	}
	h->options = options;
	if ((*why = options_fault(options)) || !http_library_load(&h->call, why) || h->call.curl_global_init(CURL_GLOBAL_DEFAULT)) {
		if (!*why) *why = "libcurl does not start";
		free(h);
		return NULL;
	}
	signals_ignore_pipe(); /* TLS writes as write(2) does */
	h->multi = h->call.curl_multi_init();
	h->plain = h->call.curl_easy_init();
	h->negotiating = h->call.curl_easy_init();
	if (!h->multi || !h->plain || !h->negotiating) *why = "out of memory";
	else *why = maps_make(h);
	if (!*why) {
		/* Any cookie has cookies kept in memory; COOKIEFILE would leak at each reset. */
		h->call.curl_easy_setopt(h->negotiating, CURLOPT_COOKIELIST, "Set-Cookie: none=; Domain=none.invalid");
		h->call.curl_easy_setopt(h->negotiating, CURLOPT_COOKIELIST, "ALL"); /* and this forgets it */
		h->call.curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
		return h;
	}
	http_free(h);
	return NULL;
}

void http_free(struct http *h)
{
	if (!h) return;
	h->call.curl_easy_cleanup(h->plain);
	h->call.curl_easy_cleanup(h->negotiating);
	h->call.curl_multi_cleanup(h->multi);
	h->call.curl_slist_free_all(h->maps);
	h->call.curl_global_cleanup();
	free(h);
}

/* --- options ---------------------------------------------------------------------- */

static void set_network(struct http_setting *s, const struct http_options *o, const struct curl_slist *maps)
{
	http_set_number(s, CURLOPT_NOSIGNAL, 1);
	http_set_number(s, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	http_set_number(s, CURLOPT_PATH_AS_IS, 1);
	http_set_number(s, CURLOPT_TCP_KEEPALIVE, 1);
	http_set_pointer(s, CURLOPT_USERAGENT, "metlog"); /* no browser's: a server's filter against forged forms lets it pass */
	if (o->connect_ms > 0) http_set_number(s, CURLOPT_CONNECTTIMEOUT_MS, o->connect_ms > 1000000000 ? 1000000000L : (long)o->connect_ms);
	if (maps) http_set_pointer(s, CURLOPT_CONNECT_TO, maps);
#if LIBCURL_VERSION_NUM >= 0x075700
	s->call->curl_easy_setopt(s->easy, CURLOPT_QUICK_EXIT, 1L); /* no waiting for a resolver that does not answer */
#endif
}

/* The first request goes out with a ticket already: a body, if there is one, goes once. */
static void set_negotiation(struct http_setting *s, struct http_exchange *x)
{
	http_set_number(s, CURLOPT_HTTPAUTH, (long)CURLAUTH_NEGOTIATE);
	http_set_pointer(s, CURLOPT_USERPWD, ":");
	http_set_number(s, CURLOPT_VERBOSE, 1);
	http_set_pointer(s, CURLOPT_DEBUGDATA, x);
	CURLcode code = s->call->curl_easy_setopt(s->easy, CURLOPT_DEBUGFUNCTION, http_hear_of_kerberos);
	if (!s->code) s->code = code;
}

static void set_callbacks(struct http_setting *s, struct http_exchange *x)
{
	const struct http_library *call = s->call;
	http_set_pointer(s, CURLOPT_ERRORBUFFER, x->error);
	http_set_pointer(s, CURLOPT_HEADERDATA, x);
	http_set_pointer(s, CURLOPT_WRITEDATA, x);
	http_set_pointer(s, CURLOPT_READDATA, x);
	http_set_pointer(s, CURLOPT_SEEKDATA, x);
	if (call->curl_easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, http_take_head) || call->curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, http_take_body) ||
		call->curl_easy_setopt(s->easy, CURLOPT_READFUNCTION, http_give_body) || call->curl_easy_setopt(s->easy, CURLOPT_SEEKFUNCTION, http_seek_body))
		s->code = CURLE_UNKNOWN_OPTION;
}

static void set_method(struct http_setting *s, const struct http_request *r)
{
	if (r->body_fd >= 0) {
		http_set_number(s, CURLOPT_UPLOAD, 1);
		http_set_size(s, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body_bytes);
		http_set_number(s, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES);
	} else if (!strcmp(r->method, "PUT") || !strcmp(r->method, "POST")) {
		http_set_pointer(s, CURLOPT_POSTFIELDS, ""); /* Content-Length: 0 */
		http_set_size(s, CURLOPT_POSTFIELDSIZE_LARGE, 0);
	}
	http_set_pointer(s, CURLOPT_CUSTOMREQUEST, r->method);
}

static struct curl_slist *headers_make(struct http *h, const struct http_request *r)
{
	char type[256];
	snprintf(type, sizeof type, "Content-Type:%s%s", r->content_type ? " " : "", r->content_type ? r->content_type : "");
	struct curl_slist *list = h->call.curl_slist_append(NULL, "Expect:"), *longer = list;
	if (longer) longer = h->call.curl_slist_append(list, type); /* without a value: none, not even a form's */
	for (size_t i = 0; longer && i < sizeof r->headers / sizeof *r->headers && r->headers[i]; i++) longer = h->call.curl_slist_append(list, r->headers[i]);
	if (longer) return list;
	h->call.curl_slist_free_all(list);
	return NULL;
}

static CURLcode exchange_set(struct http_exchange *x, struct curl_slist *headers)
{
	struct http *h = x->http;
	struct http_setting s = { .call = &h->call, .easy = x->easy };
	struct tls_options trust = trust_of(h->options);
	h->call.curl_easy_reset(x->easy);
	set_callbacks(&s, x);
	http_set_security(&s, &trust);
	set_network(&s, h->options, h->maps);
	if (x->request->negotiate) set_negotiation(&s, x);
	set_method(&s, x->request);
	http_set_pointer(&s, CURLOPT_HTTPHEADER, headers);
	http_set_pointer(&s, CURLOPT_URL, x->request->url);
	return s.code;
}

/* --- the request on its way -------------------------------------------------------- */

static uint64_t bytes_sent(const struct http_exchange *x)
{
	curl_off_t bytes = 0;
	x->http->call.curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &bytes);
	return bytes > 0 ? (uint64_t)bytes : 0;
}

static bool is_connected(const struct http_exchange *x)
{
	curl_off_t when = 0;
	x->http->call.curl_easy_getinfo(x->easy, CURLINFO_PRETRANSFER_TIME_T, &when);
	return when > 0 || x->heard;
}

/* False: enough of it, and why is noted. */
static bool exchange_watch(struct http_exchange *x, uint64_t *moved, int64_t *moved_at, int64_t *told_at)
{
	const struct http_request *r = x->request;
	int64_t now = socket_clock_ms();
	x->answer->sent = bytes_sent(x);
	if (*moved != x->answer->sent + x->heard || !is_connected(x)) *moved = x->answer->sent + x->heard, *moved_at = now;
	if (r->on_progress && now - *told_at >= PROGRESS_MS) *told_at = now, r->on_progress(r->context, x->answer->sent);
	/* A no that comes early is heard to its end by libcurl, which sends no more; anything else would have the rest sent in vain. */
	x->is_early = r->body_fd >= 0 && x->head_over && x->head_status >= 200 && x->head_status < 400 && x->answer->sent < r->body_bytes;
	x->is_stopped = signals_stopping_now();
	x->is_stalled = x->http->options->stall_ms > 0 && now - *moved_at >= x->http->options->stall_ms;
	return !x->is_early && !x->is_stopped && !x->is_stalled;
}

static int find_socket(const struct http *h)
{
	fd_set in, out, other;
	int most = -1;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&other);
	if (h->call.curl_multi_fdset(h->multi, &in, &out, &other, &most)) return -1;
	while (most >= 0 && !FD_ISSET(most, &in)) most--;
	return most;
}

static CURLcode exchange_run(struct http_exchange *x)
{
	const struct http_library *call = &x->http->call;
	CURLcode code = CURLE_ABORTED_BY_CALLBACK;
	uint64_t moved = 0;
	int64_t moved_at = socket_clock_ms(), told_at = moved_at;
	int running = 1, left;
	if (call->curl_multi_add_handle(x->http->multi, x->easy)) return CURLE_OUT_OF_MEMORY;
	while (call->curl_multi_perform(x->http->multi, &running) == CURLM_OK && running) {
		if (x->is_paused) x->is_paused = false, call->curl_easy_pause(x->easy, CURLPAUSE_CONT);
		if (!exchange_watch(x, &moved, &moved_at, &told_at)) break;
		if (x->request->body_fd >= 0) x->socket = find_socket(x->http);
		call->curl_multi_poll(x->http->multi, NULL, 0, TURN_MS, NULL);
	}
	for (CURLMsg *message; (message = call->curl_multi_info_read(x->http->multi, &left));)
		if (message->msg == CURLMSG_DONE && message->easy_handle == x->easy) {
			code = message->data.result;
			x->is_early = x->is_stalled = x->is_stopped = false; /* it came to its own end in the last turn */
		}
	x->answer->sent = bytes_sent(x);
	if (x->has_retry_after) {
		curl_off_t seconds = 0;
		call->curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &seconds);
		x->answer->retry_after_s = seconds;
	}
	http_judge(x, code);
	call->curl_multi_remove_handle(x->http->multi, x->easy);
	return code;
}

void http_perform(struct http *h, const struct http_request *request, struct http_answer *answer)
{
	struct http_exchange x = { .http = h, .request = request, .answer = answer, .socket = -1, .easy = request->negotiate ? h->negotiating : h->plain };
	size_t limit = request->answer_limit ? request->answer_limit : HTTP_ANSWER_LIMIT;
	http_answer_release(answer);
	http_answer_init(answer);
	buffer_init(&answer->body, limit + 1); /* and the NUL of buffer_text */
	answer->failure = HTTP_INTERNAL;
	if (!http_url_parse(span_of(request->url), &x.url)) {
		snprintf(answer->reason, sizeof answer->reason, "the address is no URL that can be asked");
		return;
	}
	if (signals_stopping_now()) {
		x.is_stopped = true;
		http_judge(&x, CURLE_ABORTED_BY_CALLBACK);
		return;
	}
	struct curl_slist *headers = headers_make(h, request);
	CURLcode code = headers ? exchange_set(&x, headers) : CURLE_OUT_OF_MEMORY;
	if (code) http_judge(&x, code);
	else exchange_run(&x);
	h->call.curl_easy_reset(x.easy); /* nothing of ours is borrowed by it any more */
	h->call.curl_slist_free_all(headers);
}
