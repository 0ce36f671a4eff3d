/* http_private - what the files of http share: libcurl's functions, and one request on its way. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_HTTP_PRIVATE_H
#define SINK_HTTP_PRIVATE_H

#define CURL_DISABLE_TYPECHECK /* its macros do not fit functions that are called through a pointer */
#include <curl/curl.h>

#include "sink/http.h"
#include "sink/tls.h"

#define HTTP_CALLS(each) \
	each(curl_global_init) each(curl_global_cleanup) each(curl_slist_append) each(curl_slist_free_all) \
	each(curl_easy_init) each(curl_easy_perform) each(curl_easy_cleanup) each(curl_easy_reset) each(curl_easy_setopt) each(curl_easy_getinfo) each(curl_easy_pause) each(curl_easy_strerror) \
	each(curl_easy_send) each(curl_easy_recv) \
	each(curl_multi_init) each(curl_multi_cleanup) each(curl_multi_add_handle) each(curl_multi_remove_handle) each(curl_multi_setopt) \
	each(curl_multi_fdset) each(curl_multi_perform) each(curl_multi_poll) each(curl_multi_info_read)

/* libcurl's functions under their own names. */
struct http_library {
#define HTTP_CALL_FIELD(name) __typeof__(&name) name;
	HTTP_CALLS(HTTP_CALL_FIELD)
#undef HTTP_CALL_FIELD
};

struct http {
	struct http_library call;
	const struct http_options *options;
	CURLM *multi;              /* keeps the connections */
	CURL *plain, *negotiating; /* two, so that a cookie goes to nobody but who was authenticated to */
	struct curl_slist *maps;
};

struct http_exchange {
	struct http *http;
	CURL *easy;
	const struct http_request *request;
	struct http_answer *answer;
	struct http_url url;
	uint64_t offset;           /* of the body's next byte */
	uint64_t heard;            /* bytes that came, heads too */
	uint64_t forgotten;        /* bytes of the answer beyond its limit */
	int head_status;           /* of the head that came last */
	bool head_over;            /* and it is whole */
	bool has_location, has_retry_after;
	int socket;                /* that libcurl reads from; -1: none yet */
	bool is_paused;            /* our body, until what came is heard */
	bool is_stopped, is_stalled, is_early, is_endless;
	int body_error;            /* errno of reading our body; ENODATA: it ended early */
	char error[CURL_ERROR_SIZE];
	char kerberos[HTTP_REASON_MAX - 64]; /* why there was no ticket; "" if nothing was said */
};

/* An answer that goes on for ever has failed: an exception's text has some KiB. */
enum { HTTP_FORGET_MAX = 64 * 1024 * 1024, HTTP_LOCATION_MAX = 64 * 1024, HTTP_ANSWER_LIMIT = 64 * 1024 };

/* One option after the other; an option that this libcurl does not know is an error where our safety hangs on it. */
struct http_setting {
	const struct http_library *call;
	CURL *easy;
	CURLcode code;             /* of the first that failed */
};

void http_set_number(struct http_setting *, CURLoption, long);
void http_set_size(struct http_setting *, CURLoption, curl_off_t);
void http_set_pointer(struct http_setting *, CURLoption, const void *);
void http_set_security(struct http_setting *, const struct tls_options *); /* no proxy, no other protocol; TLS 1.2 at least, chain and name verified */
const char *http_trust_fault(const struct tls_options *);     /* a file that cannot be read: "--cert: the file cannot be read"; NULL: none */

/* What the texts of OpenSSL and GnuTLS say. */
bool http_is_handshake_refused(const char *error); /* by an alert, or by something other than TLS; not: it broke off */
bool http_speaks_no_tls(const char *error);
bool http_is_untrusted(CURLcode, const char *error); /* of a connection: chain, name, date; a file of ours; a refused handshake */
void http_print_words(char *out, size_t size, const char *words); /* of libcurl; on one line, printable */

/* False: *why says why. */
bool http_library_load(struct http_library *, const char **why);

/* libcurl's callbacks; each gets the exchange. */
size_t http_take_head(char *data, size_t one, size_t length, void *exchange);
size_t http_take_body(char *data, size_t one, size_t length, void *exchange);
size_t http_give_body(char *room, size_t one, size_t size, void *exchange);
int http_seek_body(void *exchange, curl_off_t offset, int origin);
int http_hear_of_kerberos(CURL *, curl_infotype, char *text, size_t length, void *exchange);

/* Sets failure, error and reason of the answer. */
void http_judge(struct http_exchange *, CURLcode);

uint16_t http_url_port(const struct http_url *);
bool http_map_print(const char *map, struct buffer *out); /* as CURLOPT_CONNECT_TO has it; false: it is no map */
struct span http_map_find(const struct http_options *, const struct http_url *); /* who is spoken to instead; empty: itself */

#endif
