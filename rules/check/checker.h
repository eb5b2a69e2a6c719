/*
 * checker.h - from the tree to the program: names, types, stages, lints.
 *
 * check.c goes through the statements; check_expr.c makes nodes of
 * conditions, check_subject.c numbers what they ask, check_lookup.c finds and
 * makes tables, check_text.c makes texts of strings with ${...}, check_test.c
 * makes the policy's tests, check_folded.c knows what can be folded, lint.c
 * tells what can't be or is odd once all rules are known, finish.c keeps ready
 * what reading needs, setting.c has the settings.
 */
#ifndef CHECKER_H
#define CHECKER_H

#include "fold.h"
#include "program.h"

struct checker {
	struct program *program;
	struct arena *arena;
	struct diags *diags;
	const char *dir;              /* what file names are relative to */
	struct table *empty_table;    /* for tables that a test does not give */
	const struct table **test_tables; /* of a test that gives none */
	struct ast_define **defines;  /* those made so far */
	size_t n_defines;
	struct place set_at[sizeof(struct settings) / sizeof(union setting_value)];
	/* of the rule at hand */
	struct rule *rule;
	size_t pattern_leaves;        /* that are not negated */
	size_t pattern_leaf;
};

/*
 * Checks the tree and fills program (zeroed, but for arena and ast), file
 * names being relative to dir. Mistakes go to d; with any error the program
 * is not to be run, only to be freed.
 */
void check_policy(struct program *program, const char *dir, struct diags *d);

/* What follows a server, file names made whole. */
const struct backend_options *check_options(struct checker *c,
                                            const struct ast_option *o);

/* The path of a file that the policy names. */
const char *check_path(struct checker *c, const struct ast_value *v);

/* The define of that name that stands above, or NULL. */
struct ast_define *check_find_define(struct checker *c, struct span name);

/* The number of the rule of that name, or NO_RULE. */
size_t check_find_rule(struct checker *c, struct span name);

/* ---- finish.c ---- */

/* What reading needs, once all is checked; its array of questions anyway. */
void check_finish(struct checker *c);

/* ---- answers.c ---- */

/* Fills answers; the program is checked. */
void program_find_answers(struct program *p);

/* ---- check_expr.c ---- */

/*
 * The node of a condition, or NO_NODE after an error. negative: under an
 * unless or a not; accepts: the rule lets mail in. Either way the sender
 * could gain by adding a value to an address field.
 */
size_t check_expr(struct checker *c, struct expr *e, bool negative,
                  bool accepts);

/* The leaf needs that question. */
void check_needs(struct checker *c, struct node *leaf, size_t ask);

/* left and right joined; either may be NO_NODE, which then is left out. */
size_t check_join(struct checker *c, enum node_kind kind, size_t left,
                  size_t right);

/* not left; NO_NODE of NO_NODE */
size_t check_not(struct checker *c, size_t left);

/* The node, or NO_NODE after an error: it is too large. */
size_t check_extent(struct checker *c, size_t node, struct place where);

/*
 * Is the text one of the words that the subject can be? Without case; false
 * after an error. Of a subject that is any text: true.
 */
bool check_word(struct checker *c, const struct subject *row,
                const struct ast_value *v);

/* ---- check_subject.c ---- */

/* The number of the question that a subject asks; NO_ASK after an error. */
size_t check_subject(struct checker *c, struct ast_subject *s);

/*
 * Must the subject say any or every? open: where the sender could gain by
 * adding a value to an address field.
 */
bool check_open(const struct ast_subject *s, bool open);

/* "an IP address", "a name", ... */
const char *check_type_name(enum value_type t);

/* ---- check_folded.c ---- */

/* May "folded" stand before it? false: it is told why not. */
bool check_folded(struct checker *c, const struct ast_subject *s);

/* What its values are, VALUE_FOLDED if it is folded. */
enum value_type check_type(const struct ast_subject *s);

/*
 * A text to compare with what is folded: one operand, or two; the second's
 * text has no p if there is none.
 */
bool check_folded_text(struct checker *c, const struct ast_value *v,
                       struct operand o[FOLD_LOOKS]);

/* Warns of a pattern that no folded text matches. */
void check_folded_pattern(struct checker *c, const struct ast_value *v);

/* Can the table's keys and values be folded? t NULL: it is inline. */
bool check_folded_table(struct checker *c, const struct ast_lookup *l,
                        const struct ast_table *t);

/* A pattern for subjects that are raw or not; NULL after an error. */
struct pattern *check_pattern(struct checker *c, struct ast_value *v, bool raw);

/* ---- check_meant.c ---- */

/*
 * Is a value that the subject is compared with, or looked up among, one that
 * it can have? false after an error; a warning leaves it true.
 */
bool check_meant(struct checker *c, const struct subject *row,
                 const struct ast_value *v);

/* Can what is compared by < or > be a number? */
bool check_meant_number(struct checker *c, const struct expr *e);

/* Warns of a reply that the client would not see so. */
void check_meant_reply(struct checker *c, const struct ast_action *a);

/* Warns of an "or" with an "and" in it that has no parentheses. */
void check_meant_order(struct checker *c, const struct expr *e);

/* ---- check_lookup.c ---- */

/*
 * A lookup whose keys are of type (as keys without [subject], else as
 * values). false after an error.
 */
bool check_lookup(struct checker *c, struct ast_lookup *l,
                  enum value_type type, struct lookup *out);

/* The table of that name, or NULL. */
struct policy_table *check_find_table(struct checker *c, struct span name);

/* Inline entries as the table wants them. */
struct table *check_inline_table(struct checker *c, const char *name,
                                 const struct ast_entry *entries);

/* in { ... }: the number of a table made for it, its keys of type. */
size_t check_anonymous_table(struct checker *c, const struct ast_value *list,
                             enum value_type type);

/* ---- check_limit.c ---- */

/* limit NAME ... */
void check_limit(struct checker *c, struct ast_limit *l);

/* over limit NAME: its node, but for its slot; false after an error. */
bool check_over(struct checker *c, const struct expr *e, struct node *leaf);

/* The number of the limit of that name, or n_limits; tells, if there is none. */
size_t check_find_limit(struct checker *c, struct span name,
                        struct place where);

/* ---- check_text.c ---- */

/* ${...} and $1 resolved; replacement: $1 is of the action's own pattern. */
struct text check_text(struct checker *c, const struct ast_value *v,
                       const struct pattern *replacement);

/* ---- check_where.c ---- */

/* where EXPR: its node, of subjects that are of one attachment. */
void check_where(struct checker *c, const struct ast_action *a,
                 struct action *out);

/* ---- check_test.c ---- */

/* test "..." */
void check_test(struct checker *c, const struct ast_test *t);

/* ---- lint.c ---- */

/* Warns of what can't be, or is odd; once all rules are known. */
void lint_policy(struct checker *c);

/* Of the rules above, by the verdict that they give: that settled last. */
struct lint_above {
	const struct rule *last[VERDICT_DISCARD + 1];
};

/* On to the next rule: r is among those above it. */
void lint_pass(struct lint_above *above, const struct rule *r);

/*
 * The rule above that is settled last of those for which a refusal by r may
 * have to wait; NULL if there is none.
 */
const struct rule *lint_held_by(const struct lint_above *above,
                                const struct rule *r);

/* ---- setting.c ---- */

/* What stands where a policy sets nothing. */
void setting_defaults(struct settings *s);

/* set NAME VALUE */
void setting_set(struct checker *c, const struct ast_set *set);

/* The same for one whose value is a table, once all tables are known. */
void setting_tables(struct checker *c, const struct ast_set *set);

/* ---- check_body.c ---- */

/* The texts of an action on the body, plain and HTML, and its "once". */
void check_body_texts(struct checker *c, const struct ast_action *a,
                      struct action *out);

#endif
