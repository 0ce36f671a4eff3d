/* webhdfs - files in HDFS by WebHDFS or HttpFS: one call an operation; namenodes, retries and redirects are dealt with inside. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_WEBHDFS_H
#define SINK_WEBHDFS_H

#include "sink/http.h"

/* Source: the WebHDFS REST API of Apache Hadoop 3.4 (2.x servers are spoken to as well: noredirect is never sent).
 *
 *   an operation  --> the namenode that answered last -- StandbyException, no connection, a proxy's 5xx --> the next one, from step one again
 *                                                     -- safe mode, no datanode, a datanode's cut       --> the same, after a jittered wait
 *                                                     -- a fault of the caller's                        --> the verdict
 * Each namenode is asked once before anybody waits. After retry_ms from the first failure of an operation on it is WEBHDFS_LATER. */
struct webhdfs;

enum { WEBHDFS_NAMENODES_MAX = 16, WEBHDFS_HOSTS_MAX = 64 };

struct webhdfs_options {
	const char *address;         /* "webhdfs://nn1:9870,nn2:9870/base" or swebhdfs:// (TLS); default ports 9870 and 9871 */
	const char *user;            /* user.name: a claim, nothing is proved. NULL: none */
	const char *token_file;      /* a delegation token's URL string, read again when the server says it is invalid. NULL: none */
	bool negotiate;              /* Kerberos */
	const char *datanodes[WEBHDFS_HOSTS_MAX]; /* hosts that a redirect may lead to: "dn7.example.net", "*.example.net", "*" */
	size_t datanode_count;       /* besides these: the namenodes' own hosts, hosts in their domains, and those that are mapped */
	const char *permission;      /* octal, of new files; NULL: the server's 644 */
	int64_t replication, block_bytes; /* 0: the server's */
	int64_t retry_ms;
	struct http_options http;
};

/* The path in an address, decoded, is appended to `base` (which may be NULL). False: *why, static text; it is none. */
bool webhdfs_address_check(const char *address, struct buffer *base, const char **why);

/* NULL: *why, static text, for a usage error (an address that is none, ...). A token file that cannot be read ends the program, with 66. */
struct webhdfs *webhdfs_new(const struct webhdfs_options *, const char **why);
void webhdfs_free(struct webhdfs *);
struct span webhdfs_base(const struct webhdfs *);       /* the path in the address: "/data/metlog", without a slash at its end */

enum webhdfs_verdict {
	WEBHDFS_DONE,
	WEBHDFS_ABSENT,              /* no such file or directory */
	WEBHDFS_EXISTS,              /* rename: the destination is there */
	WEBHDFS_LATER,               /* not now: retry_ms are over */
	WEBHDFS_REFUSED,             /* for good: quota, a bad path, no such operation */
	WEBHDFS_DENIED,              /* not permitted: AccessControl, 401, a certificate, a redirect to a host that is not allowed */
	WEBHDFS_UNKNOWN,             /* rename only: the answer was lost, or said false; look at both names */
	WEBHDFS_STOPPED,             /* signals_stopping_now: not a stream's first SIGTERM */
	WEBHDFS_IO,                  /* our own file could not be read */
};

/* Why the last one was not DONE: the exception's name and message, the host. One line, no secret. */
const char *webhdfs_reason(const struct webhdfs *);

struct webhdfs_status { uint64_t length; bool is_directory; int64_t modified_ms; };

/* Paths are absolute in HDFS and not encoded. ABSENT needs a FileNotFoundException: a bare 404 is REFUSED, for nobody of HDFS has spoken. */
enum webhdfs_verdict webhdfs_status(struct webhdfs *, struct span path, struct webhdfs_status *);
enum webhdfs_verdict webhdfs_mkdirs(struct webhdfs *, struct span path);
enum webhdfs_verdict webhdfs_rename(struct webhdfs *, struct span from, struct span to, bool replace);
enum webhdfs_verdict webhdfs_delete(struct webhdfs *, struct span path); /* a file; ABSENT counts as DONE */

/* The file's first `bytes` bytes become the file at `path`, which is replaced. DONE: the final 201 has come; its length is for the caller to verify
 * (a datanode closes a file normally when a connection breaks: a cut one looks whole). */
enum webhdfs_verdict webhdfs_create(struct webhdfs *, struct span path, int fd, uint64_t bytes, void (*on_progress)(void *, uint64_t), void *context);

/* The checksum that HDFS has of a file against that of our own bytes (MD5 of MD5s of CRC32Cs, computed here for the block size and CRC span that the server
 * names). *equal is set when DONE. WEBHDFS_REFUSED: the server has none of a kind we know. */
enum webhdfs_verdict webhdfs_verify(struct webhdfs *, struct span path, int fd, uint64_t bytes, bool *equal);

#endif
