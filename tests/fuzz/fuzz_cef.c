/* fuzz_cef - whatever is put into a record comes out as one line with these keys and values; whatever is read is written and read again as it was; what the original client sent becomes one line, or is refused. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "legacy.h"
#include "record.h"

enum { PUTS_MAX = 600, DIVIDER = 0xff }; /* 0xff stands nowhere in UTF-8 */

struct put { struct span name, value; };
struct trial {
	struct put put[PUTS_MAX];
	size_t put_count;
	bool is_cut;               /* something was, by the record's own books */
	struct buffer normal, typed, decoded, printed, again;
	struct cef_event event, second;
};

static _Noreturn void wrong(const char *what, struct span line)
{
	fprintf(stderr, "%s: %.*s\n", what, (int)line.length, line.data);
	abort();
}

static void require_one_line(struct span line)
{
	for (size_t i = 0; i < line.length; i++)
		if (((unsigned char)line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f) wrong("a control character in the line", line);
}

static void require_strict(struct trial *t, struct cef_event *event, struct span line)
{
	const char *why;
	size_t column;
	require_one_line(line);
	if (!cef_read(event, line, CEF_STRICT, &t->decoded, &why, &column)) wrong(why, line);
}

/* --- 1: values, keys and headers of random bytes --- */

/* A value as a reader should get it, by the words of cef.h. */
static struct span normal(struct trial *t, struct span text)
{
	buffer_clear(&t->normal);
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		buffer_append_byte(&t->normal, c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') ? ' ' : text.data[i]);
	}
	while (t->normal.length && strchr(" \t", t->normal.data[t->normal.length - 1])) t->normal.length--;
	return buffer_span(&t->normal);
}

/* The text that was read is the one that was put, or, where something was cut, its start up to a character. */
static bool is_text(struct trial *t, struct span got, struct span put)
{
	if (got.length > put.length) return false;
	struct span wanted = normal(t, put);
	return span_equal(got, wanted) || (t->is_cut && got.length && span_starts(wanted, got) && ((unsigned char)wanted.data[got.length] & 0xc0) != 0x80);
}

/* The same of a pair's value, which may have become a number or an address of the key's type. */
static bool is_value(struct trial *t, const struct cef_pair *got, struct span put)
{
	const struct dictionary_key *key = dictionary_find(got->key);
	const char *why;
	buffer_clear(&t->typed);
	if (key && dictionary_append(&t->typed, dictionary_type(key, t->event.header.version), normal(t, put), &why) && span_equal(buffer_span(&t->typed), got->value)) return true;
	return is_text(t, got->value, put);
}

static bool is_label_of(struct span label, struct span key)
{
	return label.length == key.length + 5 && span_starts(label, key) && memcmp(label.data + key.length, "Label", 5) == 0;
}

static bool is_custom(struct span key)
{
	const struct dictionary_key *known = dictionary_find(key);
	return known && known->label.length;
}

/* Why this pair may be in the event: it was put by that name; or its name became the label of a custom key; or the record's own labels. */
static bool is_justified(struct trial *t, size_t index, bool has_limit)
{
	const struct cef_pair *pair = &t->event.pair[index], *next = index + 1 < t->event.pair_count ? pair + 1 : NULL;
	bool is_label = next && is_custom(next->key) && is_label_of(pair->key, next->key);
	bool has_label = index > 0 && is_custom(pair->key) && is_label_of(pair[-1].key, pair->key);
	const struct cef_pair *label = is_label ? pair : pair - 1, *custom = is_label ? next : pair;
	for (size_t i = 0; i < t->put_count; i++) {
		const struct put *put = &t->put[i];
		if (span_equal(put->name, pair->key) && is_value(t, pair, put->value)) return true;
		if ((!is_label && !has_label) || !is_value(t, custom, put->value)) continue;
		if (is_text(t, label->value, put->name)) return true;
		if (span_equal(label->value, SPAN("unnamed")) && normal(t, put->name).length == 0) return true;
		static const struct { struct span name, label; } moved[] = {
			{ { "src", 3 }, { "Source IPv6 Address", 19 } }, { { "dst", 3 }, { "Destination IPv6 Address", 24 } }, { { "dvc", 3 }, { "Device IPv6 Address", 19 } },
		};
		for (size_t m = 0; m < 3; m++)
			if (span_equal(put->name, moved[m].name) && is_text(t, label->value, moved[m].label)) return true;
	}
	if (!has_limit) return false;
	if (index + 2 == t->event.pair_count && span_equal(pair->key, SPAN("cs6Label"))) return span_equal(pair->value, SPAN("truncated"));
	return index + 1 == t->event.pair_count && span_equal(pair->key, SPAN("cs6"));
}

static struct span next_chunk(struct span *rest)
{
	const char *divider = rest->length ? memchr(rest->data, DIVIDER, rest->length) : NULL;
	struct span chunk = divider ? span_between(rest->data, divider) : *rest;
	*rest = divider ? span_between(divider + 1, rest->data + rest->length) : (struct span){ "", 0 };
	return chunk;
}

static void put_all(struct trial *t, struct record *r, struct span rest)
{
	for (t->put_count = 0; rest.length && t->put_count < PUTS_MAX; t->put_count++) {
		struct span name = next_chunk(&rest), value = next_chunk(&rest);
		char how = name.length ? name.data[0] : '\0';
		if (how == '?' || how == '#' || how == '~') name.data++, name.length--;
		t->put[t->put_count] = (struct put){ name, value };
		if (how == '#' || how == '~') {
			record_put_spare(r, name, value, how == '#');
			continue;
		}
		const struct dictionary_key *key = how == '?' ? dictionary_find(name) : NULL;
		if (key) record_try(r, key, name, value);
		else record_put_named(r, name, value);
	}
}

static void try_record(struct trial *t, unsigned options, struct span rest)
{
	static const char *const severities[] = { "0", "7", "10", "Unknown" };
	size_t max_bytes = options & 16 ? 18 + (options >> 5) * 40 : 0;
	struct record_rules rules = { (int)(options & 1), max_bytes, (enum record_wrong)((options >> 1) % 3), options >> 3 & 1 };
	struct record *r = record_new(&rules);
	struct cef_header header = { 0, next_chunk(&rest), next_chunk(&rest), next_chunk(&rest), next_chunk(&rest), next_chunk(&rest), span_of(severities[options >> 5 & 3]) };
	const char *why = record_begin(r, &header);
	if (!why) {
		put_all(t, r, rest);
		struct span line = record_end(r, &why);
		const struct record_tally *tally = record_tally(r);
		t->is_cut = tally->cut || tally->truncated;
		if (line.data) {
			if (max_bytes && line.length > max_bytes) wrong("longer than max_bytes", line);
			require_strict(t, &t->event, line);
			if (t->event.header.version != rules.version) wrong("another version", line);
			for (size_t i = 0; i < t->event.pair_count; i++)
				if (t->event.pair[i].value.length == 0 || !is_justified(t, i, tally->truncated)) wrong("a pair that nobody put", line);
		}
		else if (!max_bytes) wrong("no line", SPAN(""));
	}
	record_free(r);
}

/* --- 2: lenient -> print -> strict -> print --- */

static bool print(struct buffer *out, const struct cef_event *event)
{
	struct cef_tally tally = { 0 };
	buffer_clear(out);
	cef_append_header(out, &event->header, &tally);
	for (size_t i = 0; i < event->pair_count; i++) {
		if (!cef_key_is(event->pair[i].key)) return false;
		if (i) buffer_append_byte(out, ' ');
		buffer_append_span(out, event->pair[i].key);
		buffer_append_byte(out, '=');
		cef_append_value(out, event->pair[i].value, &tally);
	}
	return !out->failed;
}

static void try_lenient(struct trial *t, struct span text)
{
	struct span before, line;
	const char *why;
	size_t column;
	if (!cef_find(text, &before, &line)) return;
	if (!cef_read(&t->event, line, CEF_LENIENT, &t->decoded, &why, &column)) {
		if (column < 1 || column > line.length + 1) wrong("a column outside of the line", line);
		return;
	}
	if (!cef_severity_is(t->event.header.severity)) t->event.header.severity = SPAN("Unknown");
	if (!print(&t->printed, &t->event)) return;
	struct span printed = buffer_span(&t->printed);
	require_strict(t, &t->second, printed);
	if (t->second.pair_count != t->event.pair_count) wrong("another number of pairs", printed);
	if (!print(&t->again, &t->second) || !span_equal(buffer_span(&t->again), printed)) wrong("printed otherwise", printed);
	/* What is by the book reads the same both ways. */
	if (!cef_read(&t->event, printed, CEF_LENIENT, &t->decoded, &why, &column) || !print(&t->again, &t->event) || !span_equal(buffer_span(&t->again), printed)) wrong("lenient reads otherwise", printed);
}

/* --- 3: the original client's lines --- */

static void try_legacy(struct trial *t, unsigned options, struct span text)
{
	static struct legacy *plain, *small;
	const struct record_rules rules = { 0 }, small_rules = { .max_bytes = 200 };
	const struct map_options names = { .vendor = "v|w", .product = "p" };
	if (!plain) plain = legacy_new(&rules, &names), small = legacy_new(&small_rules, &names);
	struct span date, host;
	const char *why = NULL;
	bool is_small = options & 16;
	struct span line = legacy_line(is_small ? small : plain, text, &date, &host, &why);
	if (!line.data) {
		if (!why) wrong("refused without a reason", text);
		return;
	}
	if (is_small && line.length > small_rules.max_bytes) wrong("longer than max_bytes", line);
	require_strict(t, &t->event, line);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct trial t;
	if (size < 2) return 0;
	if (!t.normal.limit) {
		struct buffer *const buffers[] = { &t.normal, &t.typed, &t.decoded, &t.printed, &t.again };
		for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) buffer_init(buffers[i], 1 << 22);
	}
	struct span text = { (const char *)data + 2, size - 2 };
	unsigned options = data[0] | (unsigned)data[1] << 8;
	try_record(&t, options, text);
	try_lenient(&t, text);
	try_legacy(&t, options, text);
	return 0;
}
