/* tags - collects the tags of a metric and writes them in the style a server reads. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TO_STATSD_TAGS_H
#define TO_STATSD_TAGS_H

#include "member.h"
#include "text.h"

/*   none        name:1|c
 *   dogstatsd   name:1|c|#k:v,k2:v2         Datadog's agent; also statsd_exporter, telegraf, npm statsd
 *   influx      name,k=v,k2=v2:1|c          telegraf
 *   graphite    name;k=v;k2=v2:1|c          npm statsd, Graphite
 *   librato     name#k=v,k2=v2:1|c
 *   signalfx    name[k=v,k2=v2]:1|c */
struct tags_style {
	const char *name;
	const char *open, *equals, *comma, *close;
	const char *unsafe;  /* in names and tags, besides what statsd itself splits at */
	bool is_tail;        /* stands behind the type and the rate */
	bool bare;           /* a tag without a value may be sent */
	bool utf8;
};

enum { TAGS_MAX = 64, TAGS_OPTIONS_MAX = 32 };

const struct tags_style *tags_style_find(const char *name); /* NULL: there is no such style */

struct tags {
	const struct tags_style *style;
	struct tags_option {
		struct span name;
		struct member member;
	} option[TAGS_OPTIONS_MAX];  /* --tag */
	size_t option_count;
	bool sorted;                 /* by name: contexts of an aggregation are compared by their text */
	struct text_map names, values;
	struct tags_one { uint32_t name, name_length, value, value_length; } one[TAGS_MAX]; /* of the envelope, offsets in `text` */
	size_t count;
	struct buffer text, decoded;
};

/* ascii: the far side reads nothing else (a statsd that decodes its TCP stream as ASCII makes newlines and bars of other bytes). */
void tags_init(struct tags *, const struct tags_style *, bool sorted, bool ascii, size_t limit_bytes);
void tags_release(struct tags *);

/* "FIELD" or "NAME=FIELD". FIELD is a name as in member.h; any other is taken as fields.FIELD. False, with *reason. Dies without memory. */
bool tags_add_option(struct tags *, const char *text, const char **reason);

/* The tags of this envelope: the pairs of the object in its order, then those of the options; of tags with one name the first counts.
 * NULL, or why it cannot be done. */
const char *tags_collect(struct tags *, const struct envelope *, struct value object);

size_t tags_length(const struct tags *);            /* bytes that tags_put will write at most */
char *tags_put(const struct tags *, char *out);     /* returns the new end */

#endif
