/* webhdfs_call - one operation, on whichever namenode, in one step or two, as often as it takes within retry_ms. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/webhdfs_private.h"

#include <strings.h>

#include "io/diag.h"
#include "io/signals.h"
#include "io/socket.h"
#include "sink/backoff.h"

/* Hadoop's own client waits 0.5 s first and 15 s at most. */
enum { WAIT_FIRST_MS = 400, WAIT_MOST_MS = 15000, TOKENS_MOST = 3, MESSAGE_MOST = 360 };

/* --- one step --- */

static void make_url(struct webhdfs *h, const struct webhdfs_call *call)
{
	struct buffer *url = &h->url;
	buffer_clear(url);
	buffer_append_text(url, h->address.secure ? "https://" : "http://");
	webhdfs_node_append(url, &h->address.node[h->current]);
	buffer_append_text(url, "/webhdfs/v1");
	http_append_encoded(url, call->path.length ? call->path : SPAN("/"), "/=");
	buffer_append_text(url, "?op=");
	buffer_append_text(url, call->op);
	buffer_append_span(url, call->query);
	if (h->token) {
		buffer_append_text(url, "&delegation=");
		http_append_encoded(url, span_of(h->token), "");
	} else if (h->options.user) {
		buffer_append_text(url, "&user.name=");
		http_append_encoded(url, span_of(h->options.user), "");
	}
}

static enum webhdfs_reaction of_failure(struct webhdfs *h, bool at_datanode)
{
	switch (h->answer.failure) {
	case HTTP_ANSWERED: return REACTION_DONE;
	case HTTP_UNREACHABLE: return at_datanode ? REACTION_WAIT : REACTION_ELSEWHERE;
	case HTTP_CUT: return at_datanode ? REACTION_WAIT : REACTION_CUT;
	case HTTP_UNTRUSTED: return REACTION_DENIED;
	case HTTP_STOPPED: return REACTION_STOPPED;
	case HTTP_BODY: return REACTION_IO;
	case HTTP_INTERNAL: break;
	}
	return REACTION_REFUSED;
}

static enum webhdfs_reaction perform(struct webhdfs *h, const struct http_request *request, bool at_datanode)
{
	http_perform(h->http, request, &h->answer);
	enum webhdfs_reaction reaction = of_failure(h, at_datanode);
	if (reaction != REACTION_DONE) {
		webhdfs_explain(h, "%s", h->answer.reason);
		return reaction;
	}
	webhdfs_json_read(&h->json, buffer_span(&h->answer.body));
	return REACTION_DONE;
}

/* "nn1:9870": who has answered, or shall be asked. Borrowed from the text of the URL; neither its query nor a user's name and password is in it. */
static struct span authority(struct span url)
{
	const char *from = memmem(url.data, url.length, "://", 3), *end = url.data + url.length, *at;
	if (!from) return SPAN("somewhere");
	for (at = from += 3; at < end && !strchr("/?#\\", *at); at++) {
		if (*at == '@') from = at + 1;
	}
	return span_between(from, at);
}

/* A proxy's page, or Jetty's: its title is what there is to say. */
static struct span find_title(struct span body)
{
	const char *from = memmem(body.data ? body.data : "", body.length, "<title>", 7), *end = from ? memmem(from, (size_t)(body.data + body.length - from), "</title>", 8) : NULL;
	struct span title = end ? span_trim(span_between(from + 7, end)) : SPAN("no word of WebHDFS; is that the port of the REST interface?");
	return (struct span){ title.data, title.length > MESSAGE_MOST ? MESSAGE_MOST : title.length };
}

/* An answer that is no success. */
static enum webhdfs_reaction judge(struct webhdfs *h, struct span url)
{
	struct span who = authority(url);
	int status = h->answer.status;
	webhdfs_json_text(&h->json, "RemoteException.exception", &h->exception);
	webhdfs_json_text(&h->json, "RemoteException.message", &h->message);
	webhdfs_mask(h, &h->exception);
	webhdfs_mask(h, &h->message);
	enum webhdfs_reaction reaction = webhdfs_reaction_of(status, buffer_span(&h->exception), buffer_span(&h->message));
	if (h->exception.length) {
		struct span first = buffer_span(&h->message);
		const char *line = memchr(first.data ? first.data : "", '\n', first.length);
		if (line) first = span_between(first.data, line);
		if (first.length > MESSAGE_MOST) first.length = MESSAGE_MOST;
		webhdfs_explain(h, "%.*s: %.*s: %.*s", (int)who.length, who.data, (int)h->exception.length, h->exception.data, (int)first.length, first.length ? first.data : "");
	} else if (status >= 200 && status < 300) {
		webhdfs_explain(h, "%.*s: HTTP %d, which is not what WebHDFS answers", (int)who.length, who.data, status);
	} else if (status >= 300 && status < 400) {
		webhdfs_explain(h, "%.*s: HTTP %d, a redirect that WebHDFS does not make", (int)who.length, who.data, status);
	} else if (h->answer.reason[0]) {
		webhdfs_explain(h, "%.*s: HTTP %d: %s", (int)who.length, who.data, status, h->answer.reason);
	} else {
		webhdfs_mask(h, &h->answer.body);
		struct span title = find_title(buffer_span(&h->answer.body));
		webhdfs_explain(h, "%.*s: HTTP %d: %.*s", (int)who.length, who.data, status, (int)title.length, title.data);
	}
	return reaction;
}

/* --- the redirect --- */

/* Where the answer to step one leads: into h->target. False: it leads nowhere. */
static bool find_target(struct webhdfs *h)
{
	struct http_answer *a = &h->answer;
	buffer_clear(&h->target);
	if (a->status == 307 && a->location.length) {
		/* A path alone is of the host that said it. */
		if (a->location.data[0] == '/' && !span_starts(buffer_span(&a->location), SPAN("//"))) {
			buffer_append_text(&h->target, h->address.secure ? "https://" : "http://");
			webhdfs_node_append(&h->target, &h->address.node[h->current]);
		}
		buffer_append_span(&h->target, buffer_span(&a->location));
		return !h->target.failed;
	}
	return a->status == 200 && webhdfs_json_text(&h->json, "Location", &h->target) && h->target.length;
}

/* HttpFS leads to itself, and wants us to be somebody there too; a datanode knows us by what the URL holds. */
static bool is_namenode(const struct webhdfs *h, const struct http_url *url)
{
	for (size_t i = 0; i < h->address.count; i++) {
		const struct webhdfs_node *node = &h->address.node[i];
		if (url->host.length == strlen(node->host) && strncasecmp(url->host.data, node->host, url->host.length) == 0 && url->port == node->port) return true;
	}
	return false;
}

static enum webhdfs_reaction step_two(struct webhdfs *h, const struct webhdfs_call *call)
{
	struct http_url url;
	struct span target = buffer_span(&h->target), from = authority(buffer_span(&h->url));
	const char *refusal = "that is no URL";
	if (http_url_parse(target, &url)) refusal = webhdfs_redirect_refusal(&h->address, &h->options, &url);
	if (refusal) {
		struct span to = authority(target);
		webhdfs_explain(h, "%.*s: redirects to %.*s: %s", (int)from.length, from.data, (int)to.length, to.data, refusal);
		return REACTION_DENIED;
	}
	struct http_request request = {
		.method = call->method, .url = buffer_text(&h->target), .content_type = call->fd >= 0 ? "application/octet-stream" : NULL,
		.negotiate = h->options.negotiate && is_namenode(h, &url), .body_fd = call->fd, .body_bytes = call->bytes, .on_progress = call->on_progress, .context = call->context,
	};
	enum webhdfs_reaction reaction = perform(h, &request, true);
	if (reaction != REACTION_DONE) return reaction;
	if (h->answer.status == call->want) return REACTION_DONE;
	reaction = judge(h, buffer_span(&h->target));
	/* A datanode is not the place to fail over from, but for what it says of its namenode. A file that is gone there was overtaken by another writer. A token that
	 * is not ours is the redirect's; there is a new one in the next. */
	if (reaction == REACTION_CUT || (reaction == REACTION_ABSENT && call->anew) || (reaction == REACTION_TOKEN && !h->token)) return REACTION_WAIT;
	return reaction;
}

static enum webhdfs_reaction try_once(struct webhdfs *h, const struct webhdfs_call *call)
{
	make_url(h, call);
	struct http_request request = { .method = call->method, .url = buffer_text(&h->url), .negotiate = h->options.negotiate, .body_fd = -1 };
	if (h->url.failed || !request.url) {
		webhdfs_explain(h, "the path is too long for a URL");
		return REACTION_REFUSED;
	}
	enum webhdfs_reaction reaction = perform(h, &request, false);
	if (reaction != REACTION_DONE) return reaction;
	if (call->two_steps && find_target(h)) return step_two(h, call);
	if (h->answer.status == call->want && !call->anew) return REACTION_DONE;
	reaction = judge(h, buffer_span(&h->url));
	return reaction == REACTION_ABSENT && call->anew ? REACTION_WAIT : reaction;
}

/* --- again and again --- */

struct tries {
	struct backoff backoff;
	int64_t until_ms;            /* below 0: nothing has failed yet */
	size_t asked;                /* namenodes in a row that were not the right one */
	unsigned tokens;
};

/* Waits before the next try. False: there is none. */
static bool may_try_again(struct webhdfs *h, struct tries *t, bool elsewhere)
{
	int64_t now = socket_clock_ms();
	if (t->until_ms < 0) t->until_ms = now + h->options.retry_ms;
	if (elsewhere) {
		h->current = (h->current + 1) % h->address.count;
		if (++t->asked < h->address.count) return true; /* each of them is asked once before anybody waits */
	}
	t->asked = 0;
	if (now >= t->until_ms) return false;
	int64_t wait_ms = backoff_next_ms(&t->backoff), asked_ms = h->answer.retry_after_s > WAIT_MOST_MS / 1000 ? WAIT_MOST_MS : h->answer.retry_after_s * 1000;
	if (wait_ms < asked_ms) wait_ms = asked_ms;
	if (wait_ms > t->until_ms - now) wait_ms = t->until_ms - now;
	diag_note(1, "%s; again in %.1f s", h->reason, (double)wait_ms / 1000);
	return backoff_wait(wait_ms);
}

static bool token_changed(struct webhdfs *h, struct tries *t)
{
	bool changed = false;
	const char *why;
	if (!h->options.token_file || ++t->tokens > TOKENS_MOST) return false;
	if (!webhdfs_token_read(h, &changed, &why)) {
		webhdfs_explain(h, "%s: %s", h->options.token_file, why);
		return false;
	}
	return changed;
}

enum webhdfs_verdict webhdfs_call(struct webhdfs *h, const struct webhdfs_call *call)
{
	struct tries t = { .backoff = { .first_ms = WAIT_FIRST_MS, .most_ms = WAIT_MOST_MS }, .until_ms = -1 };
	h->reason[0] = '\0';
	for (;;) {
		bool elsewhere = false;
		switch (try_once(h, call)) {
		case REACTION_DONE: return WEBHDFS_DONE;
		case REACTION_ABSENT: return WEBHDFS_ABSENT;
		case REACTION_EXISTS: return WEBHDFS_EXISTS;
		case REACTION_REFUSED: return WEBHDFS_REFUSED;
		case REACTION_DENIED: return WEBHDFS_DENIED;
		case REACTION_STOPPED: return WEBHDFS_STOPPED;
		case REACTION_IO: return WEBHDFS_IO;
		case REACTION_TOKEN:
			if (token_changed(h, &t)) continue;
			return WEBHDFS_DENIED;
		case REACTION_CUT:
			if (call->once) return WEBHDFS_UNKNOWN;
			elsewhere = true;
			break;
		case REACTION_ELSEWHERE: elsewhere = true; break;
		case REACTION_WAIT: break;
		}
		if (!may_try_again(h, &t, elsewhere)) return signals_stopping_now() && socket_clock_ms() < t.until_ms ? WEBHDFS_STOPPED : WEBHDFS_LATER;
	}
}
