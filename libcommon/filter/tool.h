/* tool - what a program says of itself, its options (argp), and the options the family shares. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef FILTER_TOOL_H
#define FILTER_TOOL_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/endpoint.h"

/* Which shared options a tool has. -q -v -V --help belong to every tool. */
enum tool_uses {
	USES_INPUT = 1,     /* --rejects --max-line --strict --stats, FILE operands */
	USES_MATCH = 2,     /* -m/--match EXPR */
	USES_TIMES = 4,     /* -S/--since -U/--until */
	USES_ZONE = 8,      /* --tz */
	USES_DRY_RUN = 16,  /* -n/--dry-run */
	USES_OUTPUT = 32,   /* -u/--unbuffered */
	USES_COLOR = 64,    /* --color=auto|always|never */
	USES_ACCESS = 128,  /* --curve-secret --curve-clients --curve-server --insecure */
};

struct tool_about {
	const char *name;            /* "metlog-route" */
	const char *usage;           /* argp's args_doc: "[FILE...]" */
	const char *summary;         /* one sentence, as in the manual's NAME section */
	const char *examples;        /* lines printed at the end of --help, ready to paste */
	unsigned uses;               /* enum tool_uses */
	const struct argp_option *options; /* the tool's own, ended by { 0 }; keys of long-only options from TOOL_KEY on */
	error_t (*parse)(int key, char *arg, struct argp_state *); /* for its own options; state->input is `context`. ARGP_ERR_UNKNOWN for the rest */
};

enum { TOOL_KEY = 0x1000 }; /* first key for a tool's own long-only options; the shared ones are below it */

enum tool_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Who may talk to our endpoints, and to whom ours talk: see metlog-recv(1). Not given: NULL. */
struct tool_access {
	const char *curve_secret, *curve_clients, *curve_server;
	bool insecure;
};

struct tool_options {
	const char *match, *rejects, *stats;
	int64_t since, until;        /* nanoseconds; INT64_MIN and INT64_MAX when not given. Half-open: since <= t < until */
	uint64_t line_limit;         /* --max-line, 1 MiB by default */
	bool strict, dry_run, quiet, unbuffered;
	int verbose;
	enum tool_color color;
	struct tool_access access;
	char **operands;             /* FILE operands (or what `usage` says); count 0 = none */
	int operand_count;
};

/* Parses the command line. Wrong usage: a message, "Try 'metlog-x --help'", exit 64. --help and -V print to standard output and exit 0.
 * context is handed to about->parse. Calls diag_init. */
void tool_parse(const struct tool_about *, int argc, char **argv, struct tool_options *, void *context);

/* For use inside a parse function: "metlog-x: MESSAGE" and exit 64. */
_Noreturn void tool_usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for a mistake at a byte of an option's text, counted from 1: shows its line and points at it. */
_Noreturn void tool_usage_error_at(const char *option, const char *text, size_t column, const char *reason);
/* endpoint_parse of what an option names; without memory, which is no mistake in the option, it is the end (70). */
bool tool_endpoint(struct endpoint *, struct span text, const char **reason);
uint64_t tool_size(const char *option, const char *text);      /* bytes, or a usage error naming the option */
int64_t tool_duration(const char *option, const char *text);   /* nanoseconds */
int64_t tool_milliseconds(const char *option, const char *text);  /* the same, one at least */
int64_t tool_integer(const char *option, const char *text, int64_t least, int64_t most);
uint64_t tool_pace(const char *option, const char *text, const char *what); /* "500" or "500/s"; `what` is counted: "metrics" */

/* Whether to colour what goes to this descriptor: --color, else NO_COLOR, TERM=dumb and isatty. */
bool tool_colors(const struct tool_options *, int fd);

#endif
