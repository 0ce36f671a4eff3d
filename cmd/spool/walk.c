/* walk - the segments of a spool and its folders in one order, for who only reads: no lock, nothing is changed. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "io/diag.h"

bool walk_is_spool(int dir_fd)
{
	struct segment_list list;
	struct segment first;
	segment_list_init(&list, dir_fd);
	return faccessat(dir_fd, "lock", F_OK, AT_SYMLINK_NOFOLLOW) == 0 || segment_list_next(&list, &first) > 0;
}

int walk_directory(const char *path, int *status)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	*status = EXIT_NO_INPUT;
	if (fd < 0) {
		/* A symbolic link is ENOTDIR here, as a file is. */
		diag_error("%s: %s", path, errno == ENOTDIR ? "not a directory (a symbolic link is not followed)" : strerror(errno));
		return -1;
	}
	if (walk_is_spool(fd)) return fd;
	diag_error("%s: this is no spool: there is neither a lock nor a segment in it", path);
	close(fd);
	return -1;
}

const char *walk_folder(enum walk_where where)
{
	return where == WALK_FAILED ? "failed/" : where == WALK_DELIVERED ? "delivered/" : "";
}

int walk_folder_open(int dir_fd, enum walk_where where)
{
	const char *name = where == WALK_FAILED ? "failed" : where == WALK_DELIVERED ? "delivered" : ".";
	return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Looks at the place anew, behind what was handed out last. */
static void rewind_place(struct walk *w, struct walk_place *p)
{
	if (p->fd < 0) p->fd = walk_folder_open(w->fd, p->where);
	segment_list_init(&p->list, p->fd);
	memcpy(p->list.after, w->last, sizeof p->list.after);
	p->has = false;
}

void walk_init(struct walk *w, const char *path, int dir_fd, unsigned where)
{
	/* The spool stands first: what leaves it while we look at one place after another is then seen twice, and not never. */
	static const enum walk_where order[WALK_PLACES] = { WALK_SPOOL, WALK_FAILED, WALK_DELIVERED };
	*w = (struct walk){ .path = path, .fd = dir_fd };
	for (size_t i = 0; i < WALK_PLACES; i++)
		if (where & order[i]) w->place[w->count++] = (struct walk_place){ .where = order[i], .fd = -1 };
	for (size_t i = 0; i < w->count; i++) rewind_place(w, &w->place[i]);
}

void walk_release(struct walk *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->place[i].fd >= 0) close(w->place[i].fd);
	w->count = 0;
}

/* Lets each place know its next one. False with errno. */
static bool refill(struct walk *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct walk_place *p = &w->place[i];
		if (p->has || p->fd < 0) continue;
		bool reads = p->list.at == p->list.count && !p->list.last;
		int more = segment_list_next(&p->list, &p->next);
		if (more < 0) return false;
		p->has = more > 0;
		for (size_t k = i + 1; reads && k < w->count; k++) rewind_place(w, &w->place[k]);
	}
	return true;
}

int walk_next(struct walk *w, struct walk_found *found)
{
	struct walk_place *least = NULL;
	if (!refill(w)) return -1;
	for (size_t i = 0; i < w->count; i++) {
		struct walk_place *p = &w->place[i];
		int order = !p->has ? 1 : !least ? -1 : strcmp(p->next.stem, least->next.stem);
		if (order < 0) least = p;
		else if (order == 0) p->has = false; /* it has moved while we looked */
	}
	if (!least) {
		for (size_t i = 0; i < w->count; i++) rewind_place(w, &w->place[i]);
		return 0;
	}
	least->has = false;
	*found = (struct walk_found){ least->next, least->where, least->fd };
	memcpy(w->last, least->next.stem, sizeof w->last);
	return 1;
}

struct segment_reader *walk_open(struct walk *w, const struct walk_found *found, size_t line_limit)
{
	struct segment_reader *reader = segment_reader_open(found->dir_fd, &found->segment, line_limit);
	for (size_t i = 0; !reader && errno == ENOENT && i < w->count; i++) {
		struct walk_place *p = &w->place[i];
		struct segment sealed = found->segment;
		if (p->where == found->where) continue;
		if (p->fd < 0) p->fd = walk_folder_open(w->fd, p->where);
		sealed.form = SEGMENT_SEALED;
		if (p->fd >= 0) reader = segment_reader_open(p->fd, &sealed, line_limit);
		else errno = ENOENT;
	}
	return reader;
}
