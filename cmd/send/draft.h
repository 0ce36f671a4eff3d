/* draft - the envelopes that metlog-send makes out of its options, by the rules of the clients. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SEND_DRAFT_H
#define SEND_DRAFT_H

#include "base/buffer.h"
#include "client/message.h"
#include "command.h"
#include "envelope/envelope.h"
#include "options.h"

struct draft {
	const struct send_options *options;
	struct message message;         /* what all of them share, and of the last one the rest */
	struct message_clock clock;
	struct metlog_field *fields;    /* room for a message's own, then those given */
	char stamp[64], host[256];
	struct buffer line;             /* the envelope made last, without a newline */
	struct buffer lacked;           /* members that are put into an envelope */
};

/* No envelope gets longer than line_limit bytes. */
void draft_init(struct draft *, const struct send_options *, size_t line_limit_bytes);
void draft_release(struct draft *);

enum draft_result {
	DRAFT_MADE,     /* the envelope stands in `line` */
	DRAFT_LEFT_OUT, /* a filter of the configuration does not let it pass, or its timer is disabled */
	DRAFT_TOO_LONG  /* it would be longer than the limit; or, with errno ENOMEM, there is no memory for it */
};

enum draft_result draft_text(struct draft *, struct span payload);
enum draft_result draft_metric(struct draft *, const struct send_metric *);
enum draft_result draft_timing(struct draft *, const struct send_metric *, const struct command_result *);
enum draft_result draft_failure(struct draft *, const struct send_metric *, const struct command_result *);

/* Do the filters let an envelope pass that was made elsewhere? */
bool draft_passes(struct draft *, const struct envelope *);

/* Copies an envelope to `line` with the members put in that it lacks of: timestamp, logger, env_version, metlog_pid, metlog_hostname;
 * the rest byte for byte. The span is the envelope's own line if it lacks none. Empty: DRAFT_TOO_LONG. */
struct span draft_fill(struct draft *, const struct envelope *);

#endif
