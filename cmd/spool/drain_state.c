/* drain_state - drain.json: what is known of segments that were tried in vain, over restarts and for metlog-spool status. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "envelope/field.h"
#include "io/diag.h"
#include "sink/state_file.h"
#include "drain_private.h"

enum { STATE_BYTES_MAX = 1024 * 1024 };
static const char state_name[] = "drain.json";

static bool read_state(int dir_fd, struct buffer *text)
{
	int fd = openat(dir_fd, state_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) return false;
	ssize_t got = -1;
	while (buffer_reserve(text, 4096) && (got = read(fd, text->data + text->length, 4096)) > 0) text->length += (size_t)got;
	close(fd);
	return got == 0;
}

/* The member of an object, or, without one, of the line itself. */
static struct value member(const struct envelope *envelope, struct value object, const char *name)
{
	struct field_path path;
	if (!field_path_init(&path, span_of(name))) return (struct value){ .kind = VALUE_ABSENT };
	return object.kind == VALUE_OBJECT ? field_find_in(envelope, object, &path) : field_find(envelope, &path);
}

static int64_t count_of(struct value value)
{
	int64_t number;
	return value.kind == VALUE_NUMBER && number_parse_int(value.text, &number) && number >= 0 && number < 1000000000 ? number : 0;
}

static void copy_text(char *out, size_t room, struct value value)
{
	struct buffer text;
	buffer_init(&text, STATE_BYTES_MAX);
	if (value.kind == VALUE_STRING && field_append_text(&text, value) && buffer_text(&text)) snprintf(out, room, "%s", buffer_text(&text));
	buffer_release(&text);
}

static bool is_there(const struct drain *d, const char *stem)
{
	struct segment segment;
	char name[SEGMENT_NAME_MAX];
	snprintf(name, sizeof name, "%s.ndjson", stem);
	return segment_parse(&segment, name) && drain_store_has(d, &segment);
}

static void learn(struct drain *d, const struct envelope *envelope, struct value one)
{
	struct drain_trouble *t = &d->known[d->known_count];
	*t = (struct drain_trouble){ .attempts = count_of(member(envelope, one, "attempts")), .refusals = count_of(member(envelope, one, "refusals")),
		.status = (int)count_of(member(envelope, one, "status")) };
	copy_text(t->stem, sizeof t->stem, member(envelope, one, "segment"));
	copy_text(t->reason, sizeof t->reason, member(envelope, one, "reason"));
	if (t->attempts && is_there(d, t->stem)) d->known_count++;
}

void drain_state_load(struct drain *d)
{
	struct buffer text, copy;
	struct scan scan;
	struct envelope envelope;
	struct envelope_fault fault;
	struct value all, one;
	buffer_init(&text, STATE_BYTES_MAX);
	buffer_init(&copy, STATE_BYTES_MAX + 4096);
	if (!scan_init(&scan)) die(EXIT_INTERNAL, "no memory for the scanner");
	d->state_on_disk = faccessat(d->dir_fd, state_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (read_state(d->dir_fd, &text) && envelope_parse_copy(&envelope, &scan, &copy, span_trim(buffer_span(&text)), &fault) == ENVELOPE_GOOD
	    && (all = member(&envelope, (struct value){ .kind = VALUE_ABSENT }, "waiting")).kind == VALUE_ARRAY) {
		struct field_walk walk = field_walk_array(&envelope, all);
		while (d->known_count < DRAIN_KNOWN_MAX && field_next_element(&walk, &one))
			if (one.kind == VALUE_OBJECT) learn(d, &envelope, one);
	} else if (d->state_on_disk)
		diag_warn("%s/%s: cannot be read: attempts are counted anew", d->options->dir, state_name);
	scan_release(&scan);
	buffer_release(&copy);
	buffer_release(&text);
}

void drain_state_recall(struct drain *d, struct drain_task *task)
{
	for (int i = 0; i < d->known_count; i++) {
		if (strcmp(d->known[i].stem, task->segment.stem) != 0) continue;
		task->trouble = d->known[i];
		d->known[i] = d->known[--d->known_count];
		return;
	}
	task->trouble = (struct drain_trouble){ 0 };
	memcpy(task->trouble.stem, task->segment.stem, sizeof task->trouble.stem);
}

static void append_trouble(struct buffer *out, const struct drain_trouble *t)
{
	char stamp[TIMESTAMP_MAX];
	if (out->length && out->data[out->length - 1] == '}') buffer_append_byte(out, ',');
	buffer_append_text(out, "{\"segment\":");
	text_append_quoted(out, span_of(t->stem));
	buffer_append_text(out, ",\"attempts\":");
	buffer_append_int(out, t->attempts);
	buffer_append_text(out, ",\"refusals\":");
	buffer_append_int(out, t->refusals);
	buffer_append_text(out, ",\"status\":");
	buffer_append_int(out, t->status);
	if (t->next_attempt) {
		buffer_append_text(out, ",\"next_attempt\":\"");
		buffer_append(out, stamp, timestamp_print(stamp, t->next_attempt));
		buffer_append_byte(out, '"');
	}
	buffer_append_text(out, ",\"reason\":");
	text_append_quoted(out, text_is_utf8(span_of(t->reason)) ? span_of(t->reason) : SPAN("?"));
	buffer_append_byte(out, '}');
}

void drain_state_save(struct drain *d)
{
	struct buffer text;
	bool any = false;
	buffer_init(&text, STATE_BYTES_MAX);
	buffer_append_text(&text, "{\"waiting\":[");
	for (int i = 0; i < d->options->parallel; i++) {
		const struct drain_task *task = &d->task[i];
		if (task->place == PLACE_FREE || !*task->trouble.reason) continue;
		append_trouble(&text, &task->trouble);
		any = true;
	}
	for (int i = 0; i < d->known_count; i++) append_trouble(&text, &d->known[i]), any = true;
	buffer_append_text(&text, "]}\n");
	int error = 0;
	if (any) error = text.failed ? ENOMEM : state_file_replace(d->dir_fd, state_name, buffer_span(&text), false);
	else if (d->state_on_disk && unlinkat(d->dir_fd, state_name, 0) < 0 && errno != ENOENT) error = errno;
	if (!error) d->state_on_disk = any;
	else if (!d->state_warned) diag_warn("%s/%s: cannot be written, so attempts are not remembered over a restart: %s", d->options->dir, state_name, strerror(error));
	if (error) d->state_warned = true;
	buffer_release(&text);
}
