/* mozlog_made - an envelope that is being made of a scanned line, and its view, without a second scan. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_MOZLOG_MADE_H
#define ENVELOPE_MOZLOG_MADE_H

#include "envelope/envelope.h"

/* What is copied from the line brings its part of the line's index along, moved to where it stands now; for what is new, entries are made. So the index comes out as a scan of the envelope would find
 * it, for a tenth of what scanning and parsing it costs.
 *
 *     mozlog_made_begin(made, out, line, true);
 *     mozlog_made_put(made, SPAN("{\"type\":"), value, &made->view.type); ...
 *     mozlog_made_end(made);
 *     if (made->next) ... made->view ...
 *
 * All append to `out`, which tells whether one of them failed. */
struct mozlog_made {
	struct buffer *out;
	size_t start;                  /* where the envelope begins there */
	const struct envelope *line;   /* where values come from: a good object of JSON, with its scan */
	struct scan scan;              /* the index that is made; init and release by the owner */
	uint32_t *next;                /* its entry that comes next. NULL: there will be no view: nobody has asked for one, a value came from elsewhere, or no memory */
	struct envelope view;          /* complete behind mozlog_made_end, and valid until `out` or the line changes */
};

void mozlog_made_begin(struct mozlog_made *, struct buffer *out, const struct envelope *line, bool wants_view);
void mozlog_made_end(struct mozlog_made *); /* with the brace */

static inline void mozlog_made_forget(struct mozlog_made *made) /* there will be no view */
{
	made->next = NULL;
}

/* What is going to be appended. A name as all that stands before its value, with the comma or brace: ,"type": */
void mozlog_made_note_name(struct mozlog_made *, size_t length);
void mozlog_made_note_token(struct mozlog_made *);
void mozlog_made_note_copy(struct mozlog_made *, struct span text, uint32_t first, uint32_t behind);
void mozlog_made_note_value(struct mozlog_made *, struct value, struct value *seen);

/* A bracket or a comma. */
static inline void mozlog_made_token(struct mozlog_made *made, char byte)
{
	if (made->next) mozlog_made_note_token(made);
	buffer_append_byte(made->out, byte);
}

/* A part of the line, with the entries [first, behind) that are in it. */
static inline void mozlog_made_copy(struct mozlog_made *made, struct span text, uint32_t first, uint32_t behind)
{
	if (made->next) mozlog_made_note_copy(made, text, first, behind);
	buffer_append_span(made->out, text);
}

static inline void mozlog_made_name(struct mozlog_made *made, struct span name)
{
	if (made->next) mozlog_made_note_name(made, name.length);
	buffer_append_span(made->out, name);
}

/* A value, the text of a string between its quotes. It is of the line, or a string or a number from elsewhere; any other from elsewhere only behind mozlog_made_forget. `seen`: where the view has it,
 * or NULL. */
static inline void mozlog_made_value(struct mozlog_made *made, struct value value, struct value *seen)
{
	if (made->next) mozlog_made_note_value(made, value, seen);
	bool quotes = value.kind == VALUE_STRING;
	buffer_append_span(made->out, (struct span){ value.text.data - quotes, value.text.length + 2 * quotes });
}

static inline void mozlog_made_put(struct mozlog_made *made, struct span name, struct value value, struct value *seen)
{
	mozlog_made_name(made, name);
	mozlog_made_value(made, value, seen);
}

#endif
