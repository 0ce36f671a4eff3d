/* state_merge - a day file and what a run adds to it become the next one, as their lines pass. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "state_merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/writer.h"
#include "sink/spool.h"

/* What is added, in the order of its keys. */
struct added {
	const struct groups *groups;
	size_t *order;                 /* numbers of groups, and OTHER */
	size_t count;
};
#define OTHER SIZE_MAX

struct state_merge {
	const struct state *state;
	const struct state_entry *old;
	struct added added;
	struct buffer line;
};

static struct span key_of(const struct groups *groups, size_t number)
{
	return number == OTHER ? (struct span){ 0 } : groups_key(groups, number);
}

static const struct sketch *sketch_of(const struct groups *groups, size_t number)
{
	return number == OTHER ? &groups->other[0].sketch : groups_sketch(groups, number, 0);
}

static int compare(const void *a, const void *b, void *context)
{
	const size_t *one = a, *two = b;
	return line_compare_keys(SPAN(""), key_of(context, *one), SPAN(""), key_of(context, *two));
}

struct state_merge *state_merge_new(const struct state *state, const struct state_entry *old, const struct groups *groups)
{
	struct state_merge *m = must_alloc(sizeof *m);
	size_t count = 0, *order = must_alloc((groups_count(groups) + 1) * sizeof *order);
	for (size_t i = 0; i < groups_count(groups); i++)
		if (!groups_is_folded(groups, i)) order[count++] = i;
	if (groups_has_other(groups)) order[count++] = OTHER;
	qsort_r(order, count, sizeof *order, compare, (void *)(uintptr_t)groups);
	*m = (struct state_merge){ .state = state, .old = old, .added = { groups, order, count } };
	buffer_init(&m->line, SIZE_MAX / 2);
	return m;
}

void state_merge_free(struct state_merge *m)
{
	buffer_release(&m->line);
	free(m->added.order);
	free(m);
}

/* The line of a group, in m->line. */
static struct span make_line(struct state_merge *m, struct span group, const struct sketch *sketch)
{
	buffer_clear(&m->line);
	if (!line_append(&m->line, buffer_span(&m->state->of), group, sketch, sketch_count(sketch))) die(EXIT_INTERNAL, "no memory for a line of the state");
	return buffer_span(&m->line);
}

struct output {
	struct writer writer;
	struct checksum *sum;
	uint64_t groups;
};

static void put(struct output *out, struct span line)
{
	checksum_add(out->sum, line);
	checksum_add(out->sum, SPAN("\n"));
	writer_line(&out->writer, line);
	out->groups++;
}

/* The lines of both, united, to `out`; without it, up to the first that was not there as it is. True: there is one. */
static bool pass(struct state_merge *m, struct output *out)
{
	struct state_reader r = { 0 };
	bool changed = false;
	size_t at = 0;
	if (m->old) state_reader_open(&r, m->state, m->old);
	if (m->old) state_reader_next(&r);
	while ((r.live || at < m->added.count) && (out ? !out->writer.error : !changed)) {
		size_t number = at < m->added.count ? m->added.order[at] : 0;
		struct span key = at < m->added.count ? key_of(m->added.groups, number) : (struct span){ 0 };
		int order = !r.live ? 1 : at == m->added.count ? -1 : line_compare_keys(SPAN(""), r.line.group, SPAN(""), key);
		struct span line = r.text;
		if (order == 0 && !sketch_merge(&r.sketch, sketch_of(m->added.groups, number))) die(EXIT_INTERNAL, "no memory for a sketch");
		if (order >= 0) line = make_line(m, key, order ? sketch_of(m->added.groups, number) : &r.sketch);
		changed |= order > 0 || !span_equal(line, r.text);
		if (out) put(out, line);
		if (order >= 0) at++;
		if (order <= 0) state_reader_next(&r);
	}
	if (m->old) state_reader_close(&r);
	return changed;
}

bool state_merge_adds(struct state_merge *m)
{
	return pass(m, NULL);
}

int state_merge_write(struct state_merge *m, struct state_entry *entry)
{
	char name[STATE_NAME_MAX];
	struct output out = { .sum = checksum_new() };
	if (!out.sum) return ENOMEM;
	state_entry_name(name, entry);
	unlinkat(m->state->dir.fd, name, 0); /* of a run that was killed */
	int fd = openat(m->state->dir.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error = fd < 0 ? errno : 0;
	if (!error) {
		writer_open(&out.writer, fd, "a day of the state", WRITER_CAPACITY);
		pass(m, &out);
		writer_flush(&out.writer);
		error = out.writer.error ? out.writer.error : spool_sync_fd(fd, false);
		if (!writer_close(&out.writer) && !error) error = out.writer.error ? out.writer.error : EIO;
		if (error) unlinkat(m->state->dir.fd, name, 0);
	}
	entry->bytes = out.writer.bytes;
	entry->groups = out.groups;
	entry->sum = checksum_value(out.sum);
	checksum_free(out.sum);
	return error;
}
