/* fuzz_scan - the scanner, the verdict and the look-up of fields against jansson, and every kernel against the plain one. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/text.h"
#include "envelope/field.h"
#include "envelope/scan.h"

enum { BAD = SCAN_BAD_ESCAPE | SCAN_CONTROL | SCAN_OPEN_STRING | SCAN_NOT_UTF8 };

/* --- what jansson says of the line --- */

enum opinion { OPINION_GOOD, OPINION_BAD, OPINION_NONE };

/* Jansson holds less than RFC 8259 allows; where one of these made it refuse, it has no opinion. Its own messages say which. */
static bool is_narrow(const json_error_t *error)
{
	static const char *const narrow[] = { "too big integer", "too big negative integer", "real number overflow", "NUL byte in object key not supported",
		                              "invalid Unicode '\\u", "maximum parsing depth reached" };
	for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++)
		if (strncmp(error->text, narrow[i], strlen(narrow[i])) == 0) return true;
	return false;
}

/* How many containers are open at most, of a line that is JSON. */
static unsigned depth_of(struct span line)
{
	unsigned depth = 0, most = 0;
	bool inside = false;
	for (size_t i = 0; i < line.length; i++) {
		char c = line.data[i];
		if (inside && c == '\\') i++;
		else if (c == '"') inside = !inside;
		else if (!inside && (c == '{' || c == '[')) most = ++depth > most ? depth : most;
		else if (!inside && (c == '}' || c == ']')) depth--;
	}
	return most;
}

static const char *const members[] = { "timestamp", "logger", "type", "severity", "payload", "fields", "env_version" };

static bool types_are_right(json_t *root)
{
	json_t *value;
	for (size_t i = 0; i < 3; i++)
		if ((value = json_object_get(root, members[i])) && !json_is_string(value)) return false;
	if ((value = json_object_get(root, "severity")) && (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > 7)) return false;
	if ((value = json_object_get(root, "fields")) && !json_is_object(value)) return false;
	if (!(value = json_object_get(root, "env_version"))) return true;
	return json_is_string(value) && json_string_length(value) == 3 && memcmp(json_string_value(value), "0.8", 3) == 0;
}

/* Jansson's tree keeps one of each repeated key, so the names of the line's own members are collected from its text. The line is JSON. */
static bool repeats_a_member(struct span line)
{
	unsigned depth = 0, seen = 0;
	for (size_t i = 0; i < line.length; i++) {
		char c = line.data[i];
		if (c == '{' || c == '[') depth++;
		else if (c == '}' || c == ']') depth--;
		if (c != '"') continue;
		size_t end = i + 1;
		while (line.data[end] != '"') end += line.data[end] == '\\' ? 2 : 1;
		size_t behind = end + 1;
		while (behind < line.length && strchr(" \t\r", line.data[behind])) behind++;
		if (depth == 1 && behind < line.length && line.data[behind] == ':') {
			json_t *name = json_loadb(line.data + i, end + 1 - i, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
			for (size_t m = 0; name && m < 7; m++) {
				if (json_string_length(name) != strlen(members[m]) || memcmp(json_string_value(name), members[m], strlen(members[m])) != 0) continue;
				if (seen & 1U << m) {
					json_decref(name);
					return true;
				}
				seen |= 1U << m;
			}
			json_decref(name);
		}
		i = end;
	}
	return false;
}

static enum opinion jansson_opinion(struct span line, json_t **root)
{
	json_error_t error;
	*root = NULL;
	if (memchr(line.data, '\0', line.length)) return OPINION_BAD;
	*root = json_loadb(line.data, line.length, JSON_ALLOW_NUL, &error);
	if (!*root) return is_narrow(&error) ? OPINION_NONE : OPINION_BAD;
	if (!json_is_object(*root) || depth_of(line) > 64 || repeats_a_member(line) || !types_are_right(*root)) return OPINION_BAD;
	/* As a severity, -0 is none of the eight digits; in jansson's tree it is the integer 0. */
	bool may_be_minus_zero = json_is_integer(json_object_get(*root, "severity")) && memmem(line.data, line.length, "-0", 2);
	return may_be_minus_zero ? OPINION_NONE : OPINION_GOOD;
}

/* --- what jansson holds must be what field_find finds --- */

static _Noreturn void differ(const char *what, struct span line)
{
	fprintf(stderr, "%s: %.*s\n", what, (int)line.length, line.data);
	abort();
}

static void expect_same_value(const struct envelope *e, struct value value, json_t *json)
{
	static const enum value_kind kinds[] = {
		[JSON_OBJECT] = VALUE_OBJECT, [JSON_ARRAY] = VALUE_ARRAY, [JSON_STRING] = VALUE_STRING, [JSON_INTEGER] = VALUE_NUMBER,
		[JSON_REAL] = VALUE_NUMBER, [JSON_TRUE] = VALUE_TRUE, [JSON_FALSE] = VALUE_FALSE, [JSON_NULL] = VALUE_NULL,
	};
	if (!json ? value.kind != VALUE_ABSENT : value.kind != kinds[json_typeof(json)]) differ("another kind of value than jansson's", e->line);
	if (json_is_string(json)) {
		struct buffer text;
		buffer_init(&text, 1 << 20);
		struct span wanted = { json_string_value(json), json_string_length(json) };
		if (!field_append_text(&text, value) || !span_equal(buffer_span(&text), wanted)) differ("another string than jansson's", e->line);
		if (!field_equals(value, wanted)) differ("field_equals does not know its own string", e->line);
		if (wanted.length && field_equals(value, (struct span){ wanted.data, wanted.length - 1 })) differ("field_equals takes a part for the whole", e->line);
		buffer_release(&text);
	}
	else if (json_is_number(json)) {
		double number;
		if (!field_number(value, &number) || number != json_number_value(json)) differ("another number than jansson's", e->line);
	}
}

/* field_find's rule on jansson's tree. */
static json_t *find_in_tree(json_t *tree, struct span path)
{
	if (json_is_array(tree)) {
		const char *dot = memchr(path.data, '.', path.length);
		int64_t index;
		if (!number_parse_int(dot ? span_between(path.data, dot) : path, &index) || index < 0) return NULL;
		tree = json_array_get(tree, (size_t)index);
		return dot ? find_in_tree(tree, span_between(dot + 1, path.data + path.length)) : tree;
	}
	if (!json_is_object(tree)) return NULL;
	char key[256];
	if (path.length >= sizeof key) abort();
	memcpy(key, path.data, path.length);
	key[path.length] = '\0';
	json_t *whole = json_object_get(tree, key);
	char *dot = strchr(key, '.');
	if (whole || !dot) return whole;
	*dot = '\0';
	json_t *step = json_object_get(tree, key);
	return find_in_tree(step, span_between(path.data + (dot + 1 - key), path.data + path.length));
}

static void expect_same_path(const struct envelope *e, json_t *root, const char *text)
{
	struct field_path path;
	if (!field_path_init(&path, span_of(text))) differ("a path is refused", span_of(text));
	json_t *wanted = NULL;
	if (strncmp(text, "fields.", 7) == 0) wanted = find_in_tree(json_object_get(root, "fields"), span_of(text + 7));
	expect_same_value(e, field_find(e, &path), wanted ? wanted : find_in_tree(root, span_of(text)));
}

/* Walks everything; that the sizes are right shows that no pair is left out (jansson keeps one of each repeated key). */
static void expect_same_pairs(const struct envelope *e, struct value object, json_t *tree)
{
	struct value key, value;
	if (object.kind == VALUE_ARRAY) {
		size_t i = 0;
		struct field_walk walk = field_walk_array(e, object);
		while (field_next_element(&walk, &value)) {
			expect_same_value(e, value, json_array_get(tree, i));
			expect_same_pairs(e, value, json_array_get(tree, i++));
		}
		if (i != json_array_size(tree)) differ("elements are left out", e->line);
		return;
	}
	json_t *seen = json_object();
	struct buffer name;
	buffer_init(&name, 1 << 20);
	for (struct field_walk walk = field_walk(e, object); field_next(&walk, &key, &value);) {
		buffer_clear(&name);
		field_append_text(&name, key);
		if (!json_object_get(tree, buffer_text(&name))) differ("a key that jansson has not", e->line);
		json_object_set_new(seen, buffer_text(&name), json_null());
	}
	if (json_object_size(seen) != json_object_size(tree)) differ("keys are left out", e->line);
	json_decref(seen);
	buffer_release(&name);
}

static void expect_same_envelope(const struct envelope *e, json_t *root)
{
	static const char *const paths[] = { "fields.a", "fields.a.b", "fields.a.b.c", "fields.0.1", "fields.a.0", "fields.a.1.b", "a", "a.b", "fields.name", "payload",
		                             "payload.a.0.b", "metlog_pid", "severity", "\xc3\xa9", "fields.\xc3\xa9.x" };
	expect_same_value(e, e->timestamp, json_object_get(root, "timestamp"));
	expect_same_value(e, e->logger, json_object_get(root, "logger"));
	expect_same_value(e, e->type, json_object_get(root, "type"));
	expect_same_value(e, e->payload, json_object_get(root, "payload"));
	expect_same_value(e, e->fields, json_object_get(root, "fields"));
	expect_same_value(e, e->env_version, json_object_get(root, "env_version"));
	json_t *severity = json_object_get(root, "severity");
	if (e->has_severity != (severity != NULL)) differ("severity is there for one only", e->line);
	if (e->severity != (severity ? (int)json_integer_value(severity) : ENVELOPE_SEVERITY_DEFAULT)) differ("another severity", e->line);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) expect_same_path(e, root, paths[i]);
	expect_same_pairs(e, e->fields, json_object_get(root, "fields"));
	expect_same_pairs(e, e->payload, json_object_get(root, "payload"));
}

/* --- one input --- */

struct judged {
	unsigned flags;
	size_t count;
	uint32_t *index;
	enum envelope_verdict verdict;
	struct envelope_fault fault;
};

/* An envelope is an object; an object need not be one. */
static void expect_object(const struct scan *scan, struct span line, enum envelope_verdict verdict)
{
	struct envelope e;
	struct envelope_fault fault;
	struct value object;
	if (envelope_parse_object(&e, &object, scan, line, &fault) != verdict) differ("an envelope is no object", line);
	if (verdict == ENVELOPE_GOOD && !span_equal(object.text, span_trim(line))) differ("the object is not the whole line", line);
}

static struct judged judge(const struct scan_kernel *kernel, struct span line, json_t *root, enum opinion opinion)
{
	struct scan scan;
	struct envelope e;
	struct judged j = { 0 };
	if (!scan_init(&scan)) abort();
	scan.kernel = kernel;
	if (scan_line(&scan, line.data, line.data + line.length + 1) != line.length) differ("the line has another length", line);
	j.flags = scan.flags;
	j.count = scan.count;
	j.verdict = envelope_parse(&e, &scan, line, &j.fault);
	if (j.verdict == ENVELOPE_BAD && (!j.fault.reason || j.fault.column > line.length + 1)) differ("no reason, or one outside the line", line);
	if (opinion != OPINION_NONE && (j.verdict == ENVELOPE_GOOD) != (opinion == OPINION_GOOD)) differ(j.verdict == ENVELOPE_GOOD ? "good, jansson refuses" : j.fault.reason ? j.fault.reason : "blank", line);
	if (j.verdict == ENVELOPE_GOOD && opinion == OPINION_GOOD) expect_same_envelope(&e, root);
	if (j.verdict != ENVELOPE_BAD) expect_object(&scan, line, j.verdict);
	j.index = scan.index; /* handed over */
	return j;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t length = newline ? (size_t)(newline - data) : size, behind = newline ? size - length - 1 : 0;
	/* Exactly the block that the contract lets a kernel read: AddressSanitizer sees a byte more on either side. */
	char *start = malloc(length + 1 + SCAN_PADDING);
	if (!start) abort();
	if (length) memcpy(start, data, length);
	start[length] = '\n';
	memset(start + length + 1, '"', SCAN_PADDING);
	if (newline && behind) memcpy(start + length + 1, newline + 1, behind < SCAN_PADDING ? behind : SCAN_PADDING);

	struct span line = { start, length };
	json_t *root;
	enum opinion opinion = jansson_opinion(line, &root);
	const struct scan_kernel *const *kernels = scan_kernels(), *const *plain = kernels;
	while (plain[1]) plain++;
	struct judged wanted = judge(*plain, line, root, opinion);
	for (; kernels < plain; kernels++) {
		struct judged j = judge(*kernels, line, root, opinion);
		if (j.flags != wanted.flags) differ("other flags than the plain kernel's", line);
		if (j.verdict != wanted.verdict || j.fault.reason != wanted.fault.reason || j.fault.column != wanted.fault.column) differ("another verdict than with the plain kernel", line);
		if (!(j.flags & BAD) && (j.count != wanted.count || memcmp(j.index, wanted.index, j.count * sizeof *j.index) != 0)) differ("another index than the plain kernel's", line);
		free(j.index);
	}
	free(wanted.index);
	json_decref(root);
	free(start);
	return 0;
}
