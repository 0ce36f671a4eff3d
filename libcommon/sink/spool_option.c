/* spool_option - the options of a spool's writer by the names they have on command lines and in route files. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool.h"

#include "base/number.h"

const struct spool_options spool_defaults = {
	.sync = SPOOL_SYNC_BATCH,
	.sync_bytes = 1 << 20,
	.sync_ms = 50,
	.segment_bytes = 16 << 20,
	.segment_ms = 10000,
	.reserve_bytes = 1 << 20,
	.when_full = SPOOL_BLOCK,
	.line_limit = 1 << 20,
};

enum { BATCH_MOST = 256 << 20 }; /* it is kept in memory */

static bool choose(struct span value, const char *const *words, int count, int *chosen)
{
	for (int i = 0; i < count; i++)
		if (span_equal(value, span_of(words[i]))) {
			*chosen = i;
			return true;
		}
	return false;
}

static bool set_size(uint64_t *to, struct span value, uint64_t least, uint64_t most)
{
	uint64_t bytes;
	if (!number_parse_size(value, &bytes) || bytes < least || bytes > most) return false;
	*to = bytes;
	return true;
}

/* Rounded up: what is not zero stays so. */
static bool set_duration(int64_t *to, struct span value)
{
	int64_t nanoseconds;
	if (!number_parse_duration(value, &nanoseconds)) return false;
	*to = nanoseconds / 1000000 + (nanoseconds % 1000000 != 0);
	return true;
}

static bool set_how(struct spool_options *o, struct span name, struct span value, const char **reason)
{
	static const char *const syncs[] = { "batch", "each", "none" }, *const fulls[] = { "block", "fail", "drop-oldest" }, *const forms[] = { "none", "zstd" };
	int chosen = 0;
	if (span_equal(name, SPAN("sync"))) {
		*reason = "it is batch, each or none";
		if (!choose(value, syncs, 3, &chosen)) return false;
		o->sync = (enum spool_sync)chosen;
		return true;
	}
	if (span_equal(name, SPAN("when-full"))) {
		*reason = "it is block, fail or drop-oldest";
		if (!choose(value, fulls, 3, &chosen)) return false;
		o->when_full = (enum spool_when_full)chosen;
		return true;
	}
	if (span_equal(name, SPAN("compress"))) {
		*reason = "it is none or zstd";
		if (!choose(value, forms, 2, &chosen)) return false;
		o->compress = chosen == 1;
		return true;
	}
	return false;
}

bool spool_option(struct spool_options *o, struct span name, struct span value, const char **reason)
{
	struct { const char *name; uint64_t *bytes, least, most; } sizes[] = {
		{ "sync-bytes", &o->sync_bytes, 1, BATCH_MOST },
		{ "segment-bytes", &o->segment_bytes, 1, UINT64_MAX >> 1 },
		{ "max-bytes", &o->limit_bytes, 0, UINT64_MAX >> 1 },
		{ "reserve", &o->reserve_bytes, 0, UINT64_MAX >> 1 },
	};
	struct { const char *name; int64_t *ms; } durations[] = { { "sync-interval", &o->sync_ms }, { "segment-age", &o->segment_ms }, { "max-age", &o->limit_ms } };
	*reason = NULL;
	if (set_how(o, name, value, reason)) return true;
	if (*reason) return false;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (span_equal(name, span_of(sizes[i].name))) {
			*reason = sizes[i].most == BATCH_MOST ? "it is a size from 1 to 256Mi, such as 64k or 1Mi" : "it is a size such as 16Mi or 10Gi";
			return set_size(sizes[i].bytes, value, sizes[i].least, sizes[i].most);
		}
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
		if (span_equal(name, span_of(durations[i].name))) {
			*reason = "it is a duration such as 50ms, 10s or 2d";
			return set_duration(durations[i].ms, value);
		}
	return false;
}
