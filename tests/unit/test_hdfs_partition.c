/* test_hdfs_partition - the same lines make the same files, whatever happens in memory; a full disk takes back nothing. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "staging_fixture.h"

#include <signal.h>
#include <zlib.h>

#include "base/checksum.h"
#include "sink/compress.h"

static void batch(struct fixture *f)
{
	f->options.batch = true;
	f->options.segment = "seg";
}

static void seal_all(struct fixture *f)
{
	assert_true(partitions_seal_all(f->partitions));
	assert_int_equal(partitions_staged(f->partitions), 0);
}

/* --- names ------------------------------------------------------------------------- */

static void a_name_is_the_checksum_of_the_lines(void **state)
{
	struct fixture *f = *state;
	begin(f);
	put(f, "a", "{\"n\":1}");
	put(f, "a", "{\"n\":2}");
	seal_all(f);
	/* printf '{"n":1}\n{"n":2}\n' | xxhsum -H2 */
	taken(f, "a/f7055f1c3de294f518c89f1da80eada5.ndjson 2: {\"n\":1}\n{\"n\":2}\n");
	end(f);
}

static void the_same_lines_again_are_other_envelopes(void **state)
{
	struct fixture *f = *state;
	char text[3][256];
	f->options.rotate_bytes = 3;
	begin(f);
	for (int i = 0; i < 3; i++) put(f, "a", "{}");
	put(f, "b", "{}");
	seal_all(f);
	for (int i = 0; i < 3; i++) assert_true(take(f, text[i], sizeof text[i]));
	assert_null(strchr(text[0], '-'));
	assert_string_equal(strchr(text[1], '-'), "-2.ndjson 1: {}\n");
	assert_string_equal(strchr(text[2], '-'), "-3.ndjson 1: {}\n");
	assert_true(take(f, text[0], sizeof text[0]));
	assert_null(strchr(text[0], '-'));
	end(f);
}

static void a_segments_files_are_numbered_in_each_directory(void **state)
{
	struct fixture *f = *state;
	batch(f);
	f->options.rotate_bytes = 16;
	f->options.before = "part-";
	f->options.after = ".x";
	begin(f);
	put_lines(f, "a", 1, 5);
	put_lines(f, "b", 6, 7);
	put_lines(f, "a", 8, 8);
	seal_all(f);
	taken(f, "a/part-seg-1.x.ndjson 2: {\"n\":1}\n{\"n\":2}\n");
	taken(f, "a/part-seg-2.x.ndjson 2: {\"n\":3}\n{\"n\":4}\n");
	taken(f, "b/part-seg-1.x.ndjson 2: {\"n\":6}\n{\"n\":7}\n");
	taken(f, "a/part-seg-3.x.ndjson 2: {\"n\":5}\n{\"n\":8}\n");
	nothing_taken(f);
	end(f);
}

/* --- where the cuts are -------------------------------------------------------------- */

static void a_line_longer_than_a_file_has_one_of_its_own(void **state)
{
	struct fixture *f = *state;
	batch(f);
	f->options.rotate_bytes = 10;
	begin(f);
	put(f, "a", "{}");
	put(f, "a", "{\"long\":\"line\"}");
	put(f, "a", "{}");
	seal_all(f);
	taken(f, "a/seg-1.ndjson 1: {}\n");
	taken(f, "a/seg-2.ndjson 1: {\"long\":\"line\"}\n");
	taken(f, "a/seg-3.ndjson 1: {}\n");
	end(f);
}

static void the_least_recently_used_is_sealed(void **state)
{
	struct fixture *f = *state;
	batch(f);
	f->options.open_limit = 2;
	begin(f);
	put(f, "a", "1");
	put(f, "b", "2");
	put(f, "a", "3");
	put(f, "c", "4"); /* b goes */
	taken(f, "b/seg-1.ndjson 1: 2\n");
	nothing_taken(f);
	put(f, "b", "5"); /* a goes */
	taken(f, "a/seg-1.ndjson 2: 1\n3\n");
	put(f, "c", "6");
	seal_all(f);
	taken(f, "b/seg-2.ndjson 1: 5\n");
	taken(f, "c/seg-1.ndjson 2: 4\n6\n");
	nothing_taken(f);
	end(f);
}

static void directories_beyond_the_limit_share_one(void **state)
{
	struct fixture *f = *state;
	batch(f);
	f->options.partition_limit = 2;
	begin(f);
	put(f, "a", "1");
	put(f, "b", "2");
	put(f, "c", "3");
	put(f, "d", "4");
	put(f, "a", "5");
	put(f, "c", "6");
	assert_int_equal(partitions_overflowed(f->partitions), 3);
	assert_int_equal(partitions_staged(f->partitions), 6);
	seal_all(f);
	taken(f, "b/seg-1.ndjson 1: 2\n");
	taken(f, "a/seg-1.ndjson 2: 1\n5\n");
	taken(f, "_overflow/seg-1.ndjson 3: 3\n4\n6\n");
	nothing_taken(f);
	end(f);
}

/* Dozens of directories in an order of no pattern, short and long lines, some longer than any buffer. */
static void feed(struct fixture *f, bool flush)
{
	static char line[150000];
	uint32_t random = 1;
	for (int i = 0; i < 400; i++) {
		char dir[16];
		random = random * 1664525u + 1013904223u;
		size_t length = i % 100 == 99 ? 140000 : 10 + (random >> 8) % 300;
		snprintf(dir, sizeof dir, "d=%u", (random >> 20) % 12);
		memset(line, 'a' + i % 26, length);
		snprintf(line + length, sizeof line - length, "%d", i);
		put(f, dir, line);
		if (flush && i % 7 == 0) assert_true(partitions_flush(f->partitions));
	}
	seal_all(f);
}

static uint64_t digest(struct fixture *f, size_t *files)
{
	struct checksum *sum = checksum_new();
	char block[4096];
	*files = 0;
	for (struct staging_item *item; (item = staging_next(f->staging)); ++*files) {
		checksum_add(sum, span_of(item->dir));
		checksum_add(sum, span_of(item->name));
		for (ssize_t got; (got = read(item->fd, block, sizeof block)) > 0;) checksum_add(sum, (struct span){ block, (size_t)got });
		staging_done(f->staging, item);
	}
	uint64_t value = checksum_value(sum);
	checksum_free(sum);
	return value;
}

static void the_same_lines_make_the_same_files(void **state)
{
	struct fixture *f = *state;
	size_t files, again;
	f->options.rotate_bytes = 100000;
	for (int pack = PACK_NONE; pack <= PACK_ZSTD; pack++) {
		f->options.pack = (enum partitions_pack)pack;
		for (size_t limit = 4; limit <= 16; limit += 12) {
			f->options.open_limit = limit;
			f->options.batch = true;
			begin(f);
			feed(f, false);
			uint64_t first = digest(f, &files);
			feed(f, false); /* of a run that has sealed before: the same lines have other names */
			assert_int_not_equal(digest(f, &again), first);
			assert_int_equal(again, files);
			end(f);
			f->options.batch = false; /* a stream's are written to disk more often */
			begin(f);
			feed(f, true);
			assert_int_equal(digest(f, &again), first);
			end(f);
			nothing_left(f);
		}
	}
}

/* --- what is in a file ----------------------------------------------------------------- */

static size_t unpack_zstd(int fd, char *out, size_t room)
{
	struct decompress *d = decompress_new();
	char in[65536];
	size_t written, length = 0;
	bool at_end = false;
	const char *reason = NULL;
	for (ssize_t got; (got = read(fd, in, sizeof in)) > 0;) {
		for (struct span rest = { in, (size_t)got }; rest.length; length += written) assert_true(decompress_step(d, &rest, out + length, room - length, &written, &at_end, &reason));
	}
	assert_true(at_end);
	decompress_free(d);
	return length;
}

static size_t unpack_gzip(int fd, char *out, size_t room)
{
	gzFile file = gzdopen(dup(fd), "r");
	int length = gzread(file, out, (unsigned)room);
	assert_true(length >= 0);
	assert_int_equal(gzclose(file), Z_OK);
	return (size_t)length;
}

static void a_packed_file_holds_the_lines(void **state)
{
	enum { LINES = 30000, ROOM = 1 << 20 };
	struct fixture *f = *state;
	struct buffer expected;
	char *out = malloc(ROOM);
	batch(f);
	buffer_init(&expected, ROOM);
	for (int i = 1; i <= LINES; i++) {
		buffer_append_text(&expected, "{\"n\":");
		buffer_append_int(&expected, i);
		buffer_append_text(&expected, "}\n");
	}
	for (int few = 0; few < 2; few++) {
		for (int pack = PACK_GZIP; pack <= PACK_ZSTD; pack++) {
			f->options.pack = (enum partitions_pack)pack;
			begin(f);
			put_lines(f, "a", 1, few ? 3 : LINES);
			seal_all(f);
			struct staging_item *item = staging_next(f->staging);
			assert_string_equal(item->name, pack == PACK_GZIP ? "seg-1.ndjson.gz" : "seg-1.ndjson.zst");
			assert_string_equal(strrchr(item->temp, '.'), ".tmp");
			assert_int_equal(strncmp(item->temp, ".seg-1.ndjson", 13), 0);
			size_t length = pack == PACK_GZIP ? unpack_gzip(item->fd, out, ROOM) : unpack_zstd(item->fd, out, ROOM);
			assert_int_equal(length, item->raw_bytes);
			assert_int_equal(length, few ? 24 : expected.length);
			assert_memory_equal(out, expected.data, length);
			staging_done(f->staging, item);
			end(f);
		}
	}
	buffer_release(&expected);
	free(out);
}

/* --- a full disk ----------------------------------------------------------------------- */

static void set_file_limit(rlim_t bytes)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Of the file's bytes, the last is a newline. */
static void is_whole(const char *path, off_t most)
{
	struct stat status;
	char last;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0 && status.st_size <= most);
	assert_int_equal(pread(fd, &last, 1, status.st_size - 1), 1);
	assert_int_equal(last, '\n');
	close(fd);
}

static void what_a_full_disk_does_not_take_can_be_tried_again(void **state)
{
	struct fixture *f = *state;
	char line[1000];
	int staged = 0;
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	begin(f);
	set_file_limit(100500);
	while (partitions_append(f->partitions, SPAN("a"), span_of(line))) staged++;
	assert_int_equal(errno, EFBIG);
	is_whole(run_file(f, "1.ndjson"), 100500);
	assert_int_equal(partitions_staged(f->partitions), staged);
	while (partitions_append(f->partitions, SPAN("a"), span_of(line))) staged++; /* there is room in memory for some */
	assert_false(partitions_seal_all(f->partitions));
	is_whole(run_file(f, "1.ndjson"), 100500);
	nothing_taken(f);
	set_file_limit(RLIM_INFINITY);
	put(f, "a", line);
	seal_all(f);
	struct staging_item *item = staging_next(f->staging);
	assert_int_equal(item->raw_bytes, (staged + 1) * 1000);
	assert_int_equal(item->records, staged + 1);
	staging_done(f->staging, item);
	end(f);
	nothing_left(f);
}

static void a_file_that_cannot_be_sealed_stays_as_it_was(void **state)
{
	struct fixture *f = *state;
	char line[1000];
	uint32_t random = 1;
	f->options.pack = PACK_ZSTD;
	signal(SIGXFSZ, SIG_IGN);
	begin(f);
	for (int i = 0; i < 400; i++) {
		for (size_t k = 0; k < sizeof line - 1; k++) line[k] = (char)(' ' + ((random = random * 1664525u + 1013904223u) >> 16) % 90);
		line[sizeof line - 1] = '\0';
		put(f, "a", line);
	}
	assert_true(partitions_flush(f->partitions));
	set_file_limit(100000);
	assert_false(partitions_seal_all(f->partitions));
	assert_int_equal(errno, EFBIG);
	assert_int_equal(partitions_staged(f->partitions), 400);
	assert_int_equal(entries(only(target_dir(f), "run-")), 3);
	nothing_taken(f);
	set_file_limit(RLIM_INFINITY);
	seal_all(f);
	char text[256];
	assert_true(take(f, text, sizeof text));
	assert_non_null(strstr(text, " 400: "));
	end(f);
	nothing_left(f);
}

/* --- age ---------------------------------------------------------------------------------- */

static void a_stream_is_cut_by_age_without_a_line(void **state)
{
	struct fixture *f = *state;
	f->options.rotate_ms = 0;
	begin(f);
	assert_true(partitions_due_ms(f->partitions) < 0);
	put(f, "a", "1");
	put(f, "b", "2");
	assert_int_equal(partitions_due_ms(f->partitions), 0);
	assert_true(partitions_tick(f->partitions));
	taken_lines(f, "1\n");
	taken_lines(f, "2\n");
	assert_true(partitions_due_ms(f->partitions) < 0);
	end(f);
	f->options.rotate_ms = 100000;
	begin(f);
	put(f, "a", "1");
	assert_true(partitions_due_ms(f->partitions) > 50000 && partitions_due_ms(f->partitions) <= 100000);
	assert_true(partitions_tick(f->partitions));
	nothing_taken(f);
	seal_all(f);
	taken_lines(f, "1\n");
	end(f);
}

static void a_batch_has_no_age(void **state)
{
	struct fixture *f = *state;
	batch(f);
	f->options.rotate_ms = 0;
	begin(f);
	put(f, "a", "1");
	assert_true(partitions_due_ms(f->partitions) < 0);
	assert_true(partitions_tick(f->partitions));
	nothing_taken(f);
	end(f);
	nothing_left(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_the_checksum_of_the_lines),
		TEST(the_same_lines_again_are_other_envelopes),
		TEST(a_segments_files_are_numbered_in_each_directory),
		TEST(a_line_longer_than_a_file_has_one_of_its_own),
		TEST(the_least_recently_used_is_sealed),
		TEST(directories_beyond_the_limit_share_one),
		TEST(the_same_lines_make_the_same_files),
		TEST(a_packed_file_holds_the_lines),
		TEST(what_a_full_disk_does_not_take_can_be_tried_again),
		TEST(a_file_that_cannot_be_sealed_stays_as_it_was),
		TEST(a_stream_is_cut_by_age_without_a_line),
		TEST(a_batch_has_no_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
