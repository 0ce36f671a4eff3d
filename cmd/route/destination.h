/* destination - where a route sends its envelopes, as its text says. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_DESTINATION_H
#define ROUTE_DESTINATION_H

#include "sink/spool.h"
#include "template.h"

/*  | COMMAND                       run by the shell, envelopes on its standard input
 *  file:PATH                       appended to; {type} and the like make it a template
 *  -                               standard output
 *  spool:DIR                       written to a spool by the router itself
 *  ack: pub: push: udp: tcp: unix: a child metlog-send --json --to ENDPOINT
 *  drop                            nothing */
enum destination_kind { DESTINATION_DROP, DESTINATION_STDOUT, DESTINATION_FILE, DESTINATION_TEMPLATE, DESTINATION_SPOOL, DESTINATION_COMMAND, DESTINATION_ENDPOINT };

enum destination_full { FULL_BLOCK, FULL_DROP, FULL_SPOOL };

struct destination {
	enum destination_kind kind;
	char *text;                    /* as written, without the words that may follow */
	char *path;                    /* of a file, or the command, or the endpoint: what stands behind the prefix */
	char *access;                  /* of ack:, pub: and push:, words that are options of metlog-send: "insecure curve-server=FILE"; or "" */
	enum destination_full full;    /* what to do when the buffer is full */
	size_t buffer_bytes;
	char *spool;                   /* of full=spool: its folder; otherwise NULL */
	struct spool_options spool_options; /* of spool: and of full=spool */
};

enum { DESTINATION_BUFFER = 1024 * 1024, DESTINATION_FAULT_MAX = 400, DESTINATION_ACCESS_MAX = 4096, DESTINATION_ACCESS_WORDS = 5 };

struct destination_fault {
	char reason[DESTINATION_FAULT_MAX];
	size_t column;                 /* 1-based, in the text given */
};

/* Reads "DEST [WORD ...]"; which words a destination may have stands in words.c. False with `fault` filled; then nothing is left to release. */
bool destination_parse(struct destination *, struct span text, struct destination_fault *);
void destination_release(struct destination *);

/* Fills `fault` for the place `at` in `text`; false. */
bool destination_fault_at(struct destination_fault *, struct span text, const char *at, const char *format, ...) __attribute__((format(printf, 4, 5)));
char *destination_copy_folder(struct span path); /* without the slashes at its end, so that the same folder is the same text */

/* The folder of the spool that it writes, or has its metlog-send write (ack: spool=DIR); NULL: none. To be freed. */
char *destination_spool(const struct destination *);
bool destination_same_options(const struct spool_options *, const struct spool_options *);

#endif
