/* status - the verb that says how a spool stands: what waits, who works on it, what went wrong. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "io/diag.h"
#include "report.h"
#include "walk.h"

/* Reads each sealed segment and holds it against its trailer. */
static void verify(struct filter *f, struct report *r)
{
	static struct walk walk; /* static: its lists are large */
	struct walk_found found;
	struct segment_trailer sum;
	const char *reason;
	int more = 0;
	walk_init(&walk, r->path, r->dir_fd, WALK_SPOOL | WALK_FAILED | WALK_DELIVERED);
	while (!signals_stopping() && (more = walk_next(&walk, &found)) > 0) {
		char name[SEGMENT_NAME_MAX];
		if (found.segment.form == SEGMENT_OPEN) continue;
		enum segment_read result = segment_check(found.dir_fd, &found.segment, f->options.line_limit, &sum, &reason);
		segment_name(name, &found.segment, found.segment.form);
		if (result == SEGMENT_ERROR && errno != ENOENT) {
			diag_error("%s/%s%s: %s", r->path, walk_folder(found.where), name, strerror(errno));
			filter_fail(f, EXIT_NO_INPUT);
		}
		if (result == SEGMENT_DAMAGED) {
			diag_error("%s/%s%s: damaged: %s", r->path, walk_folder(found.where), name, reason);
			filter_fail(f, EXIT_REJECTS);
			r->damaged++;
		}
		if (result == SEGMENT_END || result == SEGMENT_DAMAGED) r->verified++;
	}
	if (more < 0) {
		diag_error("%s: %s", r->path, strerror(errno));
		filter_fail(f, EXIT_NO_INPUT);
	}
	if (signals_stopping()) {
		diag_error("%s: stopped before all segments were verified", r->path);
		filter_fail(f, EXIT_LATER);
	}
	walk_release(&walk);
}

static void check_limits(struct filter *f, const struct report *r, const struct verb_options *o)
{
	if (r->spool.oldest != INT64_MIN && o->age_limit_ms != INT64_MAX && report_age_ms(r, r->spool.oldest) > o->age_limit_ms) {
		diag_error("%s: the oldest segment, %s, is older than --fail-over-age", r->path, r->spool.first);
		filter_fail(f, EXIT_NEGATIVE);
	}
	if (r->spool.bytes > o->bytes_limit) {
		diag_error("%s: its %" PRIu64 " bytes are more than --fail-over-bytes", r->path, r->spool.bytes);
		filter_fail(f, EXIT_NEGATIVE);
	}
}

int status_run(struct filter *f, const struct verb_options *options)
{
	struct report report;
	int status = EXIT_DONE, fd = walk_directory(options->dir, &status);
	f->progress.wanted = false;
	if (fd >= 0 && !report_gather(&report, options->dir, fd)) {
		diag_error("%s: %s", options->dir, strerror(errno));
		close(fd);
		fd = -1;
		status = EXIT_NO_INPUT;
	}
	if (fd < 0) {
		filter_fail(f, status);
		return filter_close(f);
	}
	report.verify = options->verify;
	if (options->verify) verify(f, &report);
	struct buffer out;
	buffer_init(&out, SIZE_MAX / 2);
	if (options->json) report_append_json(&out, &report);
	else report_append_text(&out, &report);
	if (out.failed) die(EXIT_INTERNAL, "no memory to show the status");
	writer_bytes(&f->out, buffer_span(&out));
	buffer_release(&out);
	check_limits(f, &report, options);
	report_release(&report);
	close(fd);
	return filter_close(f);
}
