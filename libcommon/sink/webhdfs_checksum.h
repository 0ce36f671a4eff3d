/* webhdfs_checksum - the checksum that HDFS has of a file, computed of our own bytes. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_WEBHDFS_CHECKSUM_H
#define SINK_WEBHDFS_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include "base/crc32.h"

/* Source: FileChecksumHelper and MD5MD5CRC32FileChecksum of Hadoop 2.x and 3.x. A file is blocks, a block is spans of `span_bytes`; of each span there is a CRC, of the CRCs
 * of a block (big-endian) an MD5, and of all these MD5s the MD5 - padded with zeros to the size of the buffer they stand in there: 32 bytes, doubled until they fit.
 * Or, with dfs.checksum.combine.mode=COMPOSITE_CRC: simply the CRC of the whole file. */
struct webhdfs_checksum {
	bool composite;
	enum crc32_kind kind;
	uint32_t span_bytes;         /* bytesPerCRC */
	uint64_t spans_per_block;    /* 0: the file is one block */
	unsigned char value[16];     /* an MD5; or a CRC, big-endian, in the first four */
};

/* The members of a FileChecksum: "MD5-of-0MD5-of-512CRC32C", "0000020000...", 28; or "COMPOSITE-CRC32C", "fa3c...", 4. False: no kind we know. */
bool webhdfs_checksum_parse(struct webhdfs_checksum *, struct span algorithm, struct span hex, uint64_t length);

/* The first `bytes` of the file against it. -1: they could not be read (errno). */
int webhdfs_checksum_equal(const struct webhdfs_checksum *, int fd, uint64_t bytes);

#endif
