/* metlog-to-cef - turns envelopes into CEF events for ArcSight and its like, and delivers them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "filter/filter.h"
#include "io/diag.h"
#include "to-cef/event.h"
#include "to-cef/explain.h"
#include "to-cef/options.h"
#include "to-cef/sender.h"
#include "to-cef/unfold.h"

static const struct tool_about about = {
	.name = "metlog-to-cef",
	.usage = "[FILE...]",
	.summary = "Turn envelopes into CEF events for ArcSight and its like, and deliver them",
	.examples =
		"  metlog-to-cef messages.ndjson\n"
		"  metlog-to-cef --map security.map --explain messages.ndjson\n"
		"  metlog-spool drain /var/spool/metlog/security -- \\\n"
		"      metlog-to-cef --to syslog+tls:siem.example.net --rejects refused.ndjson\n"
		"  metlog-to-cef --parse old.cef | metlog-tail\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE | USES_DRY_RUN | USES_OUTPUT,
	.options = cef_option_rows,
	.parse = cef_option_parse,
};

struct run {
	struct filter filter;
	struct cef_options options;
	struct events *events;
	struct sender sender;
	bool batch;               /* a segment that metlog-spool gives again until we end with 0 */
};

static void count(void *context)
{
	struct run *r = context;
	struct stats *stats = &r->filter.stats;
	struct event_tally t = events_tally(r->events);
	*stats_extra(stats, "repaired") = t.repaired;
	*stats_extra(stats, "cut") = t.cut;
	*stats_extra(stats, "truncated") = t.truncated;
	*stats_extra(stats, "omitted") = t.omitted;
	*stats_extra(stats, "replaced") = t.replaced;
	*stats_extra(stats, "trimmed") = t.trimmed;
	sender_count(&r->sender);
}

static void take(struct run *r, const struct envelope *e)
{
	struct event event;
	struct event_tally before = { 0 };
	if (r->options.explain) before = events_tally(r->events);
	enum event_verdict verdict = events_make(r->events, e, &event);
	if (r->options.explain) {
		struct event_tally after = events_tally(r->events);
		explain_event(&r->filter, verdict, &event, &before, &after);
	}
	if (verdict == EVENT_MADE) sender_send(&r->sender, e, &event);
	else if (verdict == EVENT_DROPPED) filter_drop(&r->filter);
	else filter_reject(&r->filter, e, event.why);
}

/* All that is read anew, or nothing. */
static void hang_up(struct run *r)
{
	const char *why = r->options.map ? events_read(r->events) : NULL;
	rejects_reopen(&r->filter.rejects);
	if (!why) why = sender_reopen(&r->sender);
	if (why) {
		diag_warn("SIGHUP: %s: everything stays as it was", why);
		return;
	}
	if (r->options.map) events_take(r->events);
	const char *map = r->options.map ? r->options.map : "", *to = r->options.target == CEF_TARGET_OUTPUT ? "" : r->options.to;
	if (*map || *to) diag_warn("SIGHUP: %s%s%s%s%s", map, *map ? " was read again" : "", *map && *to ? ", " : "", to, *to ? " was opened anew" : "");
}

/* True until there is nothing more to read, or nobody to send to. */
static bool turn(struct run *r)
{
	struct envelope envelope;
	switch (filter_turn(&r->filter, &envelope)) {
	case TURN_ENVELOPE:
		take(r, &envelope);
		break;
	case TURN_WAIT:
		sender_flush(&r->sender);
		if (!r->sender.over) sender_wait(&r->sender);
		break;
	case TURN_END:
		return false;
	}
	if (signals_take(SIGNALS_HANGUP)) hang_up(r);
	return !r->sender.over;
}

static enum translated unfold(void *context, struct span line, struct buffer *out, struct envelope_fault *fault)
{
	return unfold_line(context, line, out, &fault->reason, &fault->column) ? TRANSLATED_GOOD : TRANSLATED_BAD;
}

static int run_parse(struct run *r)
{
	struct envelope envelope;
	struct unfold *back = unfold_new(&(struct unfold_options){ .now_ns = timestamp_now(), .severity = r->options.mapping.severity });
	r->filter.translate = unfold;
	r->filter.translate_context = back;
	while (filter_next(&r->filter, &envelope)) filter_pass(&r->filter, &envelope);
	unfold_free(back);
	return filter_close(&r->filter);
}

static int print_map(struct run *r)
{
	writer_bytes(&r->filter.out, map_builtin());
	return filter_close(&r->filter);
}

/* The segment's rest was not read: it is not done. */
static bool is_cut_short(const struct run *r)
{
	return r->batch && !r->filter.rejects.fatal && (signals_stopping() || r->sender.over || r->filter.reader.fd >= 0);
}

int main(int argc, char **argv)
{
	static struct run r;
	cef_options_init(&r.options);
	filter_open(&r.filter, &about, argc, argv, &r.options);
	cef_options_complete(&r.options, &r.filter.options);
	if (r.options.print_map) return print_map(&r);
	if (r.options.parse) return run_parse(&r);
	const char *segment = r.filter.options.operand_count ? NULL : getenv("METLOG_SEGMENT");
	r.batch = segment && *segment;
	r.events = events_new(&(struct event_options){ r.options.map, &r.options.mapping, &r.options.rules });
	sender_open(&r.sender, &r.filter, &r.options);
	r.filter.before_stats = count;
	r.filter.before_stats_context = &r;
	/* A segment is given again: it stops at the first request. What a stream has brought is still delivered, until the second; where no
	   far side is asked, nobody looks for that one, and it ends the process. */
	bool delivers = r.options.target == CEF_TARGET_SYSLOG && !r.sender.dry;
	signals_open(SIGNALS_HANGUP | (delivers && !r.batch ? SIGNALS_STOP_AGAIN : 0));
	while (turn(&r)) {}
	sender_close(&r.sender);
	count(&r);
	r.filter.before_stats = NULL;
	if (is_cut_short(&r)) filter_fail(&r.filter, EXIT_LATER);
	events_free(r.events);
	return filter_close(&r.filter);
}
