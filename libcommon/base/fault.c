/* fault - why something could not be done, for a caller that decides what becomes of it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 0)))
static size_t write_text(struct fault *f, const char *format, va_list arguments)
{
	int length = vsnprintf(f->text, sizeof f->text, format, arguments);
	if (length < 0) f->text[length = 0] = '\0';
	return (size_t)length < sizeof f->text ? (size_t)length : sizeof f->text - 1;
}

bool fault_set(struct fault *f, enum diag_exit status, const char *format, ...)
{
	va_list arguments;
	f->status = status;
	va_start(arguments, format);
	write_text(f, format, arguments);
	va_end(arguments);
	return false;
}

bool fault_set_errno(struct fault *f, enum diag_exit status, const char *format, ...)
{
	va_list arguments;
	int error = errno;
	f->status = status;
	va_start(arguments, format);
	size_t length = write_text(f, format, arguments);
	va_end(arguments);
	snprintf(f->text + length, sizeof f->text - length, ": %s", strerror(error));
	errno = error;
	return false;
}
