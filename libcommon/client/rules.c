/* rules - which messages a client leaves out: severities, types, disabled timers. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/rules.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONFIGURATION = 78, SYSTEM = 71, SEVERITY_MAX = 7 };

/* --- the beginning ---------------------------------------------------------------------- */

static size_t list_count(const char *const *list)
{
	size_t count = 0;
	while (list && list[count]) count++;
	return count;
}

static size_t list_bytes(const char *const *list)
{
	size_t total = 0;
	for (; list && *list; list++) total += strlen(*list);
	return total;
}

/* What is still free of the one piece of memory: spans and types from the front, then texts. */
struct room {
	struct span *spans;
	char *texts;
};

static struct span copy_text(struct room *room, struct span text)
{
	struct span copy = { room->texts, text.length };
	memcpy(room->texts, text.data, text.length);
	room->texts[text.length] = '\0';
	room->texts += text.length + 1;
	return copy;
}

static const struct span *copy_list(struct room *room, const char *const *list, size_t *count)
{
	struct span *first = room->spans;
	*count = list_count(list);
	for (size_t i = 0; i < *count; i++) *room->spans++ = copy_text(room, span_of(list[i]));
	return first;
}

static bool wrong(struct metlog_fault *fault, const char *what, const char *given)
{
	if (!fault) return false;
	fault->status = CONFIGURATION;
	snprintf(fault->text, sizeof fault->text, "%s: \"%.200s\"", what, given);
	return false;
}

bool rules_read_type(struct rules_type *type, const char *text)
{
	const char *colon = strrchr(text, ':');
	if (!colon || colon[1] < '0' || colon[1] > '0' + SEVERITY_MAX || colon[2]) return false;
	*type = (struct rules_type){ span_between(text, colon), colon[1] - '0' };
	return true;
}

static bool copy_types(struct rules *r, struct rules_type *types, struct room *room, const char *const *list, struct metlog_fault *fault)
{
	r->types = types;
	for (; list && *list; list++, types++, r->type_count++) {
		if (!rules_read_type(types, *list)) return wrong(fault, "not TYPE:N with a severity from 0 to 7", *list);
		types->name = copy_text(room, types->name);
	}
	return true;
}

bool rules_init(struct rules *r, const struct metlog_options *o, struct metlog_fault *fault)
{
	*r = (struct rules){ .severity_max = o->severity_max == METLOG_SEVERITY_DEFAULT ? SEVERITY_MAX : o->severity_max };
	if (r->severity_max < 0 || r->severity_max > SEVERITY_MAX) {
		char number[16];
		snprintf(number, sizeof number, "%d", o->severity_max);
		return wrong(fault, "severity_max is not from 0 to 7", number);
	}
	size_t types = list_count(o->type_severities);
	size_t spans = list_count(o->types_allowed) + list_count(o->types_denied) + list_count(o->disabled_timers);
	size_t texts = list_bytes(o->types_allowed) + list_bytes(o->types_denied) + list_bytes(o->disabled_timers) + list_bytes(o->type_severities);
	r->memory = malloc(types * sizeof(struct rules_type) + spans * sizeof(struct span) + texts + types + spans + 1);
	if (!r->memory) {
		if (fault) *fault = (struct metlog_fault){ SYSTEM, "no memory for the rules" };
		return false;
	}
	struct rules_type *first = r->memory;
	struct room room = { (struct span *)(void *)(first + types), (char *)(void *)(first + types) + spans * sizeof(struct span) };
	r->has_allowed = o->types_allowed != NULL;
	r->allowed = copy_list(&room, o->types_allowed, &r->allowed_count);
	r->denied = copy_list(&room, o->types_denied, &r->denied_count);
	r->disabled_timers = copy_list(&room, o->disabled_timers, &r->disabled_count);
	if (!copy_types(r, first, &room, o->type_severities, fault)) {
		rules_release(r);
		return false;
	}
	for (size_t i = 0; i < r->disabled_count; i++)
		if (span_equal(r->disabled_timers[i], SPAN("*"))) r->all_timers_disabled = true;
	r->is_any = r->severity_max < SEVERITY_MAX || r->has_allowed || r->denied_count || r->type_count;
	return true;
}

void rules_release(struct rules *r)
{
	free(r->memory);
	*r = (struct rules){ .severity_max = SEVERITY_MAX };
}

/* --- each message ----------------------------------------------------------------------- */

bool rules_pass(const struct rules *r, struct span type, int severity)
{
	if (severity < 0 || severity > SEVERITY_MAX) return true; /* it is refused, whatever rules there are */
	if (severity > r->severity_max) return false;
	if (r->has_allowed && !rules_are_among(r->allowed, r->allowed_count, type)) return false;
	if (rules_are_among(r->denied, r->denied_count, type)) return false;
	for (size_t i = 0; i < r->type_count; i++)
		if (severity > r->types[i].severity_max && span_equal(r->types[i].name, type)) return false;
	return true;
}
