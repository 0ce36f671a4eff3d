/* options - the command line of metlog-to-hdfs. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_OPTIONS_H
#define TO_HDFS_OPTIONS_H

#include "filter/tool.h"
#include "partition.h"
#include "sink/webhdfs.h"

struct hdfs_options {
	const char *to;              /* --to; NULL: not given (--dry-run and --explain need none) */
	const char *layout;
	const char *staging;         /* --staging or what the environment says; NULL: nothing does */
	const char *table;
	const char *add_partitions;
	bool add_partitions_to_output; /* "-" */
	bool hive, json, ddl, dry_run, explain;
	bool verify, replace;
	bool future_given;           /* --max-future stood on the command line */
	int64_t late_ns, future_ns;  /* below 0: no bound */
	struct partitions_options partitions; /* but for `batch`, the name's ends, and `segment` if --name is not given */
	struct webhdfs_options webhdfs;
};

extern const struct argp_option hdfs_option_rows[];

void hdfs_options_init(struct hdfs_options *);
error_t hdfs_option_parse(int key, char *text, struct argp_state *);  /* for tool_about.parse; the context is the options */
void hdfs_options_complete(struct hdfs_options *); /* what they say together, and the environment; a usage error, or 78 without any staging directory */
bool hdfs_name_is_plain(const char *); /* fit to be a part of a file's name, and for people to type: --name, METLOG_SEGMENT */

#endif
