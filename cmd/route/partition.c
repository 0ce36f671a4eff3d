/* partition - a file for each value of a template, below its root and nowhere else. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "envelope/envelope.h"
#include "io/diag.h"
#include "partition.h"

enum { PARTITION_BLOCK = 32 * 1024, FOLDER_MODE = 0750 };

struct partition_file {
	char *path;         /* below the root */
	size_t length;
	uint64_t used;      /* when, in envelopes of this template */
	struct sink sink;
};

struct partition {
	struct sink *owner;
	struct sink_settings settings;
	struct template template;
	int root;
	struct partition_file *file[PARTITION_OPEN_MAX]; /* the one used last is first */
	size_t count;
	uint64_t clock, created;
	bool capped;        /* PARTITION_CREATED_MAX was passed, and that was said */
};

struct partition *partition_new(struct sink *owner, const struct sink_settings *settings)
{
	struct partition *p = must_alloc(sizeof *p);
	const char *reason;
	size_t column;
	*p = (struct partition){ .owner = owner, .settings = *settings, .root = -1 };
	if (template_init(&p->template, span_of(owner->path), &reason, &column)) {
		p->root = open(p->template.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (p->root >= 0) return p;
		diag_error("route %s: cannot open the folder %s: %s", owner->name, p->template.root, strerror(errno));
	}
	partition_free(p);
	return NULL;
}

static void close_file(struct partition *p, size_t i)
{
	struct partition_file *f = p->file[i];
	sink_flush(&f->sink);
	p->owner->undelivered += f->sink.undelivered;
	if (f->sink.status) p->owner->status = f->sink.status;
	sink_release(&f->sink);
	free(f->path);
	free(f);
	p->file[i] = p->file[--p->count];
}

void partition_close_files(struct partition *p)
{
	while (p->count) close_file(p, p->count - 1);
}

void partition_free(struct partition *p)
{
	if (!p) return;
	partition_close_files(p);
	if (p->root >= 0) close(p->root);
	template_release(&p->template);
	free(p);
}

static void close_longest_unused(struct partition *p)
{
	size_t oldest = 0;
	for (size_t i = 1; i < p->count; i++)
		if (p->file[i]->used < p->file[oldest]->used) oldest = i;
	close_file(p, oldest);
}

/* Opens `name` in `folder`, which it closes unless it is the root. Folders are made as needed, links are never followed. */
static int step_into(struct partition *p, int folder, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int next = openat(folder, name, flags);
	if (next < 0 && errno == ENOENT && (mkdirat(folder, name, FOLDER_MODE) == 0 || errno == EEXIST)) next = openat(folder, name, flags);
	int kept = errno;
	if (folder != p->root) close(folder);
	errno = kept;
	return next;
}

static int open_last(struct partition *p, int folder, const char *name)
{
	int fd = sink_open_file(folder, name, false);
	if (fd < 0 && errno == ENOENT) {
		if (p->created >= PARTITION_CREATED_MAX) {
			errno = EDQUOT;
			return -1;
		}
		fd = sink_open_file(folder, name, true);
		if (fd >= 0) p->created++;
	}
	struct stat status;
	if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

static int open_below(struct partition *p, const char *path)
{
	char copy[TEMPLATE_PATH_MAX], *at = copy, *slash;
	int folder = p->root;
	memcpy(copy, path, strlen(path) + 1);
	while ((slash = strchr(at, '/'))) {
		*slash = '\0';
		folder = step_into(p, folder, at);
		if (folder < 0) return -1;
		at = slash + 1;
	}
	int fd = open_last(p, folder, at), kept = errno;
	if (folder != p->root) close(folder);
	errno = kept;
	return fd;
}

static void say_failure(struct partition *p, struct partition_file *f, int error)
{
	f->sink.failed = true;
	f->sink.status = EXIT_NO_OUTPUT;
	if (error == EDQUOT && p->created >= PARTITION_CREATED_MAX) {
		if (!p->capped) diag_error("route %s: %s: %d files were made; envelopes that need more are undelivered", p->owner->name, p->owner->text, PARTITION_CREATED_MAX);
		p->capped = true;
		return;
	}
	diag_error("route %s: cannot open %s/%s: %s", p->owner->name, p->template.root, f->path, error == ELOOP ? "a symbolic link, which is not followed" : strerror(error));
}

static struct partition_file *open_new(struct partition *p, const char *path, size_t length)
{
	if (p->count == PARTITION_OPEN_MAX) close_longest_unused(p);
	int fd = open_below(p, path);
	while (fd < 0 && (errno == EMFILE || errno == ENFILE) && p->count) {
		close_longest_unused(p);
		fd = open_below(p, path);
	}
	int error = errno;
	struct partition_file *f = must_alloc(sizeof *f);
	char text[TEMPLATE_PATH_MAX + 64];
	memcpy(text, path, length + 1);
	*f = (struct partition_file){ .path = must_copy((struct span){ path, length }), .length = length };
	sink_init_file(&f->sink, p->owner->name, text, fd, PARTITION_BLOCK, &p->settings);
	if (fd < 0) say_failure(p, f, error);
	return p->file[p->count++] = f;
}

static struct partition_file *find(struct partition *p, const char *path, size_t length)
{
	for (size_t i = 0; i < p->count; i++) {
		struct partition_file *f = p->file[i];
		if (f->length != length || memcmp(f->path, path, length) != 0) continue;
		p->file[i] = p->file[0]; /* the next envelope likely goes to the same file */
		return p->file[0] = f;
	}
	return NULL;
}

bool partition_put(struct sink *owner, const struct envelope *envelope)
{
	struct partition *p = owner->partition;
	char path[TEMPLATE_PATH_MAX];
	size_t length;
	if (!template_expand(&p->template, envelope, path, &length)) {
		diag_error("route %s: %s: the file name is too long", owner->name, owner->text);
		owner->status = EXIT_NO_OUTPUT;
		owner->undelivered++;
		return false;
	}
	struct partition_file *f = find(p, path, length);
	if (!f) f = open_new(p, path, length);
	f->used = ++p->clock;
	sink_put(&f->sink, envelope->line);
	return !f->sink.failed;
}

void partition_flush(struct partition *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct sink *s = &p->file[i]->sink;
		sink_flush(s);
		p->owner->undelivered += s->undelivered;
		s->undelivered = 0;
		if (s->status) p->owner->status = s->status;
	}
}
