/* findings_show - a finding as a sentence, and as an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */

#include "base/text.h"
#include "catalog.h"
#include "envelope/compose.h"
#include "filter/stats.h"
#include "findings.h"

const char *finding_kind_name(enum finding_kind kind)
{
	static const char *const names[FINDING_KINDS] = {
		[FINDING_NAME] = "unknown-name", [FINDING_TYPE] = "wrong-type", [FINDING_METRIC] = "bad-metric", [FINDING_TAGS] = "bad-tags",
		[FINDING_TAG] = "unknown-tag", [FINDING_TWICE] = "repeated-tag", [FINDING_MISSING] = "missing-tag", [FINDING_NO_TEXT] = "no-text",
		[FINDING_VALUE] = "wrong-value", [FINDING_LONG] = "long-value", [FINDING_MANY] = "too-many-values", [FINDING_UNUSED] = "unused",
	};
	return names[kind];
}

/* Where %n stands goes the name, %k the type, %t the tag, %v the value, %m what is in `more`. */
static const char *wording(const struct finding *one)
{
	static const char *const usual[FINDING_KINDS] = {
		[FINDING_NAME] = "%k %n is not in the catalogue", [FINDING_TYPE] = "%n is a %k, but a %m in the catalogue", [FINDING_METRIC] = "%k %n: %m",
		[FINDING_TAGS] = "%n: fields.tags is not an object", [FINDING_TAG] = "%n: the tag %t is not allowed", [FINDING_TWICE] = "%n: the tag %t stands there twice",
		[FINDING_MISSING] = "%n: the tag %t is missing", [FINDING_NO_TEXT] = "%n: %t is %m, not a text", [FINDING_VALUE] = "%n: %t is \"%v\", not one of %m",
		[FINDING_LONG] = "%n: %t is \"%v\"..., longer than 200 bytes", [FINDING_MANY] = "%n: %t has more than %m values, this one is \"%v\"", [FINDING_UNUSED] = "%k %n never came",
	};
	if (one->kind == FINDING_METRIC && !one->name.length) return "a %k: %m";
	if (!one->others) return usual[one->kind];
	if (one->kind == FINDING_NAME) return "other names that are not in the catalogue";
	return one->kind == FINDING_TAG ? "%n has other tags that are not allowed" : "%n: %t has other values that are not allowed";
}

static bool has_guess(const struct finding *one)
{
	return (one->kind == FINDING_NAME || one->kind == FINDING_TAG) && one->more.length;
}

/* The sentence, as UTF-8 that may drive a terminal. */
static void append_sentence(struct buffer *out, const struct finding *one)
{
	for (const char *at = wording(one); *at; at++) {
		if (*at != '%') {
			buffer_append_byte(out, *at);
			continue;
		}
		switch (*++at) {
		case 'n': buffer_append_span(out, one->name); break;
		case 't': buffer_append_span(out, one->tag); break;
		case 'v': buffer_append_span(out, one->value); break;
		case 'm': buffer_append_span(out, one->more); break;
		default: buffer_append_text(out, catalog_kind_name(one->type));
		}
	}
	if (!has_guess(one)) return;
	buffer_append_text(out, "; did you mean ");
	buffer_append_span(out, one->more);
	buffer_append_byte(out, '?');
}

bool finding_append_text(struct buffer *out, const struct finding *one, bool counted)
{
	struct buffer sentence;
	buffer_init(&sentence, SIZE_MAX / 2);
	buffer_append_text(&sentence, one->source);
	buffer_append_byte(&sentence, ':');
	buffer_append_int(&sentence, (int64_t)one->line);
	buffer_append_text(&sentence, ": ");
	append_sentence(&sentence, one);
	bool good = !sentence.failed && text_append_visible(out, buffer_span(&sentence));
	buffer_release(&sentence);
	buffer_append_text(out, " [");
	buffer_append_text(out, finding_kind_name(one->kind));
	if (counted && one->kind != FINDING_UNUSED) {
		buffer_append_text(out, ", ");
		buffer_append_int(out, (int64_t)one->count);
		buffer_append_text(out, one->count == 1 ? " time" : " times");
	}
	return buffer_append_byte(out, ']') && good;
}

static void append_member(struct buffer *out, const char *name, struct span text)
{
	if (!text.length) return;
	buffer_append_text(out, ",\"");
	buffer_append_text(out, name);
	buffer_append_text(out, "\":");
	compose_text(out, text);
}

bool finding_append_json(struct buffer *out, const struct finding *one)
{
	struct buffer sentence;
	buffer_init(&sentence, SIZE_MAX / 2);
	append_sentence(&sentence, one);
	stats_append_head(out, "metlog.finding", one->kind == FINDING_UNUSED ? 6 : 4);
	buffer_append_text(out, "\"payload\":");
	bool good = !sentence.failed && compose_text(out, buffer_span(&sentence));
	buffer_release(&sentence);
	buffer_append_text(out, ",\"fields\":{\"kind\":\"");
	buffer_append_text(out, finding_kind_name(one->kind));
	buffer_append_byte(out, '"');
	if (!one->others || one->kind != FINDING_NAME) append_member(out, "metric_type", span_of(catalog_kind_name(one->type)));
	append_member(out, "metric", one->name);
	append_member(out, "tag", one->tag);
	append_member(out, "value", one->value);
	append_member(out, has_guess(one) ? "meant" : one->kind == FINDING_METRIC ? "reason" : "allowed", one->kind == FINDING_NO_TEXT ? (struct span){ 0 } : one->more);
	buffer_append_text(out, ",\"count\":");
	buffer_append_int(out, (int64_t)one->count);
	append_member(out, "file", span_of(one->source));
	buffer_append_text(out, ",\"line\":");
	buffer_append_int(out, (int64_t)one->line);
	return buffer_append_text(out, "}}") && good;
}
