/*
 * finish.c - what a checked program keeps ready for reading: prefilters, who
 * asks for which pattern, and each rule in brief.
 */
#include "checker.h"

/* One pattern over a short text is looked for as fast without a set. */
static bool
worth_a_set(const struct question *q)
{
	return q->n_patterns > 1
	       || (q->n_patterns == 1 && q->ask.subject->cost == COST_BODY);
}

/* The questions' own array, for policy_asks, and their prefilters. */
static void
finish_questions(struct checker *c)
{
	struct program *p = c->program;
	size_t i;

	p->asks = arena_alloc(c->arena, p->n_questions * sizeof(*p->asks));
	for (i = 0; i < p->n_questions; i++) {
		struct question *q = &p->questions[i];

		p->asks[i] = q->ask;
		if (worth_a_set(q) && diags_errors(c->diags) == 0)
			q->set = pattern_set_new(q->patterns, q->n_patterns);
	}
}

/* The question whose pattern a leaf asks for, if that is all it asks. */
static struct question *
one_pattern(struct program *p, const struct node *n)
{
	if (n->kind != NODE_COMPARE || n->n_operands != 1
	    || n->operands->kind != OPERAND_PATTERN
	    || p->questions[n->ask].set == NULL)
		return NULL;
	return &p->questions[n->ask];
}

static void
finish_leaves(struct checker *c)
{
	struct program *p = c->program;
	struct question *q;
	size_t i;

	for (i = 0; i < p->n_nodes; i++)
		if ((q = one_pattern(p, &p->nodes[i])) != NULL)
			q->n_leaves++;
	for (i = 0; i < p->n_questions; i++) {
		q = &p->questions[i];
		q->leaves = arena_alloc(c->arena,
		                        q->n_leaves * sizeof(*q->leaves));
		q->n_leaves = 0;
	}
	for (i = 0; i < p->n_nodes; i++) {
		const struct node *n = &p->nodes[i];

		if ((q = one_pattern(p, n)) != NULL)
			q->leaves[q->n_leaves++] = (struct pattern_leaf){
				.slot = (unsigned)n->slot,
				.bit = (unsigned)n->operands->bit,
				.negated = n->negated,
			};
	}
}

static void
finish_rules(struct checker *c)
{
	struct program *p = c->program;
	size_t i;

	p->briefs = arena_alloc(c->arena, p->n_rules * sizeof(*p->briefs));
	for (i = 0; i < p->n_rules; i++) {
		const struct rule *r = &p->rules[i];
		struct brief *b = &p->briefs[i];

		if (r->node == NO_NODE || r->shadow)
			continue;
		b->plain = true;
		b->rcpt = p->nodes[r->node].rcpt;
		b->slot = (unsigned)p->nodes[r->node].slot;
		b->first = (unsigned char)r->first;
		if (r->last != NULL)
			b->may = (unsigned char)(1u << r->last->row->ends);
	}
}

void
check_finish(struct checker *c)
{
	finish_questions(c);
	if (diags_errors(c->diags) != 0)
		return;
	finish_leaves(c);
	finish_rules(c);
}
