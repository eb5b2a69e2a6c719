/*
 * review_shadows.c - what the shadow rules would do.
 */
#include "fill.h"
#include "review_impl.h"

/* What the rule would do now for whom the review is turned to. */
static bool
would(struct review *r, size_t number, struct shadow *out)
{
	const struct rule *rule = &r->program->rules[number];
	enum cost cost = r->eval.stage == STAGE_END ? COST_NET : COST_BODY;
	enum truth t = review_truth(r, number, cost, cost == COST_NET);

	if (t != TRUTH_YES && t != TRUTH_FAILED)
		return false;
	out->rule = number;
	out->rcpt = r->eval.rcpt_number;
	out->verdict = (struct verdict){.kind = VERDICT_NONE, .rule = number,
	                                .stage = r->eval.stage};
	if (t == TRUTH_YES && rule->last == NULL)
		return true;
	if (t == TRUTH_YES && !fill_ready(&r->eval, rule))
		return false;
	out->verdict = review_settle(r, number, t);
	return true;
}

static bool
would_for_somebody(struct review *r, size_t number, struct shadow *out)
{
	size_t i;

	for (i = 0; i < r->n_rcpts; i++) {
		if (!review_reached(&r->rcpts[i]->verdict, number))
			continue;
		review_turn(r, i);
		if (would(r, number, out))
			return true;
	}
	review_turn(r, NO_RCPT);
	return r->n_rcpts == 0 && review_reached(&r->all, number)
	       && would(r, number, out);
}

bool
review_shadows(struct review *r, const struct shadow **shadows, size_t *n)
{
	struct shadow *list = NULL;
	size_t i;

	*n = 0;
	*shadows = NULL;
	for (i = 0; i < r->n_open; i++) {
		if (!r->program->rules[r->open[i]].shadow)
			continue;
		if (list == NULL)
			list = arena_alloc(r->arena,
			                   r->n_open * sizeof(*list));
		if (list == NULL)
			return false;
		*n += would_for_somebody(r, r->open[i], &list[*n]);
	}
	*shadows = list;
	return true;
}
