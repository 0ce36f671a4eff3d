/* config_open - opens a client by a file. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <pthread.h>
#include <stdio.h>

#include "client/config.h"
#include "client/options.h"

static struct metlog *open_by(const struct config *c, const char *path, struct fault *fault)
{
	if (!c->endpoint || !c->endpoint[0]) {
		fault_set(fault, EXIT_CONFIGURATION, "%s: [metlog] has no endpoint", path);
		return NULL;
	}
	struct metlog_fault why;
	struct metlog *client = metlog_open(c->endpoint, &c->options, &why);
	if (client) return client;
	fault_set(fault, (enum diag_exit)why.status, "%s: %s", path, why.text);
	return NULL;
}

static struct metlog *open_given(const char *path, const struct metlog_options *options, struct metlog_fault *to)
{
	struct config config = { 0 };
	struct metlog_options given;
	struct metlog *client = NULL;
	struct fault fault;
	metlog_options_init(&given, sizeof given);
	if (options && !options_copy(&given, sizeof given, options)) fault_set(&fault, EXIT_CONFIGURATION, "the options ask for what libmetlog " METLOG_VERSION " does not have");
	else if (config_read_file(&config, path, &fault)) {
		config_override(&config, &given);
		client = open_by(&config, path, &fault);
	}
	config_release(&config);
	if (client || !to) return client;
	to->status = (int)fault.status;
	snprintf(to->text, sizeof to->text, "%.*s", (int)sizeof to->text - 1, fault.text);
	return NULL;
}

struct metlog *metlog_open_config(const char *path, const struct metlog_options *options, struct metlog_fault *to)
{
	int cancels;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
	struct metlog *client = open_given(path, options, to);
	pthread_setcancelstate(cancels, NULL);
	return client;
}
