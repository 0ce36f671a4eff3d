/* spool_tool - the options of a spool's writer, the same in every tool that writes one. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SINK_SPOOL_TOOL_H
#define SINK_SPOOL_TOOL_H

#include "filter/tool.h"
#include "sink/spool.h"

/* Rows for tool_about.options, under the heading that the tool gives them; keys from SPOOL_TOOL_KEY on. */
enum { SPOOL_TOOL_KEY = TOOL_KEY + 0x200, SPOOL_TOOL_OPTIONS = 10 };

#define SPOOL_TOOL_ROWS(group) \
	{ "sync", SPOOL_TOOL_KEY, "HOW", 0, "Synchronise a batch (default), each envelope, or none", group }, \
	{ "sync-bytes", SPOOL_TOOL_KEY + 1, "SIZE", 0, "Of a batch: at the latest after SIZE (default 1Mi)", group }, \
	{ "sync-interval", SPOOL_TOOL_KEY + 2, "DURATION", 0, "Of a batch: at the latest after DURATION (default 50ms)", group }, \
	{ "segment-bytes", SPOOL_TOOL_KEY + 3, "SIZE", 0, "Seal a segment once it holds SIZE (default 16Mi)", group }, \
	{ "segment-age", SPOOL_TOOL_KEY + 4, "DURATION", 0, "Seal a segment this long after its first envelope (default 10s; 0 is never)", group }, \
	{ "max-bytes", SPOOL_TOOL_KEY + 5, "SIZE", 0, "The spool is full once it holds SIZE (default no limit)", group }, \
	{ "max-age", SPOOL_TOOL_KEY + 6, "DURATION", 0, "The spool is full once its oldest segment is so old (default no limit)", group }, \
	{ "reserve", SPOOL_TOOL_KEY + 7, "SIZE", 0, "The spool is full when less than SIZE is free on its filesystem (default 1Mi)", group }, \
	{ "when-full", SPOOL_TOOL_KEY + 8, "WHAT", 0, "When it is full: block (default) and wait, fail with status 74, or drop-oldest", group }, \
	{ "compress", SPOOL_TOOL_KEY + 9, "HOW", 0, "Compress sealed segments: none (default) or zstd", group }

/* Takes one of these options; a usage error (64) for a wrong value. False: the key is none of them. */
bool spool_tool_parse(int key, const char *arg, struct spool_options *);

#endif
