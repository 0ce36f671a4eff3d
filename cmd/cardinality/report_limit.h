/* report_limit - limits of those who store metrics, and of one's own, held against the report. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CARDINALITY_REPORT_LIMIT_H
#define CARDINALITY_REPORT_LIMIT_H

#include "report.h"
#include "report_series.h"

/*     influxdb    max-series-per-database 1,000,000 and max-values-per-tag 100,000: what InfluxDB 1.x does without a configuration; a write beyond is dropped
 *     graphite    MAX_CREATES_PER_MINUTE 50: of the carbon.conf that carbon ships; what comes of new series beyond is dropped until a later minute
 *     values=N    different values of a tag      series=N    series of a metric      total=N    series of all metrics together
 * with commas between them. A limit is passed by more than it allows. */
enum limit_kind { LIMIT_VALUES, LIMIT_TAG_VALUES, LIMIT_SERIES, LIMIT_TOTAL, LIMIT_ARRIVALS };

enum { LIMITS_MAX = 16 }; /* report.limit has as many */

struct limits {
	struct limit_rule { const char *source, *setting; enum limit_kind kind; uint64_t limit; } rule[LIMITS_MAX];
	size_t count;
};

void limits_parse(struct limits *, const char *text); /* NULL: the default; a mistake is a usage error */

/* Fills report->limit; the texts it makes are of must_alloc. */
void limits_apply(const struct limits *, struct report *, const struct series_arrivals *);

/* --fail-over: fills report->failed*, and says of each what is over it. */
void limits_fail_over(struct report *, uint64_t most);

/* The largest number of values of a tag in the metric, or of any member if it has no tag; NULL: it has neither. */
const struct report_tag *limits_worst_tag(const struct report_metric *);

#endif
