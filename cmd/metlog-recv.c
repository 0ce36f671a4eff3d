/* metlog-recv - receives envelopes from ZeroMQ and plain sockets and writes them to standard output. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "recv/recv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/diag.h"
#include "sink/spool_tool.h"

enum {
	KEY_FROM = TOOL_KEY, KEY_CURVE_KEYGEN, KEY_HWM, KEY_RECEIVE_BUFFER, KEY_MAX_CLIENTS,
	KEY_IDLE, KEY_MODE, KEY_DATAGRAM, KEY_READY, KEY_SPOOL,
};

/* HWM: with messages of 1 MiB and a reader that is stuck, this is what a peer can make us hold; 1000 instead of 32 saves a tenth of the processor
 * time of a million messages, and no wall-clock time. Of ack:, whose messages are larger, 8 are as fast as 32. DRAIN: after a stop signal, how long a silence ends the reading, and the longest it may go on under a flood. */
enum { HWM_DEFAULT = 32, ACK_HWM_DEFAULT = 8, RECEIVE_BUFFER_DEFAULT = 4 * 1024 * 1024, CLIENTS_DEFAULT = 256, DRAIN_SILENCE_MS = 20, DRAIN_ZEROMQ_MS = 100, DRAIN_MAX_MS = 1000 };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Where from:", 1 },
	{ "from", KEY_FROM, "ENDPOINT", 0, "Receive from ENDPOINT; may be repeated: ack:ADDRESS, sub:ADDRESS, pull:ADDRESS, rep:ADDRESS (ZeroMQ, which binds, or connects "
		"after '>'), udp:HOST:PORT, tcp:HOST:PORT, unix:PATH. Port 0 (of ZeroMQ: *) is any free one", 1 },
	{ "ready", KEY_READY, "FILE", 0, "Write the endpoints, with real ports, to FILE when all are open", 1 },
	{ "curve-keygen", KEY_CURVE_KEYGEN, "FILE", 0, "Make a key pair in FILE, its public key in FILE.pub, and exit", 9 },
	{ NULL, 0, NULL, 0, "Where to:", 2 },
	{ "spool", KEY_SPOOL, "DIR", 0, "Keep envelopes in the spool DIR instead of writing them to standard output", 2 },
	SPOOL_TOOL_ROWS(2),
	{ NULL, 0, NULL, 0, "Sockets and limits:", 3 },
	{ "hwm", KEY_HWM, "COUNT", 0, "Queue at most COUNT ZeroMQ messages of each peer (default 32, of ack: 8)", 3 },
	{ "receive-buffer", KEY_RECEIVE_BUFFER, "SIZE", 0, "Ask for a kernel buffer of SIZE for each socket (default 4Mi)", 3 },
	{ "max-clients", KEY_MAX_CLIENTS, "COUNT", 0, "Take at most COUNT tcp: and unix: connections at once (default 256)", 3 },
	{ "idle", KEY_IDLE, "DURATION", 0, "Close a tcp: or unix: connection that is silent this long (default never)", 3 },
	{ "mode", KEY_MODE, "OCTAL", 0, "Create unix: socket files with permissions OCTAL (default 0600)", 9 },
	{ "unix-datagram", KEY_DATAGRAM, NULL, 0, "Make unix: endpoints datagram sockets", 3 },
	{ 0 }
};

static mode_t parse_mode(const char *text)
{
	char *end;
	errno = 0;
	unsigned long mode = strtoul(text, &end, 8);
	if (errno || !*text || *end || mode > 0777 || *text < '0' || *text > '7') tool_usage_error("--mode: '%s' is not octal permissions such as 0660", text);
	return (mode_t)mode;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct recv_options *o = state->input;
	switch (key) {
	case KEY_FROM:
		if (o->from_count == RECV_SOURCES_MAX) tool_usage_error("--from: at most %d endpoints", RECV_SOURCES_MAX);
		o->from[o->from_count++] = span_of(arg);
		break;
	case KEY_READY: o->ready = arg; break;
	case KEY_CURVE_KEYGEN: o->curve_keygen = arg; break;
	case KEY_HWM: o->hwm = o->ack_hwm = (int)tool_integer("--hwm", arg, 1, 1000000); break;
	case KEY_RECEIVE_BUFFER: {
		uint64_t bytes = tool_size("--receive-buffer", arg);
		if (bytes > 1 << 30) tool_usage_error("--receive-buffer: '%s' is more than 1Gi", arg);
		o->receive_buffer = (int)bytes;
		break;
	}
	case KEY_MAX_CLIENTS: o->clients_max = (int)tool_integer("--max-clients", arg, 1, RECV_CLIENTS_MAX); break;
	case KEY_IDLE: o->idle_ms = (tool_duration("--idle", arg) + 999999) / 1000000; break;
	case KEY_MODE: o->mode = parse_mode(arg); break;
	case KEY_DATAGRAM: o->unix_datagram = true; break;
	case KEY_SPOOL: o->spool = arg; break;
	case ARGP_KEY_ARG: tool_usage_error("'%s': give endpoints with --from", arg);
	default:
		if (!spool_tool_parse(key, arg, &o->spool_options)) return ARGP_ERR_UNKNOWN;
		o->spool_option = true;
	}
	return 0;
}

static const struct tool_about about = {
	.name = "metlog-recv",
	.usage = "--from ENDPOINT...",
	.summary = "Receive envelopes from ZeroMQ, UDP, TCP and unix sockets and write them, one a line, to standard output or into a spool",
	.examples =
		"  metlog-recv --from sub:tcp://127.0.0.1:5565 --from udp:127.0.0.1:5565 |\n"
		"      metlog-route -c route.conf\n"
		"  metlog-recv --from 'sub:>tcp://127.0.0.1:5566'\n"
		"  metlog-recv --from ack:tcp://127.0.0.1:5566 --spool /var/spool/metlog\n"
		"  metlog-recv --curve-keygen server.key\n"
		"  metlog-recv --from 'sub:tcp://*:5565' --curve-secret server.key \\\n"
		"      --curve-clients clients.d\n",
	.uses = USES_INPUT | USES_MATCH | USES_OUTPUT | USES_ACCESS,
	.options = options,
	.parse = parse,
};

/* Socket files that exist for us, for the ways out that do not pass by the end of main. */
static const char *socket_files[RECV_SOURCES_MAX];
static volatile sig_atomic_t socket_file_count;

static void remove_socket_files(void)
{
	for (int i = 0; i < socket_file_count; i++) unlink(socket_files[i]);
}

static void end_quietly(int number)
{
	remove_socket_files();
	signal(number, SIG_DFL);
	raise(number);
}

/* For the ways out that do not pass by the end of main: what was received is stored all the same. Only if we die within a batch nobody can say how far
 * it came: then it is as if we were killed. */
static struct recv *closes_store;

static void close_store(void)
{
	if (closes_store->filter.rejects.fatal) ack_break_off(closes_store);
	if (!closes_store->ack.feeding) store_close(closes_store);
}

static void check_curve(const struct recv *r)
{
	const struct tool_access *a = &r->filter.options.access;
	bool side[2] = { false, false };
	for (int i = 0; i < r->source_count; i++)
		if (r->source[i].socket) side[zeromq_binds(r->source[i].socket)] = true;
	const char *fault = zeromq_curve_fault(&(struct zeromq_options){
		.curve_secret = a->curve_secret, .curve_clients = a->curve_clients, .curve_server = a->curve_server }, side[true], side[false]);
	if (fault) tool_usage_error("%s", fault);
}

/* A descriptor for each peer; the usual limit of 1024 is for programs that call select(2). */
static void allow_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void open_sources(struct recv *r)
{
	atexit(remove_socket_files);
	allow_descriptors();
	if (r->store.spool) signals_ignore_pipe();
	else if (signal(SIGPIPE, end_quietly) == SIG_IGN) signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < r->options.from_count; i++) {
		source_open(r, r->options.from[i]);
		struct source *s = &r->source[i];
		if (s->endpoint.path && s->endpoint.path[0] != '@' && (!s->socket || zeromq_binds(s->socket)))
			socket_files[socket_file_count++] = s->endpoint.path;
	}
	check_curve(r);
	source_report(r);
}

enum { POLLED_MAX = RECV_SOURCES_MAX * ZEROMQ_FDS + RECV_CLIENTS_MAX };

/* Fills the list of descriptors: ZEROMQ_FDS for each source, then one for each connection. Those not to be read now are -1. */
static size_t list_polled(struct recv *r, struct pollfd *polled)
{
	size_t count = 0;
	int64_t now = socket_clock_ms();
	bool closed = store_is_blocked(r);
	for (int i = 0; i < r->source_count; i++) {
		struct source *s = &r->source[i];
		int fds[ZEROMQ_FDS] = { s->paused_until_ms > now ? -1 : s->fd, -1 };
		if (s->socket) zeromq_fds(s->socket, fds);
		/* What the monitor tells is heard in any case: libzmq stands still once a thousand of its events wait. */
		for (int k = 0; k < ZEROMQ_FDS; k++) polled[count++] = (struct pollfd){ .fd = closed && k == 0 ? -1 : fds[k], .events = POLLIN };
	}
	for (int i = 0; i < r->client_count; i++) polled[count++] = (struct pollfd){ .fd = closed ? -1 : r->client[i].fd, .events = POLLIN };
	return count;
}

/* Milliseconds until something is due by the clock; -1: nothing is. */
static int next_due(const struct recv *r)
{
	int64_t now = socket_clock_ms(), due = store_due_ms(r);
	for (int i = 0; i < r->source_count; i++)
		if (r->source[i].paused_until_ms > now && r->source[i].paused_until_ms < due) due = r->source[i].paused_until_ms;
	if (r->options.idle_ms)
		for (int i = 0; i < r->client_count; i++)
			if (r->client[i].heard_ms + r->options.idle_ms < due) due = r->client[i].heard_ms + r->options.idle_ms;
	if (due == INT64_MAX) return -1;
	return due <= now ? 0 : due - now > 60000 ? 60000 : (int)(due - now);
}

/* Reads once from everything that has something, as long as there is room for it; true if anything came. */
static bool read_ready(struct recv *r, const struct pollfd *polled)
{
	bool came = false;
	int clients = r->client_count; /* those polled; an accept below adds more */
	for (int i = 0; i < r->source_count; i++, polled += ZEROMQ_FDS) {
		struct source *s = &r->source[i];
		if (!store_is_blocked(r)) {
			if (polled[0].revents || polled[1].revents || s->more) came |= source_read(r, s);
		}
		else if (s->socket && polled[1].revents) zeromq_events(s->socket);
	}
	for (int i = 0; i < clients; i++)
		if (polled[i].revents && !store_is_blocked(r)) came |= client_read(r, &r->client[i]);
	client_remove_ended(r);
	return came;
}

static bool has_more(const struct recv *r)
{
	for (int i = 0; i < r->source_count && !store_is_blocked(r); i++)
		if (r->source[i].more) return true;
	return false;
}

/* One round: what is there is read; only if there is nothing, the output is flushed and we wait. */
static bool take_turn(struct recv *r, int timeout_ms)
{
	struct pollfd polled[POLLED_MAX];
	size_t count = list_polled(r, polled);
	if (poll(polled, count, 0) > 0 || has_more(r)) {
		bool came = read_ready(r, polled);
		if (ack_is_due(r)) ack_settle(r);
		return came;
	}
	filter_flush(&r->filter);
	if (ack_settle(r)) return true;
	filter_wait(&r->filter, polled, count, timeout_ms);
	return read_ready(r, polled);
}

/* ZeroMQ's own thread takes from the kernel, and on a busy host it may not have its turn for a while. */
static int silence_ms(const struct recv *r)
{
	for (int i = 0; i < r->source_count; i++)
		if (r->source[i].socket) return DRAIN_ZEROMQ_MS;
	return DRAIN_SILENCE_MS;
}

/* What has reached this host's queues before the stop is still read: until there is a moment of silence, and nothing in a last look behind it, for it may be we who stood still. */
static void drain(struct recv *r)
{
	int64_t now = socket_clock_ms(), heard = now, end = now + DRAIN_MAX_MS;
	bool is_silent = false;
	for (int i = 0; i < r->source_count; i++) source_stop_listening(r, &r->source[i]);
	for (int silence = silence_ms(r); now < end && !is_silent && !store_is_blocked(r); now = socket_clock_ms()) {
		bool is_last = now - heard >= silence;
		if (take_turn(r, is_last ? 0 : silence)) heard = socket_clock_ms();
		else is_silent = is_last;
	}
	for (int i = 0; i < r->client_count; i++) client_end(r, &r->client[i], "we were stopped within the line");
}

int main(int argc, char **argv)
{
	static struct recv r; /* static: the table of connections is large, and its pages are not touched before they are used */
	r.options = (struct recv_options){ .hwm = HWM_DEFAULT, .ack_hwm = ACK_HWM_DEFAULT, .receive_buffer = RECEIVE_BUFFER_DEFAULT, .clients_max = CLIENTS_DEFAULT, .mode = 0600,
		.spool_options = spool_defaults };
	filter_open(&r.filter, &about, argc, argv, &r.options);
	if (r.options.curve_keygen) {
		struct fault fault;
		r.zeromq = zeromq_open(&fault);
		if (!r.zeromq || !zeromq_make_keys(r.zeromq, r.options.curve_keygen, &fault)) die_fault(&fault);
		zeromq_close(r.zeromq);
		return filter_close(&r.filter);
	}
	if (!r.options.from_count) tool_usage_error("no --from: say where to receive from");
	if (r.options.spool_option && !r.options.spool) tool_usage_error("--sync and the others are options of a spool: give one with --spool");
	if (r.options.spool) signals_open(SIGNALS_HANGUP);
	feed_init(&r.feed, &r.filter);
	store_open(&r);
	closes_store = &r;
	atexit(close_store);
	open_sources(&r);
	r.filter.before_stats = source_count;
	r.filter.before_stats_context = &r;
	while (!signals_stopping() && !store_has_failed(&r)) {
		take_turn(&r, next_due(&r));
		store_attend(&r);
		if (signals_take(SIGNALS_HANGUP)) rejects_reopen(&r.filter.rejects), store_seal(&r);
		if (r.options.idle_ms) client_end_idle(&r), client_remove_ended(&r);
	}
	drain(&r);
	filter_flush(&r.filter);
	ack_settle(&r);
	store_close(&r);
	source_count(&r);
	r.filter.before_stats = NULL;
	remove_socket_files();
	socket_file_count = 0; /* the names go with the sources */
	for (int i = 0; i < r.source_count; i++) source_close(&r.source[i]);
	zeromq_close(r.zeromq);
	datagrams_free(r.datagrams);
	ack_release(&r);
	feed_release(&r.feed);
	free(r.block);
	return filter_close(&r.filter);
}
