/* source - what kind of input it is: a batch, which is given again until it is done, or a stream; its name, and its time. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "source.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "io/diag.h"
#include "options.h"
#include "sink/segment.h"

static int64_t modified_ns(const struct stat *status)
{
	return status->st_mtim.tv_sec * INT64_C(1000000000) + status->st_mtim.tv_nsec;
}

static bool operand_is_regular(const char *name)
{
	struct stat status;
	if (strcmp(name, "-") == 0 ? fstat(STDIN_FILENO, &status) : stat(name, &status)) return true; /* it will be reported when it is opened */
	return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

static bool all_regular(const struct tool_options *o)
{
	if (!o->operand_count) return operand_is_regular("-");
	for (int i = 0; i < o->operand_count; i++)
		if (!operand_is_regular(o->operands[i])) return false;
	return true;
}

/* The time in the name of a spool's segment, with or without its ending and its directory. INT64_MIN: it is none. */
static int64_t time_in_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char stem[SEGMENT_NAME_MAX];
	struct segment segment;
	size_t length = strcspn(name, ".");
	if (length + sizeof ".ndjson" > sizeof stem) return INT64_MIN;
	memcpy(stem, name, length);
	memcpy(stem + length, ".ndjson", sizeof ".ndjson");
	return segment_parse(&segment, stem) ? segment.begun : INT64_MIN;
}

static uint64_t number_in_environment(const char *name)
{
	int64_t value;
	const char *text = getenv(name);
	return text && number_parse_int(span_of(text), &value) && value > 0 ? (uint64_t)value : 0;
}

void source_open(struct source *s, const struct filter *filter, const char *name)
{
	struct stat status;
	const struct tool_options *o = &filter->options;
	*s = (struct source){ .filter = filter, .name = name, .segment_ns = INT64_MIN, .operand = -1 };
	const char *segment = o->operand_count ? NULL : getenv("METLOG_SEGMENT");
	if (segment && *segment) {
		if (!hdfs_name_is_plain(segment)) die(EXIT_CONFIGURATION, "METLOG_SEGMENT: '%s' is not the name of a segment", segment);
		if (!name) s->name = segment;
		/* Through the drain's own socket: a command in between may have taken lines out. */
		if (fstat(STDIN_FILENO, &status) == 0 && S_ISSOCK(status.st_mode)) s->segment_bytes = number_in_environment("METLOG_SEGMENT_BYTES");
		s->segment_ns = time_in_name(segment);
	} else if (name) {
		s->segment_ns = time_in_name(name);
	}
	bool regular = all_regular(o);
	s->batch = s->name || regular;
	s->timeless = s->batch && !regular && s->segment_ns == INT64_MIN;
	source_tick(s);
}

static void find_time(struct source *s)
{
	struct stat status;
	s->operand = s->filter->next_operand;
	if (!s->batch) return;
	s->now_ns = s->segment_ns;
	if (s->now_ns == INT64_MIN) s->now_ns = time_in_name(s->filter->reader.name);
	if (s->now_ns == INT64_MIN && fstat(s->filter->reader.fd, &status) == 0 && S_ISREG(status.st_mode)) s->now_ns = modified_ns(&status);
	if (s->now_ns == INT64_MIN) s->now_ns = timestamp_now();
}

int64_t source_now(struct source *s)
{
	if (s->operand != s->filter->next_operand) find_time(s);
	return s->now_ns;
}

void source_tick(struct source *s)
{
	if (!s->batch) s->now_ns = timestamp_now();
}

bool source_is_finished(const struct source *s)
{
	const struct filter *f = s->filter;
	int count = f->options.operand_count;
	/* Any failure by now: a weightier one (the books of SIGUSR1, with standard error full) would hide that an input is missing. */
	if (f->status || f->rejects.fatal || f->reader.fd >= 0) return false;
	if (f->next_operand < (count ? count : 1)) return false;
	return !s->segment_bytes || f->reader.bytes >= s->segment_bytes;
}
