/* verbs - what the parts of metlog-spool share: the options of all verbs, and one function a verb. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SPOOL_VERBS_H
#define SPOOL_VERBS_H

#include "filter/filter.h"
#include "sink/spool.h"

struct verb_options {
	const char *dir;
	char **command;               /* drain: behind "--", ended by NULL, with one word at least */

	struct spool_options spool;   /* write */
	bool tee;

	bool once, retry_failed;      /* drain */
	int64_t attempts;             /* of a segment, before it goes to failed/ */
	int64_t parallel;             /* commands at once */
	int64_t keep_ms;              /* how long delivered segments are kept; 0: not at all; INT64_MAX: for ever */
	int64_t backoff_max_ms;
	int64_t grace_ms;             /* after a stop signal, how long a command may go on */

	bool failed, delivered;       /* cat: these segments */
	bool follow;                  /* cat; drain follows unless `once` */

	double speed;                 /* replay: 1 is real time; 0: as fast as it goes */
	int64_t max_gap_ms;           /* longest pause; INT64_MAX: no limit */

	bool json, verify;            /* status */
	int64_t age_limit_ms;         /* exit 1 if the oldest segment is older; INT64_MAX: no limit */
	uint64_t bytes_limit;         /* exit 1 if the spool holds more; UINT64_MAX: no limit */
};

/* Each is the rest of main: the filter is open (options read, SIGTERM, SIGINT and SIGUSR1 handled), and what is returned is the exit status.
 * write, cat and replay read their envelopes by the filter; drain and status use its options (filter->options) only. */
int write_run(struct filter *, const struct verb_options *);
int drain_run(struct filter *, const struct verb_options *);
int status_run(struct filter *, const struct verb_options *);
int cat_run(struct filter *, const struct verb_options *);
int replay_run(struct filter *, const struct verb_options *);

#endif
