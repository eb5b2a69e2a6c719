/* words.h - which words the language has taken, and what was meant. */
#ifndef WORDS_H
#define WORDS_H

#include "span.h"

/* Why a bare word is no name and no plain value. */
enum word_kind {
	WORD_FREE,
	WORD_STATEMENT,
	WORD_ACTION,   /* an action's first word */
	WORD_JOINER,   /* if unless and or not on */
	WORD_RESERVED, /* for later */
	WORD_SUBJECT,
	WORD_OPERATOR, /* is in matches ..., any every raw over */
};

/* What the word is in the language; WORD_FREE: nothing. */
enum word_kind words_kind(struct span word);

/* The same without the last two, which only matter where subjects stand. */
enum word_kind words_value_kind(struct span word);

/* "a statement", "an action", ... */
const char *words_kind_name(enum word_kind kind);

extern const char *const words_statements[];
extern const size_t words_statements_count;

/* Is word in names? */
bool words_have(const char *const *names, size_t n, struct span word);

/* The nearest word of each kind, or NULL if none was meant. */
const char *words_nearest_subject(struct span word);
const char *words_nearest_operator(struct span word);
const char *words_nearest_modifier(struct span word);

/* Of the actions' first words; of the second ones after first. */
const char *words_nearest_action(struct span word);
const char *words_nearest_second(struct span first, struct span word);

/* Does it say that something is there, or is not: "exists", "missing"? */
bool words_says_there(struct span word);

/* Is it the name of a header field, such as X-Spam-Flag or List-Id? */
bool words_name_field(struct span word);

/*
 * How much of an unknown subject is unknown: "sendr" of "sendr.domain", all
 * of "sender.domian".
 */
struct span words_unknown_part(struct span subject);

/* What others write for an operator: "==" is "is". Or NULL. */
const char *words_foreign_operator(struct span word);

#endif
