/*
 * facts.c - what the MTA told, as the values that a policy asks for.
 *
 * The facts_*.c beside it have the getters, each those of one subject-matter.
 * An answer is kept for the message (for the recipient, if it is of one), so
 * that each question is worked out once.
 */
#include "facts_answer.h"

/* An answer for one recipient. */
struct told_answer {
	struct told_answer *next;
	size_t question;
	const struct fact *fact;
};

static facts_getter *const getters[SUBJECTS] = {
#define ROW(id, name, get, ...) [SUBJECT_##id] = get_##get,
	SUBJECT_TABLE(ROW)
#undef ROW
};

static struct told_answer *
answered(const struct told_rcpt *r, size_t n)
{
	struct told_answer *a;

	for (a = r->answers; a != NULL; a = a->next)
		if (a->question == n)
			return a;
	return NULL;
}

static const struct fact *
ask_rcpt(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	struct told_rcpt *r = &t->rcpts[rcpt];
	struct told_answer *a = answered(r, n);

	if (a != NULL)
		return a->fact;
	a = arena_alloc(t->arena, sizeof(*a));
	if (a == NULL)
		return facts_no_memory(t);
	a->question = n;
	a->fact = getters[ask->subject->id](t, ask, rcpt);
	a->next = r->answers;
	r->answers = a;
	return a->fact;
}

const struct fact *
facts_ask(void *of, size_t n, const struct ask *ask, size_t rcpt)
{
	struct told *t = of;
	const struct fact *f;

	if ((ask->subject->flags & SUBJECT_IS_RCPT) && !ask->all_rcpts &&
	    rcpt < t->n_rcpts)
		return ask_rcpt(t, n, ask, rcpt);
	if (t->facts[n] != NULL)
		return t->facts[n];
	f = getters[ask->subject->id](t, ask, rcpt);
	if (f->state != FACT_LATER)
		t->facts[n] = f;
	return f;
}
