/* users - counts users by interval, over what the state keeps. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "io/diag.h"
#include "io/signals.h"
#include "modes.h"
#include "show.h"
#include "state.h"
#include "tally.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

struct users {
	struct filter *filter;
	const struct cardinality_options *options;
	struct state *state;
	struct tally tally;
	struct timestamp_minute minute;
	struct state_day *days;          /* what this run brings, in order of arrival */
	size_t day_count, last;          /* last: the one used last */
	uint64_t memory_limit;
	int64_t newest;                  /* of the state and of this run; STATE_NO_DAY: there is none */
	int64_t latest_ns;               /* what is stamped later than this is not believed */
	uint64_t future, expired;
};

static int64_t day_of(int64_t ns)
{
	return ns / DAY_NS - (ns % DAY_NS < 0);
}

/* --- reading ------------------------------------------------------------------ */

/* Days that a newer one has pushed out. */
static void forget_days(struct users *u)
{
	int64_t first = state_first_kept(u->state, u->newest);
	size_t kept = 0;
	for (size_t i = 0; i < u->day_count; i++) {
		if (u->days[i].day < first) groups_release(&u->days[i].groups);
		else u->days[kept++] = u->days[i];
	}
	u->day_count = kept;
}

/* The groups of the day, which may take what memory those of the others leave. */
static struct groups *groups_of(struct users *u, int64_t day)
{
	size_t i = 0;
	uint64_t others = 0;
	if (u->last < u->day_count && u->days[u->last].day == day) return &u->days[u->last].groups;
	if (u->newest == STATE_NO_DAY || day > u->newest) {
		u->newest = day;
		forget_days(u);
	}
	while (i < u->day_count && u->days[i].day != day) i++;
	if (i == u->day_count) {
		u->days = must_resize(u->days, ++u->day_count * sizeof *u->days);
		u->days[i].day = day;
		groups_init(&u->days[i].groups, 1, 0);
	}
	for (size_t d = 0; d < u->day_count; d++) others += d == i ? 0 : groups_memory(&u->days[d].groups);
	struct groups *groups = &u->days[i].groups;
	groups->memory_limit = u->memory_limit > others ? u->memory_limit - others : 0;
	u->last = i;
	return groups;
}

/* A clock that is wrong, or a sender that would push all days out. */
static void drop_future(struct users *u)
{
	const struct filter *f = u->filter;
	if (!u->future++) diag_warn("%s:%llu: stamped more than a day later than the clock: not counted", f->reader.name, (unsigned long long)f->line);
	filter_drop(u->filter);
}

static void drop_expired(struct users *u)
{
	u->expired++;
	filter_drop(u->filter);
}

static void take(struct users *u, const struct envelope *envelope)
{
	int64_t when;
	struct span text;
	if (envelope->timestamp.kind != VALUE_STRING) {
		filter_reject(u->filter, envelope, "no timestamp");
		return;
	}
	if (!timestamp_parse_next(&u->minute, envelope->timestamp.text, &when)) {
		filter_reject(u->filter, envelope, "timestamp is not RFC 3339");
		return;
	}
	int64_t day = day_of(when);
	if (when > u->latest_ns) drop_future(u);
	else if (u->newest != STATE_NO_DAY && day < state_first_kept(u->state, u->newest)) drop_expired(u);
	else {
		if (tally_value(&u->tally, envelope, 0, &text)) {
			uint64_t hash = sketch_hash(text);
			if (!groups_add(groups_of(u, day), tally_group(&u->tally, envelope), 0, hash)) die(EXIT_INTERNAL, "no memory for one more group or value");
		}
		filter_booked_pass(u->filter);
	}
}

/* --- showing ------------------------------------------------------------------ */

/* The rows of all intervals. Their groups' texts stand behind each other in `text`, which moves as it grows. */
struct rows {
	struct show_row *row;
	size_t *at;                      /* where its group stands in text */
	size_t count, capacity;
	struct buffer text;
};

static uint64_t rows_memory(const struct rows *r)
{
	return r->capacity * (sizeof *r->row + sizeof *r->at) + r->text.capacity;
}

static void add_row(struct rows *r, const struct show_row *row)
{
	if (r->count == r->capacity) {
		r->capacity = r->capacity ? 2 * r->capacity : 64;
		r->row = must_resize(r->row, r->capacity * sizeof *r->row);
		r->at = must_resize(r->at, r->capacity * sizeof *r->at);
	}
	r->row[r->count] = *row;
	r->at[r->count++] = r->text.length;
	if (!buffer_append_span(&r->text, row->group)) die(EXIT_INTERNAL, "no memory for the names of groups");
}

static struct show_row row_of(const struct users *u, struct span group, const struct sketch *sketch, int days)
{
	return (struct show_row){ .of = show_name(&u->options->of[0]), .group = group, .count = sketch_count(sketch), .seen = SHOW_UNKNOWN, .error = (float)sketch_error(sketch), .interval_days = days };
}

/* How many groups had no room here; what is "other" already is none of them. */
static uint64_t add_interval(const struct users *u, struct rows *r, int64_t today, int days)
{
	struct sketch other = { 0 };
	struct state_union *all = state_union_open(u->state, today - days + 1, today);
	const struct sketch *sketch;
	struct span group;
	uint64_t lost = 0;
	while (state_union_next(all, &group, &sketch)) {
		struct show_row row = row_of(u, group, sketch, days);
		bool room = rows_memory(r) + group.length <= u->memory_limit;
		if (group.length && room) add_row(r, &row);
		else if (!sketch_merge(&other, sketch)) die(EXIT_INTERNAL, "no memory for a sketch");
		if (group.length && !room) lost++;
	}
	if (sketch_count(&other)) {
		struct show_row row = row_of(u, (struct span){ 0 }, &other, days);
		add_row(r, &row);
	}
	state_union_close(all);
	sketch_release(&other);
	return lost;
}

static void show(const struct users *u)
{
	struct rows r = { 0 };
	uint64_t lost = 0;
	const struct cardinality_options *o = u->options;
	int64_t today = o->now != INT64_MIN ? day_of(o->now) : state_newest(u->state);
	buffer_init(&r.text, SIZE_MAX / 2);
	for (size_t i = 0; i < o->interval_count && today != STATE_NO_DAY; i++) lost += add_interval(u, &r, today, o->interval[i]);
	for (size_t i = 0; i < r.count; i++)
		if (r.row[i].group.length) r.row[i].group.data = r.text.data + r.at[i];
	if (lost) diag_warn("--max-memory: no room to show %llu groups: counted together, as other", (unsigned long long)lost);
	show_rows(u->filter, o, r.row, r.count, o->now);
	buffer_release(&r.text);
	free(r.row);
	free(r.at);
}

/* --- the run ------------------------------------------------------------------ */

/* "fields.ip", or {"user":"fields.ip"} where it goes by another name: that is the name in the lines of the days. */
static void append_of(struct buffer *out, const struct cardinality_field *of)
{
	bool renamed = !span_equal(of->name, of->path.whole);
	if (renamed) {
		buffer_append_text(out, "{\"");
		buffer_append_span(out, show_name(of));
		buffer_append_text(out, "\":");
	}
	text_append_quoted(out, of->path.whole);
	if (renamed) buffer_append_byte(out, '}');
}

/* {"of":"fields.ip","by":{"key":"fields.api_key"},"ip":true,"match":null}: what may not change while a state is kept. A pair is a name and its path; -m stands there
 * as it was given, for two choices of envelopes in one state would be counted as one. */
static bool append_identity(struct buffer *out, const struct users *u)
{
	const struct cardinality_options *o = u->options;
	const char *match = u->filter->options.match;
	buffer_append_text(out, "{\"of\":");
	append_of(out, &o->of[0]);
	buffer_append_text(out, ",\"by\":{");
	for (size_t i = 0; i < o->by_count; i++) {
		buffer_append_span(out, (struct span){ o->by[i].label.data + (i == 0), o->by[i].label.length - (i == 0) });
		text_append_quoted(out, o->by[i].path.whole);
	}
	buffer_append_text(out, o->address ? "},\"ip\":true,\"match\":" : "},\"ip\":false,\"match\":");
	if (match) text_append_quoted(out, span_of(match));
	else buffer_append_text(out, "null");
	return buffer_append_byte(out, '}');
}

static void open_state(struct users *u)
{
	struct buffer identity;
	int longest = 1;
	for (size_t i = 0; i < u->options->interval_count; i++) longest = u->options->interval[i] > longest ? u->options->interval[i] : longest;
	buffer_init(&identity, SIZE_MAX / 2);
	if (!append_identity(&identity, u)) die(EXIT_INTERNAL, "no memory for the options");
	u->state = state_open(u->options->state, show_name(&u->options->of[0]), buffer_span(&identity), longest);
	buffer_release(&identity);
	u->newest = state_newest(u->state);
	/* A clock that has been put back is known by the state that was written later. */
	int64_t now = timestamp_now(), clock = state_clock(u->state);
	u->latest_ns = (clock > now ? clock : now) + DAY_NS;
}

static void book(struct users *u)
{
	struct stats *stats = &u->filter->stats;
	if (u->future) *stats_extra(stats, "future") = u->future;
	if (u->expired) *stats_extra(stats, "expired") = u->expired;
	if (u->expired) diag_note(1, "%llu envelope%s of days that are no longer kept: not counted", (unsigned long long)u->expired, u->expired == 1 ? "" : "s");
	for (size_t i = 0; i < u->day_count; i++) show_warn_of_other(u->options, &u->days[i].groups);
}

static bool save(const struct users *u)
{
	int error = state_save(u->state, u->days, u->day_count);
	if (!error) return true;
	diag_error("writing the state %s: %s; it is as it was", u->options->state, strerror(error));
	filter_fail(u->filter, error == ENOMEM ? EXIT_INTERNAL : EXIT_IO);
	return false;
}

static void release_days(struct users *u)
{
	for (size_t i = 0; i < u->day_count; i++) groups_release(&u->days[i].groups);
	free(u->days);
	u->days = NULL;
	u->day_count = 0;
}

/* A drain holds what ends with 0 for delivered, but a segment may have been read in part only. */
static void tell_drain(struct filter *filter)
{
	const char *segment = filter->options.operand_count ? NULL : getenv("METLOG_SEGMENT");
	if (!segment || !signals_stopping()) return;
	diag_error("stopped within the segment %s: what was read of it is counted, and it has to be given again", segment);
	filter_fail(filter, EXIT_LATER);
}

int users_run(struct filter *filter, const struct cardinality_options *options)
{
	struct users u = { .filter = filter, .options = options, .memory_limit = options->by_count ? options->memory_limit : UINT64_MAX };
	struct envelope envelope;
	open_state(&u);
	tally_init(&u.tally, options);
	while (filter_next(filter, &envelope)) take(&u, &envelope);
	progress_close(&filter->progress);
	book(&u);
	bool saved = !filter->rejects.fatal && save(&u);
	release_days(&u); /* showing takes memory of its own */
	if (saved) show(&u);
	tell_drain(filter);
	tally_release(&u.tally);
	state_close(u.state);
	return filter_close(filter);
}
