/* partition - the open partitions: lines gather in small buffers, files are cut by the input's own order, least recently used first. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "partition_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/diag.h"
#include "io/socket.h"

enum {
	BUFFER_MAX = 64 * 1024,        /* of one partition: one write(2) for some 200 lines */
	BUFFER_MIN = 4 * 1024,
	BUFFERS_BYTES = 8 << 20,       /* of all, unless they are very many */
	NAMES_MAX = 1 << 16,
	NAME_KEY = 24,
	DAY_S = 86400,
};

static const char overflow[] = "_overflow";

static void init_known(struct partitions *p)
{
	table_init(&p->known, p->options.partition_limit + 1, (p->options.partition_limit + 1) * (size_t)STAGING_DIR_MAX, sizeof(struct known));
	p->day = time(NULL) / DAY_S;
}

struct partitions *partitions_new(const struct partitions_options *options, struct staging *staging)
{
	struct partitions *p = must_alloc(sizeof *p);
	p->options = *options;
	p->staging = staging;
	if (p->options.open_limit < 1) p->options.open_limit = 1;
	if (p->options.batch) p->options.rotate_ms = -1;
	p->seal = seal_new(&p->options);
	p->slots = must_alloc(p->options.open_limit * sizeof *p->slots);
	p->buffer_bytes = BUFFERS_BYTES / p->options.open_limit;
	if (p->buffer_bytes > BUFFER_MAX) p->buffer_bytes = BUFFER_MAX;
	if (p->buffer_bytes < BUFFER_MIN) p->buffer_bytes = BUFFER_MIN;
	p->started_ms = socket_clock_ms();
	init_known(p);
	table_init(&p->names, NAMES_MAX, (size_t)NAMES_MAX * NAME_KEY, sizeof(uint64_t));
	return p;
}

void partitions_free(struct partitions *p)
{
	for (size_t i = 0; i < p->slot_count; i++) {
		free(p->slots[i].dir);
		free(p->slots[i].data);
		checksum_free(p->slots[i].sum);
	}
	free(p->slots);
	table_release(&p->known);
	table_release(&p->names);
	seal_free(p->seal);
	free(p);
}

/* --- the list by last use ----------------------------------------------------- */

static void unlink_slot(struct partitions *p, struct slot *s)
{
	*(s->newer ? &s->newer->older : &p->newest) = s->older;
	*(s->older ? &s->older->newer : &p->oldest) = s->newer;
	s->newer = s->older = NULL;
}

static void use_slot(struct partitions *p, struct slot *s)
{
	s->older = p->newest;
	s->newer = NULL;
	*(p->newest ? &p->newest->newer : &p->oldest) = s;
	p->newest = s;
}

/* --- lines go to disk --------------------------------------------------------- */

void partition_hash(struct slot *s)
{
	checksum_add(s->sum, (struct span){ s->data + s->hashed, s->length - s->hashed });
	s->hashed = s->length;
}

/* N.dir first: lines whose directory nobody knows would be lost. */
static int begin_file(struct partitions *p, struct slot *s)
{
	struct staging_run *run = &p->staging->own;
	int number = ++p->staging->last_number, error = staging_write_dir(run, number, s->dir, s->file, s->before);
	if (!error) s->number = number;
	return error;
}

static int write_lines(struct partitions *p, struct slot *s, struct span lines)
{
	int error = s->number ? 0 : begin_file(p, s);
	if (error) return error;
	error = staging_write_lines(&p->staging->own, s->number, &s->written, lines);
	if (s->written == 0) {
		staging_unlink(&p->staging->own, s->number, STAGING_DIR);
		s->number = 0;
	}
	return error;
}

/* What a full disk did not take stays in memory. */
int partition_flush(struct partitions *p, struct slot *s)
{
	uint64_t before = s->written;
	if (s->length == 0) return 0;
	partition_hash(s);
	int error = write_lines(p, s, (struct span){ s->data, s->length });
	size_t gone = (size_t)(s->written - before);
	memmove(s->data, s->data + gone, s->length - gone);
	s->length -= gone;
	s->hashed = s->length;
	return error;
}

/* --- sealing ------------------------------------------------------------------ */

/* How often lines like these were sealed for this directory before. Once the table is full, the number of the file in the run does: it is over NAMES_MAX, and no
 * name that is in the table comes that often without being in it. */
static uint64_t *find_times(struct partitions *p, const struct seal_lines *l, uint64_t *times, char key[NAME_KEY])
{
	uint64_t dir = checksum_of(span_of(l->dir));
	memcpy(key, &dir, 8);
	memcpy(key + 8, &l->sum.high, 8);
	memcpy(key + 16, &l->sum.low, 8);
	uint64_t *found = table_find(&p->names, (struct span){ key, NAME_KEY });
	*times = found ? *found : p->names.count == NAMES_MAX ? p->sealed : 0;
	return found;
}

static void append_name(struct buffer *name, const struct partitions *p, const struct seal_lines *l, uint64_t file, uint64_t times)
{
	char digits[CHECKSUM_WIDE_MAX];
	const struct partitions_options *o = &p->options;
	checksum_print_wide(digits, l->sum);
	buffer_append_text(name, o->before ? o->before : "");
	buffer_append_text(name, o->segment ? o->segment : digits);
	if (o->segment || times) {
		buffer_append_byte(name, '-');
		buffer_append_int(name, (int64_t)(o->segment ? file : times + 1));
	}
	buffer_append_text(name, o->after ? o->after : "");
	buffer_append_text(name, seal_extension(p->seal));
}

int partition_seal_lines(struct partitions *p, struct seal_lines *l, uint64_t file)
{
	char key[NAME_KEY];
	bool fresh;
	uint64_t times, *found = find_times(p, l, &times, key);
	struct buffer name;
	buffer_init(&name, STAGING_DIR_MAX);
	append_name(&name, p, l, file, times);
	l->name = buffer_text(&name);
	int error = l->name ? seal_lines(p->seal, p->staging, l) : ENOMEM;
	buffer_release(&name);
	if (error) return error;
	p->sealed++;
	if (!found && !p->options.segment) found = table_put(&p->names, (struct span){ key, NAME_KEY }, &fresh);
	if (found) ++*found;
	return 0;
}

/* A chain: the same files in the same order, and no others, make the same value. */
static struct checksum_wide chain(struct checksum_wide before, struct checksum_wide sum)
{
	struct checksum *c = checksum_new();
	if (!c) die(EXIT_INTERNAL, "out of memory");
	checksum_add(c, (struct span){ (const char *)&before, sizeof before });
	checksum_add(c, (struct span){ (const char *)&sum, sizeof sum });
	struct checksum_wide both = checksum_value_wide(c);
	checksum_free(c);
	return both;
}

static void close_slot(struct partitions *p, struct slot *s, struct checksum_wide sum)
{
	struct known *known = table_find(&p->known, (struct span){ s->dir, s->dir_length });
	known->slot = 0;
	known->files++;
	known->before = chain(known->before, sum);
	unlink_slot(p, s);
	s->is_open = false;
	p->open_count--;
	p->staged -= s->records;
}

static int seal_slot(struct partitions *p, struct slot *s)
{
	/* What is not small goes to its file first: compressing takes a while, and a stream's lines are safer there. */
	int error = s->number ? partition_flush(p, s) : 0;
	if (error) return error;
	partition_hash(s);
	struct seal_lines lines = { .run = &p->staging->own, .number = s->number, .dir = s->dir, .file_bytes = s->written, .tail = { s->data, s->length },
		.records = s->records, .sum = checksum_value_wide(s->sum) };
	if (!lines.number) lines.number = ++p->staging->last_number;
	error = partition_seal_lines(p, &lines, s->file);
	if (error) return error;
	if (s->is_watched) partition_leftovers_sealed(p, s);
	close_slot(p, s, lines.sum);
	return 0;
}

/* --- which file a line goes to ------------------------------------------------ */

/* A stream may go on for months: only a batch must know all its directories. */
static void forget_old_days(struct partitions *p)
{
	if (p->options.batch || time(NULL) / DAY_S == p->day) return;
	table_release(&p->known);
	init_known(p);
	for (size_t i = 0; i < p->slot_count; i++) {
		bool fresh;
		struct slot *s = p->slots + i;
		struct known *known = s->is_open ? table_put(&p->known, (struct span){ s->dir, s->dir_length }, &fresh) : NULL;
		if (s->is_open && !known) die(EXIT_INTERNAL, "out of memory");
		if (known) known->slot = i + 1;
	}
}

/* NULL: errno. */
static struct known *find_known(struct partitions *p, struct span *dir)
{
	bool fresh;
	struct known *known = table_find(&p->known, *dir);
	if (known) return known;
	if (!staging_path_is_plain(*dir)) {
		errno = EINVAL;
		return NULL;
	}
	forget_old_days(p);
	bool has_overflow = table_find(&p->known, SPAN("_overflow"));
	if (p->known.count - has_overflow >= p->options.partition_limit) *dir = (struct span){ overflow, sizeof overflow - 1 };
	known = table_put(&p->known, *dir, &fresh);
	if (!known) errno = ENOMEM;
	return known;
}

static struct slot *free_slot(struct partitions *p)
{
	for (size_t i = 0; i < p->slot_count; i++)
		if (!p->slots[i].is_open) return p->slots + i;
	struct slot *s = p->slots + p->slot_count++;
	s->data = must_alloc(p->buffer_bytes);
	s->sum = checksum_new();
	if (!s->sum) die(EXIT_INTERNAL, "out of memory");
	return s;
}

/* NULL: errno. The directory's `known` may have moved. */
static struct slot *open_slot(struct partitions *p, struct span dir)
{
	int error = p->open_count == p->options.open_limit ? seal_slot(p, p->oldest) : 0;
	if (error) {
		errno = error;
		return NULL;
	}
	struct known *known = table_find(&p->known, dir);
	struct slot *s = free_slot(p);
	free(s->dir);
	checksum_reset(s->sum);
	*s = (struct slot){ .data = s->data, .sum = s->sum, .dir = must_copy(dir), .dir_length = dir.length, .file = known->files + 1, .before = known->before,
		.begun_ms = p->options.rotate_ms >= 0 ? socket_clock_ms() : 0, .is_open = true };
	known->slot = (uint64_t)(s - p->slots) + 1;
	p->open_count++;
	use_slot(p, s);
	if (p->staging->leftovers) partition_leftovers_begin(p, s);
	return s;
}

static struct slot *find_slot(struct partitions *p, struct span *dir)
{
	struct slot *s = p->newest;
	if (s && span_equal((struct span){ s->dir, s->dir_length }, *dir)) return s; /* lines of one kind come in rows */
	struct known *known = find_known(p, dir);
	if (!known) return NULL;
	if (!known->slot) return open_slot(p, *dir);
	s = p->slots + (known->slot - 1);
	unlink_slot(p, s);
	use_slot(p, s);
	return s;
}

/* --- appending ---------------------------------------------------------------- */

/* A line that is longer than the buffer. */
static int write_long(struct partitions *p, struct slot *s, struct span line)
{
	char *copy = must_alloc(line.length + 1);
	uint64_t before = s->written;
	memcpy(copy, line.data, line.length);
	copy[line.length] = '\n';
	int error = write_lines(p, s, (struct span){ copy, line.length + 1 });
	if (s->written > before) checksum_add(s->sum, (struct span){ copy, line.length + 1 });
	free(copy);
	return error;
}

static int store_line(struct partitions *p, struct slot *s, struct span line)
{
	if (line.length + 1 > p->buffer_bytes - s->length) {
		int error = partition_flush(p, s);
		if (error) return error;
		if (line.length + 1 > p->buffer_bytes) return write_long(p, s, line);
	}
	memcpy(s->data + s->length, line.data, line.length);
	s->length += line.length;
	s->data[s->length++] = '\n';
	return 0;
}

bool partitions_append(struct partitions *p, struct span dir, struct span line)
{
	struct span asked = dir;
	struct slot *s = find_slot(p, &dir);
	int error = s ? 0 : errno;
	if (s && s->bytes && s->bytes + line.length + 1 > p->options.rotate_bytes) {
		error = seal_slot(p, s);
		s = error ? NULL : open_slot(p, dir);
		if (!s && !error) error = errno;
	}
	if (s) error = store_line(p, s, line);
	if (error) {
		errno = error;
		return false;
	}
	s->bytes += line.length + 1;
	s->records++;
	p->staged++;
	p->overflowed += asked.data != dir.data;
	if (s->is_watched) partition_leftovers_check(p, s);
	return true;
}

static bool result(int error)
{
	if (error) errno = error;
	return !error;
}

/* A batch's open files are of no use to anybody else: they need not be up to date. */
bool partitions_flush(struct partitions *p)
{
	int error = 0;
	for (size_t i = 0; !p->options.batch && i < p->slot_count; i++) {
		int one = p->slots[i].is_open ? partition_flush(p, p->slots + i) : 0;
		if (!error) error = one;
	}
	return result(error);
}

/* --- age and end -------------------------------------------------------------- */

int64_t partitions_due_ms(const struct partitions *p)
{
	int64_t now = socket_clock_ms(), due = partition_leftovers_due_ms(p, now);
	for (size_t i = 0; p->options.rotate_ms >= 0 && i < p->slot_count; i++) {
		if (!p->slots[i].is_open) continue;
		int64_t left = p->slots[i].begun_ms + p->options.rotate_ms - now;
		if (left < 0) left = 0;
		if (due < 0 || left < due) due = left;
	}
	return due;
}

/* In the order in which they were begun. */
static struct slot *first_begun(const struct partitions *p, int64_t until_ms)
{
	struct slot *first = NULL;
	for (size_t i = 0; i < p->slot_count; i++) {
		struct slot *s = p->slots + i;
		if (s->is_open && s->begun_ms <= until_ms && (!first || s->begun_ms < first->begun_ms)) first = s;
	}
	return first;
}

bool partitions_tick(struct partitions *p)
{
	int error = 0;
	int64_t now = socket_clock_ms();
	if (p->options.rotate_ms < 0) return result(partition_leftovers_seal(p, false));
	for (struct slot *s; !error && (s = first_begun(p, now - p->options.rotate_ms));) error = seal_slot(p, s);
	partition_leftovers_tick(p, now);
	int other = partition_leftovers_seal(p, false);
	return result(error ? error : other);
}

bool partitions_seal_all(struct partitions *p)
{
	int error = 0;
	for (struct slot *s = p->oldest, *next; s; s = next) {
		next = s->newer;
		int one = seal_slot(p, s);
		if (!error) error = one;
	}
	int other = partition_leftovers_seal(p, true);
	return result(error ? error : other);
}

void partitions_unstage(struct partitions *p, void (*take)(void *context, struct span line), void *context)
{
	for (size_t i = 0; i < p->slot_count; i++) {
		struct slot *s = p->slots + i;
		if (!s->is_open) continue;
		for (const char *at = s->data, *end = at + s->length, *newline; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
			take(context, span_between(at, newline));
			s->records--;
			p->staged--;
		}
		s->length = s->hashed = 0;
	}
}

uint64_t partitions_staged(const struct partitions *p)
{
	return p->staged;
}

uint64_t partitions_overflowed(const struct partitions *p)
{
	return p->overflowed;
}
