/* options - the command line of metlog-to-hdfs. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/number.h"
#include "io/diag.h"

enum {
	KEY_TO = TOOL_KEY, KEY_VERIFY, KEY_CONFLICT, KEY_PERMISSION, KEY_REPLICATION, KEY_BLOCK_SIZE, KEY_RETRY_FOR, KEY_TIMEOUT,
	KEY_USER, KEY_TOKEN_FILE, KEY_NEGOTIATE, KEY_CACERT, KEY_CERT, KEY_KEY, KEY_MAP, KEY_DATANODE,
	KEY_LAYOUT, KEY_MAX_FUTURE, KEY_MAX_AGE, KEY_MAX_PARTITIONS, KEY_OPEN, KEY_ROTATE_BYTES, KEY_ROTATE_AGE, KEY_NAME,
	KEY_FORMAT, KEY_COMPRESS, KEY_STAGING, KEY_JSON, KEY_DDL, KEY_TABLE, KEY_ADD_PARTITIONS, KEY_EXPLAIN,
};

enum { NAME_MAX_BYTES = 100 }; /* of --name: with number, extension and the temporary name's parts it is below 255 */

const struct argp_option hdfs_option_rows[] = {
	{ NULL, 0, NULL, 0, "Where to:", 1 },
	{ "to", KEY_TO, "URL", 0, "Publish below URL: webhdfs://HOST[:PORT][,HOST...]/PATH, swebhdfs://... (TLS), file:PATH", 1 },
	{ "conflict", KEY_CONFLICT, "WHAT", 0, "When another file has our name: fail (default) or replace", 1 },
	{ "verify", KEY_VERIFY, NULL, 0, "Compare checksums, too, not only lengths", 1 },
	{ "permission", KEY_PERMISSION, "OCTAL", 0, "Permission of new files (default the server's)", 1 },
	{ "replication", KEY_REPLICATION, "N", 0, "Copies of new files in HDFS (default the server's)", 1 },
	{ "block-size", KEY_BLOCK_SIZE, "SIZE", 0, "Block size of new files in HDFS (default the server's)", 1 },
	{ "retry-for", KEY_RETRY_FOR, "DURATION", 0, "Give up, with status 75, on a cluster that is away this long (default 60s)", 1 },
	{ "timeout", KEY_TIMEOUT, "DURATION", 0, "Give up a connection on which no byte moves for so long (default 60s)", 1 },
	{ NULL, 0, NULL, 0, "Who we are, and whom we trust:", 2 },
	{ "user", KEY_USER, "NAME", 0, "Write as user NAME, on a cluster without Kerberos", 2 },
	{ "token-file", KEY_TOKEN_FILE, "FILE", 0, "Use the delegation token in FILE", 2 },
	{ "negotiate", KEY_NEGOTIATE, NULL, 0, "Authenticate by Kerberos (SPNEGO)", 2 },
	{ "cacert", KEY_CACERT, "FILE", 0, "Trust the certificate authorities in FILE (default the system's)", 2 },
	{ "cert", KEY_CERT, "FILE", 0, "Show the certificate in FILE", 2 },
	{ "key", KEY_KEY, "FILE", 0, "Use the key in FILE for --cert", 2 },
	{ "map", KEY_MAP, "HOST[:PORT]=HOST[:PORT]", 0, "Connect to the second where the first is named; may be repeated", 2 },
	{ "datanode", KEY_DATANODE, "PATTERN", 0, "Let the cluster send us to such hosts, too: dn7.example.net, *.example.net, *; may be repeated", 2 },
	{ NULL, 0, NULL, 0, "Which file:", 3 },
	{ "layout", KEY_LAYOUT, "TEMPLATE", 0, "Directory of an envelope (default type={type}/dt={date}/hour={hour}); {fields.NAME|DEFAULT}; a last component with {name} is the file's name", 3 },
	{ "max-future", KEY_MAX_FUTURE, "DURATION", 0, "Put envelopes stamped so much later than now below _future (default 1d)", 3 },
	{ "max-age", KEY_MAX_AGE, "DURATION", 0, "Put envelopes stamped so much earlier than now below _late (default never)", 3 },
	{ "max-partitions", KEY_MAX_PARTITIONS, "N", 0, "After N directories in a run put the others' envelopes into _overflow (default 1024)", 3 },
	{ "open", KEY_OPEN, "N", 0, "Fill at most N files at a time (default 64)", 3 },
	{ "rotate-bytes", KEY_ROTATE_BYTES, "SIZE", 0, "Publish a file once it has SIZE of lines, before compression (default 512M)", 3 },
	{ "rotate-age", KEY_ROTATE_AGE, "DURATION", 0, "Publish a stream's file so long after its first line (default 10m; 0 is never)", 3 },
	{ "name", KEY_NAME, "NAME", 0, "Name the input, and so its files NAME-1, NAME-2...: it is given again until the status is 0", 3 },
	{ NULL, 0, NULL, 0, "What is in it, and where it waits:", 4 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "Write json (default), the envelopes byte for byte, or hive, mended for its readers", 4 },
	{ "compress", KEY_COMPRESS, "HOW[:LEVEL]", 0, "Compress files: zstd (default), gzip or none", 4 },
	{ "staging", KEY_STAGING, "DIR", 0, "Keep what is not published yet in DIR (default by the environment, see the manual)", 4 },
	{ NULL, 0, NULL, 0, "What is said:", 5 },
	{ "json", KEY_JSON, NULL, 0, "Write an object for each file to standard output, and one with the sums", 5 },
	{ "ddl", KEY_DDL, NULL, 0, "Print HiveQL for the layout, and for the partitions of FILEs; publish nothing", 5 },
	{ "table", KEY_TABLE, "NAME", 0, "Call the table NAME in HiveQL (default metlog)", 5 },
	{ "add-partitions", KEY_ADD_PARTITIONS, "FILE", 0, "Append to FILE (- is standard output) the statements for the partitions in which something was published", 5 },
	{ "dry-run", 'n', NULL, 0, "Print path, envelopes and bytes of each file that would be published; publish nothing", 5 },
	{ "explain", KEY_EXPLAIN, NULL, 0, "Print the directory and the line of each envelope; publish nothing", 5 },
	{ 0 },
};

void hdfs_options_init(struct hdfs_options *o)
{
	*o = (struct hdfs_options){
		.layout = "type={type}/dt={date}/hour={hour}", .table = "metlog",
		.late_ns = -1, .future_ns = INT64_C(86400000000000),
		.partitions = { .rotate_bytes = 512000000, .rotate_ms = 600000, .open_limit = 64, .partition_limit = 1024, .pack = PACK_ZSTD },
		.webhdfs = { .retry_ms = 60000, .http = { .connect_ms = 15000, .stall_ms = 60000 } },
	};
}

static void read_compress(struct partitions_options *p, const char *text)
{
	struct span how = { text, strcspn(text, ":") };
	if (span_equal(how, SPAN("none"))) p->pack = PACK_NONE;
	else if (span_equal(how, SPAN("gzip"))) p->pack = PACK_GZIP;
	else if (span_equal(how, SPAN("zstd"))) p->pack = PACK_ZSTD;
	else tool_usage_error("--compress: '%s' is not none, gzip or zstd", text);
	p->level = 0;
	if (!text[how.length]) return;
	if (p->pack == PACK_NONE) tool_usage_error("--compress: '%s': none has no level", text);
	p->level = (int)tool_integer("--compress", text + how.length + 1, 1, p->pack == PACK_GZIP ? 9 : 19);
}

bool hdfs_name_is_plain(const char *text)
{
	size_t length = strlen(text);
	if (length < 1 || length > NAME_MAX_BYTES || text[0] == '.' || text[0] == '_') return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-=+@,") == length;
}

static void read_permission(struct hdfs_options *o, const char *text)
{
	size_t length = strlen(text);
	if (length < 3 || length > 4 || strspn(text, "01234567") != length) tool_usage_error("--permission: '%s' is not an octal permission such as 640", text);
	o->webhdfs.permission = text;
}

static void add_text(const char *option, const char **list, size_t *count, size_t most, const char *text)
{
	if (*count == most) tool_usage_error("%s: more than %zu of them", option, most);
	list[(*count)++] = text;
}

static error_t parse_target(int key, char *text, struct hdfs_options *o)
{
	struct webhdfs_options *w = &o->webhdfs;
	switch (key) {
	case KEY_TO: o->to = text; return 0;
	case KEY_VERIFY: o->verify = true; return 0;
	case KEY_CONFLICT:
		o->replace = !strcmp(text, "replace");
		if (!o->replace && strcmp(text, "fail") != 0) tool_usage_error("--conflict: '%s' is not fail or replace", text);
		return 0;
	case KEY_PERMISSION: read_permission(o, text); return 0;
	case KEY_REPLICATION: w->replication = tool_integer("--replication", text, 1, 512); return 0;
	case KEY_BLOCK_SIZE:
		w->block_bytes = (int64_t)tool_size("--block-size", text);
		if (w->block_bytes < 1 || w->block_bytes > INT64_C(1) << 40) tool_usage_error("--block-size: '%s' is not between 1 and 1Ti", text);
		return 0;
	case KEY_RETRY_FOR: w->retry_ms = tool_duration("--retry-for", text) / 1000000; return 0;
	case KEY_TIMEOUT:
		w->http.stall_ms = tool_milliseconds("--timeout", text);
		if (w->http.connect_ms > w->http.stall_ms) w->http.connect_ms = w->http.stall_ms;
		return 0;
	case KEY_USER: w->user = text; return 0;
	case KEY_TOKEN_FILE: w->token_file = text; return 0;
	case KEY_NEGOTIATE: w->negotiate = true; return 0;
	case KEY_CACERT: w->http.ca_file = text; return 0;
	case KEY_CERT: w->http.cert_file = text; return 0;
	case KEY_KEY: w->http.key_file = text; return 0;
	case KEY_MAP: add_text("--map", w->http.maps, &w->http.map_count, HTTP_MAPS_MAX, text); return 0;
	case KEY_DATANODE: add_text("--datanode", w->datanodes, &w->datanode_count, WEBHDFS_HOSTS_MAX, text); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

error_t hdfs_option_parse(int key, char *text, struct argp_state *state)
{
	struct hdfs_options *o = state->input;
	struct partitions_options *p = &o->partitions;
	switch (key) {
	case KEY_LAYOUT: o->layout = text; return 0;
	case KEY_MAX_FUTURE: o->future_ns = tool_duration("--max-future", text), o->future_given = true; return 0;
	case KEY_MAX_AGE: o->late_ns = tool_duration("--max-age", text); return 0;
	case KEY_MAX_PARTITIONS: p->partition_limit = (size_t)tool_integer("--max-partitions", text, 1, 1000000); return 0;
	case KEY_OPEN: p->open_limit = (size_t)tool_integer("--open", text, 1, 10000); return 0;
	case KEY_ROTATE_BYTES:
		p->rotate_bytes = tool_size("--rotate-bytes", text);
		if (!p->rotate_bytes) tool_usage_error("--rotate-bytes: it is 0");
		return 0;
	case KEY_ROTATE_AGE:
		p->rotate_ms = tool_duration("--rotate-age", text) / 1000000;
		if (!p->rotate_ms) p->rotate_ms = -1;
		return 0;
	case KEY_NAME:
		if (!hdfs_name_is_plain(text)) tool_usage_error("--name: '%s' is not 1 to %d of A-Z a-z 0-9 . _ - = + @ , with neither . nor _ in front", text, NAME_MAX_BYTES);
		p->segment = text;
		return 0;
	case KEY_FORMAT:
		o->hive = !strcmp(text, "hive");
		if (!o->hive && strcmp(text, "json") != 0) tool_usage_error("--format: '%s' is not json or hive", text);
		return 0;
	case KEY_COMPRESS: read_compress(p, text); return 0;
	case KEY_STAGING: o->staging = text; return 0;
	case KEY_JSON: o->json = true; return 0;
	case KEY_DDL: o->ddl = true; return 0;
	case KEY_TABLE: o->table = text; return 0;
	case KEY_ADD_PARTITIONS: o->add_partitions = text; return 0;
	case KEY_EXPLAIN: o->explain = true; return 0;
	case 'n': o->dry_run = true; return 0;
	default: return parse_target(key, text, o);
	}
}

static const char *joined(struct span dir, const char *more)
{
	struct buffer path;
	buffer_init(&path, 65536);
	buffer_append_span(&path, dir);
	buffer_append_text(&path, more);
	const char *text = buffer_text(&path);
	if (!text || path.failed) die(EXIT_INTERNAL, "no memory for a path");
	return text;
}

static const char *staging_by_environment(void)
{
	const char *text = getenv("METLOG_STAGING");
	if (text && *text) return text;
	text = getenv("STATE_DIRECTORY"); /* of several, parted by colons, the first */
	if (text && *text) return joined((struct span){ text, strcspn(text, ":") }, "/to-hdfs");
	text = getenv("XDG_STATE_HOME");
	if (text && *text == '/') return joined(span_of(text), "/metlog/to-hdfs");
	text = getenv("HOME");
	if (text && *text == '/') return joined(span_of(text), "/.local/state/metlog/to-hdfs");
	return NULL;
}

static void check_readable(const char *option, const char *path)
{
	if (path && access(path, R_OK) < 0) tool_usage_error("%s: %s: %s", option, path, strerror(errno));
}

void hdfs_options_complete(struct hdfs_options *o)
{
	bool publishes = !o->dry_run && !o->ddl && !o->explain;
	if (o->ddl + o->dry_run + o->explain > 1) tool_usage_error("one of --dry-run, --ddl and --explain, not several");
	if (!o->to && (publishes || o->ddl)) tool_usage_error("--to is missing: where to publish, such as --to webhdfs://namenode:9870/data/metlog or --to file:PATH");
	o->add_partitions_to_output = o->add_partitions && (!strcmp(o->add_partitions, "-") || !strcmp(o->add_partitions, "/dev/stdout"));
	if (o->add_partitions_to_output && o->json) tool_usage_error("--add-partitions: standard output has what --json writes");
	if (o->webhdfs.http.key_file && !o->webhdfs.http.cert_file) tool_usage_error("--key: needs --cert");
	if (!!o->webhdfs.user + !!o->webhdfs.token_file + o->webhdfs.negotiate > 1) tool_usage_error("one of --user, --token-file and --negotiate, not several");
	check_readable("--cacert", o->webhdfs.http.ca_file);
	check_readable("--cert", o->webhdfs.http.cert_file);
	check_readable("--key", o->webhdfs.http.key_file);
	if (!publishes) return;
	if (!o->staging) o->staging = staging_by_environment();
	if (!o->staging) die(EXIT_CONFIGURATION, "where to keep what is not published yet: none of --staging, METLOG_STAGING, STATE_DIRECTORY, XDG_STATE_HOME and HOME is set");
}
