/* filter - the loop every tool shares: options, input, good envelopes one by one, books, exit status. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include "envelope/envelope.h"
#include "envelope/match.h"
#include "filter/progress.h"
#include "filter/rejects.h"
#include "filter/stats.h"
#include "filter/tool.h"
#include "io/reader.h"
#include "io/writer.h"
#include "io/signals.h"

/* What filter.translate has made of a line. */
enum translated {
	TRANSLATED_BAD,      /* a reject; *fault says why */
	TRANSLATED_GOOD,     /* an envelope */
	TRANSLATED_DROPPED,  /* not wanted by a rule the user wrote */
	TRANSLATED_AS_IT_IS, /* not to be translated: goes to standard output as it came, and is booked as passed */
};

/*     struct filter filter;
 *     filter_open(&filter, &about, argc, argv, &options);
 *     while (filter_next(&filter, &envelope))
 *             filter_pass(&filter, &envelope);            or filter_drop
 *     return filter_close(&filter);
 *
 * filter_next books what it does not hand out: rejects, and what -m, --since and --until do not take (dropped). Every envelope it
 * does hand out is booked by the tool: filter_pass, filter_drop, filter_reject, or filter_booked_pass for one delivered elsewhere. */
struct filter {
	struct tool_options options;
	struct reader reader;
	struct scan scan;
	struct match *match;       /* compiled from -m; NULL if not given */
	bool match_by_tool;        /* set before the loop: filter_next does not apply `match`, the tool does */
	struct rejects rejects;
	bool reopens;              /* SIGHUP opens the file of --rejects anew, here: filter_next is used, and nobody else takes the signal; a tool with turns may set it */
	struct stats stats;
	struct progress progress;
	struct writer out;         /* standard output */
	void (*on_reject)(void *context, const struct reject *); /* told of each reject, before it is reported or kept; may be NULL */
	void *on_reject_context;
	void (*keep)(void *context, struct span line); /* set by a tool that stores: filter_pass hands the line to it, not to standard output, and books it as kept; may be NULL */
	void *keep_context;
	void (*before_stats)(void *context); /* brings `stats` up to date before it is written; may be NULL */
	void *before_stats_context;
	/* For input that is not envelopes yet. Set before the loop: says what the line is, and appends the envelope that it becomes, without a newline. Behind the line stand a newline and SCAN_PADDING bytes that
	 * may be read. NULL: lines are envelopes. */
	enum translated (*translate)(void *context, struct span line, struct buffer *out, struct envelope_fault *fault);
	bool translate_is_trusted; /* what it appends is a good envelope: read again only where -m, --since or --until ask; of the view that is handed out only `line` is set, elsewhere too */
	bool (*translate_view)(const void *context, struct envelope *); /* the view of the envelope that was appended last, if the tool has it: it is not read again then; may be NULL */
	void *translate_context;
	enum translated became;    /* of the line translated last */
	struct buffer translated, scanned;
	struct envelope_fault fault;
	uint64_t line;             /* number of the envelope handed out last, in reader.name */
	int next_operand;
	int status;                /* what filter_close will return if nothing worse happens */
};

void filter_open(struct filter *, const struct tool_about *, int argc, char **argv, void *context);

/* The simple loop: blocks for input, having flushed standard output first. False at the end of all input or after SIGTERM. */
bool filter_next(struct filter *, struct envelope *);

/* The same in steps, for tools that have more to wait for than input:
 *     for (;;) switch (filter_turn(&filter, &envelope)) {
 *     case TURN_ENVELOPE: ...; break;
 *     case TURN_WAIT: flush everything; filter_wait(&filter, fds, count, timeout_ms); timers, hangup, children; break;
 *     case TURN_END: ...
 *     }
 * TURN_WAIT comes only when reading would block. filter_wait returns when input, one of fds, or a signal is there. */
enum filter_turn { TURN_ENVELOPE, TURN_WAIT, TURN_END };
enum filter_turn filter_turn(struct filter *, struct envelope *);
void filter_wait(struct filter *, struct pollfd *fds, size_t count, int timeout_ms);

/* For a tool that has sources of its own: it puts a reader into filter->reader, fills it, and takes what is in it.
 * filter_fill is reader_fill with overlong lines and errors booked and reported; filter_take hands out the next good and wanted
 * envelope of the lines in memory, false if there is none left; filter_wants says whether -m, --since and --until take an envelope;
 * filter_would_take whether filter_take would hand out that line, behind which stand a newline and READER_PADDING bytes: it books nothing. */
enum reader_fill filter_fill(struct filter *);
bool filter_take(struct filter *, struct envelope *);
bool filter_wants(struct filter *, const struct envelope *);
bool filter_would_take(struct filter *, struct span line);

/* After SIGTERM, when no whole line is left in memory: the rest of a line that has begun in a pipe is read still, and not a byte more, so that
 * whoever reads the pipe next begins with a whole line. A rest that is not there yet is not waited for: what came of the line becomes a last
 * line. False: there is nothing of the kind; true: take what there is, and call again. */
bool filter_read_rest(struct filter *);

void filter_pass(struct filter *, const struct envelope *);   /* writes the line to standard output; passed (or `keep`; kept) */
void filter_booked_pass(struct filter *);                     /* delivered by the tool itself; passed */
void filter_drop(struct filter *);                            /* not wanted by a rule the user wrote; dropped */
/* The tool cannot take this good envelope (a counter without a name, ...): becomes a reject with this reason. */
void filter_reject(struct filter *, const struct envelope *, const char *reason);

bool filter_chooses(const struct filter *);                   /* whether -m, --since or --until is given */

/* Standard output as far as it was written; a reader that has gone ends the program quietly, any other error is 74. */
void filter_flush(struct filter *);

void filter_show_stats(struct filter *);                      /* the books on standard error: SIGUSR1, for a tool that does not wait by filter_wait */
void filter_fail(struct filter *, int status);                /* remember a failure for the exit status; the worst stays */

/* Flushes, writes --stats, says what went wrong, releases; returns the exit status. A full disk behind standard output is 74. */
int filter_close(struct filter *);

#endif
