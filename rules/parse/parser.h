/*
 * parser.h - what the files of the parser share: the next token, and what to
 * do when it is the wrong one. One function a rule of the grammar, the rule
 * in the comment above it.
 */
#ifndef PARSER_H
#define PARSER_H

#include <setjmp.h>
#include <sys/types.h>

#include "action.h"
#include "ast.h"
#include "lex.h"

/* For all files of a policy. */
struct parse {
	struct arena *arena;
	struct diags *diags;
	struct ast *ast;
	struct statement **tail;
	unsigned sources; /* read so far */
};

/* For one file. */
struct parser {
	struct parse *all;
	struct parser *parent;  /* whose include this file is */
	const struct source *source;
	const char *dir;        /* its files are relative to it */
	struct span base;       /* the same, seen from the first file's dir */
	bool known;             /* dev and ino are */
	dev_t dev;
	ino_t ino;

	struct lex lex;
	struct token ahead[3];
	unsigned n_ahead;
	struct place last;      /* the token that was taken last */

	bool spoilt;            /* the statement at hand will be left out */
	bool names;             /* it would have named something, of this kind */
	enum statement_kind kind;
	struct span name;       /* p NULL: not known */
	unsigned depth, terms;  /* of the expression at hand */
	jmp_buf give_up;        /* where a statement is left */
};

/* The next token, the two after it, and to take the next. */
const struct token *parser_peek(struct parser *p);
const struct token *parser_peek2(struct parser *p);
const struct token *parser_peek3(struct parser *p);
struct token parser_take(struct parser *p);

/* Is the next token this word? Takes it if so. */
bool parser_at(struct parser *p, const char *word);
bool parser_accept(struct parser *p, const char *word);
bool parser_accept_mark(struct parser *p, enum token_kind kind);

/* Does the text or a line that begins with a statement's word come next? */
bool parser_ends(struct parser *p);

/* The same, or any word that begins a line? */
bool parser_new_line(struct parser *p);

/* The same as parser_ends, or a statement that does not begin its line. */
bool parser_at_statement(struct parser *p);

/* Where something is missing: the next token, or the last if none follows. */
struct place parser_here(struct parser *p);

/* "word", shortened; a mark as it is written */
const char *parser_quote(struct parser *p, struct span s);
const char *parser_found(struct parser *p);

/* ": did you mean \"...\"?", or nothing if nearest is NULL */
const char *parser_meant(struct parser *p, const char *nearest);

/* "else", which other languages have. */
void parser_refuse_else(struct parser *p);

/* Zeroed, in the tree's arena; never NULL, which has an escape. */
void *parser_alloc(struct parser *p, size_t n);

/* Leaves the statement at hand: its mistake was told. */
_Noreturn void parser_give_up(struct parser *p);

/* Tells a mistake after which the statement can be read on. */
#define MISTAKE(p, ...) \
	(diag_error((p)->all->diags, __VA_ARGS__), (p)->spoilt = true)

/* Tells a mistake and leaves the statement. */
#define FAIL(p, ...) \
	(diag_error((p)->all->diags, __VA_ARGS__), parser_give_up(p))

/* The name of a rule, define or table: letters, digits and -. */
struct token parse_name(struct parser *p, const char *what);
void parse_name_letters(struct parser *p, const struct token *t,
                        const char *what);

/* ---- parse_value.c ---- */

/* "..."; what: what it is, for the mistake if it is not there. */
struct ast_value *parse_string(struct parser *p, const char *what);

/* "Name: value" in one string, where two stand. */
void parse_refuse_field(struct parser *p);

/* A file's name, made relative to the folder of the policy's first file. */
struct ast_value *parse_path(struct parser *p, const char *what);

/* /.../flags */
struct ast_value *parse_pattern(struct parser *p, const char *what);

/* A string or a word that is no name of the language's own. */
struct ast_value *parse_word(struct parser *p, const char *what);

/* The same, or <>. */
struct ast_value *parse_address(struct parser *p, const char *what);

/* After is, contains, begins, ends. */
struct ast_value *parse_operand(struct parser *p, const char *after);

/* After matches; after < <= > >=; after in. */
struct ast_value *parse_patterns(struct parser *p);
struct ast_value *parse_number(struct parser *p);
struct ast_value *parse_table(struct parser *p);

/* { item ... }; at the brace. */
struct ast_value *parse_list(struct parser *p, const char *what,
                             struct ast_value *(*item)(struct parser *p));

/* A word, a string or <>, in a list of what can't be a subject. */
struct ast_value *parse_constant(struct parser *p);

/* { key [= { value ... }] ... }; at the brace. */
struct ast_entry *parse_entries(struct parser *p);

/* Does a subject come next, and which? */
bool parse_at_subject(struct parser *p);
struct ast_subject *parse_subject(struct parser *p);

/* ---- parse_limit.c ---- */

/* limit NAME N UNIT per TIME by SUBJECT; behind the word limit. */
struct ast_limit *parse_limit(struct parser *p);

/* Does a fact of a test come next: limit NAME used N, limit NAME fails? */
bool parse_at_limit_fact(struct parser *p);

/* ---- parse_expr.c, parse_rule.c, parse_test.c ---- */

/* A condition; the same behind where, of one attachment. */
struct expr *parse_expr(struct parser *p);
struct expr *parse_where(struct parser *p);

/* A statement, behind its word, up to the next one. */
struct ast_rule *parse_rule(struct parser *p, bool shadow);
struct ast_test *parse_test(struct parser *p);

/* ---- parse_body.c ---- */

/* What an action puts into a body: text, HTML, once; into a. */
void parse_body_texts(struct parser *p, struct ast_action *a);

#endif
