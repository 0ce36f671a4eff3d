/* options - the command line of metlog-to-cef. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"
#include "io/diag.h"

enum {
	KEY_TO = TOOL_KEY, KEY_HEADER, KEY_FRAMING, KEY_CONFIRM, KEY_WINDOW, KEY_TIMEOUT, KEY_RETRY_FOR, KEY_PACE, KEY_MAX_BYTES,
	KEY_CACERT, KEY_CERT, KEY_KEY, KEY_FACILITY, KEY_PRIORITY, KEY_IDENT, KEY_HOSTNAME, KEY_IGNORE_META,
	KEY_MAP, KEY_PRINT_MAP, KEY_VENDOR, KEY_PRODUCT, KEY_DEVICE_VERSION, KEY_CEF_VERSION, KEY_SEVERITY_MAP, KEY_WRONG_TYPE, KEY_KEYS,
	KEY_PARSE, KEY_EXPLAIN,
};

enum { MAX_BYTES_LEAST = 256, MAX_BYTES_SYSLOG = 8000, MAX_BYTES_UDP = 65507 };

const struct argp_option cef_option_rows[] = {
	{ NULL, 0, NULL, 0, "Where to:", 1 },
	{ "to", KEY_TO, "ENDPOINT", 0, "Send to ENDPOINT: - (default), file:PATH, syslog+udp:HOST[:514], syslog+tcp:HOST[:514], syslog+tls:HOST[:6514], syslog+unix:PATH", 1 },
	{ "header", KEY_HEADER, "FORM", 0, "Put a syslog header in front: rfc3164 (default for syslog), rfc5424, local (default for syslog+unix), none (default for - and file)", 1 },
	{ "max-bytes", KEY_MAX_BYTES, "SIZE", 0, "Keep messages, header included, below SIZE (syslog: default 8000)", 1 },
	{ NULL, 0, NULL, 0, "How, over syslog:", 2 },
	{ "framing", KEY_FRAMING, "HOW", 0, "End messages of a stream with a newline, lf (default for tcp), or put their length before them, counted (default for tls)", 2 },
	{ "confirm", KEY_CONFIRM, "HOW", 0, "Take a stream as delivered when the far side has closed it after us, close (default), or when its kernel has acknowledged it, acked", 2 },
	{ "window", KEY_WINDOW, "SIZE", 0, "Hold at most SIZE of what is not known to be delivered (default 4Mi)", 2 },
	{ "timeout", KEY_TIMEOUT, "DURATION", 0, "Try again if no connection is made in this time; give up, with status 75, on a far side that takes nothing for so long (default 10s)", 2 },
	{ "retry-for", KEY_RETRY_FOR, "DURATION", 0, "Give up, with status 75, on a far side that is away this long (default 60s)", 2 },
	{ "pace", KEY_PACE, "N[/s]", 0, "Send at most N messages a second; the input waits", 2 },
	{ "cacert", KEY_CACERT, "FILE", 0, "Trust the certificate authorities in FILE (default the system's)", 2 },
	{ "cert", KEY_CERT, "FILE", 0, "Show the certificate in FILE", 2 },
	{ "key", KEY_KEY, "FILE", 0, "Use the key in FILE for --cert", 2 },
	{ NULL, 0, NULL, 0, "What stands in the header:", 3 },
	{ "facility", KEY_FACILITY, "NAME", 0, "Facility: kern, user, auth, daemon, local0... (default local4)", 3 },
	{ "priority", KEY_PRIORITY, "NAME", 0, "Severity: emerg, alert, crit, err, warning, notice, info, debug (default the envelope's)", 3 },
	{ "ident", KEY_IDENT, "TEXT", 0, "Name of the program (default none; rfc5424: the logger)", 3 },
	{ "hostname", KEY_HOSTNAME, "TEXT", 0, "Host of envelopes that have none (default this one; rfc5424: none)", 3 },
	{ "ignore-meta", KEY_IGNORE_META, NULL, 0, "Do not let fields.cef_meta change facility, severity and ident", 3 },
	{ NULL, 0, NULL, 0, "What stands in the event:", 4 },
	{ "map", KEY_MAP, "FILE", 0, "Make events by the rules in FILE", 4 },
	{ "print-map", KEY_PRINT_MAP, NULL, 0, "Print the built-in mapping, as a file for --map, and exit", 4 },
	{ "vendor", KEY_VENDOR, "TEXT", 0, "Vendor of the device, where the event does not say it", 4 },
	{ "product", KEY_PRODUCT, "TEXT", 0, "Product of the device, where the event does not say it", 4 },
	{ "device-version", KEY_DEVICE_VERSION, "TEXT", 0, "Version of the device, where the event does not say it", 4 },
	{ "cef-version", KEY_CEF_VERSION, "0|1", 0, "Write CEF:0 (default) or CEF:1", 4 },
	{ "severity-map", KEY_SEVERITY_MAP, "LIST", 0, "CEF's severities for the envelope's 0 to 7 (default 10,9,8,7,5,3,2,0)", 4 },
	{ "wrong-type", KEY_WRONG_TYPE, "WHAT", 0, "Events with a value of the wrong type: reject (default) the event, omit the value, or keep it", 4 },
	{ "keys", KEY_KEYS, "WHICH", 0, "Keys of structured events: any (default), or those of the dictionary; others go into custom keys", 4 },
	{ NULL, 0, NULL, 0, "The other way, and trying out:", 5 },
	{ "parse", KEY_PARSE, NULL, 0, "Read CEF lines, with or without syslog headers, and write envelopes", 5 },
	{ "explain", KEY_EXPLAIN, NULL, 0, "Print each line with what became of its envelope; send nothing", 5 },
	{ 0 },
};

void cef_options_init(struct cef_options *o)
{
	*o = (struct cef_options){
		.to = "-", .header = SYSLOG_HEADER_NONE, .max_bytes = -1, .facility = -1, .priority = -1,
		.mapping.severity = { 10, 9, 8, 7, 5, 3, 2, 0 },
		.syslog = { .window_bytes = 4 * 1024 * 1024, .timeout_ms = 10000, .retry_ms = 60000 },
	};
}

static int choose(const char *option, const char *text, const char *const names[], const char *list)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], text)) return i;
	tool_usage_error("%s: '%s' is not %s", option, text, list);
}

static void read_severities(unsigned char severity[8], const char *text)
{
	const char *at = text;
	for (int i = 0; i < 8; i++) {
		int64_t n;
		struct span one = { at, strcspn(at, ",") };
		at += one.length;
		if (!number_parse_int(span_trim(one), &n) || n < 0 || n > 10 || !*at != (i == 7))
			tool_usage_error("--severity-map: '%s' is not eight numbers from 0 to 10, with commas between", text);
		severity[i] = (unsigned char)n;
		if (*at) at++;
	}
}

static error_t parse_transport(int key, char *text, struct cef_options *o)
{
	static const char *const framings[] = { "lf", "counted", NULL }, *const confirms[] = { "close", "acked", NULL };
	struct syslog_options *s = &o->syslog;
	switch (key) {
	case KEY_FRAMING:
		s->framing = choose("--framing", text, framings, "lf or counted") ? SYSLOG_FRAMING_COUNTED : SYSLOG_FRAMING_LF;
		o->given_syslog = o->given_framing = "--framing";
		return 0;
	case KEY_CONFIRM:
		s->confirm = choose("--confirm", text, confirms, "close or acked") ? SYSLOG_CONFIRM_ACKED : SYSLOG_CONFIRM_CLOSE;
		o->given_syslog = o->given_stream = "--confirm";
		return 0;
	case KEY_WINDOW: s->window_bytes = tool_size("--window", text), o->given_syslog = o->given_stream = "--window"; return 0;
	case KEY_TIMEOUT: s->timeout_ms = tool_milliseconds("--timeout", text), o->given_syslog = "--timeout"; return 0;
	case KEY_RETRY_FOR: s->retry_ms = tool_duration("--retry-for", text) / 1000000, o->given_syslog = "--retry-for"; return 0;
	case KEY_PACE: s->pace = tool_pace("--pace", text, "messages"), o->given_syslog = "--pace"; return 0;
	case KEY_CACERT: s->tls.ca_file = text, o->given_tls = "--cacert"; return 0;
	case KEY_CERT: s->tls.cert_file = text, o->given_tls = "--cert"; return 0;
	case KEY_KEY: s->tls.key_file = text, o->given_tls = "--key"; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_header(int key, char *text, struct cef_options *o)
{
	static const char *const forms[] = { [SYSLOG_HEADER_NONE] = "none", [SYSLOG_HEADER_RFC3164] = "rfc3164", [SYSLOG_HEADER_RFC3164_LOCAL] = "local", [SYSLOG_HEADER_RFC5424] = "rfc5424", NULL };
	switch (key) {
	case KEY_HEADER: o->header = (enum syslog_header)choose("--header", text, forms, "none, rfc3164, local or rfc5424"), o->header_given = true; return 0;
	case KEY_FACILITY:
		o->facility = syslog_facility_find(span_of(text));
		if (o->facility < 0) tool_usage_error("--facility: '%s' is no facility of syslog: kern user mail daemon auth syslog lpr news uucp cron authpriv ftp local0...local7", text);
		o->given_header = "--facility";
		return 0;
	case KEY_PRIORITY:
		o->priority = syslog_severity_find(span_of(text));
		if (o->priority < 0) tool_usage_error("--priority: '%s' is no severity of syslog: emerg alert crit err warning notice info debug", text);
		o->given_header = "--priority";
		return 0;
	case KEY_IDENT: o->ident = text, o->given_header = "--ident"; return 0;
	case KEY_HOSTNAME: o->hostname = text, o->given_header = "--hostname"; return 0;
	case KEY_IGNORE_META: o->ignore_meta = true; return 0;
	default: return parse_transport(key, text, o);
	}
}

error_t cef_option_parse(int key, char *text, struct argp_state *state)
{
	static const char *const versions[] = { "0", "1", NULL }, *const keys[] = { "any", "dictionary", NULL };
	static const char *const wrongs[] = { [RECORD_WRONG_REJECT] = "reject", [RECORD_WRONG_OMIT] = "omit", [RECORD_WRONG_KEEP] = "keep", NULL };
	struct cef_options *o = state->input;
	switch (key) {
	case KEY_TO: o->to = text; return 0;
	case KEY_MAX_BYTES:
		o->max_bytes = (int64_t)tool_size("--max-bytes", text);
		if (o->max_bytes < MAX_BYTES_LEAST || o->max_bytes > RECORD_BYTES_MAX) tool_usage_error("--max-bytes: '%s' is not between %d and 16Mi", text, MAX_BYTES_LEAST);
		return 0;
	case KEY_MAP: o->map = text; return 0;
	case KEY_PRINT_MAP: o->print_map = true; return 0;
	case KEY_VENDOR: o->mapping.vendor = text; return 0;
	case KEY_PRODUCT: o->mapping.product = text; return 0;
	case KEY_DEVICE_VERSION: o->mapping.device_version = text; return 0;
	case KEY_CEF_VERSION: o->rules.version = choose("--cef-version", text, versions, "0 or 1"); return 0;
	case KEY_SEVERITY_MAP: read_severities(o->mapping.severity, text); return 0;
	case KEY_WRONG_TYPE: o->rules.wrong = (enum record_wrong)choose("--wrong-type", text, wrongs, "reject, omit or keep"); return 0;
	case KEY_KEYS: o->rules.dictionary_only = choose("--keys", text, keys, "any or dictionary") == 1; return 0;
	case KEY_PARSE: o->parse = true; return 0;
	case KEY_EXPLAIN: o->explain = true; return 0;
	default: return parse_header(key, text, o);
	}
}

/* What somebody gives first who knows other tools, or ours. */
static const char *foreign(struct span to)
{
	if (span_starts(to, SPAN("udp:")) || span_starts(to, SPAN("tcp:")) || span_starts(to, SPAN("tls:")) || span_starts(to, SPAN("unix:")))
		return "syslog goes there by syslog+udp:, syslog+tcp:, syslog+tls: and syslog+unix:";
	if (span_starts(to, SPAN("http:")) || span_starts(to, SPAN("https:"))) return "events go by syslog, not by HTTP: syslog+tls:HOST[:6514]";
	if (span_starts(to, SPAN("syslog:"))) return "say by what: syslog+udp:, syslog+tcp:, syslog+tls: or syslog+unix:";
	if (span_starts(to, SPAN("/dev/log"))) return "a socket of this machine is syslog+unix:PATH";
	if (span_starts(to, SPAN("/")) || span_starts(to, SPAN("."))) return "a file is file:PATH";
	return "one of -, file:PATH, syslog+udp:HOST[:514], syslog+tcp:HOST[:514], syslog+tls:HOST[:6514] and syslog+unix:PATH is expected";
}

static void read_target(struct cef_options *o)
{
	const char *why;
	struct span to = span_of(o->to);
	o->syslog.to = o->to;
	if (syslog_is(to)) o->target = CEF_TARGET_SYSLOG;
	else if (span_equal(to, SPAN("-"))) o->target = CEF_TARGET_OUTPUT;
	else if (!span_starts(to, SPAN("file:"))) tool_usage_error("--to: '%s': %s", o->to, foreign(to));
	else if (!tool_endpoint(&o->file, to, &why)) tool_usage_error("--to: '%s': %s", o->to, why);
	else o->target = CEF_TARGET_FILE;
}

static void check_readable(const char *option, const char *path)
{
	if (path && access(path, R_OK) < 0) tool_usage_error("%s: %s: %s", option, path, strerror(errno));
}

static void complete_syslog(struct cef_options *o)
{
	struct span to = span_of(o->to);
	bool udp = span_starts(to, SPAN("syslog+udp:")), tls = span_starts(to, SPAN("syslog+tls:")), local = span_starts(to, SPAN("syslog+unix:"));
	if (o->given_framing && (udp || local)) tool_usage_error("--framing: only for syslog+tcp: and syslog+tls:");
	if (o->given_stream && udp) tool_usage_error("%s: not for syslog+udp:, of which nobody knows whether it arrives", o->given_stream);
	if (o->given_tls && !tls) tool_usage_error("%s: only for syslog+tls:", o->given_tls);
	if (!o->syslog.tls.cert_file != !o->syslog.tls.key_file) tool_usage_error("%s: needs %s", o->syslog.tls.cert_file ? "--cert" : "--key", o->syslog.tls.cert_file ? "--key" : "--cert");
	check_readable("--cacert", o->syslog.tls.ca_file);
	check_readable("--cert", o->syslog.tls.cert_file);
	check_readable("--key", o->syslog.tls.key_file);
	if (!o->header_given) o->header = local ? SYSLOG_HEADER_RFC3164_LOCAL : SYSLOG_HEADER_RFC3164;
	if (o->max_bytes < 0) o->max_bytes = MAX_BYTES_SYSLOG;
	if (udp && o->max_bytes > MAX_BYTES_UDP) tool_usage_error("--max-bytes: a datagram has at most %d", MAX_BYTES_UDP);
	if (o->syslog.window_bytes < (size_t)o->max_bytes) tool_usage_error("--window: is less than a message may have (--max-bytes)");
	o->counted = o->syslog.framing == SYSLOG_FRAMING_COUNTED || (tls && o->syslog.framing == SYSLOG_FRAMING_DEFAULT);
	o->syslog.max_bytes = (size_t)o->max_bytes;
}

/* The line is shortened before the header is known, so as much room is left as any can take: host, ident, PID (10 digits). */
static size_t header_most(const struct cef_options *o)
{
	switch (o->header) {
	case SYSLOG_HEADER_RFC3164: return sizeof "<191>Oct  5 12:00:00  [0123456789]: " + o->host_most + 32;
	case SYSLOG_HEADER_RFC3164_LOCAL: return sizeof "<191>Oct  5 12:00:00 [0123456789]: " + 32;
	case SYSLOG_HEADER_RFC5424: return sizeof "<191>1 2012-10-05T12:00:01.137911Z   0123456789 - - " + o->host_most + 48;
	default: return 0;
	}
}

static bool is_about_events(const struct cef_options *o)
{
	bool sends = o->target != CEF_TARGET_OUTPUT || o->explain || o->header_given || o->given_header || o->max_bytes >= 0;
	bool maps = o->map || o->mapping.vendor || o->mapping.product || o->mapping.device_version;
	return sends || maps || o->rules.version || o->rules.wrong != RECORD_WRONG_REJECT || o->rules.dictionary_only;
}

void cef_options_complete(struct cef_options *o, const struct tool_options *shared)
{
	read_target(o);
	if (o->parse && is_about_events(o)) tool_usage_error("--parse writes envelopes to standard output: of the options of events, and where they go, only --severity-map is for it");
	if (o->explain && shared->dry_run) tool_usage_error("one of --dry-run and --explain, not both");
	const char *astray = o->given_syslog ? o->given_syslog : o->given_tls;
	if (o->target == CEF_TARGET_SYSLOG) complete_syslog(o);
	else if (astray) tool_usage_error("%s: only for --to syslog+...", astray);
	if (o->given_header && o->header == SYSLOG_HEADER_NONE) tool_usage_error("%s: there is no header (--header)", o->given_header);
	if (o->max_bytes < 0) o->max_bytes = 0;
	o->host_most = o->max_bytes && o->max_bytes < 1024 ? 64 : 255;
	if (o->max_bytes) o->rules.max_bytes = (size_t)o->max_bytes - header_most(o);
}
