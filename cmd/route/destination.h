/* destination - where a route sends its envelopes, as its text says. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_DESTINATION_H
#define ROUTE_DESTINATION_H

#include "template.h"

/*  | COMMAND                       run by the shell, envelopes on its standard input
 *  file:PATH                       appended to; {type} and the like make it a template
 *  -                               standard output
 *  pub: push: udp: tcp: unix:      a child metlog-send --json --to ENDPOINT
 *  drop                            nothing
 *  spool:DIR                       has its place here, but this version refuses it */
enum destination_kind { DESTINATION_DROP, DESTINATION_STDOUT, DESTINATION_FILE, DESTINATION_TEMPLATE, DESTINATION_COMMAND, DESTINATION_ENDPOINT };

enum destination_full { FULL_BLOCK, FULL_DROP };

struct destination {
	enum destination_kind kind;
	char *text;                    /* as written, without the words that may follow */
	char *path;                    /* of a file, or the command, or the endpoint: what stands behind the prefix */
	char *access;                  /* of pub: and push:, words that are options of metlog-send: "insecure curve-server=FILE"; or "" */
	enum destination_full full;    /* what to do when the buffer is full */
	size_t buffer_bytes;
};

enum { DESTINATION_BUFFER = 1024 * 1024, DESTINATION_FAULT_MAX = 200, DESTINATION_ACCESS_MAX = 4096, DESTINATION_ACCESS_WORDS = 4 };

struct destination_fault {
	char reason[DESTINATION_FAULT_MAX];
	size_t column;                 /* 1-based, in the text given */
};

/* Reads "DEST [full=block|drop] [buffer=SIZE]", for pub: and push: also "[insecure] [curve-secret=FILE] [curve-clients=DIR] [curve-server=FILE]". False with `fault` filled; then nothing is left to release. */
bool destination_parse(struct destination *, struct span text, struct destination_fault *);
void destination_release(struct destination *);

#endif
