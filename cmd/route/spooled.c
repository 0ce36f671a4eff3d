/* spooled - hands lines to a spool, and keeps count of those that it has not stored. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include "io/diag.h"
#include "io/socket.h"
#include "spooled.h"

static struct spool *open_spool(const struct sink *s, int *status)
{
	struct spool *spool = spool_try_open(s->path, &s->spooled->options, status);
	if (!spool) diag_error("route %s: cannot open %s", s->name, s->text);
	return spool;
}

bool spooled_open(struct sink *s, const struct destination *d, const struct sink_settings *settings, int *status)
{
	struct spooled *p = s->spooled = must_alloc(sizeof *p);
	p->options = d->spool_options;
	p->options.line_limit = settings->line_limit;
	p->options.behind = true;
	p->spool = open_spool(s, status);
	return p->spool != NULL;
}

void spooled_free(struct spooled *p)
{
	if (p && p->spool) spool_close(p->spool);
	free(p);
}

uint64_t spooled_dropped(const struct spooled *p)
{
	return p->dropped + (p->spool ? spool_counts(p->spool)->dropped_records : 0);
}

/* What it has taken and not committed is not stored, as far as anybody can tell. */
static void close_spool(struct sink *s)
{
	struct spooled *p = s->spooled;
	if (!p->spool) return;
	if (spool_seal(p->spool) != SPOOL_DONE) spool_commit(p->spool);
	uint64_t missing = p->taken - spool_counts(p->spool)->committed;
	if (missing && !s->failed) diag_error("route %s: %s: %s", s->name, s->text, spool_reason(p->spool));
	s->undelivered += missing;
	p->dropped = spooled_dropped(p);
	if (spool_close(p->spool) != SPOOL_DONE) s->status = EXIT_IO;
	p->spool = NULL;
	p->taken = 0;
}

void spooled_give_up(struct sink *s, const char *why)
{
	struct spooled *p = s->spooled;
	diag_error("route %s: %s: %s%s%s; nothing more is stored", s->name, s->text, spool_reason(p->spool), why ? "; " : "", why ? why : "");
	s->status = EXIT_IO;
	s->failed = true;
	close_spool(s);
}

/* False: it is full, and is to be waited for. */
static bool judge(struct sink *s, enum spool_result result)
{
	if (result == SPOOL_FULL && s->spooled->options.when_full != SPOOL_FAIL) return false;
	if (result != SPOOL_DONE) spooled_give_up(s, NULL);
	return true;
}

bool spooled_put(struct sink *s, struct span line)
{
	struct spooled *p = s->spooled;
	enum spool_result result = spool_append(p->spool, line);
	if (result == SPOOL_DONE) {
		p->taken++;
		if (s->block == 1) spooled_write(s); /* unbuffered */
		return true;
	}
	if (!judge(s, result)) return false;
	s->undelivered++;
	return true;
}

void spooled_write(struct sink *s)
{
	if (s->spooled->spool) judge(s, spool_write(s->spooled->spool));
}

bool spooled_waits(struct sink *s)
{
	return s->spooled->spool && !judge(s, spool_commit(s->spooled->spool));
}

int64_t spooled_due_ms(const struct spooled *p)
{
	return p->spool ? spool_due_ms(p->spool) : INT64_MAX;
}

void spooled_attend(struct sink *s)
{
	int64_t due = spooled_due_ms(s->spooled);
	if (due != INT64_MAX && due <= socket_clock_ms()) judge(s, spool_attend(s->spooled->spool));
}

void spooled_want(struct sink *s, const struct destination *d)
{
	struct spooled *p = s->spooled;
	uint64_t line_limit = p->options.line_limit;
	if (destination_same_options(&p->options, &d->spool_options)) return;
	p->options = d->spool_options;
	p->options.line_limit = line_limit;
	p->options.behind = true;
	p->changed = true;
}

bool spooled_reopen(struct sink *s)
{
	struct spooled *p = s->spooled;
	int status;
	if (p->spool && !p->changed) {
		judge(s, spool_seal(p->spool));
		return true;
	}
	close_spool(s);
	p->changed = false;
	p->spool = open_spool(s, &status);
	s->failed = p->spool == NULL;
	return p->spool != NULL;
}

void spooled_close(struct sink *s)
{
	close_spool(s);
	if (!s->undelivered) return;
	s->status = EXIT_IO;
	diag_error("route %s: %s: %llu envelope%s not stored", s->name, s->text, (unsigned long long)s->undelivered, s->undelivered == 1 ? " was" : "s were");
}
