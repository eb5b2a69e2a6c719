/*
 * review_pass.c - one reading: over the rules from the top.
 *
 * A rule that is settled and ends the reading gives its verdict, unless a rule
 * above that would end it with another kind of verdict is still open: then it
 * is held back.
 */
#include <string.h>

#include "fill.h"
#include "review_impl.h"
#include "why.h"

void
review_turn(struct review *r, size_t rcpt)
{
	r->eval.rcpt = rcpt == NO_RCPT ? NULL : &r->rcpts[rcpt]->known;
	r->eval.rcpt_number = rcpt;
}

enum truth
review_truth(struct review *r, size_t rule, enum cost cost, bool eager)
{
	const struct rule *rules = r->program->rules;

	r->eval.cost = r->eval.closed && cost == COST_NET ? COST_BODY : cost;
	r->eval.eager = eager;
	return eval_node(&r->eval, rules[rule].node);
}

enum verdict_kind
review_on_error(const struct rule *rule)
{
	if (rule->on_error == ON_ERROR_SKIP)
		return VERDICT_NONE;
	return rule->on_error == ON_ERROR_REJECT ? VERDICT_REJECT
	                                         : VERDICT_TEMPFAIL;
}

struct verdict
review_settle(struct review *r, size_t number, enum truth t)
{
	const struct rule *rule = &r->program->rules[number];
	const struct action *a = rule->last;
	struct verdict v = {.rule = number, .stage = r->eval.stage};

	if (t == TRUTH_FAILED) {
		v.kind = review_on_error(rule);
		v.failed = true;
		v.code = v.kind == VERDICT_REJECT ? SPAN("554") : SPAN("451");
		v.xcode = v.kind == VERDICT_REJECT ? SPAN("5.3.0")
		                                   : SPAN("4.3.0");
		v.text = arena_printf(r->arena, "%s failure in rule %.*s",
		                      v.kind == VERDICT_REJECT ? "permanent"
		                                               : "temporary",
		                      SPAN_ARG(rule->ast->name));
		v.why = why_failed(&r->eval, rule->node);
		return v;
	}
	v.kind = a->row->ends;
	v.code = a->code;
	v.xcode = a->xcode;
	if (v.code.p != NULL)
		v.text = fill_text(&r->eval, rule, &a->text);
	return v;
}

/* One way down the rules. */
struct pass {
	enum cost cost;
	bool eager;           /* to settle what held back a verdict ... */
	enum verdict_kind for_kind; /* ... of this kind */
	unsigned may;         /* bits: how a rule above may yet end it */
	unsigned later;       /* those of them for which no asking helps */
	bool unasked;         /* a dearer pass may settle more */
	enum verdict_kind held; /* a verdict is there, but held back */
	bool open;            /* a rule may yet act or fail */
};

#define BIT(kind) (1u << (kind))

/* What the rules so far may yet do, besides giving a verdict of that kind. */
static bool
holds_back(unsigned may, enum verdict_kind kind)
{
	return (may & ~BIT(kind)) != 0;
}

/* Could a dear question make a no of a rule that is later? */
static bool
asking_helps(struct review *r, const struct pass *p, size_t number)
{
	return p->cost == COST_NET
	       && review_truth(r, number, COST_BODY, true) == EVAL_UNASKED;
}

/*
 * How rule number ends the reading now: its kind, VERDICT_NONE if it does
 * not, or not yet.
 */
static enum verdict_kind
now(struct review *r, struct pass *p, size_t number, enum truth t)
{
	const struct rule *rule = &r->program->rules[number];

	if (t == TRUTH_FAILED)
		return review_on_error(rule);
	if (t == TRUTH_NO || (t == TRUTH_YES && rule->last == NULL))
		return VERDICT_NONE;
	if (t == TRUTH_YES && fill_ready(&r->eval, rule))
		return rule->last->row->ends;
	p->unasked = p->unasked || t == EVAL_UNASKED;
	p->open = true;
	if (rule->last == NULL)
		return VERDICT_NONE;
	p->may |= BIT(rule->last->row->ends);
	if (t != EVAL_UNASKED && !asking_helps(r, p, number))
		p->later |= BIT(rule->last->row->ends);
	return VERDICT_NONE;
}

/*
 * A rule that only notes is looked at early because it may fail; a dear
 * question can wait until the message is to be let in. So can one whose
 * verdict would be held back by a rule above that is later, unless its no
 * sets free what is held back below.
 */
static enum cost
bound(const struct review *r, const struct rule *rule, const struct pass *p)
{
	if (p->cost != COST_NET || r->eval.stage == STAGE_END)
		return p->cost;
	if (rule->last == NULL
	    || holds_back(p->later, p->eager ? p->for_kind
	                                     : rule->last->row->ends))
		return COST_BODY;
	return p->cost;
}

enum truth
review_glance(const struct review *r, const struct brief *b)
{
	const struct known *known = b->rcpt ? r->eval.rcpt : &r->shared;

	if (!b->plain || known == NULL)
		return EVAL_UNASKED;
	if (b->first > r->eval.stage)
		return TRUTH_LATER;
	return known->nodes[b->slot] == TRUTH_NO + 1 ? TRUTH_NO : EVAL_UNASKED;
}

static bool
pass_over(struct review *r, struct pass *p, struct verdict *out)
{
	bool all = r->eval.rcpt == NULL;
	size_t i, kept = 0;

	for (i = 0; i < r->n_open; i++) {
		size_t number = r->open[i];
		const struct brief *brief = &r->program->briefs[number];
		const struct rule *rule = &r->program->rules[number];
		enum verdict_kind kind;
		enum truth t = review_glance(r, brief);

		if (t != EVAL_UNASKED) {
			if (t == TRUTH_LATER) {
				p->open = true;
				p->may |= brief->may;
				p->later |= brief->may;
			}
			if (!all || t == TRUTH_LATER)
				r->open[kept++] = number;
			continue;
		}
		if (rule->shadow) {
			r->open[kept++] = number;
			continue;
		}
		t = rule->first > r->eval.stage ? TRUTH_LATER
		    : review_truth(r, number, bound(r, rule, p), p->eager);
		if (!all || t != TRUTH_NO)
			r->open[kept++] = number;
		kind = now(r, p, number, t);
		if (kind == VERDICT_NONE)
			continue;
		if (holds_back(p->may, kind))
			p->held = kind;
		else
			*out = review_settle(r, number, t);
		break;
	}
	if (i < r->n_open)
		i++;
	memmove(r->open + kept, r->open + i,
	        (r->n_open - i) * sizeof(*r->open));
	r->n_open = kept + (r->n_open - i);
	return out->kind != VERDICT_NONE;
}

void
review_read_for(struct review *r, size_t rcpt, struct verdict *out)
{
	static const enum cost bounds[] = {COST_TEXT, COST_BODY, COST_NET};
	struct pass p = {0};
	size_t i;

	if (out->kind != VERDICT_NONE)
		return;
	review_turn(r, rcpt);
	for (i = 0; i < 3; i++) {
		p = (struct pass){.cost = bounds[i]};
		if (pass_over(r, &p, out))
			return;
		if (!p.unasked)
			break;
	}
	if (p.held != VERDICT_NONE && r->program->cost == COST_NET) {
		p = (struct pass){.cost = COST_NET, .eager = true,
		                  .for_kind = p.held};
		if (pass_over(r, &p, out))
			return;
	}
	if (!p.open && p.held == VERDICT_NONE)
		*out = (struct verdict){.kind = VERDICT_ACCEPT,
		                        .rule = NO_RULE,
		                        .stage = r->eval.stage};
}
