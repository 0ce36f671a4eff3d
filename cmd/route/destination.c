/* destination - reads the text behind "=>". */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buffer.h"
#include "base/number.h"
#include "destination.h"
#include "io/diag.h"
#include "io/endpoint.h"

enum { BUFFER_LEAST = 4096, BUFFER_MOST = 1024 * 1024 * 1024 };

static bool fault(struct destination_fault *f, struct span text, const char *at, const char *format, ...) __attribute__((format(printf, 4, 5)));
static bool fault(struct destination_fault *f, struct span text, const char *at, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(f->reason, sizeof f->reason, format, arguments);
	va_end(arguments);
	f->column = (size_t)(at - text.data) + 1;
	return false;
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

/* Which word of access it is, a bit each; 0: none. */
static unsigned access_bit(struct span word)
{
	static const char *const files[DESTINATION_ACCESS_WORDS - 1] = { "curve-secret=", "curve-clients=", "curve-server=" };
	for (unsigned i = 0; i < DESTINATION_ACCESS_WORDS - 1; i++)
		if (span_starts(word, span_of(files[i]))) return word.length > strlen(files[i]) ? 2U << i : 0;
	return span_equal(word, SPAN("insecure"));
}

static bool is_zeromq(struct span text)
{
	if (text.data[0] == '"' || text.data[0] == '\'') text.data++, text.length--;
	return span_starts(text, SPAN("pub:")) || span_starts(text, SPAN("push:"));
}

/* Takes full=, buffer= and the words of access off the end of `rest`. */
static bool parse_options(struct destination *d, struct span whole, struct span *rest, struct buffer *access, struct destination_fault *f)
{
	const bool zeromq = is_zeromq(*rest);
	unsigned seen = 0;
	for (;;) {
		struct span shorter = *rest, word = cut_last_word(&shorter);
		if (shorter.length == 0) return true;
		uint64_t bytes;
		if (span_starts(word, SPAN("full="))) {
			struct span value = { word.data + 5, word.length - 5 };
			if (span_equal(value, SPAN("block"))) d->full = FULL_BLOCK;
			else if (span_equal(value, SPAN("drop"))) d->full = FULL_DROP;
			else return fault(f, whole, value.data, "full= is block or drop");
		} else if (span_starts(word, SPAN("buffer="))) {
			struct span value = { word.data + 7, word.length - 7 };
			if (!number_parse_size(value, &bytes) || bytes < BUFFER_LEAST || bytes > BUFFER_MOST)
				return fault(f, whole, value.data, "buffer= is a size from 4Ki to 1Gi, such as 64Ki or 4Mi");
			d->buffer_bytes = (size_t)bytes;
		} else if (zeromq && access_bit(word)) {
			if (seen & access_bit(word)) return fault(f, whole, word.data, "this stands there twice");
			seen |= access_bit(word);
			if (access->length) buffer_append_byte(access, ' ');
			if (!buffer_append_span(access, word)) return fault(f, whole, word.data, "too much of this");
		} else {
			return true;
		}
		*rest = shorter;
	}
}

static bool unquote(struct span whole, struct span *rest, struct destination_fault *f)
{
	char quote = rest->data[0];
	if (quote == '"' || quote == '\'') {
		const char *end = memchr(rest->data + 1, quote, rest->length - 1);
		if (!end) return fault(f, whole, rest->data, "the quote is not closed");
		if (end + 1 != rest->data + rest->length) return fault(f, whole, end + 1, "nothing but full=, buffer= and (of pub: and push:) insecure and curve- words can follow a destination");
		*rest = span_between(rest->data + 1, end);
		return rest->length || fault(f, whole, rest->data, "a destination is missing");
	}
	for (size_t i = 0; i < rest->length; i++)
		if (rest->data[i] == ' ' || rest->data[i] == '\t')
			return fault(f, whole, rest->data + i, "a blank: quote the destination if it belongs to it; only full=, buffer= and (of pub: and push:) insecure and curve- words can follow");
	return true;
}

static bool parse_file(struct destination *d, struct span whole, struct span path, struct destination_fault *f)
{
	if (path.length == 0) return fault(f, whole, path.data, "a path is missing after file:");
	if (path.data[path.length - 1] == '/') return fault(f, whole, path.data, "a file is needed, this names a folder");
	d->kind = DESTINATION_FILE;
	if (!template_is(path)) return true;
	struct template probe;
	const char *reason;
	size_t column;
	if (!template_init(&probe, path, &reason, &column)) return fault(f, whole, path.data + column - 1, "%s", reason);
	template_release(&probe);
	d->kind = DESTINATION_TEMPLATE;
	return true;
}

static bool parse_endpoint(struct destination *d, struct span whole, struct span text, struct destination_fault *f)
{
	struct endpoint e;
	const char *reason;
	if (!endpoint_parse(&e, text, &reason)) return fault(f, whole, text.data, "%s", reason);
	bool good = false;
	switch (e.kind) {
	case ENDPOINT_PUB: case ENDPOINT_PUSH: case ENDPOINT_UDP: case ENDPOINT_TCP: case ENDPOINT_UNIX:
		d->kind = DESTINATION_ENDPOINT;
		good = true;
		break;
	case ENDPOINT_SPOOL:
		fault(f, whole, text.data, "spool: is not in this version");
		break;
	case ENDPOINT_SUB: case ENDPOINT_PULL: case ENDPOINT_REP:
		fault(f, whole, text.data, "%s: receives, a route sends", endpoint_kind_name(e.kind));
		break;
	default:
		fault(f, whole, text.data, "%s: cannot be routed to", endpoint_kind_name(e.kind));
	}
	endpoint_release(&e);
	return good;
}

static bool parse(struct destination *d, struct span text, struct buffer *access, struct destination_fault *f)
{
	struct span rest = span_trim(text);
	if (rest.length == 0) return fault(f, text, text.data, "a destination is missing");
	if (!parse_options(d, text, &rest, access, f)) return false;
	struct span path = rest;
	if (rest.data[0] == '|') {
		path = span_trim((struct span){ rest.data + 1, rest.length - 1 });
		if (path.length == 0) return fault(f, text, rest.data, "a command is missing after |");
		d->kind = DESTINATION_COMMAND;
	} else {
		if (!unquote(text, &rest, f)) return false;
		path = rest;
		if (span_equal(rest, SPAN("drop"))) {
			d->kind = DESTINATION_DROP;
		} else if (span_equal(rest, SPAN("-"))) {
			d->kind = DESTINATION_STDOUT;
		} else if (span_starts(rest, SPAN("file:"))) {
			path = (struct span){ rest.data + 5, rest.length - 5 };
			if (!parse_file(d, text, path, f)) return false;
		} else if (!parse_endpoint(d, text, rest, f)) {
			return false;
		}
	}
	d->text = must_copy(rest);
	d->path = must_copy(path);
	d->access = must_copy(buffer_span(access));
	return true;
}

bool destination_parse(struct destination *d, struct span text, struct destination_fault *f)
{
	struct buffer access;
	*d = (struct destination){ .buffer_bytes = DESTINATION_BUFFER };
	buffer_init(&access, DESTINATION_ACCESS_MAX);
	bool good = parse(d, text, &access, f);
	buffer_release(&access);
	return good;
}

void destination_release(struct destination *d)
{
	free(d->text);
	free(d->path);
	free(d->access);
	*d = (struct destination){ 0 };
}
