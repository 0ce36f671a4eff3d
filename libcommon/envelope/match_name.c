/* match_name - the names an expression may use: members, paths below them, and Heka's own spellings. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "envelope/match_lex.h"

#include "base/number.h"
#include "base/text.h"

struct known_name {
	struct span name;
	enum match_source source;
	enum match_name_kind kind;
	bool is_heka;
	struct span path; /* of a MATCH_SOURCE_PATH */
};

#define NAME(name, source, kind, is_heka, path) { { name, sizeof name - 1 }, MATCH_SOURCE_##source, MATCH_NAME_##kind, is_heka, { path, sizeof path - 1 } }

static const struct known_name known_names[] = {
	NAME("type", TYPE, TEXT, false, ""),
	NAME("logger", LOGGER, TEXT, false, ""),
	NAME("severity", SEVERITY, NUMBER, false, ""),
	NAME("payload", PAYLOAD, ANY, false, "payload"),
	NAME("timestamp", TIMESTAMP, TIME, false, ""),
	NAME("env_version", ENV_VERSION, TEXT, false, ""),
	NAME("fields", PATH, ANY, false, "fields"),
	NAME("pid", PATH, ANY, false, "metlog_pid"),
	NAME("hostname", PATH, ANY, false, "metlog_hostname"),
	NAME("uuid", PATH, ANY, false, "uuid"),
	NAME("Type", TYPE, TEXT, true, ""),
	NAME("Logger", LOGGER, TEXT, true, ""),
	NAME("Severity", SEVERITY, NUMBER, true, ""),
	NAME("Payload", PAYLOAD, TEXT, true, ""),
	NAME("Timestamp", TIMESTAMP, TIME, true, ""),
	NAME("EnvVersion", ENV_VERSION, TEXT, true, ""),
	NAME("Pid", PATH, NUMBER, true, "metlog_pid"),
	NAME("Hostname", PATH, TEXT, true, "metlog_hostname"),
	NAME("Uuid", PATH, TEXT, true, "uuid"),
};

/* What people write who come from other languages. */
static const struct { const char *wrong, *right; } habits[] = {
	{ "and", "&&" }, { "AND", "&&" }, { "or", "||" }, { "OR", "||" }, { "not", "!" }, { "NOT", "!" },
	{ "true", "TRUE" }, { "True", "TRUE" }, { "false", "FALSE" }, { "False", "FALSE" },
	{ "message", "payload" }, { "msg", "payload" }, { "level", "severity" }, { "host", "hostname" }, { "time", "timestamp" },
	{ "field", "fields" }, { "Field", "Fields" },
};

static const char *guess(struct span word)
{
	const char *best = NULL;
	size_t least = word.length < 4 ? 2 : 3; /* so many edits are no longer a slip of the finger */
	for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
		if (span_equal(word, span_of(habits[i].wrong))) return habits[i].right;
	for (size_t i = 0; i < sizeof known_names / sizeof *known_names; i++) {
		size_t edits = text_edits(word, known_names[i].name);
		if (edits < least) least = edits, best = known_names[i].name.data;
	}
	return best;
}

static bool fail_unknown(struct match_lexer *l, struct span word)
{
	int shown = word.length > 40 ? 40 : (int)word.length;
	const char *better = guess(word);
	if (better) return match_fail(l, word.data, "unknown name \"%.*s\"; did you mean %s?", shown, word.data, better);
	return match_fail(l, word.data, "unknown name \"%.*s\"; a field is written fields.%.*s", shown, word.data, shown, word.data);
}

static void add_bytes(struct match *m, struct span bytes)
{
	if (bytes.length) memcpy(m->bytes + m->byte_count, bytes.data, bytes.length);
	m->byte_count += bytes.length;
}

static bool is_same(const struct match_slot *a, const struct match_slot *b)
{
	return a->source == b->source && span_equal(a->path.whole, b->path.whole) && a->path.depth == b->path.depth && a->field == b->field
	    && a->element == b->element;
}

static uint32_t add_slot(struct match *m, const struct match_slot *slot)
{
	for (uint32_t i = 0; i < m->slot_count; i++)
		if (is_same(&m->slots[i], slot)) return i;
	m->slots[m->slot_count] = *slot;
	buffer_init(&m->slots[m->slot_count].decoded, UINT32_MAX); /* never longer than the line */
	return m->slot_count++;
}

static bool is_segment_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '@' || (signed char)c < 0;
}

/* [text], anything up to the bracket. */
static bool read_bracket(struct match_lexer *l, struct span *inside)
{
	const char *open = l->at, *close = memchr(open, ']', (size_t)(l->end - open));
	if (!close) return match_fail(l, open, "this [ has no closing ]");
	*inside = span_between(open + 1, close);
	if (inside->length == 0) return match_fail(l, open + 1, "expected a name before ]");
	l->at = close + 1;
	return true;
}

/* Appends what follows a name, .segment or [segment] any number of times, to the match's bytes as a dotted path. */
static bool read_path_rest(struct match_lexer *l)
{
	while (l->at < l->end && (*l->at == '.' || *l->at == '[')) {
		struct span segment;
		if (*l->at == '[') {
			if (!read_bracket(l, &segment)) return false;
		} else {
			const char *start = ++l->at;
			while (l->at < l->end && is_segment_byte(*l->at)) l->at++;
			segment = span_between(start, l->at);
			if (segment.length == 0) return match_fail(l, start, "expected a name after the point");
		}
		add_bytes(l->match, SPAN("."));
		add_bytes(l->match, segment);
	}
	return true;
}

/* Splits the path. */
static bool split_path(struct match_lexer *l, const char *start, struct span whole, struct field_path *path)
{
	return field_path_init_key(path, whole) || match_fail(l, start, "this path has more than %d parts", FIELD_DEPTH_MAX);
}

/* The path that starts with `first`: a member's real name, which stands for the word at the cursor. */
static bool read_path(struct match_lexer *l, struct span first, struct match_name *name)
{
	struct match_slot slot = { .source = MATCH_SOURCE_PATH };
	const char *start = l->at, *path = l->match->bytes + l->match->byte_count;
	l->at += name->text.length;
	add_bytes(l->match, first);
	if (!read_path_rest(l)) return false;
	struct span whole = span_between(path, l->match->bytes + l->match->byte_count);
	if (span_starts(whole, SPAN("fields."))) {
		slot.source = MATCH_SOURCE_FIELD;
		whole = span_between(whole.data + SPAN("fields.").length, whole.data + whole.length);
	}
	if (!split_path(l, start, whole, &slot.path)) return false;
	name->text = span_between(start, l->at);
	name->slot = add_slot(l->match, &slot);
	return true;
}

static bool read_index(struct match_lexer *l, uint32_t *index)
{
	struct span digits;
	int64_t value;
	*index = 0;
	if (l->at == l->end || *l->at != '[') return true;
	if (!read_bracket(l, &digits)) return false;
	if (digits.data[0] == '-' || !number_parse_int(digits, &value) || value > INT32_MAX)
		return match_fail(l, digits.data, "expected a number between the brackets: Fields[name][field][element]");
	*index = (uint32_t)value;
	return true;
}

/* Heka's Fields[name][field][element]. */
static bool read_heka_field(struct match_lexer *l, struct match_name *name)
{
	struct match_slot slot = { .source = MATCH_SOURCE_ELEMENT };
	struct span key, whole = { l->match->bytes + l->match->byte_count, 0 };
	const char *start = l->at;
	l->at += name->text.length;
	if (l->at == l->end || *l->at != '[') return match_fail(l, l->at, "expected [name] after Fields");
	if (!read_bracket(l, &key)) return false;
	add_bytes(l->match, key);
	whole.length = key.length;
	if (!split_path(l, key.data, whole, &slot.path) || !read_index(l, &slot.field) || !read_index(l, &slot.element)) return false;
	if (l->at < l->end && *l->at == '[') return match_fail(l, l->at, "Fields[name] takes no more than two indices");
	name->text = span_between(start, l->at);
	name->slot = add_slot(l->match, &slot);
	return true;
}

static bool read_known(struct match_lexer *l, const struct known_name *known, struct match_name *name)
{
	const char *after = l->at + name->text.length;
	bool goes_on = after < l->end && (*after == '.' || *after == '[');
	name->kind = known->kind;
	name->is_heka = known->is_heka;
	/* payload.x is a path below payload; payload alone has its own way to read numbers. */
	if (known->path.length && (known->source == MATCH_SOURCE_PATH || goes_on) && !(known->is_heka && goes_on)) return read_path(l, known->path, name);
	if (goes_on) return match_fail(l, after, "%.*s has nothing below it", (int)name->text.length, name->text.data);
	l->at = after;
	name->slot = add_slot(l->match, &(struct match_slot){ .source = known->source });
	return true;
}

bool match_read_name(struct match_lexer *l, struct match_name *name)
{
	*name = (struct match_name){ .text = match_peek_word(l), .kind = MATCH_NAME_ANY };
	if (span_equal(name->text, SPAN("Fields"))) return read_heka_field(l, name);
	for (size_t i = 0; i < sizeof known_names / sizeof *known_names; i++)
		if (span_equal(name->text, known_names[i].name)) return read_known(l, &known_names[i], name);
	if (span_starts(name->text, SPAN("metlog_")) && name->text.length > SPAN("metlog_").length) return read_path(l, name->text, name);
	return fail_unknown(l, name->text);
}

/* --- a name for itself --- */

/* The name that means the same as one of Heka's. */
static const char *own_name(const struct known_name *heka)
{
	for (size_t i = 0; i < sizeof known_names / sizeof *known_names; i++) {
		const struct known_name *known = &known_names[i];
		if (!known->is_heka && known->source == heka->source && (known->source != MATCH_SOURCE_PATH || span_equal(known->path, heka->path))) return known->name.data;
	}
	return "fields";
}

static bool refuse_heka(struct match_lexer *l)
{
	struct span word = match_peek_word(l);
	if (word.length == 0) return match_fail(l, l->at, "expected a name, as in fields.status");
	if (span_equal(word, SPAN("Fields"))) return match_fail(l, l->at, "Fields is Heka's spelling; here it is fields");
	for (size_t i = 0; i < sizeof known_names / sizeof *known_names; i++)
		if (known_names[i].is_heka && span_equal(word, known_names[i].name))
			return match_fail(l, l->at, "%s is Heka's spelling; here it is %s", known_names[i].name.data, own_name(&known_names[i]));
	return true;
}

/* The path of a slot in full. */
static void append_path(struct buffer *path, const struct match_slot *slot, struct span name)
{
	if (slot->source == MATCH_SOURCE_FIELD) buffer_append_text(path, "fields.");
	buffer_append_span(path, slot->path.whole.length ? slot->path.whole : name);
}

bool match_read_path(struct span text, size_t *used, struct buffer *path, struct match_fault *fault)
{
	const bool is_cut = text.length > MATCH_TEXT_MAX;
	const size_t length = is_cut ? MATCH_TEXT_MAX : text.length;
	struct match_slot slot;
	struct match match = { .slots = &slot, .bytes = malloc(length + SPAN("metlog_hostname").length) };
	struct match_lexer lexer = { text.data, text.data, text.data + length, &match, fault };
	struct match_name name;
	*fault = (struct match_fault){ .column = 1 };
	bool good = match.bytes ? refuse_heka(&lexer) && match_read_name(&lexer, &name) : match_fail(&lexer, text.data, "no memory");
	if (good && is_cut && lexer.at == lexer.end) good = match_fail(&lexer, text.data, "the name is longer than %d bytes", MATCH_TEXT_MAX);
	if (good) {
		*used = (size_t)(lexer.at - text.data);
		append_path(path, &slot, name.text);
		good = !path->failed || match_fail(&lexer, text.data, "no memory");
	}
	if (good) *fault = (struct match_fault){ .column = 0 };
	free(match.bytes);
	return good;
}
