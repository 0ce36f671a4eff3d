/* mozlog_name - the names of MozLog's members and of an envelope's, and how those that the other has not are kept. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "envelope/mozlog_private.h"

static const struct span members[MOZLOG_MEMBERS] = {
	[MOZLOG_TIMESTAMP] = { "Timestamp", 9 }, [MOZLOG_TYPE] = { "Type", 4 }, [MOZLOG_LOGGER] = { "Logger", 6 }, [MOZLOG_HOSTNAME] = { "Hostname", 8 },
	[MOZLOG_ENV_VERSION] = { "EnvVersion", 10 }, [MOZLOG_SEVERITY] = { "Severity", 8 }, [MOZLOG_PID] = { "Pid", 3 }, [MOZLOG_FIELDS] = { "Fields", 6 },
};

static const struct span envelope_members[] = {
	{ "timestamp", 9 }, { "logger", 6 }, { "type", 4 }, { "severity", 8 }, { "payload", 7 }, { "fields", 6 }, { "env_version", 11 }, { "metlog_pid", 10 }, { "metlog_hostname", 15 },
};

struct span mozlog_member_name(enum mozlog_member member)
{
	return members[member];
}

static enum mozlog_member member_of_escaped(struct value key)
{
	int i = 0;
	while (i < MOZLOG_MEMBERS && !field_equals(key, members[i])) i++;
	return (enum mozlog_member)i;
}

static inline enum mozlog_member one_of(struct span name, enum mozlog_member member)
{
	return memcmp(name.data, members[member].data, members[member].length) == 0 ? member : MOZLOG_MEMBERS;
}

enum mozlog_member mozlog_member_of(struct value key)
{
	if (key.escaped) return member_of_escaped(key);
	switch (key.text.length) {
	case 3: return one_of(key.text, MOZLOG_PID);
	case 4: return one_of(key.text, MOZLOG_TYPE);
	case 6: return one_of(key.text, key.text.data[0] == 'L' ? MOZLOG_LOGGER : MOZLOG_FIELDS);
	case 8: return one_of(key.text, key.text.data[0] == 'S' ? MOZLOG_SEVERITY : MOZLOG_HOSTNAME);
	case 9: return one_of(key.text, MOZLOG_TIMESTAMP);
	case 10: return one_of(key.text, MOZLOG_ENV_VERSION);
	default: return MOZLOG_MEMBERS;
	}
}

bool mozlog_is_of_envelope(struct value key)
{
	for (size_t i = 0; i < sizeof envelope_members / sizeof *envelope_members; i++)
		if (field_equals(key, envelope_members[i])) return true;
	return false;
}

static bool take_prefix(struct value *key, struct span prefix)
{
	if (!span_starts(key->text, prefix)) return false;
	key->text.data += prefix.length;
	key->text.length -= prefix.length;
	return true;
}

/* metlog_X is a member X of an envelope, unless no envelope can have come by it: X is one of the nine, or what a member of MozLog's own would be called there. */
bool mozlog_is_own(struct value key)
{
	do
		if (!take_prefix(&key, SPAN(MOZLOG_PREFIX)) || mozlog_is_of_envelope(key)) return true;
	while (take_prefix(&key, SPAN(MOZLOG_KEPT)));
	return false;
}

enum mozlog_member mozlog_kept_member(struct value key)
{
	return take_prefix(&key, SPAN(MOZLOG_KEPT)) ? mozlog_member_of(key) : MOZLOG_MEMBERS;
}

bool mozlog_is_displaced(struct span key)
{
	const struct span before = SPAN("fields.");
	if (!mozlog_is_msg(key) || (key.length - 3) % before.length != 0) return false;
	for (; key.length > 3; key.data += before.length, key.length -= before.length)
		if (!span_starts(key, before)) return false;
	return true;
}

static bool is_label(struct span label)
{
	if (label.length == 0 || label.length > 63 || label.data[0] == '-' || label.data[label.length - 1] == '-') return false;
	for (size_t i = 0; i < label.length; i++) {
		unsigned char c = (unsigned char)label.data[i], letter = (unsigned char)((c | 0x20) - 'a');
		if (c != '-' && letter > 25 && (unsigned char)(c - '0') > 9) return false;
	}
	return true;
}

bool mozlog_is_host_name(struct value v)
{
	struct span rest = v.text;
	if (v.kind != VALUE_STRING || rest.length > 253) return false;
	for (;;) {
		const char *dot = rest.length ? memchr(rest.data, '.', rest.length) : NULL;
		if (!is_label(dot ? span_between(rest.data, dot) : rest)) return false;
		if (!dot) return true;
		rest = span_between(dot + 1, rest.data + rest.length);
	}
}

static bool is_digits(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)(text.data[i] - '0') > 9) return false;
	return text.length > 0;
}

bool mozlog_is_pid(struct value v)
{
	return v.kind == VALUE_NUMBER && is_digits(v.text);
}

bool mozlog_is_version(struct value v)
{
	struct span rest = v.text;
	if (v.kind != VALUE_STRING || span_equal(rest, SPAN("2.0"))) return false;
	for (int parts = 1; parts <= 3; parts++) {
		const char *dot = rest.length ? memchr(rest.data, '.', rest.length) : NULL;
		if (!is_digits(dot ? span_between(rest.data, dot) : rest)) return false;
		if (!dot) return true;
		rest = span_between(dot + 1, rest.data + rest.length);
	}
	return false;
}

static bool holds(struct span line, struct span name)
{
	return line.length && memmem(line.data, line.length, name.data, name.length);
}

bool mozlog_is_likely(struct span line)
{
	return holds(line, SPAN("\"Timestamp\"")) && (holds(line, SPAN("\"EnvVersion\"")) || holds(line, SPAN("\"Fields\"")));
}
