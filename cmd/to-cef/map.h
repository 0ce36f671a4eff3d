/* map - which event an envelope is, and what it says: the file of --map, and the mapping that is built in. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_CEF_MAP_H
#define TO_CEF_MAP_H

#include "envelope/envelope.h"
#include "record.h"

/* A plain text file (metlog-cef-map(5) tells it at length); # begins a comment (at the start of a line or behind a blank, not inside quotes, an expression's strings and patterns, or braces). A line that ends in '\' goes on.
 *
 *     vendor  = Mozilla                       before the first event: for all events that do not say it themselves, the built-in mapping's too
 *     product = {logger}
 *
 *     event refused-login  type == "auth" && fields.result != "ok"
 *         signature = auth-{fields.result}
 *         name      = Login refused
 *         severity  = 7                       0 to 10, a word of CEF, or {path}; {severity} is the envelope's, by the table
 *         src       = {fields.ip}
 *         suser     = {fields.user|{fields.uid|none}}
 *         cs1 realm = {fields.realm}          a custom key has its label between the key and the =; it is quoted if it has blanks: cs1 "the realm" = ...
 *         spt      ?= {fields.port}           ?=: a value that is not of the key's type goes to a free custom key, labelled as here or by the key; with = the event is refused (or as record_rules say)
 *         * tries   = {fields.tries}          to a free custom key that its type fits
 *         rt        = {timestamp}
 *         *         = {fields}                every member of that object that no other row has shown whole: to the key of its name if the dictionary has it and its type fits, else into a free custom key;
 *                                             what finds no place is JSON text in the last free cs, labelled "more fields", cut if need be
 *         omit      = {fields.password}       members of fields that * leaves out; all rows omit hold, inherited ones too
 *     drop     type == "heartbeat"            not sent, and booked as dropped
 *     default                                 what no event takes; without it that is the built-in mapping. `default drop`: not sent
 *
 * The first event (or drop) whose expression matches is the one. Rows are vendor product version signature name severity, *, omit, and keys of the dictionary (long names, too), each key once.
 * A value is text with {path} in it, {path|default} for one that is absent, null or empty, {line:path} for its first line that is not blank (at most 128 characters; an object or array has none), {{ and }} for braces.
 * A default is a value itself, so {fields.a|{fields.b|none}}. A value may be in double quotes: "a # b"; inside, \" and \\ are a quote and a backslash.
 * A row whose value is blank is left out with its label. Objects and arrays are their JSON text; those without members are empty.
 * vendor, product, signature, name: what is missing there, or empty, comes from the built-in mapping's row; so do a missing version and severity.
 * ?= and * come after all other rows, whatever their place, so a custom key that a row names is never taken from it. * does not set custom keys, their labels, consumers' keys and `type` by the name of a field. */

enum { MAP_EVENTS_MAX = 1024, MAP_ROWS_MAX = 128, MAP_BYTES_MAX = 1024 * 1024 };

struct map_options {
	const char *vendor, *product, *device_version; /* --vendor, ...: in place of the built-in mapping's; NULL: those */
	unsigned char severity[8];                     /* CEF's for the envelope's 0..7 */
};

struct map;
/* NULL: `fault` is filled ("unknown key \"srcc\"; did you mean src?"), line and column counted from 1. `text` is the whole file; NULL data is the built-in mapping alone. The options are copied. */
struct map_fault { char reason[200]; size_t line, column; };
struct map *map_new(struct span text, const struct map_options *, struct map_fault *);
void map_free(struct map *);
struct span map_builtin(void);                     /* the text of the built-in mapping, as a file that does the same */

/* Puts the event of the envelope into the record, begin to last value. *why then: NULL, or why it is refused. MAP_DROPPED: by a rule of the file. */
enum map_verdict { MAP_MADE, MAP_DROPPED, MAP_REFUSED };
enum map_verdict map_apply(struct map *, const struct envelope *, struct record *, const char **why);
const char *map_event(const struct map *);         /* the name of the event that the last envelope was (a drop's is "drop"): "refused-login", "default", "built-in" */

#endif
