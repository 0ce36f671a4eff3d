/* map_builtin - the mapping for envelopes that no file says anything about. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "map_private.h"

/* Nothing in it can have an envelope refused: where a value comes from the envelope, ?= and * find it another place if its type does not fit. */
static const char TEXT[] =
	"# The mapping that is built in; as a file it does the same. The language: metlog-cef-map(5).\n"
	"\n"
	"vendor    = metlog\n"
	"product   = {logger|metlog}\n"
	"version   = 0.8\n"
	"signature = {fields.signature|{type|event}}\n"
	"name      = {line:payload|{line:fields.msg|{line:fields.message|{line:fields.name|{type|event}}}}}\n"
	"severity  = {severity}\n"
	"\n"
	"rt       ?= {timestamp}\n"
	"dvchost  ?= {metlog_hostname}\n"
	"dvcpid   ?= {metlog_pid}\n"
	"cat      ?= {type}\n"
	"cs1 logger = {logger}\n"
	"*         = {fields}\n"
	"omit      = {fields.cef_meta}                # says how the event is sent\n"
	"\n"
	"# Metrics: what is measured is the name, and the number has a custom key.\n"
	"event metric  type in (\"counter\", \"timer\", \"gauge\", \"set\", \"procinfo\")\n"
	"    name    = {line:fields.name|{type}}\n"
	"    * value = {payload}\n"
	"\n"
	"# The payload of raven's messages is compressed, and the DSN has a secret in it.\n"
	"event sentry  type == \"sentry\"\n"
	"    name  = {line:fields.msg|{line:fields.culprit|exception}}\n"
	"    msg  ?= {fields.msg}\n"
	"    omit  = {fields.dsn}\n"
	"\n"
	"# Log lines and requests. The names are those of Metlog's WSGI applications and of MozLog's request.summary.\n"
	"default\n"
	"    msg           ?= {payload|{fields.msg|{fields.message}}}\n"
	"    requestMethod ?= {fields.method}\n"
	"    request       ?= {fields.path|{fields.url|{fields.headers.path}}}\n"
	"    requestClientApplication ?= {fields.user_agent|{fields.agent|{fields.headers.User-Agent}}}\n"
	"    requestContext ?= {fields.referer|{fields.referrer}}\n"
	"    src           ?= {fields.remote|{fields.remote_addr|{fields.remote_ip|{fields.client_ip|{fields.ip}}}}}\n"
	"    dhost         ?= {fields.host|{fields.headers.host}}\n"
	"    suser         ?= {fields.user|{fields.username}}\n"
	"    suid          ?= {fields.uid|{fields.user_id|{fields.userid}}}\n"
	"    cn1 status    ?= {fields.status|{fields.code}}\n"
	"    in            ?= {fields.bytes_in}\n"
	"    out           ?= {fields.bytes_out}\n"
	"    app           ?= {fields.protocol}\n";

struct span map_builtin(void)
{
	return (struct span){ TEXT, sizeof TEXT - 1 };
}
