/* structured_name - the members of fields that are not extension keys: what structured takes away, unfold must not give. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_STRUCTURED_NAME_H
#define TO_CEF_STRUCTURED_NAME_H

#include "base/span.h"

enum structured_name {
	STRUCTURED_SIGNATURE, STRUCTURED_NAME, STRUCTURED_SEVERITY, STRUCTURED_VENDOR, STRUCTURED_PRODUCT, STRUCTURED_VERSION,
	STRUCTURED_CEF_META, STRUCTURED_CEF_VERSION, STRUCTURED_EXTENSION, STRUCTURED_NAMES,
};

/* STRUCTURED_NAMES: it is none of them. */
static inline enum structured_name structured_name_find(struct span key)
{
	static const char *const names[] = { "signature", "name", "severity", "vendor", "product", "version", "cef_meta", "cef_version", "extension" };
	int i = STRUCTURED_NAMES;
	if (key.length >= 4 && key.length <= 11)
		for (i = 0; i < STRUCTURED_NAMES && !span_equal(key, span_of(names[i])); i++);
	return (enum structured_name)i;
}

#endif
