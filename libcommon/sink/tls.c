/* tls - a verified TLS connection that bytes are written to, by libcurl. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/signals.h"
#include "io/socket.h"
#include "sink/http_private.h"

enum { URL_MAX = 320 };

struct tls {
	struct http_library call;
	CURL *easy;
	int fd;                    /* -1: not yet */
	bool is_answered;          /* something came since the handshake */
	bool is_ours;              /* the descriptor outlives the handle: libcurl is not to close it */
	size_t pending;            /* of out: was offered to the TLS library, which wants just these bytes at just this place again */
	char error[CURL_ERROR_SIZE], reason[TLS_REASON_MAX];
	char out[TLS_RECORD_MAX];
};

/* A connection tried in vain, beside the one that was made, is closed at once. */
static int close_socket(void *context, curl_socket_t fd)
{
	struct tls *t = context;
	return t->is_ours && fd == t->fd ? 0 : close(fd);
}

static int watch(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)context, (void)a, (void)b, (void)c, (void)d;
	return signals_stopping_now();
}

static CURLcode set_options(struct tls *t, const char *url, const struct tls_options *o, int64_t timeout_ms)
{
	struct http_setting s = { .call = &t->call, .easy = t->easy };
	http_set_security(&s, o);
	http_set_pointer(&s, CURLOPT_URL, url);
	http_set_number(&s, CURLOPT_CONNECT_ONLY, 1);
	http_set_number(&s, CURLOPT_SSL_ENABLE_ALPN, 0);
	http_set_number(&s, CURLOPT_NOSIGNAL, 1);
	http_set_number(&s, CURLOPT_TCP_NODELAY, 1);
	http_set_number(&s, CURLOPT_TCP_KEEPALIVE, 1);
	http_set_number(&s, CURLOPT_NOPROGRESS, 0);
	http_set_number(&s, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms < 1 ? 1 : timeout_ms > INT_MAX ? INT_MAX : (long)timeout_ms);
	http_set_pointer(&s, CURLOPT_ERRORBUFFER, t->error);
	http_set_pointer(&s, CURLOPT_CLOSESOCKETDATA, t);
	if (t->call.curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket) || t->call.curl_easy_setopt(t->easy, CURLOPT_XFERINFOFUNCTION, watch))
		s.code = CURLE_UNKNOWN_OPTION;
#if LIBCURL_VERSION_NUM >= 0x075700
	t->call.curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	return s.code;
}

static void print_reason(const struct tls *t, CURLcode code, char reason[TLS_REASON_MAX])
{
	long number = 0;
	t->call.curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
	if (code == CURLE_COULDNT_RESOLVE_HOST) snprintf(reason, TLS_REASON_MAX, "there is no address for this name");
	else if (code == CURLE_OPERATION_TIMEDOUT) snprintf(reason, TLS_REASON_MAX, "no connection in time");
	else if (code == CURLE_ABORTED_BY_CALLBACK) snprintf(reason, TLS_REASON_MAX, "stopped while it was connected to");
	else if (http_speaks_no_tls(t->error)) snprintf(reason, TLS_REASON_MAX, "it does not speak TLS");
	else if (strcasestr(t->error, "certificate required")) snprintf(reason, TLS_REASON_MAX, "it asks for a certificate of ours (--cert, --key)");
	else if (strcasestr(t->error, "alert")) {
		int length = snprintf(reason, TLS_REASON_MAX, "it refuses us: ");
		http_print_words(reason + length, TLS_REASON_MAX - (size_t)length, t->error);
	}
	else if (!t->error[0] && (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR)) snprintf(reason, TLS_REASON_MAX, "the connection broke");
	else if (code == CURLE_COULDNT_CONNECT && number) snprintf(reason, TLS_REASON_MAX, "%s", strerror((int)number));
	else http_print_words(reason, TLS_REASON_MAX, t->error[0] ? t->error : t->call.curl_easy_strerror(code));
}

static enum tls_verdict judge(struct tls *t, CURLcode code, char reason[TLS_REASON_MAX])
{
	print_reason(t, code, reason);
	if (code == CURLE_ABORTED_BY_CALLBACK) return TLS_STOPPED;
	return http_is_untrusted(code, t->error) ? TLS_UNTRUSTED : TLS_AWAY;
}

static enum tls_verdict connect_to(struct tls *t, const char *host, uint16_t port, const struct tls_options *o, int64_t timeout_ms, char reason[TLS_REASON_MAX])
{
	char url[URL_MAX];
	curl_socket_t fd = -1;
	bool is_address = strchr(host, ':');
	int length = snprintf(url, sizeof url, is_address ? "https://[%s]:%u/" : "https://%s:%u/", host, (unsigned)port);
	CURLcode code = length >= URL_MAX ? CURLE_URL_MALFORMAT : set_options(t, url, o, timeout_ms);
	if (!code) code = t->call.curl_easy_perform(t->easy);
	if (!code) code = t->call.curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (code || fd < 0) return judge(t, code ? code : CURLE_COULDNT_CONNECT, reason);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	t->fd = fd;
	t->error[0] = '\0';
	return TLS_DONE;
}

enum tls_verdict tls_open(struct tls **out, const char *host, uint16_t port, const struct tls_options *o, int64_t timeout_ms, char reason[TLS_REASON_MAX])
{
	const char *why = http_trust_fault(o);
	enum tls_verdict verdict = TLS_UNTRUSTED;
	struct tls *t = *out = NULL;
	if (!why && !(t = calloc(1, sizeof *t))) why = "out of memory";
	if (why || !http_library_load(&t->call, &why) || t->call.curl_global_init(CURL_GLOBAL_DEFAULT)) {
		snprintf(reason, TLS_REASON_MAX, "%s", why ? why : "libcurl does not start");
		free(t);
		return verdict;
	}
	signals_ignore_pipe(); /* TLS writes as write(2) does */
	t->fd = -1;
	t->easy = t->call.curl_easy_init();
	if (t->easy) verdict = connect_to(t, host, port, o, timeout_ms, reason);
	else snprintf(reason, TLS_REASON_MAX, "out of memory");
	if (verdict == TLS_DONE) *out = t;
	else tls_drop(t);
	return verdict;
}

enum tls_verdict tls_write(struct tls *t, struct span bytes, size_t *sent)
{
	size_t taken = 0, length;
	*sent = 0;
	while (bytes.length > *sent) {
		if (!t->pending) {
			length = bytes.length - *sent;
			t->pending = length < TLS_RECORD_MAX ? length : TLS_RECORD_MAX;
			memcpy(t->out, bytes.data + *sent, t->pending);
		}
		CURLcode code = t->call.curl_easy_send(t->easy, t->out, t->pending, &taken);
		if (code == CURLE_AGAIN || (!code && !taken)) return TLS_DONE;
		if (code) return judge(t, code, t->reason);
		/* A part: the rest is offered anew, from the caller's bytes. */
		t->pending = 0;
		*sent += taken;
	}
	return TLS_DONE;
}

/* By TLS 1.3 the far side judges our certificate, or that we have none, when our handshake is over already, and may have read what we sent before it refuses us. Its first word is
 * a ticket or an alert; one of TLS 1.2, which has judged, or without tickets says nothing, and is given this time. */
enum { ANSWER_MS = 1000 };

static void await_answer(struct tls *t, int timeout_ms)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	if (!t->is_answered && signals_poll(&p, 1, timeout_ms) > 0) t->is_answered = true;
}

enum tls_verdict tls_hear(struct tls *t)
{
	char forgotten[4096];
	size_t length;
	await_answer(t, 0);
	for (int turn = 0; turn < 64; turn++) {
		CURLcode code = t->call.curl_easy_recv(t->easy, forgotten, sizeof forgotten, &length);
		if (code == CURLE_AGAIN) return TLS_DONE;
		if (code) return judge(t, code, t->reason);
		if (length) continue;
		snprintf(t->reason, sizeof t->reason, "the far side has ended the connection");
		return TLS_AWAY;
	}
	return TLS_DONE;
}

int tls_fd(const struct tls *t)
{
	return t->fd;
}

const char *tls_reason(const struct tls *t)
{
	return t->reason;
}

static void release(struct tls *t)
{
	t->call.curl_easy_cleanup(t->easy);
	t->call.curl_global_cleanup();
	free(t);
}

void tls_drop(struct tls *t)
{
	if (t) release(t);
}

/* libcurl writes the close_notify as it closes, and does not wait: there has to be room for it. */
static void await_room(int fd, int64_t timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int64_t end = socket_clock_ms() + timeout_ms;
	for (int64_t left = timeout_ms; left > 0 && !signals_stopping_now(); left = end - socket_clock_ms())
		if (signals_poll(&p, 1, left > 1000 ? 1000 : (int)left) > 0) return;
}

enum tls_verdict tls_close(struct tls *t, int64_t timeout_ms, bool is_known, char reason[TLS_REASON_MAX])
{
	char why[SOCKET_REASON_MAX];
	int fd = t->fd;
	await_room(fd, timeout_ms);
	if (!is_known) await_answer(t, timeout_ms < ANSWER_MS ? (int)timeout_ms : ANSWER_MS);
	enum tls_verdict verdict = tls_hear(t); /* tickets, and what it has against our certificate */
	if (verdict != TLS_DONE) {
		memcpy(reason, t->reason, TLS_REASON_MAX);
		release(t);
		errno = ECONNRESET;
		return verdict;
	}
	t->is_ours = true;
	release(t);
	int error = socket_end(fd, timeout_ms, &signals_waits, why) == 0 ? 0 : errno;
	if (error) snprintf(reason, TLS_REASON_MAX, "%s", why);
	close(fd);
	errno = error;
	return !error ? TLS_DONE : error == EINTR ? TLS_STOPPED : TLS_AWAY;
}
