/*
 * eval.h - conditions over facts, with what has been settled remembered.
 */
#ifndef EVAL_H
#define EVAL_H

#include "program.h"

/* What is remembered of a question's answer. */
struct memo {
	const struct fact *fact;
	struct span *folded[2];       /* each value's, as text and as bytes */
	unsigned char *candidates;    /* each value's, of the pattern set */
};

/* What is kept for a recipient, and once for all. */
struct known {
	unsigned char *nodes;         /* 0, or truth + 1, by slot */
	struct memo *memos;           /* by slot */
	struct looked *looked;        /* what texts looked up at the end */
};

/*
 * How far a condition may go. Beyond the truths there is one more answer
 * inside: a question that was too dear to be asked (EVAL_UNASKED).
 */
struct evaluation {
	const struct program *program;
	const struct facts *facts;
	const struct table *const *tables; /* in place of the program's */
	struct arena *arena;
	struct known *shared;
	struct known *rcpt;           /* of the recipient at hand, or NULL */
	size_t rcpt_number;
	enum stage stage;             /* reached */
	enum cost cost;               /* ask no dearer question */
	bool eager;                   /* ask a dear one also beside a "later" */
	bool inside_not;              /* a no is what would make the rule a yes */
	bool closed;                  /* nobody else is asked any more */
	struct span *table_why;       /* by table: why it failed last; NULL:
	                                 none has */
};

#define EVAL_UNASKED ((enum truth)(TRUTH_FAILED + 1))

/* NO_NODE is yes. */
enum truth eval_node(struct evaluation *e, size_t node);

/*
 * The item of a question's values that decided a node: the first that made
 * it true, or that made an "every" false. false: none did.
 */
bool eval_deciding(struct evaluation *e, const struct node *n, size_t *value);

/* The answer to a question; never NULL. */
const struct fact *eval_fact(struct evaluation *e, size_t ask);

/* Is the limit of a leaf over? In words, too; p NULL if there are none. */
enum truth eval_over(struct evaluation *e, const struct node *n,
                     struct span *why);

/* The groups of the pattern of a leaf, in the value that decided it. */
bool eval_groups(struct evaluation *e, const struct node *n,
                 struct span groups[PATTERN_GROUPS]);

/* How tables are asked for this message. */
struct table_context eval_context(const struct evaluation *e);

/* Remembers why a table failed. */
void eval_table_failed(struct evaluation *e, size_t table, struct span why);

/* A value as tables are asked for it: numbers as texts. */
struct value eval_key(const struct value *v);

/* The table numbered n, as this message sees it. */
const struct table *eval_table(const struct evaluation *e, size_t n);

#endif
