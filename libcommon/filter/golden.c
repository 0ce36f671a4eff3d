/* golden - feeds the tests, compares, and shows where they part. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/text.h"
#include "filter/golden.h"
#include "io/diag.h"
#include "io/reader.h"
#include "io/writer.h"

enum { GOLDEN_FILE_MAX = 1024 * 1024 * 1024, SHOWN_MAX = 20 };

struct run {
	const struct golden *golden;
	struct buffer *got;   /* by output */
	size_t rejects;
	int status;
};

static void feed_block(struct run *g, struct reader *r, struct scan *scan)
{
	while (reader_has_line(r)) {
		struct envelope e;
		struct envelope_fault fault;
		struct span line = reader_take(r, scan_line(scan, r->data + r->at, r->data + r->lines_end));
		enum envelope_verdict verdict = envelope_parse(&e, scan, line, &fault);
		if (verdict == ENVELOPE_BLANK) continue;
		if (verdict == ENVELOPE_BAD || line.length > g->golden->line_limit || !g->golden->take(g->golden->context, &e, g->got)) g->rejects++;
	}
}

static bool feed_file(struct run *g, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return false;
	struct reader r;
	struct scan scan;
	reader_init(&r, g->golden->line_limit);
	if (!scan_init(&scan)) die(EXIT_INTERNAL, "out of memory");
	reader_open(&r, fd, path);
	enum reader_fill fill;
	do {
		fill = reader_fill(&r);
		if (fill == READER_OVERLONG) g->rejects++;
		feed_block(g, &r, &scan);
	} while (fill != READER_END && fill != READER_ERROR);
	errno = r.error;
	close(fd);
	scan_release(&scan);
	reader_release(&r);
	return fill == READER_END;
}

/* The whole file; an absent one is empty. */
static bool read_file(const char *path, struct buffer *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return errno == ENOENT;
	ssize_t got = 1;
	while (got > 0 && buffer_reserve(out, 65536)) {
		do got = read(fd, out->data + out->length, 65536); while (got < 0 && errno == EINTR);
		if (got > 0) out->length += (size_t)got;
	}
	int kept = errno;
	close(fd);
	errno = kept;
	return got == 0 && !out->failed;
}

static bool has_line(struct span text, struct span line)
{
	while (text.length)
		if (span_equal(span_take_line(&text), line)) return true;
	return false;
}

static void show(char mark, struct span line, size_t *shown)
{
	enum { WIDTH = 400 };
	struct buffer text;
	if ((*shown)++ >= SHOWN_MAX) return;
	buffer_init(&text, 16 * 1024);
	text_append_visible(&text, (struct span){ line.data, line.length < WIDTH ? line.length : WIDTH });
	printf("    %c %.*s%s\n", mark, (int)text.length, text.data ? text.data : "", line.length > WIDTH ? "..." : "");
	buffer_release(&text);
}

/* Both are lines of the input in its order, so where they part, the line that comes again in the other one is the later one. */
static void show_difference(struct span expected, struct span got)
{
	size_t shown = 0;
	while (expected.length || got.length) {
		struct span rest_expected = expected, rest_got = got;
		struct span a = span_take_line(&rest_expected), b = span_take_line(&rest_got);
		if (expected.length && got.length && span_equal(a, b)) {
			expected = rest_expected;
			got = rest_got;
		} else if (got.length && (!expected.length || has_line(rest_got, a))) {
			show('+', b, &shown);
			got = rest_got;
		} else {
			show('-', a, &shown);
			expected = rest_expected;
		}
	}
	if (shown > SHOWN_MAX) printf("    ... and %zu lines more\n", shown - SHOWN_MAX);
}

static bool write_golden(const char *path, struct span text)
{
	if (text.length == 0) return unlink(path) == 0 || errno == ENOENT;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) return false;
	int error = write_all(fd, text);
	if (close(fd) != 0 && !error) error = errno;
	errno = error;
	return error == 0;
}

/* "NAME.LABEL.out"; false: too long, and errno says so. */
static bool name_output(char path[PATH_MAX], const struct golden *g, const char *test, size_t i)
{
	const char *label = g->label_is ? g->label[i] : "";
	if (snprintf(path, PATH_MAX, "%s/%s%s%s.out", g->folder, test, *label ? "." : "", label) < PATH_MAX) return true;
	errno = ENAMETOOLONG;
	return false;
}

static bool check_output(struct run *g, const char *test, size_t i)
{
	char path[PATH_MAX];
	struct span got = buffer_span(&g->got[i]);
	if (!name_output(path, g->golden, test, i)) {}
	else if (g->golden->write && write_golden(path, got)) return true;
	else if (!g->golden->write) {
		struct buffer expected;
		buffer_init(&expected, GOLDEN_FILE_MAX);
		bool readable = read_file(path, &expected), same = readable && span_equal(buffer_span(&expected), got);
		if (readable && !same) {
			if (g->golden->label_is) printf("FAILED %s: %s %s (- expected, + got)\n", test, g->golden->label_is, g->golden->label[i]);
			else printf("FAILED %s (- expected, + got)\n", test);
			show_difference(buffer_span(&expected), got);
			if (g->status == 0) g->status = EXIT_NEGATIVE;
		}
		buffer_release(&expected);
		if (readable) return same;
	}
	diag_error("%s: %s", path, strerror(errno));
	g->status = g->golden->write ? EXIT_NO_OUTPUT : EXIT_NO_INPUT;
	return false;
}

static void run_test(struct run *g, const char *test)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s.in", g->golden->folder, test);
	g->rejects = 0;
	if (g->golden->begin) g->golden->begin(g->golden->context);
	for (size_t i = 0; i < g->golden->count; i++) buffer_clear(&g->got[i]);
	if (!feed_file(g, path)) {
		diag_error("%s: %s", path, strerror(errno));
		g->status = EXIT_NO_INPUT;
		return;
	}
	bool good = true;
	for (size_t i = 0; i < g->golden->count; i++) {
		if (g->got[i].failed) die(EXIT_INTERNAL, "%s: too large for a test", path);
		if (!check_output(g, test, i)) good = false;
	}
	if (good) printf("%s %s", g->golden->write ? "wrote" : "ok", test);
	if (good && g->rejects) printf(" (%zu lines are no envelopes)", g->rejects);
	if (good) putchar('\n');
}

/* A .out file that belongs to no output is a test that would never be looked at: a mistake in its name. */
static void check_strays(struct run *g, const char *name, char *const *tests, size_t count)
{
	char path[PATH_MAX];
	size_t folder = strlen(g->golden->folder) + 1;
	for (size_t i = 0; i < count; i++)
		for (size_t output = 0; output < g->golden->count; output++)
			if (name_output(path, g->golden, tests[i], output) && strcmp(path + folder, name) == 0) return;
	if (g->golden->label_is) printf("FAILED %s: no test and %s have this name\n", name, g->golden->label_is);
	else printf("FAILED %s: no test has this name\n", name);
	if (g->status == 0) g->status = EXIT_NEGATIVE;
}

static bool ends_in(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);
	return length > tail && strcmp(name + length - tail, end) == 0;
}

static int is_test_file(const struct dirent *d)
{
	return ends_in(d->d_name, ".in") || ends_in(d->d_name, ".out");
}

/* The names of the tests among the files, without their ".in". */
static size_t list_tests(struct dirent **entry, int found, char **tests)
{
	size_t count = 0;
	for (int i = 0; i < found; i++)
		if (ends_in(entry[i]->d_name, ".in")) tests[count++] = must_copy((struct span){ entry[i]->d_name, strlen(entry[i]->d_name) - 3 });
	return count;
}

int golden_run(const struct golden *golden)
{
	struct run g = { .golden = golden };
	struct dirent **entry;
	int found = scandir(golden->folder, &entry, is_test_file, alphasort);
	if (found < 0) {
		diag_error("%s: %s", golden->folder, strerror(errno));
		return EXIT_NO_INPUT;
	}
	g.got = must_alloc(golden->count * sizeof *g.got);
	for (size_t i = 0; i < golden->count; i++) buffer_init(&g.got[i], GOLDEN_FILE_MAX);
	char **tests = must_alloc(((size_t)found + 1) * sizeof *tests);
	size_t count = list_tests(entry, found, tests);
	for (size_t i = 0; i < count; i++) run_test(&g, tests[i]);
	for (int i = 0; i < found; i++) {
		if (!ends_in(entry[i]->d_name, ".in")) check_strays(&g, entry[i]->d_name, tests, count);
		free(entry[i]);
	}
	if (count == 0) {
		diag_error("%s: there is no test, no file NAME.in", golden->folder);
		g.status = EXIT_NO_INPUT;
	}
	for (size_t i = 0; i < count; i++) free(tests[i]);
	for (size_t i = 0; i < golden->count; i++) buffer_release(&g.got[i]);
	free(tests);
	free(entry);
	free(g.got);
	if (fflush(stdout) != 0) {
		diag_error("standard output: %s", strerror(errno));
		g.status = EXIT_IO;
	}
	return g.status;
}
