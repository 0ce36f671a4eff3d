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

/* Both: false is no memory, or the buffer's limit. Statements end with ";\n".
 *
 * CREATE EXTERNAL TABLE IF NOT EXISTS ...; and how partitions are found (MSCK REPAIR TABLE) as a comment. A member that is a partition's key is no column besides: Hive refuses that. If
 * layout_is_hive is false the table has no partitions. */
bool ddl_append_table(struct buffer *out, const struct ddl *);

/* ALTER TABLE ... ADD IF NOT EXISTS PARTITION (`type`='x', `dt`='...') LOCATION '...'; Values are decoded from the directory's names, as MSCK does, and quoted. Nothing for a
 * directory that is no partition: below _late, _future, _overflow, or of a layout that is not Hive's. */
bool ddl_append_partition(struct buffer *out, const struct ddl *, struct span dir);

#endif
