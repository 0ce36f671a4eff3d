/* config - what a file says of a client; metlog-client(5). */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/config.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "base/number.h"
#include "client/ini.h"
#include "client/rules.h"

enum { VALUE_MAX = 1 << 20, FILTERS_MAX = 256, SEVERITY_MAX = 7, SHOWN = 200 /* bytes of what was given, in a message */ };

struct config_block {
	struct config_block *next;
	_Alignas(max_align_t) char bytes[];
};

/* The section that is being read. */
enum section { SECTION_NONE, SECTION_CLIENT, SECTION_FILTER, SECTION_OTHER };

struct filter {
	size_t line, provider_line, severity_line, types_line;
	struct span name;
	const char *provider, *severity;
	const char **types;
};

struct reading {
	struct config *config;
	struct ini ini;
	const char *path;
	struct fault *fault;
	enum section section;
	unsigned seen;             /* keys of this section: a bit each */
	bool had_client;
	const char **names;        /* of the filters so far */
	struct filter filter;
};

static bool wrong_at(struct reading *r, size_t line, const char *what, const char *given)
{
	if (!given) return fault_set(r->fault, EXIT_CONFIGURATION, "%s:%zu: %s", r->path, line, what);
	return fault_set(r->fault, EXIT_CONFIGURATION, "%s:%zu: %s: \"%.*s\"", r->path, line, what, SHOWN, given);
}

static bool wrong(struct reading *r, const char *what, const char *given)
{
	return wrong_at(r, r->ini.line, what, given);
}

/* --- memory --------------------------------------------------------------------------------- */

static void *keep(struct reading *r, size_t size)
{
	struct config_block *block = malloc(sizeof *block + size);
	if (!block) {
		fault_set(r->fault, EXIT_SYSTEM, "%s: no memory", r->path);
		return NULL;
	}
	block->next = r->config->memory;
	r->config->memory = block;
	return block->bytes;
}

static char *keep_text(struct reading *r, struct span text)
{
	char *copy = keep(r, text.length + 1);
	if (!copy) return NULL;
	if (text.length) memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	return copy;
}

static size_t list_count(const char *const *list)
{
	size_t count = 0;
	while (list && list[count]) count++;
	return count;
}

static bool is_among(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (strcmp(*list, name) == 0) return true;
	return false;
}

/* Both lists behind one another. */
static const char **join(struct reading *r, const char *const *a, const char *const *b)
{
	size_t before = list_count(a), more = list_count(b);
	const char **both = keep(r, (before + more + 1) * sizeof *both);
	if (!both) return NULL;
	if (before) memcpy(both, a, before * sizeof *both);
	if (more) memcpy(both + before, b, more * sizeof *both);
	both[before + more] = NULL;
	return both;
}

/* --- values ----------------------------------------------------------------------------------- */

/* The value, with the environment variable that it begins with; NULL: said why. */
static char *take_text(struct reading *r)
{
	struct span value = buffer_span(&r->ini.value);
	const char *brace = span_starts(value, SPAN("${")) ? memchr(value.data, '}', value.length) : NULL;
	if (!brace) return keep_text(r, value);
	char *name = keep_text(r, span_between(value.data + 2, brace));
	if (!name) return NULL;
	const char *known = secure_getenv(name);
	if (!known) {
		wrong(r, "no such environment variable", name);
		return NULL;
	}
	struct span front = span_of(known), rest = span_between(brace + 1, value.data + value.length);
	char *text = keep(r, front.length + rest.length + 1);
	if (!text) return NULL;
	memcpy(text, front.data, front.length);
	memcpy(text + front.length, rest.data, rest.length);
	text[front.length + rest.length] = '\0';
	return text;
}

static const char **take_list(struct reading *r)
{
	static const char blanks[] = " \t\r\n";
	char *text = take_text(r);
	if (!text) return NULL;
	const char **names = keep(r, (strlen(text) / 2 + 2) * sizeof *names);
	if (!names) return NULL;
	size_t count = 0;
	for (char *rest = text, *word; (word = strtok_r(rest, blanks, &rest));) names[count++] = word;
	names[count] = NULL;
	return names;
}

static bool read_severity(const char *text, int *severity)
{
	if (text[0] < '0' || text[0] > '0' + SEVERITY_MAX || text[1]) return false;
	*severity = text[0] - '0';
	return true;
}

static bool read_switch(const char *text, int *on)
{
	static const char *const words[] = { "no", "off", "false", "f", "0", "yes", "on", "true", "t", "1" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(text, words[i]) == 0) {
			*on = i >= sizeof words / sizeof *words / 2;
			return true;
		}
	return false;
}

static bool read_bytes(const char *text, size_t *bytes)
{
	uint64_t number;
	if (!number_parse_size(span_of(text), &number) || number == 0 || number > SIZE_MAX / 4) return false;
	*bytes = (size_t)number;
	return true;
}

static bool read_count(const char *text, unsigned *count)
{
	int64_t number;
	if (!number_parse_int(span_of(text), &number) || number < 1 || number > INT_MAX) return false;
	*count = (unsigned)number;
	return true;
}

static bool read_wait(const char *text, int *milliseconds)
{
	int64_t nanoseconds;
	if (!number_parse_duration(span_of(text), &nanoseconds) || nanoseconds < 1000000 || nanoseconds / 1000000 > INT_MAX) return false;
	*milliseconds = (int)(nanoseconds / 1000000);
	return true;
}

static bool read_full(const char *text, enum metlog_full *full)
{
	*full = strcmp(text, "block") == 0 ? METLOG_BLOCK : METLOG_DROP;
	return *full == METLOG_BLOCK || strcmp(text, "drop") == 0;
}

/* --- [metlog] ----------------------------------------------------------------------------------- */

enum kind { KIND_TEXT, KIND_LIST, KIND_SEVERITY, KIND_SWITCH, KIND_BYTES, KIND_COUNT, KIND_WAIT, KIND_FULL };
static const char *const wanted[] = {
	[KIND_SEVERITY] = "not from 0 to 7", [KIND_SWITCH] = "neither yes nor no", [KIND_BYTES] = "not a size, as 64k or 2Mi", [KIND_COUNT] = "not a number of threads",
	[KIND_WAIT] = "not a duration, as 500ms or 5s", [KIND_FULL] = "neither drop nor block",
};

static bool read_value(enum kind kind, const char *text, void *to)
{
	switch (kind) {
	case KIND_SEVERITY: return read_severity(text, to);
	case KIND_SWITCH: return read_switch(text, to);
	case KIND_BYTES: return read_bytes(text, to);
	case KIND_COUNT: return read_count(text, to);
	case KIND_WAIT: return read_wait(text, to);
	case KIND_FULL: return read_full(text, to);
	case KIND_TEXT: case KIND_LIST: break;
	}
	return false;
}

static const struct key { const char *name; enum kind kind; size_t offset; } keys[] = {
	{ "endpoint", KIND_TEXT, offsetof(struct config, endpoint) },
	{ "logger", KIND_TEXT, offsetof(struct config, options.logger) },
	{ "hostname", KIND_TEXT, offsetof(struct config, options.hostname) },
	{ "severity", KIND_SEVERITY, offsetof(struct config, options.severity) },
	{ "disabled_timers", KIND_LIST, offsetof(struct config, options.disabled_timers) },
	{ "when_full", KIND_FULL, offsetof(struct config, options.when_full) },
	{ "buffer", KIND_BYTES, offsetof(struct config, options.buffer_bytes) },
	{ "line", KIND_BYTES, offsetof(struct config, options.line_bytes) },
	{ "threads", KIND_COUNT, offsetof(struct config, options.threads) },
	{ "close", KIND_WAIT, offsetof(struct config, options.close_ms) },
	{ "curve_secret", KIND_TEXT, offsetof(struct config, options.curve_secret) },
	{ "curve_server", KIND_TEXT, offsetof(struct config, options.curve_server) },
	{ "insecure", KIND_SWITCH, offsetof(struct config, options.insecure) },
};

static bool is_called(struct span name, const char *key)
{
	return name.length == strlen(key) && strncasecmp(name.data, key, name.length) == 0;
}

/* A key for the second time is a mistake, not a choice. */
static bool is_first(struct reading *r, unsigned number)
{
	bool first = !(r->seen & 1U << number);
	r->seen |= 1U << number;
	return first || wrong(r, "the key is there twice", NULL);
}

static bool unknown_key(struct reading *r)
{
	const char *name = keep_text(r, r->ini.name);
	return name && wrong(r, "unknown key", name);
}

static bool take_key(struct reading *r)
{
	const struct key *key = keys, *end = keys + sizeof keys / sizeof *keys;
	while (key < end && !is_called(r->ini.name, key->name)) key++;
	if (key == end) return unknown_key(r);
	if (!is_first(r, (unsigned)(key - keys))) return false;
	void *to = (char *)r->config + key->offset;
	if (key->kind == KIND_LIST) return (*(const char *const **)to = take_list(r)) != NULL;
	const char *text = take_text(r);
	if (!text) return false;
	if (strchr(text, '\n')) return wrong(r, "one line is expected", text);
	if (key->kind == KIND_TEXT) *(const char **)to = text;
	else if (!read_value(key->kind, text, to)) return wrong(r, wanted[key->kind], text);
	return true;
}

/* --- [metlog_filter_NAME] ------------------------------------------------------------------------ */

static bool take_filter_key(struct reading *r)
{
	struct filter *f = &r->filter;
	struct span name = r->ini.name;
	size_t line = r->ini.line;
	if (is_called(name, "types")) return is_first(r, 0) && (f->types_line = line, f->types = take_list(r)) != NULL;
	if (is_called(name, "provider")) return is_first(r, 1) && (f->provider_line = line, f->provider = take_text(r)) != NULL;
	if (is_called(name, "severity")) return is_first(r, 2) && (f->severity_line = line, f->severity = take_text(r)) != NULL;
	return unknown_key(r);
}

/* A message must pass all filters: of several lists of allowed types, it must be in each. */
static bool allow(struct reading *r, const char **types)
{
	struct metlog_options *o = &r->config->options;
	const char **kept = join(r, types, NULL);
	if (!kept) return false;
	size_t count = 0;
	for (size_t i = 0; types[i]; i++)
		if (!o->types_allowed || is_among(o->types_allowed, types[i])) kept[count++] = types[i];
	kept[count] = NULL;
	o->types_allowed = kept;
	return true;
}

static bool limit_types(struct reading *r, const char **types)
{
	struct metlog_options *o = &r->config->options;
	struct rules_type type;
	for (size_t i = 0; types[i]; i++)
		if (!rules_read_type(&type, types[i])) return wrong_at(r, r->filter.types_line, "not TYPE:N with a severity from 0 to 7", types[i]);
	return (o->type_severities = join(r, o->type_severities, types)) != NULL;
}

static bool limit_severity(struct reading *r, const char *text)
{
	struct metlog_options *o = &r->config->options;
	int severity;
	if (!read_severity(text, &severity)) return wrong_at(r, r->filter.severity_line, wanted[KIND_SEVERITY], text);
	if (o->severity_max == METLOG_SEVERITY_DEFAULT || severity < o->severity_max) o->severity_max = severity;
	return true;
}

/* The last part of a dotted name, without "_provider": of "metlog.filters.type_blacklist_provider" that is type_blacklist. */
static struct span provider_name(const char *text)
{
	static const struct span end = SPAN("_provider");
	const char *dot = strrchr(text, '.');
	struct span name = span_of(dot ? dot + 1 : text);
	if (name.length > end.length && span_equal((struct span){ name.data + name.length - end.length, end.length }, end)) name.length -= end.length;
	return name;
}

/* At the end of its section, for its keys come in any order. */
static bool end_filter(struct reading *r)
{
	struct filter *f = &r->filter;
	if (r->section != SECTION_FILTER) return true;
	if (!f->provider) return wrong_at(r, f->line, "the filter has no provider", NULL);
	struct span name = provider_name(f->provider);
	bool by_severity = span_equal(name, SPAN("severity_max")), by_both = span_equal(name, SPAN("type_severity_max"));
	bool allows = span_equal(name, SPAN("type_allow")) || span_equal(name, SPAN("type_whitelist"));
	bool denies = span_equal(name, SPAN("type_deny")) || span_equal(name, SPAN("type_blacklist"));
	if (!by_severity && !by_both && !allows && !denies)
		return wrong_at(r, f->provider_line, "not a provider (severity_max type_allow type_deny type_severity_max)", f->provider);
	if (by_severity ? !f->severity || f->types : !f->types || f->severity) return wrong_at(r, f->provider_line, by_severity ? "the filter takes `severity'" : "the filter takes `types'", NULL);
	if (by_severity) return limit_severity(r, f->severity);
	if (by_both) return limit_types(r, f->types);
	if (allows) return allow(r, f->types);
	return (r->config->options.types_denied = join(r, r->config->options.types_denied, f->types)) != NULL;
}

/* --- the file -------------------------------------------------------------------------------------- */

static bool begin_filter(struct reading *r, const char *name)
{
	const char *const one[] = { name, NULL };
	if (is_among(r->names, name)) return wrong(r, "the section is there twice", name);
	if (list_count(r->names) == FILTERS_MAX) return wrong(r, "more than 256 filters", NULL);
	r->filter = (struct filter){ .line = r->ini.line };
	r->section = SECTION_FILTER;
	return (r->names = join(r, r->names, one)) != NULL;
}

static bool begin_section(struct reading *r)
{
	struct span name = r->ini.name;
	r->section = SECTION_OTHER;
	r->seen = 0;
	if (!span_starts(name, SPAN("metlog"))) return true;
	const char *text = keep_text(r, name);
	if (!text) return false;
	if (span_starts(name, SPAN("metlog_filter_"))) return begin_filter(r, text);
	if (!span_equal(name, SPAN("metlog"))) return wrong(r, "unknown section", text);
	if (r->had_client) return wrong(r, "the section is there twice", text);
	r->had_client = true;
	r->section = SECTION_CLIENT;
	return true;
}

static bool take_item(struct reading *r, enum ini_item item)
{
	if (item == INI_NO_MEMORY) return wrong(r, "a value is too long", NULL);
	if (item == INI_SECTION) return end_filter(r) && begin_section(r);
	if (r->section == SECTION_OTHER) return true; /* somebody else's, whatever is in it */
	if (item == INI_WRONG) return wrong(r, r->ini.wrong, NULL);
	if (r->section == SECTION_NONE) return wrong(r, "a [section] is missing before this", NULL);
	return r->section == SECTION_CLIENT ? take_key(r) : take_filter_key(r);
}

bool config_read(struct config *c, struct span text, const char *path, struct fault *fault)
{
	struct reading r = { .config = c, .path = path, .fault = fault };
	enum ini_item item;
	bool good = true;
	*c = (struct config){ 0 };
	metlog_options_init(&c->options, sizeof c->options);
	ini_init(&r.ini, text, VALUE_MAX);
	while (good && (item = ini_next(&r.ini)) != INI_END) good = take_item(&r, item);
	good = good && end_filter(&r);
	if (good && !r.had_client) good = fault_set(fault, EXIT_CONFIGURATION, "%s: there is no section [metlog]", path);
	ini_release(&r.ini);
	return good;
}

void config_override(struct config *c, const struct metlog_options *given)
{
	struct metlog_options *o = &c->options;
	if (given->logger) o->logger = given->logger;
	if (given->hostname) o->hostname = given->hostname;
	if (given->severity != METLOG_SEVERITY_DEFAULT) o->severity = given->severity;
	if (given->when_full != METLOG_DROP) o->when_full = given->when_full;
	if (given->buffer_bytes) o->buffer_bytes = given->buffer_bytes;
	if (given->line_bytes) o->line_bytes = given->line_bytes;
	if (given->threads) o->threads = given->threads;
	if (given->disabled_timers) o->disabled_timers = given->disabled_timers;
	if (given->severity_max != METLOG_SEVERITY_DEFAULT) o->severity_max = given->severity_max;
	if (given->types_allowed) o->types_allowed = given->types_allowed;
	if (given->types_denied) o->types_denied = given->types_denied;
	if (given->type_severities) o->type_severities = given->type_severities;
	if (given->curve_secret) o->curve_secret = given->curve_secret;
	if (given->curve_server) o->curve_server = given->curve_server;
	if (given->insecure) o->insecure = given->insecure;
	if (given->pid) o->pid = given->pid;
	if (given->close_ms) o->close_ms = given->close_ms;
}

void config_release(struct config *c)
{
	for (struct config_block *block = c->memory, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	*c = (struct config){ 0 };
}
