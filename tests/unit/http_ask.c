/* http_ask - sends HTTP requests by sink/http and prints what came of each, for tests/http.bats. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/signals.h"
#include "sink/http.h"

/* usage: http_ask [NAME=VALUE...] METHOD URL [METHOD URL...]
 * names: ca cert key map connect stall negotiate type header body bytes limit show */
struct ask {
	struct http_options options;
	struct http_request request;
	const char *body, *show;
	long long bytes;
	uint64_t last_progress;
};

static void progress(void *context, uint64_t sent)
{
	struct ask *ask = context;
	if (sent < ask->last_progress) puts("progress went back");
	ask->last_progress = sent;
}

static void take(struct ask *ask, const char *name, size_t length, const char *value)
{
	struct span n = { name, length };
	if (span_equal(n, SPAN("ca"))) ask->options.ca_file = value;
	else if (span_equal(n, SPAN("cert"))) ask->options.cert_file = value;
	else if (span_equal(n, SPAN("key"))) ask->options.key_file = value;
	else if (span_equal(n, SPAN("map"))) ask->options.maps[ask->options.map_count++] = value;
	else if (span_equal(n, SPAN("connect"))) ask->options.connect_ms = atoll(value);
	else if (span_equal(n, SPAN("stall"))) ask->options.stall_ms = atoll(value);
	else if (span_equal(n, SPAN("negotiate"))) ask->request.negotiate = value[0] == '1';
	else if (span_equal(n, SPAN("type"))) ask->request.content_type = value;
	else if (span_equal(n, SPAN("header"))) ask->request.headers[0] = value;
	else if (span_equal(n, SPAN("limit"))) ask->request.answer_limit = (size_t)atoll(value);
	else if (span_equal(n, SPAN("body"))) ask->body = value;
	else if (span_equal(n, SPAN("bytes"))) ask->bytes = atoll(value);
	else if (span_equal(n, SPAN("show"))) ask->show = value;
	else die(EXIT_USAGE, "unknown name %s", name);
}

static void print(const struct ask *ask, struct http_answer *a)
{
	static const char *const names[] = { "answered", "unreachable", "cut", "untrusted", "stopped", "body", "internal" };
	const char *show = ask->show ? ask->show : "";
	printf("%s %d", names[a->failure], a->status);
	if (a->reason[0]) printf(" (%s)", a->reason);
	if (a->retry_after_s >= 0) printf(" retry-after=%" PRId64, a->retry_after_s);
	if (ask->request.body_fd >= 0) printf(" sent=%" PRIu64, a->sent);
	if (strstr(show, "length")) printf(" length=%zu", a->body.length);
	if (strstr(show, "location")) printf(" location=<%.*s>", (int)a->location.length, a->location.data ? a->location.data : "");
	if (strstr(show, "body")) printf(" body=<%s>", buffer_text(&a->body));
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct ask ask = { .options = { .connect_ms = 10000, .stall_ms = 10000 }, .request = { .body_fd = -1 }, .bytes = -1 };
	struct http_answer answer;
	const char *why, *equals;
	int i = 1;
	diag_init("http_ask");
	signals_open(SIGNALS_STOP);
	for (; i < argc && (equals = strchr(argv[i], '=')) && !strstr(argv[i], "://"); i++) take(&ask, argv[i], (size_t)(equals - argv[i]), equals + 1);
	struct http *http = http_new(&ask.options, &why);
	if (!http) die(EXIT_USAGE, "%s", why);
	if (ask.body && (ask.request.body_fd = open(ask.body, O_RDONLY | O_CLOEXEC)) < 0) die_errno(EXIT_NO_INPUT, "%s", ask.body);
	if (ask.body) ask.request.body_bytes = (uint64_t)(ask.bytes >= 0 ? ask.bytes : lseek(ask.request.body_fd, 0, SEEK_END));
	ask.request.on_progress = progress;
	ask.request.context = &ask;
	http_answer_init(&answer);
	for (; i + 1 < argc; i += 2) {
		ask.request.method = argv[i];
		ask.request.url = argv[i + 1];
		ask.last_progress = 0;
		http_perform(http, &ask.request, &answer);
		print(&ask, &answer);
	}
	http_answer_release(&answer);
	http_free(http);
	if (ask.body) close(ask.request.body_fd);
	return 0;
}
