/* answers.c - at which stages a policy may answer, and which it needs. */
#include "checker.h"

/* SPF of what a trusted relay hands on is known once the header is. */
static bool
known_later(const struct program *p, const struct ask *ask, enum stage s)
{
	return s == STAGE_HEADERS && p->settings.trusted_relays.number > 0
	       && ask->subject->id >= SUBJECT_SPF
	       && ask->subject->id <= SUBJECT_SPF_MECHANISM;
}

static bool
question_at(const struct program *p, size_t ask, enum stage s)
{
	const struct ask *q;

	if (ask == NO_ASK)
		return false;
	q = &p->questions[ask].ask;
	return q->stage == s || (q->subject->flags & SUBJECT_IS_ANY)
	       || known_later(p, q, s);
}

/* Does anything in the condition become known at stage s? */
static bool
node_at(const struct program *p, size_t number, enum stage s)
{
	const struct node *n;
	size_t i;

	if (number == NO_NODE)
		return s == STAGE_CONNECT;
	n = &p->nodes[number];
	if (n->kind == NODE_NOT)
		return node_at(p, n->left, s);
	if (n->kind < NODE_NOT)
		return node_at(p, n->left, s) || node_at(p, n->right, s);
	if (question_at(p, n->ask, s)
	    || (n->kind == NODE_OVER && (s == n->first || s == n->stage)))
		return true;
	for (i = 0; i < n->n_operands; i++) {
		const struct operand *o = &n->operands[i];

		if ((o->kind == OPERAND_ASK && question_at(p, o->ask, s))
		    || (o->kind == OPERAND_LOOKUP
		        && question_at(p, o->lookup.ask, s)))
			return true;
	}
	return false;
}

static bool
asks_client_name(const struct program *p, size_t ask)
{
	return p->questions[ask].ask.subject->id == SUBJECT_CLIENT_NAME;
}

/* A rule that only notes ends the reading if it fails; comparing what is in
 * hand does not. */
static bool
leaf_may_fail(const struct program *p, const struct node *n, size_t of)
{
	size_t i;

	(void)of;
	for (i = 0; i < n->n_operands; i++)
		if (n->operands[i].kind == OPERAND_ASK
		    && asks_client_name(p, n->operands[i].ask))
			return true;
	return n->cost > COST_CHEAP || n->op == OP_MATCHES || n->op == OP_IN
	       || asks_client_name(p, n->ask);
}

static bool
texts_at(const struct program *p, const struct rule *r, enum stage s)
{
	const struct action *a;
	const struct piece *t;

	for (a = r->actions; a != NULL; a = a->next)
		for (t = a->text.pieces; t != NULL; t = t->next)
			if (question_at(p, piece_ask(t), s))
				return true;
	return false;
}

static bool
verdict_at(const struct program *p, enum stage s)
{
	size_t i;

	for (i = 0; i < p->n_rules; i++) {
		const struct rule *r = &p->rules[i];

		if (r->shadow)
			continue;
		if (r->last == NULL &&
		    !program_any_leaf(p, r->node, leaf_may_fail, 0))
			continue;
		if (node_at(p, r->node, s)
		    || (r->last != NULL && texts_at(p, r, s)))
			return true;
	}
	return false;
}

static bool
may_answer(const struct program *p, enum stage s)
{
	enum stage first = program_first_refusal(p);
	int earlier;

	if (s == STAGE_END || verdict_at(p, s))
		return true;
	/* what was settled before it could be told, and what a session that
	 * the MTA began in the middle has not been told yet */
	for (earlier = (int)s - 1; earlier >= 0; earlier--)
		if ((s == first || s == STAGE_MAIL)
		    && verdict_at(p, (enum stage)earlier))
			return true;
	return false;
}

/* Asked at every stage of every message. */
bool
policy_may_answer(const struct policy *p, enum stage s)
{
	return p->program.answers & 1u << s;
}

void
program_find_answers(struct program *p)
{
	int s;

	for (s = 0; s < STAGES; s++)
		if (may_answer(p, (enum stage)s))
			p->answers |= 1u << s;
}

bool
policy_needs(const struct policy *p, enum stage s)
{
	size_t i;

	for (i = 0; i < p->program.n_questions; i++) {
		const struct ask *ask = &p->program.asks[i];

		if (ask->stage == s || known_later(&p->program, ask, s))
			return true;
	}
	return false;
}
