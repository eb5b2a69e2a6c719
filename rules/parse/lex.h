/* lex.h - a policy's text as words and marks (vaglio.conf(5), WORDS). */
#ifndef LEX_H
#define LEX_H

#include "diag.h"

enum token_kind {
	TOKEN_END,
	TOKEN_BROKEN,  /* it was told what is wrong; reading can't go on here */
	TOKEN_WORD,
	TOKEN_STRING,  /* text: escapes resolved */
	TOKEN_PATTERN, /* text: "\/" resolved; flags */
	TOKEN_TABLE,   /* <name>, text: the name */
	TOKEN_NULL,    /* <> */
	TOKEN_LESS,
	TOKEN_LESS_OR_IS,
	TOKEN_MORE,
	TOKEN_MORE_OR_IS,
	TOKEN_BRACE,   /* { */
	TOKEN_BRACE_END,
	TOKEN_PAREN,
	TOKEN_PAREN_END,
	TOKEN_BRACKET,
	TOKEN_BRACKET_END,
	TOKEN_COMMA,
};

struct token {
	enum token_kind kind;
	struct place place;
	struct span text, flags;
	bool first;    /* on its line */
	bool glued;    /* nothing stands between it and the one before */
	bool bad;      /* it was told what is wrong, but where it ends is clear */
};

struct lex {
	struct arena *arena; /* has an escape */
	struct diags *diags;
	const struct source *source;
	size_t at;
	bool first;          /* no token on this line yet */
};

/* False, and told, if the text is no text: then there are no tokens. */
bool lex_open(struct lex *l, struct arena *a, const struct source *source,
              struct diags *d);

/* TOKEN_END over and over at the end. Mistakes are told. */
struct token lex_next(struct lex *l);

/* Does a statement begin here? A line of a test may look like one at first:
 * "limit NAME used N". */
bool lex_begins_statement(const struct lex *l);

/* Goes on at the next line that begins with a statement's word. */
void lex_resync(struct lex *l);

/* set include table define rule shadow test */
bool lex_is_statement(struct span word);

/* Can these bytes be written as one bare word? */
bool lex_is_word(struct span s);

#endif
