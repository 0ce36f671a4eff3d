/* sketch_driver - makes, unites and counts sketches as files, for the suite that holds them against Redis. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/sketch.h"

static const char usage[] =
	"sketch_driver add [FILE]     the value of the lines of standard input, added in order to that of FILE, on standard output\n"
	"sketch_driver merge FILE...  the value of a fresh key after PFMERGE of all\n"
	"sketch_driver into FILE...   the value of the first after PFMERGE of the others into it\n"
	"sketch_driver count FILE...  what PFCOUNT answers for each\n";

enum { SKETCHES_MAX = 64, VALUE_MAX = 1 << 17 };

static int refuse(const char *what, const char *why)
{
	fprintf(stderr, "sketch_driver: %s: %s\n", what, why);
	return 65;
}

static bool read_file(struct sketch *s, const char *name)
{
	static char bytes[VALUE_MAX];
	FILE *file = fopen(name, "rb");
	if (!file) return refuse(name, "cannot be opened") == 0;
	size_t length = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	const char *why = sketch_read(s, (struct span){ bytes, length });
	return !why || refuse(name, why) == 0;
}

static bool add_lines(struct sketch *s)
{
	char *line = NULL;
	size_t room = 0;
	bool added = true;
	for (ssize_t length; added && (length = getline(&line, &room, stdin)) > 0;) {
		size_t end = (size_t)length - (line[length - 1] == '\n');
		added = sketch_add(s, sketch_hash((struct span){ line, end }));
	}
	free(line);
	return added;
}

static bool print_value(const struct sketch *s)
{
	struct buffer out;
	buffer_init(&out, VALUE_MAX);
	bool written = sketch_append(&out, s) && fwrite(out.data, 1, out.length, stdout) == out.length && fflush(stdout) == 0;
	buffer_release(&out);
	return written;
}

static bool print_counts(const struct sketch s[], int count)
{
	bool failed = false;
	for (int i = 0; i < count; i++) printf("%" PRIu64 "\n", sketch_estimate(&s[i], &failed));
	return !failed && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	struct sketch s[SKETCHES_MAX] = { { 0 } }, fresh = { 0 };
	const char *what = argc > 1 ? argv[1] : "";
	int count = argc - 2;
	bool done;
	if (count < 0 || count > SKETCHES_MAX) return fputs(usage, stderr), 64;
	for (int i = 0; i < count; i++) {
		if (!read_file(&s[i], argv[i + 2])) return 65;
	}
	if (!strcmp(what, "add")) done = add_lines(count ? &s[0] : &fresh) && print_value(count ? &s[0] : &fresh);
	else if (!strcmp(what, "merge")) done = sketch_merge_all(&fresh, s, (size_t)count) && print_value(&fresh);
	else if (!strcmp(what, "into") && count) done = sketch_merge_all(&s[0], s + 1, (size_t)count - 1) && print_value(&s[0]);
	else if (!strcmp(what, "count")) done = print_counts(s, count);
	else return fputs(usage, stderr), 64;
	for (int i = 0; i < count; i++) sketch_release(&s[i]);
	sketch_release(&fresh);
	return done ? 0 : 70;
}
