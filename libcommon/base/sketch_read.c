/* sketch_read - sketches as bytes: Redis's value, and the text that travels between runs. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <stdlib.h>

#include "base/sketch_private.h"
#include "base/text.h"

/* Every run is held against the registers that are left before it counts. */
static const char *check_sparse(const uint8_t *p, size_t length, size_t *used)
{
	uint32_t left = SKETCH_REGISTERS;
	size_t at = SKETCH_HEADER;
	while (left) {
		if (at >= length) return "its runs end before the last register";
		if ((p[at] & 0xc0) == 0x40 && at + 1 >= length) return "it ends inside a run";
		struct sketch_run run = sketch_run(p + at);
		if (run.registers > left) return "its runs pass the last register";
		left -= run.registers;
		at += run.bytes;
	}
	*used = at;
	return NULL;
}

static const char *check_dense(const uint8_t *p, size_t length, size_t *used)
{
	if (length < SKETCH_DENSE) return "it is dense and shorter than 12,304 bytes";
	*used = SKETCH_DENSE;
	for (size_t i = SKETCH_HEADER; i < SKETCH_DENSE; i += 3) {
		uint32_t four = (uint32_t)p[i] | (uint32_t)p[i + 1] << 8 | (uint32_t)p[i + 2] << 16;
		for (uint32_t j = 0; j < 4; j++) {
			if ((four >> 6 * j & 63) > SKETCH_RANK_MAX) return "a register is above 51, which no value gives";
		}
	}
	return NULL;
}

/* The type of a string, its length in one byte to eleven, and the value: compressed it begins as it is. */
static bool is_dump(struct span bytes)
{
	for (size_t at = 1; at < 16 && at + 4 <= bytes.length; at++)
		if (bytes.data[0] == '\0' && memcmp(bytes.data + at, "HYLL", 4) == 0) return true;
	return false;
}

/* *used is the value's length. */
static const char *check(struct span bytes, size_t *used)
{
	const uint8_t *p = (const uint8_t *)bytes.data;
	if (span_starts(bytes, SPAN("\"HYLL"))) return "it is quoted, as redis-cli shows it on a terminal (redis-cli --raw writes the value)";
	if (is_dump(bytes)) return "it is what DUMP answers, and what GET answers is wanted";
	if (!bytes.length || span_equal(bytes, SPAN("\n"))) return "it is empty, as the value of a key that is not there";
	if (!span_starts(bytes, SPAN("HYLL"))) return "it does not begin with HYLL";
	if (bytes.length < SKETCH_HEADER) return "it is shorter than a header";
	if (p[SKETCH_ENCODING] > 1) return "its encoding is neither dense nor sparse";
	const char *why = p[SKETCH_ENCODING] ? check_sparse(p, bytes.length, used) : check_dense(p, bytes.length, used);
	if (why) return why;
	if (bytes.length - *used > 1 || (bytes.length > *used && p[*used] != '\n')) return "there is more behind the last register";
	return NULL;
}

const char *sketch_read(struct sketch *s, struct span bytes)
{
	size_t length;
	const char *why = check(bytes, &length);
	if (why) return why;
	struct sketch made;
	bool dense = !bytes.data[SKETCH_ENCODING];
	if (dense ? !sketch_dense_new(&made) : !sketch_sparse_new(&made, length)) return SKETCH_NO_MEMORY;
	memcpy(sketch_value(&made), bytes.data, length);
	sketch_value(&made)[SKETCH_HEADER - 1] |= 0x80;
	made.length = (uint16_t)length;
	if (!dense) sketch_sparse_mark(&made);
	if (length > SKETCH_DENSE && !sketch_to_dense(&made)) {
		sketch_release(&made);
		return SKETCH_NO_MEMORY;
	}
	sketch_release(s);
	*s = made;
	return NULL;
}

bool sketch_append(struct buffer *out, const struct sketch *s)
{
	if (s->form != SKETCH_SMALL) return buffer_append(out, sketch_value(s), s->length);
	struct sketch promoted = { 0 };
	if (!sketch_promote(&promoted, s)) {
		out->failed = out->no_memory = true;
		return false;
	}
	bool appended = buffer_append(out, sketch_value(&promoted), promoted.length);
	sketch_release(&promoted);
	return appended;
}

bool sketch_append_text(struct buffer *out, const struct sketch *s)
{
	if (s->form != SKETCH_SMALL) return text_append_base64(out, (struct span){ (const char *)sketch_value(s), s->length });
	char entries[SKETCH_SMALL_MAX * SKETCH_ENTRY];
	for (size_t i = 0, count = s->length / SKETCH_ENTRY; i < count; i++) {
		uint64_t entry = htole64(sketch_small_entry(s, i));
		memcpy(entries + i * SKETCH_ENTRY, &entry, SKETCH_ENTRY);
	}
	buffer_append_byte(out, '=');
	return text_append_base64(out, (struct span){ entries, s->length });
}

static const char *read_entries(struct sketch *s, struct span bytes)
{
	if (bytes.length % SKETCH_ENTRY) return "its last entry is not whole";
	if (bytes.length > SKETCH_SMALL_MAX * SKETCH_ENTRY) return "it has more than 256 entries";
	struct sketch made = { 0 };
	const char *why = NULL;
	for (size_t at = 0; at < bytes.length && !why; at += SKETCH_ENTRY) {
		uint64_t entry = 0;
		memcpy(&entry, bytes.data + at, SKETCH_ENTRY);
		entry = le64toh(entry);
		if (!sketch_entry_fits(entry)) why = "an entry has no rank";
		else if (!sketch_small_add(&made, entry)) why = SKETCH_NO_MEMORY;
		else if (made.length != at + SKETCH_ENTRY) why = "an entry is there twice";
	}
	sketch_release(why ? &made : s);
	if (!why) *s = made;
	return why;
}

const char *sketch_read_text(struct sketch *s, struct span text)
{
	uint8_t bytes[SKETCH_DENSE + 2];
	bool small = span_starts(text, SPAN("="));
	if (small) text.data++, text.length--;
	if (text.length > sizeof bytes / 3 * 4) return "it is longer than any sketch";
	size_t length;
	if (!text_decode_base64(bytes, &length, text)) return "it is not base64";
	struct span decoded = { (const char *)bytes, length };
	if (small) return read_entries(s, decoded);
	size_t used;
	const char *why = check(decoded, &used);
	return why ? why : used != length ? "there is more behind the last register" : sketch_read(s, decoded);
}
