/* ddl - the HiveQL for a layout: CREATE EXTERNAL TABLE, ADD PARTITION. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_HDFS_DDL_H
#define TO_HDFS_DDL_H

#include "layout.h"

struct ddl {
	const struct layout *layout;
	const char *table;           /* "metlog", "db.metlog" */
	const char *location;        /* "hdfs:///data/metlog" (without authority: Hive's default), "file:///srv/metlog" */
};

bool ddl_append_table(struct buffer *out, const struct ddl *);               /* CREATE EXTERNAL TABLE IF NOT EXISTS ...; and how partitions are found (MSCK REPAIR TABLE) as a comment */
bool ddl_append_partition(struct buffer *out, const struct ddl *, struct span dir); /* ALTER TABLE ... ADD IF NOT EXISTS PARTITION (type='x', dt='...') LOCATION '...'; Values are decoded from the directory's names and quoted. */

#endif
