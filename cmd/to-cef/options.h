/* options - the command line of metlog-to-cef. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_OPTIONS_H
#define TO_CEF_OPTIONS_H

#include "filter/tool.h"
#include "io/endpoint.h"
#include "map.h"
#include "record.h"
#include "sink/syslog.h"
#include "sink/syslog_message.h"

enum { CEF_PID_MAX = 10 };

enum cef_target { CEF_TARGET_OUTPUT, CEF_TARGET_FILE, CEF_TARGET_SYSLOG };

struct cef_options {
	const char *to;               /* as it was given; "-" if it was not */
	enum cef_target target;
	struct endpoint file;         /* CEF_TARGET_FILE */
	struct syslog_options syslog; /* CEF_TARGET_SYSLOG: complete but for the strings, which are borrowed */
	enum syslog_header header;
	bool counted;                 /* an octet count stands before each message */
	int64_t max_bytes;            /* of a message, header included; 0: no limit */
	size_t host_most;             /* a longer host in the header is cut, and no header is longer than what rules.max_bytes leaves of max_bytes */
	int facility, priority;       /* -1: not given */
	const char *ident, *hostname; /* NULL: not given */
	bool ignore_meta;
	const char *map;              /* --map; NULL: the built-in mapping */
	struct map_options mapping;
	struct record_rules rules;
	bool parse, print_map, explain;
	const char *given_syslog, *given_stream, *given_tls, *given_header; /* the last option given that is only for these; NULL: none */
	const char *given_framing;
	bool header_given;
};

extern const struct argp_option cef_option_rows[];

void cef_options_init(struct cef_options *);
error_t cef_option_parse(int key, char *text, struct argp_state *); /* for tool_about.parse; the context is the options */
void cef_options_complete(struct cef_options *, const struct tool_options *); /* what they say together; a usage error if they do not agree */

#endif
