/* message - the envelopes that metlog-send makes out of its options. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SEND_MESSAGE_H
#define SEND_MESSAGE_H

#include "command.h"
#include "envelope/compose.h"
#include "envelope/envelope.h"
#include "options.h"

struct message {
	const struct send_options *options;
	struct compose compose;         /* what all of them share */
	char stamp[64], host[256];
	struct buffer text_fields;      /* of a message: the same for every one */
	struct buffer metric_fields;
	struct buffer line;             /* the envelope made last, without a newline */
};

/* No envelope gets longer than line_limit bytes. */
void message_init(struct message *, const struct send_options *, size_t line_limit_bytes);
void message_release(struct message *);

/* Each makes an envelope in `line`. False: it would be longer than the limit; or, with errno ENOMEM, there is no memory for it. */
bool message_text(struct message *, struct span payload);
bool message_metric(struct message *, const struct send_metric *);
bool message_timing(struct message *, const struct send_metric *, const struct command_result *);
bool message_failure(struct message *, const struct send_metric *, const struct command_result *);

/* Copies an envelope to `line` with the members put in that it lacks of: timestamp, logger, env_version, metlog_pid, metlog_hostname;
 * the rest byte for byte. The span is the envelope's own line if it lacks none. Empty: as above. */
struct span message_fill(struct message *, const struct envelope *);

#endif
