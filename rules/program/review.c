/*
 * review.c - the policy read for one message, recipient by recipient.
 *
 * The reading that is alike for all recipients (r->all) treats what mentions
 * the recipient at hand as later; it decides before RCPT. From RCPT on each
 * recipient has a reading of its own, unless no rule mentions one: then the
 * one for all serves.
 *
 * A reading goes over the rules from the top. A rule that is settled and ends
 * the reading gives its verdict, unless a rule above that would end it with
 * another kind of verdict is still open: then it is held back.
 */
#include <string.h>

#include "fill.h"
#include "why.h"

struct recipient {
	struct known known;
	struct verdict verdict;
	bool out;             /* refused: takes no part */
};

struct review {
	const struct program *program;
	struct evaluation eval;
	struct arena *arena;
	struct known shared;
	size_t *open;         /* rules that may yet be yes for somebody */
	size_t n_open;
	struct verdict all;   /* the reading that is alike for all */
	bool read;            /* it has been read, at stage read_at */
	enum stage read_at;
	struct recipient **rcpts;
	size_t n_rcpts;
	struct verdict message; /* given last for the whole message */
};

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

/* ---- one reading ---- */

/* From now on conditions are about that recipient (NO_RCPT: about none). */
static void
turn_to(struct review *r, size_t rcpt)
{
	r->eval.rcpt = rcpt == NO_RCPT ? NULL : &r->rcpts[rcpt]->known;
	r->eval.rcpt_number = rcpt;
}

static enum truth
rule_truth(struct review *r, size_t rule, enum cost cost, bool eager)
{
	const struct rule *rules = r->program->rules;

	r->eval.cost = r->eval.closed && cost == COST_NET ? COST_BODY : cost;
	r->eval.eager = eager;
	return eval_node(&r->eval, rules[rule].node);
}

static enum verdict_kind
on_error_kind(const struct rule *rule)
{
	if (rule->on_error == ON_ERROR_SKIP)
		return VERDICT_NONE;
	return rule->on_error == ON_ERROR_REJECT ? VERDICT_REJECT
	                                         : VERDICT_TEMPFAIL;
}

/* The verdict of a rule whose turn it is. */
static struct verdict
settle(struct review *r, size_t number, enum truth t)
{
	const struct rule *rule = &r->program->rules[number];
	const struct action *a = rule->last;
	struct verdict v = {.rule = number, .stage = r->eval.stage};

	if (t == TRUTH_FAILED) {
		v.kind = on_error_kind(rule);
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
	       && rule_truth(r, number, COST_BODY, true) == EVAL_UNASKED;
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
		return on_error_kind(rule);
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

/*
 * What a glance tells of a rule: that it is later or, from what is settled,
 * no. EVAL_UNASKED: it wants a closer look.
 */
static enum truth
glance(const struct review *r, const struct brief *b)
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
		enum truth t = glance(r, brief);

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
		    : rule_truth(r, number, bound(r, rule, p), p->eager);
		if (!all || t != TRUTH_NO)
			r->open[kept++] = number;
		kind = now(r, p, number, t);
		if (kind == VERDICT_NONE)
			continue;
		if (holds_back(p->may, kind))
			p->held = kind;
		else
			*out = settle(r, number, t);
		break;
	}
	if (i < r->n_open)
		i++;
	memmove(r->open + kept, r->open + i,
	        (r->n_open - i) * sizeof(*r->open));
	r->n_open = kept + (r->n_open - i);
	return out->kind != VERDICT_NONE;
}

/*
 * Reads as far as is known: cheap questions first, dear ones only if the
 * answer still depends on them.
 */
static void
read_for(struct review *r, size_t rcpt, struct verdict *out)
{
	static const enum cost bounds[] = {COST_TEXT, COST_BODY, COST_NET};
	struct pass p = {0};
	size_t i;

	if (out->kind != VERDICT_NONE)
		return;
	turn_to(r, rcpt);
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
		if (glance(r, &r->program->briefs[number]) != TRUTH_NO
		    && rule_truth(r, number, COST_BODY, false) != TRUTH_NO)
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
	read_for(r, NO_RCPT, &r->all);
	r->read = true;
	r->read_at = r->eval.stage;
}

static struct verdict
read_before_rcpt(struct review *r, enum stage s)
{
	read_all(r);
	if (refusal(&r->all))
		return s < program_first_refusal(r->program) ? nothing(r) : tell(r, r->all);
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
	    || (rule->last == NULL && on_error_kind(rule) == VERDICT_NONE))
		return false;
	return glance(r, &r->program->briefs[number]) != TRUTH_NO;
}

/* The verdict of a rule that is yes, but not all that it notes can be had. */
static struct verdict
settle_failed(struct review *r, size_t number, const struct lookup *l)
{
	struct verdict v = settle(r, number, TRUTH_FAILED);

	if (l != NULL)
		v.why = why_table_failed(&r->eval, l->table);
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
	turn_to(r, rcpt);
	for (i = 0; i < r->n_open; i++) {
		size_t number = r->open[i];
		const struct rule *rule = &r->program->rules[number];
		const struct lookup *l = NULL;
		enum truth t;

		if (v->rule != NO_RULE && number > v->rule)
			return;
		if (!passed_by(r, number))
			continue;
		t = rule_truth(r, number, COST_NET, true);
		if (t == TRUTH_YES && (l = fill_failed(&r->eval, rule)) != NULL)
			t = TRUTH_FAILED;
		if (t == TRUTH_FAILED
		    && on_error_kind(rule) != VERDICT_NONE) {
			*v = settle_failed(r, number, l);
			return;
		}
		if (number == v->rule)
			return;
		if (t == TRUTH_YES && rule->last != NULL) {
			*v = settle(r, number, t);
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
		read_for(r, rcpt, &one->verdict);
}

static struct verdict
read_at_rcpt(struct review *r, size_t rcpt)
{
	if (rcpt >= r->n_rcpts)
		return nothing(r);
	read_rcpt(r, rcpt);
	if (!refusal(&r->rcpts[rcpt]->verdict))
		return nothing(r);
	if (r->rcpts[rcpt]->verdict.stage < program_first_refusal(r->program))
		r->rcpts[rcpt]->verdict.stage = program_first_refusal(r->program);
	return r->rcpts[rcpt]->verdict;
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
		turn_to(r, i);
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

/* ---- what was noted ---- */

/* Did the reading of this recipient come as far as that rule? */
static bool
reached(const struct verdict *v, size_t rule)
{
	return v->kind == VERDICT_NONE || v->rule == NO_RULE || rule <= v->rule;
}

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
		if (!reached(&one->verdict, rule)
		    || (let_in && one->verdict.kind == VERDICT_DISCARD))
			continue;
		turn_to(r, i);
		if (rule_truth(r, rule, COST_NET, true) == TRUTH_YES
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

/*
 * One effect for all of them; one each if its text names the recipient and
 * it is done to recipients.
 */
static bool
note(struct review *r, struct effect_list *l, size_t rule,
     const struct action *a, const size_t *rcpts, size_t n)
{
	bool each = a->text.rcpt && !a->row->whole && n > 0;
	size_t i;

	for (i = 0; i < (each ? n : 1); i++) {
		struct effect *e = arena_grow(r->arena, &l->list, &l->n,
		                              sizeof(struct effect));

		if (e == NULL)
			return false;
		turn_to(r, n > 0 ? rcpts[i] : NO_RCPT);
		if (!fill_effect(r, e, rule, a))
			return false;
		e->rcpts = rcpts + i;
		e->n_rcpts = each ? 1 : n;
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
		if (n == 0 && r->n_rcpts == 0 && reached(&r->all, number)) {
			turn_to(r, NO_RCPT);
			if (rule_truth(r, number, COST_BODY, false)
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

/* ---- shadow rules ---- */

/* What the rule would do now for whom the review is turned to. */
static bool
would(struct review *r, size_t number, struct shadow *out)
{
	const struct rule *rule = &r->program->rules[number];
	enum cost cost = r->eval.stage == STAGE_END ? COST_NET : COST_BODY;
	enum truth t = rule_truth(r, number, cost, cost == COST_NET);

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
	out->verdict = settle(r, number, t);
	return true;
}

static bool
would_for_somebody(struct review *r, size_t number, struct shadow *out)
{
	size_t i;

	for (i = 0; i < r->n_rcpts; i++) {
		if (!reached(&r->rcpts[i]->verdict, number))
			continue;
		turn_to(r, i);
		if (would(r, number, out))
			return true;
	}
	turn_to(r, NO_RCPT);
	return r->n_rcpts == 0 && reached(&r->all, number)
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

/* ---- for explain ---- */

enum truth
review_rule(struct review *r, size_t rule, size_t rcpt)
{
	enum truth t;

	turn_to(r, rcpt < r->n_rcpts ? rcpt : NO_RCPT);
	t = rule_truth(r, rule, COST_BODY, false);
	return t == EVAL_UNASKED ? TRUTH_LATER : t;
}

struct span
review_why(struct review *r, size_t rule, size_t rcpt)
{
	turn_to(r, rcpt < r->n_rcpts ? rcpt : NO_RCPT);
	r->eval.cost = COST_BODY;
	r->eval.eager = false;
	return why_node(&r->eval, r->program->rules[rule].node);
}

/* ---- effects on header fields ---- */

static struct pattern_limits
effect_limits(const struct effect *e)
{
	struct pattern_limits limits =
		e->action->program->table_context.limits;

	limits.work = e->work;
	return limits;
}

bool
effect_chooses(const struct effect *e)
{
	return e->action->pattern != NULL;
}

enum truth
effect_matches(const struct effect *e, struct span value)
{
	struct pattern_limits limits;

	if (e->action->pattern == NULL)
		return TRUTH_YES;
	limits = effect_limits(e);
	return pattern_match(e->action->pattern, value, &limits, NULL);
}

struct replacement {
	struct arena *arena;
	const struct text *text;
	const char *value;
	struct subst *edits;
	size_t n;
};

static struct span
fill_match(void *of, const struct span *groups)
{
	struct replacement *r = of;
	struct span text = fill_groups(r->arena, r->text, groups);
	struct subst *e = arena_grow(r->arena, &r->edits, &r->n, sizeof(*e));

	if (e != NULL)
		*e = (struct subst){(size_t)(groups[0].p - r->value),
			groups[0].n, text};
	return text;
}

enum truth
effect_rewrite(const struct effect *e, struct span value, struct arena *a,
               struct subst **edits, size_t *n)
{
	struct replacement r = {
		.arena = a, .text = &e->action->text,
		.value = value.p == NULL ? "" : value.p,
	};
	struct pattern_limits limits = effect_limits(e);
	struct span out;
	enum truth t;

	value.p = r.value;
	t = pattern_replace(e->action->pattern, value, &limits, fill_match, &r,
	                    a, &out);
	*edits = r.edits;
	*n = r.n;
	return t == TRUTH_YES && arena_full(a) ? TRUTH_FAILED : t;
}

struct span
effect_text(const struct effect *e, struct span name, struct arena *a,
            struct span (*give)(void *of, enum subject_id id), void *of)
{
	struct span groups[PATTERN_GROUPS] = {{NULL, 0}};
	struct pattern_limits limits = effect_limits(e);

	if (e->action->pattern != NULL)
		pattern_match(e->action->pattern, name, &limits, groups);
	return fill_attachment(a, e->action, groups, give, of);
}
