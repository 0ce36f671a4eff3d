/* routefile - reads the routes: from a file, one a line, or from the command line. Format: metlog-route(5). */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ROUTE_ROUTEFILE_H
#define ROUTE_ROUTEFILE_H

#include "destination.h"
#include "envelope/match.h"

struct route {
	char *name;
	char *where;             /* "FILE:LINE", for messages about another route */
	char *expression;        /* "" for the default */
	struct match *match;     /* NULL for the default */
	struct destination destination;
};

struct routes {
	struct route *route;     /* in the order of the file, without the default */
	size_t count;
	struct route *other;     /* the default: what no route takes; NULL until read */
	unsigned faults;         /* mistakes found, each already said on standard error */
};

enum { ROUTES_MAX = 1000, ROUTES_FILE_MAX = 16 * 1024 * 1024 };

void routes_init(struct routes *);
void routes_release(struct routes *);

/* Each reports every mistake as "FILE:LINE:COLUMN: reason" with the line and a caret below the place, and counts it in `faults`. */
void routes_read_file(struct routes *, const char *path);         /* path "-" is standard input */
void routes_add(struct routes *, const char *text);               /* -r 'NAME: EXPR => DEST' */
void routes_add_default(struct routes *, const char *text);       /* -d DEST */
void routes_finish(struct routes *, const char *source);          /* a missing default is a mistake, too */

struct route *routes_find(const struct routes *, const char *name); /* the default included; NULL */

#endif
