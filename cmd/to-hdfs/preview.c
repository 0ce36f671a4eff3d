/* preview - what nobody is contacted for: --explain, --ddl, and the scratch directory of --dry-run. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "preview.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/table.h"
#include "base/text.h"
#include "io/diag.h"

enum { DIRS_MAX = 1 << 20, DIRS_BYTES_MAX = 64 << 20, SCRATCH_DEPTH = 8 };

static void put(struct filter *filter, struct buffer *text)
{
	if (text->failed) die(EXIT_INTERNAL, "no memory for what is to be printed");
	if (!writer_bytes(&filter->out, buffer_span(text))) filter_flush(filter);
	buffer_clear(text);
}

int preview_explain(struct filter *filter, struct stage *stage)
{
	struct envelope e;
	struct span line;
	struct buffer text;
	buffer_init(&text, SIZE_MAX / 2);
	while (filter_next(filter, &e)) {
		stage_place(stage, &e, &line);
		buffer_append_span(&text, buffer_span(&stage->dir));
		buffer_append(&text, "/\t", 2);
		buffer_append_span(&text, line);
		buffer_append_byte(&text, '\n');
		put(filter, &text);
		filter_booked_pass(filter);
	}
	buffer_release(&text);
	return filter_close(filter);
}

static void put_partitions(struct filter *filter, struct stage *stage, const struct ddl *ddl, struct buffer *text)
{
	struct envelope e;
	struct span line;
	struct table dirs;
	table_init(&dirs, DIRS_MAX, DIRS_BYTES_MAX, 0);
	while (filter_next(filter, &e)) {
		bool fresh = false;
		stage_place(stage, &e, &line);
		filter_booked_pass(filter);
		if (!stage->dir.length || stage->dir.data[0] == '_') continue;
		if (!table_put(&dirs, buffer_span(&stage->dir), &fresh)) die(EXIT_INTERNAL, "more than %d partitions, or no memory", DIRS_MAX);
		if (!fresh) continue;
		if (!ddl_append_partition(text, ddl, buffer_span(&stage->dir))) text->failed = true;
		put(filter, text);
	}
	table_release(&dirs);
}

int preview_ddl(struct filter *filter, struct stage *stage, const struct ddl *ddl)
{
	struct buffer text;
	buffer_init(&text, 1 << 20);
	if (!ddl_append_table(&text, ddl)) text.failed = true;
	put(filter, &text);
	if (filter->options.operand_count) put_partitions(filter, stage, ddl, &text);
	buffer_release(&text);
	return filter_close(filter);
}

char *preview_scratch_open(void)
{
	const char *parent = getenv("TMPDIR");
	struct buffer path;
	buffer_init(&path, 65536);
	buffer_append_text(&path, parent && *parent ? parent : "/tmp");
	buffer_append_text(&path, "/metlog-to-hdfs.XXXXXX");
	if (!buffer_text(&path)) die(EXIT_INTERNAL, "no memory for a path");
	if (!mkdtemp(path.data)) die_errno(EXIT_NO_OUTPUT, "cannot make a scratch directory %s", path.data);
	return path.data;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status, (void)kind, (void)at;
	remove(path);
	return 0;
}

void preview_scratch_remove(char *dir)
{
	nftw(dir, remove_one, SCRATCH_DEPTH, FTW_DEPTH | FTW_PHYS);
	free(dir);
}
