/* destination - reads the text behind "=>". */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "destination.h"
#include "io/diag.h"
#include "io/endpoint.h"
#include "words.h"

bool destination_fault_at(struct destination_fault *f, struct span text, const char *at, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(f->reason, sizeof f->reason, format, arguments);
	va_end(arguments);
	f->column = (size_t)(at - text.data) + 1;
	return false;
}

char *destination_copy_folder(struct span path)
{
	while (path.length > 1 && path.data[path.length - 1] == '/') path.length--;
	return must_copy(path);
}

static bool unquote(struct span whole, struct span *rest, struct destination_fault *f)
{
	char list[WORDS_LIST_MAX], quote = rest->data[0];
	words_list(words_behind(*rest), list);
	if (quote == '"' || quote == '\'') {
		const char *end = memchr(rest->data + 1, quote, rest->length - 1);
		if (!end) return destination_fault_at(f, whole, rest->data, "the quote is not closed");
		if (end + 1 != rest->data + rest->length) return destination_fault_at(f, whole, end + 1, "this cannot stand here; these can: %s", list);
		*rest = span_between(rest->data + 1, end);
		return rest->length || destination_fault_at(f, whole, rest->data, "a destination is missing");
	}
	for (size_t i = 0; i < rest->length; i++)
		if (rest->data[i] == ' ' || rest->data[i] == '\t')
			return destination_fault_at(f, whole, rest->data + i, "a blank: quote the destination if it belongs to it; only these can follow: %s", list);
	return true;
}

static bool parse_file(struct destination *d, struct span whole, struct span path, struct destination_fault *f)
{
	if (path.length == 0) return destination_fault_at(f, whole, path.data, "a path is missing after file:");
	if (path.data[path.length - 1] == '/') return destination_fault_at(f, whole, path.data, "a file is needed, this names a folder");
	d->kind = DESTINATION_FILE;
	if (!template_is(path)) return true;
	struct template probe;
	const char *reason;
	size_t column;
	if (!template_init(&probe, path, &reason, &column)) return destination_fault_at(f, whole, path.data + column - 1, "%s", reason);
	template_release(&probe);
	d->kind = DESTINATION_TEMPLATE;
	return true;
}

static bool parse_endpoint(struct destination *d, struct span whole, struct span text, struct destination_fault *f)
{
	struct endpoint e;
	const char *reason;
	if (!endpoint_parse(&e, text, &reason)) return destination_fault_at(f, whole, text.data, "%s", reason);
	bool good = false;
	switch (e.kind) {
	case ENDPOINT_ACK: case ENDPOINT_PUB: case ENDPOINT_PUSH: case ENDPOINT_UDP: case ENDPOINT_TCP: case ENDPOINT_UNIX:
		d->kind = DESTINATION_ENDPOINT;
		good = true;
		break;
	case ENDPOINT_SUB: case ENDPOINT_PULL: case ENDPOINT_REP:
		destination_fault_at(f, whole, text.data, "%s: receives, a route sends", endpoint_kind_name(e.kind));
		break;
	default:
		destination_fault_at(f, whole, text.data, "%s: cannot be routed to", endpoint_kind_name(e.kind));
	}
	endpoint_release(&e);
	return good;
}

/* The folder has a text of its own: without the slashes at its end. */
static bool parse_spool(struct destination *d, struct span whole, struct span path, struct destination_fault *f)
{
	if (path.length == 0) return destination_fault_at(f, whole, path.data, "a path is missing after spool:");
	if (template_is(path)) return destination_fault_at(f, whole, memchr(path.data, '{', path.length), "a spool is one folder; {type} and the like are for file:");
	d->kind = DESTINATION_SPOOL;
	d->path = destination_copy_folder(path);
	return true;
}

static bool parse_kind(struct destination *d, struct span whole, struct span rest, struct span *path, struct destination_fault *f)
{
	*path = rest;
	if (span_equal(rest, SPAN("drop"))) {
		d->kind = DESTINATION_DROP;
	} else if (span_equal(rest, SPAN("-"))) {
		d->kind = DESTINATION_STDOUT;
	} else if (span_starts(rest, SPAN("file:"))) {
		*path = (struct span){ rest.data + 5, rest.length - 5 };
		return parse_file(d, whole, *path, f);
	} else if (span_starts(rest, SPAN("spool:"))) {
		*path = (struct span){ rest.data + 6, rest.length - 6 };
		return parse_spool(d, whole, *path, f);
	} else {
		return parse_endpoint(d, whole, rest, f);
	}
	return true;
}

static bool parse(struct destination *d, struct span text, struct destination_fault *f)
{
	struct span rest = span_trim(text);
	if (rest.length == 0) return destination_fault_at(f, text, text.data, "a destination is missing");
	if (!words_parse(d, text, &rest, f)) return false;
	struct span path = rest;
	if (rest.data[0] == '|') {
		path = span_trim((struct span){ rest.data + 1, rest.length - 1 });
		if (path.length == 0) return destination_fault_at(f, text, rest.data, "a command is missing after |");
		d->kind = DESTINATION_COMMAND;
	} else if (!unquote(text, &rest, f) || !parse_kind(d, text, rest, &path, f)) {
		return false;
	}
	d->text = must_copy(rest);
	if (!d->path) d->path = must_copy(path);
	return true;
}

bool destination_parse(struct destination *d, struct span text, struct destination_fault *f)
{
	*d = (struct destination){ .buffer_bytes = DESTINATION_BUFFER };
	if (parse(d, text, f)) return true;
	destination_release(d);
	return false;
}

void destination_release(struct destination *d)
{
	free(d->text);
	free(d->path);
	free(d->access);
	free(d->spool);
	*d = (struct destination){ 0 };
}

char *destination_spool(const struct destination *d)
{
	if (d->kind == DESTINATION_SPOOL) return must_copy(span_of(d->path));
	if (d->spool) return must_copy(span_of(d->spool));
	for (const char *word = d->access; word && *word; word += strcspn(word, " "), word += *word == ' ')
		if (span_starts(span_of(word), SPAN("spool="))) return destination_copy_folder((struct span){ word + 6, strcspn(word + 6, " ") });
	return NULL;
}

bool destination_same_options(const struct spool_options *a, const struct spool_options *b)
{
	return a->sync == b->sync && a->sync_bytes == b->sync_bytes && a->sync_ms == b->sync_ms && a->segment_bytes == b->segment_bytes &&
		a->segment_ms == b->segment_ms && a->limit_bytes == b->limit_bytes && a->limit_ms == b->limit_ms && a->reserve_bytes == b->reserve_bytes &&
		a->when_full == b->when_full && a->compress == b->compress;
}
