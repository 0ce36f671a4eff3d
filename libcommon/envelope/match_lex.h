/* match_lex - reads the words, literals and names of an expression, and words the complaint when one is wrong. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef ENVELOPE_MATCH_LEX_H
#define ENVELOPE_MATCH_LEX_H

#include "envelope/match_program.h"

/* Private to match*.c. Where the reading stands. The match receives what is read: its arrays are long enough for any expression of this length. */
struct match_lexer {
	const char *at, *start, *end;
	struct match *match;
	struct match_fault *fault;
};

/* What may stand on the right of a name, seen from its type. */
enum match_name_kind { MATCH_NAME_TEXT, MATCH_NAME_NUMBER, MATCH_NAME_TIME, MATCH_NAME_ANY };

struct match_name {
	struct span text;           /* as written */
	enum match_name_kind kind;
	bool is_heka;               /* one of Heka's headers: Heka's own type rules hold */
	uint32_t slot;
};

/* Fills the fault, with the column of `at`; always false, so that a reader can return it. */
__attribute__((format(printf, 3, 4))) bool match_fail(struct match_lexer *, const char *at, const char *format, ...);

void match_skip_blanks(struct match_lexer *);
bool match_take(struct match_lexer *, const char *symbol);    /* skips blanks, then the symbol if it stands there */
bool match_take_word(struct match_lexer *, const char *word); /* the same for a word that must end there */
bool match_at_end(struct match_lexer *);                      /* skips blanks */
struct span match_peek_word(struct match_lexer *);            /* the letters, digits and _ at the cursor, perhaps none */

/* Each reads one thing at the cursor and passes over it; false with the fault filled. */
bool match_read_quoted(struct match_lexer *, struct span *text);       /* 'text' or "text" */
bool match_read_pattern(struct match_lexer *, struct span *pattern);   /* /pattern/ */
bool match_read_number(struct match_lexer *, struct match_number *number);
bool match_read_name(struct match_lexer *, struct match_name *name);   /* adds its slot to the match */

/* Compiles the text into the match, whose arrays have been allocated; false with the fault filled. `seen` NULL: the whole of it; else the longest expression that it
 * begins with, *seen being where the reading stopped: behind it and the blanks that follow. */
bool match_parse(struct match *, struct span text, size_t *seen, struct match_fault *fault);

enum { MATCH_LOOK_AHEAD = 8 }; /* more bytes than what follows *seen is ever looked at for: an operator, a relation, the word in */

#endif
