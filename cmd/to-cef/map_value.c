/* map_value - reads a value of a mapping: text with {path}, {path|default} and {line:path} in it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "map_private.h"

#include "base/text.h"
#include "io/diag.h"

enum { PIECES_MAX = 32, NESTED_MAX = 8 };

/* One value in the making. The text of its pieces is decoded into `out`, which has room for all of it. */
struct value_reading {
	struct map_reading *r;
	const char *end;
	bool quoted, is_severity;
	char *out;
};

static const struct { const char *name; enum map_piece_kind kind; const char *path; } MEMBERS[] = {
	{ "type", PIECE_TYPE, NULL }, { "logger", PIECE_LOGGER, NULL }, { "timestamp", PIECE_TIMESTAMP, NULL }, { "severity", PIECE_SEVERITY, NULL },
	{ "payload", PIECE_PAYLOAD, "payload" }, { "fields", PIECE_FIELDS, "fields" }, { "env_version", PIECE_PATH, "env_version" },
	{ "hostname", PIECE_HOSTNAME, "metlog_hostname" }, { "pid", PIECE_PID, "metlog_pid" }, { "uuid", PIECE_PATH, "uuid" },
	{ "metlog_hostname", PIECE_HOSTNAME, "metlog_hostname" }, { "metlog_pid", PIECE_PID, "metlog_pid" },
};
enum { MEMBER_COUNT = sizeof MEMBERS / sizeof *MEMBERS };

static bool fail_member(struct map_reading *r, struct span name)
{
	const char *best = NULL;
	size_t least = name.length < 4 ? 2 : 3;
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		size_t edits = text_edits(name, span_of(MEMBERS[i].name));
		if (edits < least) least = edits, best = MEMBERS[i].name;
	}
	int shown = name.length > 40 ? 40 : (int)name.length;
	if (best) return map_fail(r, name.data, "unknown member \"%.*s\"; did you mean %s?", shown, name.data, best);
	return map_fail(r, name.data, "unknown member \"%.*s\"; a field is written fields.%.*s", shown, name.data, shown, name.data);
}

static bool compile_path(struct map_reading *r, struct map_piece *piece, struct span path)
{
	struct field_path *compiled = map_take(r->map, sizeof *compiled);
	piece->path = compiled;
	return field_path_init(compiled, path);
}

/* The whole path, its first segment written out. */
static bool set_path(struct map_reading *r, struct map_piece *piece, struct span path, struct span first, const char *member)
{
	struct buffer whole;
	buffer_init(&whole, MAP_BYTES_MAX);
	if (member) buffer_append_text(&whole, member);
	else buffer_append_span(&whole, first);
	buffer_append(&whole, path.data + first.length, path.length - first.length);
	if (whole.failed) die(EXIT_INTERNAL, "no memory for a path of a mapping");
	piece->kind = PIECE_PATH;
	bool good = compile_path(r, piece, map_keep(r->map, buffer_span(&whole)));
	buffer_release(&whole);
	return good;
}

/* fields.a, fields.a.b: the members they begin with are found by one walk over fields. */
static bool set_field(struct map_reading *r, struct map_piece *piece, struct span below)
{
	const char *dot = memchr(below.data, '.', below.length);
	piece->kind = dot ? PIECE_BELOW : PIECE_FIELD;
	map_want_field(r->map, below, &piece->field);
	if (!dot) return true;
	if (dot == below.data) return false;
	map_want_field(r->map, span_between(below.data, dot), &piece->parent);
	return compile_path(r, piece, map_keep(r->map, span_between(dot + 1, below.data + below.length)));
}

static uint16_t member_of(enum map_piece_kind kind)
{
	switch (kind) {
	case PIECE_TYPE: return offsetof(struct envelope, type);
	case PIECE_LOGGER: return offsetof(struct envelope, logger);
	case PIECE_TIMESTAMP: return offsetof(struct envelope, timestamp);
	case PIECE_PAYLOAD: return offsetof(struct envelope, payload);
	case PIECE_HOSTNAME: return offsetof(struct envelope, metlog_hostname);
	case PIECE_PID: return offsetof(struct envelope, metlog_pid);
	default: return 0;
	}
}

static bool set_member(struct value_reading *v, struct map_piece *piece, struct span path, struct span first)
{
	struct map_reading *r = v->r;
	bool more = first.length < path.length;
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		if (!span_equal(first, span_of(MEMBERS[i].name))) continue;
		if (more && (!MEMBERS[i].path || span_equal(first, SPAN("env_version")))) return map_fail(r, first.data + first.length, "%s has nothing below it", MEMBERS[i].name);
		piece->kind = MEMBERS[i].kind;
		if (piece->kind == PIECE_SEVERITY && v->is_severity) piece->kind = PIECE_LEVEL;
		if (more || piece->kind == PIECE_PATH) return set_path(r, piece, path, first, MEMBERS[i].path);
		piece->member = member_of(piece->kind);
		return true;
	}
	return span_starts(first, SPAN("metlog_")) ? set_path(r, piece, path, first, NULL) : fail_member(r, first);
}

static bool set_name(struct value_reading *v, struct map_piece *piece, struct span path)
{
	struct map_reading *r = v->r;
	const char *dot = path.length ? memchr(path.data, '.', path.length) : NULL;
	struct span first = dot ? span_between(path.data, dot) : path, below = dot ? span_between(dot + 1, path.data + path.length) : SPAN("");
	if (!path.length) return map_fail(r, path.data, "a path is missing between the braces");
	if (first.length && memchr(first.data, '[', first.length)) return map_fail(r, first.data, "a path is written with points, as in {fields.user}");
	if (span_equal(first, SPAN("fields")) && below.length ? set_field(r, piece, below) : set_member(v, piece, path, first)) return true;
	if (r->fault->reason[0]) return false;
	return map_fail(r, path.data, "not the path of a member or field, as in {fields.user} (at most %d parts)", FIELD_DEPTH_MAX);
}

static bool read_value(struct value_reading *, unsigned depth, struct map_value *);

/* {path}, {line:path}, {path|default} */
static bool read_place(struct value_reading *v, unsigned depth, struct map_piece *piece)
{
	struct map_reading *r = v->r;
	const char *open = r->at++, *at = r->at;
	if (depth == NESTED_MAX) return map_fail(r, open, "more than %d defaults inside each other", NESTED_MAX);
	while (at < v->end && *at != '|' && *at != '}' && *at != '{') at++;
	if (at == v->end) return map_fail(r, open, "a { without its } (write {{ for a brace)");
	if (*at == '{') return map_fail(r, at, "a { inside another can only stand behind a |");
	struct span path = span_trim(span_between(r->at, at));
	piece->first_line = span_starts(path, SPAN("line:"));
	if (piece->first_line) path = span_trim(span_between(path.data + 5, path.data + path.length));
	if (!set_name(v, piece, path)) return false;
	r->at = at + 1;
	if (*at == '}') return true;
	if (!read_value(v, depth + 1, &piece->otherwise)) return false;
	if (r->at == v->end) return map_fail(r, open, "a { without its } (write {{ for a brace)");
	if (piece->otherwise.count == 0) return map_fail(r, at, "a default is missing behind the |");
	r->at++;
	return true;
}

/* Text up to the next brace that means something. */
static bool read_text(struct value_reading *v, unsigned depth, struct map_piece *piece)
{
	struct map_reading *r = v->r;
	char *start = v->out;
	while (r->at < v->end) {
		const char *from = r->at;
		bool twice = depth == 0 && v->end - from > 1 && from[1] == from[0];
		if (*from == '{' && !twice) break;
		if (*from == '}' && depth) break;
		if (*from == '}' && !twice) return map_fail(r, from, "a } without its { (write }} for a brace)");
		if (*from == '{' || *from == '}') r->at++;
		if (v->quoted && *from == '\\' && v->end - from > 1 && (from[1] == '"' || from[1] == '\\')) r->at++;
		uint32_t codepoint;
		size_t bytes = text_decode_utf8(span_between(r->at, v->end), &codepoint);
		if (bytes == 0 || (text_is_hidden(codepoint) && codepoint != '\t')) return map_fail(r, from, "a character that cannot be seen");
		memcpy(v->out, r->at, bytes);
		v->out += bytes;
		r->at += bytes;
	}
	*piece = (struct map_piece){ .kind = PIECE_TEXT, .text = span_between(start, v->out) };
	return true;
}

static bool read_value(struct value_reading *v, unsigned depth, struct map_value *value)
{
	struct map_piece pieces[PIECES_MAX];
	size_t count = 0;
	while (v->r->at < v->end && !(depth && *v->r->at == '}')) {
		const char *at = v->r->at;
		if (count == PIECES_MAX) return map_fail(v->r, at, "more than %d parts in one value", PIECES_MAX);
		bool place = *at == '{' && (depth || v->end - at < 2 || at[1] != '{');
		pieces[count] = (struct map_piece){ .kind = PIECE_TEXT };
		if (!(place ? read_place(v, depth, &pieces[count]) : read_text(v, depth, &pieces[count]))) return false;
		count++;
	}
	struct map_piece *kept = map_take(v->r->map, count * sizeof *kept);
	memcpy(kept, pieces, count * sizeof *kept);
	*value = (struct map_value){ kept, count };
	return true;
}

/* The quote that closes the one at the cursor; NULL if the line does not end with it. */
static const char *closing_quote(const struct map_reading *r, const char *end)
{
	for (const char *at = r->at + 1; at < end; at++) {
		if (*at == '"') return at + 1 == end ? at : NULL;
		if (*at == '\\') at++;
	}
	return NULL;
}

bool map_parse_value(struct map_reading *r, enum map_row_kind kind, struct map_value *value)
{
	map_skip_blanks(r);
	struct value_reading v = { .r = r, .end = r->end, .is_severity = kind == ROW_SEVERITY };
	while (v.end > r->at && (v.end[-1] == ' ' || v.end[-1] == '\t')) v.end--;
	if (r->at == v.end) return map_fail(r, r->at, "a value is missing behind the =");
	if (*r->at == '"') {
		const char *close = closing_quote(r, v.end);
		if (!close) return map_fail(r, r->at, "a value that begins with a quote ends with one (write \\\" for a quote inside)");
		v.quoted = true;
		v.end = close;
		r->at++;
	}
	v.out = map_take(r->map, (size_t)(v.end - r->at) + 1);
	return read_value(&v, 0, value);
}
