/* maker - makes realistic envelopes of a kind: metrics, requests, security events, errors, free text. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "maker.h"

#include "base/checksum.h"
#include "base/timestamp.h"
#include "unicode.h"

enum { IDENTITIES = 200000, HOSTS = 40, PAYLOAD_MAX = 1 << 30, UNICODE_USUAL = 160 };
#define PICK(m, list) (list)[draw_below(&(m)->draw, sizeof(list) / sizeof *(list))]

const char *const maker_kind_names[MAKER_KIND_COUNT] = { "counter", "timer", "gauge", "set", "request", "log", "cef", "sentry" };
const unsigned maker_mix[MAKER_KIND_COUNT] = { 35, 23, 12, 0, 20, 6, 3, 1 };

void maker_init(struct maker *m)
{
	*m = (struct maker){ 0 };
	buffer_init(&m->payload, PAYLOAD_MAX);
}

void maker_release(struct maker *m)
{
	buffer_release(&m->payload);
}

enum maker_kind maker_draw_kind(struct draw *d, const unsigned weights[MAKER_KIND_COUNT], unsigned total)
{
	unsigned at = draw_below(d, total), kind = 0;
	while (kind < MAKER_KIND_COUNT - 1 && at >= weights[kind]) at -= weights[kind++];
	return (enum maker_kind)kind;
}

/* --- pieces of a line ------------------------------------------------------------- */

static unsigned below(struct maker *m, unsigned limit)
{
	return draw_below(&m->draw, limit);
}

static inline void put(struct maker *m, const char *literal)
{
	buffer_append(m->out, literal, strlen(literal));
}

static inline void put_number(struct maker *m, unsigned value)
{
	char digits[10], *at = digits + sizeof digits;
	do *--at = (char)('0' + value % 10);
	while (value /= 10);
	buffer_append(m->out, at, (size_t)(digits + sizeof digits - at));
}

/* With leading zeros. */
static void put_digits(struct maker *m, unsigned value, int width)
{
	char digits[10];
	for (int i = width; i--; value /= 10) digits[i] = (char)('0' + value % 10);
	buffer_append(m->out, digits, (size_t)width);
}

static inline void name(struct maker *m, const char *key)
{
	buffer_append_byte(m->out, '"');
	put(m, key);
	buffer_append_byte(m->out, '"');
	buffer_append_span(m->out, m->colon);
}

static inline void member(struct maker *m, const char *key)
{
	buffer_append_span(m->out, m->comma);
	name(m, key);
}

static void text(struct maker *m, const char *key, const char *value)
{
	member(m, key);
	buffer_append_byte(m->out, '"');
	put(m, value);
	buffer_append_byte(m->out, '"');
}

static void number(struct maker *m, const char *key, unsigned value)
{
	member(m, key);
	put_number(m, value);
}

static void stamp(struct maker *m)
{
	char printed[TIMESTAMP_MAX];
	name(m, "timestamp");
	buffer_append_byte(m->out, '"');
	buffer_append(m->out, printed, timestamp_print(printed, m->stamp));
	buffer_append_byte(m->out, '"');
}

/* --- what all kinds share ---------------------------------------------------------- */

static void members_before(struct maker *m, const char *type, const char *logger, unsigned severity)
{
	buffer_append_byte(m->out, '{');
	if (m->style == MAKER_REORDERED) {
		name(m, "env_version");
		put(m, "\"0.8\"");
		number(m, "metlog_pid", 300 + below(m, 30000));
		text(m, "logger", logger);
		return;
	}
	stamp(m);
	text(m, "type", type);
	text(m, "logger", logger);
	number(m, "severity", severity);
}

static void members_after(struct maker *m, const char *type, unsigned severity)
{
	if (m->style == MAKER_REORDERED) {
		number(m, "severity", severity);
		text(m, "type", type);
		buffer_append_span(m->out, m->comma);
		stamp(m);
	} else {
		text(m, "env_version", "0.8");
		number(m, "metlog_pid", 300 + below(m, 30000));
	}
	member(m, "metlog_hostname");
	put(m, "\"web");
	put_number(m, below(m, HOSTS));
	put(m, ".phx1.example.net\"}");
}

static void fields_open(struct maker *m, const char *first_name, const char *first_value)
{
	member(m, "fields");
	buffer_append_byte(m->out, '{');
	name(m, first_name);
	buffer_append_byte(m->out, '"');
	put(m, first_value);
	buffer_append_byte(m->out, '"');
	if (m->style == MAKER_REORDERED) text(m, "type", "counter");
}

/* The payload has been made by now. */
static void fields_close(struct maker *m)
{
	if (m->id.length) {
		member(m, "id");
		buffer_append_byte(m->out, '"');
		buffer_append_span(m->out, m->id);
		buffer_append_byte(m->out, '"');
	}
	if (m->check) {
		static const char hexadecimal[] = "0123456789abcdef";
		uint64_t sum = checksum_of(buffer_span(&m->payload));
		char shown[] = "\"xxh3:0123456789abcdef\"";
		for (int i = 0; i < 16; i++, sum >>= 4) shown[21 - i] = hexadecimal[sum & 15];
		member(m, "check");
		buffer_append(m->out, shown, sizeof shown - 1);
	}
	if (m->unicode) {
		member(m, "text");
		buffer_append_byte(m->out, '"');
		unicode_append(m->out, &m->draw, 8 + below(m, UNICODE_USUAL));
		buffer_append_byte(m->out, '"');
	}
	buffer_append_byte(m->out, '}');
}

static void payload(struct maker *m, bool quoted)
{
	member(m, "payload");
	if (quoted) buffer_append_byte(m->out, '"');
	buffer_append_span(m->out, buffer_span(&m->payload));
	if (quoted) buffer_append_byte(m->out, '"');
}

/* --- payloads: made first, since fields.check tells of them -------------------------- */

static void base64(struct maker *m, size_t length)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (!buffer_reserve(&m->payload, length + 8)) return;
	for (size_t end = m->payload.length + length; m->payload.length < end; m->payload.length += 8) {
		uint64_t bits = draw_next(&m->draw);
		for (size_t i = 0; i < 8; i++, bits >>= 6) m->payload.data[m->payload.length + i] = letters[bits & 63];
		if (end - m->payload.length < 8) {
			m->payload.length = end;
			return;
		}
	}
}

static void phrases(struct maker *m)
{
	static const char *const escaped[] = { "d\\u00e9j\\u00e0 vu \\u2013 na\\u00efve caf\\u00e9", "\\u041e\\u0448\\u0438\\u0431\\u043a\\u0430 \\u0432 \\u043c\\u043e\\u0434\\u0443\\u043b\\u0435",
		"\\u30a8\\u30e9\\u30fc \\ud83d\\udd25" };
	static const char *const raw[] = { "déjà vu – naïve café", "Ошибка в модуле хранения", "エラー 🔥 再試行します" };
	static const char *const rest[] = { "Traceback (most recent call last):\\n  File \\\"/srv/app/views.py\\\", line 214, in get\\n    return self.store[key]\\n",
		"connection to \\\"C:\\\\data\\\\queue\\\" refused\\t(attempt 3 of 5), will be tried again in 250 ms; see the operator's handbook" };
	for (int i = 0; i < 2; i++) {
		buffer_append_text(&m->payload, m->style == MAKER_PYTHON ? PICK(m, escaped) : PICK(m, raw));
		buffer_append_byte(&m->payload, ' ');
		buffer_append_text(&m->payload, PICK(m, rest));
	}
}

static void security_event(struct maker *m)
{
	struct buffer *line = m->out;
	m->out = &m->payload;
	put(m, "Oct 05 12:");
	put_digits(m, below(m, 60), 2);
	put(m, ":");
	put_digits(m, below(m, 60), 2);
	put(m, " web");
	put_number(m, below(m, HOSTS));
	put(m, " CEF:0|mozilla|sync|1.14|AuthFail|Authentication \\\\| failed|5|cs1Label=requestClientApplication "
	       "cs1=Mozilla/5.0 (X11; Linux x86_64\\\\=rv) requestMethod=POST request=/user/1.0/login?next\\\\=%2Fhome src=10.");
	for (int i = 0; i < 3; i++) put_number(m, below(m, 256)), put(m, i < 2 ? "." : " dhost=auth.example.net suser=user-");
	put_digits(m, below(m, IDENTITIES), 6);
	m->out = line;
}

/* A text: of the asked size, or what is usual for the kind. */
static void payload_text(struct maker *m, enum maker_kind kind)
{
	size_t length = m->payload_most ? draw_between(&m->draw, m->payload_least, m->payload_most) : 0;
	if (m->unicode) unicode_append(&m->payload, &m->draw, m->payload_most ? length : 8 + below(m, UNICODE_USUAL));
	else if (m->payload_most) base64(m, length);
	else if (kind == MAKER_LOG) phrases(m);
	else if (kind == MAKER_CEF) security_event(m);
	else if (kind == MAKER_SENTRY) base64(m, 7600 + below(m, 1400));
}

/* --- the kinds ------------------------------------------------------------------------ */

static const char *const loggers[] = { "syncserver", "addons.mozilla.org", "marketplace", "browserid", "pushgo", "ichnaea" };

static void metric(struct maker *m, enum maker_kind kind)
{
	static const char *const metrics[] = { "request.response.2xx", "request.response.5xx", "storage.get", "storage.put", "cache.hit", "cache.miss",
		"auth.login::ldap", "queue.depth", "render.template", "db.pool.checkedout" };
	static const char *const rates[] = { "1", "1.0", "0.1", "0.25" };
	const char *type = maker_kind_names[kind];
	unsigned value = kind == MAKER_COUNTER ? 1 + below(m, 3) : below(m, 5000);
	if (kind == MAKER_SET) buffer_append_text(&m->payload, "user-");
	buffer_append_int(&m->payload, value);
	members_before(m, type, PICK(m, loggers), 6);
	fields_open(m, "name", PICK(m, metrics));
	member(m, "rate");
	put(m, PICK(m, rates));
	fields_close(m);
	payload(m, kind == MAKER_SET || below(m, 2));
	members_after(m, type, 6);
}

static void address(struct maker *m)
{
	member(m, "remote");
	put(m, "\"10.");
	for (int i = 0; i < 3; i++) put_number(m, below(m, 256)), put(m, i < 2 ? "." : "\"");
}

static void path(struct maker *m)
{
	member(m, "path");
	put(m, "\"/1.1/");
	put_digits(m, below(m, IDENTITIES), 6);
	put(m, "/storage/history/");
	put_number(m, below(m, 100000));
	put(m, "\"");
}

static void request(struct maker *m)
{
	static const char *const methods[] = { "GET", "GET", "GET", "POST", "PUT", "DELETE" };
	static const char *const agents[] = { "Mozilla/5.0 (X11; Linux x86_64; rv:16.0) Gecko/20121005 Firefox/16.0",
		"Mozilla/5.0 (Windows NT 6.1; WOW64; rv:15.0) Gecko/20100101 Firefox/15.0.1", "FxSync/1.18.0.20120905 (Android)" };
	static const char *const rest[][2] = { { "accept", "text/html,application/xhtml+xml" }, { "encoding", "gzip, deflate" }, { "language", "de-AT,de;q=0.8,en;q=0.5" },
		{ "protocol", "HTTP/1.1" }, { "session", "c2f0a1d4-77aa-4b5e" }, { "region", "eu-west-1b" }, { "country", "AT" }, { "node", "sync7.phx1" },
		{ "release", "2012-10-04-1.14" } };
	payload_text(m, MAKER_REQUEST);
	members_before(m, "request", PICK(m, loggers), 6);
	fields_open(m, "method", PICK(m, methods));
	path(m);
	number(m, "status", below(m, 20) ? 200 : 503);
	address(m);
	text(m, "user_agent", PICK(m, agents));
	text(m, "referer", "https://addons.mozilla.org/en-US/firefox/extensions/?sort=users");
	number(m, "bytes_in", below(m, 4000));
	number(m, "bytes_out", below(m, 90000));
	number(m, "took_ms", below(m, 900));
	put(m, ".");
	put_digits(m, below(m, 1000), 3);
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) text(m, rest[i][0], rest[i][1]);
	member(m, "cached");
	put(m, below(m, 2) ? "true" : "false");
	member(m, "user");
	put(m, "null");
	fields_close(m);
	payload(m, true);
	members_after(m, "request", 6);
}

static void cef(struct maker *m)
{
	static const char *const meta[] = { "syslog_ident", "syslog_facility", "syslog_options" };
	payload_text(m, MAKER_CEF);
	members_before(m, "cef", "security", 4);
	fields_open(m, "kind", "cef");
	member(m, "cef_meta");
	put(m, "{");
	name(m, "syslog_priority");
	put(m, "null");
	for (size_t i = 0; i < sizeof meta / sizeof *meta; i++) member(m, meta[i]), put(m, "null");
	put(m, "}");
	fields_close(m);
	payload(m, true);
	members_after(m, "cef", 4);
}

static void sentry(struct maker *m)
{
	payload_text(m, MAKER_SENTRY);
	members_before(m, "sentry", "errors", 3);
	fields_open(m, "msg", "KeyError: \\\"session\\\" in middleware");
	text(m, "dsn", "udp://1234567890abcdef:fedcba0987654321@sentry.example.net:9001/2");
	member(m, "epoch_timestamp");
	put(m, "1349438401.13");
	fields_close(m);
	payload(m, true);
	members_after(m, "sentry", 3);
}

static void free_text(struct maker *m)
{
	static const char *const types[] = { "oldstyle", "services", "procinfo", "wsgi" };
	const char *type = PICK(m, types);
	unsigned severity = below(m, 8);
	payload_text(m, MAKER_LOG);
	members_before(m, type, PICK(m, loggers), severity);
	fields_open(m, "module", "views");
	fields_close(m);
	payload(m, true);
	members_after(m, type, severity);
}

void maker_make(struct maker *m, struct draw draw, const struct maker_order *order, struct buffer *out)
{
	m->draw = draw;
	m->out = out;
	m->stamp = order->stamp;
	m->id = order->id;
	m->unicode = order->unicode;
	m->style = (enum maker_style)below(m, MAKER_STYLE_COUNT);
	m->comma = m->style == MAKER_COMPACT ? SPAN(",") : SPAN(", ");
	m->colon = m->style == MAKER_COMPACT ? SPAN(":") : SPAN(": ");
	buffer_clear(&m->payload);
	switch (order->kind) {
	case MAKER_REQUEST: request(m); break;
	case MAKER_LOG: free_text(m); break;
	case MAKER_CEF: cef(m); break;
	case MAKER_SENTRY: sentry(m); break;
	default: metric(m, order->kind);
	}
	if (m->payload.failed) out->failed = true;
}
