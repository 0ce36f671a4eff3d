/* outlet_private - what the files of outlet share: its state, and waits that end. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_OUTLET_PRIVATE_H
#define IO_OUTLET_PRIVATE_H

#include "base/buffer.h"
#include "io/outlet.h"

struct zeromq;
struct zeromq_socket;
struct outlet_ack;

enum outlet_form { OUTLET_FILE, OUTLET_STREAM, OUTLET_DATAGRAM, OUTLET_ZEROMQ, OUTLET_ACK };

/* Whole lines wait in `held`; of its first one `offset` bytes are written already. A line counts as delivered once its newline is
 * written. After a broken connection the line that was cut is sent again from its start. */
struct outlet {
	const struct endpoint *endpoint;
	struct outlet_options options;
	enum outlet_form form;
	int fd;
	struct buffer held;
	size_t offset;
	uint64_t delivered, held_lines, lost;
	uint64_t unacknowledged;          /* of the delivered ones: written since the far side's kernel last had them all */
	struct zeromq *zeromq;
	struct zeromq_socket *socket;
	struct outlet_ack *ack;           /* of ack: only */
	uint64_t disconnected, denied;    /* what the monitor had told when we last looked */
	unsigned until_look;              /* sends until the next look at the monitor and the subscriptions */
	unsigned since_look;              /* sends since the last look */
	bool heard;                       /* pub: there was a subscription at the last look */
	bool failed;                      /* the last send or flush had to be given up */
	bool refused_line;
	char reason[OUTLET_REASON_MAX];
};

/* Keeps the reason and returns the result. */
enum outlet_result outlet_explain(struct outlet *, enum outlet_result, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A wait that goes on until something happens or its time is over; a stop signal ends only one that has no end. */
struct patience {
	int64_t end_ms;
	bool for_ever;
};
struct patience patience(int timeout_ms);
int patience_left(const struct patience *); /* milliseconds; -1: no end */

/* outlet_zeromq.c */
void outlet_open_zeromq(struct outlet *);
enum outlet_result outlet_send_zeromq(struct outlet *, struct span line);
enum outlet_result outlet_flush_zeromq(struct outlet *);
enum outlet_result outlet_close_zeromq(struct outlet *);
void outlet_wait_socket(struct outlet *, int timeout_ms); /* for ZeroMQ's word, which zeromq_events and zeromq_receive must have used up before */

/* outlet_ack.c */
void outlet_open_ack(struct outlet *);
enum outlet_result outlet_send_ack(struct outlet *, struct span line);
enum outlet_result outlet_flush_ack(struct outlet *);
enum outlet_result outlet_close_ack(struct outlet *);

#endif
