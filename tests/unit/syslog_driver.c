/* syslog_driver - lines on standard input, or made ones, become messages of sink/syslog; then says what became of them: for the suites. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/signals.h"
#include "sink/syslog.h"

/* --count N --bytes B: N messages "<134>NUMBER xxxx" of B bytes at least, instead of the input. */
static const char usage[] = "syslog_driver [--framing lf|counted] [--confirm close|acked] [--max-bytes N] [--window N] [--pace N] [--timeout MS] [--retry MS] [--proof MS]"
	" [--cacert FILE] [--cert FILE] [--key FILE] [--count N] [--bytes B] TO\n";

struct driver {
	struct syslog_options options;
	struct syslog *syslog;
	uint64_t count;
	size_t bytes;
	struct buffer input;
	bool is_over;
};

static int option(struct driver *d, int key)
{
	struct syslog_options *o = &d->options;
	switch (key) {
	case 'f': o->framing = !strcmp(optarg, "lf") ? SYSLOG_FRAMING_LF : SYSLOG_FRAMING_COUNTED; break;
	case 'C': o->confirm = !strcmp(optarg, "acked") ? SYSLOG_CONFIRM_ACKED : SYSLOG_CONFIRM_CLOSE; break;
	case 'm': o->max_bytes = (size_t)atol(optarg); break;
	case 'w': o->window_bytes = (size_t)atol(optarg); break;
	case 'p': o->pace = (uint64_t)atol(optarg); break;
	case 't': o->timeout_ms = atol(optarg); break;
	case 'r': o->retry_ms = atol(optarg); break;
	case 'P': o->proof_ms = atol(optarg); break;
	case 'a': o->tls.ca_file = optarg; break;
	case 'c': o->tls.cert_file = optarg; break;
	case 'k': o->tls.key_file = optarg; break;
	case 'n': d->count = (uint64_t)atol(optarg); break;
	case 'b': d->bytes = (size_t)atol(optarg); break;
	default: return -1;
	}
	return 0;
}

static void parse(struct driver *d, int argc, char **argv)
{
	static const struct option rows[] = {
		{ "framing", 1, NULL, 'f' }, { "confirm", 1, NULL, 'C' }, { "max-bytes", 1, NULL, 'm' }, { "window", 1, NULL, 'w' }, { "pace", 1, NULL, 'p' },
		{ "timeout", 1, NULL, 't' }, { "retry", 1, NULL, 'r' }, { "proof", 1, NULL, 'P' }, { "cacert", 1, NULL, 'a' }, { "cert", 1, NULL, 'c' }, { "key", 1, NULL, 'k' },
		{ "count", 1, NULL, 'n' }, { "bytes", 1, NULL, 'b' }, { 0 },
	};
	int key;
	while ((key = getopt_long(argc, argv, "+", rows, NULL)) >= 0)
		if (option(d, key)) die(EXIT_USAGE, "%s", usage);
	if (argc != optind + 1) die(EXIT_USAGE, "%s", usage);
	d->options.to = argv[optind];
}

static void send_made(struct driver *d)
{
	char *message = must_alloc(d->bytes + 64);
	for (uint64_t i = 0; i < d->count && !signals_stopping(); i++) {
		size_t length = (size_t)sprintf(message, "<134>%" PRIu64 " ", i);
		for (; length < d->bytes; length++) message[length] = 'x';
		if (syslog_send(d->syslog, (struct span){ message, length })) break;
	}
	free(message);
}

static enum syslog_state send_lines(struct driver *d)
{
	const char *from = d->input.data, *end = from + d->input.length, *newline;
	enum syslog_state state = SYSLOG_FINE;
	while (!state && (newline = memchr(from, '\n', (size_t)(end - from)))) {
		state = syslog_send(d->syslog, span_between(from, newline));
		from = newline + 1;
	}
	buffer_drop(&d->input, (size_t)(from - d->input.data));
	return state;
}

/* As a tool does it: what is buffered goes before one waits, and the transport is looked after meanwhile. */
static bool await_input(struct driver *d)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	if (syslog_flush(d->syslog)) return false;
	for (;;) {
		size_t count = syslog_poll(d->syslog, &fds[1]) ? 2 : 1;
		signals_poll(fds, count, syslog_timeout_ms(d->syslog));
		if (signals_stopping()) return false;
		if (signals_take(SIGNALS_HANGUP) && syslog_reconnect(d->syslog)) return false;
		if (fds[0].revents) return true;
		if (syslog_tick(d->syslog)) return false;
	}
}

static void send_input(struct driver *d)
{
	buffer_init(&d->input, SIZE_MAX);
	while (await_input(d)) {
		if (!buffer_reserve(&d->input, 65536)) die(EXIT_INTERNAL, "out of memory");
		ssize_t n = read(STDIN_FILENO, d->input.data + d->input.length, 65536);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) break;
		d->input.length += (size_t)n;
		if (send_lines(d)) break;
	}
	buffer_release(&d->input);
}

int main(int argc, char **argv)
{
	static const char *const states[] = { "fine", "gone", "untrusted" };
	static const int statuses[] = { EXIT_DONE, EXIT_LATER, EXIT_PERMISSION };
	struct driver d = { .options = { .max_bytes = 8000, .window_bytes = 4 << 20, .timeout_ms = 5000, .retry_ms = 5000 } };
	const char *why;
	diag_init("syslog_driver");
	diag_set_verbose(1);
	signals_open(SIGNALS_STOP | SIGNALS_STOP_AGAIN | SIGNALS_HANGUP);
	parse(&d, argc, argv);
	if (!(d.syslog = syslog_new(&d.options, &why))) die(EXIT_USAGE, "%s", why);
	if (d.count) send_made(&d);
	else send_input(&d);
	enum syslog_state state = syslog_finish(d.syslog);
	const struct syslog_counts *c = syslog_counts(d.syslog);
	printf("%s taken=%" PRIu64 " proved=%" PRIu64 " waiting=%" PRIu64 " lost=%" PRIu64 " truncated=%" PRIu64 " resent=%" PRIu64 " reconnects=%" PRIu64 " refused=%" PRIu64 "%s%s\n",
		states[state], c->taken, c->proved, c->waiting, c->lost, c->truncated, c->resent, c->reconnects, c->refused, state ? " " : "", state ? syslog_reason(d.syslog) : "");
	syslog_free(d.syslog);
	return statuses[state];
}
