/* routefile - turns logical lines into routes, and says of each mistake where it stands. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/diag.h"
#include "routefile.h"
#include "routetext.h"

enum { ROUTE_REASON_MAX = 4096 };

/* Reads one logical line word by word; offsets in `text` are what routetext_fault wants. */
struct parse {
	struct routes *routes;
	struct routetext *text;
	const char *start, *end; /* of the logical line */
};

void routes_init(struct routes *r)
{
	*r = (struct routes){ 0 };
}

static void release_route(struct route *r)
{
	free(r->name);
	free(r->where);
	free(r->expression);
	match_free(r->match);
	destination_release(&r->destination);
}

void routes_release(struct routes *r)
{
	for (size_t i = 0; i < r->count; i++) release_route(&r->route[i]);
	free(r->route);
	if (r->other) release_route(r->other);
	free(r->other);
	routes_init(r);
}

struct route *routes_find(const struct routes *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->route[i].name, name) == 0) return &r->route[i];
	return r->other && strcmp(r->other->name, name) == 0 ? r->other : NULL;
}

static bool fault(struct parse *p, const char *at, const char *reason)
{
	routetext_fault(p->text, (size_t)(at - p->start), reason);
	return false;
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t')) at++;
	return at;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

static struct span take_name(const char **at, const char *end)
{
	const char *from = *at;
	while (*at < end && is_name(**at)) ++*at;
	return span_between(from, *at);
}

static bool check_name(struct parse *p, struct span name, const char *at)
{
	if (name.length == 0) return fault(p, at, "a name is missing: letters, digits, _ . and -");
	char *copy = must_copy(name);
	bool taken = routes_find(p->routes, copy) != NULL;
	free(copy);
	return taken ? fault(p, name.data, "this name is taken by another route") : true;
}

static bool is_same_folder(const char *a, const char *b)
{
	struct stat one, other;
	if (strcmp(a, b) == 0) return true;
	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Why the two cannot be had together: routes share a spool: if they want the same of it; any other spool has one route. NULL: they can. */
static const char *spools_clash(const struct destination *a, const struct destination *b)
{
	char *one = destination_spool(a), *other = destination_spool(b);
	const char *reason = NULL;
	if (one && other && is_same_folder(one, other)) {
		if (a->kind != DESTINATION_SPOOL || b->kind != DESTINATION_SPOOL) reason = "one route cannot take out what another puts in, and this folder is the spool of";
		else if (!destination_same_options(&a->spool_options, &b->spool_options)) reason = "routes share a spool with the same words behind it, and others stand in";
	}
	free(one);
	free(other);
	return reason;
}

static bool check_spool(struct parse *p, const struct route *route, const char *at)
{
	struct routes *r = p->routes;
	for (size_t i = 0; i <= r->count; i++) {
		const struct route *other = i < r->count ? &r->route[i] : r->other;
		const char *why = other ? spools_clash(&other->destination, &route->destination) : NULL;
		char reason[ROUTE_REASON_MAX];
		if (!why) continue;
		snprintf(reason, sizeof reason, "%s route %s (%s)", why, other->name, other->where);
		return fault(p, at, reason);
	}
	return true;
}

static bool parse_destination(struct parse *p, struct route *route, const char *from)
{
	struct destination_fault f;
	from = skip_blanks(from, p->end);
	route->where = routetext_where(p->text, (size_t)(from - p->start));
	if (!destination_parse(&route->destination, span_between(from, p->end), &f)) return fault(p, from + f.column - 1, f.reason);
	return check_spool(p, route, from);
}

/* EXPR => DEST, from `at` on. */
static bool parse_rule(struct parse *p, struct route *route, const char *at)
{
	if (p->text->arrow == SIZE_MAX) return fault(p, p->end, "\"=>\" and a destination are missing");
	const char *arrow = p->start + p->text->arrow;
	at = skip_blanks(at, arrow);
	struct span expression = span_trim(span_between(at, arrow));
	if (expression.length == 0) return fault(p, arrow, "an expression is missing before \"=>\"; TRUE takes every envelope");
	struct match_fault f;
	route->match = match_new(expression, &f);
	bool good = route->match || fault(p, expression.data + (f.column ? f.column - 1 : 0), f.reason);
	route->expression = must_copy(expression);
	return parse_destination(p, route, arrow + 2) && good;
}

static void add_route(struct parse *p, struct route *route)
{
	struct routes *r = p->routes;
	if (r->count == ROUTES_MAX) {
		fault(p, p->start, "too many routes");
		release_route(route);
		return;
	}
	r->route = must_resize(r->route, (r->count + 1) * sizeof *r->route);
	r->route[r->count++] = *route;
}

static void add_other(struct parse *p, struct route *route, const char *at)
{
	if (p->routes->other) {
		fault(p, at, "there is a default already");
		release_route(route);
		return;
	}
	p->routes->other = must_alloc(sizeof *route);
	*p->routes->other = *route;
}

static void parse_default(struct parse *p, const char *at)
{
	struct route route = { .expression = must_copy(SPAN("")) };
	const char *word = at;
	struct span name = take_name(&at, p->end);
	at = skip_blanks(at, p->end);
	bool arrow = p->text->arrow != SIZE_MAX;
	bool good = (arrow && at == p->start + p->text->arrow) || fault(p, at, "\"=>\" and a destination are expected here");
	if (good && name.length == 0) name = SPAN("default");
	else if (good) good = check_name(p, name, word);
	route.name = must_copy(name);
	if (good && parse_destination(p, &route, at + 2)) add_other(p, &route, p->start);
	else release_route(&route);
}

static void parse_route(struct parse *p, const char *at, char behind_name)
{
	struct route route = { 0 };
	const char *word = at;
	struct span name = take_name(&at, p->end);
	route.name = must_copy(name);
	bool good = check_name(p, name, word);
	if (good && behind_name) {
		at = skip_blanks(at, p->end);
		good = (at < p->end && *at == behind_name) || fault(p, at, "a ':' is expected after the name: NAME: EXPR => DEST");
		at++;
	} else if (good) {
		good = at == p->end || *at == ' ' || *at == '\t' || *at == '=' || fault(p, at, "not a part of a name: letters, digits, _ . and - are");
	}
	if (good && parse_rule(p, &route, at)) add_route(p, &route);
	else release_route(&route);
}

static struct parse begin(struct routes *r, struct routetext *t)
{
	struct span text = buffer_span(&t->lines.text);
	return (struct parse){ r, t, text.data, text.data + text.length };
}

static void parse_line(struct routes *r, struct routetext *t)
{
	struct parse p = begin(r, t);
	const char *at = skip_blanks(p.start, p.end), *word = at;
	struct span key = take_name(&at, p.end);
	at = skip_blanks(at, p.end);
	if (span_equal(key, SPAN("route"))) parse_route(&p, at, 0);
	else if (span_equal(key, SPAN("default"))) parse_default(&p, at);
	else fault(&p, word, "a line begins with \"route\", \"default\" or \"#\"");
}

static bool read_whole(const char *path, struct buffer *whole)
{
	int fd = strcmp(path, "-") == 0 ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return false;
	ssize_t got = 1;
	while (got > 0) {
		if (!buffer_reserve(whole, 65536)) {
			errno = EFBIG;
			got = -1;
			break;
		}
		do got = read(fd, whole->data + whole->length, 65536); while (got < 0 && errno == EINTR);
		if (got > 0) whole->length += (size_t)got;
	}
	int kept = errno;
	close(fd);
	errno = kept;
	return got == 0;
}

void routes_read_file(struct routes *r, const char *path)
{
	struct buffer whole;
	buffer_init(&whole, ROUTES_FILE_MAX);
	if (!read_whole(path, &whole)) {
		diag_error("cannot read %s: %s", path, strerror(errno));
		r->faults++;
	} else if (whole.length && memchr(whole.data, '\0', whole.length)) {
		diag_error("%s: there is a NUL byte in it", path);
		r->faults++;
	} else {
		struct routetext *t = must_alloc(sizeof *t);
		routetext_init(t, path, buffer_span(&whole));
		while (routetext_next(t, false)) parse_line(r, t);
		r->faults += t->faults;
		routetext_release(t);
		free(t);
	}
	buffer_release(&whole);
}

static void add_text(struct routes *r, const char *source, const char *text, bool only_destination)
{
	struct routetext *t = must_alloc(sizeof *t);
	routetext_init(t, source, span_of(text));
	if (routetext_next(t, only_destination)) {
		struct parse p = begin(r, t);
		if (only_destination) {
			struct route route = { .name = must_copy(SPAN("default")), .expression = must_copy(SPAN("")) };
			if (parse_destination(&p, &route, p.start)) add_other(&p, &route, p.start);
			else release_route(&route);
		} else {
			parse_route(&p, skip_blanks(p.start, p.end), ':');
		}
		if (routetext_next(t, only_destination)) routetext_fault(t, 0, "one route is expected, this is another");
	} else if (!t->faults) {
		diag_error("%s: it is empty", source);
		t->faults++;
	}
	r->faults += t->faults;
	routetext_release(t);
	free(t);
}

void routes_add(struct routes *r, const char *text)
{
	add_text(r, "-r", text, false);
}

void routes_add_default(struct routes *r, const char *text)
{
	add_text(r, "-d", text, true);
}

void routes_finish(struct routes *r, const char *source)
{
	if (r->other || r->faults) return;
	diag_error("%s: there is no default: say where envelopes go that no route takes, be it \"default => drop\"", source);
	r->faults++;
}
