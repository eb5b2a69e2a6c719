/*
 * program.h - a policy as it is evaluated: what check makes of the tree.
 *
 * Conditions are nodes with dense numbers. A review keeps one byte a node;
 * nodes that mention the recipient at hand (rcpt) are numbered apart, since a
 * review keeps those for each recipient.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdatomic.h>

#include <glib.h>

#include "action.h"
#include "ast.h"
#include "pattern.h"
#include "policy.h"
#include "table.h"

#define NO_NODE ((size_t)-1)
#define NO_ASK ((size_t)-1)

/* <t>[key], or <t> alone with ask NO_ASK */
struct lookup {
	size_t table;
	size_t ask;
	bool every;            /* with several keys: it must hold for each */
};

enum operand_kind {
	OPERAND_TEXT,          /* folded; a name or an address in canonical form */
	OPERAND_NULL,          /* <> */
	OPERAND_IP,
	OPERAND_NUMBER,
	OPERAND_PATTERN,
	OPERAND_ASK,           /* another subject */
	OPERAND_LOOKUP,        /* a table's keys, or the values of a key */
};

struct operand {
	enum operand_kind kind;
	struct span text;
	struct ip ip;
	double number;
	const struct pattern *pattern;
	size_t bit;            /* the pattern's, in the set of the node's ask */
	size_t ask;
	struct lookup lookup;
};

enum node_kind {
	NODE_AND,
	NODE_OR,
	NODE_NOT,
	NODE_PRESENT,
	NODE_COMPARE,
	NODE_OVER,             /* ask: the limit's key */
};

struct node {
	enum node_kind kind;
	size_t left, right;    /* nodes */
	size_t slot;           /* its byte, among those of its sort */
	bool rcpt;             /* mentions the recipient at hand */
	bool may_stay_later;   /* past stage: the MTA need not give it */
	enum stage stage;      /* when it is known at the latest */
	enum stage first;      /* when it can be known at the earliest */
	enum cost cost;        /* of the dearest question in it */
	unsigned size, depth;  /* nodes in it, and under each other */
	/* leaves */
	size_t ask;
	enum op op;
	bool every;
	bool negated;          /* S not op V */
	const struct operand *operands;
	size_t n_operands;
	const struct expr *expr;
	size_t limit;
};

/* A text with what is filled in. */
enum piece_kind { PIECE_TEXT, PIECE_ASK, PIECE_LOOKUP, PIECE_GROUP };

struct piece {
	enum piece_kind kind;
	struct span text;
	size_t ask;
	struct lookup lookup;
	unsigned group;        /* $1 is 1 */
	bool html;             /* of the HTML form of a body's text */
	struct piece *next;
};

struct text {
	struct piece *pieces;
	bool rcpt;             /* mentions the recipient at hand */
	bool groups;           /* has $1...$9 */
};

struct action {
	const struct action_row *row;
	struct span code, xcode;
	struct span name;
	const struct pattern *pattern;
	size_t where;          /* NO_NODE: each attachment is meant */
	bool magic;            /* where asks for attachment.magic */
	struct text text;      /* a body's: the plain form, the HTML form */
	bool plain, html;      /* which of them are there */
	bool once;
	unsigned per;          /* once per: seconds */
	const struct program *program;
	struct place place;
	struct action *next;
};

struct rule {
	const struct ast_rule *ast;
	size_t node;           /* NO_NODE: it always applies */
	struct action *actions;
	struct action *last;   /* that ends the reading, or NULL */
	int on_error;          /* ON_ERROR_* */
	bool shadow;
	bool rcpt;             /* mentions the recipient at hand */
	enum stage stage;      /* when it is settled, its texts filled in */
	enum stage first;
	size_t group_node;     /* the leaf whose pattern $1 is of, or NO_NODE */
};

/*
 * What a reading looks at first in a rule. There may be thousands, of which
 * a message concerns hardly any: a few bytes tell those apart.
 */
struct brief {
	unsigned slot;         /* of its node's byte, if plain */
	unsigned char first;   /* the stage before which it is later */
	unsigned char may;     /* a bit: the verdict that it may give */
	bool plain;            /* it has a node, and is no shadow rule */
	bool rcpt;             /* the node mentions the recipient at hand */
};

/* A leaf that asks for one pattern: no if the pattern is no candidate. */
struct pattern_leaf {
	unsigned slot, bit;
	bool negated;
};

/* A question, and the patterns that are asked of its values. */
struct question {
	struct ask ask;
	size_t slot;           /* among those of its sort, as for nodes */
	bool rcpt;
	struct pattern **patterns;
	size_t n_patterns;
	struct pattern_set *set;
	struct pattern_leaf *leaves;
	size_t n_leaves;
	const struct ast_value *argument;
	struct place place;    /* where it was first asked */
};

struct policy_table {
	struct table *table;
	const struct ast_table *ast; /* NULL: made for in { ... } */
	struct span name;
	unsigned key_types, value_types; /* bits of enum value_type: asked so */
	bool used;
	struct place place;
};

struct program {
	struct arena *arena;
	struct ast *ast;
	GHashTable *question_keys; /* each question's: its number + 1 */
	GHashTable *rule_names;    /* each rule's: its number + 1 */
	GHashTable *define_names;  /* each define's: its tree */
	struct settings settings;
	struct table_context table_context;
	struct question *questions;
	struct ask *asks;      /* the questions' asks, for policy_asks */
	size_t n_questions, shared_questions, rcpt_questions;
	struct node *nodes;
	size_t n_nodes, shared_nodes, rcpt_nodes;
	const struct limit_server *limit_server; /* or NULL: memory */
	struct limit *limits;
	struct ast_limit **limit_asts; /* of each */
	size_t n_limits;
	struct rule *rules;
	struct brief *briefs;  /* of each rule */
	size_t n_rules;
	bool rcpt_rules;       /* some rule mentions the recipient at hand */
	enum cost cost;        /* of the dearest question */
	bool any_stage;        /* a question may be answered at any stage */
	unsigned answers;      /* bits: the stages at which a verdict may fall */
	struct policy_table *tables;
	size_t n_tables;
	struct pattern **patterns; /* all, to be freed */
	size_t n_patterns;
	struct test *tests;
	size_t n_tests;
	struct table **test_tables; /* made for tests, to be freed */
	size_t n_test_tables;
};

struct policy {
	atomic_uint refs;
	struct program program;
};

/* The question that a piece of a text fills in, or NO_ASK. */
size_t piece_ask(const struct piece *p);

/*
 * Has the condition (NO_NODE: none) a leaf for which is_meant is true? of:
 * what it is to be told, a number of something.
 */
bool program_any_leaf(const struct program *p, size_t node,
                      bool (*is_meant)(const struct program *p,
                                       const struct node *leaf, size_t of),
                      size_t of);

/* Is somebody on the network asked for the table? */
bool program_asks_net(const struct program *p, size_t table);

/* The first stage at which set first-refusal allows one. */
enum stage program_first_refusal(const struct program *p);

#endif
