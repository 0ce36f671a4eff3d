/* publish - takes sealed files to the store, one by one, and books what becomes of them. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "publish.h"

#include <stdio.h>

#include "io/diag.h"

static void show_progress(void *context, uint64_t bytes)
{
	struct publish *p = context;
	char what[64];
	snprintf(what, sizeof what, "publishing %llu of %llu", (unsigned long long)p->place.number, (unsigned long long)p->place.files);
	progress_task_tick(&p->filter->progress, &p->task, what, p->place.bytes_before + bytes);
}

/* A far side that does not answer may take a minute to be given up: who looks on sees what is waited for. */
static void show_start(struct publish *p)
{
	char line[80];
	if (!p->filter->progress.shown) return;
	if (p->task.is_shown) {
		p->task.next_ns = 0;
		show_progress(p, 0);
		return;
	}
	snprintf(line, sizeof line, "%s: publishing %llu of %llu", diag_program(), (unsigned long long)p->place.number, (unsigned long long)p->place.files);
	diag_status(line);
}

static void say_more(struct publish *p)
{
	if (p->said.more) diag_error("and so %llu more file%s (-v names them)", (unsigned long long)p->said.more, p->said.more > 1 ? "s" : "");
	p->said = (struct publish_said){ 0 };
}

/* One cause, such as a quota or a host that may not be asked, holds up each file of a run: who reads that in a mail needs it once. A conflict is each file's own. */
static void say(struct publish *p, const struct staging_item *item, const char *what, const char *reason)
{
	char words[sizeof p->said.words];
	snprintf(words, sizeof words, "%s: %s", what, reason);
	if (!p->filter->options.verbose && strcmp(what, "conflict") != 0 && !strcmp(words, p->said.words)) {
		p->said.more++;
		return;
	}
	say_more(p);
	memcpy(p->said.words, words, sizeof words);
	diag_error("%s%s%s: %s: %s", item->dir, *item->dir ? "/" : "", item->name, what, *reason ? reason : "no reason is known");
}

static void delivered(struct publish *p, struct staging_item *item, enum summary_state state)
{
	summary_file(p->summary, item, state, "");
	if (!item->adopted) {
		p->passed += item->records;
		p->filter->stats.passed += item->records;
		p->filter->stats.kept -= item->records;
	}
	staging_done(p->staging, item);
}

/* Booked at the end: until then the filter's status tells of the input alone. */
static void fail(struct publish *p, int status)
{
	static const int by_weight[] = { EXIT_IO, EXIT_PERMISSION, EXIT_REFUSED, EXIT_LATER };
	for (size_t i = 0; i < sizeof by_weight / sizeof *by_weight; i++)
		if (by_weight[i] == status || by_weight[i] == p->status) {
			p->status = by_weight[i];
			return;
		}
}

/* What a dead run has left is of no concern to a batch, nor is a dead batch's to a stream: its input is given again, and will tell. */
static bool matters(const struct publish *p, const struct staging_item *item)
{
	return !item->adopted || (item->stream && !p->batch);
}

/* Kept, for another run. */
static void put_off(struct publish *p, struct staging_item *item, const char *what, int status)
{
	const char *reason = p->store->reason;
	/* A staged file of others that cannot be read must not stand in the way of ours. */
	bool ends = status == EXIT_LATER || !item->adopted;
	if (status != EXIT_LATER || !signals_stopping_now()) say(p, item, what, reason);
	summary_file(p->summary, item, SUMMARY_KEPT, reason);
	if (ends || matters(p, item)) fail(p, status);
	staging_put_back(p->staging, item);
	p->is_over = ends;
}

static void refused(struct publish *p, struct staging_item *item, const char *what, int status)
{
	const char *reason = p->store->reason;
	bool drop = !item->stream, counts = matters(p, item);
	say(p, item, what, reason);
	summary_file(p->summary, item, drop ? SUMMARY_REFUSED : SUMMARY_KEPT, reason);
	if (drop) staging_done(p->staging, item);
	else staging_put_back(p->staging, item);
	if (!counts) return;
	fail(p, status);
	if (status == EXIT_PERMISSION) p->is_over = true;
}

static void publish_item(struct publish *p, struct staging_item *item)
{
	struct store_file file = { .dir = item->dir, .name = item->name, .temp = item->temp, .fd = item->fd, .bytes = item->bytes, .adopted = item->adopted };
	uint64_t bytes = item->bytes;
	if (!p->store) {
		delivered(p, item, SUMMARY_PLANNED);
		return;
	}
	p->place.number++;
	p->store->on_progress = show_progress;
	p->store->context = p;
	show_progress(p, 0);
	if (strstr(p->store->where, "://")) show_start(p);
	switch (p->store->publish(p->store, &file)) {
	case STORE_PUBLISHED: delivered(p, item, SUMMARY_PUBLISHED); break;
	case STORE_THERE: delivered(p, item, SUMMARY_THERE); break;
	case STORE_CONFLICT: refused(p, item, "conflict", EXIT_REFUSED); break;
	case STORE_REFUSED: refused(p, item, "refused", EXIT_REFUSED); break;
	case STORE_DENIED: refused(p, item, "not permitted", EXIT_PERMISSION); break;
	case STORE_LATER: put_off(p, item, "not now", EXIT_LATER); break;
	case STORE_STOPPED: put_off(p, item, "stopped", EXIT_LATER); break;
	case STORE_IO: put_off(p, item, "cannot be published", EXIT_IO); break;
	}
	p->place.bytes_before += bytes;
}

void publish_sealed(struct publish *p)
{
	struct staging_item *item;
	if (p->is_over) return;
	while (!p->is_over && (item = staging_next(p->staging))) {
		if (p->filter->progress.shown && !p->task.total_bytes) {
			struct staging_sum old = staging_left(p->staging, true), new = staging_left(p->staging, false);
			p->place = (struct publish_place){ .files = old.files + new.files };
			p->task.total_bytes = old.bytes + new.bytes;
		}
		publish_item(p, item);
	}
	progress_task_end(&p->filter->progress, &p->task);
}

const char *publish_keep(struct publish *p)
{
	struct staging_item *item;
	char bytes[32];
	say_more(p);
	while ((item = staging_next(p->staging))) {
		summary_file(p->summary, item, SUMMARY_KEPT, "");
		staging_put_back(p->staging, item);
	}
	struct staging_sum old = staging_left(p->staging, true), new = staging_left(p->staging, false), all = { old.files + new.files, old.records + new.records, old.bytes + new.bytes };
	if (all.files && !staging_keep(p->staging)) fail(p, EXIT_IO);
	if (new.files && !p->filter->status && !p->status) fail(p, EXIT_IO); /* sealed, and it could not be read: that was said */
	filter_fail(p->filter, p->status);
	if (!all.files) return NULL;
	progress_print_bytes(bytes, (double)all.bytes);
	diag_error("kept in %s for the next run: files: %llu, envelopes: %llu, %s", staging_path(p->staging),
		(unsigned long long)all.files, (unsigned long long)all.records, bytes);
	return staging_path(p->staging);
}
