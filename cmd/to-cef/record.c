/* record - values checked, escaped and put behind each other, to one line. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "record_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "cef_text.h"
#include "io/diag.h"

struct record *record_new(const struct record_rules *rules)
{
	struct record *r = must_alloc(sizeof *r);
	r->rules = *rules;
	buffer_init(&r->line, RECORD_BYTES_MAX);
	return r;
}

void record_free(struct record *r)
{
	if (!r) return;
	buffer_release(&r->line);
	free(r);
}

const struct record_tally *record_tally(const struct record *r) { return &r->tally; }

bool record_has(const struct record *r, const struct dictionary_key *key) { return record_bit(r->has, key->number); }

const uint64_t *record_keys(const struct record *r) { return r->has; }

/* At most `limit` characters of the text. Bytes are the most there can be, so a short text is not looked at. */
static struct span cut_characters(struct span text, size_t limit, uint64_t *cut)
{
	if (limit == 0 || text.length <= limit) return text;
	size_t characters = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (((unsigned char)text.data[i] & 0xc0) == 0x80) continue;
		if (characters++ < limit) continue;
		++*cut;
		return (struct span){ text.data, i };
	}
	return text;
}

const char *record_begin(struct record *r, const struct cef_header *given)
{
	struct cef_header header = *given;
	buffer_clear(&r->line);
	r->pair_count = 0;
	memset(&r->seen, 0, sizeof r->seen);
	memset(r->has, 0, sizeof r->has);
	memset(r->lent, 0, sizeof r->lent);
	if (!cef_severity_is(header.severity)) return "severity: not 0 to 10 or a word of CEF";
	if (header.vendor.length + header.product.length + header.signature.length + header.name.length == 0) return "no vendor, product, signature and name";
	header.version = r->rules.version;
	header.vendor = cut_characters(header.vendor, 63, &r->tally.cut);
	header.product = cut_characters(header.product, 63, &r->tally.cut);
	header.device_version = cut_characters(header.device_version, 31, &r->tally.cut);
	header.signature = cut_characters(header.signature, 1023, &r->tally.cut);
	header.name = cut_characters(header.name, 512, &r->tally.cut);
	cef_append_header(&r->line, &header, &r->tally.text);
	return NULL;
}

/* --- one pair --- */

enum { SHORT = 4096 }; /* values for which room is made beforehand, as if all of it had to be escaped */

/* A pair begins, with room for a value of so many bytes, if that is short. The key's start is copied as 16 bytes, as most are shorter: no call for it. */
static inline struct record_pair *begin_pair(struct record *r, const struct dictionary_key *key, enum record_cutting cutting, size_t room)
{
	enum { COPY = 16 };
	struct record_pair *pair = &r->pair[r->pair_count];
	struct buffer *line = &r->line;
	size_t blank = r->pair_count > 0, length = key->name.length + 1 + blank;
	pair->number = key->number;
	pair->cutting = (uint8_t)cutting;
	pair->start = pair->key = pair->value = (uint32_t)line->length;
	if (!buffer_reserve(line, DICTIONARY_NAME_MAX + 2 + (room <= 2 * SHORT ? room : 0))) return pair;
	char *at = line->data + line->length;
	const char *start = key->start + 1 - blank;
	memcpy(at, start, COPY);
	if (__builtin_expect(length > COPY, 0)) memcpy(at + COPY, start + COPY, length - COPY);
	line->length += length;
	pair->key += (uint32_t)blank;
	pair->value += (uint32_t)length;
	return pair;
}

/* One whose key the dictionary does not have. */
static struct record_pair *begin_unknown(struct record *r, struct span name, enum record_cutting cutting)
{
	struct record_pair *pair = &r->pair[r->pair_count];
	pair->number = RECORD_NO_NUMBER;
	pair->cutting = (uint8_t)cutting;
	pair->start = (uint32_t)r->line.length;
	pair->key = pair->value = pair->start;
	if (!buffer_reserve(&r->line, name.length + 2)) return pair;
	char *start = r->line.data, *at = start + r->line.length;
	if (r->pair_count) *at++ = ' ';
	pair->key = (uint32_t)(at - start);
	at = cef_copy_name(at, name);
	*at++ = '=';
	pair->value = (uint32_t)(at - start);
	r->line.length = pair->value;
	return pair;
}

static inline void end_pair(struct record *r, struct record_pair *pair)
{
	pair->end = (uint32_t)r->line.length;
	if (pair->number != RECORD_NO_NUMBER) record_bit_set(r->has, pair->number);
	r->pair_count++;
}

__attribute__((noinline)) static void escape_rest(struct record *r, struct span text)
{
	r->line.length = (size_t)(cef_escape(r->line.data + r->line.length, text, &r->tally.text) - r->line.data);
}

/* The text is trimmed, not empty, and there is room for a pair. Most of it is plain: that is copied here, without a call. */
static inline void add_trimmed(struct record *r, const struct dictionary_key *key, struct span text, enum record_cutting cutting)
{
	struct record_pair *pair = begin_pair(r, key, cutting, 2 * text.length);
	if (text.length <= SHORT && !r->line.failed) {
		size_t plain = cef_copy_plain(r->line.data + r->line.length, text.data, text.length, CEF_IN_VALUE);
		r->line.length += plain;
		if (plain < text.length) escape_rest(r, (struct span){ text.data + plain, text.length - plain });
	} else {
		cef_append_trimmed(&r->line, text, &r->tally.text);
	}
	end_pair(r, pair);
}

/* A text that is escaped, cut to `limit` characters (0: none). It is not there yet. */
static void add_text(struct record *r, const struct dictionary_key *key, struct span value, size_t limit, enum record_cutting cutting)
{
	struct span text = cef_trimmed(value);
	r->tally.text.trimmed += text.length != value.length;
	if (limit && text.length > limit) text = cef_trimmed(cut_characters(text, limit, &r->tally.cut));
	if (text.length == 0) return;
	if (r->pair_count == CEF_PAIRS_MAX) r->tally.omitted++;
	else add_trimmed(r, key, text, cutting);
}

static const char *put_wrong(struct record *r, const struct dictionary_key *key, struct span value, const char *why)
{
	if (r->rules.wrong == RECORD_WRONG_OMIT) r->tally.omitted++;
	else if (r->rules.wrong == RECORD_WRONG_KEEP) add_text(r, key, value, 0, RECORD_CUT_NEXT);
	else {
		snprintf(r->reason, sizeof r->reason, "%.*s: not %s", (int)key->name.length, key->name.data, why);
		return r->reason;
	}
	return NULL;
}

/* The custom key for an IPv6 address where version 0 has no place for one; false if that is taken, or it is no such address. */
static bool put_elsewhere(struct record *r, const struct dictionary_key *key, struct span value)
{
	static const struct { struct span key, custom, label; } moves[] = {
		{ { "src", 3 }, { "c6a2", 4 }, { "Source IPv6 Address", 19 } },
		{ { "dst", 3 }, { "c6a3", 4 }, { "Destination IPv6 Address", 24 } },
		{ { "dvc", 3 }, { "c6a1", 4 }, { "Device IPv6 Address", 19 } },
	};
	if (r->rules.version != 0 || key->type != DICTIONARY_IPV4 || !memchr(value.data, ':', value.length)) return false;
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
		if (!span_equal(moves[i].key, key->name)) continue;
		const struct dictionary_key *custom = dictionary_find(moves[i].custom);
		if (record_bit(r->has, custom->number) || record_bit(r->has, custom->number + 1u)) return false;
		if (!record_try(r, custom, moves[i].label, value)) return false;
		record_bit_set(r->lent, custom->number);
		record_bit_set(r->lent, custom->number + 1u);
		return true;
	}
	return false;
}

/* A number, a time, an address: no pair is left of one that is none, and *why says so. */
__attribute__((noinline)) static bool append_typed(struct record *r, const struct dictionary_key *key, enum dictionary_type type, struct span text, const char **why)
{
	size_t before = r->line.length;
	struct record_pair *pair = begin_pair(r, key, RECORD_CUT_NEVER, 0);
	if (dictionary_append(&r->line, type, text, why) || r->line.failed) {
		end_pair(r, pair);
		return true;
	}
	r->line.length = before;
	return false;
}

static const char *put_typed(struct record *r, const struct dictionary_key *key, enum dictionary_type type, struct span value)
{
	struct span text = cef_trimmed(value);
	const char *why = NULL;
	r->tally.text.trimmed += text.length != value.length;
	if (text.length == 0) return NULL;
	if (r->pair_count == CEF_PAIRS_MAX) {
		r->tally.omitted++;
		return NULL;
	}
	if (append_typed(r, key, type, text, &why)) return NULL;
	return put_elsewhere(r, key, text) ? NULL : put_wrong(r, key, text, why);
}

/* Before a lent key is taken back: is the value worth it? */
static const char *mismatch(struct record *r, const struct dictionary_key *key, struct span value)
{
	enum dictionary_type type = dictionary_type(key, r->rules.version);
	const char *why = NULL;
	size_t before = r->line.length;
	bool fits = type == DICTIONARY_STRING || dictionary_append(&r->line, type, cef_trimmed(value), &why) || r->line.failed;
	r->line.length = before;
	return fits ? NULL : why;
}

static void put_unknown(struct record *r, struct span name, struct span value)
{
	if (r->rules.dictionary_only || !cef_key_is(name)) {
		if (!record_put_spare(r, name, value, false)) r->tally.omitted++;
		return;
	}
	if (cef_trimmed(value).length == 0) return;
	if (cef_seen_before(&r->seen, name))
		for (size_t i = 0; i < r->pair_count; i++) {
			const struct record_pair *pair = &r->pair[i];
			if (pair->value - pair->key - 1 == name.length && memcmp(r->line.data + pair->key, name.data, name.length) == 0) return;
		}
	if (r->pair_count == CEF_PAIRS_MAX) {
		r->tally.omitted++;
		return;
	}
	struct record_pair *pair = begin_unknown(r, name, RECORD_CUT_FIRST);
	cef_append_value(&r->line, value, &r->tally.text);
	end_pair(r, pair);
}

const char *record_put(struct record *r, const struct dictionary_key *key, struct span value)
{
	if (key->consumer_only) {
		r->tally.omitted++;
		return NULL;
	}
	if (key->since > r->rules.version) return put_unknown(r, key->name, value), NULL;
	if (record_bit(r->has, key->number)) {
		if (!record_bit(r->lent, key->number) || cef_trimmed(value).length == 0) return NULL;
		const char *why = mismatch(r, key, value);
		if (why && r->rules.wrong != RECORD_WRONG_KEEP) return put_wrong(r, key, value, why);
		record_give_way(r, key->number);
	}
	enum dictionary_type type = dictionary_type(key, r->rules.version);
	if (type != DICTIONARY_STRING) return put_typed(r, key, type, value);
	add_text(r, key, value, key->limit, key->label.length ? RECORD_CUT_FIRST : RECORD_CUT_NEXT);
	return NULL;
}

/* The label that has just been put goes again: its value was left out. */
static void take_back(struct record *r, const struct dictionary_key *key, size_t before, size_t count)
{
	r->line.length = before;
	r->pair_count = count;
	record_bit_clear(r->has, key->number + 1u);
}

/* What most values are: text for a custom key that is free, with its label. False: it is not as simple. */
static bool put_simply(struct record *r, const struct dictionary_key *key, struct span label, struct span value)
{
	if (!key->label.length || key->since > r->rules.version || record_bit(r->has, key->number) || record_bit(r->has, key->number + 1u)) return false;
	if (dictionary_type(key, r->rules.version) != DICTIONARY_STRING || r->pair_count + 2 > CEF_PAIRS_MAX) return false;
	if (cef_trimmed(label).length == 0 || cef_trimmed(value).length == 0) return false;
	size_t before = r->line.length, count = r->pair_count;
	add_text(r, key + 1, label, key[1].limit, RECORD_CUT_NEXT);
	add_text(r, key, value, key->limit, RECORD_CUT_FIRST);
	if (!record_bit(r->has, key->number)) take_back(r, key, before, count);
	return true;
}

const char *record_put_labelled(struct record *r, const struct dictionary_key *key, struct span label, struct span value)
{
	if (put_simply(r, key, label, value)) return NULL;
	bool is_lent = record_has(r, key) && record_bit(r->lent, key->number);
	const struct dictionary_key *label_key = dictionary_at(key->number + 1u);
	if (!key->label.length || cef_trimmed(label).length == 0 || cef_trimmed(value).length == 0) return record_put(r, key, value);
	if (record_has(r, key) && !is_lent) return NULL;
	if (is_lent && mismatch(r, key, value) && r->rules.wrong != RECORD_WRONG_KEEP) return record_put(r, key, value);
	if (is_lent) record_give_way(r, key->number);
	size_t before = r->line.length, count = r->pair_count;
	bool is_new = !record_has(r, label_key);
	record_put(r, label_key, label);
	const char *why = record_put(r, key, value);
	if (!record_has(r, key) && is_new && record_has(r, label_key)) take_back(r, key, before, count);
	return why;
}

/* record_try for a key that would be taken back from a value that does not belong to it, and for one that moves to another. */
static bool try_with_care(struct record *r, const struct dictionary_key *key, struct span label, struct span value)
{
	const enum record_wrong wrong = r->rules.wrong;
	const struct record_tally tally = r->tally;
	size_t before = r->line.length;
	r->rules.wrong = RECORD_WRONG_OMIT;
	record_put_labelled(r, key, label, value);
	r->rules.wrong = wrong;
	/* Not under its own key: an address may have moved to a custom one, or nothing has been put. */
	if ((record_has(r, key) && !record_bit(r->lent, key->number)) || r->line.length != before || r->line.failed) return true;
	r->tally = tally;
	return false;
}

/* The label goes again if the value does not fit. */
static bool try_labelled(struct record *r, const struct dictionary_key *key, enum dictionary_type type, struct span label, struct span text)
{
	const struct record_tally tally = r->tally;
	const char *why;
	size_t before = r->line.length, count = r->pair_count;
	add_text(r, key + 1, label, key[1].limit, RECORD_CUT_NEXT);
	if (append_typed(r, key, type, text, &why)) return true;
	r->tally = tally;
	take_back(r, key, before, count);
	return false;
}

bool record_try(struct record *r, const struct dictionary_key *key, struct span label, struct span value)
{
	struct span text = cef_trimmed(value);
	if (text.length == 0) return true;
	if (key->consumer_only || key->since > r->rules.version || r->pair_count + 2 > CEF_PAIRS_MAX) return false;
	bool has = record_bit(r->has, key->number), has_label = key->label.length && record_bit(r->has, key->number + 1u);
	if (has && !record_bit(r->lent, key->number)) return false;
	enum dictionary_type type = dictionary_type(key, r->rules.version);
	if (has || has_label || type == DICTIONARY_IPV4) return try_with_care(r, key, label, value);
	if (type != DICTIONARY_STRING) {
		const char *why;
		if (!(key->label.length ? try_labelled(r, key, type, label, text) : append_typed(r, key, type, text, &why))) return false;
		r->tally.text.trimmed += text.length != value.length;
		return true;
	}
	size_t before = r->line.length, count = r->pair_count;
	if (!key->label.length) {
		add_text(r, key, value, key->limit, RECORD_CUT_NEXT);
		return true;
	}
	add_text(r, key + 1, label, key[1].limit, RECORD_CUT_NEXT);
	add_text(r, key, value, key->limit, RECORD_CUT_FIRST);
	if (!record_bit(r->has, key->number)) take_back(r, key, before, count);
	return true;
}

const char *record_put_named(struct record *r, struct span name, struct span value)
{
	const struct dictionary_key *key = dictionary_find(name);
	if (key) return record_put(r, key, value);
	put_unknown(r, name, value);
	return NULL;
}

struct span record_end(struct record *r, const char **why)
{
	struct span line = { NULL, 0 };
	if (r->line.no_memory) die(EXIT_INTERNAL, "no memory for an event");
	if (r->line.failed) *why = "the event is longer than 16 MiB";
	else if (r->rules.max_bytes && r->line.length > r->rules.max_bytes && !record_fit(r)) *why = "the header alone is longer than the line may be";
	else line = buffer_span(&r->line);
	return line;
}
