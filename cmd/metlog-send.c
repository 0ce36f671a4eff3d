/* metlog-send - makes envelopes from messages, lines of text, metrics or a timed command, and hands them over. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "filter/filter.h"
#include "io/diag.h"
#include "io/outlet.h"
#include "send/command.h"
#include "send/draft.h"
#include "send/forward.h"
#include "send/options.h"

struct sender {
	struct filter filter;
	struct send_options options;
	struct draft draft;
	struct outlet *outlet;    /* NULL: standard output */
	struct forward *forward;  /* to the outlet by way of a spool; NULL: straight */
	uint64_t unsent;          /* made or read, and not handed over */
	char reason[OUTLET_REASON_MAX];
	bool failed;              /* the far side did not take one: no more is sent */
	struct reject origin;     /* what the envelope in hand was made of, should it be rejected */
};

/* --- handing over ------------------------------------------------------------------ */

static void open_outlet(struct sender *s)
{
	const struct endpoint *to = &s->options.endpoint;
	s->filter.reopens = true;
	if (!s->options.to || to->kind == ENDPOINT_STDIO || s->filter.options.dry_run) return;
	signals_ignore_pipe();
	if (to->kind == ENDPOINT_FILE) {
		signals_open(SIGNALS_HANGUP);
		s->filter.reopens = false; /* together with the endpoint: hand_over */
	}
	if (s->options.spool) s->forward = forward_open(to, &s->options.outlet, s->options.spool, &s->options.spool_options);
	struct fault fault;
	s->outlet = s->forward ? forward_outlet(s->forward) : outlet_open(to, &s->options.outlet, &fault);
	if (!s->outlet) die_fault(&fault);
	/* Standard output is not ours to use then, and that its reader goes is none of our business. */
	s->filter.out.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (s->filter.out.fd < 0) die_errno(EXIT_SYSTEM, "cannot open /dev/null");
}

static void fail_with(struct sender *s, int status, const char *reason)
{
	filter_fail(&s->filter, status);
	if (!s->failed) snprintf(s->reason, sizeof s->reason, "%s", reason);
	s->failed = true;
}

static void fail(struct sender *s, enum outlet_result result, const char *reason)
{
	int refused = s->options.endpoint.kind == ENDPOINT_FILE ? EXIT_IO : EXIT_REFUSED;
	fail_with(s, result == OUTLET_REFUSED ? refused : EXIT_LATER, reason);
}

/* What the forwarder could not do. */
static void check_forward(struct sender *s, int status)
{
	if (status) fail_with(s, status, forward_reason(s->forward));
}

static void flush(struct sender *s)
{
	if (!s->outlet) {
		filter_flush(&s->filter);
		return;
	}
	if (s->forward) {
		check_forward(s, forward_write(s->forward));
		return;
	}
	enum outlet_result result = outlet_flush(s->outlet);
	if (result != OUTLET_DELIVERED) fail(s, result, outlet_reason(s->outlet));
}

static void reject(struct sender *s, const char *reason)
{
	s->origin.reason = reason;
	s->filter.stats.rejected++;
	rejects_add(&s->filter.rejects, &s->origin);
}

/* What the far side did not find good was booked as passed when it was taken, if not by an earlier run. */
static void take_rejected(struct sender *s)
{
	struct reject what = { .source = s->options.to };
	while (outlet_take_rejected(s->outlet, &what.raw, &what.reason)) {
		if (s->filter.stats.passed) s->filter.stats.passed--;
		else s->filter.stats.read++;
		s->filter.stats.rejected++;
		rejects_add(&s->filter.rejects, &what);
	}
}

static void spool_line(struct sender *s, struct span line)
{
	int status = forward_take(s->forward, line);
	check_forward(s, status);
	if (status) {
		s->unsent++;
		return;
	}
	filter_booked_pass(&s->filter);
	take_rejected(s);
	if (s->filter.options.unbuffered) flush(s);
}

/* Hands one envelope over and books it. */
static void hand_over(struct sender *s, struct span line)
{
	struct filter *f = &s->filter;
	if (!s->outlet) {
		filter_pass(f, &(struct envelope){ .line = line });
		return;
	}
	if (s->forward) {
		spool_line(s, line);
		return;
	}
	if (signals_take(SIGNALS_HANGUP)) {
		rejects_reopen(&f->rejects);
		if (!outlet_reopen(s->outlet)) diag_error("%s", outlet_reason(s->outlet));
	}
	enum outlet_result result = outlet_send(s->outlet, line);
	take_rejected(s);
	if (result == OUTLET_DELIVERED) {
		filter_booked_pass(f);
		if (f->options.unbuffered) flush(s);
		return;
	}
	if (result == OUTLET_REFUSED && outlet_refused_line(s->outlet)) {
		reject(s, "too long for a datagram");
		return;
	}
	s->unsent++;
	fail(s, result, outlet_reason(s->outlet));
}

/* Waits for input, and meanwhile for what the far side says. */
static void wait_input(struct sender *s)
{
	struct pollfd fds[OUTLET_FDS_MAX];
	int timeout_ms = -1;
	flush(s);
	if (s->failed) return;
	size_t count = s->forward ? forward_polled(s->forward, fds, &timeout_ms) : s->outlet ? outlet_polled(s->outlet, fds, &timeout_ms) : 0;
	filter_wait(&s->filter, fds, count, timeout_ms);
	if (!s->outlet) return;
	enum outlet_result result = s->forward ? OUTLET_DELIVERED : outlet_attend(s->outlet);
	if (result != OUTLET_DELIVERED) fail(s, result, outlet_reason(s->outlet));
	if (s->forward) check_forward(s, forward_attend(s->forward));
	take_rejected(s);
}

static bool input_is_left(struct filter *f)
{
	struct pollfd input = { .fd = f->reader.fd, .events = POLLIN };
	return reader_has_line(&f->reader) || (input.fd >= 0 && poll(&input, 1, 0) > 0 && reader_fill(&f->reader) == READER_LINES);
}

/* What is in the spool is not lost: the next run sends it. What the spool did not take is told as with any other endpoint. */
static void close_forward(struct sender *s)
{
	struct stats *books = &s->filter.stats;
	struct forward_left left;
	const char *dir = s->options.spool;
	if (!s->failed) check_forward(s, forward_settle(s->forward));
	take_rejected(s);
	forward_close(s->forward, &left);
	books->passed -= left.kept_taken + left.lost < books->passed ? left.kept_taken + left.lost : books->passed;
	books->kept += left.kept_taken;
	s->unsent += left.lost;
	*stats_extra(books, "forwarded") = left.sent;
	if (s->unsent) {
		*stats_extra(books, "unsent") = s->unsent;
		diag_error("%s: %llu envelopes were not taken: %s%s", dir, (unsigned long long)s->unsent, s->reason,
			input_is_left(&s->filter) ? "; the rest of the input is not sent" : "");
	}
	if (!left.kept) return;
	filter_fail(&s->filter, EXIT_LATER);
	diag_error("%s: %s; %s%llu envelope%s kept in %s and go%s with the next run", s->options.to, s->reason, left.more ? "more than " : "",
		(unsigned long long)left.kept, left.kept == 1 ? " is" : "s are", dir, left.kept == 1 ? "es" : "");
}

static void close_outlet(struct sender *s)
{
	uint64_t lost = 0;
	char reason[OUTLET_REASON_MAX] = "";
	struct stats *books = &s->filter.stats;
	if (!s->outlet) return;
	if (s->forward) {
		close_forward(s);
		return;
	}
	enum outlet_result settled = s->failed ? OUTLET_DELIVERED : outlet_settle(s->outlet);
	if (settled != OUTLET_DELIVERED) fail(s, settled, outlet_reason(s->outlet));
	take_rejected(s);
	enum outlet_result result = outlet_close(s->outlet, &lost, reason);
	if (result != OUTLET_DELIVERED || lost) fail(s, result == OUTLET_REFUSED ? result : OUTLET_TRY_AGAIN, reason);
	if (lost > books->passed) lost = books->passed;
	books->passed -= lost;
	s->unsent += lost;
	if (!s->failed) return;
	*stats_extra(books, "unsent") = s->unsent;
	diag_error("%s: %llu of %llu envelopes were handed over: %s%s", s->options.to, (unsigned long long)books->passed,
		(unsigned long long)(books->passed + s->unsent), s->reason, input_is_left(&s->filter) ? "; the rest of the input is not sent" : "");
}

/* --- envelopes made here ------------------------------------------------------------- */

/* Books an envelope that could not be made. */
static void reject_unmade(struct sender *s)
{
	if (errno == ENOMEM) die(EXIT_INTERNAL, "no memory for an envelope of %zu bytes", s->origin.raw.length);
	reject(s, "longer than --max-line as an envelope");
}

/* Sends what was just made of `origin`, or books why nothing was. */
static void send_made(struct sender *s, enum draft_result result)
{
	s->filter.stats.read++;
	s->filter.stats.bytes += s->origin.raw.length;
	if (result == DRAFT_MADE) hand_over(s, buffer_span(&s->draft.line));
	else if (result == DRAFT_LEFT_OUT) filter_drop(&s->filter);
	else reject_unmade(s);
}

/* False: sampling leaves this one out. */
static bool is_sampled(struct sender *s)
{
	if (sample_take(&s->options.sample, s->options.rate)) return true;
	s->filter.stats.read++;
	filter_drop(&s->filter);
	return false;
}

/* One text as the payload of a message. */
static void send_text(struct sender *s, struct span text, const char *source, uint64_t number)
{
	s->origin = (struct reject){ .raw = text, .source = source, .line = number };
	if (!text_is_utf8(text)) {
		s->filter.stats.read++;
		reject(s, "not valid UTF-8");
	} else if (is_sampled(s)) {
		send_made(s, draft_text(&s->draft, text));
	}
}

static void send_words(struct sender *s)
{
	struct buffer text;
	buffer_init(&text, SIZE_MAX / 2);
	for (int i = 0; i < s->options.payload_count; i++) {
		if (i) buffer_append_byte(&text, ' ');
		buffer_append_text(&text, s->options.payload[i]);
	}
	if (text.failed) die(EXIT_INTERNAL, "no memory for the payload");
	send_text(s, buffer_span(&text), "payload", 1);
	buffer_release(&text);
}

/* Nothing more is to be sent: the far side has failed, or --strict has had its reject. */
static bool is_over(const struct sender *s)
{
	return s->failed || s->filter.rejects.fatal;
}

static void send_metrics(struct sender *s, const struct command_result *result)
{
	for (size_t i = 0; i < s->options.metric_count && !is_over(s); i++) {
		const struct send_metric *metric = &s->options.metrics[i];
		s->origin = (struct reject){ .raw = metric->name, .source = metric->type, .line = i + 1 };
		if (is_sampled(s)) send_made(s, metric->timed ? draft_timing(&s->draft, metric, result) : draft_metric(&s->draft, metric));
		if (metric->timed && s->options.failure_type && result->status != 0 && !is_over(s))
			send_made(s, draft_failure(&s->draft, metric, result));
	}
}

/* --- standard input -------------------------------------------------------------------- */

/* The lines in memory. A carriage return before the newline belongs to the line's end; lines of blanks are no message. */
static void send_lines(struct sender *s)
{
	struct reader *r = &s->filter.reader;
	while (reader_has_line(r) && !is_over(s)) {
		const char *start = r->data + r->at, *newline = memchr(start, '\n', r->lines_end - r->at);
		struct span line = reader_take(r, (size_t)(newline - start));
		if (line.length && line.data[line.length - 1] == '\r') line.length--;
		if (span_trim(line).length) send_text(s, line, r->name, r->lines);
	}
}

static void send_input(struct sender *s)
{
	struct filter *f = &s->filter;
	reader_open(&f->reader, STDIN_FILENO, "-");
	enum reader_fill fill = READER_NOTHING;
	while (fill != READER_END && fill != READER_ERROR && !is_over(s)) {
		struct pollfd input = { .fd = f->reader.fd, .events = POLLIN };
		if (signals_stopping()) {
			if (!filter_read_rest(f)) return;
			send_lines(s);
			continue;
		}
		if (f->reader.polls && poll(&input, 1, 0) == 0) {
			wait_input(s);
			continue;
		}
		fill = filter_fill(f);
		send_lines(s);
	}
}

/* Envelopes of the FILEs or of standard input. */
static void send_envelopes(struct sender *s)
{
	struct filter *f = &s->filter;
	struct envelope envelope;
	while (!s->failed) {
		enum filter_turn turn = filter_turn(f, &envelope);
		if (turn == TURN_END) return;
		if (turn == TURN_WAIT) {
			wait_input(s);
			continue;
		}
		if (!draft_passes(&s->draft, &envelope)) {
			filter_drop(f);
			continue;
		}
		struct span line = s->options.as_is ? envelope.line : draft_fill(&s->draft, &envelope);
		s->origin = (struct reject){ .raw = envelope.line, .source = f->reader.name, .line = f->line };
		if (line.data) hand_over(s, line);
		else reject_unmade(s);
	}
}

/* A pipe, a socket or a file is there to be read; a terminal or the null device (cron, systemd) is not. */
static bool has_input(void)
{
	struct stat status;
	if (fstat(STDIN_FILENO, &status) != 0) return false;
	return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || S_ISREG(status.st_mode);
}

static bool reads_lines(const struct send_options *o)
{
	if (o->json || o->command) return false;
	if (o->payload_count == 1 && strcmp(o->payload[0], "-") == 0) return true;
	if (o->payload_count || o->metric_count) return false;
	if (has_input()) return true;
	if (!o->type && !o->field_count)
		tool_usage_error("nothing to send: give a PAYLOAD, a metric, --type or --field, or text on standard input%s",
			o->spool ? "; --json </dev/null sends what is kept in the spool" : "");
	return false;
}

static void send_all(struct sender *s, const struct command_result *result, bool lines)
{
	const struct send_options *o = &s->options;
	if (o->json) send_envelopes(s);
	else if (lines) send_input(s);
	else if (o->payload_count || !o->metric_count) send_words(s);
	send_metrics(s, result);
	close_outlet(s);
}

/* Runs the command. Returns in the process that is to tell of it; the original one exits as the command did, whatever becomes of
 * the telling, unless --strict asks for it and the command itself had no fault. */
static void run_command(struct sender *s, struct command_result *result)
{
	int told;
	command_run(s->options.command, s->options.failure_type != NULL, result);
	if (command_fork_teller(&told)) return;
	exit(result->status == 0 && s->filter.options.strict ? told : result->status);
}

int main(int argc, char **argv)
{
	static struct sender sender;
	struct sender *s = &sender;
	struct command_result result = { 0 };
	command_note_signals();
	options_init(&s->options);
	filter_open(&s->filter, &send_about, argc, argv, &s->options);
	options_check(&s->options, &s->filter.options);
	bool lines = reads_lines(&s->options);
	draft_init(&s->draft, &s->options, s->filter.options.line_limit);
	if (s->options.command) run_command(s, &result);
	open_outlet(s);
	send_all(s, &result, lines);
	draft_release(&s->draft);
	buffer_release(&result.tail);
	int status = filter_close(&s->filter);
	options_release(&s->options);
	return status;
}
