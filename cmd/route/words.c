/* words - reads what stands behind a destination, by a table of who may have which. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include "base/buffer.h"
#include "base/number.h"
#include "io/diag.h"
#include "words.h"

enum { BUFFER_LEAST = 4096, BUFFER_MOST = 1024 * 1024 * 1024, ACCESS_MAX = DESTINATION_ACCESS_WORDS * (DESTINATION_ACCESS_MAX + 1) };

enum { WORDS_ANY = 63, BUFFERED = WORDS_PLAIN | WORDS_COMMAND | WORDS_SOCKET | WORDS_ZEROMQ | WORDS_ACK,
	GUARDED = WORDS_ZEROMQ | WORDS_ACK, OVERFLOWING = WORDS_COMMAND | WORDS_SOCKET | WORDS_ZEROMQ, SPOOLING = OVERFLOWING | WORDS_SPOOL };

enum { ROW_FULL, ROW_SPOOL = 6, ROW_SPOOL_OPTION, ROW_WHEN_FULL = ROW_SPOOL_OPTION + 8, ROW_COUNT = ROW_SPOOL_OPTION + 10 };

struct words {
	struct destination *destination;
	struct destination_fault *fault;
	struct span whole;
	enum words_behind behind;
	struct buffer access;
	const char *at[ROW_COUNT]; /* where the word of each row stands */
};

static bool take_full(struct words *w, struct span word, struct span value)
{
	struct destination *d = w->destination;
	(void)word;
	if (span_equal(value, SPAN("block"))) d->full = FULL_BLOCK;
	else if (span_equal(value, SPAN("drop"))) d->full = FULL_DROP;
	else if (w->behind & OVERFLOWING && span_equal(value, SPAN("spool"))) d->full = FULL_SPOOL;
	else if (w->behind & OVERFLOWING) return destination_fault_at(w->fault, w->whole, value.data, "full= is block, drop or spool");
	else if (w->behind == WORDS_ACK && span_equal(value, SPAN("spool")))
		return destination_fault_at(w->fault, w->whole, value.data, "ack: keeps a spool itself: say spool=DIR alone");
	else return destination_fault_at(w->fault, w->whole, value.data, "full= is block or drop (spool is for commands and endpoints)");
	return true;
}

static bool take_buffer(struct words *w, struct span word, struct span value)
{
	uint64_t bytes;
	(void)word;
	if (!number_parse_size(value, &bytes) || bytes < BUFFER_LEAST || bytes > BUFFER_MOST)
		return destination_fault_at(w->fault, w->whole, value.data, "buffer= is a size from 4Ki to 1Gi, such as 64Ki or 4Mi");
	w->destination->buffer_bytes = (size_t)bytes;
	return true;
}

/* An option of metlog-send, handed on as it is. */
static bool take_access(struct words *w, struct span word, struct span value)
{
	if (value.data && value.length == 0) return destination_fault_at(w->fault, w->whole, value.data, "a value is missing");
	if (w->access.length) buffer_append_byte(&w->access, ' ');
	return (word.length <= DESTINATION_ACCESS_MAX && buffer_append_span(&w->access, word)) || destination_fault_at(w->fault, w->whole, word.data, "too much of this");
}

static bool take_spool(struct words *w, struct span word, struct span value)
{
	if (value.length == 0) return destination_fault_at(w->fault, w->whole, value.data, "a folder is missing: spool=DIR");
	if (w->behind == WORDS_ACK) return take_access(w, word, value);
	w->destination->spool = destination_copy_folder(value);
	return true;
}

static bool take_spool_option(struct words *w, struct span word, struct span value)
{
	const char *reason = NULL;
	struct span name = { word.data, word.length - value.length - 1 };
	if (spool_option(&w->destination->spool_options, name, value, &reason)) return true;
	return destination_fault_at(w->fault, w->whole, value.data, "%.*s: %s", (int)name.length, name.data, reason ? reason : "it is not known");
}

static const struct word {
	const char *name;          /* with '=' if it has a value */
	unsigned behind;
	bool (*take)(struct words *, struct span word, struct span value);
} rows[ROW_COUNT] = {
	[ROW_FULL] = { "full=", BUFFERED, take_full },
	{ "buffer=", BUFFERED, take_buffer },
	{ "insecure", GUARDED, take_access },
	{ "curve-secret=", GUARDED, take_access },
	{ "curve-clients=", GUARDED, take_access },
	{ "curve-server=", GUARDED, take_access },
	[ROW_SPOOL] = { "spool=", OVERFLOWING | WORDS_ACK, take_spool },
	[ROW_SPOOL_OPTION] = { "sync=", SPOOLING, take_spool_option },
	{ "sync-bytes=", SPOOLING, take_spool_option },
	{ "sync-interval=", SPOOLING, take_spool_option },
	{ "segment-bytes=", SPOOLING, take_spool_option },
	{ "segment-age=", SPOOLING, take_spool_option },
	{ "max-bytes=", SPOOLING, take_spool_option },
	{ "max-age=", SPOOLING, take_spool_option },
	{ "reserve=", SPOOLING, take_spool_option },
	[ROW_WHEN_FULL] = { "when-full=", SPOOLING, take_spool_option },
	{ "compress=", SPOOLING, take_spool_option },
};

enum words_behind words_behind(struct span text)
{
	static const struct { const char *start; enum words_behind behind; } kinds[] = {
		{ "spool:", WORDS_SPOOL }, { "ack:", WORDS_ACK }, { "pub:", WORDS_ZEROMQ }, { "push:", WORDS_ZEROMQ },
		{ "udp:", WORDS_SOCKET }, { "tcp:", WORDS_SOCKET }, { "unix:", WORDS_SOCKET },
	};
	if (text.length && text.data[0] == '|') return WORDS_COMMAND;
	if (text.length && (text.data[0] == '"' || text.data[0] == '\'')) text.data++, text.length--;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (span_starts(text, span_of(kinds[i].start))) return kinds[i].behind;
	return WORDS_PLAIN;
}

const char *words_list(enum words_behind behind, char list[WORDS_LIST_MAX])
{
	size_t length = 0;
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].behind & (unsigned)behind) length += (size_t)snprintf(list + length, WORDS_LIST_MAX - length, "%s%s", length ? " " : "", rows[i].name);
	return list;
}

/* The last word of the text, and the text without it. */
static struct span cut_last_word(struct span *text)
{
	const char *end = text->data + text->length, *at = end;
	while (at > text->data && at[-1] != ' ' && at[-1] != '\t') at--;
	struct span word = span_between(at, end);
	while (at > text->data && (at[-1] == ' ' || at[-1] == '\t')) at--;
	text->length = (size_t)(at - text->data);
	return word;
}

/* The row of the word; ROW_COUNT if there is none for this kind of destination. */
static size_t find_row(unsigned behind, struct span word)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct span name = span_of(rows[i].name);
		bool valued = name.data[name.length - 1] == '=';
		if (rows[i].behind & behind && (valued ? span_starts(word, name) : span_equal(word, name))) return i;
	}
	return ROW_COUNT;
}

/* Whether full=spool is among the words at the end. */
static bool has_full_spool(enum words_behind behind, struct span rest)
{
	for (;;) {
		struct span word = cut_last_word(&rest);
		if (rest.length == 0 || find_row(behind, word) == ROW_COUNT) return false;
		if (span_equal(word, SPAN("full=spool"))) return true;
	}
}

/* Where no blank can belong to the destination, what looks like a word is one that is misspelt, or meant for another kind. */
static bool is_out_of_place(enum words_behind behind, struct span before, struct span word)
{
	if (behind == WORDS_COMMAND || before.data[0] == '"' || before.data[0] == '\'') return false;
	return behind == WORDS_PLAIN ? find_row(WORDS_ANY, word) != ROW_COUNT : memchr(word.data, '=', word.length) != NULL;
}

static bool take_all(struct words *w, struct span *rest)
{
	bool overflowing = has_full_spool(w->behind, *rest);
	for (;;) {
		struct span shorter = *rest, word = cut_last_word(&shorter);
		size_t i = find_row(w->behind, word);
		if (shorter.length == 0) return true;
		if (i == ROW_COUNT) {
			char list[WORDS_LIST_MAX];
			if (!is_out_of_place(w->behind, shorter, word)) return true;
			return destination_fault_at(w->fault, w->whole, word.data, "this cannot stand here; these can: %s", words_list(w->behind, list));
		}
		if (w->behind == WORDS_COMMAND && i >= ROW_SPOOL && (!overflowing || w->destination->full == FULL_SPOOL)) return true; /* an operand of the command */
		if (w->at[i]) return destination_fault_at(w->fault, w->whole, word.data, "this stands there twice");
		size_t name = strlen(rows[i].name);
		struct span value = rows[i].name[name - 1] == '=' ? (struct span){ word.data + name, word.length - name } : (struct span){ 0 };
		w->at[i] = word.data;
		if (!rows[i].take(w, word, value)) return false;
		*rest = shorter;
	}
}

static bool check(struct words *w)
{
	if (w->behind == WORDS_SPOOL || w->behind == WORDS_ACK) return true;
	if (w->destination->full == FULL_SPOOL) {
		if (!w->at[ROW_SPOOL])
			return destination_fault_at(w->fault, w->whole, w->at[ROW_FULL], "full=spool needs a folder behind it that is this route's own: full=spool spool=DIR");
		return w->destination->spool_options.when_full != SPOOL_DROP_OLDEST ||
			destination_fault_at(w->fault, w->whole, w->at[ROW_WHEN_FULL], "with full=spool it is block or fail");
	}
	for (size_t i = ROW_SPOOL; i < ROW_COUNT; i++)
		if (w->at[i]) return destination_fault_at(w->fault, w->whole, w->at[i], "this belongs to full=spool: full=spool spool=DIR");
	return true;
}

bool words_parse(struct destination *d, struct span whole, struct span *rest, struct destination_fault *f)
{
	struct words w = { .destination = d, .fault = f, .whole = whole, .behind = words_behind(*rest) };
	d->spool_options = spool_defaults;
	buffer_init(&w.access, ACCESS_MAX);
	bool good = take_all(&w, rest) && check(&w);
	d->access = must_copy(buffer_span(&w.access));
	buffer_release(&w.access);
	return good;
}
