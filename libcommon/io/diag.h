/* diag - messages for people on standard error, and leaving with an exit status. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef IO_DIAG_H
#define IO_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include "base/fault.h"
#include "base/span.h"

/* Names the program for every message ("metlog-route"). Called first in main, before any other. Also makes sure that
 * descriptors 0, 1 and 2 are open, so that no file or socket of ours can land there. */
void diag_init(const char *program);
const char *diag_program(void);
void diag_set_quiet(bool quiet);  /* -q: warnings are not printed (errors are) */
void diag_set_verbose(int level); /* -v, -vv */

/* Each prints one line "metlog-NAME: MESSAGE" with one write(2); everything is made safe for a terminal after formatting.
 * errno is kept. */
void diag_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A mistake in a file of rules: "SOURCE:NUMBER:COLUMN: REASON", the line, through a window, and a caret below the byte at `column`, counted from 0 here. */
void diag_error_at(const char *source, size_t number, size_t column, const char *reason, struct span line);
void diag_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void diag_note(int level, const char *format, ...) __attribute__((format(printf, 2, 3))); /* shown with -v (level 1), -vv (2) */

/* What a transport has to say while it works (outlet_options.say): diag_warn, or diag_note from -v on. */
void diag_say(void *unused, bool is_warning, const char *text);

/* A line on the terminal that changes in place: shows `text`, at most its first 79 bytes; the next message or status takes its place,
 * "" takes it away. Only for a standard error that is a terminal. */
void diag_status(const char *text);

/* diag_error, then exit(status). Output buffers are not flushed: say what was lost if it matters. */
_Noreturn void die(enum diag_exit status, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void die_fault(const struct fault *); /* with its status and its text */
_Noreturn void die_errno(enum diag_exit status, const char *format, ...) __attribute__((format(printf, 2, 3))); /* appends ": strerror" */

/* Memory or death (70). */
void *must_alloc(size_t bytes);              /* zeroed */
void *must_resize(void *old, size_t bytes);
char *must_copy(struct span text);           /* NUL-terminated */

#endif
