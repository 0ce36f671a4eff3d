/* staging_private - what the files of the staging share: runs, what stands in N.dir and N.item, leftovers. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_STAGING_PRIVATE_H
#define TO_HDFS_STAGING_PRIVATE_H

#include "base/checksum.h"
#include "partition.h"

enum {
	STAGING_NAME_MAX = 64,         /* of a run's directory, and of a file of ours in it */
	STAGING_DIR_MAX = 8192,        /* of a directory below the base */
	STAGING_COMPONENT_MAX = 255,   /* of a name, as file systems have it */
	STAGING_RUNS_MAX = 128,        /* dead ones taken over at a time: each takes two descriptors */
	STAGING_BLOCK = 128 * 1024,
};

/* One directory: our own run, or a dead one's that is taken over (its lock is ours then). */
struct staging_run {
	char name[STAGING_NAME_MAX];
	int dir_fd, lock_fd;
	bool own, stream;              /* stream: its unsealed files are leftovers */
	bool kept_back;                /* there are leftovers in it that are not for us */
	uint64_t leftovers;            /* of it, in staging.leftovers */
	int *numbers;                  /* of sealed files; 0: published */
	size_t count, capacity, at;    /* at: the next to be handed out */
	uint64_t left;                 /* not 0 */
};

struct staging_leftover {
	struct staging_leftover *next;
	struct staging_run *run;
	int number;
	char *dir;
	uint64_t file;                 /* the how manyeth of its directory, from 1 */
	struct checksum_wide before;   /* of the ones before it */
	struct checksum_wide sum;
	uint64_t bytes, records;
	bool is_matched;               /* its lines came again; they are not in a file yet */
	bool is_due;                   /* they did not: to be sealed */
};

struct staging {
	char *path;
	int base_fd, dir_fd, lock_fd;  /* lock_fd: locked only while runs are made, taken over or removed */
	bool batch, more;              /* more: there may be more dead runs than STAGING_RUNS_MAX */
	char id[9];                    /* of our run: 8 hex digits */
	int last_number;
	struct staging_run own;
	struct staging_run *runs[STAGING_RUNS_MAX];
	size_t run_count;
	struct staging_leftover *leftovers;
	uint64_t kept_back;            /* leftovers that are not for us */
};

/* --- staging_file.c: files and directories; 0 or an errno --- */

enum staging_kind { STAGING_DIR, STAGING_LINES, STAGING_DATA, STAGING_ITEM, STAGING_TEMPORARY, STAGING_KINDS }; /* the last one: .N.item */
void staging_name(char name[STAGING_NAME_MAX], int number, enum staging_kind);
bool staging_parse_name(const char *name, int *number, enum staging_kind *); /* false: no file of ours */
bool staging_is_plain(int fd);                            /* a regular file of ours with one name; else errno is EPERM */
int staging_open_file(const struct staging_run *, int number, enum staging_kind, int flags); /* a descriptor, or -1 with errno */
int staging_make_file(const struct staging_run *, int number, enum staging_kind); /* likewise, for writing; what an attempt that was cut short has left is removed */
int staging_write_file(const struct staging_run *, int number, enum staging_kind, struct span text); /* a new one, whole or not there */
void staging_unlink(const struct staging_run *, int number, enum staging_kind);
void staging_unlink_all(const struct staging_run *, int number); /* N.item last: without its data, it is one that was published */
/* Writes to N.ndjson behind `*at`, which moves on by what is whole lines of it; the file is cut back to that. At 0 the file is made, or, if nothing of it stays, gone again. */
int staging_write_lines(const struct staging_run *, int number, uint64_t *at, struct span lines);

/* --- staging_record.c: the text of N.dir and N.item; 0, an errno, or EBADMSG: it is not what was written --- */

bool staging_path_is_plain(struct span dir);              /* UTF-8, no component that is empty, "." or ".." */
int staging_write_dir(const struct staging_run *, int number, const char *dir, uint64_t file, struct checksum_wide before);
int staging_read_dir(const struct staging_run *, int number, char **dir, uint64_t *file, struct checksum_wide *before);

struct staging_record {
	char *dir, *name, *temp;
	enum staging_kind data;                               /* STAGING_DATA or STAGING_LINES */
	uint64_t bytes, raw_bytes, records;
	struct checksum_wide sum;                             /* of the data */
};
int staging_write_item(const struct staging_run *, int number, const struct staging_record *); /* and renames it into place */
int staging_read_item(const struct staging_run *, int number, struct staging_record *);
void staging_record_release(struct staging_record *);
int staging_open_data(const struct staging_run *, int number, const struct staging_record *);  /* -1: errno; EBADMSG: it has not these many bytes */

/* --- staging_run.c --- */

bool staging_lock(struct staging *);                      /* waits; false: another process has held it for long */
void staging_unlock(struct staging *);
void staging_run_make(struct staging *);                  /* our own; dies */
void staging_run_add(struct staging_run *, int number);   /* sealed */
bool staging_run_remove(struct staging *, struct staging_run *); /* closes it, and removes it if nothing is left in it. Under the lock */
void staging_adopt(struct staging *);                     /* dead runs, as many as there is room for. Under the lock */
void staging_run_leave(struct staging *, struct staging_run *); /* removes a dead one of which nothing is left. Takes the lock */
void staging_set_aside(const struct staging *, const struct staging_run *, const struct staging_record *, int number); /* damaged data: of a stream they stay, as N.damaged, and it is said */
void staging_run_sort_out(struct staging *, struct staging_run *); /* which files are sealed, which are leftovers; the rest is removed */

/* --- leftover.c --- */

void leftover_add(struct staging *, struct staging_run *, int number);   /* found; what it holds is not known yet */
void leftover_read_new(struct staging *);                 /* those: each is cut to its last whole line; one of which nothing stays is forgotten */
void leftover_forget(struct staging *, struct staging_leftover *);       /* with its files */
void leftover_drop(struct staging *, struct staging_leftover *);         /* it is an item now, or of no use to us */

/* --- seal.c --- */

struct seal;
struct seal *seal_new(const struct partitions_options *); /* borrowed */
void seal_free(struct seal *);
const char *seal_extension(const struct seal *);

/* Lines in the file N.ndjson (its first file_bytes; 0: there is none) and, behind them, in memory. */
struct seal_lines {
	struct staging_run *run;
	int number;
	const char *dir, *name;
	uint64_t file_bytes;
	struct span tail;
	uint64_t records;
	struct checksum_wide sum;      /* of these lines */
};
/* 0: sealed, and in the run's list. Else an errno: all is as it was. */
int seal_lines(struct seal *, const struct staging *, const struct seal_lines *);

#endif
