/*
 * effect_where.c - the condition of a noted action that chooses attachments:
 * it is read for each of them anew, as if the message had no other.
 */
#include <string.h>

#include "why.h"

struct item {
	const struct fact *(*ask)(void *of, size_t item, enum subject_id id);
	void *of;
	size_t number;
};

static const struct fact *
ask_item(void *of, size_t n, const struct ask *ask, size_t rcpt)
{
	const struct item *item = of;

	(void)n;
	(void)rcpt;
	return item->ask(item->of, item->number, ask->subject->id);
}

bool
effect_has_where(const struct effect *e, bool *magic)
{
	*magic = e->action->magic;
	return e->action->where != NO_NODE;
}

bool
effect_where(const struct effect *e, size_t n,
             const struct fact *(*ask)(void *of, size_t item,
                                       enum subject_id id), void *of,
             struct arena *a, bool *meant, struct span *why)
{
	const struct program *p = e->action->program;
	struct item item = {ask, of, 0};
	struct facts facts = *e->eval->facts;
	struct evaluation eval = *e->eval;
	struct known known = {
		.nodes = arena_alloc(a, p->shared_nodes),
		.memos = arena_alloc(a, p->shared_questions *
		                     sizeof(*known.memos)),
	};
	enum truth t;

	*why = SPAN("no memory for this message");
	if (known.nodes == NULL || known.memos == NULL)
		return false;
	facts.ask = ask_item;
	facts.of = &item;
	eval.facts = &facts;
	eval.shared = &known;
	eval.rcpt = NULL;
	eval.rcpt_number = NO_RCPT;
	eval.stage = STAGE_END;
	eval.cost = COST_NET;
	eval.eager = true;
	for (; item.number < n; item.number++) {
		memset(known.nodes, 0, p->shared_nodes);
		memset(known.memos, 0,
		       p->shared_questions * sizeof(*known.memos));
		t = eval_node(&eval, e->action->where);
		meant[item.number] = t == TRUTH_YES;
		if (t == TRUTH_YES || t == TRUTH_NO)
			continue;
		*why = why_failed(&eval, e->action->where);
		return false;
	}
	return true;
}
