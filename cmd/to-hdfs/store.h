/* store - where files are published: HDFS, or a directory of this machine. One operation: a whole file under its final name, or nothing there. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_STORE_H
#define TO_HDFS_STORE_H

#include "sink/webhdfs.h"

enum { STORE_TEMP_MAX = 256, STORE_REASON_MAX = 640 };

/* What is to be published. Both paths are relative to the base, and safe: no "..", no empty component, no leading slash. */
struct store_file {
	const char *dir;             /* "type=x/dt=2026-01-02/hour=03"; "" is the base itself */
	const char *name;            /* "NAME.ndjson.zst" */
	const char *temp;            /* beside it while it is written: hidden (a leading dot), of this file and run alone */
	int fd;                      /* the bytes, from 0 on */
	uint64_t bytes;
	bool adopted;                /* sealed by a run that is dead: its temp may have been left there */
};

enum store_verdict {
	STORE_PUBLISHED,
	STORE_THERE,                 /* the final name exists with these many bytes (with `verify`, and this checksum): it was delivered before */
	STORE_CONFLICT,              /* it exists and is another: nothing was changed */
	STORE_LATER,                 /* 75 */
	STORE_REFUSED,               /* 69 */
	STORE_DENIED,                /* 77 */
	STORE_IO,                    /* 74: our own staged file, or a file store's disk */
	STORE_STOPPED,
};

struct store {
	enum store_verdict (*publish)(struct store *, const struct store_file *);
	void (*release)(struct store *);
	bool verify;                 /* --verify */
	bool replace;                /* --conflict=replace */
	const char *permission;      /* octal, of new files; NULL: as the server, or the umask, has it */
	char reason[STORE_REASON_MAX]; /* why the last one was neither published nor there */
	char *where;                 /* the base for people and for --json: "/srv/metlog", "webhdfs://nn1:9870,nn2:9870/data/metlog"; no secret */
	void (*on_progress)(void *context, uint64_t bytes_of_this_file);
	void *context;
};

/* file:PATH. The base is made if its parent is there. Each file: temp (O_EXCL|O_NOFOLLOW after an unlink of a left one), copy, fsync, renameat2(NOREPLACE) (replace: rename), fsync of
 * the directory; directories are made below the base without following a link, and synced. Dies (73) if the base cannot be had. */
struct store *store_file_new(const char *path);

/* webhdfs://, swebhdfs://. The state machine: status of the final name; mkdirs; create temp; status of temp; [verify]; rename; on doubt status of both. */
struct store *store_webhdfs_new(const struct webhdfs_options *, const char **why);

#endif
