/* diag - messages for people on standard error, and leaving with an exit status. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

/* The program's voice is one for the process: its name and how much it says. */
static struct {
	const char *program;
	bool quiet, has_status;
	int verbose;
} voice = { .program = "metlog" };

void diag_init(const char *program)
{
	voice.program = program;
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
			/* Opened the wrong way round, so that its use is an error and not silence. */
			int opened = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
			if (opened >= 0 && opened != fd) close(opened);
		}
}

const char *diag_program(void)
{
	return voice.program;
}

void diag_set_quiet(bool quiet)
{
	voice.quiet = quiet;
}

void diag_set_verbose(int level)
{
	voice.verbose = level;
}

__attribute__((format(printf, 1, 0)))
static void say(const char *format, va_list arguments, const char *because)
{
	int saved = errno;
	char message[8192];
	struct buffer line;
	buffer_init(&line, 64 * 1024);
	vsnprintf(message, sizeof message, format, arguments);
	if (voice.has_status) diag_status("");
	buffer_append_text(&line, voice.program);
	buffer_append(&line, ": ", 2);
	/* Newlines of our own are kept (a caret under an expression); whatever came from input was escaped with %s by the caller or is here. */
	struct span rest = span_of(message);
	while (rest.length) {
		const char *newline = memchr(rest.data, '\n', rest.length);
		size_t length = newline ? (size_t)(newline - rest.data) : rest.length;
		text_append_visible(&line, (struct span){ rest.data, length });
		if (newline) buffer_append_byte(&line, '\n'), length++;
		rest.data += length, rest.length -= length;
	}
	if (because) buffer_append(&line, ": ", 2), text_append_visible(&line, span_of(because));
	buffer_append_byte(&line, '\n');
	if (write(STDERR_FILENO, line.data, line.length) < 0) { /* nobody to tell */ }
	buffer_release(&line);
	errno = saved;
}

void diag_status(const char *text)
{
	char line[96];
	if (!*text && !voice.has_status) return;
	int length = snprintf(line, sizeof line, "\r\033[K%.79s", text);
	voice.has_status = *text;
	if (write(STDERR_FILENO, line, (size_t)length) < 0) { /* nobody to show it to */ }
}

void diag_error(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(format, arguments, NULL);
	va_end(arguments);
}

void diag_error_at(const char *source, size_t number, size_t column, const char *reason, struct span line)
{
	enum { WINDOW = 100, BEFORE = 60 };
	char shown[WINDOW + 1], caret[WINDOW + 1];
	size_t from = column > BEFORE ? column - BEFORE : 0, length = 0;
	for (size_t i = from; i < line.length && length < WINDOW; i++, length++) {
		unsigned char c = (unsigned char)line.data[i];
		shown[length] = c < 0x20 || c == 0x7f ? ' ' : (char)c; /* tabs as blanks, so that the caret stands right */
	}
	size_t blanks = 0;
	for (size_t i = from; i < column && i < line.length; i++)
		if (((unsigned char)line.data[i] & 0xC0) != 0x80) blanks++; /* a character of UTF-8 is one column */
	memset(caret, ' ', blanks);
	diag_error("%s:%zu:%zu: %s\n    %.*s\n    %.*s^", source, number, column + 1, reason, (int)length, shown, (int)blanks, caret);
}

void diag_warn(const char *format, ...)
{
	va_list arguments;
	if (voice.quiet) return;
	va_start(arguments, format);
	say(format, arguments, NULL);
	va_end(arguments);
}

void diag_note(int level, const char *format, ...)
{
	va_list arguments;
	if (voice.verbose < level) return;
	va_start(arguments, format);
	say(format, arguments, NULL);
	va_end(arguments);
}

void diag_say(void *unused, bool is_warning, const char *text)
{
	(void)unused;
	if (is_warning) diag_warn("%s", text);
	else diag_note(1, "%s", text);
}

void die(enum diag_exit status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(format, arguments, NULL);
	va_end(arguments);
	exit((int)status);
}

void die_errno(enum diag_exit status, const char *format, ...)
{
	va_list arguments;
	const char *because = strerror(errno);
	va_start(arguments, format);
	say(format, arguments, because);
	va_end(arguments);
	exit((int)status);
}

void die_fault(const struct fault *fault)
{
	die(fault->status, "%s", fault->text);
}

void *must_alloc(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);
	if (!memory) die(EXIT_INTERNAL, "no memory for %zu bytes", bytes);
	return memory;
}

void *must_resize(void *old, size_t bytes)
{
	void *memory = realloc(old, bytes ? bytes : 1);
	if (!memory) die(EXIT_INTERNAL, "no memory for %zu bytes", bytes);
	return memory;
}

char *must_copy(struct span text)
{
	char *copy = must_alloc(text.length + 1);
	if (text.length) memcpy(copy, text.data, text.length);
	return copy;
}
