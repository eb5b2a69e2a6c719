/*
 * review.c - the policy read for one message, recipient by recipient.
 *
 * The reading that is alike for all recipients (r->all) treats what mentions
 * the recipient at hand as later; it decides before RCPT. From RCPT on each
 * recipient has a reading of its own, unless no rule mentions one: then the
 * one for all serves.
 */
#include "fill.h"
#include "review_impl.h"
#include "why.h"

/* ---- making one ---- */

static bool
known_new(struct arena *a, struct known *k, size_t nodes, size_t questions)
{
	k->nodes = arena_alloc(a, nodes);
	k->memos = arena_alloc(a, questions * sizeof(*k->memos));
	return k->nodes != NULL && k->memos != NULL;
}

struct review *
review_new(const struct policy *policy, const struct facts *facts,
           const struct table *const *tables, struct arena *a)
{
	const struct program *p = &policy->program;
	struct review *r = arena_alloc(a, sizeof(*r));
	size_t i;

	if (r == NULL
	    || !known_new(a, &r->shared, p->shared_nodes, p->shared_questions))
		return NULL;
	r->open = arena_alloc(a, p->n_rules * sizeof(*r->open));
	if (r->open == NULL)
		return NULL;
	for (i = 0; i < p->n_rules; i++)
		r->open[i] = i;
	r->n_open = p->n_rules;
	r->program = p;
	r->arena = a;
	r->eval = (struct evaluation){
		.program = p, .facts = facts, .tables = tables, .arena = a,
		.shared = &r->shared,
	};
	return r;
}

size_t
review_add_rcpt(struct review *r)
{
	const struct program *p = r->program;
	struct recipient *one = arena_alloc(r->arena, sizeof(*one)), **slot;

	if (one == NULL || !known_new(r->arena, &one->known, p->rcpt_nodes,
	                              p->rcpt_questions))
		return NO_RCPT;
	slot = arena_grow(r->arena, &r->rcpts, &r->n_rcpts,
	                  sizeof(struct recipient *));
	if (slot == NULL)
		return NO_RCPT;
	*slot = one;
	return r->n_rcpts - 1;
}

void
review_drop_rcpt(struct review *r, size_t rcpt)
{
	if (rcpt < r->n_rcpts)
		r->rcpts[rcpt]->out = true;
}

void
review_close(struct review *r)
{
	r->eval.closed = true;
}

/* ---- what to tell ---- */

static bool
refusal(const struct verdict *v)
{
	return v->kind == VERDICT_REJECT || v->kind == VERDICT_TEMPFAIL;
}

/* Can nothing more happen in a reading that ended so? */
static bool
quiet(struct review *r, const struct verdict *v)
{
	size_t i;

	for (i = 0; i < r->n_open; i++) {
		size_t number = r->open[i];

		if (v->rule != NO_RULE && number >= v->rule)
			break;
		if (review_glance(r, &r->program->briefs[number]) != TRUTH_NO
		    && review_truth(r, number, COST_BODY, false) != TRUTH_NO)
			return false;
	}
	return v->rule == NO_RULE
	       || r->program->rules[v->rule].actions->row->ends
	          != VERDICT_NONE;
}

static struct verdict
nothing(const struct review *r)
{
	return (struct verdict){.kind = VERDICT_NONE, .rule = NO_RULE,
	                        .stage = r->eval.stage};
}

/* A refusal that was settled before it may be told bears the later stage. */
static struct verdict
tell(struct review *r, struct verdict v)
{
	if (v.stage < program_first_refusal(r->program))
		v.stage = program_first_refusal(r->program);
	return r->message = v;
}

/* The reading that is alike for all; once a stage, since a thousand
 * recipients add nothing to it. */
static void
read_all(struct review *r)
{
	if (r->read && r->read_at == r->eval.stage && !r->program->any_stage)
		return;
	review_read_for(r, NO_RCPT, &r->all);
	r->read = true;
	r->read_at = r->eval.stage;
}

static struct verdict
read_before_rcpt(struct review *r, enum stage s)
{
	read_all(r);
	if (refusal(&r->all))
		return s < program_first_refusal(r->program) ? nothing(r)
		       : tell(r, r->all);
	if (r->all.kind == VERDICT_ACCEPT && r->all.rule != NO_RULE
	    && s != STAGE_HELO && quiet(r, &r->all))
		return r->message = r->all;
	return nothing(r);
}

/* Can a rule that the reading passed by while it was open change its end? */
static bool
passed_by(struct review *r, size_t number)
{
	const struct rule *rule = &r->program->rules[number];

	if (rule->shadow
	    || (rule->last == NULL && review_on_error(rule) == VERDICT_NONE))
		return false;
	return review_glance(r, &r->program->briefs[number]) != TRUTH_NO;
}

/* The verdict of a rule that is yes, but not all that it notes can be had. */
static struct verdict
settle_failed(struct review *r, size_t number, const struct piece *p)
{
	struct verdict v = review_settle(r, number, TRUTH_FAILED);

	if (p != NULL)
		v.why = why_piece_failed(&r->eval, p);
	return v;
}

/*
 * Before a message is let in or dropped it is read with all of it in hand. A
 * rule above that failed since, for which the reading did not wait, has its
 * say after all, and so has one that can't note what it says. So has one above
 * that ends the reading with the same kind of verdict: what stands below it
 * was not reached, and is not done.
 */
static void
verify(struct review *r, size_t rcpt, struct verdict *v)
{
	size_t i;

	if (v->kind == VERDICT_NONE || refusal(v))
		return;
	review_turn(r, rcpt);
	for (i = 0; i < r->n_open; i++) {
		size_t number = r->open[i];
		const struct rule *rule = &r->program->rules[number];
		const struct piece *p = NULL;
		enum truth t;

		if (v->rule != NO_RULE && number > v->rule)
			return;
		if (!passed_by(r, number))
			continue;
		t = review_truth(r, number, COST_NET, true);
		if (t == TRUTH_YES && (p = fill_failed(&r->eval, rule)) != NULL)
			t = TRUTH_FAILED;
		if (t == TRUTH_FAILED
		    && review_on_error(rule) != VERDICT_NONE) {
			*v = settle_failed(r, number, p);
			return;
		}
		if (number == v->rule)
			return;
		if (t == TRUTH_YES && rule->last != NULL) {
			*v = review_settle(r, number, t);
			return;
		}
	}
}

static void
read_rcpt(struct review *r, size_t rcpt)
{
	struct recipient *one = r->rcpts[rcpt];

	if (one->verdict.kind != VERDICT_NONE)
		return;
	if (!r->program->rcpt_rules)
		read_all(r);
	if (r->all.kind != VERDICT_NONE)
		one->verdict = r->all;
	else if (r->program->rcpt_rules)
		review_read_for(r, rcpt, &one->verdict);
}

static struct verdict
read_at_rcpt(struct review *r, size_t rcpt)
{
	struct verdict *v;

	if (rcpt >= r->n_rcpts)
		return nothing(r);
	read_rcpt(r, rcpt);
	v = &r->rcpts[rcpt]->verdict;
	if (!refusal(v))
		return nothing(r);
	if (v->stage < program_first_refusal(r->program))
		v->stage = program_first_refusal(r->program);
	return *v;
}

/* Of the remaining recipients' readings. */
struct tally {
	size_t n, accepted, discarded;
	const struct verdict *first;   /* of any that ended */
	const struct verdict *refusal; /* that of the topmost rule */
	bool quiet;
};

static void
count(struct review *r, const struct verdict *v, struct tally *t)
{
	t->n++;
	if (v->kind == VERDICT_NONE)
		return;
	if (t->first == NULL || t->first->kind == VERDICT_DISCARD)
		t->first = v;
	if (refusal(v)) {
		if (t->refusal == NULL || v->rule < t->refusal->rule)
			t->refusal = v;
		return;
	}
	t->accepted += v->kind == VERDICT_ACCEPT;
	t->discarded += v->kind == VERDICT_DISCARD;
	t->quiet = t->quiet && quiet(r, v);
}

static struct tally
read_remaining(struct review *r)
{
	struct tally t = {.quiet = true};
	size_t i;

	for (i = 0; i < r->n_rcpts; i++) {
		if (r->rcpts[i]->out)
			continue;
		read_rcpt(r, i);
		if (r->eval.stage == STAGE_END)
			verify(r, i, &r->rcpts[i]->verdict);
		review_turn(r, i);
		count(r, &r->rcpts[i]->verdict, &t);
	}
	if (t.n == 0) {
		read_all(r);
		if (r->eval.stage == STAGE_END)
			verify(r, NO_RCPT, &r->all);
		count(r, &r->all, &t);
	}
	return t;
}

static struct verdict
read_message(struct review *r, enum stage s)
{
	struct tally t = read_remaining(r);
	bool now_or_never = s == STAGE_END;

	if (t.refusal != NULL)
		return tell(r, *t.refusal);
	if (t.discarded == t.n && (now_or_never || t.quiet))
		return r->message = *t.first;
	if (t.accepted + t.discarded == t.n
	    && (now_or_never || (t.quiet && t.discarded == 0)))
		return r->message = *t.first;
	return nothing(r);
}

struct verdict
review_read(struct review *r, enum stage s, size_t rcpt)
{
	r->eval.stage = s;
	if (s < STAGE_RCPT)
		return read_before_rcpt(r, s);
	if (s == STAGE_RCPT)
		return read_at_rcpt(r, rcpt);
	return read_message(r, s);
}

struct verdict
review_of(const struct review *r, size_t rcpt)
{
	if (rcpt < r->n_rcpts)
		return r->rcpts[rcpt]->verdict;
	return r->message.kind != VERDICT_NONE ? r->message : r->all;
}

bool
review_reached(const struct verdict *v, size_t rule)
{
	return v->kind == VERDICT_NONE || v->rule == NO_RULE || rule <= v->rule;
}

/* ---- for explain ---- */

enum truth
review_rule(struct review *r, size_t rule, size_t rcpt)
{
	enum truth t;

	review_turn(r, rcpt < r->n_rcpts ? rcpt : NO_RCPT);
	t = review_truth(r, rule, COST_BODY, false);
	return t == EVAL_UNASKED ? TRUTH_LATER : t;
}

struct span
review_why(struct review *r, size_t rule, size_t rcpt)
{
	review_turn(r, rcpt < r->n_rcpts ? rcpt : NO_RCPT);
	r->eval.cost = COST_BODY;
	r->eval.eager = false;
	return why_node(&r->eval, r->program->rules[rule].node);
}
