/* sender - carries finished lines to standard output, a file or a syslog server, under the header that their envelopes ask for, and keeps the books. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_SENDER_H
#define TO_CEF_SENDER_H

#include "event.h"
#include "filter/filter.h"
#include "io/outlet.h"
#include "meta.h"
#include "options.h"

/* Standard output: an envelope is passed when its line is in the filter's writer, as in any filter. A file, syslog: it is kept until it is written, or proved (sink/syslog.h). What is
 * kept at the end was not delivered; the exit status is 74, 75 or 77 then. With --dry-run and --explain everything goes to standard output, and nobody is contacted. */
struct sender {
	struct filter *filter;
	const struct cef_options *options;
	struct syslog *syslog;        /* one of these two, or none: standard output */
	struct outlet *outlet;
	struct meta_reader meta;
	struct buffer message;        /* header and line */
	struct buffer decoded[2];     /* members of the envelope that have escapes; a message with its count */
	struct syslog_cache cache;
	uint64_t given, bytes;        /* messages handed on, and their bytes without framing */
	bool is_shown;                /* on a terminal, which nothing in an event may drive; but --dry-run prints the bytes as they are */
	bool dry, over;               /* over: nothing can be handed on any more */
	int status;                   /* why it is over */
};

void sender_open(struct sender *, struct filter *, const struct cef_options *);
void sender_send(struct sender *, const struct envelope *, const struct event *); /* and books it */
void sender_flush(struct sender *);                   /* before one waits */
void sender_wait(struct sender *);                    /* filter_wait, and what the far side wants meanwhile */
const char *sender_reopen(struct sender *);           /* SIGHUP: a file by its name, a name resolved anew. NULL, or why not */
void sender_count(struct sender *);                   /* brings the filter's books up to date */
void sender_close(struct sender *);                   /* waits until everything is delivered; says what is not */

#endif
