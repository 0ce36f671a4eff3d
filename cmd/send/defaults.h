/* defaults - what a client's configuration file says, where the command line says nothing. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef SEND_DEFAULTS_H
#define SEND_DEFAULTS_H

#include "options.h"

/* Reads the file, metlog-client(5), and fills in what was not given. The endpoint comes with its keys, and with them goes: those of the file are not used for one
 * that the command line names. Dies (66, 78) where the file cannot be read or says what cannot be. The options borrow its texts until options_release. */
void defaults_take(struct send_options *, struct tool_options *, const char *path);

#endif
