/* outlet_private - what the files of outlet share: its state, and waits that end. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_OUTLET_PRIVATE_H
#define IO_OUTLET_PRIVATE_H

#include <sys/types.h>
#include "base/buffer.h"
#include "io/outlet.h"

struct zeromq;
struct zeromq_socket;
struct outlet_ack;
struct outlet_queue;

enum outlet_form { OUTLET_FILE, OUTLET_STREAM, OUTLET_DATAGRAM, OUTLET_ZEROMQ, OUTLET_ACK };

/* Whole lines wait in `held`; of its first one `offset` bytes are written already. A line counts as delivered once its newline is
 * written. After a broken connection the line that was cut is sent again from its start. */
struct outlet {
	const struct endpoint *endpoint;
	struct outlet_options options;
	enum outlet_form form;
	int fd;
	dev_t device;                     /* of the descriptor, by which it is known again */
	ino_t inode;
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
	uint64_t at_risk;                 /* push: pub: sent since a loss of all that was queued was booked */
	struct outlet_queue *queue;       /* push: once a message of several lines was sent: how many are in each of the last ones */
	bool asks_first;                  /* file: it may be full, and must not block us */
	bool heard;                       /* pub: there was a subscription at the last look */
	bool failed;                      /* the last send or flush had to be given up */
	bool refused_line;
	char reason[OUTLET_REASON_MAX];
};

/* Keeps the reason and returns the result. */
enum outlet_result outlet_explain(struct outlet *, enum outlet_result, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* To who listens (options.say), if anybody. */
void outlet_say(struct outlet *, bool is_warning, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A wait that goes on until something happens, its time is over, or the waits are. */
struct patience {
	int64_t end_ms;
	bool for_ever;
	const struct waits *waits;
};
struct patience patience(const struct outlet *);
int patience_left(const struct patience *); /* milliseconds; -1: no end */

void outlet_know_descriptor(struct outlet *); /* whenever `fd` has become another one */
void outlet_wait_writable(const struct outlet *, int timeout_ms);
void outlet_pause(const struct outlet *, int timeout_ms);

/* Closes the descriptor if there is one. Whoever forks meanwhile never finds the number of a closed one. */
void outlet_close_fd(struct outlet *);

/* Forgets the first `length` bytes of held, which are written, and counts the lines that end in them. */
void outlet_book_written(struct outlet *, size_t length);

/* outlet_file.c */
bool outlet_open_file(struct outlet *, struct fault *);
enum outlet_result outlet_flush_file(struct outlet *);
void outlet_mend_file(struct outlet *); /* before the close, if a line was cut */

/* outlet_socket.c */
enum outlet_result outlet_learn_form(struct outlet *); /* which type a unix socket has decides how lines go */
enum outlet_result outlet_flush_stream(struct outlet *);
enum outlet_result outlet_close_stream(struct outlet *);
enum outlet_result outlet_send_datagram(struct outlet *, struct span line); /* not sent if afterwards there is a stream: the receiver came back as one */
enum outlet_result outlet_flush_datagram(struct outlet *);

/* outlet_zeromq.c */
bool outlet_open_zeromq(struct outlet *, struct fault *);
enum outlet_result outlet_send_zeromq(struct outlet *, struct span line);
enum outlet_result outlet_send_block_zeromq(struct outlet *, struct span block, uint64_t lines); /* push: as one message */
enum outlet_result outlet_flush_zeromq(struct outlet *);
enum outlet_result outlet_close_zeromq(struct outlet *);
void outlet_wait_socket(struct outlet *, int timeout_ms); /* for ZeroMQ's word, which zeromq_events and zeromq_receive must have used up before */

/* outlet_ack.c */
bool outlet_open_ack(struct outlet *, struct fault *);
enum outlet_result outlet_send_ack(struct outlet *, struct span line);
enum outlet_result outlet_send_block_ack(struct outlet *, struct span block, uint64_t lines);
uint64_t outlet_delivered_ack(const struct outlet *);
enum outlet_result outlet_flush_ack(struct outlet *);
enum outlet_result outlet_close_ack(struct outlet *);

#endif
