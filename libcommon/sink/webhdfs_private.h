/* webhdfs_private - what the files of webhdfs share: the address, what an answer says, how a fault is reacted to, the call. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_WEBHDFS_PRIVATE_H
#define SINK_WEBHDFS_PRIVATE_H

#include "envelope/field.h"
#include "sink/webhdfs.h"

/* --- the address --- */

struct webhdfs_node {
	char *host;                  /* without the brackets of an IPv6 address */
	uint16_t port;
};

struct webhdfs_address {
	bool secure;
	struct webhdfs_node node[WEBHDFS_NAMENODES_MAX];
	size_t count;
	char *base;                  /* decoded; "" or "/a/b" */
};

/* "webhdfs://nn1:9870,[::1]/base%20dir". False: *why, static text. */
bool webhdfs_address_parse(struct webhdfs_address *, const char *text, const char **why);
void webhdfs_address_release(struct webhdfs_address *);
void webhdfs_node_append(struct buffer *out, const struct webhdfs_node *); /* "nn1:9870", "[::1]:9870" */

/* --- what an answer says --- */

/* The JSON of an answer; whatever is none (a proxy's HTML) has no members. */
struct webhdfs_json {
	struct scan scan;
	struct buffer line, copy;
	struct envelope envelope;
	bool is_json;
};

bool webhdfs_json_init(struct webhdfs_json *); /* false: no memory */
void webhdfs_json_release(struct webhdfs_json *);
bool webhdfs_json_read(struct webhdfs_json *, struct span body); /* false: it is not JSON */
struct value webhdfs_json_find(const struct webhdfs_json *, const char *path);
bool webhdfs_json_text(const struct webhdfs_json *, const char *path, struct buffer *out); /* a string, decoded, in place of what `out` held */
bool webhdfs_json_count(const struct webhdfs_json *, const char *path, uint64_t *count);   /* an integer that is not negative */

/* --- how a fault is reacted to: the table is in webhdfs_reaction.c --- */

enum webhdfs_reaction {
	REACTION_DONE,
	REACTION_ELSEWHERE,          /* at another namenode */
	REACTION_WAIT,               /* later, at the same place */
	REACTION_CUT,                /* nobody knows what it did; elsewhere, if it may be done twice */
	REACTION_TOKEN,              /* with another token */
	REACTION_ABSENT,
	REACTION_EXISTS,
	REACTION_REFUSED,
	REACTION_DENIED,
	REACTION_STOPPED,
	REACTION_IO,
};

/* An answer with a status that is no success. exception and message are empty if it held no RemoteException. */
enum webhdfs_reaction webhdfs_reaction_of(int status, struct span exception, struct span message);

/* --- where a redirect may lead --- */

/* NULL: it may. Otherwise why not, static text. `from_secure`: step one went by TLS. */
const char *webhdfs_redirect_refusal(const struct webhdfs_address *, const struct webhdfs_options *, const struct http_url *to);
bool webhdfs_host_matches(struct span host, struct span pattern); /* "*.example.net" is not "example.net" itself; case is ignored */

/* --- the call --- */

struct webhdfs {
	struct webhdfs_options options;
	struct webhdfs_address address;
	struct http *http;
	size_t current;              /* the namenode that is asked; the one that answered last */
	char *token;                 /* NULL: none */
	struct http_answer answer;
	struct webhdfs_json json;    /* of the last answer */
	struct buffer url, target, exception, message;
	char reason[HTTP_REASON_MAX + 128];
};

struct webhdfs_call {
	const char *method, *op;     /* "PUT", "RENAME" */
	struct span path;
	struct span query;           /* the rest of it, encoded: "&destination=%2Fx"; may be empty */
	int want;                    /* the status that is success */
	bool two_steps;              /* a redirect to a datanode comes first */
	bool once;                   /* not to be repeated when nobody knows whether it was done: then WEBHDFS_UNKNOWN */
	bool anew;                   /* a file that is not there is begun anew: CREATE */
	int fd;                      /* the body of the second step; below 0: none */
	uint64_t bytes;
	void (*on_progress)(void *, uint64_t);
	void *context;
};

/* Does it, on whichever namenode, within retry_ms. After DONE the answer is in `answer` and `json`. */
enum webhdfs_verdict webhdfs_call(struct webhdfs *, const struct webhdfs_call *);

/* Reads the token file. False: *why says so. *changed: it is another one than before. */
bool webhdfs_token_read(struct webhdfs *, bool *changed, const char **why);

void webhdfs_mask(const struct webhdfs *, struct buffer *text); /* secrets in it become asterisks */

/* Sets the reason, without secrets and in one line. */
void webhdfs_explain(struct webhdfs *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
