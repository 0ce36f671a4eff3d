/* legacy_extension - which text is a key and which is a value, in an extension where not everything is escaped. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "legacy_private.h"

/* Every step goes forward only: a text of a megabyte, whatever is in it, costs what its length is worth. */
struct tokens {
	const char *start, *p, *end;
	char blank;                /* what may stand before a key, beside a space */
	bool is_foul;              /* a backslash was passed that begins no escape: the client, which escapes values, did not write this as one */
};

struct token {
	struct span key;           /* the word in front of the '='; empty if there is none */
	const char *value;         /* behind the '=' */
};

static bool is_escape(char c) { return c == '\\' || c == '=' || c == 'n' || c == 'r'; }

static struct tokens tokens_of(struct span text, char blank)
{
	return (struct tokens){ .start = text.data, .p = text.data, .end = text.data + text.length, .blank = blank };
}

/* The next '=' without a backslash before it, and the word it ends. */
static bool token_next(struct tokens *t, struct token *token)
{
	const char *from = t->p;
	t->is_foul = false;
	for (; t->p < t->end && *t->p != '='; t->p++) {
		if (*t->p != '\\') continue;
		if (t->end - t->p < 2 || !is_escape(t->p[1])) t->is_foul = true;
		else t->p++, from = t->p + 1;
	}
	if (t->p >= t->end) return false;
	const char *key = t->p;
	while (key > from && key[-1] != ' ' && key[-1] != t->blank) key--;
	bool apart = key == t->start || key[-1] == ' ' || key[-1] == t->blank;
	token->key = apart && t->p - key <= CEF_KEY_MAX ? span_between(key, t->p) : SPAN("");
	token->value = ++t->p;
	return true;
}

/* What the client lets pass as a key: it warns, and writes it as it is. */
static bool is_bad_key(struct span word)
{
	for (size_t i = 0; i < word.length; i++)
		if ((unsigned char)word.data[i] < ' ' || word.data[i] == '\\' || word.data[i] == '"') return false;
	return word.length > 0;
}

static bool is_foreign_key(struct span word)
{
	size_t i = 0;
	while (i < word.length && legacy_is_foreign_byte(word.data[i])) i++;
	return i > 0 && i == word.length;
}

static struct span value_until(const char *value, const char *next_key)
{
	return span_between(value, next_key > value ? next_key - 1 : next_key);
}

static void add(struct legacy_parts *parts, struct span key, struct span value, bool is_bare)
{
	parts->pair[parts->count++] = (struct legacy_pair){ key, { value, is_bare } };
}

/* --- the client's own lines --- */

enum { LABEL, AGENT, METHOD, REQUEST, SOURCE, HOST, USER, SEVEN };

struct client {
	struct token seven[SEVEN];
	int ways;                  /* in which the line can be read: 0 is not the client's, 2 can be more */
};

/* cs1Label cs1 requestMethod request src, with nothing between that is not escaped; then, somewhere, dhost and right behind it suser. */
static void find_seven(struct client *client, struct span extension)
{
	static const char *const names[] = { "cs1Label", "cs1", "requestMethod", "request", "src" };
	struct tokens t = tokens_of(extension, ' ');
	struct token token, host = { .value = NULL };
	client->ways = 0;
	if (!span_starts(extension, SPAN(LEGACY_START))) return;
	for (int i = 0; i <= SOURCE; i++)
		if (!token_next(&t, &client->seven[i]) || !span_equal(client->seven[i].key, span_of(names[i]))) return;
	while (client->ways < 2 && token_next(&t, &token)) {
		if (host.value && span_equal(token.key, SPAN("suser")) && client->ways++ == 0) {
			client->seven[HOST] = host;
			client->seven[USER] = token;
		}
		bool is_host = span_equal(token.key, SPAN("dhost")) || span_equal(token.key, SPAN("dest"));
		host = is_host ? token : (struct token){ .value = NULL };
	}
}

static bool is_one_of_seven(const struct client *client, struct span key)
{
	for (int i = 0; i < SEVEN; i++)
		if (span_equal(client->seven[i].key, key)) return true;
	return false;
}

/* The extra keys behind suser: those behind the last thing that can only be text of suser. */
static const char *find_extras(const struct client *client, struct span extension, struct token extra[CEF_PAIRS_MAX], size_t *count)
{
	struct tokens t = tokens_of(extension, ' ');
	struct token token;
	t.p = client->seven[USER].value;
	*count = 0;
	while (token_next(&t, &token)) {
		if (t.is_foul) *count = 0;
		if (!is_bad_key(token.key) || is_one_of_seven(client, token.key)) {
			*count = 0;
			continue;
		}
		size_t same = 0;
		while (same < *count && !span_equal(extra[same].key, token.key)) same++;
		if (same < *count) {
			*count -= same + 1;
			memmove(extra, extra + same + 1, *count * sizeof *extra);
		}
		if (*count == CEF_PAIRS_MAX - SEVEN) return "more than 512 keys";
		extra[(*count)++] = token;
	}
	if (t.is_foul) *count = 0;
	return NULL;
}

static const char *split_client(struct legacy_parts *parts, const struct client *client, struct span extension)
{
	struct token extra[CEF_PAIRS_MAX];
	const char *end = extension.data + extension.length;
	size_t count;
	const char *why = find_extras(client, extension, extra, &count);
	if (why) return why;
	for (int i = 0; i < SEVEN; i++) {
		const struct token *token = &client->seven[i];
		const char *next = i + 1 < SEVEN ? client->seven[i + 1].key.data : count ? extra[0].key.data : NULL;
		add(parts, token->key, next ? value_until(token->value, next) : span_between(token->value, end), i == SOURCE || i == USER);
	}
	for (size_t i = 0; i < count; i++)
		add(parts, extra[i].key, i + 1 < count ? value_until(extra[i].value, extra[i + 1].key.data) : span_between(extra[i].value, end), false);
	return NULL;
}

/* --- all others --- */

/* A newline in a value, and behind it a line that is one of its own. */
static bool holds_another_line(struct span text)
{
	const char *p = text.data, *end = p + text.length;
	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		struct span before, line;
		p++;
		const char *next = memchr(p, '\n', (size_t)(end - p));
		if (cef_find(span_between(p, next ? next : end), &before, &line)) return true;
	}
	return false;
}

static bool is_there(const struct legacy_parts *parts, struct span key)
{
	for (size_t i = 0; i < parts->count; i++)
		if (span_equal(parts->pair[i].key, key)) return true;
	return false;
}

static const char *split_foreign(struct legacy_parts *parts, struct span extension)
{
	struct tokens t = tokens_of(extension, '\t');
	struct token token;
	bool almost_client = span_starts(extension, SPAN(LEGACY_START));
	if (holds_another_line(extension)) return "two CEF lines in one message";
	while (token_next(&t, &token)) {
		if (!is_foreign_key(token.key)) continue;
		if (is_there(parts, token.key)) {
			if (almost_client) return "a key of the client stands there twice: which one it wrote cannot be told";
			continue;
		}
		if (parts->count == CEF_PAIRS_MAX) return "more than 512 keys";
		if (parts->count) {
			struct legacy_field *before = &parts->pair[parts->count - 1].value;
			before->text = value_until(before->text.data, token.key.data);
		}
		add(parts, token.key, span_between(token.value, t.end), false);
	}
	return NULL;
}

const char *legacy_split_extension(struct legacy_parts *parts, struct span extension)
{
	struct client client;
	parts->count = 0;
	while (extension.length && (extension.data[0] == ' ' || extension.data[0] == '\t')) extension.data++, extension.length--;
	if (extension.length == 0) return NULL;
	struct tokens t = tokens_of(extension, '\t');
	struct token first;
	if (!token_next(&t, &first) || first.key.data != extension.data || !is_foreign_key(first.key)) return "no key and '=' behind the header";
	find_seven(&client, extension);
	if (client.ways > 1) return "dhost and suser stand there twice: which ones the client wrote cannot be told";
	return client.ways ? split_client(parts, &client, extension) : split_foreign(parts, extension);
}
