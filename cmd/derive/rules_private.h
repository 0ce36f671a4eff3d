/* rules_private - what the reading of rules shares: where it stands, what it takes, and what it has to say about a mistake. */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef DERIVE_RULES_PRIVATE_H
#define DERIVE_RULES_PRIVATE_H

#include "rules.h"

enum {
	RULES_STATEMENT_MAX = 64 * 1024,        /* bytes of a statement, its "for" said */
	RULES_STORE_MAX = 64 * 1024 * 1024,     /* bytes of all texts and expressions of a file */
	RULES_LETS_MAX = 4096, RULES_TAGS_ALL_MAX = 16384, RULES_WORD_MAX = 100,
};

/* --- rules_store.c: memory that lives as long as the rules; it dies where there is none --- */

struct rules_store *rules_store_new(void);
void rules_store_free(struct rules_store *);
void *rules_store_take(struct rules_store *, size_t bytes);          /* zeroed */
struct span rules_store_copy(struct rules_store *, struct span text);
void rules_store_keep(struct rules_store *, struct match *);         /* it is freed with the store */
size_t rules_store_size(const struct rules_store *);                 /* bytes taken so far */

/* --- rules_lex.c --- */

/* A stretch of a statement whose "for" was said: byte `at` of it came from byte `from` of the statement; is_word: all of the stretch stands for the ${...} there. */
struct rules_stretch { size_t at, from; bool is_word; };

/* The words of "for": ${name} stands for one after the other. */
struct rules_for { struct span name, *word; size_t count; const char *at, *end; };

/* Where the reading of a file stands. */
struct rules_reader {
	struct rules *rules;
	struct logical_fault *fault;
	const char *source;
	struct span original;                /* as the caller has it, for faults */
	struct span clean;                   /* the same length, comments blanked; the store's */
	size_t first_let, shared_let, own_let; /* lets: the first of the file, the end of those before its first block, the first of this block */
	size_t first_tag;                    /* of this block */
	struct span *tag_text;               /* of each of rules.tag: its value as written, to know an equal one */
	size_t tag_room, let_room, metric_room, block_room; /* of the arrays in rules */
	bool in_block;
	const char *when;                    /* of this block */
	size_t next, next_line;              /* where the next statement is looked for: offset in the file, and the number of the line */

	/* the statement */
	const char *start, *at, *end;
	size_t offset, line;                 /* of its first byte in the file; the line counts from 1 */
	struct rules_stretch *stretch;       /* what `start` was made of; stretch_count 0: it stands so in the file */
	size_t stretch_count, stretch_room;
	struct span for_name, for_word;      /* whose turn it is; no data: there is no "for" */
	size_t depth;
};

/* Says what is wrong at a byte of the statement, or behind its last word if it is the end. Always false. The first fault stands. */
__attribute__((format(printf, 3, 4))) bool rules_fail(struct rules_reader *, const char *at, const char *format, ...);
/* The same at the cursor, where something else was expected: "a tag's name". What stands there is told, and guessed at. */
bool rules_fail_expected(struct rules_reader *, const char *expected);

/* The end of the string, pattern or bracket that begins at `at`; `at` if none does, NULL if it is not closed before `end`. before: the last byte that was no blank. */
const char *rules_inside(const char *at, const char *end, char before);

static inline bool rules_is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool rules_is_word(char c);        /* letters, digits and _ */
bool rules_is_name(char c);        /* and . and - */

void rules_skip_blanks(struct rules_reader *);
bool rules_take(struct rules_reader *, char symbol);           /* skips blanks, then the symbol if it stands there */
bool rules_take_word(struct rules_reader *, const char *word); /* the same for a word that must end there */
struct span rules_peek(struct rules_reader *, bool (*is_part)(char)); /* skips blanks; the bytes of that kind, perhaps none */
bool rules_at_end(struct rules_reader *);                      /* skips blanks */

#define RULES_SHOWN(span) ((span).length > 60 ? 60 : (int)(span).length), (span).data /* for "%.*s" */

/* The word of the list (ended by NULL) that was most probably meant, or NULL. Also of one in the wrong case. */
const char *rules_guess(struct span word, const char *const *list);
extern const char *const rules_kinds[]; /* counter timer gauge set, as enum metric_kind */

/* --- rules_text.c: a file into statements --- */

/* Checks the text and makes r->clean of it. */
bool rules_clean(struct rules_reader *, struct span text);

enum rules_statement { STATEMENT_END, STATEMENT_WHEN, STATEMENT_LET, STATEMENT_METRIC, STATEMENT_BAD };
enum rules_statement rules_next(struct rules_reader *);       /* the cursor is on its first byte */

/* The "for" of the metric whose kind was read, wherever it stands; the cursor stays. 0: there is none; 1: it was read; -1: a fault. Its words are to be freed. */
int rules_read_for(struct rules_reader *, struct rules_for *);
/* Turns the statement, which is *plain in the file, into what it is for that word, and back. The cursor is where it was in *plain. */
struct rules_plain { const char *start, *at, *end; };
bool rules_say_for(struct rules_reader *, const struct rules_plain *, const struct rules_for *, size_t word);
void rules_unsay_for(struct rules_reader *, const struct rules_plain *);
bool rules_check_words(struct rules_reader *);                /* false: a ${word} without a "for" */
struct span rules_tidy(struct rules_reader *, struct span text); /* the store's copy, blanks made one */

/* --- rules_value.c: expressions --- */

struct expr *rules_read_value(struct rules_reader *);          /* NULL: a fault */
bool rules_read_number(struct rules_reader *, double *number);
struct match *rules_read_condition(struct rules_reader *);     /* the store's; NULL: a fault */

/* --- rules_metric.c --- */

bool rules_read_metric(struct rules_reader *, enum metric_kind);

/* --- rules.c --- */

size_t rules_find_let(const struct rules_reader *, struct span name); /* its number; SIZE_MAX: none is in force here */
struct span rules_guess_let(const struct rules_reader *, struct span name); /* no data: none is like it */

#endif
