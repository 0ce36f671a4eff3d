/* defaults - what a client's configuration file says, where the command line says nothing. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "defaults.h"

#include "io/diag.h"

static const char *or_else(const char *given, const char *otherwise)
{
	return given ? given : otherwise;
}

static void take_endpoint(struct send_options *o, struct tool_options *tool, const char *path)
{
	const struct config *c = &o->config;
	const char *reason;
	if (o->to || !c->endpoint || !c->endpoint[0]) return;
	if (!options_take_endpoint(o, c->endpoint, &reason)) die(EXIT_CONFIGURATION, "%s: endpoint: '%s': %s", path, c->endpoint, reason);
	tool->access.curve_secret = or_else(tool->access.curve_secret, c->options.curve_secret);
	tool->access.curve_server = or_else(tool->access.curve_server, c->options.curve_server);
	if (c->options.insecure) tool->access.insecure = true;
}

static void take_rules(struct send_options *o, const char *path)
{
	struct metlog_fault fault;
	rules_release(&o->rules);
	if (!rules_init(&o->rules, &o->config.options, &fault)) die((enum diag_exit)fault.status, "%s: %s", path, fault.text);
}

void defaults_take(struct send_options *o, struct tool_options *tool, const char *path)
{
	struct fault fault;
	const struct metlog_options *from = &o->config.options;
	if (!config_read_file(&o->config, path, &fault)) die_fault(&fault);
	o->logger = or_else(o->logger, from->logger);
	o->hostname = or_else(o->hostname, from->hostname);
	if (from->severity != METLOG_SEVERITY_DEFAULT) o->severity_default = from->severity;
	if (!o->has_timeout && from->close_ms) o->outlet.timeout_ms = from->close_ms;
	if (from->line_bytes && from->line_bytes < tool->line_limit) tool->line_limit = from->line_bytes;
	take_endpoint(o, tool, path);
	take_rules(o, path);
}
