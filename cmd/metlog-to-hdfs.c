/* metlog-to-hdfs - publishes envelopes as files in HDFS or in a directory, each exactly once. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "filter/filter.h"
#include "io/diag.h"
#include "io/endpoint.h"
#include "to-hdfs/preview.h"
#include "to-hdfs/publish.h"
#include "to-hdfs/stage.h"

static const struct tool_about about = {
	.name = "metlog-to-hdfs",
	.usage = "[FILE...]",
	.summary = "Publish envelopes as files in HDFS or in a directory, each exactly once",
	.examples =
		"  metlog-to-hdfs --dry-run archive.ndjson\n"
		"  metlog-to-hdfs --to file:/srv/metlog archive.ndjson\n"
		"  metlog-spool drain /var/spool/metlog/archive --once -- \\\n"
		"      metlog-to-hdfs --to webhdfs://nn1:9870,nn2:9870/data/metlog\n",
	.uses = USES_INPUT | USES_MATCH | USES_TIMES | USES_ZONE,
	.options = hdfs_option_rows,
	.parse = hdfs_option_parse,
};

struct run {
	struct filter filter;
	struct hdfs_options options;
	struct endpoint to;
	struct source source;
	struct stage stage;
	struct summary summary;
	struct publish publish;
	struct ddl ddl;
};

static struct layout *make_layout(struct run *r)
{
	const char *why;
	size_t column = 0;
	struct layout *layout = layout_new(span_of(r->options.layout), &why, &column);
	if (!layout) tool_usage_error_at("--layout", r->options.layout, column, why);
	if ((r->options.ddl || r->options.add_partitions) && !layout_is_hive(layout))
		tool_usage_error("--ddl and --add-partitions: Hive finds partitions only where each component of --layout is key={...}, as in type={type}/dt={date}");
	return layout;
}

/* How much of --to may be told: a name and password, or a token, have no place in it, but that is what some will try. */
static int told(const char *to)
{
	const char *slashes = strstr(to, "://");
	return (int)(slashes && strpbrk(slashes, "@?") ? (size_t)(slashes + 3 - to) : strlen(to));
}

static struct store *make_store(struct run *r)
{
	const char *why = "it cannot be published to";
	struct store *store = NULL;
	if (r->to.kind == ENDPOINT_FILE) store = store_file_new(r->to.path);
	else store = store_webhdfs_new(&r->options.webhdfs, &why);
	if (!store && (strstr(why, "libcurl") || !strcmp(why, "out of memory"))) die(EXIT_INTERNAL, "%s", why);
	if (!store && span_starts(span_of(why), SPAN("--"))) tool_usage_error("%s", why); /* of another option */
	if (!store) tool_usage_error("--to: '%.*s': %s", told(r->options.to), r->options.to, why);
	store->verify = r->options.verify;
	store->replace = r->options.replace;
	store->permission = r->options.webhdfs.permission;
	return store;
}

/* What somebody who knows Hadoop, or who copies a path, gives first. NULL: it is one of ours. */
static const char *foreign(struct span to)
{
	if (span_starts(to, SPAN("webhdfs:")) || span_starts(to, SPAN("swebhdfs:")) || span_starts(to, SPAN("file:"))) return NULL;
	if (span_starts(to, SPAN("hdfs://")))
		return "that is how Hadoop's own clients call it: here it is webhdfs://HOST[:PORT]/PATH, with the port of the REST interface, 9870";
	if (span_starts(to, SPAN("http://")) || span_starts(to, SPAN("https://"))) return "HDFS is webhdfs://HOST[:PORT]/PATH, or swebhdfs:// over TLS";
	if (span_starts(to, SPAN("/")) || span_starts(to, SPAN("."))) return "a directory of this machine is file:PATH";
	return "one of webhdfs://HOST[:PORT]/PATH, swebhdfs:// and file:PATH is expected";
}

static void read_target(struct run *r)
{
	const char *why;
	if (!r->options.to) return;
	if ((why = foreign(span_of(r->options.to)))) tool_usage_error("--to: '%.*s': %s", told(r->options.to), r->options.to, why);
	if (!tool_endpoint(&r->to, span_of(r->options.to), &why)) tool_usage_error("--to: '%.*s': %s", told(r->options.to), r->options.to, why);
	r->options.webhdfs.address = r->options.to;
	if (r->to.kind == ENDPOINT_WEBHDFS && !webhdfs_address_check(r->options.to, NULL, &why)) tool_usage_error("--to: '%.*s': %s", told(r->options.to), r->options.to, why);
}

/* What a preview calls the base, without having looked at it: "/srv/metlog", or the address. */
static const char *base_of(const struct run *r)
{
	if (!r->options.to) return "";
	return r->to.kind == ENDPOINT_FILE ? r->to.path : r->to.address;
}

static void describe_table(struct run *r)
{
	struct buffer location;
	const char *base = base_of(r), *why;
	bool remote = r->options.to && r->to.kind == ENDPOINT_WEBHDFS;
	char *whole = remote ? NULL : realpath(base, NULL), *here = remote || whole || *base == '/' ? NULL : getcwd(NULL, 0);
	buffer_init(&location, 65536);
	buffer_append_text(&location, remote ? "hdfs://" : "file://");
	if (here) buffer_append_text(&location, here), buffer_append_byte(&location, '/');
	if (remote) webhdfs_address_check(base, &location, &why);
	else buffer_append_text(&location, whole ? whole : base);
	while (location.length > 8 && location.data[location.length - 1] == '/') location.length--;
	if (location.length == 7) buffer_append_byte(&location, '/');
	if (!buffer_text(&location)) die(EXIT_INTERNAL, "no memory for a path");
	free(whole);
	free(here);
	r->ddl = (struct ddl){ .layout = r->stage.layout, .table = r->options.table, .location = location.data };
}

/* Nothing of ours goes to standard output then but what --json or --dry-run writes; whether somebody reads there must not matter to the rest. */
static int take_output(void)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (out < 0 || nowhere < 0) die_errno(EXIT_SYSTEM, "cannot set standard output aside");
	dup2(nowhere, STDOUT_FILENO);
	close(nowhere);
	return out;
}

static void count(void *context)
{
	struct run *r = context;
	struct stats *stats = &r->filter.stats;
	*stats_extra(stats, "published") = r->summary.sum[SUMMARY_PUBLISHED].files;
	*stats_extra(stats, "there") = r->summary.sum[SUMMARY_THERE].files;
	*stats_extra(stats, "late") = r->stage.late;
	*stats_extra(stats, "future") = r->stage.future;
	*stats_extra(stats, "overflowed") = r->stage.partitions ? partitions_overflowed(r->stage.partitions) : r->stage.overflowed;
}

static void text_of(const char **out, struct span text)
{
	*out = text.length ? must_copy(text) : NULL;
}

static void open_run(struct run *r, const char *scratch)
{
	struct partitions_options *p = &r->options.partitions;
	struct span before, after;
	struct store *store = scratch ? NULL : make_store(r);
	struct staging *staging = staging_open(&(struct staging_options){ scratch ? scratch : r->options.staging, store ? store->where : "", r->source.batch });
	layout_name(r->stage.layout, &before, &after);
	text_of(&p->before, before);
	text_of(&p->after, after);
	p->segment = r->source.name;
	p->batch = r->source.batch;
	p->on_seal = stage_on_seal;
	p->context = &r->stage;
	if (p->batch || scratch) p->rotate_ms = -1;
	r->stage.partitions = partitions_new(p, staging);
	r->stage.where = staging_path(staging);
	bool people = !r->options.json && !r->filter.options.quiet && (isatty(STDERR_FILENO) || r->filter.options.verbose);
	summary_open(&r->summary, &(struct summary_options){
		.json = r->options.json, .plan = scratch, .out_fd = take_output(), .for_people = people && !scratch,
		.where = store ? store->where : base_of(r), .add_partitions = scratch ? NULL : r->options.add_partitions,
		.add_partitions_to_output = r->options.add_partitions_to_output, .ddl = &r->ddl });
	r->publish = (struct publish){ .filter = &r->filter, .store = store, .staging = staging, .summary = &r->summary, .batch = r->source.batch };
	r->filter.before_stats = count;
	r->filter.before_stats_context = r;
	progress_open_silent(&r->filter.progress, r->filter.options.operands, r->filter.options.operand_count, r->filter.options.quiet);
}

static int timeout_ms(const struct run *r)
{
	int64_t due_ms = partitions_due_ms(r->stage.partitions);
	return due_ms < INT32_MAX ? (int)due_ms : INT32_MAX;
}

/* True until there is nothing more to read, or no use in it. */
static bool turn(struct run *r)
{
	struct envelope envelope;
	switch (filter_turn(&r->filter, &envelope)) {
	case TURN_ENVELOPE:
		/* A batch of which a part is missing is not done, and what stands behind the gap would be cut otherwise once the part is there. */
		if (r->source.batch && r->filter.status) {
			r->filter.stats.kept++;
			return false;
		}
		stage_take(&r->stage, &envelope);
		break;
	case TURN_WAIT:
		stage_flush(&r->stage);
		if (r->stage.failed) break;
		filter_wait(&r->filter, NULL, 0, timeout_ms(r));
		stage_tick(&r->stage);
		break;
	case TURN_END:
		return false;
	}
	publish_sealed(&r->publish);
	return !r->publish.is_over && !r->stage.failed;
}

/* What of a stream is in memory is in no pipe any more: nobody else would come by it. */
static void take_rest(struct run *r)
{
	struct envelope envelope;
	do
		while (filter_take(&r->filter, &envelope)) stage_take(&r->stage, &envelope);
	while (!r->filter.rejects.fatal && filter_read_rest(&r->filter));
}

/* What is open is sealed and published where the input has come to its end, or a stream was told to. A stream that ends early for what has failed leaves it as a kill would:
 * its cuts would be our own, and if the same input was sent again, it would be published twice. */
static void finish(struct run *r)
{
	bool over = r->stage.failed || r->publish.is_over;
	if (!r->source.batch && over && !signals_stopping_now()) take_rest(r);
	if (!r->source.batch && over && partitions_flush(r->stage.partitions)) {
		publish_sealed(&r->publish);
		return;
	}
	if (r->source.batch && (r->stage.failed || !source_is_finished(&r->source))) {
		diag_error("the input was not read to its end: give it again");
		if (!r->filter.status && !r->filter.rejects.fatal) filter_fail(&r->filter, EXIT_LATER);
	} else if (!stage_seal_all(&r->stage)) {
		if (errno != ECANCELED) publish_sealed(&r->publish); /* which makes room */
		if (!stage_seal_all(&r->stage)) stage_fail(&r->stage);
	}
	publish_sealed(&r->publish);
	if (r->stage.failed && !partitions_flush(r->stage.partitions)) stage_give_up(&r->stage);
}

static int close_run(struct run *r, char *scratch)
{
	const char *kept_in = publish_keep(&r->publish);
	r->stage.overflowed = partitions_overflowed(r->stage.partitions);
	uint64_t staged = partitions_staged(r->stage.partitions);
	if (!r->source.batch && staged) {
		if (!kept_in && !staging_keep(r->publish.staging)) filter_fail(&r->filter, EXIT_IO);
		diag_error("kept in %s for the next run, in files that are not full: envelopes: %llu", staging_path(r->publish.staging), (unsigned long long)staged);
	}
	filter_fail(&r->filter, summary_close(&r->summary, kept_in));
	partitions_free(r->stage.partitions);
	r->stage.partitions = NULL;
	staging_close(r->publish.staging);
	if (scratch) preview_scratch_remove(scratch);
	if (r->publish.store) r->publish.store->release(r->publish.store);
	return filter_close(&r->filter);
}

int main(int argc, char **argv)
{
	static struct run r;
	hdfs_options_init(&r.options);
	filter_open(&r.filter, &about, argc, argv, &r.options);
	hdfs_options_complete(&r.options);
	read_target(&r);
	source_open(&r.source, &r.filter, r.options.partitions.segment);
	stage_init(&r.stage, &r.filter, &r.source, make_layout(&r), &r.options);
	describe_table(&r);
	if (r.options.explain) return preview_explain(&r.filter, &r.stage);
	if (r.options.ddl) return preview_ddl(&r.filter, &r.stage, &r.ddl);
	/* A batch is given again: it stops at the first request. What a stream has brought is still published. */
	signals_open(SIGNALS_HANGUP | (r.source.batch ? 0 : SIGNALS_STOP_AGAIN));
	r.filter.reopens = true;
	signals_ignore_pipe();
	char *scratch = r.options.dry_run ? preview_scratch_open() : NULL;
	open_run(&r, scratch);
	publish_sealed(&r.publish);
	if (!r.publish.is_over)
		while (turn(&r)) {}
	finish(&r);
	return close_run(&r, scratch);
}
