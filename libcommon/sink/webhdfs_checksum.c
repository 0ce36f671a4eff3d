/* webhdfs_checksum - reads our bytes once: CRCs of spans, MD5s of blocks, the MD5 of those. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/webhdfs_checksum.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/md5.h"
#include "base/number.h"

enum { PART_BYTES = 1 << 16, SPAN_BYTES_MAX = 1 << 20, MD5_BUFFER_FIRST = 32 };

static bool parse_hex(unsigned char *out, size_t length, struct span hex)
{
	static const char digits[] = "0123456789abcdef";
	if (hex.length < 2 * length) return false;
	for (size_t i = 0; i < 2 * length; i++) {
		char c = hex.data[i];
		if (c >= 'A' && c <= 'F') c = (char)(c + 0x20);
		const char *at = c ? strchr(digits, c) : NULL;
		if (!at) return false;
		out[i / 2] = (unsigned char)(i % 2 ? out[i / 2] | (at - digits) : (at - digits) << 4);
	}
	return true;
}

static bool parse_kind(enum crc32_kind *kind, struct span algorithm)
{
	size_t crc32 = 5, crc32c = 6;
	if (algorithm.length >= crc32c && memcmp(algorithm.data + algorithm.length - crc32c, "CRC32C", crc32c) == 0) {
		*kind = CRC32_CASTAGNOLI;
		return true;
	}
	*kind = CRC32_ZLIB;
	return algorithm.length >= crc32 && memcmp(algorithm.data + algorithm.length - crc32, "CRC32", crc32) == 0;
}

bool webhdfs_checksum_parse(struct webhdfs_checksum *c, struct span algorithm, struct span hex, uint64_t length)
{
	unsigned char bytes[28];
	*c = (struct webhdfs_checksum){ .composite = span_starts(algorithm, SPAN("COMPOSITE-")) };
	if (!parse_kind(&c->kind, algorithm)) return false;
	if (c->composite) return length == 4 && parse_hex(c->value, 4, hex);
	if (!span_starts(algorithm, SPAN("MD5-of-")) || length != sizeof bytes || !parse_hex(bytes, sizeof bytes, hex)) return false;
	memcpy(&c->span_bytes, bytes, 4);
	memcpy(&c->spans_per_block, bytes + 4, 8);
	memcpy(c->value, bytes + 12, MD5_BYTES);
	c->span_bytes = be32toh(c->span_bytes);
	c->spans_per_block = be64toh(c->spans_per_block);
	return c->span_bytes <= SPAN_BYTES_MAX && c->spans_per_block <= UINT64_MAX / SPAN_BYTES_MAX;
}

/* One pass over the file. */
struct pass {
	const struct webhdfs_checksum *want;
	struct crc32 crc32;
	uint32_t crc;                /* of the span so far; of the file, if composite */
	uint64_t in_span, in_block;  /* bytes; spans */
	struct md5 block, file;
	uint64_t blocks;
};

static void end_block(struct pass *p)
{
	unsigned char digest[MD5_BYTES];
	md5_finish(&p->block, digest);
	md5_add(&p->file, (struct span){ (const char *)digest, sizeof digest });
	md5_init(&p->block);
	p->in_block = 0;
	p->blocks++;
}

static void end_span(struct pass *p)
{
	uint32_t big = htobe32(p->crc);
	md5_add(&p->block, (struct span){ (const char *)&big, sizeof big });
	p->crc = 0;
	p->in_span = 0;
	if (++p->in_block == p->want->spans_per_block) end_block(p);
}

static void take(struct pass *p, struct span part)
{
	while (part.length) {
		uint64_t room = p->want->composite ? part.length : p->want->span_bytes - p->in_span;
		size_t length = part.length < room ? part.length : (size_t)room;
		p->crc = crc32_add(&p->crc32, p->crc, (struct span){ part.data, length });
		p->in_span += length;
		if (!p->want->composite && p->in_span == p->want->span_bytes) end_span(p);
		part.data += length;
		part.length -= length;
	}
}

static bool finish(struct pass *p)
{
	static const char zeros[64];
	unsigned char digest[MD5_BYTES];
	if (p->want->composite) {
		uint32_t big = htobe32(p->crc);
		return memcmp(&big, p->want->value, sizeof big) == 0;
	}
	if (p->in_span) end_span(p);
	if (p->in_block) end_block(p);
	uint64_t used = p->blocks * MD5_BYTES, buffer = MD5_BUFFER_FIRST;
	while (buffer < used) buffer *= 2;
	while (used < buffer) {
		size_t part = buffer - used < sizeof zeros ? (size_t)(buffer - used) : sizeof zeros;
		md5_add(&p->file, (struct span){ zeros, part });
		used += part;
	}
	md5_finish(&p->file, digest);
	return memcmp(digest, p->want->value, sizeof digest) == 0;
}

static bool read_all(struct pass *p, int fd, uint64_t bytes, char *part)
{
	for (uint64_t at = 0; at < bytes;) {
		size_t most = bytes - at < PART_BYTES ? (size_t)(bytes - at) : PART_BYTES;
		ssize_t got = pread(fd, part, most, (off_t)at);
		if (got < 0 && errno == EINTR) continue;
		if (got == 0) errno = ENODATA; /* shorter than it was */
		if (got <= 0) return false;
		take(p, (struct span){ part, (size_t)got });
		at += (uint64_t)got;
	}
	return true;
}

int webhdfs_checksum_equal(const struct webhdfs_checksum *want, int fd, uint64_t bytes)
{
	if (!want->composite && !want->span_bytes && bytes) return 0; /* it is of an empty file */
	struct pass *p = calloc(1, sizeof *p);
	char *part = malloc(PART_BYTES);
	int equal = -1;
	errno = ENOMEM;
	if (p && part) {
		p->want = want;
		crc32_init(&p->crc32, want->kind);
		md5_init(&p->block);
		md5_init(&p->file);
		if (read_all(p, fd, bytes, part)) equal = finish(p);
	}
	free(p);
	free(part);
	return equal;
}
