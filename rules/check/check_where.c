/* check_where.c - "where": a condition on one attachment. */
#include "checker.h"

/* The where at hand. */
struct choice {
	struct checker *c;
	const struct expr *expr;
	struct action *out;
};

static bool
is_of_one(enum subject_id id)
{
	return id == SUBJECT_ATTACHMENT ||
		id == SUBJECT_ATTACHMENT_EXTENSION ||
		id == SUBJECT_ATTACHMENT_TYPE ||
		id == SUBJECT_ATTACHMENT_MAGIC ||
		id == SUBJECT_ATTACHMENT_SIZE ||
		id == SUBJECT_ATTACHMENT_ARCHIVED;
}

/* A define is right by itself: then all of the where is marked. */
static struct place
place_of(const struct choice *w, const struct node *leaf)
{
	struct place at = leaf->expr->place, all = w->expr->place;

	return at.source == all.source && at.at >= all.at &&
		at.at < all.at + all.n ? at : all;
}

static void
check_ask(struct choice *w, size_t ask, const struct node *leaf)
{
	const struct subject *row;

	if (ask == NO_ASK)
		return;
	row = w->c->program->questions[ask].ask.subject;
	w->out->magic = w->out->magic || row->id == SUBJECT_ATTACHMENT_MAGIC;
	if (!is_of_one(row->id))
		diag_error(w->c->diags, place_of(w, leaf), "\"where\" is about "
		           "each attachment by itself: \"%s\" is asked behind "
		           "\"if\"", row->name);
}

/* The sender gives it another name, and would choose which one counts. */
static void
check_quantifier(struct choice *w, const struct node *leaf, bool negative)
{
	const struct ast_subject *s = leaf->expr->subject;

	if (leaf->kind != NODE_COMPARE || s->quant != QUANT_NONE ||
	    s->row->id == SUBJECT_ATTACHMENT_SIZE ||
	    !(negative || leaf->negated))
		return;
	diag_error(w->c->diags, place_of(w, leaf), "\"%s\" may have several "
	           "values, and the sender chooses how many: write \"not every "
	           "%s\" (one that does not fit is enough) or \"not any %s\" "
	           "(one that fits keeps it in)", s->row->name, s->row->name,
	           s->row->name);
}

static void
check_leaf(struct choice *w, const struct node *leaf, bool negative)
{
	const struct operand *o;
	size_t i;

	check_quantifier(w, leaf, negative);
	check_ask(w, leaf->ask, leaf);
	for (i = 0; i < leaf->n_operands; i++) {
		o = &leaf->operands[i];
		if (o->kind == OPERAND_ASK)
			check_ask(w, o->ask, leaf);
		if (o->kind == OPERAND_LOOKUP)
			check_ask(w, o->lookup.ask, leaf);
	}
}

/* Conditions are no deeper than CAPS_EXPR_DEPTH. */
static void
check_node(struct choice *w, size_t number, bool negative)
{
	const struct node *n;

	if (number == NO_NODE)
		return;
	n = &w->c->program->nodes[number];
	if (n->kind >= NODE_PRESENT) {
		check_leaf(w, n, negative);
		return;
	}
	check_node(w, n->left, negative || n->kind == NODE_NOT);
	if (n->kind != NODE_NOT)
		check_node(w, n->right, negative);
}

/* Its patterns are none of those that $1 may be of. */
void
check_where(struct checker *c, const struct ast_action *a, struct action *out)
{
	size_t leaves = c->pattern_leaves, leaf = c->pattern_leaf;
	struct choice w = {c, a->where, out};

	out->where = NO_NODE;
	if (a->where == NULL)
		return;
	out->where = check_expr(c, a->where, false, false);
	c->pattern_leaves = leaves;
	c->pattern_leaf = leaf;
	check_node(&w, out->where, false);
}
