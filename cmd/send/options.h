/* options - what metlog-send's command line asks for, checked. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SEND_OPTIONS_H
#define SEND_OPTIONS_H

#include "base/buffer.h"
#include "base/sample.h"
#include "filter/tool.h"
#include "io/endpoint.h"
#include "io/outlet.h"
#include "sink/spool.h"

enum { SEND_SEVERITY_UNSAID = -1 };

/* One --counter, --timer, --gauge or --set. A timer without a value is the one that times the command. */
struct send_metric {
	const char *type;
	struct span name, value; /* borrowed from the command line */
	bool timed;
};

struct send_options {
	const char *type, *logger, *hostname, *failure_type;
	int severity;               /* SEND_SEVERITY_UNSAID if not given */
	const char *timestamp;      /* as given; NULL: now */
	int64_t pid;                /* 0: our own */
	struct buffer fields, tags; /* insides of JSON objects: -f in their order, --tag in theirs */
	struct span *names;         /* of the fields given, to find repetitions */
	size_t name_count, tag_count, tag_capacity, name_capacity;
	struct span *tag_names;
	struct send_metric *metrics;
	size_t metric_count;
	bool has_rate;
	double rate;
	struct sample sample;
	bool json, as_is;
	const char *to;
	struct endpoint endpoint;   /* of `to` */
	struct outlet_options outlet;
	const char *spool;          /* directory that holds what goes to an ack: endpoint; NULL: none */
	struct spool_options spool_options;
	bool has_spool_options;
	char **payload;             /* the words of the payload */
	int payload_count;
	char **command;             /* what to run and time, ended by NULL; NULL: nothing */
};

/* Defaults; then tool_parse (by filter_open) fills it through send_about; then options_check, which dies with a usage error (64)
 * for what does not go together. */
void options_init(struct send_options *);
void options_check(struct send_options *, struct tool_options *);
void options_release(struct send_options *);

extern const struct tool_about send_about;

#endif
