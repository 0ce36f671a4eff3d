/* client_private - the inside of a client, for the files that open, use and close it. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_CLIENT_PRIVATE_H
#define CLIENT_CLIENT_PRIVATE_H

#include <stddef.h>

#include "client/client.h"
#include "client/lane.h"
#include "client/sender.h"

/* The word in lanes.wiped: 0 in the child of a fork that has not been made its own yet; CLIENT_CLOSED; else a number that no other client has, by which threads
 * know the lanes that they remember. */
enum { CLIENT_IN_CHILD = 0, CLIENT_CLOSED = 1 };

struct metlog {
	struct rules rules;            /* first: client_rules */
	_Atomic uint64_t *serial;      /* lanes.wiped[0] */
	size_t line_bytes;
	bool blocks;                   /* METLOG_BLOCK */
	int severity, close_ms;
	uint64_t number;               /* what *serial is for this process */
	_Atomic int process;           /* where the kernel does not wipe: whose number that is */
	int64_t pid;                   /* of the options */
	struct message_parts parts;
	char *logger, *hostname;       /* what they are made of, as given */
	char *parts_text;              /* where they stand */
	struct lanes lanes;
	struct lane_counts interrupted; /* calls that have interrupted others of their thread */
	_Atomic unsigned blocked;      /* threads in calls that wait, or may come to wait, for room */
	char *curve_secret, *curve_server;
	bool has_rules;
	struct sender sender;
};
_Static_assert(offsetof(struct metlog, rules) == 0, "client_rules takes a client for its rules");

/* In the child of a fork, before anything else is done with the client: makes it the child's own. One thread does, others wait for it. */
void client_adopt(struct metlog *);

/* Is this a child that has not adopted it yet? */
bool client_is_inherited(struct metlog *);

/* Makes the parts, of the options' pid or else the process's; in a child anew, in the same memory. */
void client_make_parts(struct metlog *);

/* Releases everything but the sender. */
void client_release(struct metlog *);

/* A call that is not a message, and may take a lock: until client_leave messages from signal handlers of this thread are dropped. False: it has itself interrupted one. */
bool client_enter(void);
void client_leave(void);

#endif
