/* sink - one line built in place, at the end of the batch; nothing is allocated for an envelope. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink.h"

#include <stdlib.h>

#include "io/diag.h"

enum { CLOCK_EVERY = 64 }; /* envelopes; less than 10 us at full speed */

static const char *const type_names[] = { [METRIC_COUNTER] = "c", [METRIC_TIMER] = "ms", [METRIC_GAUGE] = "g", [METRIC_SET] = "s" };

static void count(void *context)
{
	struct sink *s = context;
	struct stats *stats = &s->filter->stats;
	*stats_extra(stats, "packets") = s->delivery.packets;
	*stats_extra(stats, "refused") = s->delivery.refused;
	*stats_extra(stats, "lost") = s->delivery.lost;
	*stats_extra(stats, "reconnects") = s->delivery.reconnects;
	if (s->interval_ns) *stats_extra(stats, "early") = s->early;
}

void sink_open(struct sink *s, struct filter *filter, const struct sink_options *o)
{
	s->filter = filter;
	filter->before_stats = count;
	filter->before_stats_context = s;
	text_map_init(&s->names, "|@#", false);
	for (const char *p = s->tags.style->unsafe; *p; p++) s->names.step[(unsigned char)*p] = '_';
	s->names.step[':'] = STEP_COLON;
	s->pace = (struct pace){ .per_second = o->pace };
	/* What goes out at once is a millisecond's worth; of a slow pace as much as a tenth of a second's, up to a packet or two. */
	uint64_t slice = o->pace / 10 < 64 ? o->pace / 10 : 64, lines = o->pace / 1000 > slice ? o->pace / 1000 : slice;
	batch_init(&s->batch, o->packet_bytes, o->one_per_packet ? 1 : UINT32_MAX, o->pace && lines < UINT32_MAX ? (uint32_t)lines + 1 : UINT32_MAX);
	buffer_init(&s->decoded, SIZE_MAX);
	s->key = must_alloc(BATCH_LINE_MAX + 64);
	s->member = must_alloc(3 * BATCH_LINE_MAX);
	s->interval_ns = o->aggregate_ns;
	if (s->interval_ns) {
		aggregate_init(&s->aggregate, o->contexts, s->tags.style->is_tail);
		s->next_ns = pace_clock() + s->interval_ns;
	}
}

bool sink_is_gone(const struct sink *s)
{
	return s->delivery.is_gone;
}

void sink_flush(struct sink *s)
{
	struct stats *stats = &s->filter->stats;
	struct delivery *d = &s->delivery;
	if (s->batch.count == 0) return;
	uint64_t sent = d->envelopes, lost = d->lost;
	if (s->filter->options.dry_run) {
		writer_bytes(&s->filter->out, (struct span){ s->batch.data, s->batch.length });
		for (size_t i = 0; i < s->batch.count; i++) d->envelopes += s->batch.packet[i].envelopes;
		d->packets += s->batch.count;
	} else {
		pace_wait(&s->pace, s->batch.lines);
		delivery_send(d, &s->batch);
	}
	stats->passed += d->envelopes - sent;
	stats->kept -= d->envelopes - sent + d->lost - lost;
	batch_clear(&s->batch);
}

static char *put(char *out, struct span s)
{
	if (s.length) memcpy(out, s.data, s.length);
	return out + s.length;
}

static char *put_line(char *out, const char *type, struct span head, struct span value, struct span rate, struct span tail)
{
	out = put(out, head);
	*out++ = ':';
	out = put(out, value);
	*out++ = '|';
	*out++ = type[0];
	if (type[1]) *out++ = type[1];
	if (rate.length) {
		*out++ = '|';
		*out++ = '@';
		out = put(out, rate);
	}
	return put(out, tail);
}

enum { SYNTAX_BYTES = 6 }; /* at most: ':', "|ms", "|@" */

static size_t line_length(const char *type, struct span head, struct span value, struct span rate, struct span tail)
{
	return head.length + 1 + value.length + 1 + strlen(type) + (rate.length ? 2 + rate.length : 0) + tail.length;
}

/* The lines of one metric; false if they are longer than a packet can be. */
static bool put_unit(struct sink *s, enum metric_kind kind, struct span head, struct span value, struct span rate, struct span tail, uint64_t envelopes)
{
	bool is_signed = kind == METRIC_GAUGE && value.data[0] == '-';
	size_t length = line_length(type_names[kind], head, value, rate, tail);
	if (is_signed) length += line_length(type_names[kind], head, SPAN("0"), rate, tail) + 1;
	if (length > BATCH_LINE_MAX) return false;
	char *start = batch_room(&s->batch), *out = start;
	if (is_signed) {
		/* With a sign in front the value would be added to what the gauge was; to a zero, and in the same packet, it is absolute. */
		out = put_line(out, type_names[kind], head, SPAN("0"), rate, tail);
		*out++ = '\n';
	}
	out = put_line(out, type_names[kind], head, value, rate, tail);
	length = (size_t)(out - start);
	if (!batch_commit(&s->batch, length, is_signed ? 2 : 1, envelopes, kind == METRIC_GAUGE)) {
		sink_flush(s);
		memmove(batch_room(&s->batch), start, length);
		batch_commit(&s->batch, length, is_signed ? 2 : 1, envelopes, kind == METRIC_GAUGE);
	}
	return true;
}

/* Name, prefix and tags into s->key. NULL, or why not. */
static const char *build_key(struct sink *s, const struct envelope *e, struct span *head, struct span *tail)
{
	char *start = s->key, *end = start + BATCH_LINE_MAX;
	const char *why = NULL;
	char *out = prefix_put(&s->prefix, e, start, end, &s->names, &s->decoded);
	if (!out) return "longer than a packet can be";
	struct span name = member_text(s->metric.name, &s->decoded);
	if (name.length >= (size_t)(end - out)) return "longer than a packet can be";
	char *from = out;
	out = text_put_name(out, start, name, &s->names);
	while (out > from && out[-1] == '.') out--;
	if (out == from || (!memchr(start, '.', (size_t)(out - start)) && text_is_trap(span_between(start, out)))) *out++ = '_';
	s->tags.count = 0;
	if (s->tags.style->open[0] && (why = tags_collect(&s->tags, e, s->metric.tags))) return why;
	if (s->tags.count && tags_length(&s->tags) > (size_t)(end - out)) return "longer than a packet can be";
	char *tags_end = s->tags.count ? tags_put(&s->tags, out) : out;
	char *head_end = s->tags.style->is_tail ? out : tags_end;
	*head = span_between(start, head_end);
	*tail = span_between(head_end, tags_end);
	return NULL;
}

/* A timer's samples, packed into lines that fit a packet; the value of any other line is one. */
static void put_folded(struct sink *s, const struct aggregate_line *line)
{
	struct span rest = line->value;
	size_t fixed = line_length(type_names[line->kind], line->head, SPAN(""), line->rate, line->tail);
	size_t room = fixed < s->batch.packet_bytes ? s->batch.packet_bytes - fixed : 0;
	if (line->envelopes == 0) return;
	if (line->kind != METRIC_TIMER) {
		put_unit(s, line->kind, line->head, rest, line->rate, line->tail, line->envelopes);
		return;
	}
	while (rest.length) {
		size_t length = 0;
		uint64_t samples = 0;
		while (length < rest.length) {
			const char *from = rest.data + length + (length > 0), *colon = memchr(from, ':', rest.length - (size_t)(from - rest.data));
			size_t next = colon ? (size_t)(colon - rest.data) : rest.length;
			if (samples && next > room) break;
			length = next;
			samples++;
		}
		put_unit(s, line->kind, line->head, (struct span){ rest.data, length }, line->rate, line->tail, samples);
		length += length < rest.length;
		rest.data += length;
		rest.length -= length;
	}
}

static void flush_aggregate(struct sink *s)
{
	struct aggregate_line line;
	for (size_t i = 0; i < aggregate_count(&s->aggregate); i++) {
		aggregate_line(&s->aggregate, i, &line);
		put_folded(s, &line);
	}
	aggregate_clear(&s->aggregate);
}

/* True if the metric is in the aggregate now. */
static bool fold(struct sink *s, struct span head, struct span tail, struct span member)
{
	/* A line of an aggregate must be one that can be sent. */
	if (2 * (head.length + tail.length + SYNTAX_BYTES) + member.length + NUMBER_FIXED_MAX > BATCH_LINE_MAX) return false;
	for (int round = 0; round < 2; round++) {
		enum aggregate_verdict verdict = aggregate_add(&s->aggregate, &s->metric, head, tail, member);
		if (verdict != AGGREGATE_FULL) return verdict == AGGREGATE_TAKEN;
		flush_aggregate(s);
		s->early++;
	}
	return false;
}

void sink_take(struct sink *s, const struct envelope *e)
{
	const char *why = NULL;
	struct span head, tail, value;
	switch (metric_read(&s->metric, e, &why)) {
	case METRIC_OTHER: filter_drop(s->filter); return;
	case METRIC_BAD: filter_reject(s->filter, e, why); return;
	case METRIC_GOOD: break;
	}
	why = build_key(s, e, &head, &tail);
	value = s->metric.value;
	if (!why && s->metric.kind == METRIC_SET) {
		value = member_text(s->metric.member, &s->decoded);
		if (value.length > BATCH_LINE_MAX) why = "longer than a packet can be";
		else value = span_between(s->member, text_put_member(s->member, value));
	}
	s->filter->stats.kept++;
	if (!why && !(s->interval_ns && fold(s, head, tail, value)) && !put_unit(s, s->metric.kind, head, value, s->metric.rate, tail, 1))
		why = "longer than a packet can be";
	if (why) {
		s->filter->stats.kept--;
		filter_reject(s->filter, e, why);
	}
	if (s->interval_ns && ++s->until_clock >= CLOCK_EVERY) sink_tick(s);
}

void sink_tick(struct sink *s)
{
	s->until_clock = 0;
	if (!s->interval_ns) return;
	int64_t now = pace_clock();
	if (now < s->next_ns) return;
	flush_aggregate(s);
	sink_flush(s);
	s->next_ns += ((now - s->next_ns) / s->interval_ns + 1) * s->interval_ns;
}

int sink_timeout_ms(const struct sink *s)
{
	if (!s->interval_ns || aggregate_count(&s->aggregate) == 0) return -1;
	int64_t left = (s->next_ns - pace_clock()) / 1000000 + 1;
	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

void sink_close(struct sink *s)
{
	if (s->interval_ns) flush_aggregate(s);
	sink_flush(s);
	uint64_t sent = s->delivery.envelopes;
	if (!delivery_close(&s->delivery)) filter_fail(s->filter, EXIT_LATER);
	s->filter->stats.passed -= sent - s->delivery.envelopes;
	count(s);
	s->filter->before_stats = NULL;
	if (s->interval_ns) aggregate_release(&s->aggregate);
	batch_release(&s->batch);
	tags_release(&s->tags);
	buffer_release(&s->decoded);
	free(s->key);
	free(s->member);
}
