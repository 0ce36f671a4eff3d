/* test_vectors - the calls and envelopes of tests/data/vectors, which the clients of three languages share, by the C library into a file. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/metlog.h"

enum { FIELDS_MAX = 200 };

struct files {
	char folder[40], config[60], output[60];
};

/* --- arguments ---------------------------------------------------------------------------------- */

static const char *text_of(json_t *call, const char *name)
{
	return json_string_value(json_object_get(call, name)); /* NULL: not given */
}

/* Numbers that JSON or doubles do not have are given as text. */
static double double_of(json_t *value)
{
	return json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);
}

static int64_t int_of(json_t *value)
{
	return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : json_integer_value(value);
}

static char *bytes_of(const char *hex, size_t *length)
{
	*length = strlen(hex) / 2;
	char *bytes = malloc(*length + 1);
	for (size_t i = 0; i < *length; i++) {
		unsigned byte;
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		bytes[i] = (char)byte;
	}
	return bytes;
}

struct arguments {
	struct metlog_field list[FIELDS_MAX];
	char *owned[FIELDS_MAX + 1];
	size_t count, owned_count;
};

static struct metlog_field field_of(struct arguments *a, json_t *triple)
{
	const char *name = json_string_value(json_array_get(triple, 0)), *kind = json_string_value(json_array_get(triple, 1));
	json_t *value = json_array_get(triple, 2);
	struct metlog_field field = metlog_field_null(name);
	size_t length;
	if (strcmp(kind, "bool") == 0) field = metlog_field_bool(name, json_is_true(value));
	else if (strcmp(kind, "int") == 0) field = metlog_field_int(name, int_of(value));
	else if (strcmp(kind, "uint") == 0) field = metlog_field_uint(name, json_is_string(value) ? strtoull(json_string_value(value), NULL, 10) : (uint64_t)json_integer_value(value));
	else if (strcmp(kind, "double") == 0) field = metlog_field_double(name, double_of(value));
	else if (strcmp(kind, "text") == 0) field = metlog_field_bytes(name, json_string_value(value), json_string_length(value));
	else if (strcmp(kind, "json") == 0) field = metlog_field_json(name, json_string_value(value));
	else if (strcmp(kind, "tag") == 0) {
		field = metlog_tag(name, json_string_value(value));
		field.length = json_string_length(value);
	}
	else if (strcmp(kind, "bytes") == 0) {
		char *bytes = a->owned[a->owned_count++] = bytes_of(json_string_value(value), &length);
		field = metlog_field_bytes(name, bytes, length);
	}
	else if (strcmp(kind, "null") != 0) fail_msg("no kind of a field: %s", kind);
	field.name_length = (uint32_t)json_string_length(json_array_get(triple, 0)); /* a NUL may be in it */
	return field;
}

static struct metlog_fields fields_of(struct arguments *a, json_t *list)
{
	size_t i;
	json_t *triple;
	json_array_foreach(list, i, triple) {
		assert_true(a->count < FIELDS_MAX);
		a->list[a->count++] = field_of(a, triple);
	}
	return (struct metlog_fields){ a->list, a->count };
}

/* --- calls ---------------------------------------------------------------------------------------- */

static void make_send(struct metlog *m, json_t *call, struct arguments *a)
{
	struct metlog_message message;
	json_t *severity = json_object_get(call, "severity"), *payload = json_object_get(call, "payload");
	const char *json = text_of(call, "payload_json"), *hex = text_of(call, "payload_hex");
	metlog_message_init(&message, sizeof message);
	message.type = text_of(call, "type");
	message.logger = text_of(call, "logger");
	message.timestamp = text_of(call, "timestamp");
	if (severity) message.severity = (int)json_integer_value(severity);
	message.payload = json ? json : json_string_value(payload);
	message.payload_length = json ? strlen(json) : json_string_length(payload);
	message.payload_is_json = json != NULL;
	if (hex) message.payload = a->owned[a->owned_count++] = bytes_of(hex, &message.payload_length);
	message.fields = fields_of(a, json_object_get(call, "fields"));
	metlog_send_message(m, &message);
}

static void make_cef(struct metlog *m, json_t *call, struct arguments *a)
{
	const struct metlog_cef_event event = {
		.signature = text_of(call, "signature"), .name = text_of(call, "name"), .severity = (int)json_integer_value(json_object_get(call, "severity")),
		.vendor = text_of(call, "vendor"), .product = text_of(call, "product"), .version = text_of(call, "version"),
	};
	metlog_cef(m, &event, fields_of(a, json_object_get(call, "extension")));
}

static void make_call(struct metlog *m, json_t *call)
{
	struct arguments a = { .count = 0 };
	const char *which = text_of(call, "call"), *name = text_of(call, "name");
	double rate = double_of(json_object_get(call, "rate"));
	if (strcmp(which, "send") == 0) make_send(m, call, &a);
	else if (strcmp(which, "count") == 0) metlog_count(m, name, int_of(json_object_get(call, "count")), rate, fields_of(&a, json_object_get(call, "fields")));
	else if (strcmp(which, "timing") == 0) metlog_timing(m, name, double_of(json_object_get(call, "ms")), rate, fields_of(&a, json_object_get(call, "fields")));
	else if (strcmp(which, "gauge") == 0) metlog_gauge(m, name, double_of(json_object_get(call, "value")), fields_of(&a, json_object_get(call, "fields")));
	else if (strcmp(which, "set") == 0) metlog_set(m, name, text_of(call, "member"), fields_of(&a, json_object_get(call, "fields")));
	else if (strcmp(which, "log") == 0) metlog_log(m, (int)json_integer_value(json_object_get(call, "severity")), "%s", text_of(call, "text"));
	else if (strcmp(which, "cef") == 0) make_cef(m, call, &a);
	else if (strcmp(which, "timer") == 0) {
		struct metlog_timer timer = metlog_timer_begin(m, name, rate);
		metlog_timer_end(&timer, METLOG_NONE);
	}
	else fail_msg("no call: %s", which);
	while (a.owned_count) free(a.owned[--a.owned_count]);
}

/* --- the client -------------------------------------------------------------------------------------- */

static void write_value(FILE *file, json_t *value)
{
	size_t i;
	json_t *one;
	if (json_is_string(value)) fprintf(file, "%s\n", json_string_value(value));
	else if (json_is_integer(value)) fprintf(file, "%lld\n", (long long)json_integer_value(value));
	else if (json_is_boolean(value)) fprintf(file, "%s\n", json_is_true(value) ? "yes" : "no");
	else {
		assert_true(json_is_array(value));
		fprintf(file, "\n");
		json_array_foreach(value, i, one) fprintf(file, "  %s\n", json_string_value(one));
	}
}

/* A logger whose newline no file can have. */
static const char *odd_logger(json_t *config)
{
	const char *logger = text_of(config, "logger");
	return logger && strchr(logger, '\n') ? logger : NULL;
}

/* The case's configuration as a file of metlog-client(5). */
static void write_config(const struct files *files, json_t *config)
{
	FILE *file = fopen(files->config, "w");
	const char *key;
	json_t *value, *filter;
	size_t i;
	assert_non_null(file);
	fprintf(file, "[metlog]\nendpoint = file:%s\n", files->output);
	json_object_foreach(config, key, value) {
		if (strcmp(key, "filters") == 0 || (strcmp(key, "logger") == 0 && odd_logger(config))) continue;
		fprintf(file, "%s = ", key);
		write_value(file, value);
	}
	json_array_foreach(json_object_get(config, "filters"), i, filter) {
		fprintf(file, "[metlog_filter_%zu]\n", i);
		json_object_foreach(filter, key, value) {
			fprintf(file, "%s = ", key);
			write_value(file, value);
		}
	}
	fclose(file);
}

static void send_all(const struct files *files, json_t *vector)
{
	struct metlog_options options;
	struct metlog_fault fault;
	size_t i;
	json_t *call;
	metlog_options_init(&options, sizeof options);
	options.pid = json_integer_value(json_object_get(vector, "pid"));
	options.hostname = text_of(vector, "hostname");
	options.logger = odd_logger(json_object_get(vector, "config"));
	write_config(files, json_object_get(vector, "config"));
	unlink(files->output);
	struct metlog *m = metlog_open_config(files->config, &options, &fault);
	if (!m) fail_msg("%s", fault.text);
	json_array_foreach(json_object_get(vector, "calls"), i, call) make_call(m, call);
	metlog_close(m, -1, NULL); /* -1 where a case has calls that are refused */
}

/* --- what came out ------------------------------------------------------------------------------------- */

/* Whether the text at `at` has the form: 0 stands for any digit. */
static bool has_form(const char *at, const char *form)
{
	for (; *form; at++, form++)
		if (*form == '0' ? *at < '0' || *at > '9' : *at != *form) return false;
	return true;
}

/* Digits, and at most three decimals of which the last one is not 0. */
static size_t duration_length(const char *at)
{
	size_t whole = strspn(at, "0123456789"), decimals = at[whole] == '.' ? strspn(at + whole + 1, "0123456789") : 0;
	if (whole == 0 || at[whole + (decimals ? decimals + 1 : 0)] != '"' || decimals > 3 || (decimals && at[whole + decimals] == '0')) return 0;
	return whole + (decimals ? decimals + 1 : 0);
}

/* What may differ, a time or a duration, becomes the "@" of what is expected, where it has the right form. */
static void put_placeholders(char *line, const char *expected)
{
	static const char time_is[] = "\"timestamp\":\"", payload_is[] = "\"payload\":\"";
	char *time = strstr(line, time_is), *payload;
	if (time && strstr(expected, "\"timestamp\":\"@\"") && has_form(time += sizeof time_is - 1, "0000-00-00T00:00:00.000000Z\"")) {
		*time = '@';
		memmove(time + 1, time + 27, strlen(time + 27) + 1);
	}
	payload = strstr(line, payload_is);
	if (payload && strstr(expected, "\"payload\":\"@\"")) {
		size_t length = duration_length(payload += sizeof payload_is - 1);
		if (length == 0) return;
		*payload = '@';
		memmove(payload + 1, payload + length, strlen(payload + length) + 1);
	}
}

static void compare(const struct files *files, const char *source, json_t *vector)
{
	json_t *expect = json_object_get(vector, "expect");
	FILE *file = fopen(files->output, "r");
	char *line = NULL;
	size_t size = 0, count = 0;
	ssize_t length;
	while (file && (length = getline(&line, &size, file)) > 0) {
		const char *expected = json_string_value(json_array_get(expect, count++));
		if (line[length - 1] == '\n') line[length - 1] = '\0';
		if (!expected) fail_msg("%s: %s: one too many: %s", source, text_of(vector, "name"), line);
		put_placeholders(line, expected);
		if (strcmp(line, expected) != 0) fail_msg("%s: %s:\n%s\n%s", source, text_of(vector, "name"), line, expected);
	}
	if (count != json_array_size(expect)) fail_msg("%s: %s: %zu envelopes, not %zu", source, text_of(vector, "name"), count, json_array_size(expect));
	free(line);
	if (file) fclose(file);
}

static bool is_for_c(json_t *vector)
{
	size_t i;
	json_t *language, *only = json_object_get(vector, "only");
	json_array_foreach(only, i, language)
		if (strcmp(json_string_value(language), "c") == 0) return true;
	return only == NULL;
}

static unsigned run_file(const struct files *files, const char *folder, const char *name)
{
	char path[4096];
	size_t i;
	json_t *vector;
	json_error_t error;
	unsigned run = 0;
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) fail_msg("%s: too long", name);
	json_t *whole = json_load_file(path, JSON_ALLOW_NUL, &error);
	if (!whole) fail_msg("%s:%d: %s", path, error.line, error.text);
	json_array_foreach(whole, i, vector) {
		if (!is_for_c(vector)) continue;
		send_all(files, vector);
		compare(files, name, vector);
		run++;
	}
	json_decref(whole);
	return run;
}

static void every_call_of_the_vectors_makes_its_envelope(void **state)
{
	(void)state;
	struct files files = { .folder = "/tmp/test_vectors.XXXXXX" };
	char path[4096];
	const char *source = getenv("SOURCE");
	unsigned run = 0;
	assert_true(snprintf(path, sizeof path, "%s/tests/data/vectors", source ? source : ".") < (int)sizeof path);
	DIR *folder = opendir(path);
	if (!folder) fail_msg("%s cannot be read", path);
	assert_non_null(mkdtemp(files.folder));
	snprintf(files.config, sizeof files.config, "%s/config", files.folder);
	snprintf(files.output, sizeof files.output, "%s/output", files.folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		if (strstr(entry->d_name, ".json")) run += run_file(&files, path, entry->d_name);
	closedir(folder);
	unlink(files.config);
	unlink(files.output);
	rmdir(files.folder);
	print_message("%u cases\n", run);
	assert_true(run > 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_of_the_vectors_makes_its_envelope),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
