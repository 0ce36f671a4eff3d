/* sender - one message at a time is put together; the far side's pace is ours. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sender.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "io/diag.h"

enum { FILE_MODE = 0640 }; /* less the umask, as metlog-route's: security events are not for everybody */

/* Nothing of ours goes to standard output then: whether somebody reads there must not matter. */
static void forget_output(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0) die_errno(EXIT_SYSTEM, "cannot open /dev/null");
	dup2(fd, STDOUT_FILENO);
	close(fd);
}

static void open_outlet(struct sender *s)
{
	struct fault fault;
	s->outlet = outlet_open(&s->options->file,
		&(struct outlet_options){ .timeout_ms = -1, .waits = &signals_waits, .say = diag_say, .file_mode = FILE_MODE }, &fault);
	if (!s->outlet) die_fault(&fault);
}

void sender_open(struct sender *s, struct filter *filter, const struct cef_options *options)
{
	const char *why;
	*s = (struct sender){ .filter = filter, .options = options, .dry = filter->options.dry_run || options->explain };
	meta_init(&s->meta);
	buffer_init(&s->message, SIZE_MAX / 2);
	for (int i = 0; i < 2; i++) buffer_init(&s->decoded[i], SIZE_MAX / 2);
	if (options->target == CEF_TARGET_SYSLOG) { /* also for a dry run, which is to find what is wrong with --to */
		s->syslog = syslog_new(&options->syslog, &why);
		if (!s->syslog) tool_usage_error("--to: '%s': %s", options->to, why);
	}
	s->is_shown = !filter->options.dry_run && isatty(STDOUT_FILENO);
	if (s->dry || options->target == CEF_TARGET_OUTPUT) return;
	if (options->target == CEF_TARGET_FILE) open_outlet(s);
	forget_output();
}

static struct span text_of(struct value value, struct buffer *decoded)
{
	if (value.kind != VALUE_STRING && value.kind != VALUE_NUMBER) return SPAN("");
	if (!value.escaped) return value.text;
	buffer_clear(decoded);
	field_append_text(decoded, value);
	return buffer_span(decoded);
}

/* A word of the header that looked like "CEF:0|..." would be taken for the event by whoever looks for one. */
static struct span without_pipes(struct span word, struct buffer *room)
{
	if (!word.length || !memchr(word.data, '|', word.length)) return word;
	size_t from = room->data && word.data >= room->data && word.data < room->data + room->length ? (size_t)(word.data - room->data) : SIZE_MAX;
	if (from == SIZE_MAX) {
		buffer_clear(room);
		buffer_append_span(room, word);
		from = 0;
	}
	if (room->failed) return SPAN("");
	for (size_t i = 0; i < word.length; i++)
		if (room->data[from + i] == '|') room->data[from + i] = '_';
	return (struct span){ room->data + from, word.length };
}

/* A process number, which the original clients send; anything else would be longer than the header may be. */
static struct span pid_of(struct value value)
{
	struct span text = value.text;
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] < '0' || text.data[i] > '9') return SPAN("");
	return text.length <= CEF_PID_MAX && !value.escaped ? text : SPAN("");
}

static void put_message(struct sender *s, const struct envelope *e, const struct event *event)
{
	const struct cef_options *o = s->options;
	struct meta meta = { .facility = -1, .severity = -1 };
	struct syslog_message m = { .facility = SYSLOG_FACILITY_LOCAL4, .severity = e->severity, .text = event->line, .cache = &s->cache };
	if (o->facility >= 0) m.facility = o->facility;
	if (o->priority >= 0) m.severity = o->priority;
	if (!o->ignore_meta) meta_read(&s->meta, e, &meta);
	if (meta.facility >= 0) m.facility = meta.facility;
	if (meta.severity >= 0) m.severity = meta.severity;
	m.has_time = !e->timestamp.escaped && timestamp_parse(e->timestamp.text, &m.time_ns);
	m.hostname = text_of(e->metlog_hostname, &s->decoded[0]);
	if (!m.hostname.length) m.hostname = event->host;
	if (!m.hostname.length) m.hostname = span_of(o->hostname);
	if (m.hostname.length > o->host_most) m.hostname.length = o->host_most;
	m.hostname = without_pipes(m.hostname, &s->decoded[0]);
	m.ident = meta.ident.length ? meta.ident : span_of(o->ident);
	if (o->header == SYSLOG_HEADER_RFC5424) {
		if (!m.ident.length) m.ident = text_of(e->logger, &s->decoded[1]);
		m.procid = pid_of(e->metlog_pid);
	} else if (meta.pid && m.ident.length) {
		m.procid = pid_of(e->metlog_pid);
	}
	m.ident = without_pipes(m.ident, &s->decoded[1]);
	if (!syslog_append(&s->message, o->header, &m)) die(EXIT_INTERNAL, "no memory for a message of %zu bytes", event->line.length);
}

/* The exact bytes that would be sent, and a newline. */
static void put_counted(struct sender *s, struct span message)
{
	buffer_clear(&s->decoded[0]);
	buffer_append_int(&s->decoded[0], (int64_t)message.length);
	buffer_append_byte(&s->decoded[0], ' ');
	buffer_append_span(&s->decoded[0], message);
	if (s->decoded[0].failed) die(EXIT_INTERNAL, "no memory for a message of %zu bytes", message.length);
	if (!writer_line(&s->filter->out, buffer_span(&s->decoded[0]))) filter_flush(s->filter);
}

static void put_line(struct sender *s, struct span message)
{
	if (s->is_shown) {
		buffer_clear(&s->decoded[0]);
		text_append_visible(&s->decoded[0], message);
		if (s->decoded[0].failed) die(EXIT_INTERNAL, "no memory for a message of %zu bytes", message.length);
		message = buffer_span(&s->decoded[0]);
	}
	if (!writer_line(&s->filter->out, message)) filter_flush(s->filter);
}

static void take_state(struct sender *s, enum syslog_state state)
{
	if (state == SYSLOG_FINE) return;
	s->over = true;
	s->status = state == SYSLOG_UNTRUSTED ? EXIT_PERMISSION : EXIT_LATER;
}

static void take_result(struct sender *s, enum outlet_result result)
{
	if (result == OUTLET_DELIVERED) return;
	s->over = true;
	s->status = EXIT_IO;
}

void sender_send(struct sender *s, const struct envelope *e, const struct event *event)
{
	struct span message = event->line;
	if (s->options->header != SYSLOG_HEADER_NONE) {
		buffer_clear(&s->message);
		put_message(s, e, event);
		message = buffer_span(&s->message);
	}
	s->given++;
	s->bytes += message.length;
	if (s->dry || s->options->target == CEF_TARGET_OUTPUT) {
		if (s->options->counted && s->syslog) put_counted(s, message);
		else put_line(s, message);
		filter_booked_pass(s->filter);
	} else if (s->outlet) {
		s->filter->stats.kept++;
		take_result(s, outlet_send(s->outlet, message));
	} else {
		s->filter->stats.kept++;
		take_state(s, syslog_send(s->syslog, message));
	}
	if (s->filter->options.unbuffered) sender_flush(s);
}

void sender_flush(struct sender *s)
{
	if (s->over) return;
	if (s->outlet) take_result(s, outlet_flush(s->outlet));
	else if (s->syslog && !s->dry) take_state(s, syslog_flush(s->syslog));
	filter_flush(s->filter);
}

void sender_wait(struct sender *s)
{
	struct pollfd fd;
	if (!s->syslog || s->dry) {
		filter_wait(s->filter, NULL, 0, -1);
		return;
	}
	size_t count = syslog_poll(s->syslog, &fd) ? 1 : 0;
	filter_wait(s->filter, &fd, count, syslog_timeout_ms(s->syslog));
	take_state(s, syslog_tick(s->syslog));
}

const char *sender_reopen(struct sender *s)
{
	if (s->outlet && !outlet_reopen(s->outlet)) return outlet_reason(s->outlet);
	if (s->syslog && !s->dry) take_state(s, syslog_reconnect(s->syslog));
	return NULL;
}

static void count_syslog(struct sender *s)
{
	struct stats *stats = &s->filter->stats;
	const struct syslog_counts *c = syslog_counts(s->syslog);
	if (!s->dry) {
		stats->passed = c->proved;
		stats->kept = s->given - c->proved;
	}
	*stats_extra(stats, "resent") = c->resent;
	*stats_extra(stats, "reconnects") = c->reconnects;
	*stats_extra(stats, "lost") = c->lost;
}

void sender_count(struct sender *s)
{
	struct stats *stats = &s->filter->stats;
	if (s->outlet && !s->over && outlet_flush(s->outlet) == OUTLET_DELIVERED) {
		stats->passed = s->given;
		stats->kept = 0;
	}
	*stats_extra(stats, "meta_ignored") = s->meta.ignored;
	*stats_extra(stats, "sent_bytes") = s->bytes;
	if (s->syslog) count_syslog(s);
}

static void close_file(struct sender *s)
{
	uint64_t lost = 0;
	char reason[OUTLET_REASON_MAX] = "";
	struct stats *stats = &s->filter->stats;
	bool refused = s->over; /* the line that was not taken is not in `lost` */
	take_result(s, outlet_close(s->outlet, &lost, reason));
	s->outlet = NULL;
	stats->kept = lost + refused < s->given ? lost + refused : s->given;
	stats->passed = s->given - stats->kept;
	if (!s->over) return;
	diag_error("%s: %s: of the envelopes read %llu were written, %llu were not", s->options->to, reason, (unsigned long long)stats->passed, (unsigned long long)stats->kept);
}

static void close_syslog(struct sender *s)
{
	const struct syslog_counts *c = syslog_counts(s->syslog);
	if (!s->over) take_state(s, syslog_finish(s->syslog));
	uint64_t left = s->given - c->proved;
	if (!left && !s->over) return;
	if (!s->status) s->status = EXIT_LATER; /* datagrams were lost */
	const char *reason = syslog_reason(s->syslog); /* empty: lost datagrams were told when the first one was */
	const char *rest = s->filter->reader.fd >= 0 ? "; the rest of the input was not read" : "";
	diag_error("%s: %llu of the %llu envelopes read %s not delivered%s", reason[0] ? reason : s->options->to, (unsigned long long)left, (unsigned long long)s->filter->stats.read,
		left == 1 ? "was" : "were", rest);
}

void sender_close(struct sender *s)
{
	sender_count(s);
	if (s->outlet) close_file(s);
	if (s->syslog && !s->dry) close_syslog(s);
	sender_count(s);
	if (s->over || s->status) filter_fail(s->filter, s->status);
	if (s->syslog) syslog_free(s->syslog);
	s->syslog = NULL;
	meta_release(&s->meta);
	buffer_release(&s->message);
	for (int i = 0; i < 2; i++) buffer_release(&s->decoded[i]);
}
