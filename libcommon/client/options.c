/* options - structs of an application that was compiled with an older or a newer header than this library. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "client/options.h"

#include <string.h>

#include "client/metlog.h"

bool options_copy(void *own, size_t own_size, const void *given)
{
	size_t size;
	memcpy(&size, given, sizeof size);
	if (size < sizeof size) return false;
	for (size_t i = own_size; i < size; i++)
		if (((const char *)given)[i]) return false;
	memcpy(own, given, size < own_size ? size : own_size);
	memcpy(own, &own_size, sizeof own_size);
	return true;
}

const char *metlog_version(void)
{
	return METLOG_VERSION;
}

/* Here, so that who reads a file with options needs no more of a client. */
void metlog_options_init(struct metlog_options *options, size_t size)
{
	struct metlog_options defaults = { .size = size, .severity = METLOG_SEVERITY_DEFAULT, .severity_max = METLOG_SEVERITY_DEFAULT };
	memset(options, 0, size);
	memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
}
