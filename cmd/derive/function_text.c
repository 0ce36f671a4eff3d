/* function_text - functions of rules that make texts, or choose among them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/tag.h"
#include "function_private.h"

/* The text of an argument; false if it is not there. */
static bool take_text(struct eval *e, const struct expr *x, struct eval_value *value, struct span *text)
{
	eval_expr(e, x, value);
	*text = eval_text(e, value);
	return value->kind != EVAL_NOTHING && (text->data || !text->length);
}

static void make_tag(struct eval *e, struct span text, struct eval_value *out)
{
	eval_put_text(out, text, true);
	if (text.length && tag_value_is_clean(e->tag, text)) return;
	char *room = eval_room(e, TAG_MAX + 1);
	struct buffer made = { .data = room, .capacity = TAG_MAX + 1, .limit = TAG_MAX + 1 };
	eval_put_nothing(out);
	if (room && tag_append_value(&made, e->tag, text) && made.length) eval_put_text(out, buffer_span(&made), true);
}

void function_tag(struct eval *e, const struct expr *call, struct eval_value *out)
{
	struct span text;
	if (take_text(e, call->arg[0], out, &text)) make_tag(e, text, out);
	else eval_put_nothing(out);
}

void function_tagpath(struct eval *e, const struct expr *call, struct eval_value *out)
{
	struct span text;
	if (!take_text(e, call->arg[0], out, &text)) {
		eval_put_nothing(out);
		return;
	}
	size_t size = text.length + sizeof ".homepage";
	char *room = eval_room(e, size);
	struct buffer path = { .data = room, .capacity = size, .limit = size };
	eval_put_nothing(out);
	if (room && tag_append_path(&path, text)) make_tag(e, buffer_span(&path), out);
}

static bool is_between(char c, char first, char last)
{
	return c >= first && c <= last;
}

/* Letters from `first` to `last` become those of the other case. */
static void change_case(struct eval *e, const struct expr *call, char first, char last, struct eval_value *out)
{
	struct eval_value value;
	struct span text;
	size_t same = 0;
	eval_put_nothing(out);
	if (!take_text(e, call->arg[0], &value, &text)) return;
	while (same < text.length && !is_between(text.data[same], first, last)) same++;
	if (same == text.length) {
		*out = value;
		return;
	}
	char *room = eval_room(e, text.length);
	if (!room) return;
	for (size_t i = 0; i < text.length; i++) room[i] = is_between(text.data[i], first, last) ? (char)(text.data[i] ^ 0x20) : text.data[i];
	eval_put_text(out, (struct span){ room, text.length }, value.is_clean);
}

void function_lower(struct eval *e, const struct expr *call, struct eval_value *out)
{
	change_case(e, call, 'A', 'Z', out);
}

void function_upper(struct eval *e, const struct expr *call, struct eval_value *out)
{
	change_case(e, call, 'a', 'z', out);
}

void function_default(struct eval *e, const struct expr *call, struct eval_value *out)
{
	eval_put_nothing(out);
	for (size_t i = 0; i < call->count && out->kind == EVAL_NOTHING; i++) eval_expr(e, call->arg[i], out);
}

/* Whether the text is that of one of the arguments behind the first. */
static bool is_listed(struct eval *e, const struct expr *call, struct span text)
{
	for (size_t i = 1; i < call->count; i++) {
		struct eval_value value;
		struct span word;
		if (take_text(e, call->arg[i], &value, &word) && span_equal(word, text)) return true;
	}
	return false;
}

static void choose(struct eval *e, const struct expr *call, bool listed, struct eval_value *out)
{
	struct span text;
	if (!take_text(e, call->arg[0], out, &text) || is_listed(e, call, text) != listed) eval_put_nothing(out);
}

void function_omit(struct eval *e, const struct expr *call, struct eval_value *out)
{
	choose(e, call, false, out);
}

void function_keep(struct eval *e, const struct expr *call, struct eval_value *out)
{
	choose(e, call, true, out);
}

void function_equal(struct eval *e, const struct expr *call, struct eval_value *out)
{
	struct eval_value value[2];
	struct span a, b;
	bool there = take_text(e, call->arg[0], &value[0], &a) && take_text(e, call->arg[1], &value[1], &b);
	eval_put_nothing(out);
	if (there && span_equal(a, b)) eval_expr(e, call->arg[2], out);
	else if (call->count > 3) eval_expr(e, call->arg[3], out);
}

void function_make_text(struct eval *e, const struct expr *call, struct eval_value *out)
{
	struct span text;
	struct eval_value value;
	eval_put_nothing(out);
	if (take_text(e, call->arg[0], &value, &text)) eval_put_text(out, text, value.is_clean || value.kind == EVAL_NUMBER);
}
