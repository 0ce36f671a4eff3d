/* emit - an application that uses libmetlog, for the suites: sends numbered messages, or one of each kind, from several threads. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <argp.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/metlog.h"

enum { THREADS_MAX = 64, CLOSE_MS = 60000 };

struct emit {
	const char *endpoint, *config, *counts;
	long messages, threads, close_ms, burst;
	bool kinds;
	struct metlog_options options;
	struct metlog *client;
};

enum { KEY_THREADS = 256, KEY_SECRET, KEY_SERVER, KEY_CLOSE, KEY_COUNTS, KEY_KINDS, KEY_CONFIG, KEY_DROP, KEY_BURST };
static const struct argp_option options[] = {
	{ "threads", KEY_THREADS, "N", 0, "Send from N threads, MESSAGES each", 0 },
	{ "curve-secret", KEY_SECRET, "FILE", 0, "Our CURVE key pair", 0 },
	{ "curve-server", KEY_SERVER, "FILE", 0, "The far side's public key", 0 },
	{ "close", KEY_CLOSE, "MS", 0, "Wait so long at the end", 0 },
	{ "counts", KEY_COUNTS, "FILE", 0, "Write what became of the calls to FILE", 0 },
	{ "kinds", KEY_KINDS, NULL, 0, "Send one message of each kind, MESSAGES times", 0 },
	{ "config", KEY_CONFIG, "FILE", 0, "Take what is not given here from FILE", 0 },
	{ "drop", KEY_DROP, NULL, 0, "Drop what there is no room for, instead of waiting", 0 },
	{ "burst", KEY_BURST, "N", 0, "Wait after each N messages until they are handed over", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct emit *e = state->input;
	switch (key) {
	case KEY_THREADS: e->threads = atol(text); break;
	case KEY_SECRET: e->options.curve_secret = text; break;
	case KEY_SERVER: e->options.curve_server = text; break;
	case KEY_CLOSE: e->close_ms = atol(text); break;
	case KEY_COUNTS: e->counts = text; break;
	case KEY_KINDS: e->kinds = true; break;
	case KEY_CONFIG: e->config = text; break;
	case KEY_DROP: e->options.when_full = METLOG_DROP; break;
	case KEY_BURST: e->burst = atol(text); break;
	case ARGP_KEY_ARG:
		if (!e->endpoint) e->endpoint = text;
		else e->messages = atol(text);
		break;
	case ARGP_KEY_END:
		if (e->threads < 1 || e->threads > THREADS_MAX) argp_error(state, "--threads is 1 to %d", THREADS_MAX);
		break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void send_kinds(struct metlog *m, int64_t number)
{
	struct metlog_timer timer = metlog_timer_begin(m, "emit.timer", 1);
	metlog_send(m, "request", METLOG_NOTICE, "GET /\n", METLOG_FIELDS(metlog_field_int("number", number), metlog_field_json("list", "[1, {}]")));
	metlog_count(m, "emit.count", 3, 1, METLOG_FIELDS(metlog_field_double("share", 0.25)));
	metlog_count(m, "emit::odd|count", -1, 1, METLOG_FIELDS(metlog_tag("host", "web1")));
	metlog_timing(m, "emit.timing", 35.5, 0.1, METLOG_NONE);
	metlog_gauge(m, "emit.gauge", -2.5, METLOG_NONE);
	metlog_set(m, "emit.set", "gr\xc3\xbc\xc3\x9f \"dich\"", METLOG_NONE);
	metlog_log(m, METLOG_WARNING, "disk %s is %d%% full", "sda", 91);
	metlog_cef(m, &(struct metlog_cef_event){ "AuthFail", "Bad password", 5, "mozilla", "weave", "3" }, METLOG_FIELDS(metlog_field_text("suser", "ada|=\\")));
	metlog_backtrace(m, METLOG_ERROR, "NullPointer", "no such thing", METLOG_NONE);
	metlog_timer_end(&timer, METLOG_NONE);
}

struct thread {
	pthread_t id;
	struct emit *emit;
	int64_t number;
};

static void *run(void *argument)
{
	struct thread *t = argument;
	struct emit *e = t->emit;
	for (long i = 1; i <= e->messages; i++) {
		char text[24];
		if (e->kinds) {
			send_kinds(e->client, i);
			continue;
		}
		snprintf(text, sizeof text, "%ld", i);
		metlog_send(e->client, "number", METLOG_SEVERITY_DEFAULT, text, METLOG_FIELDS(metlog_field_int("thread", t->number)));
		if (e->burst && i % e->burst == 0) metlog_flush(e->client, (int)e->close_ms);
	}
	return NULL;
}

static void run_threads(struct emit *e)
{
	struct thread threads[THREADS_MAX];
	for (long i = 0; i < e->threads; i++) {
		threads[i] = (struct thread){ .emit = e, .number = i };
		if (pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0) exit(71);
	}
	for (long i = 0; i < e->threads; i++) pthread_join(threads[i].id, NULL);
}

static void tell_counts(const char *path, const struct metlog_counts *c)
{
	FILE *file = path ? fopen(path, "w") : stderr;
	if (!file) exit(73);
	fprintf(file, "taken %" PRIu64 " left_out %" PRIu64 " dropped %" PRIu64 " refused %" PRIu64 " sent %" PRIu64 " unsent %" PRIu64 "\n",
		c->taken, c->left_out, c->dropped, c->refused, c->sent, c->unsent);
	if (path) fclose(file);
}

int main(int argc, char **argv)
{
	static struct emit e = { .messages = 1, .threads = 1, .close_ms = CLOSE_MS };
	static const struct argp argp = { .options = options, .parser = parse, .args_doc = "ENDPOINT [MESSAGES]" };
	struct metlog_fault fault = { 0 };
	struct metlog_counts counts;
	metlog_options_init(&e.options, sizeof e.options);
	e.options.logger = "emit";
	e.options.when_full = METLOG_BLOCK;
	argp_parse(&argp, argc, argv, 0, NULL, &e);
	e.client = e.config ? metlog_open_config(e.config, &e.options, &fault) : metlog_open(e.endpoint, &e.options, &fault);
	if (!e.client) {
		fprintf(stderr, "emit: %s\n", fault.text);
		return fault.status;
	}
	run_threads(&e);
	int status = metlog_close(e.client, (int)e.close_ms, &counts);
	tell_counts(e.counts, &counts);
	return status ? 1 : 0;
}
