/* partition_leftover - whether a leftover of a killed run comes again: it is the beginning of the same file then. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "partition_private.h"

#include "io/diag.h"
#include "io/socket.h"

enum { RETRY_MS = 1000 };

static bool is_of(const struct staging_leftover *l, const struct slot *s)
{
	return !l->is_due && l->file == s->file && checksum_equal_wide(l->before, s->before) && strcmp(l->dir, s->dir) == 0;
}

/* One that was the same file of its directory, but behind others, or an earlier one, is not going to come. */
void partition_leftovers_begin(struct partitions *p, struct slot *s)
{
	for (struct staging_leftover *l = p->staging->leftovers; l; l = l->next) {
		if (l->is_due || strcmp(l->dir, s->dir) != 0) continue;
		if (is_of(l, s)) s->is_watched = true;
		else if (l->file <= s->file) l->is_due = true;
	}
}

/* Its lines are in our own file when the old one goes. */
static void forget_matched(struct partitions *p, struct slot *s, struct staging_leftover *l)
{
	l->is_matched = true;
	if (partition_flush(p, s) == 0) leftover_forget(p->staging, l);
}

void partition_leftovers_check(struct partitions *p, struct slot *s)
{
	bool watched = false;
	for (struct staging_leftover *l = p->staging->leftovers, *next; l; l = next) {
		next = l->next;
		if (!is_of(l, s)) continue;
		watched = true;
		if (l->is_matched) forget_matched(p, s, l);
		else if (s->bytes > l->bytes) l->is_due = true;
		else if (s->bytes == l->bytes) {
			partition_hash(s);
			if (checksum_equal_wide(checksum_value_wide(s->sum), l->sum)) forget_matched(p, s, l);
			else l->is_due = true;
		}
	}
	s->is_watched = watched;
}

void partition_leftovers_sealed(struct partitions *p, const struct slot *s)
{
	for (struct staging_leftover *l = p->staging->leftovers, *next; l; l = next) {
		next = l->next;
		if (!is_of(l, s)) continue;
		if (l->is_matched) leftover_forget(p->staging, l);
		else l->is_due = true;
	}
}

static int seal_one(struct partitions *p, struct staging_leftover *l)
{
	struct seal_lines lines = { .run = l->run, .number = l->number, .dir = l->dir, .file_bytes = l->bytes, .records = l->records, .sum = l->sum };
	int error = partition_seal_lines(p, &lines, l->file);
	if (!error) leftover_drop(p->staging, l);
	return error;
}

int partition_leftovers_seal(struct partitions *p, bool all)
{
	int error = 0;
	int64_t now = socket_clock_ms();
	if (!all && p->retry_ms > now) return 0;
	for (struct staging_leftover *l = p->staging->leftovers, *next; l; l = next) {
		next = l->next;
		if (!l->is_due && (!all || l->is_matched)) continue;
		int one = seal_one(p, l);
		if (!error) error = one;
	}
	p->retry_ms = error ? now + RETRY_MS : 0;
	return error;
}

int64_t partition_leftovers_due_ms(const struct partitions *p, int64_t now_ms)
{
	int64_t due = -1;
	for (const struct staging_leftover *l = p->staging->leftovers; l; l = l->next) {
		int64_t when = l->is_due ? p->retry_ms : p->options.rotate_ms >= 0 && !l->is_matched ? p->started_ms + p->options.rotate_ms : -1;
		if (when < 0) continue;
		int64_t left = when > now_ms ? when - now_ms : 0;
		if (due < 0 || left < due) due = left;
	}
	return due;
}

static bool is_open(const struct partitions *p, const struct staging_leftover *l)
{
	for (size_t i = 0; i < p->slot_count; i++)
		if (p->slots[i].is_open && p->slots[i].is_watched && is_of(l, p->slots + i)) return true;
	return false;
}

/* One whose file is just being filled is decided by that. */
void partition_leftovers_tick(struct partitions *p, int64_t now_ms)
{
	if (now_ms - p->started_ms < p->options.rotate_ms) return;
	for (struct staging_leftover *l = p->staging->leftovers; l; l = l->next)
		if (!l->is_matched && !is_open(p, l)) l->is_due = true;
}
