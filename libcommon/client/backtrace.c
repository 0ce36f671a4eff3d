/* backtrace - where the caller is, as the exception of a Sentry event. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/client.h"

#include <dlfcn.h>
#include <execinfo.h>
#include "base/timestamp.h"
#include "client/message_text.h"

/* TAKEN: return addresses, from the caller outwards. SHOWN: frames in the event: of more, those in the middle are left out. TEXT: bytes of a text in the event, escapes aside.
 * SHARE: of the memory, a text has at most one part in so many, and the event leaves one for the rest of the envelope. */
enum { TAKEN_MAX = 512, SHOWN_MAX = 100, TEXT_MAX = 8192, SHARE = 4, ESCAPE_MAX = 6, FRAME_MAX = 200 /* of a frame without its texts */ };

/* What is written so far, and the end of the memory. */
struct room {
	char *at, *end;
	size_t text_max;
};

static bool has_room(const struct room *r, size_t length)
{
	return (size_t)(r->end - r->at) >= length;
}

/* As much of the text as an event needs, cut between two characters. */
static struct span shortened(const char *text, size_t most)
{
	struct span s = { text, strnlen(text, most + 1) };
	if (s.length <= most) return s;
	s.length = most;
	while (s.length && s.length + 4 > most && (text[s.length] & 0xc0) == 0x80) s.length--;
	return s;
}

static bool put_text(struct room *r, const char *text)
{
	struct span s = shortened(text, r->text_max);
	if (!has_room(r, ESCAPE_MAX * s.length + 2)) return false;
	*r->at++ = '"';
	r->at = message_text(r->at, s);
	*r->at++ = '"';
	return true;
}

static char *write_address(char *at, const char *name, const void *address)
{
	static const char digits[] = "0123456789abcdef";
	uintptr_t value = (uintptr_t)address;
	int shift = 0;
	while (shift < (int)sizeof value * 8 - 4 && value >> shift >> 4) shift += 4;
	at = message_copy(at, name, strlen(name));
	at = MESSAGE_LITERAL(at, "\"0x");
	for (; shift >= 0; shift -= 4) *at++ = digits[value >> shift & 15];
	*at++ = '"';
	return at;
}

/* A return address stands behind the call: what is asked for is the byte before it, which is in the caller even if the call was its end. */
static bool put_frame(struct room *r, void *address)
{
	Dl_info info = { 0 };
	bool known = dladdr((char *)address - 1, &info) != 0;
	if (!has_room(r, FRAME_MAX)) return false;
	r->at = write_address(r->at, "{\"instruction_addr\":", address);
	if (known && info.dli_fbase) r->at = write_address(r->at, ",\"image_addr\":", info.dli_fbase);
	if (known && info.dli_saddr) r->at = write_address(r->at, ",\"symbol_addr\":", info.dli_saddr);
	if (known && info.dli_sname) {
		r->at = MESSAGE_LITERAL(r->at, ",\"function\":");
		if (!put_text(r, info.dli_sname) || !has_room(r, FRAME_MAX)) return false;
	}
	if (known && info.dli_fname) {
		r->at = MESSAGE_LITERAL(r->at, ",\"package\":");
		if (!put_text(r, info.dli_fname) || !has_room(r, FRAME_MAX)) return false;
	}
	*r->at++ = '}';
	*r->at++ = ',';
	return true;
}

/* Callers first. */
static bool put_frames(struct room *r, void *const *addresses, size_t count, size_t shown)
{
	size_t left_out = count > shown ? count - shown : 0;
	char *start = r->at;
	for (size_t i = count; i > 0; i--) {
		bool middle = i > (shown + 1) / 2 && i <= (shown + 1) / 2 + left_out;
		if (!middle && !put_frame(r, addresses[i - 1])) return false;
	}
	if (r->at > start) r->at--; /* the last comma */
	return true;
}

/* The value of fields.exception; false: there is no room for so many frames. */
static bool put_exception(struct room *r, const char *kind, const char *text, void *const *addresses, size_t count, size_t shown)
{
	if (!has_room(r, FRAME_MAX)) return false;
	r->at = MESSAGE_LITERAL(r->at, "{\"values\":[{\"type\":");
	if (!put_text(r, kind) || !has_room(r, FRAME_MAX)) return false;
	r->at = MESSAGE_LITERAL(r->at, ",\"value\":");
	if (!put_text(r, text) || !has_room(r, FRAME_MAX)) return false;
	r->at = MESSAGE_LITERAL(r->at, ",\"stacktrace\":{\"frames\":[");
	if (!put_frames(r, addresses, count, shown) || !has_room(r, FRAME_MAX)) return false;
	r->at = MESSAGE_LITERAL(r->at, "]}}]}");
	return true;
}

/* With as many frames as there is room for. Empty: not even for one. */
static struct span write_exception(char *memory, size_t size, const char *kind, const char *text, void *const *addresses, size_t count)
{
	size_t text_max = size / SHARE / ESCAPE_MAX < TEXT_MAX ? size / SHARE / ESCAPE_MAX : TEXT_MAX;
	for (size_t shown = SHOWN_MAX; shown; shown /= 2) {
		struct room r = { memory, memory + size - size / SHARE, text_max };
		if (put_exception(&r, kind, text, addresses, count, shown)) return span_between(memory, r.at);
	}
	return SPAN("");
}

static enum metlog_result send_trace(struct metlog *client, struct message *message, const char *kind, const char *text, void *const *addresses, size_t count)
{
	size_t size;
	char *memory = client_scratch(client, &size);
	if (!memory) return client_drop(client);
	struct span exception = write_exception(memory, size, kind, text, addresses, count);
	if (!exception.length) return client_refuse_scratch(client);
	struct metlog_field own[] = { metlog_field_json("exception", ""), metlog_field_text("platform", "native") };
	own[0].value.text = exception.data;
	own[0].length = exception.length;
	message->own = own;
	message->own_count = 2;
	return client_send_scratch(client, message);
}

/* Not inlined: the first frame that is shown is the one that this function returns to, whatever is between it and backtrace(3). */
__attribute__((noinline)) enum metlog_result metlog_backtrace(struct metlog *client, int severity, const char *kind, const char *text, struct metlog_fields fields)
{
	if (!client) return METLOG_CLOSED;
	struct message message = {
		.type = SPAN("sentry"), .severity = severity == METLOG_SEVERITY_DEFAULT ? METLOG_ERROR : severity, .payload = span_of(text ? text : ""),
		.fields = fields.list, .field_count = fields.count, .timestamp_ns = timestamp_now(),
	};
	const struct rules *rules = client_rules(client);
	if (rules->is_any && !rules_pass(rules, message.type, message.severity)) return client_leave_out(client);
	void *addresses[TAKEN_MAX];
	int taken = backtrace(addresses, TAKEN_MAX), first = 0;
	const void *caller = __builtin_extract_return_addr(__builtin_return_address(0));
	while (first < taken && addresses[first] != caller) first++;
	if (first == taken) first = 0;
	return send_trace(client, &message, kind ? kind : "Error", text ? text : "", addresses + first, (size_t)(taken - first));
}

void backtrace_prepare(void)
{
	void *address;
	backtrace(&address, 1);
}
