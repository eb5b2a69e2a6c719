/*
 * review_effects.c - what the rules that were reached note: to be done to
 * a message that is let in, and to be told.
 */
#include "fill.h"
#include "review_impl.h"

/* The recipients for whom the rule is yes and was reached. */
static size_t
reached_by(struct review *r, size_t rule, bool let_in, size_t *list)
{
	const struct rule *the = &r->program->rules[rule];
	size_t i, n = 0;

	for (i = 0; i < r->n_rcpts; i++) {
		const struct recipient *one = r->rcpts[i];

		if (one->out && let_in)
			continue;
		if (!review_reached(&one->verdict, rule)
		    || (let_in && one->verdict.kind == VERDICT_DISCARD))
			continue;
		review_turn(r, i);
		if (review_truth(r, rule, COST_NET, true) == TRUTH_YES
		    && (!let_in || fill_failed(&r->eval, the) == NULL))
			list[n++] = i;
	}
	return n;
}

struct effect_list {
	struct effect *list;
	size_t n;
};

static bool
fill_effect(struct review *r, struct effect *e, size_t rule,
            const struct action *a)
{
	struct action *own;

	e->kind = a->row->effect;
	e->rule = rule;
	e->name = a->name;
	e->action = a;
	e->work = r->eval.facts->work;
	e->eval = &r->eval;
	e->per = a->per;
	if (a->row->takes & TAKES_BODY)
		return fill_body(&r->eval, &r->program->rules[rule], a, e);
	if (e->kind != EFFECT_REWRITE_HEADER
	    && e->kind != EFFECT_REPLACE_ATTACHMENT) {
		e->value = fill_text(&r->eval, &r->program->rules[rule],
		                     &a->text);
		return e->value.p != NULL;
	}
	own = arena_alloc(r->arena, sizeof(*own));
	if (own == NULL)
		return false;
	*own = *a;
	e->action = own;
	e->value = SPAN("");
	return fill_replacement(&r->eval, &r->program->rules[rule], a,
	                        &own->text);
}

/* May it be another text for each recipient? */
static bool
differs(const struct rule *rule, const struct action *a)
{
	const struct piece *p;

	if (a->row->whole || !rule->rcpt)
		return false;
	for (p = a->text.pieces; p != NULL; p = p->next)
		if (p->kind != PIECE_TEXT)
			return true;
	return false;
}

/*
 * One effect for all of them, or if it is done to recipients and what is
 * filled in is another one for some, one for each run of them.
 */
static bool
note(struct review *r, struct effect_list *l, size_t rule,
     const struct action *a, const size_t *rcpts, size_t n)
{
	bool each = n > 0 && differs(&r->program->rules[rule], a);
	struct effect *last = NULL, one;
	size_t i;

	for (i = 0; i < (each ? n : 1); i++) {
		one = (struct effect){
			.rcpts = rcpts + i, .n_rcpts = each ? 1 : n,
		};
		review_turn(r, n > 0 ? rcpts[i] : NO_RCPT);
		if (!fill_effect(r, &one, rule, a))
			return false;
		if (last != NULL && span_is(last->value, one.value)) {
			last->n_rcpts++;
			continue;
		}
		last = arena_grow(r->arena, &l->list, &l->n, sizeof(*last));
		if (last == NULL)
			return false;
		*last = one;
	}
	return true;
}

/*
 * The actions that were reached, in the file's order. let_in: those noted
 * for who gets the message; else what tells somebody, for everybody.
 */
static bool
collect(struct review *r, bool let_in, struct effect_list *l)
{
	size_t i;

	for (i = 0; i < r->n_open; i++) {
		size_t number = r->open[i], n;
		const struct rule *rule = &r->program->rules[number];
		const struct action *a;
		size_t *rcpts;

		if (rule->shadow)
			continue;
		for (a = rule->actions; a != NULL; a = a->next)
			if (a->row->ends == VERDICT_NONE
			    && action_tells(a->row) != let_in)
				break;
		if (a == NULL)
			continue;
		rcpts = arena_alloc(r->arena, r->n_rcpts * sizeof(*rcpts));
		if (rcpts == NULL)
			return false;
		n = reached_by(r, number, let_in, rcpts);
		if (n == 0 && r->n_rcpts == 0 &&
		    review_reached(&r->all, number)) {
			review_turn(r, NO_RCPT);
			if (review_truth(r, number, COST_BODY, false)
			    != TRUTH_YES)
				continue;
		} else if (n == 0) {
			continue;
		}
		for (; a != NULL; a = a->next)
			if (a->row->ends == VERDICT_NONE
			    && action_tells(a->row) != let_in
			    && !note(r, l, number, a, rcpts, n))
				return false;
	}
	return true;
}

bool
review_effects(struct review *r, const struct effect **effects, size_t *n)
{
	struct effect_list l = {0};

	if (!collect(r, true, &l))
		return false;
	*effects = l.list;
	*n = l.n;
	return true;
}

struct verdict
review_failed(struct review *r, size_t rule, struct span why)
{
	struct verdict v = review_settle(r, rule, TRUTH_FAILED);

	v.why = why;
	return v;
}

bool
review_logs(struct review *r, const struct effect **effects, size_t *n)
{
	struct effect_list l = {0};

	if (!collect(r, false, &l))
		return false;
	*effects = l.list;
	*n = l.n;
	return true;
}
