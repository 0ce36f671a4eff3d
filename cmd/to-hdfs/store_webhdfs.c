/* store_webhdfs - publishes in HDFS: upload under a hidden name, verify, rename; and whatever is in doubt is looked at. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/diag.h"
#include "sink/backoff.h"

/*   final name there? --- same length --> THERE;  another --> CONFLICT, or replaced
 *     no: mkdirs -> create temp -> length of temp -> rename -> PUBLISHED
 *                        ^____ wrong: again ____|        |
 *                                                      doubt (false, exists, no answer): look at both names
 *                        ^______ neither is there _______|-- final is ours --> PUBLISHED or, if temp is left, THERE
 *                                                 ^_______\-- temp is there --> rename again */
enum { UPLOADS_MOST = 4, RENAMES_MOST = 5, PATH_LIMIT = 8192, MADE_MOST = 4096 };

struct store_webhdfs {
	struct store store;
	struct webhdfs *webhdfs;
	char **made;                 /* directories that are known to be there */
	size_t made_count;
	struct buffer dir, name, temp; /* whole paths of the file at hand */
	const struct store_file *file;
};

static enum store_verdict verdict_of(enum webhdfs_verdict verdict)
{
	switch (verdict) {
	case WEBHDFS_DONE: return STORE_PUBLISHED;
	case WEBHDFS_REFUSED: return STORE_REFUSED;
	case WEBHDFS_DENIED: return STORE_DENIED;
	case WEBHDFS_STOPPED: return STORE_STOPPED;
	case WEBHDFS_IO: return STORE_IO;
	case WEBHDFS_EXISTS: return STORE_CONFLICT;
	case WEBHDFS_ABSENT:
	case WEBHDFS_UNKNOWN:
	case WEBHDFS_LATER: break;
	}
	return STORE_LATER;
}

/* What webhdfs has said becomes our reason. */
static enum store_verdict pass_on(struct store_webhdfs *s, enum webhdfs_verdict verdict)
{
	snprintf(s->store.reason, sizeof s->store.reason, "%s", webhdfs_reason(s->webhdfs));
	return verdict_of(verdict);
}

static void __attribute__((format(printf, 2, 3))) explain(struct store_webhdfs *s, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vsnprintf(s->store.reason, sizeof s->store.reason, format, list);
	va_end(list);
}

/* --- looking --- */

enum sight { SIGHT_OURS, SIGHT_OTHER, SIGHT_DIRECTORY, SIGHT_ABSENT, SIGHT_FAILED };

/* What stands under a name: our file (of its length and, with `verify`, its checksum), another, a directory (HttpFS moves a file into one, so no rename comes near it),
 * nothing. FAILED: *verdict. */
static enum sight look(struct store_webhdfs *s, const struct buffer *path, enum store_verdict *verdict)
{
	struct webhdfs_status status;
	bool equal = true;
	enum webhdfs_verdict answer = webhdfs_status(s->webhdfs, buffer_span(path), &status);
	if (answer == WEBHDFS_ABSENT) return SIGHT_ABSENT;
	if (answer == WEBHDFS_DONE && status.is_directory) {
		explain(s, "a directory is there");
		return SIGHT_DIRECTORY;
	}
	if (answer == WEBHDFS_DONE && status.length != s->file->bytes) {
		explain(s, "a file of %" PRIu64 " bytes is there, and ours has %" PRIu64, status.length, s->file->bytes);
		return SIGHT_OTHER;
	}
	if (answer == WEBHDFS_DONE && s->store.verify) {
		answer = webhdfs_verify(s->webhdfs, buffer_span(path), s->file->fd, s->file->bytes, &equal);
		if (answer == WEBHDFS_ABSENT) return SIGHT_ABSENT;
		if (!equal) explain(s, "a file of our length, but with another checksum, is there");
	}
	if (answer == WEBHDFS_DONE) return equal ? SIGHT_OURS : SIGHT_OTHER;
	*verdict = pass_on(s, answer);
	return SIGHT_FAILED;
}

/* Nobody is told if it fails: a hidden file more does no harm. What `reason` says stays. */
static void drop_temp(struct store_webhdfs *s)
{
	webhdfs_delete(s->webhdfs, buffer_span(&s->temp));
}

/* --- uploading --- */

static bool is_made(const struct store_webhdfs *s, const char *dir)
{
	for (size_t i = s->made_count; i-- > 0;) {
		if (strcmp(s->made[i], dir) == 0) return true;
	}
	return false;
}

static bool make_dir(struct store_webhdfs *s, enum store_verdict *verdict)
{
	if (is_made(s, s->file->dir)) return true;
	enum webhdfs_verdict answer = webhdfs_mkdirs(s->webhdfs, s->dir.length ? buffer_span(&s->dir) : SPAN("/"));
	if (answer != WEBHDFS_DONE) {
		*verdict = pass_on(s, answer);
		return false;
	}
	if (s->made_count < MADE_MOST) {
		s->made = must_resize(s->made, (s->made_count + 1) * sizeof *s->made);
		s->made[s->made_count++] = must_copy(span_of(s->file->dir));
	}
	return true;
}

/* A cut upload looks whole, so its length is asked for, and if it is wrong all of it is sent again. */
static bool upload(struct store_webhdfs *s, enum store_verdict *verdict)
{
	struct backoff backoff = { .first_ms = 200, .most_ms = 5000 };
	for (int turn = 1;; turn++) {
		enum webhdfs_verdict answer = webhdfs_create(s->webhdfs, buffer_span(&s->temp), s->file->fd, s->file->bytes, s->store.on_progress, s->store.context);
		if (answer != WEBHDFS_DONE) {
			*verdict = pass_on(s, answer);
			if (answer == WEBHDFS_REFUSED) drop_temp(s);
			return false;
		}
		enum sight sight = look(s, &s->temp, verdict);
		if (sight == SIGHT_OURS) return true;
		if (sight == SIGHT_FAILED) return false;
		if (sight == SIGHT_ABSENT) explain(s, "what was sent is not there");
		*verdict = STORE_LATER;
		if (turn == UPLOADS_MOST) break;
		diag_note(1, "%s: %s; sent again", s->name.data, s->store.reason);
		if (!backoff_wait(backoff_next_ms(&backoff))) {
			*verdict = STORE_STOPPED;
			return false;
		}
	}
	char why[STORE_REASON_MAX];
	memcpy(why, s->store.reason, sizeof why);
	explain(s, "sent %d times, and each time something else arrives: %.400s", UPLOADS_MOST, why);
	return false;
}

/* --- renaming --- */

enum step { STEP_END, STEP_RENAME, STEP_UPLOAD };

static enum step conflict(struct store_webhdfs *s, enum store_verdict *verdict)
{
	*verdict = STORE_CONFLICT;
	drop_temp(s);
	return STEP_END;
}

/* HttpFS knows no OVERWRITE and says false: then there is no file of this name for a moment. */
static bool make_room(struct store_webhdfs *s, enum store_verdict *verdict)
{
	enum webhdfs_verdict answer = webhdfs_delete(s->webhdfs, buffer_span(&s->name));
	if (answer != WEBHDFS_DONE) *verdict = pass_on(s, answer);
	return answer == WEBHDFS_DONE;
}

/* The rename has not simply been done. Which of the two names is there says what has happened. */
static enum step resolve(struct store_webhdfs *s, enum store_verdict *verdict)
{
	char why[STORE_REASON_MAX];
	memcpy(why, s->store.reason, sizeof why); /* of the rename: what is to be said in the end, if nothing better is found */
	enum sight final = look(s, &s->name, verdict);
	if (final == SIGHT_FAILED) return STEP_END;
	if (final == SIGHT_DIRECTORY || (final == SIGHT_OTHER && !s->store.replace)) return conflict(s, verdict);
	enum sight temp = look(s, &s->temp, verdict);
	if (temp == SIGHT_FAILED) return STEP_END;
	memcpy(s->store.reason, why, sizeof why);
	if (final == SIGHT_OURS) {
		/* The answer alone was lost; or two runs published the same at a time, and this one came second. */
		*verdict = temp == SIGHT_ABSENT ? STORE_PUBLISHED : STORE_THERE;
		if (temp != SIGHT_ABSENT) drop_temp(s);
		return STEP_END;
	}
	if (temp != SIGHT_OURS) return STEP_UPLOAD;
	if (final == SIGHT_OTHER && !make_room(s, verdict)) return STEP_END;
	return STEP_RENAME;
}

static enum store_verdict move_in(struct store_webhdfs *s)
{
	struct backoff backoff = { .first_ms = 200, .most_ms = 5000 };
	enum store_verdict verdict = STORE_LATER;
	for (int turn = 1; turn <= RENAMES_MOST; turn++) {
		enum webhdfs_verdict answer = webhdfs_rename(s->webhdfs, buffer_span(&s->temp), buffer_span(&s->name), s->store.replace);
		if (answer == WEBHDFS_DONE) return STORE_PUBLISHED;
		pass_on(s, answer);
		if (answer != WEBHDFS_EXISTS && answer != WEBHDFS_UNKNOWN && answer != WEBHDFS_ABSENT) return verdict_of(answer);
		enum step step = resolve(s, &verdict);
		if (step == STEP_END) return verdict;
		verdict = STORE_LATER;
		if (turn > 1 && turn < RENAMES_MOST && !backoff_wait(backoff_next_ms(&backoff))) return STORE_STOPPED;
		if (step == STEP_UPLOAD && !upload(s, &verdict)) return verdict;
	}
	return STORE_LATER;
}

/* --- the whole --- */

/* Whether the run that is dead has uploaded it wholly. It may have been killed with its rename on the way: what that renames must not be a file that we are writing. */
static bool was_sent(struct store_webhdfs *s, enum sight *sight, enum store_verdict *verdict)
{
	if (!s->file->adopted) return false;
	*sight = look(s, &s->temp, verdict);
	return *sight == SIGHT_OURS;
}

static bool set_path(struct buffer *out, struct span base, const char *dir, const char *name)
{
	buffer_clear(out);
	buffer_append_span(out, base);
	if (*dir) buffer_append_byte(out, '/');
	buffer_append_text(out, dir);
	if (name) buffer_append_byte(out, '/');
	if (name) buffer_append_text(out, name);
	return buffer_text(out) != NULL;
}

static enum store_verdict publish(struct store *store, const struct store_file *file)
{
	struct store_webhdfs *s = (struct store_webhdfs *)store;
	struct span base = webhdfs_base(s->webhdfs);
	enum store_verdict verdict = STORE_REFUSED;
	s->file = file;
	store->reason[0] = '\0';
	if (!set_path(&s->dir, base, file->dir, NULL) || !set_path(&s->name, base, file->dir, file->name) || !set_path(&s->temp, base, file->dir, file->temp)) {
		explain(s, "its path is longer than %d bytes", PATH_LIMIT);
		return STORE_REFUSED;
	}
	enum sight sight = look(s, &s->name, &verdict);
	if (sight == SIGHT_FAILED) return verdict;
	bool is_conflict = sight == SIGHT_DIRECTORY || (sight == SIGHT_OTHER && !store->replace);
	if (file->adopted && (is_conflict || sight == SIGHT_OURS)) drop_temp(s);
	if (is_conflict) return STORE_CONFLICT;
	if (sight == SIGHT_OURS) return STORE_THERE;
	if (!was_sent(s, &sight, &verdict) && (sight == SIGHT_FAILED || !make_dir(s, &verdict) || !upload(s, &verdict))) return verdict;
	verdict = move_in(s);
	if (verdict == STORE_PUBLISHED || verdict == STORE_THERE) store->reason[0] = '\0';
	return verdict;
}

static void release(struct store *store)
{
	struct store_webhdfs *s = (struct store_webhdfs *)store;
	for (size_t i = 0; i < s->made_count; i++) free(s->made[i]);
	free(s->made);
	buffer_release(&s->dir);
	buffer_release(&s->name);
	buffer_release(&s->temp);
	webhdfs_free(s->webhdfs);
	free(store->where);
	free(s);
}

struct store *store_webhdfs_new(const struct webhdfs_options *options, const char **why)
{
	struct webhdfs *webhdfs = webhdfs_new(options, why);
	if (!webhdfs) return NULL;
	struct store_webhdfs *s = must_alloc(sizeof *s);
	s->webhdfs = webhdfs;
	s->store = (struct store){ .publish = publish, .release = release };
	struct span where = span_of(options->address);
	while (where.length && where.data[where.length - 1] == '/') where.length--;
	s->store.where = must_copy(where);
	buffer_init(&s->dir, PATH_LIMIT);
	buffer_init(&s->name, PATH_LIMIT);
	buffer_init(&s->temp, PATH_LIMIT);
	return &s->store;
}
