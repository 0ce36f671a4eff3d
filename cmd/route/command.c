/* command - supervises a child that takes lines. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "command.h"
#include "io/diag.h"
#include "overflow.h"

enum {
	PAUSE_LEAST_MS = 100, PAUSE_MOST_MS = 30000,
	PROVEN_MS = 10000,      /* having run so long, its end is an accident and no habit */
	DRAIN_STARTS_MOST = 3,
};

int64_t command_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct command *command_new(int64_t grace_ms)
{
	struct command *c = must_alloc(sizeof *c);
	*c = (struct command){ .child = { .in = -1, .out = -1, .err = -1 }, .rest = -1, .grace_ms = grace_ms };
	return c;
}

void command_free(struct command *c)
{
	if (!c) return;
	if (c->rest >= 0) close(c->rest);
	free(c);
}

static bool start_child(struct sink *s)
{
	struct child *child = &s->command->child;
	unsigned options = CHILD_PIPE_IN | CHILD_OWN_GROUP;
	if (s->kind == DESTINATION_COMMAND) return child_start_shell(child, s->path, options);
	char *argv[8 + DESTINATION_ACCESS_WORDS] = { (char[]){ "metlog-send" }, (char[]){ "--json" }, (char[]){ "--as-is" }, (char[]){ "--timeout" },
		(char[]){ "0" }, (char[]){ "--to" }, s->path };
	char words[DESTINATION_ACCESS_WORDS][DESTINATION_ACCESS_MAX + 3];
	size_t count = 0;
	for (const char *word = s->access; *word && count < DESTINATION_ACCESS_WORDS; count++) {
		size_t length = strcspn(word, " ");
		snprintf(words[count], sizeof words[count], "--%.*s", (int)length, word);
		argv[7 + count] = words[count];
		word += length + (word[length] == ' ');
	}
	return child_start(child, argv, options | CHILD_TOOL);
}

bool command_start(struct sink *s)
{
	struct command *c = s->command;
	c->started_ms = command_now_ms();
	if (!start_child(s)) {
		diag_error("route %s: cannot start %s: %s", s->name, s->text, strerror(errno));
		return false;
	}
	s->fd = c->child.in;
	c->child.in = -1; /* the sink closes it */
	fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) | O_NONBLOCK);
	fcntl(s->fd, F_SETPIPE_SZ, COMMAND_PIPE_BYTES);
	c->restart_ms = 0;
	s->stuck = false;
	diag_note(1, "route %s: started %s, process %ld", s->name, s->text, (long)c->child.pid);
	return true;
}

/* What it has not read is to be written again, from the start of a line. */
static void take_back(struct sink *s, int fd)
{
	int unread = 0;
	if (fd < 0 || ioctl(fd, FIONREAD, &unread) != 0) unread = 0;
	sink_forget(s, s->ring.sent - (unsigned)unread);
	s->ring.sent = s->ring.head;
}

void command_lost_reader(struct sink *s)
{
	take_back(s, s->fd);
	close(s->fd);
	s->fd = -1;
	s->stuck = false;
}

void command_forget_read(struct sink *s)
{
	int unread = 0;
	if (s->fd >= 0 && ring_used(&s->ring) && ioctl(s->fd, FIONREAD, &unread) == 0)
		sink_forget(s, s->ring.sent - (unsigned)unread);
}

/* Ends its input. A read handle on the pipe is kept, to see afterwards whether all was read; there is nothing to write any more that it could keep alive. */
static void end_input(struct sink *s)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/self/fd/%d", s->fd);
	s->command->rest = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	close(s->fd);
	s->fd = -1;
}

static bool is_hopeless(int status)
{
	switch (status) {
	case EXIT_USAGE: case EXIT_PERMISSION: case EXIT_CONFIGURATION: case 126: case 127: return true;
	default: return false;
	}
}

static void note_status(struct sink *s, int status)
{
	if (status == 0 || s->status == EXIT_IO) return;
	s->status = status >= EXIT_USAGE && status <= EXIT_CONFIGURATION && status != EXIT_USAGE ? status : EXIT_REFUSED;
}

static void give_up(struct sink *s, const char *what, const char *why)
{
	uint64_t before = s->undelivered;
	if (s->overflow) overflow_keep(s);
	sink_lose(s);
	uint64_t lost = s->undelivered - before;
	/* None of the buffer, that is: what stood in the pipe the command may have read or not. */
	if (lost == 0 && s->overflow) diag_error("route %s: %s %s; %s", s->name, s->text, what, why);
	else if (lost == 0) diag_error("route %s: %s %s; %s; what it had been given may be undelivered", s->name, s->text, what, why);
	else diag_error("route %s: %s %s; %s; %llu envelope%s undelivered", s->name, s->text, what, why, (unsigned long long)lost, lost == 1 ? "" : "s");
	if (!s->status) s->status = lost || !s->overflow ? EXIT_REFUSED : EXIT_LATER;
	s->failed = true;
	s->command->done = true;
	s->ring.capacity = 0;
}

static void plan_restart(struct sink *s, const char *what, int64_t now)
{
	struct command *c = s->command;
	c->failures = now - c->started_ms >= PROVEN_MS ? 0 : c->failures;
	int64_t pause = PAUSE_LEAST_MS;
	for (unsigned i = 0; i < c->failures && pause < PAUSE_MOST_MS; i++) pause *= 2;
	if (pause > PAUSE_MOST_MS) pause = PAUSE_MOST_MS;
	pause -= random() % (pause / 2 + 1);
	c->failures++;
	c->restart_ms = now + pause;
	diag_warn("route %s: %s %s; starting it again in %.1f s", s->name, s->text, what, (double)pause / 1000);
}

/* There is nothing that it is still to be given, or given again. */
static bool is_drained(const struct sink *s)
{
	return s->command->draining && ring_used(&s->ring) == 0 && !overflow_has_more(s);
}

static void has_ended(struct sink *s, int64_t now)
{
	struct command *c = s->command;
	char what[CHILD_TEXT_MAX];
	int status = child_exit_status(c->child.status);
	child_describe(c->child.status, what);
	if (s->fd >= 0) {
		command_lost_reader(s);
	} else if (c->rest >= 0) {
		take_back(s, c->rest);
		close(c->rest);
		c->rest = -1;
	}
	/* One that we stopped before it heard signals dies of ours: it is what it would have said that counts. */
	if (c->stopped && WIFSIGNALED(c->child.status) && WTERMSIG(c->child.status) == SIGTERM) status = EXIT_LATER;
	note_status(s, status);
	if (is_drained(s)) {
		if (status) diag_error("route %s: %s %s", s->name, s->text, what);
		c->done = true;
	} else if (c->stopped) {
		give_up(s, what, "its far side was away");
	} else if (is_hopeless(status)) {
		give_up(s, what, "it is not started again");
	} else if (c->draining && c->drain_starts++ == DRAIN_STARTS_MOST) {
		give_up(s, what, "it was started often enough");
	} else {
		plan_restart(s, what, now);
	}
}

static void watch_progress(struct sink *s, int64_t now)
{
	struct command *c = s->command;
	int fd = s->fd >= 0 ? s->fd : c->rest, unread = 0;
	if (s->kind != DESTINATION_ENDPOINT || !c->draining || !c->child.pid || c->stopped) return;
	if (fd >= 0 && ioctl(fd, FIONREAD, &unread) != 0) unread = 0;
	size_t remains = ring_unsent(&s->ring) + (unsigned)unread;
	if (s->overflow) remains += s->overflow->taken_back; /* what came into the ring meanwhile must not look like what went out */
	if (remains != c->remains || !c->progress_ms) {
		c->remains = remains;
		c->progress_ms = now;
	} else if (now - c->progress_ms >= c->grace_ms) {
		c->stopped = true;
		child_signal(&c->child, SIGTERM);
	}
}

void command_look(struct sink *s, int64_t now)
{
	struct command *c = s->command;
	if (c->done) return;
	if (c->child.pid && child_wait(&c->child, 0)) has_ended(s, now);
	if (c->done || c->child.pid == 0) {
		if (is_drained(s)) c->done = true; /* it died before, and nothing came since */
		if (c->done || now < c->restart_ms) return;
		if (!command_start(s)) {
			if (c->draining && c->drain_starts++ == DRAIN_STARTS_MOST) give_up(s, "did not start", "it was tried often enough");
			else plan_restart(s, "did not start", now);
			return;
		}
		sink_flush(s);
	}
	if (c->draining && s->fd >= 0 && ring_unsent(&s->ring) == 0 && !overflow_has_more(s)) end_input(s);
	watch_progress(s, now);
}

int64_t command_wakes_ms(const struct sink *s)
{
	const struct command *c = s->command;
	if (!c || c->done) return INT64_MAX;
	if (c->child.pid == 0) return c->restart_ms;
	return c->progress_ms && !c->stopped ? c->progress_ms + c->grace_ms : INT64_MAX;
}

void command_give_up(struct sink *s, const char *why)
{
	struct command *c = s->command;
	if (c->done) return;
	if (s->fd >= 0) command_lost_reader(s);
	else take_back(s, c->rest);
	child_signal(&c->child, SIGTERM);
	if (!child_wait(&c->child, 2000)) child_signal(&c->child, SIGKILL), child_wait(&c->child, -1);
	if (!s->overflow) note_status(s, child_exit_status(c->child.status)); /* it was we who stopped it, and what it has not read is kept */
	give_up(s, "was stopped", why);
}
