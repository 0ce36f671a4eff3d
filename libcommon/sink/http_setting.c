/* http_setting - options of a libcurl handle, and those that make a connection safe. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/http_private.h"

#include <unistd.h>

void http_set_number(struct http_setting *s, CURLoption option, long value)
{
	CURLcode code = s->call->curl_easy_setopt(s->easy, option, value);
	if (!s->code) s->code = code;
}

void http_set_size(struct http_setting *s, CURLoption option, curl_off_t value)
{
	CURLcode code = s->call->curl_easy_setopt(s->easy, option, value);
	if (!s->code) s->code = code;
}

void http_set_pointer(struct http_setting *s, CURLoption option, const void *value)
{
	CURLcode code = s->call->curl_easy_setopt(s->easy, option, value);
	if (!s->code) s->code = code;
}

void http_set_security(struct http_setting *s, const struct tls_options *o)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	http_set_pointer(s, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	http_set_number(s, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
	http_set_pointer(s, CURLOPT_PROXY, "");
	http_set_number(s, CURLOPT_FOLLOWLOCATION, 0);
	http_set_number(s, CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
	http_set_number(s, CURLOPT_SSL_VERIFYPEER, 1);
	http_set_number(s, CURLOPT_SSL_VERIFYHOST, 2);
	http_set_number(s, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	if (o->ca_file) {
		http_set_pointer(s, CURLOPT_CAINFO, o->ca_file);
		s->call->curl_easy_setopt(s->easy, CURLOPT_CAPATH, NULL); /* it alone; some TLS libraries know no such path, and say so */
	}
	if (o->cert_file) http_set_pointer(s, CURLOPT_SSLCERT, o->cert_file);
	if (o->key_file) http_set_pointer(s, CURLOPT_SSLKEY, o->key_file);
	if (o->cert_file || o->key_file) http_set_pointer(s, CURLOPT_KEYPASSWD, ""); /* or OpenSSL would ask on the terminal */
}

const char *http_trust_fault(const struct tls_options *o)
{
	if (o->ca_file && access(o->ca_file, R_OK) < 0) return "--cacert: the file cannot be read";
	if (o->cert_file && access(o->cert_file, R_OK) < 0) return "--cert: the file cannot be read";
	if (o->key_file && access(o->key_file, R_OK) < 0) return "--key: the file cannot be read";
	return NULL;
}
