/* spool_reader_state - forward.state: how far a spool's envelopes are delivered, as one envelope that a person can read. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/spool_reader_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"
#include "envelope/field.h"
#include "filter/stats.h"
#include "io/diag.h"
#include "io/socket.h"
#include "sink/sealed_line.h"
#include "sink/spool_private.h"
#include "sink/state_file.h"

/*  {"type":"metlog.forward",...,"fields":{"sender":"8f3c...","generation":7,"done":12345,"segment":STEM,"lines":345,"finished":STEM,"clean":false,
 *   "boot":"...","held":[STEM,...],"line":"xxh3:..."}} */
static const char state_name[] = "forward.state"; /* of who holds drain.lock */

enum { STATE_MAX = 1 << 20 };

/* --- writing ------------------------------------------------------------------ */

static void append_text(struct buffer *out, const char *name, struct span value)
{
	buffer_append_text(out, name);
	buffer_append_byte(out, '"');
	buffer_append_span(out, value);
	buffer_append_byte(out, '"');
}

static void append_count(struct buffer *out, const char *name, uint64_t value)
{
	buffer_append_text(out, name);
	buffer_append_int(out, (int64_t)value);
}

/* How far a restart may begin: not behind a segment that could not be put away, or its lines would come again as new ones. */
static uint64_t done_for_good(const struct spool_reader *r)
{
	const struct spool_reader_held *first = r->count ? r->held : NULL;
	return first && first->ended && first->last < r->done ? first->last : r->done;
}

static bool append_state(struct buffer *out, const struct spool_reader *r)
{
	uint64_t done = done_for_good(r);
	char id[2 * SPOOL_READER_ID_BYTES + 1];
	const struct spool_reader_held *first = r->count ? r->held : NULL;
	for (int i = 0; i < SPOOL_READER_ID_BYTES; i++) snprintf(id + 2 * i, 3, "%02x", (unsigned)(unsigned char)r->id[i]);
	stats_append_head(out, "metlog.forward", 6);
	append_text(out, "\"payload\":\"\",\"fields\":{\"sender\":", span_of(id));
	append_count(out, ",\"generation\":", r->generation);
	append_count(out, ",\"done\":", done);
	append_text(out, ",\"segment\":", span_of(first ? first->segment.stem : ""));
	append_count(out, ",\"lines\":", first ? done - first->base : 0);
	append_text(out, ",\"finished\":", span_of(r->finished));
	buffer_append_text(out, r->closing && done == r->furthest ? ",\"clean\":true" : ",\"clean\":false");
	append_text(out, ",\"boot\":", span_of(r->boot));
	buffer_append_text(out, ",\"held\":[");
	for (size_t i = 1; i < r->count; i++) append_text(out, i > 1 ? "," : "", span_of(r->held[i].segment.stem));
	buffer_append_byte(out, ']');
	return sealed_line_end(out, 0);
}

bool spool_reader_save(struct spool_reader *r)
{
	struct buffer text;
	if (r->forgotten) return false;
	buffer_init(&text, STATE_MAX);
	r->generation++;
	int error = append_state(&text, r) ? state_file_replace(r->dir_fd, state_name, buffer_span(&text), true) : ENOMEM;
	buffer_release(&text);
	r->saved_ms = socket_clock_ms();
	if (error && !r->save_told) diag_error("writing %s/%s: %s (until it can be written, a restart sends again what was sent since)", r->path, state_name, strerror(error));
	r->save_told = error != 0;
	return !error;
}

void spool_reader_forget(struct spool_reader *r)
{
	r->forgotten = true;
	if (unlinkat(r->dir_fd, state_name, 0) < 0 && errno != ENOENT) diag_error("removing %s/%s: %s", r->path, state_name, strerror(errno));
	else spool_sync_fd(r->dir_fd, false);
}

/* --- reading ------------------------------------------------------------------ */

static struct value find(const struct envelope *e, const char *name)
{
	struct field_path path;
	char text[32];
	snprintf(text, sizeof text, "fields.%s", name);
	if (!field_path_init(&path, span_of(text))) return (struct value){ .kind = VALUE_ABSENT };
	return field_find(e, &path);
}

static bool read_count(const struct envelope *e, const char *name, uint64_t *count)
{
	struct value value = find(e, name);
	int64_t number;
	if (value.kind != VALUE_NUMBER || !number_parse_int(value.text, &number) || number < 0) return false;
	*count = (uint64_t)number;
	return true;
}

static bool copy_text(struct value value, char *text, size_t size)
{
	if (value.kind != VALUE_STRING || value.escaped || value.text.length >= size) return false;
	memcpy(text, value.text.data, value.text.length);
	text[value.text.length] = '\0';
	return true;
}

/* "" or the stem of a segment. */
static bool copy_stem(struct value value, char stem[SEGMENT_STEM_MAX])
{
	char name[SEGMENT_NAME_MAX];
	struct segment segment;
	if (!copy_text(value, stem, SEGMENT_STEM_MAX)) return false;
	snprintf(name, sizeof name, "%s.open", stem);
	return !*stem || segment_parse(&segment, name);
}

static bool read_id(const struct envelope *e, char id[SPOOL_READER_ID_BYTES])
{
	char text[2 * SPOOL_READER_ID_BYTES + 1];
	uint64_t half[2];
	if (!copy_text(find(e, "sender"), text, sizeof text) || strlen(text) != 32) return false;
	for (int i = 0; i < 2; i++) {
		if (!sealed_line_parse_hex((struct span){ text + 16 * i, 16 }, &half[i])) return false;
		for (int b = 0; b < 8; b++) id[8 * i + b] = (char)(half[i] >> (56 - 8 * b) & 0xff);
	}
	return true;
}

static bool read_held(const struct envelope *e, struct buffer *held)
{
	struct value list = find(e, "held"), one;
	char stem[SEGMENT_STEM_MAX];
	if (list.kind != VALUE_ARRAY) return false;
	struct field_walk walk = field_walk_array(e, list);
	while (field_next_element(&walk, &one)) {
		memset(stem, 0, sizeof stem);
		if (!copy_stem(one, stem) || !*stem || !buffer_append(held, stem, sizeof stem)) return false;
	}
	return true;
}

static bool read_state(const struct envelope *e, struct spool_reader_state *state)
{
	struct value clean = find(e, "clean");
	state->clean = clean.kind == VALUE_TRUE;
	return span_equal(e->type.text, SPAN("metlog.forward")) && read_id(e, state->id) && read_count(e, "generation", &state->generation) &&
	       read_count(e, "done", &state->done) && copy_stem(find(e, "segment"), state->segment) && read_count(e, "lines", &state->lines) &&
	       copy_stem(find(e, "finished"), state->finished) && (state->clean || clean.kind == VALUE_FALSE) &&
	       copy_text(find(e, "boot"), state->boot, sizeof state->boot) && read_held(e, &state->held);
}

/* 0, or an errno. */
static int read_file(int dir_fd, struct buffer *text)
{
	int fd = openat(dir_fd, state_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), error = 0;
	if (fd < 0) return errno;
	if (!spool_is_plain(fd)) error = errno;
	while (!error) {
		if (!buffer_reserve(text, 4096)) error = EFBIG;
		ssize_t got = error ? -1 : read(fd, text->data + text->length, 4096);
		if (got == 0) break;
		if (got > 0) text->length += (size_t)got;
		else if (!error && errno != EINTR) error = errno;
	}
	close(fd);
	return error;
}

enum spool_reader_load spool_reader_load(int dir_fd, struct spool_reader_state *state, const char **reason)
{
	struct buffer text, copy;
	struct scan scan;
	struct envelope envelope;
	struct envelope_fault fault;
	*state = (struct spool_reader_state){ 0 };
	buffer_init(&state->held, SPOOL_READER_HELD_MAX * SEGMENT_STEM_MAX);
	buffer_init(&text, STATE_MAX + 4096);
	int error = read_file(dir_fd, &text);
	enum spool_reader_load result = error == ENOENT ? SPOOL_READER_NO_STATE : SPOOL_READER_UNREADABLE;
	*reason = strerror(error);
	if (!error) {
		*reason = "it is damaged";
		buffer_init(&copy, 2 * STATE_MAX);
		if (!scan_init(&scan)) die(EXIT_INTERNAL, "no memory for the scanner");
		struct span line = buffer_span(&text);
		if (line.length && line.data[line.length - 1] == '\n') line.length--;
		else line.length = 0;
		if (sealed_line_is_whole(line) && !memchr(line.data, '\n', line.length) &&
		    envelope_parse_copy(&envelope, &scan, &copy, line, &fault) == ENVELOPE_GOOD && read_state(&envelope, state)) result = SPOOL_READER_LOADED;
		scan_release(&scan);
		buffer_release(&copy);
	}
	buffer_release(&text);
	return result;
}
