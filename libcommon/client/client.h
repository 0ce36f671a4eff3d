/* client - what the parts of libmetlog share: a client, its threads' buffers, and the way of a message into one of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/sample.h"
#include "client/message.h"
#include "client/ring.h"
#include "client/rules.h"

/* A buffer: the ring of one thread, with what that thread alone counts. Claimed by the first call of a thread and free again once the thread is gone. */
struct lane;
struct metlog;

/* The way of every message:
 *
 *   metlog_count ...    rules: left out?           rules.h      no more than a few loads where there are none
 *                       client_lane                client.c     this thread's; a new one, or a child's after fork: claimed here
 *                       message_write              message.c    into the ring itself
 *                       ring_commit                ring.c       and a wake only if the sender sleeps
 *   sender thread       ring_peek, outlet_send_lines            sender.c
 */

/* A client begins with its rules, so that no call is needed to ask them. */
static inline const struct rules *client_rules(const struct metlog *client)
{
	return (const struct rules *)(const void *)client;
}

/* Makes the envelope in the ring of the calling thread and counts what became of it. The rules were asked before. */
enum metlog_result client_send(struct metlog *, const struct message *);

/* Counts a call that the rules leave out. At most a few nanoseconds. */
enum metlog_result client_leave_out(struct metlog *);

/* Asks the rules, and sends a message that is a metric, of the default severity. Not NULL; sampling and disabled timers are the caller's affair. */
struct client_metric {
	const char *name;                 /* NULL: "" */
	double rate;                      /* negative: it has none */
	struct span payload;
	bool is_number;                   /* the payload */
};
enum metlog_result client_send_metric(struct metlog *, struct span type, const struct client_metric *, struct metlog_fields);

/* To be called once when a client is opened: backtrace(3) loads a library by its first call, and so allocates then. */
void backtrace_prepare(void);

/* The sampling, by each thread for itself. Inline and without a call, as what is left out is to cost next to nothing; whoever is told that there is no seed yet calls
 * client_seed, and asks again. */
struct client_chance {
	struct sample sample;
	bool is_seeded;
};
extern _Thread_local struct client_chance client_chance __attribute__((tls_model("initial-exec")));
void client_seed(void);

enum client_choice { CLIENT_TAKES, CLIENT_LEAVES_OUT, CLIENT_UNSEEDED };
static inline enum client_choice client_choose(double rate)
{
	if (rate >= 1) return CLIENT_TAKES;
	if (!(rate > 0)) return CLIENT_LEAVES_OUT;
	if (!client_chance.is_seeded) return CLIENT_UNSEEDED;
	return sample_take(&client_chance.sample, rate) ? CLIENT_TAKES : CLIENT_LEAVES_OUT;
}

/* Count a call that can be no envelope, or one for which there is no room. */
enum metlog_result client_refuse(struct metlog *);
enum metlog_result client_drop(struct metlog *);

/* Memory of the calling thread for a text that is longer than a stack should bear; as long as the longest line. NULL: in a signal handler that has interrupted a
 * call, or closed: then client_drop. Else one of the two functions behind it follows, in the same call, which give it back. */
char *client_scratch(struct metlog *, size_t *size);
enum metlog_result client_send_scratch(struct metlog *, const struct message *);
enum metlog_result client_refuse_scratch(struct metlog *);

int client_default_severity(const struct metlog *);
size_t client_line_max(const struct metlog *); /* of an envelope with its newline */

/* Of this process: in a child that has not used the client yet, it is made the child's own. NULL: a signal handler has interrupted just that. */
const struct message_parts *client_parts(struct metlog *);

#endif
