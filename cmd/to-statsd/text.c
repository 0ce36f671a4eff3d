/* text - one table look-up a byte. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "text.h"

void text_map_init(struct text_map *map, const char *unsafe, bool utf8)
{
	for (unsigned c = 0; c < 256; c++) {
		if (c <= ' ' || c == 0x7f) map->step[c] = '_';
		else if (c < 0x80) map->step[c] = strchr(unsafe, (int)c) ? '_' : (unsigned char)c;
		else if (utf8) map->step[c] = (unsigned char)c;
		else map->step[c] = c < 0xc0 ? STEP_DROP : '_';
	}
}

char *text_put_name(char *out, const char *start, struct span raw, const struct text_map *map)
{
	const unsigned char *p = (const unsigned char *)raw.data, *end = p + raw.length;
	while (p < end) {
		unsigned char c = map->step[*p++];
		if (c == STEP_COLON) {
			if (p < end && *p == ':') p++, c = '.';
			else c = '_';
		}
		if (c == STEP_DROP || (c == '.' && (out == start || out[-1] == '.'))) continue;
		*out++ = (char)c;
	}
	return out;
}

char *text_put(char *out, struct span raw, const struct text_map *map)
{
	const unsigned char *p = (const unsigned char *)raw.data, *end = p + raw.length;
	while (p < end) {
		unsigned char c = map->step[*p++];
		if (c == STEP_DROP) continue;
		*out++ = (char)c;
	}
	return out;
}

char *text_put_member(char *out, struct span raw)
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *p = (const unsigned char *)raw.data, *end = p + raw.length;
	for (; p < end; p++) {
		if (*p >= 0x80) {
			*out++ = '%';
			*out++ = digits[*p >> 4];
			*out++ = digits[*p & 15];
		} else {
			bool unsafe = *p <= ' ' || *p == 0x7f || *p == ':' || *p == '|';
			*out++ = unsafe ? '_' : (char)*p;
		}
	}
	return out;
}

/* What every JavaScript object answers to. */
static const char *const traps[] = {
	"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
	"__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__",
};

bool text_is_trap(struct span name)
{
	char kept[24];
	size_t length = 0;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];
		bool is_kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
		if (c == '.' || c == '-' || c == '/' || c == ';' || c == '=' || (is_kept && length == sizeof kept)) return false;
		if (is_kept) kept[length++] = c;
	}
	for (size_t i = 0; i < sizeof traps / sizeof *traps; i++)
		if (span_equal((struct span){ kept, length }, span_of(traps[i]))) return true;
	return false;
}
