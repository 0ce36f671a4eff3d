/* http_reason - what libcurl's error means for the caller, in our own words: the host is named, the URL is not. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/http_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_MAX = 300 };

/* "nn1:9870", "[::1]:9870", "dn1:9864 (mapped to 127.0.0.1:40123)" */
static void print_place(const struct http_exchange *x, char place[PLACE_MAX])
{
	const struct http_url *u = &x->url;
	struct span to = http_map_find(x->http->options, u);
	bool brackets = memchr(u->host.data, ':', u->host.length);
	int length = snprintf(place, PLACE_MAX, "%s%.*s%s:%u", brackets ? "[" : "", u->host.length > 120 ? 120 : (int)u->host.length, u->host.data,
		brackets ? "]" : "", (unsigned)http_url_port(u));
	if (to.length) snprintf(place + length, (size_t)(PLACE_MAX - length), " (mapped to %.*s)", to.length > 120 ? 120 : (int)to.length, to.data);
}

static bool has(const char *error, const char *text)
{
	return strcasestr(error, text) != NULL;
}

/* A handshake that broke off is the network's doing; one that was answered by an alert, or by something other than TLS, is not. */
bool http_is_handshake_refused(const char *e)
{
	if (has(e, "internal error") || has(e, "SYSCALL") || has(e, "unexpected eof") || has(e, "reset by peer")) return false;
	return has(e, "alert") || has(e, "version") || has(e, "unsupported protocol") || has(e, "no protocols") || has(e, "cipher");
}

bool http_speaks_no_tls(const char *e)
{
	return has(e, "wrong version number") || has(e, "unexpected TLS packet");
}

bool http_is_untrusted(CURLcode code, const char *error)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CIPHER: case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CRL_BADFILE: case CURLE_SSL_ISSUER_ERROR: case CURLE_SSL_INVALIDCERTSTATUS: case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return true;
	case CURLE_SSL_CONNECT_ERROR:
		return http_is_handshake_refused(error);
	case CURLE_RECV_ERROR: case CURLE_SEND_ERROR: /* in TLS 1.3 a server looks at our certificate after the handshake */
		return has(error, "alert") && http_is_handshake_refused(error);
	default:
		return false;
	}
}

static bool is_something_sent(const struct http_exchange *x)
{
	long bytes = 0;
	x->http->call.curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &bytes);
	return bytes > 0;
}

static enum http_failure failure_of(const struct http_exchange *x, CURLcode code)
{
	if (code == CURLE_OK || x->is_early) return HTTP_ANSWERED;
	if (x->is_stopped) return HTTP_STOPPED;
	if (x->body_error) return HTTP_BODY;
	bool is_late = code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
	if (http_is_untrusted(code, x->error) && !(is_late && x->head_status)) return HTTP_UNTRUSTED;
	switch (code) {
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_UNREACHABLE;
	case CURLE_OUT_OF_MEMORY: case CURLE_URL_MALFORMAT: case CURLE_FAILED_INIT: case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_UNKNOWN_OPTION: case CURLE_NOT_BUILT_IN:
		return HTTP_INTERNAL;
	case CURLE_UNSUPPORTED_PROTOCOL: /* said of what was answered, too, if that is no HTTP */
		return is_something_sent(x) ? HTTP_CUT : HTTP_INTERNAL;
	default:
		break;
	}
	return is_something_sent(x) ? HTTP_CUT : HTTP_UNREACHABLE;
}

static void print_unreachable(const struct http_exchange *x, CURLcode code, const char *place, char *reason)
{
	long number = 0;
	x->http->call.curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &number);
	if (code == CURLE_COULDNT_RESOLVE_HOST) snprintf(reason, HTTP_REASON_MAX, "there is no address for the host of %s", place);
	else if (code == CURLE_OPERATION_TIMEDOUT || number == ETIMEDOUT) snprintf(reason, HTTP_REASON_MAX, "no connection to %s in time", place);
	else if (code == CURLE_SSL_CONNECT_ERROR) snprintf(reason, HTTP_REASON_MAX, "the TLS handshake with %s broke off", place);
	else if (number == ECONNREFUSED) snprintf(reason, HTTP_REASON_MAX, "connection refused by %s", place);
	else if (number) snprintf(reason, HTTP_REASON_MAX, "cannot connect to %s: %s", place, strerror((int)number));
	else snprintf(reason, HTTP_REASON_MAX, "cannot connect to %s: %s", place, x->http->call.curl_easy_strerror(code));
}

static void print_cut(const struct http_exchange *x, CURLcode code, const char *place, char *reason)
{
	char sent[80] = "";
	if (x->request->body_fd >= 0)
		snprintf(sent, sizeof sent, ", after %" PRIu64 " of %" PRIu64 " bytes were sent", x->answer->sent, x->request->body_bytes);
	if (x->is_endless) snprintf(reason, HTTP_REASON_MAX, "the answer of %s does not end", place);
	else if (x->is_stalled) snprintf(reason, HTTP_REASON_MAX, "nothing was heard of %s for %.3g s%s", place, (double)x->http->options->stall_ms / 1000, sent);
	else if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY) snprintf(reason, HTTP_REASON_MAX, "what %s answered is no HTTP", place);
	else if (x->head_status >= 200) snprintf(reason, HTTP_REASON_MAX, "%s broke off in the middle of its answer", place);
	else snprintf(reason, HTTP_REASON_MAX, "%s broke the connection without an answer%s", place, sent);
}

void http_print_words(char *out, size_t size, const char *text)
{
	struct span words = span_trim(span_of(text));
	size_t length = 0;
	for (size_t i = 0; i < words.length && length < size - 1; i++) out[length++] = words.data[i] >= ' ' && words.data[i] <= '~' ? words.data[i] : '?';
	out[length] = '\0';
}

/* libcurl's own words name files and subjects, and here and there text of the far side; never more of a URL than its host. */
static void print_words(const struct http_exchange *x, CURLcode code, const char *place, const char *what, char *reason)
{
	int length = snprintf(reason, HTTP_REASON_MAX, "%s %s: ", place, what);
	http_print_words(reason + length, (size_t)(HTTP_REASON_MAX - length), x->error[0] ? x->error : x->http->call.curl_easy_strerror(code));
}

/* That there was no ticket shows as the far side's 401 only. Who gives out tickets may be back soon; the other reasons stay. */
static void print_kerberos(const struct http_exchange *x)
{
	struct http_answer *a = x->answer;
	const char *words = strstr(x->kerberos, "failed: ");
	if (a->status != 401 || !x->kerberos[0]) return;
	snprintf(a->reason, sizeof a->reason, "no Kerberos ticket: %s", words ? words + strlen("failed: ") : x->kerberos);
	if (strcasestr(x->kerberos, "cannot contact any KDC")) a->failure = HTTP_UNREACHABLE;
}

void http_judge(struct http_exchange *x, CURLcode code)
{
	struct http_answer *a = x->answer;
	char place[PLACE_MAX];
	print_place(x, place);
	/* A far side that says no early and goes away: what it said counts. */
	if (x->head_over && x->head_status >= 300 && a->sent < x->request->body_bytes && x->request->body_fd >= 0 && !x->body_error &&
		(code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_PARTIAL_FILE)) x->is_early = true;
	a->failure = failure_of(x, code);
	a->status = x->head_status >= 200 ? x->head_status : 0;
	if (a->failure == HTTP_ANSWERED) {
		print_kerberos(x);
		return;
	}
	switch (a->failure) {
	case HTTP_ANSWERED: break;
	case HTTP_UNREACHABLE: print_unreachable(x, code, place, a->reason); break;
	case HTTP_CUT: print_cut(x, code, place, a->reason); break;
	case HTTP_UNTRUSTED:
		if (http_speaks_no_tls(x->error)) snprintf(a->reason, sizeof a->reason, "%s does not speak TLS", place);
		else print_words(x, code, place, "cannot be trusted, or does not trust us", a->reason);
		break;
	case HTTP_STOPPED: snprintf(a->reason, sizeof a->reason, "stopped while speaking to %s", place); break;
	case HTTP_BODY:
		a->error = x->body_error;
		snprintf(a->reason, sizeof a->reason, "cannot read what is to be sent: %s",
			x->body_error == ENODATA ? "the file is shorter than it was" : strerror(x->body_error));
		break;
	case HTTP_INTERNAL: print_words(x, code, place, "cannot be asked", a->reason); break;
	}
}
