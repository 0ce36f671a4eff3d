/* corpus - writes a seeded corpus of realistic envelopes for the benchmarks: the same bytes for the same arguments. */
/* SPDX-License-Identifier: MPL-2.0 */

/* The mix, by lines: 70 % counters, timers and gauges (some 280 bytes), 20 % requests with 20 fields (800), 3 % CEF (580),
 * 1 % stack traces for Sentry (8.7 KB), 6 % free text with Unicode and escapes (480). Three producer styles in turn: the
 * separators and \uXXXX of Python's json, compact UTF-8, and another order of members with a decoy "type" inside fields. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum style { STYLE_PYTHON, STYLE_COMPACT, STYLE_REORDERED, STYLE_COUNT };
enum { ID_RANGE = 200000, HOSTS = 40, MS_PER_LINE = 3 };

struct corpus {
	uint64_t state;      /* of the generator */
	uint64_t number;     /* of the line */
	enum style style;
	const char *comma, *colon;
	FILE *out;
};

/* splitmix64: small, and the same everywhere. */
static uint64_t draw(struct corpus *c)
{
	uint64_t z = (c->state += 0x9E3779B97F4A7C15u);
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static unsigned below(struct corpus *c, unsigned limit)
{
	return (unsigned)(draw(c) % limit);
}

static const char *pick(struct corpus *c, const char *const *list, size_t count)
{
	return list[below(c, (unsigned)count)];
}
#define PICK(c, list) pick(c, list, sizeof(list) / sizeof *(list))

static void text(struct corpus *c, const char *name, const char *value)
{
	fprintf(c->out, "%s\"%s\"%s\"%s\"", c->comma, name, c->colon, value);
}

static void number(struct corpus *c, const char *name, unsigned value)
{
	fprintf(c->out, "%s\"%s\"%s%u", c->comma, name, c->colon, value);
}

static void stamp(struct corpus *c, const char *before)
{
	uint64_t ms = c->number * MS_PER_LINE, second = ms / 1000;
	fprintf(c->out, "%s\"timestamp\"%s\"2012-10-%02uT%02u:%02u:%02u.%06uZ\"", before, c->colon,
		(unsigned)(5 + second / 86400) % 26 + 1, (unsigned)(second / 3600 % 24), (unsigned)(second / 60 % 60), (unsigned)(second % 60),
		(unsigned)(ms % 1000 * 1000) + below(c, 1000));
}

/* Nine lines of ten carry an id, as requests of users do. */
static void identity(struct corpus *c)
{
	if (below(c, 10)) fprintf(c->out, "%s\"id\"%s\"user-%06u\"", c->comma, c->colon, below(c, ID_RANGE));
}

static void members_before(struct corpus *c, const char *type, const char *logger, unsigned severity)
{
	fputc('{', c->out);
	if (c->style == STYLE_REORDERED) {
		fprintf(c->out, "\"env_version\"%s\"0.8\"", c->colon);
		number(c, "metlog_pid", 300 + below(c, 30000));
		text(c, "logger", logger);
		return;
	}
	stamp(c, "");
	text(c, "type", type);
	text(c, "logger", logger);
	number(c, "severity", severity);
}

static void members_after(struct corpus *c, const char *type, unsigned severity)
{
	if (c->style == STYLE_REORDERED) {
		number(c, "severity", severity);
		text(c, "type", type);
		stamp(c, c->comma);
	} else {
		text(c, "env_version", "0.8");
		number(c, "metlog_pid", 300 + below(c, 30000));
	}
	fprintf(c->out, "%s\"metlog_hostname\"%s\"web%u.phx1.example.net\"}", c->comma, c->colon, below(c, HOSTS));
}

static void fields_open(struct corpus *c, const char *first_name, const char *first_value)
{
	fprintf(c->out, "%s\"fields\"%s{\"%s\"%s\"%s\"", c->comma, c->colon, first_name, c->colon, first_value);
	if (c->style == STYLE_REORDERED) text(c, "type", "counter");
}

static const char *const loggers[] = { "syncserver", "addons.mozilla.org", "marketplace", "browserid", "pushgo", "ichnaea" };
static const char *const stats[] = { "request.response.2xx", "request.response.5xx", "storage.get", "storage.put", "cache.hit", "cache.miss",
	"auth.login::ldap", "queue.depth", "render.template", "db.pool.checkedout" };

static void metric(struct corpus *c)
{
	static const char *const types[] = { "counter", "counter", "counter", "timer", "timer", "gauge" };
	static const char *const rates[] = { "1", "1.0", "0.1", "0.25" };
	const char *type = PICK(c, types);
	members_before(c, type, PICK(c, loggers), 6);
	fields_open(c, "name", PICK(c, stats));
	fprintf(c->out, "%s\"rate\"%s%s", c->comma, c->colon, PICK(c, rates));
	identity(c);
	fputc('}', c->out);
	unsigned value = *type == 'c' ? 1 + below(c, 3) : below(c, 5000);
	fprintf(c->out, below(c, 2) ? "%s\"payload\"%s\"%u\"" : "%s\"payload\"%s%u", c->comma, c->colon, value);
	members_after(c, type, 6);
}

static void request(struct corpus *c)
{
	static const char *const methods[] = { "GET", "GET", "GET", "POST", "PUT", "DELETE" };
	static const char *const agents[] = { "Mozilla/5.0 (X11; Linux x86_64; rv:16.0) Gecko/20121005 Firefox/16.0",
		"Mozilla/5.0 (Windows NT 6.1; WOW64; rv:15.0) Gecko/20100101 Firefox/15.0.1", "FxSync/1.18.0.20120905 (Android)" };
	char path[64], ip[16];
	snprintf(path, sizeof path, "/1.1/%06u/storage/history/%u", below(c, ID_RANGE), below(c, 100000));
	snprintf(ip, sizeof ip, "10.%u.%u.%u", below(c, 256), below(c, 256), below(c, 256));
	members_before(c, "request", PICK(c, loggers), 6);
	fields_open(c, "method", PICK(c, methods));
	text(c, "path", path);
	number(c, "status", below(c, 20) ? 200 : 503);
	text(c, "remote", ip);
	text(c, "user_agent", PICK(c, agents));
	text(c, "referer", "https://addons.mozilla.org/en-US/firefox/extensions/?sort=users");
	identity(c);
	number(c, "bytes_in", below(c, 4000));
	number(c, "bytes_out", below(c, 90000));
	fprintf(c->out, "%s\"took_ms\"%s%u.%03u", c->comma, c->colon, below(c, 900), below(c, 1000));
	static const char *const rest[] = { "accept", "encoding", "language", "protocol", "session", "region", "country", "node", "release" };
	static const char *const values[] = { "text/html,application/xhtml+xml", "gzip, deflate", "de-AT,de;q=0.8,en;q=0.5", "HTTP/1.1",
		"c2f0a1d4-77aa-4b5e", "eu-west-1b", "AT", "sync7.phx1", "2012-10-04-1.14" };
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) text(c, rest[i], values[i]);
	fprintf(c->out, "%s\"cached\"%s%s%s\"user\"%snull}", c->comma, c->colon, below(c, 2) ? "true" : "false", c->comma, c->colon);
	text(c, "payload", "");
	members_after(c, "request", 6);
}

static void cef(struct corpus *c)
{
	members_before(c, "cef", "security", 4);
	fields_open(c, "kind", "cef");
	fprintf(c->out, "%s\"cef_meta\"%s{\"syslog_priority\"%snull%s\"syslog_ident\"%snull%s\"syslog_facility\"%snull%s\"syslog_options\"%snull}",
		c->comma, c->colon, c->colon, c->comma, c->colon, c->comma, c->colon, c->comma, c->colon);
	identity(c);
	fprintf(c->out, "}%s\"payload\"%s\"Oct 05 12:%02u:%02u web%u CEF:0|mozilla|sync|1.14|AuthFail|Authentication \\\\| failed|5|"
		"cs1Label=requestClientApplication cs1=Mozilla/5.0 (X11; Linux x86_64\\\\=rv) requestMethod=POST "
		"request=/user/1.0/login?next\\\\=%%2Fhome src=10.%u.%u.%u dhost=auth.example.net suser=user-%06u\"",
		c->comma, c->colon, below(c, 60), below(c, 60), below(c, HOSTS), below(c, 256), below(c, 256), below(c, 256), below(c, ID_RANGE));
	members_after(c, "cef", 4);
}

static void sentry(struct corpus *c)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	members_before(c, "sentry", "errors", 3);
	fields_open(c, "msg", "KeyError: \\\"session\\\" in middleware");
	fprintf(c->out, "%s\"dsn\"%s\"udp://1234567890abcdef:fedcba0987654321@sentry.example.net:9001/2\"%s\"epoch_timestamp\"%s1349438401.13",
		c->comma, c->colon, c->comma, c->colon);
	identity(c);
	fprintf(c->out, "}%s\"payload\"%s\"", c->comma, c->colon);
	for (unsigned length = 7600 + below(c, 1400); length >= 8; length -= 8) {
		uint64_t bits = draw(c);
		for (int i = 0; i < 8; i++, bits >>= 6) fputc(base64[bits & 63], c->out);
	}
	fputc('"', c->out);
	members_after(c, "sentry", 3);
}

static void free_text(struct corpus *c)
{
	static const char *const escaped[] = { "d\\u00e9j\\u00e0 vu \\u2013 na\\u00efve caf\\u00e9", "\\u041e\\u0448\\u0438\\u0431\\u043a\\u0430 \\u0432 \\u043c\\u043e\\u0434\\u0443\\u043b\\u0435",
		"\\u30a8\\u30e9\\u30fc \\ud83d\\udd25" };
	static const char *const raw[] = { "déjà vu – naïve café", "Ошибка в модуле хранения", "エラー 🔥 再試行します" };
	static const char *const rest[] = { "Traceback (most recent call last):\\n  File \\\"/srv/app/views.py\\\", line 214, in get\\n    return self.store[key]\\n",
		"connection to \\\"C:\\\\data\\\\queue\\\" refused\\t(attempt 3 of 5), will be tried again in 250 ms; see the operator's handbook" };
	static const char *const types[] = { "oldstyle", "services", "procinfo", "wsgi" };
	const char *type = PICK(c, types);
	members_before(c, type, PICK(c, loggers), below(c, 8));
	fields_open(c, "module", "views");
	identity(c);
	fprintf(c->out, "}%s\"payload\"%s\"", c->comma, c->colon);
	for (int i = 0; i < 2; i++) {
		fputs(c->style == STYLE_PYTHON ? PICK(c, escaped) : PICK(c, raw), c->out);
		fputc(' ', c->out);
		fputs(PICK(c, rest), c->out);
	}
	fputc('"', c->out);
	members_after(c, type, below(c, 8));
}

/* What breaks in the field: torn lines, single quotes, two lines in one, bare text, bytes that are not UTF-8, a wrong type. */
static void malformed(struct corpus *c)
{
	static const char *const lines[] = { "{\"timestamp\": \"2012-10-05T12:00:01Z\", \"type\": \"cou", "{'type': 'counter', 'payload': '1'}",
		"{\"type\":\"counter\"}{\"type\":\"timer\"}", "Oct  5 12:00:01 web1 app[311]: connection refused", "{\"type\":\"text\",\"payload\":\"caf\xe9\"}",
		"{\"type\":\"counter\",\"severity\":\"6\"}", "{\"payload\":NaN}" };
	fputs(PICK(c, lines), c->out);
}

static void line(struct corpus *c, unsigned bad_permille)
{
	c->style = (enum style)below(c, STYLE_COUNT);
	c->comma = c->style == STYLE_COMPACT ? "," : ", ";
	c->colon = c->style == STYLE_COMPACT ? ":" : ": ";
	unsigned kind = below(c, 100);
	if (below(c, 1000) < bad_permille) malformed(c);
	else if (kind < 70) metric(c);
	else if (kind < 90) request(c);
	else if (kind < 93) cef(c);
	else if (kind < 94) sentry(c);
	else free_text(c);
	fputc('\n', c->out);
	c->number++;
}

int main(int argc, char **argv)
{
	unsigned long long lines = 1000000, seed = 1;
	unsigned bad_permille = 0;
	for (int option; (option = getopt(argc, argv, "n:s:b:")) != -1;) {
		if (option == 'n') lines = strtoull(optarg, NULL, 10);
		else if (option == 's') seed = strtoull(optarg, NULL, 10);
		else if (option == 'b') bad_permille = (unsigned)strtoul(optarg, NULL, 10);
		else {
			fputs("usage: corpus [-n LINES] [-s SEED] [-b BAD-PER-MILLE]\n", stderr);
			return 64;
		}
	}
	struct corpus c = { .state = seed, .out = stdout };
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	while (lines-- && !ferror(stdout)) line(&c, bad_permille);
	return fclose(stdout) ? 74 : 0;
}
