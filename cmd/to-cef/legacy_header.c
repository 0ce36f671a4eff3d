/* legacy_header - which text is which field of a wrong line's header. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "legacy_private.h"

#include "severity.h"

static const char no_severity[] = "the severity is neither 0 to 10 nor a word of CEF";

enum { PIPES_MAX = 16 }; /* a header with more than that between vendor and version is no one's */

/* `start` bounds how far the backslashes are counted back. */
static bool is_escaped(const char *start, const char *p)
{
	const char *from = p;
	while (from > start && from[-1] == '\\') from--;
	return (p - from) & 1;
}

static const char *next_pipe(const char *start, const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '|', (size_t)(end - p))) && is_escaped(start, p)) p++;
	return p < end ? p : NULL;
}

static const char *last_pipe(const char *start, const char *end)
{
	const char *p = end;
	do p = memrchr(start, '|', (size_t)(p - start));
	while (p && is_escaped(start, p));
	return p;
}

static bool begins_with_key(struct span extension)
{
	size_t i = 0;
	while (i < extension.length && (extension.data[i] == ' ' || extension.data[i] == '\t')) i++;
	size_t from = i;
	while (i < extension.length && legacy_is_foreign_byte(extension.data[i])) i++;
	return i == extension.length ? i == from : i > from && extension.data[i] == '=';
}

/* From the left, pipes as they are escaped: right for all whose vendor, product and version have none of their own. */
static const char *split_forward(struct legacy_parts *parts, struct span body, struct span *extension)
{
	const char *p = body.data, *end = p + body.length;
	for (int i = 0; i < LEGACY_FIELDS; i++) {
		const char *pipe = next_pipe(body.data, p, end);
		if (!pipe) return i < LEGACY_SEVERITY ? "the header ends before its severity" : "the header ends before the pipe behind its severity";
		parts->field[i] = (struct legacy_field){ span_between(p, pipe), i <= LEGACY_VERSION };
		p = pipe + 1;
	}
	*extension = span_between(p, end);
	struct span severity;
	if (!severity_find(parts->field[LEGACY_SEVERITY].text, &severity)) return no_severity;
	return begins_with_key(*extension) ? NULL : "no key and '=' behind the header";
}

/* --- vendor, product and version, when they have pipes of their own --- */

static struct span between_pipes(struct span rest, const char *left, const char *right)
{
	return span_between(left ? left + 1 : rest.data, right ? right : rest.data + rest.length);
}

static bool is_option(const char *option, struct span text)
{
	return !option || span_equal(span_of(option), text);
}

static bool stands_between_blanks(struct span rest, const char *pipe)
{
	return pipe > rest.data && pipe[-1] == ' ' && pipe + 1 < rest.data + rest.length && pipe[1] == ' ';
}

struct choice { struct span rest; const char *pipe[PIPES_MAX]; size_t pipes, left, right; };

/* How many pairs of pipes could be the two separators; the last of them is left in `left` and `right`. */
static size_t choose(struct choice *c, const struct map_options *options, bool mind_blanks)
{
	size_t found = 0;
	for (size_t left = 0; left + 1 < c->pipes; left++)
		for (size_t right = left + 1; right < c->pipes; right++) {
			const char *l = c->pipe[left], *r = c->pipe[right];
			if (options && !(is_option(options->vendor, between_pipes(c->rest, NULL, l)) && is_option(options->product, between_pipes(c->rest, l, r)) && is_option(options->device_version, between_pipes(c->rest, r, NULL)))) continue;
			if (mind_blanks && (stands_between_blanks(c->rest, l) || stands_between_blanks(c->rest, r))) continue;
			c->left = left, c->right = right;
			found++;
		}
	return found;
}

static void fill_names(struct legacy_parts *parts, struct span rest, const char *left, const char *right, bool is_bare)
{
	parts->field[LEGACY_VENDOR] = (struct legacy_field){ between_pipes(rest, NULL, left), is_bare };
	parts->field[LEGACY_PRODUCT] = (struct legacy_field){ between_pipes(rest, left, right), is_bare };
	parts->field[LEGACY_VERSION] = (struct legacy_field){ between_pipes(rest, right, NULL), is_bare };
}

static const char *split_names(struct legacy_parts *parts, struct span rest, const struct map_options *options)
{
	static const char undecidable[] = "vendor, product and version cannot be told apart";
	struct choice aware = { .rest = rest }, raw = { .rest = rest };
	const char *end = rest.data + rest.length;
	for (const char *p = rest.data; p < end && (p = memchr(p, '|', (size_t)(end - p))); p++) {
		if (raw.pipes == PIPES_MAX) return undecidable;
		raw.pipe[raw.pipes++] = p;
		if (!is_escaped(rest.data, p)) aware.pipe[aware.pipes++] = p;
	}
	if (aware.pipes == 2) return fill_names(parts, rest, aware.pipe[0], aware.pipe[1], true), NULL;
	if (raw.pipes == 2) return fill_names(parts, rest, raw.pipe[0], raw.pipe[1], true), NULL;
	if (aware.pipes < 2) return undecidable;
	bool found = choose(&aware, options, false) == 1 || choose(&aware, options, true) == 1 || choose(&aware, NULL, true) == 1;
	if (!found) aware.left = 0, aware.right = aware.pipes - 1; /* nothing attacker-made is in there, and a version has none */
	fill_names(parts, rest, aware.pipe[aware.left], aware.pipe[aware.right], true);
	return NULL;
}

/* Where the client's own extension begins, of which it writes the first pair unchanged: the pipe before it. */
static const char *find_start(struct span body)
{
	static const char start[] = "|" LEGACY_START;
	const char *end = body.data + body.length, *pipe = body.data;
	while ((pipe = memmem(pipe, (size_t)(end - pipe), start, sizeof start - 1)) && is_escaped(body.data, pipe)) pipe++;
	return pipe;
}

/* From there backwards: the client escapes signature, name and severity. */
static const char *split_backward(struct legacy_parts *parts, struct span body, const char *pipe, const struct map_options *options)
{
	struct span severity;
	for (int i = LEGACY_SEVERITY; i >= LEGACY_SIGNATURE; i--) {
		const char *before = last_pipe(body.data, pipe);
		if (!before) return "the header has too few fields";
		parts->field[i] = (struct legacy_field){ span_between(before + 1, pipe), false };
		pipe = before;
	}
	if (!severity_find(parts->field[LEGACY_SEVERITY].text, &severity)) return no_severity;
	return split_names(parts, span_between(body.data, pipe), options);
}

const char *legacy_split_header(struct legacy_parts *parts, struct span line, const struct map_options *options, struct span *extension)
{
	size_t i = 4;
	for (parts->version = 0; i < line.length && i < 6 && line.data[i] >= '0' && line.data[i] <= '9'; i++) parts->version = parts->version * 10 + (line.data[i] - '0');
	while (i < line.length && line.data[i] != '|') i++;
	if (i == line.length) return "the header ends before its vendor";
	struct span body = { line.data + i + 1, line.length - i - 1 };
	const char *why = split_forward(parts, body, extension), *pipe = why ? find_start(body) : NULL;
	if (!pipe) return why;
	*extension = span_between(pipe + 1, body.data + body.length);
	return split_backward(parts, body, pipe, options);
}
