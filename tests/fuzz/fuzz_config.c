/* fuzz_config - whatever a client's configuration file is, it is read or refused with its name; what is read makes rules, or says why not. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "client/config.h"
#include "client/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const char *const *list)
{
	for (; list && *list; list++)
		if (!**list || strpbrk(*list, " \t\r\n")) abort();
}

static void check(const struct config *c)
{
	const struct metlog_options *o = &c->options;
	struct rules rules;
	struct metlog_fault fault;
	check_list(o->disabled_timers);
	check_list(o->types_allowed);
	check_list(o->types_denied);
	check_list(o->type_severities);
	if (o->severity < METLOG_SEVERITY_DEFAULT || o->severity > METLOG_DEBUG || o->close_ms < 0) abort();
	if (!rules_init(&rules, o, &fault)) abort(); /* what is wrong for them was said with its line */
	for (const char *const *type = o->types_denied; type && *type; type++)
		if (rules_pass(&rules, span_of(*type), 0)) abort();
	rules_release(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config;
	struct fault fault;
	char *text = malloc(size + 1); /* exactly as long as it is, and gone before what was read is used */
	if (!text) return 0;
	memcpy(text, data, size);
	bool good = config_read(&config, (struct span){ text, size }, "FILE", &fault);
	free(text);
	if (good) check(&config);
	else if (strncmp(fault.text, "FILE:", 5) != 0 || fault.status != EXIT_CONFIGURATION) abort();
	config_release(&config);
	return 0;
}
