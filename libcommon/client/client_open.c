/* client_open - makes a client: what the options say, its parts, its lanes, its sender. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"
#include "client/client_private.h"
#include "client/message_text.h"
#include "client/options.h"

/* BUFFER: 8,700 envelopes of 240 bytes, for the while that the far side takes nothing. A flood of two threads by push: is as fast with 512 KiB or 8 MiB, and slower with 128 KiB. */
enum { BUFFER_BYTES = 2 * 1024 * 1024, BUFFER_MIN = 4096, LINE_BYTES = 1024 * 1024, THREADS = 64, THREADS_MAX = 4096, CLOSE_MS = 5000, ESCAPED = 6 };

/* --- the options ------------------------------------------------------------------------- */

/* As the caller was compiled with them, which may be before there were all of those we know. */
static bool copy_options(struct metlog_options *own, const struct metlog_options *given, struct fault *fault)
{
	metlog_options_init(own, sizeof *own);
	if (!given) return true;
	if (given->size < offsetof(struct metlog_options, severity)) return fault_set(fault, EXIT_USAGE, "the options were not made by metlog_options_init");
	if (options_copy(own, sizeof *own, given)) return true;
	return fault_set(fault, EXIT_CONFIGURATION, "the options ask for what libmetlog " METLOG_VERSION " does not have");
}

static bool round_up(size_t *bytes)
{
	size_t power = BUFFER_MIN;
	while (power < *bytes && power <= SIZE_MAX / 4) power *= 2;
	if (power < *bytes) return false;
	*bytes = power;
	return true;
}

static bool complete_options(struct metlog_options *o, struct fault *fault)
{
	if (!o->logger) o->logger = "";
	if (o->severity == METLOG_SEVERITY_DEFAULT) o->severity = METLOG_INFORMATIONAL;
	if (o->severity < METLOG_EMERGENCY || o->severity > METLOG_DEBUG) return fault_set(fault, EXIT_USAGE, "severity %d: 0 to 7", o->severity);
	if (o->when_full != METLOG_DROP && o->when_full != METLOG_BLOCK) return fault_set(fault, EXIT_USAGE, "when_full %d: METLOG_DROP or METLOG_BLOCK", (int)o->when_full);
	if (!o->buffer_bytes) o->buffer_bytes = BUFFER_BYTES;
	if (!round_up(&o->buffer_bytes)) return fault_set(fault, EXIT_USAGE, "a buffer of %zu bytes: that is beyond any memory", o->buffer_bytes);
	if (!o->line_bytes) o->line_bytes = o->buffer_bytes / 2 < LINE_BYTES ? o->buffer_bytes / 2 : LINE_BYTES;
	if (o->line_bytes > o->buffer_bytes / 2)
		return fault_set(fault, EXIT_USAGE, "a line of %zu bytes: at most half of a buffer, %zu", o->line_bytes, o->buffer_bytes / 2);
	if (!o->threads) o->threads = THREADS;
	if (o->threads > THREADS_MAX) return fault_set(fault, EXIT_USAGE, "buffers for %u threads: at most %d", o->threads, THREADS_MAX);
	if (o->pid < 0) return fault_set(fault, EXIT_USAGE, "pid %lld: it is negative", (long long)o->pid);
	if (!o->close_ms) o->close_ms = CLOSE_MS;
	if (o->close_ms < 0) return fault_set(fault, EXIT_USAGE, "close_ms %d: it is negative", o->close_ms);
	return true;
}

/* --- the parts ------------------------------------------------------------------------------ */

static bool copy_names(struct metlog *m, const struct metlog_options *o)
{
	char host[HOST_NAME_MAX + 1] = "";
	if (!o->hostname) gethostname(host, sizeof host - 1);
	m->logger = strdup(o->logger);
	m->hostname = strdup(o->hostname ? o->hostname : host);
	if (!m->logger || !m->hostname) return false;
	m->parts_text = malloc(ESCAPED * (strlen(m->logger) + strlen(m->hostname)) + NUMBER_INT_MAX + 128);
	return m->parts_text != NULL;
}

void client_make_parts(struct metlog *m)
{
	struct message_parts *p = &m->parts;
	char *at = m->parts_text, *tail;
	*p = (struct message_parts){ .logger = span_of(m->logger), .hostname = span_of(m->hostname), .pid = m->pid ? m->pid : getpid() };
	at = MESSAGE_LITERAL(at, ",\"logger\":\"");
	at = message_text(at, p->logger);
	tail = at = MESSAGE_LITERAL(at, "\",\"severity\":");
	p->head = span_between(m->parts_text, at);
	at = MESSAGE_LITERAL(at, "},\"env_version\":\"0.8\",\"metlog_pid\":");
	at = message_int(at, p->pid);
	at = MESSAGE_LITERAL(at, ",\"metlog_hostname\":\"");
	at = message_text(at, p->hostname);
	at = MESSAGE_LITERAL(at, "\"}\n");
	p->tail = span_between(tail, at);
}

/* --- the client --------------------------------------------------------------------------------- */

/* No two clients of a process have the same, though one may stand where another one stood, and threads remember. Never CLIENT_IN_CHILD or CLIENT_CLOSED. */
static uint64_t draw_number(void)
{
	uint64_t number = 0;
	if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number) {
		struct timespec now; /* early in the boot of a machine: no two clients are opened in the same nanosecond of one process */
		clock_gettime(CLOCK_MONOTONIC, &now);
		number = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	}
	return (number | 1U << 16) & UINT64_MAX >> 1;
}

static bool open_sender(struct metlog *m, const char *endpoint, const struct metlog_options *o, struct fault *fault)
{
	struct sender *s = &m->sender;
	m->curve_secret = o->curve_secret ? strdup(o->curve_secret) : NULL;
	m->curve_server = o->curve_server ? strdup(o->curve_server) : NULL;
	if ((o->curve_secret && !m->curve_secret) || (o->curve_server && !m->curve_server)) return fault_set(fault, EXIT_SYSTEM, "no memory for a client");
	s->options = (struct outlet_options){ .curve_secret = m->curve_secret, .curve_server = m->curve_server, .insecure = o->insecure != 0 };
	s->client = m;
	s->lanes = &m->lanes;
	s->parts = &m->parts;
	s->rules = &m->rules;
	s->interrupted = &m->interrupted;
	s->severity = m->severity;
	return sender_open(s, endpoint, fault);
}

static bool open_client(struct metlog *m, const char *endpoint, struct metlog_options *o, struct fault *fault)
{
	struct metlog_fault wrong;
	if (!complete_options(o, fault)) return false;
	m->severity = o->severity;
	m->line_bytes = o->line_bytes;
	m->blocks = o->when_full == METLOG_BLOCK;
	m->close_ms = o->close_ms;
	m->pid = o->pid;
	m->number = draw_number();
	atomic_store(&m->process, getpid());
	if (!copy_names(m, o)) return fault_set(fault, EXIT_SYSTEM, "no memory for a client");
	client_make_parts(m);
	backtrace_prepare();
	if (m->parts.head.length + m->parts.tail.length >= m->line_bytes) return fault_set(fault, EXIT_USAGE, "the names of logger and host are longer than a line of %zu bytes", m->line_bytes);
	if (!rules_init(&m->rules, o, &wrong)) return fault_set(fault, (enum diag_exit)wrong.status, "%s", wrong.text);
	m->has_rules = true;
	if (!lanes_init(&m->lanes, o->threads, o->buffer_bytes, o->line_bytes, fault)) return false;
	m->serial = m->lanes.wiped;
	if (m->lanes.wipes) atomic_store(m->serial, m->number);
	return open_sender(m, endpoint, o, fault);
}

void client_release(struct metlog *m)
{
	if (m->serial) lanes_release(&m->lanes);
	if (m->has_rules) rules_release(&m->rules);
	free(m->parts_text);
	free(m->logger);
	free(m->hostname);
	free(m->curve_secret);
	free(m->curve_server);
	free(m);
}

static void tell(struct metlog_fault *to, const struct fault *fault)
{
	if (!to) return;
	to->status = (int)fault->status;
	snprintf(to->text, sizeof to->text, "%.*s", (int)sizeof to->text - 1, fault->text);
}

static struct metlog *open_given(const char *endpoint, const struct metlog_options *options, struct metlog_fault *to)
{
	struct metlog_options own;
	struct fault fault;
	struct metlog *m = aligned_alloc(_Alignof(struct metlog), sizeof *m);
	if (m) memset(m, 0, sizeof *m);
	else fault_set(&fault, EXIT_SYSTEM, "no memory for a client");
	if (m && copy_options(&own, options, &fault)) {
		if (!endpoint) fault_set(&fault, EXIT_USAGE, "an endpoint is missing");
		else if (open_client(m, endpoint, &own, &fault)) return m;
	}
	if (m) client_release(m);
	tell(to, &fault);
	return NULL;
}

struct metlog *metlog_open(const char *endpoint, const struct metlog_options *options, struct metlog_fault *to)
{
	int cancels;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels); /* who is cancelled leaves nothing behind */
	struct metlog *m = open_given(endpoint, options, to);
	pthread_setcancelstate(cancels, NULL);
	return m;
}
