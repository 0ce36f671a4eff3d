/* http - one HTTP request at a time, by libcurl: verified TLS, bounded answers, no redirect followed, no secret in a message. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_HTTP_H
#define SINK_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"

/* libcurl is opened (dlopen) by the first http_new: a program that speaks no HTTP does not pay for it. Proxies are off, whatever the
 * environment says; so are redirects (the caller looks at `location`), `Expect:`, and every protocol but http and https. A signal that
 * asks us to break off (signals_stopping_now: a stream's first SIGTERM does not, for what was read is still to be delivered) ends a request within a fraction of a
 * second. SIGPIPE is ignored from the first http_new on. */
struct http;

enum { HTTP_MAPS_MAX = 64, HTTP_REASON_MAX = 512 };

struct http_options {
	const char *ca_file;         /* PEM; NULL: the system's */
	const char *cert_file, *key_file; /* our own certificate and its key, PEM; NULL: none */
	const char *maps[HTTP_MAPS_MAX]; /* "HOST[:PORT]=HOST[:PORT]": who is asked for the left one is spoken to at the right one; TLS still checks the left name */
	size_t map_count;
	int64_t connect_ms;          /* to connect, TLS included */
	int64_t stall_ms;            /* a request on which no byte has moved for so long has failed; there is no limit to the whole */
};

/* NULL: *why says so, static text ("libcurl.so.4 is not installed", "--map: ...": never a secret). The options are borrowed as long as it lives. */
struct http *http_new(const struct http_options *, const char **why);
void http_free(struct http *);

struct http_request {
	const char *method;          /* "GET", "PUT", "POST", "DELETE" */
	const char *url;             /* complete and encoded; its query is held for a secret */
	const char *content_type;    /* NULL: none */
	const char *headers[8];      /* more, "Name: value"; up to the first NULL */
	bool negotiate;              /* SPNEGO (Kerberos) as the caller's ccache or keytab allows; cookies are kept for the next one */
	int body_fd;                 /* below 0: no body (PUT and POST: Content-Length: 0) */
	uint64_t body_bytes;         /* exactly so many, from the descriptor's byte 0 on (pread) */
	void (*on_progress)(void *context, uint64_t sent); /* now and then while a body goes; may be NULL */
	void *context;
	size_t answer_limit;         /* bytes of the answer's body that are kept; the rest is read and forgotten. 0: 64 KiB */
};

enum http_failure {
	HTTP_ANSWERED,               /* a status came, and the whole answer: look at it */
	HTTP_UNREACHABLE,            /* no name, no route, refused, no connection in time, no KDC: nothing was done */
	HTTP_CUT,                    /* it broke or stalled after that: what the far side did is not known */
	HTTP_UNTRUSTED,              /* its certificate or name is wrong, or ours is; not for a second try */
	HTTP_STOPPED,                /* signals_stopping_now */
	HTTP_BODY,                   /* our own body could not be read (errno in `error`) */
	HTTP_INTERNAL,               /* no memory, a bad URL */
};

struct http_answer {
	enum http_failure failure;
	int status;                  /* 0 if none came */
	char reason[HTTP_REASON_MAX];/* for people: "connection refused by nn1:9870"; names the host, never the query. ANSWERED: empty, but of a 401 without a ticket */
	int error;
	struct buffer body;
	struct buffer location;      /* of a redirect, as it came; a secret. Empty: none */
	int64_t retry_after_s;       /* below 0: not said */
	uint64_t sent;               /* bytes of the body */
};

void http_answer_init(struct http_answer *);
void http_answer_release(struct http_answer *);

/* Sends it and waits for the whole answer. Connections are kept for the next request where the far side keeps them. */
void http_perform(struct http *, const struct http_request *, struct http_answer *);

/* Appends the bytes percent-encoded, but for A-Z a-z 0-9 - . _ ~ and those in `also` ("/=" for a path, "" for a query value). */
bool http_append_encoded(struct buffer *out, struct span text, const char *also);

/* The parts of an absolute URL, borrowed; port 0: none given. Brackets of an IPv6 host are not part of it. False: it is none, or has user:password@. */
struct http_url {
	struct span scheme, host, path /* with its query */;
	uint16_t port;
};
bool http_url_parse(struct span text, struct http_url *);

#endif
