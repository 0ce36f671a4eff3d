/* structured_name - the members of fields that are not extension keys: what structured takes away, unfold must not give. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_STRUCTURED_NAME_H
#define TO_CEF_STRUCTURED_NAME_H

#include "base/span.h"

enum structured_name {
	STRUCTURED_SIGNATURE, STRUCTURED_NAME, STRUCTURED_SEVERITY, STRUCTURED_VENDOR, STRUCTURED_PRODUCT, STRUCTURED_VERSION,
	STRUCTURED_CEF_META, STRUCTURED_CEF_VERSION, STRUCTURED_EXTENSION, STRUCTURED_NAMES,
};

/* STRUCTURED_NAMES: it is none of them. By length first: it is asked for each field of each event. */
static inline enum structured_name structured_name_find(struct span key)
{
	switch (key.length) {
	case 4: return span_equal(key, SPAN("name")) ? STRUCTURED_NAME : STRUCTURED_NAMES;
	case 6: return span_equal(key, SPAN("vendor")) ? STRUCTURED_VENDOR : STRUCTURED_NAMES;
	case 7: return span_equal(key, SPAN("product")) ? STRUCTURED_PRODUCT : span_equal(key, SPAN("version")) ? STRUCTURED_VERSION : STRUCTURED_NAMES;
	case 8: return span_equal(key, SPAN("severity")) ? STRUCTURED_SEVERITY : span_equal(key, SPAN("cef_meta")) ? STRUCTURED_CEF_META : STRUCTURED_NAMES;
	case 9: return span_equal(key, SPAN("signature")) ? STRUCTURED_SIGNATURE : span_equal(key, SPAN("extension")) ? STRUCTURED_EXTENSION : STRUCTURED_NAMES;
	case 11: return span_equal(key, SPAN("cef_version")) ? STRUCTURED_CEF_VERSION : STRUCTURED_NAMES;
	default: return STRUCTURED_NAMES;
	}
}

#endif
