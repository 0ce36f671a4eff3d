/* filter - the loop every tool shares: options, input, good envelopes one by one, books, exit status. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "filter/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "io/diag.h"

static void compile_match(struct filter *f)
{
	struct match_fault fault;
	if (!f->options.match) return;
	f->match = match_new(span_of(f->options.match), &fault);
	if (f->match) return;
	tool_usage_error_at("--match", f->options.match, fault.column, fault.reason);
}

void filter_open(struct filter *f, const struct tool_about *about, int argc, char **argv, void *context)
{
	*f = (struct filter){ 0 };
	tool_parse(about, argc, argv, &f->options, context);
	compile_match(f);
	signals_open(SIGNALS_STOP | SIGNALS_STATS | (f->options.rejects ? SIGNALS_HANGUP : 0));
	if (!scan_init(&f->scan)) die(EXIT_INTERNAL, "no memory for the scanner");
	const char *kernel = secure_getenv("METLOG_SCAN");
	if (kernel && strcmp(kernel, f->scan.kernel->name) != 0)
		diag_warn("METLOG_SCAN: this machine has no kernel '%s'; using %s", kernel, f->scan.kernel->name);
	reader_init(&f->reader, f->options.line_limit);
	buffer_init(&f->translated, SIZE_MAX / 2);
	buffer_init(&f->scanned, SIZE_MAX / 2);
	rejects_open(&f->rejects, f->options.rejects, f->options.strict);
	writer_open(&f->out, STDOUT_FILENO, "standard output", WRITER_CAPACITY);
	f->out.unbuffered = f->options.unbuffered;
	progress_open(&f->progress, f->options.operands, f->options.operand_count, f->options.quiet);
}

void filter_fail(struct filter *f, int status)
{
	/* An I/O error outweighs the far side's troubles, and both outweigh rejects: the first of the list that occurred is told. */
	static const int by_weight[] = { EXIT_INTERNAL, EXIT_IO, EXIT_SYSTEM, EXIT_NO_OUTPUT, EXIT_CONFIGURATION, EXIT_PERMISSION, EXIT_REFUSED,
		                         EXIT_LATER, EXIT_NO_INPUT, EXIT_REJECTS, EXIT_NEGATIVE };
	for (size_t i = 0; i < sizeof by_weight / sizeof *by_weight; i++)
		if (by_weight[i] == status || by_weight[i] == f->status) {
			f->status = by_weight[i];
			return;
		}
	if (!f->status) f->status = status;
}

void filter_flush(struct filter *f)
{
	if (writer_flush(&f->out)) return;
	if (f->out.error == EPIPE) exit(EXIT_DONE); /* SIGPIPE is ignored by somebody above us: end as quietly as by the signal */
	die(EXIT_IO, "%s: %s", f->out.name, strerror(f->out.error));
}

static void write_stats(struct filter *f, const char *path)
{
	struct buffer line;
	int fd = STDERR_FILENO;
	if (f->before_stats) f->before_stats(f->before_stats_context);
	if (strcmp(path, "-") != 0) fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		diag_error("%s: %s", path, strerror(errno));
		filter_fail(f, EXIT_NO_OUTPUT);
		return;
	}
	buffer_init(&line, 1024 * 1024);
	stats_append(&line, &f->stats);
	buffer_append_byte(&line, '\n');
	int error = write_all(fd, buffer_span(&line));
	if (error) {
		diag_error("%s: %s", path, strerror(error));
		filter_fail(f, EXIT_IO);
	}
	if (fd != STDERR_FILENO) close(fd);
	buffer_release(&line);
}

void filter_show_stats(struct filter *f)
{
	write_stats(f, "-");
}

/* Opens the next FILE operand, or standard input if there is none. False: no more. */
static bool open_next(struct filter *f)
{
	if (f->reader.fd > STDIN_FILENO) close(f->reader.fd);
	if (f->reader.fd >= 0) progress_next_file(&f->progress, f->reader.bytes);
	f->reader.fd = -1;
	if (f->options.operand_count == 0 && f->next_operand++ == 0) {
		reader_open(&f->reader, STDIN_FILENO, "-");
		return true;
	}
	while (f->next_operand < f->options.operand_count) {
		const char *name = f->options.operands[f->next_operand++];
		int fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
		struct stat status;
		if (fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
			close(fd);
			fd = -1;
			errno = EISDIR;
		}
		if (fd >= 0) {
			reader_open(&f->reader, fd, name);
			return true;
		}
		diag_error("%s: %s", name, strerror(errno));
		filter_fail(f, EXIT_NO_INPUT);
	}
	return false;
}

static void reject(struct filter *f, const struct reject *what)
{
	f->stats.rejected++;
	if (f->on_reject) f->on_reject(f->on_reject_context, what);
	rejects_add(&f->rejects, what);
}

static void reject_overlong(struct filter *f)
{
	uint64_t length;
	struct span start = reader_overlong(&f->reader, &length);
	f->stats.read++;
	reject(f, &(struct reject){ start, length, "longer than --max-line", 0, f->reader.name, f->reader.lines });
}

/* Whether -m, --since and --until take the envelope. One without a time they can read is outside every interval. */
bool filter_wants(struct filter *f, const struct envelope *envelope)
{
	if (f->options.since != INT64_MIN || f->options.until != INT64_MAX) {
		int64_t stamp;
		if (envelope->timestamp.escaped || !timestamp_parse(envelope->timestamp.text, &stamp)) return false;
		if (stamp < f->options.since || stamp >= f->options.until) return false;
	}
	return !f->match || f->match_by_tool || match_eval(f->match, envelope);
}

bool filter_chooses(const struct filter *f)
{
	return f->match || f->options.since != INT64_MIN || f->options.until != INT64_MAX;
}

static enum envelope_verdict judge(struct filter *f, struct envelope *envelope, struct span line)
{
	if (!f->translate) return envelope_parse(envelope, &f->scan, line, &f->fault);
	if (!span_trim(line).length) return ENVELOPE_BLANK;
	buffer_clear(&f->translated);
	f->became = f->translate(f->translate_context, line, &f->translated, &f->fault);
	if (f->became == TRANSLATED_BAD) return ENVELOPE_BAD;
	if (f->translated.failed) die(EXIT_INTERNAL, "no memory for an envelope of %zu bytes", line.length);
	envelope->line = f->became == TRANSLATED_GOOD ? buffer_span(&f->translated) : line;
	if (f->became != TRANSLATED_GOOD || (f->translate_is_trusted && !filter_chooses(f))) return ENVELOPE_GOOD;
	if (f->translate_view && f->translate_view(f->translate_context, envelope)) return ENVELOPE_GOOD;
	return envelope_parse_copy(envelope, &f->scan, &f->scanned, buffer_span(&f->translated), &f->fault);
}

/* Books a line that was not to become an envelope. */
static bool is_done_with(struct filter *f, struct span line)
{
	if (!f->translate || f->became == TRANSLATED_GOOD) return false;
	if (f->became == TRANSLATED_DROPPED) {
		f->stats.dropped++;
		return true;
	}
	if (!writer_line(&f->out, line)) filter_flush(f);
	f->stats.passed++;
	return true;
}

/* The length of the line that begins at `start`. */
static size_t measure(struct filter *f, const char *start, const char *end)
{
	if (!f->translate) return scan_line(&f->scan, start, end);
	return (size_t)((const char *)memchr(start, '\n', (size_t)(end - start)) - start);
}

bool filter_would_take(struct filter *f, struct span line)
{
	struct envelope envelope;
	line.length = measure(f, line.data, line.data + line.length + 1);
	if (judge(f, &envelope, line) != ENVELOPE_GOOD || (f->translate && f->became != TRANSLATED_GOOD)) return false;
	return filter_wants(f, &envelope);
}

/* Takes lines from the block in memory until one is a good and wanted envelope. False: the block is used up. */
bool filter_take(struct filter *f, struct envelope *envelope)
{
	struct reader *r = &f->reader;
	while (reader_has_line(r) && !f->rejects.fatal) {
		size_t length = measure(f, r->data + r->at, r->data + r->lines_end);
		struct span line = reader_take(r, length);
		if (length > r->line_limit) {
			f->stats.read++;
			reject(f, &(struct reject){ line, length, "longer than --max-line", 0, r->name, r->lines });
			continue;
		}
		enum envelope_verdict verdict = judge(f, envelope, line);
		if (verdict == ENVELOPE_BLANK) continue;
		f->stats.read++;
		if (verdict == ENVELOPE_BAD) {
			reject(f, &(struct reject){ line, 0, f->fault.reason, f->fault.column, r->name, r->lines });
			continue;
		}
		f->stats.bytes += length + 1;
		f->line = r->lines;
		if (is_done_with(f, line)) continue;
		if (filter_wants(f, envelope)) return true;
		f->stats.dropped++;
	}
	return false;
}

enum reader_fill filter_fill(struct filter *f)
{
	enum reader_fill filled = reader_fill(&f->reader);
	progress_tick(&f->progress, f->reader.bytes);
	if (filled == READER_OVERLONG) reject_overlong(f);
	if (filled == READER_ERROR) {
		diag_error("%s: %s", f->reader.name, strerror(f->reader.error));
		filter_fail(f, EXIT_NO_INPUT);
	}
	return filled;
}

static bool input_is_ready(struct filter *f)
{
	struct pollfd input = { .fd = f->reader.fd, .events = POLLIN };
	return !f->reader.polls || poll(&input, 1, 0) > 0;
}

bool filter_read_rest(struct filter *f)
{
	struct reader *r = &f->reader;
	if (r->fd < 0 || !r->polls || r->ended || !reader_in_line(r)) return false;
	r->careful = true;
	r->cut = !input_is_ready(f);
	return filter_fill(f) != READER_ERROR;
}

static void heed_signals(struct filter *f)
{
	if (signals_take(SIGNALS_STATS)) write_stats(f, "-");
	if (f->reopens && signals_take(SIGNALS_HANGUP)) rejects_reopen(&f->rejects);
}

enum filter_turn filter_turn(struct filter *f, struct envelope *envelope)
{
	for (;;) {
		if (filter_take(f, envelope)) return TURN_ENVELOPE;
		heed_signals(f);
		if (f->rejects.fatal) return TURN_END;
		if (signals_stopping()) {
			if (!filter_read_rest(f)) return TURN_END;
			continue;
		}
		if (f->reader.fd < 0 && !open_next(f)) return TURN_END;
		if (!input_is_ready(f)) return TURN_WAIT;
		enum reader_fill filled = filter_fill(f);
		if ((filled == READER_END || filled == READER_ERROR) && !open_next(f)) return TURN_END;
	}
}

void filter_wait(struct filter *f, struct pollfd *fds, size_t count, int timeout_ms)
{
	struct pollfd all[SIGNALS_POLL_MAX];
	if (count > SIGNALS_POLL_MAX - 2) die(EXIT_INTERNAL, "too many descriptors to wait for: %zu", count);
	if (count) memcpy(all, fds, count * sizeof *fds);
	all[count] = (struct pollfd){ .fd = f->reader.fd, .events = POLLIN };
	all[count + 1] = (struct pollfd){ .fd = f->keep ? -1 : f->out.fd, .events = 0 }; /* POLLERR, of a socket POLLHUP: its reader has gone */
	signals_poll(all, count + 2, timeout_ms);
	if (count) memcpy(fds, all, count * sizeof *fds);
	heed_signals(f);
	if (!all[count + 1].revents) return;
	raise(SIGPIPE);
	exit(EXIT_DONE); /* it is ignored by somebody above us: as in filter_flush */
}

bool filter_next(struct filter *f, struct envelope *envelope)
{
	f->reopens = true;
	for (;;) switch (filter_turn(f, envelope)) {
	case TURN_ENVELOPE: return true;
	case TURN_END: return false;
	case TURN_WAIT:
		filter_flush(f);
		filter_wait(f, NULL, 0, -1);
	}
}

void filter_pass(struct filter *f, const struct envelope *envelope)
{
	if (f->keep) {
		f->keep(f->keep_context, envelope->line);
		f->stats.kept++;
		return;
	}
	if (!writer_line(&f->out, envelope->line)) filter_flush(f);
	f->stats.passed++;
}

void filter_booked_pass(struct filter *f)
{
	f->stats.passed++;
}

void filter_drop(struct filter *f)
{
	f->stats.dropped++;
}

void filter_reject(struct filter *f, const struct envelope *envelope, const char *reason)
{
	reject(f, &(struct reject){ envelope->line, 0, reason, 0, f->reader.name, f->line });
}

int filter_close(struct filter *f)
{
	progress_close(&f->progress);
	filter_flush(f);
	if (!writer_close(&f->out)) {
		diag_error("%s: %s", f->out.name, strerror(f->out.error));
		filter_fail(f, EXIT_IO);
	}
	if (f->options.stats) write_stats(f, f->options.stats);
	filter_fail(f, rejects_close(&f->rejects));
	if (f->match && match_limit_hits(f->match))
		diag_warn("envelopes on which a pattern gave up (match limit), and which count as not matching: %llu", (unsigned long long)match_limit_hits(f->match));
	match_free(f->match);
	reader_release(&f->reader);
	buffer_release(&f->translated);
	buffer_release(&f->scanned);
	scan_release(&f->scan);
	return f->status;
}
