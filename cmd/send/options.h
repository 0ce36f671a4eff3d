/* options - what metlog-send's command line asks for, checked. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SEND_OPTIONS_H
#define SEND_OPTIONS_H

#include "base/sample.h"
#include "client/config.h"
#include "client/rules.h"
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
	int severity;               /* SEND_SEVERITY_UNSAID if not given; then */
	int severity_default;       /* of messages and metrics */
	const char *timestamp;      /* as given; NULL: now */
	int64_t pid;                /* 0: our own */
	struct metlog_field *fields;/* of -f and --tag, in their order */
	size_t field_count, field_capacity, tag_count;
	struct send_metric *metrics;
	size_t metric_count;
	bool has_rate;
	double rate;
	struct sample sample;
	const char *config_path;    /* NULL: no file was named */
	struct config config;       /* what it says */
	struct rules rules;         /* what it leaves out */
	bool json, as_is;
	const char *to;
	struct endpoint endpoint;   /* of `to` */
	struct outlet_options outlet;
	bool has_timeout;
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

/* Sets where to. False, with the reason (static text): that is nowhere, or nothing to send to. */
bool options_take_endpoint(struct send_options *, const char *text, const char **reason);

extern const struct tool_about send_about;

#endif
