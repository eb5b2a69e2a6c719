/* lint.c - what can't be done, or is odd, once all rules are known. */
#include "checker.h"

static enum verdict_kind
ends(const struct rule *r)
{
	return r->last == NULL || r->shadow ? VERDICT_NONE : r->last->row->ends;
}

static bool
refuses(const struct rule *r)
{
	return r->last != NULL && (r->last->row->ends == VERDICT_REJECT
	                           || r->last->row->ends == VERDICT_TEMPFAIL);
}

void
lint_pass(struct lint_above *above, const struct rule *r)
{
	const struct rule **last = &above->last[ends(r)];

	if (*last == NULL || r->stage > (*last)->stage)
		*last = r;
}

const struct rule *
lint_held_by(const struct lint_above *above, const struct rule *r)
{
	const struct rule *by = NULL;
	int k;

	if (!refuses(r) || r->shadow)
		return NULL;
	for (k = VERDICT_ACCEPT; k <= VERDICT_DISCARD; k++) {
		const struct rule *last = above->last[k];

		if (last != NULL && k != (int)ends(r) && last->stage > r->stage
		    && (by == NULL || last->stage > by->stage))
			by = last;
	}
	return by;
}

/* A recipient can be refused only while RCPT is answered; a message is held
 * for all. */
static bool
late_for_one(const struct action *a)
{
	if (a->row->ends == VERDICT_NONE)
		return a->row->effect == EFFECT_QUARANTINE;
	return a->row->ends == VERDICT_REJECT
	       || a->row->ends == VERDICT_TEMPFAIL;
}

static void
lint_late_rcpt(struct checker *c, const struct rule *r)
{
	const struct action *a;

	if (!r->rcpt || r->stage <= STAGE_RCPT)
		return;
	for (a = r->actions; a != NULL; a = a->next) {
		if (!late_for_one(a))
			continue;
		diag_error(c->diags, a->place,
		           "\"%s\" can't be done for one recipient: the rule asks "
		           "for \"rcpt\" or a limit on recipients, and for what "
		           "is known only at %s. Write \"any rcpt\" or \"every "
		           "rcpt\" to decide about the whole message, and a limit "
		           "on recipients in a rule of its own", a->row->words,
		           stage_name(r->stage));
	}
}

/*
 * A refusal of one recipient can't wait for what comes after RCPT. Waiting
 * for RCPT costs nothing, and exceptions for a recipient are made so; waiting
 * longer means that the message must be taken in first.
 */
static void
lint_held(struct checker *c, const struct lint_above *above,
          const struct rule *r)
{
	const struct rule *by = lint_held_by(above, r);

	if (by == NULL || by->stage <= STAGE_RCPT)
		return;
	if (!r->rcpt)
		diag_warning(c->diags, r->ast->name_place,
		             "rule \"%.*s\" could decide at %s, but waits until "
		             "%s for rule \"%.*s\" above, which may %s",
		             SPAN_ARG(r->ast->name), stage_name(r->stage),
		             stage_name(by->stage), SPAN_ARG(by->ast->name),
		             verdict_name(ends(by)));
	else if (r->stage <= STAGE_RCPT)
		diag_error(c->diags, r->ast->name_place,
		           "rule \"%.*s\" refuses a recipient, but rule \"%.*s\" "
		           "above may %s first and is settled only at %s. Put this "
		           "rule above it, or write \"any rcpt\" or \"every rcpt\"",
		           SPAN_ARG(r->ast->name), SPAN_ARG(by->ast->name),
		           verdict_name(ends(by)), stage_name(by->stage));
}

/*
 * A macro that the MTA does not give keeps its rule open until the end of the
 * message, and with it the refusals below. One warning for each such rule,
 * where no other says so already.
 */
static void
lint_open(struct checker *c, const struct rule **open, const struct rule *r)
{
	size_t k;

	for (k = 0; k <= VERDICT_DISCARD && refuses(r) && !r->shadow; k++) {
		if (open[k] == NULL || k == (size_t)ends(r))
			continue;
		diag_warning(c->diags, open[k]->ast->name_place,
		             "rule \"%.*s\" may %s by what the MTA need not "
		             "give: where it does not, rule \"%.*s\" below can "
		             "refuse only at the end of the message. See that "
		             "it does, or put this rule below",
		             SPAN_ARG(open[k]->ast->name),
		             verdict_name(ends(open[k])),
		             SPAN_ARG(r->ast->name));
		open[k] = NULL;
	}
	if (ends(r) != VERDICT_NONE && r->node != NO_NODE
	    && r->stage <= STAGE_RCPT
	    && c->program->nodes[r->node].may_stay_later)
		open[ends(r)] = r;
}

static void
lint_unreachable(struct checker *c)
{
	const struct rule *rules = c->program->rules, *wall = NULL;
	size_t i;

	for (i = 0; i < c->program->n_rules; i++) {
		if (wall != NULL)
			diag_warning(c->diags, rules[i].ast->name_place,
			             "rule \"%.*s\" is never reached: rule "
			             "\"%.*s\" above always applies",
			             SPAN_ARG(rules[i].ast->name),
			             SPAN_ARG(wall->ast->name));
		else if (ends(&rules[i]) != VERDICT_NONE
		         && rules[i].ast->clauses == NULL)
			wall = &rules[i];
	}
}

static void
lint_unused(struct checker *c)
{
	size_t i;

	for (i = 0; i < c->program->n_tables; i++)
		if (!c->program->tables[i].used)
			diag_warning(c->diags, c->program->tables[i].place,
			             "table <%.*s> is not used",
			             SPAN_ARG(c->program->tables[i].name));
	for (i = 0; i < c->program->n_limits; i++)
		if (!c->program->limit_asts[i]->used)
			diag_warning(c->diags,
			             c->program->limit_asts[i]->name_place,
			             "limit \"%.*s\" is not used: it is counted, "
			             "but nothing is refused",
			             SPAN_ARG(c->program->limits[i].name));
	for (i = 0; i < c->n_defines; i++)
		if (!c->defines[i]->used)
			diag_warning(c->diags, c->defines[i]->name_place,
			             "define \"%.*s\" is not used",
			             SPAN_ARG(c->defines[i]->name));
}

static void
lint_empty(struct checker *c)
{
	struct place where = {c->program->ast->source, 0, 0};

	if (c->program->n_rules == 0)
		diag_warning(c->diags, where,
		             "this policy has no rule: it lets everything in");
}

void
lint_policy(struct checker *c)
{
	struct lint_above above = {{NULL}};
	const struct rule *open[VERDICT_DISCARD + 1] = {NULL};
	size_t i;

	for (i = 0; i < c->program->n_rules; i++) {
		const struct rule *r = &c->program->rules[i];

		lint_late_rcpt(c, r);
		lint_held(c, &above, r);
		lint_open(c, open, r);
		lint_pass(&above, r);
	}
	lint_unreachable(c);
	/* what is not right may have used it */
	if (c->program->ast->broken || diags_errors(c->diags) != 0)
		return;
	lint_unused(c);
	lint_empty(c);
}
