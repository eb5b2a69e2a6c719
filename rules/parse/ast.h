/*
 * ast.h - a policy as it was written: the tree that parse makes, check
 * annotates and dump prints. Everything lives in the policy's arena.
 */
#ifndef AST_H
#define AST_H

#include "diag.h"
#include "setting.h"
#include "subject.h"
#include "verdict.h"

struct backend_option;

/* ---- values ---- */

enum ast_value_kind {
	AST_WORD,    /* text: the word; a number, size or time is a word too */
	AST_STRING,  /* text: escapes resolved, ${...} and $1 as written */
	AST_NULL,    /* <> */
	AST_PATTERN, /* text: between the slashes, "\/" resolved; flags */
	AST_SUBJECT, /* subject */
	AST_LIST,    /* items */
	AST_TABLE,   /* a lookup: table, key */
	AST_FILE,    /* text: a file's name; what is in it is meant */
};

struct ast_value {
	enum ast_value_kind kind;
	struct place place;
	struct span text;
	struct span flags;            /* of a pattern */
	struct ast_subject *subject;
	struct ast_value *items;      /* of a list: the first */
	struct ast_lookup *lookup;    /* of AST_TABLE */
	struct ast_value *next;       /* in a list */
	/* by check */
	struct pattern *pattern;
};

enum quantifier { QUANT_NONE, QUANT_ANY, QUANT_EVERY };

/* subject := ["raw"] WORD [STRING | PATTERN] */
struct ast_subject {
	struct place place;           /* the name alone */
	struct span name;             /* "from.domain", "raw header" */
	struct ast_value *argument;   /* AST_STRING or AST_PATTERN, or NULL */
	enum quantifier quant;        /* as written before it */
	bool folded;                  /* likewise */
	/* by check */
	size_t ask;                   /* its question's number */
	const struct subject *row;
};

/* "<" NAME ">" [ "[" ["any"|"every"] SUBJECT "]" ] */
struct ast_lookup {
	struct place place;
	struct span name;
	struct ast_subject *key;      /* or NULL; its quant as written */
	/* by check */
	size_t table;
};

/* ---- conditions ---- */

enum expr_kind {
	EXPR_AND,     /* left, right */
	EXPR_OR,
	EXPR_NOT,     /* left */
	EXPR_DEFINED, /* name */
	EXPR_PRESENT, /* subject */
	EXPR_COMPARE, /* subject op value */
	EXPR_OVER,    /* over limit name */
};

enum op {
	OP_IS,
	OP_IN,       /* value: AST_TABLE, or AST_LIST for a table without a name */
	OP_MATCHES,
	OP_CONTAINS,
	OP_BEGINS,
	OP_ENDS,
	OP_LESS,
	OP_LESS_OR_IS,
	OP_MORE,
	OP_MORE_OR_IS,
};

struct expr {
	enum expr_kind kind;
	struct place place;           /* all of it */
	struct expr *left, *right;
	struct span name;
	struct ast_subject *subject;
	enum op op;
	struct place op_place;
	bool paren;                   /* it stands in parentheses */
	bool negated;                 /* is not, not in, ... after the subject */
	struct ast_value *value;
	/* by check */
	bool after_value;             /* "helo is a or b": b, for an error */
	struct ast_define *define;
	size_t table;                 /* of the table made for in { ... } */
};

/* ---- statements ---- */

enum statement_kind {
	AST_SET, AST_TABLE_STATEMENT, AST_LIMIT, AST_DEFINE, AST_RULE,
	AST_TEST,
};

struct statement {
	enum statement_kind kind;
	struct place place;           /* its first word */
	struct statement *next;       /* includes expanded, in order */
	union {
		struct ast_set *set;
		struct ast_table *table;
		struct ast_limit *limit;
		struct ast_define *define;
		struct ast_rule *rule;
		struct ast_test *test;
	};
};

struct ast_set {
	struct span name;
	struct place name_place;
	struct ast_value *value;
	struct ast_value *server;     /* AST_STRING after redis, or NULL */
	struct ast_option *options;   /* behind it */
};

/* One entry of an inline table: key [= { value... }] */
struct ast_entry {
	struct ast_value *key;
	struct ast_value *values;     /* AST_LIST, or NULL */
	struct ast_entry *next;
};

/* What may follow a table's back end: prefix "p:" */
struct ast_option {
	const struct backend_option *row;
	struct ast_value *value;
	struct ast_option *next;
};

struct ast_table {
	struct span name;
	struct place name_place;
	struct ast_entry *entries;    /* inline, if backend.p is NULL */
	struct span backend;          /* "file", "lmdb", "dns", ... */
	struct place backend_place;
	struct ast_value *path;       /* AST_STRING: the back end's argument */
	struct ast_value *answers;    /* dns: AST_LIST, or NULL */
	struct ast_option *options;   /* redis: as they stand */
	/* by check */
	size_t table;
	bool used;
};

struct ast_limit {
	struct span name;
	struct place name_place;
	struct ast_value *most, *unit, *time; /* AST_WORD */
	struct ast_subject *by;
	struct span bits;             /* "24/64" of client/24/64; p NULL */
	/* by check */
	bool used;
};

struct ast_define {
	struct span name;
	struct place name_place;
	struct expr *expr;
	/* by check */
	bool used;
	bool broken;                  /* its own mistakes have been told */
	struct ast_compiled {
		bool done;
		size_t node;
		size_t pattern_leaves, pattern_leaf;
	} compiled[4];                /* by what surrounds its use */
};

struct ast_clause {                   /* if EXPR, unless EXPR */
	bool unless;
	struct expr *expr;
	struct ast_clause *next;
};

/* ON_ERROR_* of setting.h, or: */
#define ON_ERROR_UNSAID (-1)

struct ast_rule {
	struct span name;
	struct place name_place;
	bool shadow;
	struct ast_clause *clauses;
	int on_error;
	struct place on_error_place;
	struct ast_action *actions;
};

/*
 * An action and what follows it, by the row of action.c: each argument an
 * AST_STRING, AST_WORD, AST_NULL, AST_PATTERN, AST_FILE.
 */
struct ast_action {
	const struct action_row *row; /* of action.h */
	struct place place;           /* its words */
	struct ast_value *code, *xcode;
	struct ast_value *name;       /* a header field's */
	struct ast_value *pattern;
	struct expr *where;
	struct ast_value *text;       /* reply, value, address, reason; of a
	                                 body, as plain text */
	struct ast_value *html;       /* of a body, as HTML */
	bool once;
	struct ast_value *per;        /* once per: a time */
	struct ast_action *next;
};

/* ---- tests ---- */

/* One fact: its word and up to two arguments, or a table. */
struct ast_given {
	struct span word;             /* "client", "spf.helo", "message file" */
	struct place place;
	struct ast_value *first, *second;
	struct span table;            /* <t> { ... } or <t> fails */
	struct ast_entry *entries;
	bool fails;                   /* <t> fails, limit NAME fails */
	struct ast_given *next;
};

struct ast_expect {
	struct place place;
	enum expect_word {
		AST_EXPECT_VERDICT, AST_EXPECT_SHADOW, AST_EXPECT_HEADER,
		AST_EXPECT_NO_HEADER, AST_EXPECT_RCPT, AST_EXPECT_NO_RCPT,
		AST_EXPECT_BODY, AST_EXPECT_BODY_NOT,
		AST_EXPECT_ATTACHMENT, AST_EXPECT_NO_ATTACHMENT,
		AST_EXPECT_NOTIFY, AST_EXPECT_NO_NOTIFY,
		AST_EXPECT_NO_SHADOW, AST_EXPECT_SENDER,
	} kind;
	struct span verdict;          /* "accept", ..., "held", "noted" */
	struct ast_value *by, *at, *rcpt, *reply; /* or NULL */
	struct ast_value *name, *value; /* header; value: body */
	struct ast_expect *next;
};

struct ast_test {
	struct span name;
	struct place name_place;
	struct ast_given *givens;
	struct ast_expect *expects;
};

/* What a statement that could not be parsed would have named. */
struct ast_lost {
	enum statement_kind kind;
	struct span name;
	struct ast_lost *next;
};

struct ast {
	struct arena *arena;
	struct source *source;        /* the policy's own, not an included one */
	struct statement *statements;
	bool broken;                  /* some statement could not be parsed */
	struct ast_lost *lost;
	bool lost_any;                /* and some might have named anything */
};

/*
 * Might a table, define or rule of this name be there, had it been parsed? If
 * so it is no second mistake to use it.
 */
bool ast_lost(const struct ast *ast, enum statement_kind kind,
              struct span name);

#endif
