/* options - what the command line of metlog-to-mozlog says. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_MOZLOG_OPTIONS_H
#define TO_MOZLOG_OPTIONS_H

#include <stdbool.h>
#include "filter/tool.h"

enum mozlog_form { MOZLOG_FORM_LINES, MOZLOG_FORM_FLAT, MOZLOG_FORM_RECORD };

struct to_mozlog_options {
	enum mozlog_form form;   /* --flatten */
	bool schema;             /* --bigquery-schema: print it at the end, and no lines; of MOZLOG_FORM_RECORD unless --flatten says otherwise */
	const char *columns;     /* --columns: a file with such a schema; NULL if not given */
	bool plain;              /* --plain */
	bool stamps;             /* --no-timestamp=now */
};

extern const struct argp_option to_mozlog_option_rows[];
error_t to_mozlog_option_parse(int key, char *arg, struct argp_state *); /* into a struct to_mozlog_options, zeroed */

#endif
