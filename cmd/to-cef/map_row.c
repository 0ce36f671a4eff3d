/* map_row - reads a row of a mapping: a key, its label, and what its value is made of. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "map_private.h"

#include "base/text.h"
#include "io/diag.h"

static const struct span HEADERS[ROW_HEADERS] = { SPAN("vendor"), SPAN("product"), SPAN("version"), SPAN("signature"), SPAN("name"), SPAN("severity") };

/* What people write who do not know the short names of CEF. */
static const struct { const char *wrong, *right; } HABITS[] = {
	{ "timestamp", "rt" }, { "time", "rt" }, { "hostname", "dvchost" }, { "host", "dvchost" }, { "pid", "dvcpid" }, { "logger", "cs1 logger" },
	{ "message", "msg" }, { "payload", "msg" }, { "user", "suser" }, { "username", "suser" }, { "ip", "src" }, { "url", "request" }, { "method", "requestMethod" },
	{ "useragent", "requestClientApplication" }, { "user_agent", "requestClientApplication" }, { "category", "cat" }, { "action", "act" }, { "port", "dpt" },
	{ "signatureId", "signature" }, { "device_version", "version" }, { "title", "name" }, { "exclude", "omit" },
};

static void guess_in(struct span word, struct span name, const char **best, size_t *least)
{
	size_t edits = text_edits(word, name);
	if (edits < *least) *least = edits, *best = name.data;
}

static bool fail_key(struct map_reading *r, struct span word)
{
	const struct dictionary_key *key;
	const char *best = NULL;
	size_t least = word.length < 4 ? 2 : 3;
	for (size_t i = 0; i < ROW_HEADERS; i++) guess_in(word, HEADERS[i], &best, &least);
	guess_in(word, SPAN("omit"), &best, &least);
	guess_in(word, SPAN("event"), &best, &least);
	guess_in(word, SPAN("default"), &best, &least);
	for (size_t i = 0; (key = dictionary_at(i)); i++) {
		if (key->consumer_only) continue;
		guess_in(word, key->name, &best, &least);
		guess_in(word, key->full_name, &best, &least);
	}
	for (size_t i = 0; least && i < sizeof HABITS / sizeof *HABITS; i++)
		if (span_equal(word, span_of(HABITS[i].wrong))) best = HABITS[i].right;
	int shown = word.length > 40 ? 40 : (int)word.length;
	if (best) return map_fail(r, word.data, "unknown key \"%.*s\"; did you mean %s?", shown, word.data, best);
	return map_fail(r, word.data, "unknown key \"%.*s\"; what has no key of its own can go to a custom one: cs1 LABEL = VALUE", shown, word.data);
}

/* By its short name, or by the long one of the specification. */
static const struct dictionary_key *find_key(struct span word)
{
	const struct dictionary_key *key = dictionary_find(word);
	for (size_t i = 0; !key && dictionary_at(i); i++)
		if (span_equal(word, dictionary_at(i)->full_name)) key = dictionary_at(i);
	return key;
}

static const struct dictionary_key *owner_of_label(struct span word)
{
	const struct dictionary_key *key;
	for (size_t i = 0; (key = dictionary_at(i)); i++)
		if (key->label.length && span_equal(key->label, word)) return key;
	return NULL;
}

static bool set_key(struct map_reading *r, struct map_row *row, struct span word)
{
	for (size_t i = 0; i < ROW_HEADERS; i++)
		if (span_equal(word, HEADERS[i])) return row->kind = (enum map_row_kind)i, true;
	if (span_equal(word, SPAN("omit"))) return row->kind = ROW_OMIT, true;
	const struct dictionary_key *owner = owner_of_label(word);
	if (owner) return map_fail(r, word.data, "a label stands behind its key: %.*s LABEL = VALUE", (int)owner->name.length, owner->name.data);
	row->kind = ROW_KEY;
	row->key = find_key(word);
	if (!row->key) return fail_key(r, word);
	return !row->key->consumer_only || map_fail(r, word.data, "%.*s is not for senders: only the receiver may set it", (int)word.length, word.data);
}

static bool at_equals(const struct map_reading *r, const char *at)
{
	return *at == '=' || (*at == '?' && r->end - at > 1 && at[1] == '=');
}

/* What stands between the key and the = . */
static bool read_label(struct map_reading *r, struct map_row *row)
{
	map_skip_blanks(r);
	const char *start = r->at;
	if (start == r->end || at_equals(r, start)) return true;
	struct span label;
	if (*start == '"') {
		const char *close = memchr(start + 1, '"', (size_t)(r->end - start - 1));
		if (!close) return map_fail(r, start, "the label has no closing quote");
		label = span_between(start + 1, close);
		r->at = close + 1;
	} else {
		while (r->at < r->end && *r->at != ' ' && *r->at != '\t' && !at_equals(r, r->at)) r->at++;
		label = span_between(start, r->at);
	}
	if (!span_trim(label).length) return map_fail(r, start, "the label is empty");
	for (size_t i = 0, bytes; i < label.length; i += bytes) {
		uint32_t codepoint;
		bytes = text_decode_utf8((struct span){ label.data + i, label.length - i }, &codepoint);
		if (!bytes || text_is_hidden(codepoint)) return map_fail(r, label.data + i, "a character that cannot be seen");
	}
	row->label = map_keep(r->map, label);
	map_skip_blanks(r);
	return true;
}

static bool check_label(struct map_reading *r, const struct map_row *row, struct span word, const char *after)
{
	bool custom = row->kind == ROW_KEY && row->key->label.length;
	if (row->label.length && row->kind == ROW_KEY && !custom) return map_fail(r, after, "%.*s has no label: it is not a custom key", (int)word.length, word.data);
	if (row->label.length && row->kind != ROW_KEY && row->kind != ROW_SPARE) return map_fail(r, after, "%.*s has no label", (int)word.length, word.data);
	return row->label.length || !custom || map_fail(r, after, "%.*s needs a label: %.*s LABEL = VALUE", (int)word.length, word.data, (int)word.length, word.data);
}

static bool is_constant(const struct map_value *value)
{
	return value->count == 0 || (value->count == 1 && value->pieces->kind == PIECE_TEXT);
}

/* What can be known before there is an envelope. */
static bool check_value(struct map_reading *r, const struct map_row *row, const char *at)
{
	const struct map_value *value = &row->value;
	struct span text = value->count ? value->pieces->text : SPAN("");
	if (row->kind == ROW_ALL)
		return (value->count == 1 && (value->pieces->kind >= PIECE_FIELDS || value->pieces->kind == PIECE_PAYLOAD) && !value->pieces->first_line && !value->pieces->otherwise.count)
			|| map_fail(r, at, "behind * = stands one object, as in * = {fields}");
	for (size_t i = 0; row->kind == ROW_OMIT && i < value->count; i++) {
		const struct map_piece *piece = &value->pieces[i];
		bool good = piece->kind == PIECE_TEXT ? !span_trim(piece->text).length : piece->kind == PIECE_FIELD && !piece->first_line && !piece->otherwise.count;
		if (!good) return map_fail(r, at, "behind omit = stand members of fields, as in omit = {fields.password} {fields.token}");
	}
	if (!is_constant(value)) return true;
	if (row->kind == ROW_SEVERITY && !cef_severity_is(text))
		return map_fail(r, at, "a severity is 0 to 10, Unknown, Low, Medium, High or Very-High, or {severity}");
	if (row->kind != ROW_KEY) return true;
	struct buffer scratch;
	const char *why = NULL;
	buffer_init(&scratch, MAP_BYTES_MAX + 1024);
	bool fits = dictionary_append(&scratch, dictionary_type(row->key, 0), text, &why);
	buffer_clear(&scratch);
	fits = fits || dictionary_append(&scratch, dictionary_type(row->key, 1), text, &why);
	if (scratch.failed) die(EXIT_INTERNAL, "no memory for a value of a mapping");
	buffer_release(&scratch);
	return fits || map_fail(r, at, "%.*s is not %s", (int)row->key->name.length, row->key->name.data, why);
}

struct map_row *map_parse_row(struct map_reading *r)
{
	struct map_row *row = map_take(r->map, sizeof *row);
	map_skip_blanks(r);
	struct span word = map_take_word(r);
	bool star = !word.length && *r->at == '*';
	if (star) word = (struct span){ r->at++, 1 };
	else if (!word.length) return map_fail(r, r->at, "expected a key, or event, drop or default"), NULL;
	else if (!set_key(r, row, word)) return NULL;
	map_skip_blanks(r);
	const char *after = r->at;
	if (!read_label(r, row)) return NULL;
	if (star) row->kind = row->label.length ? ROW_SPARE : ROW_ALL;
	if (r->at == r->end || !at_equals(r, r->at)) {
		bool words = row->label.length && r->at < r->end;
		return map_fail(r, r->at, words ? "expected = (a label of several words is put in quotes)" : "expected = behind the key"), NULL;
	}
	if (!check_label(r, row, word, after)) return NULL;
	row->soft = *r->at == '?';
	if (row->soft && row->kind != ROW_KEY) return map_fail(r, r->at, "?= is for keys; here it is ="), NULL;
	r->at += row->soft ? 2 : 1;
	map_skip_blanks(r);
	const char *value = r->at;
	if (!map_parse_value(r, row->kind, &row->value) || !check_value(r, row, value)) return NULL;
	row->fields = map_value_fields(r->map, &row->value);
	return row;
}

struct span map_row_name(const struct map_row *row)
{
	if (row->kind < ROW_HEADERS) return HEADERS[row->kind];
	return row->kind == ROW_KEY ? row->key->name : row->kind == ROW_OMIT ? SPAN("omit") : SPAN("*");
}

bool map_row_is_same(const struct map_row *a, const struct map_row *b)
{
	if (a->kind != b->kind || a->kind == ROW_OMIT) return false;
	if (a->kind == ROW_SPARE) return span_equal(a->label, b->label);
	return a->kind != ROW_KEY || a->key == b->key;
}
