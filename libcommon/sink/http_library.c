/* http_library - libcurl, opened when the first request needs it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/http_private.h"

#include <dlfcn.h>

/* Never closed again: its TLS library may have left handlers for the exit behind. */
bool http_library_load(struct http_library *call, const char **why)
{
	static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so", "libcurl.4.dylib" };
	void *library = NULL;
	for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		*why = "libcurl.so.4 is not installed (Debian's package is libcurl4)";
		return false;
	}
#define CALL_LOAD(name) \
	if (!(call->name = (__typeof__(&name))dlsym(library, #name))) { \
		*why = "the installed libcurl is too old: it has no " #name; \
		return false; \
	}
	HTTP_CALLS(CALL_LOAD)
#undef CALL_LOAD
	return true;
}
