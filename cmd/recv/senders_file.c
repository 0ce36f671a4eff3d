/* senders_file - the file `senders` of a spool: how far each sender was when the receiver ended, however it ended. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "senders_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.h"
#include "io/diag.h"

/* The first pages are written when the file is opened, so that a full disk cannot keep a run from being told. RUNS: then a commit is due. */
enum { RECORD = 64, RUNS = 254, HEAD_AT = 0, BASE_AT = 1, RUNS_AT = 2, SLOTS_AT = RUNS_AT + RUNS };

static const char magic[8] = "METLOGS1";

struct head {
	char magic[8];
	uint64_t boot, unsynced, none[4], checksum;
};

struct base {
	uint64_t generation, segment, records, pid, none[3], checksum;
};

struct run {
	char id[ACKWIRE_SENDER_BYTES];
	uint64_t generation, start; /* lines appended in this generation before it */
	uint64_t after;             /* UINT64_MAX, or: the sender began, or went on, behind this number */
	uint64_t own;               /* 1: of a sender; 0: of other sources */
	uint64_t none, checksum;
};

struct slot {
	char id[ACKWIRE_SENDER_BYTES];
	uint64_t generation, number, present, heard, none, checksum;
};

/* Each begins with what is checked, and ends with its checksum. */
static uint64_t sum_of(const void *record)
{
	return checksum_of((struct span){ record, RECORD - sizeof(uint64_t) });
}

static bool is_whole(const void *record)
{
	uint64_t told;
	memcpy(&told, (const char *)record + RECORD - sizeof told, sizeof told);
	return told == sum_of(record);
}

static int write_record(struct senders_file *f, size_t at, void *record)
{
	uint64_t sum = sum_of(record);
	memcpy((char *)record + RECORD - sizeof sum, &sum, sizeof sum);
	ssize_t written;
	do written = pwrite(f->fd, record, RECORD, (off_t)(at * RECORD));
	while (written < 0 && errno == EINTR);
	return written == RECORD ? 0 : written < 0 ? errno : ENOSPC;
}

/* Which boot of the system this is; 0: cannot be known, and is like no other. */
static uint64_t boot_now(void)
{
	char text[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text);
	if (fd >= 0) close(fd);
	return got > 0 ? checksum_of((struct span){ text, (size_t)got }) : 0;
}

/* --- while it runs --- */

int senders_file_run(struct senders_file *f, struct senders *senders, struct sender *sender)
{
	if (f->fd < 0) return 0;
	bool same = f->runs ? f->runner == sender && !(sender && sender->moved) : !sender;
	if (!same) {
		struct run run = { .generation = f->generation, .start = f->lines, .after = UINT64_MAX, .own = sender != NULL };
		if (f->runs == RUNS) return ENOSPC;
		if (sender) memcpy(run.id, sender_id(senders, sender).data, sizeof run.id);
		if (sender && sender->moved) run.after = sender->taken;
		int error = write_record(f, RUNS_AT + f->runs, &run);
		if (error) return error;
		f->runs++;
		f->runner = sender;
		if (sender) sender->moved = false;
	}
	f->lines++;
	return 0;
}

bool senders_file_is_full(const struct senders_file *f)
{
	return f->fd >= 0 && f->runs + 2 > RUNS;
}

static int write_slot(struct senders_file *f, struct senders *senders, struct sender *sender)
{
	struct slot slot = { .generation = f->generation + 1, .number = sender->taken, .present = sender->present, .heard = sender->heard };
	memcpy(slot.id, sender_id(senders, sender).data, sizeof slot.id);
	return write_record(f, SLOTS_AT + (size_t)(sender - senders->entry), &slot);
}

int senders_file_slots(struct senders_file *f, struct senders *senders)
{
	for (size_t i = 0; i < senders->owed_count && f->fd >= 0; i++) {
		struct sender *sender = &senders->entry[senders->owed[i]];
		if (sender->taken == sender->durable) continue;
		int error = write_slot(f, senders, sender);
		/* Without its slot a sender that is not told of the acknowledgement may send twice: no reason to stop. */
		if (error && error != ENOSPC && error != EDQUOT) return error;
		if (error && !f->shortage_told) diag_warn("writing `senders` in the spool: %s: after a crash envelopes may come twice", strerror(error));
		f->shortage_told |= error != 0;
		sender->moved = false;
	}
	return 0;
}

int senders_file_base(struct senders_file *f, struct spool *spool)
{
	if (f->fd < 0) return 0;
	struct spool_position at = spool_position(spool);
	struct base base = { .generation = f->generation + 1, .segment = at.segment, .records = at.records, .pid = (uint64_t)getpid() };
	int error = write_record(f, BASE_AT, &base);
	f->generation++;
	f->base = at;
	f->committed = spool_counts(spool)->committed;
	f->lines = f->runs = 0;
	f->runner = NULL;
	return error;
}

void senders_file_leave(const struct senders_file *f, struct spool *spool)
{
	uint64_t since = spool_counts(spool)->committed - f->committed;
	if (f->fd < 0 || !since) return;
	spool_note(spool_directory_fd(spool), &(struct spool_recovered_note){ f->base.segment, f->base.records + since, (uint64_t)getpid() });
}

/* --- at the start --- */

/* How many lines the last writer had appended since `base` when it was killed: recovery has noted what was in the segment that it had left open, and
 * who had been the writer. 0 if that cannot be known. */
static uint64_t count_beyond(const struct base *base, int dir_fd)
{
	struct spool_recovered_note note;
	if (!spool_recovered_note(dir_fd, &note) || note.segment != base->segment || note.pid != base->pid) return 0;
	return note.records > base->records ? note.records - base->records : 0;
}

static struct span record_at(struct span file, size_t at)
{
	return file.length >= (at + 1) * RECORD ? (struct span){ file.data + at * RECORD, RECORD } : (struct span){ NULL, 0 };
}

/* False: there is no whole record there. */
static bool load_record(struct span file, size_t at, void *record)
{
	struct span there = record_at(file, at);
	if (!there.data) return false;
	memcpy(record, there.data, RECORD);
	return is_whole(record);
}

static void load_slots(struct span file, struct senders *senders, uint64_t generations[SENDERS_MAX])
{
	struct slot slot;
	for (size_t i = 0; i < SENDERS_MAX; i++) {
		if (!load_record(file, SLOTS_AT + i, &slot)) continue;
		/* One that had been forgotten, and came back, has left an older slot somewhere. */
		struct sender *older = senders_find(senders, (struct span){ slot.id, sizeof slot.id });
		if (older && older->taken >= slot.number) continue;
		if (older) memset(senders->id[older - senders->entry], 0, sizeof slot.id), *older = (struct sender){ 0 };
		memcpy(senders->id[i], slot.id, sizeof slot.id);
		senders->entry[i] = (struct sender){ .taken = slot.number, .durable = slot.number, .present = slot.present, .heard = slot.heard };
		generations[i] = slot.generation;
		senders->count = i + 1;
		if (slot.heard > senders->clock) senders->clock = slot.heard;
	}
}

/* One run, of `lines` that are in the spool. A slot that is of a later generation knows of them. */
static void load_run(struct senders *senders, const struct run *run, uint64_t lines, uint64_t generations[SENDERS_MAX])
{
	size_t before = senders->count;
	struct span id = { run->id, sizeof run->id };
	struct sender *sender = senders_find(senders, id);
	if (!run->own || (sender && generations[sender - senders->entry] > run->generation)) return;
	if (!sender) {
		sender = senders_get(senders, id);
		if (!sender) return;
		if (senders->count == before) generations[sender - senders->entry] = 0;
	}
	if (run->after != UINT64_MAX) sender->taken = sender->durable = run->after, sender->present = 0;
	sender->present += lines;
	sender->moved = true; /* so its slot is written */
}

static void load_runs(struct span file, struct senders *senders, const struct base *base, uint64_t beyond, uint64_t generations[SENDERS_MAX])
{
	struct run run, next;
	if (!beyond || !load_record(file, RUNS_AT, &run) || run.generation != base->generation) return;
	for (size_t i = 1; run.start < beyond; i++, run = next) {
		bool more = i < RUNS && load_record(file, RUNS_AT + i, &next) && next.generation == base->generation;
		uint64_t end = more && next.start < beyond ? next.start : beyond;
		load_run(senders, &run, end - run.start, generations);
		if (!more) return;
	}
}

/* Everything that the file says and that may be believed. */
static void load(struct senders_file *f, struct senders *senders, struct span file, int dir_fd, struct head *head)
{
	struct base base;
	uint64_t *generations = must_alloc(SENDERS_MAX * sizeof *generations), boot = head->boot;
	struct head old;
	bool believed = load_record(file, HEAD_AT, &old) && !memcmp(old.magic, magic, sizeof magic), same_boot = believed && boot && old.boot == boot;
	if (believed && !same_boot && old.unsynced) believed = false;
	if (same_boot) head->unsynced |= old.unsynced; /* until the next boot what was written then may be ahead of its data */
	if (believed) load_slots(file, senders, generations);
	if (believed && load_record(file, BASE_AT, &base)) {
		f->generation = base.generation;
		if (same_boot) load_runs(file, senders, &base, count_beyond(&base, dir_fd), generations);
	}
	for (size_t i = 0; i < senders->count; i++)
		if (generations[i] > f->generation) f->generation = generations[i];
	free(generations);
	if (!believed && ftruncate(f->fd, 0) < 0) die_errno(EXIT_IO, "emptying `senders` in the spool");
}

static struct span read_file(int fd)
{
	size_t most = (size_t)(SLOTS_AT + SENDERS_MAX) * RECORD, length = 0;
	char *data = must_alloc(most);
	while (length < most) {
		ssize_t got = pread(fd, data + length, most - length, (off_t)length);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) die_errno(EXIT_IO, "reading `senders` in the spool");
		if (got == 0) break;
		length += (size_t)got;
	}
	return (struct span){ data, length };
}

/* What the runs have told goes into the slots first; a generation without runs follows; then the head says who writes from now on. Until the last
 * step a crash leaves what the next start reads in the same way. */
static int rewrite(struct senders_file *f, struct senders *senders, struct spool *spool, struct head *head, size_t length)
{
	static const char nothing[SLOTS_AT * RECORD];
	int error = 0;
	if (length < sizeof nothing && pwrite(f->fd, nothing + length, sizeof nothing - length, (off_t)length) != (ssize_t)(sizeof nothing - length)) return errno;
	for (size_t i = 0; i < senders->count && !error; i++)
		if (senders->entry[i].moved) error = write_slot(f, senders, &senders->entry[i]), senders->entry[i].moved = false;
	if (!error) error = senders_file_base(f, spool);
	return error ? error : write_record(f, HEAD_AT, head);
}

void senders_file_open(struct senders_file *f, struct senders *senders, struct spool *spool, bool synced)
{
	struct stat status;
	int dir_fd = spool_directory_fd(spool);
	struct head head = { .boot = boot_now(), .unsynced = !synced };
	memcpy(head.magic, magic, sizeof magic);
	*f = (struct senders_file){ .fd = openat(dir_fd, "senders", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600) };
	if (f->fd >= 0 && fstat(f->fd, &status) == 0 && (!S_ISREG(status.st_mode) || status.st_nlink != 1 || status.st_uid != geteuid())) errno = EPERM, f->fd = -1;
	if (f->fd < 0) die(EXIT_NO_OUTPUT, "%s/senders: %s", spool_path(spool), errno == ELOOP || errno == EPERM ? "it is a link or no plain file of ours; remove it" : strerror(errno));
	struct span file = read_file(f->fd);
	load(f, senders, file, dir_fd, &head);
	fstat(f->fd, &status);
	int error = rewrite(f, senders, spool, &head, (size_t)status.st_size);
	if (error) die(EXIT_IO, "%s/senders: %s", spool_path(spool), strerror(error));
	free((char *)(uintptr_t)file.data);
}

void senders_file_close(struct senders_file *f)
{
	if (f->fd >= 0) close(f->fd);
	f->fd = -1;
}
