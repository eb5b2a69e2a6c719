/*
 * session_end.c - the end of a message: what was noted is carried out, and
 * the message is let in or not.
 */
#include <string.h>

#include "change.h"
#include "detach.h"
#include "edit.h"
#include "report.h"
#include "session_impl.h"

static bool
carry_out(struct session *s, const struct effect *e, struct span *why)
{
	switch (e->kind) {
	case EFFECT_NOTIFY:
	case EFFECT_LOG:
		return true;
	case EFFECT_STAMP_RECEIVED_SPF:
	case EFFECT_STAMP_RESULTS:
		*why = SPAN("no memory for a stamp");
		return stamp_message(&s->told, e->kind);
	case EFFECT_APPEND:
	case EFFECT_PREPEND_BODY:
	case EFFECT_REPLACE_BODY:
		*why = SPAN("no memory for the changed body");
		return told_edit(&s->told) != NULL &&
			change_body(s->told.edit, e);
	case EFFECT_REMOVE_ATTACHMENT:
	case EFFECT_REPLACE_ATTACHMENT:
		*why = SPAN("no memory for the changed body");
		return told_edit(&s->told) != NULL &&
			detach(s->told.edit, e, why);
	default:
		return message_apply(s->told.message, e, why);
	}
}

/* Was there something to do for the effect carried out last? */
static bool
found(const struct session *s, const struct effect *e)
{
	const struct edit *edit = s->told.edit;
	size_t i;

	if (!effect_is_of_body(e->kind))
		return e->kind == EFFECT_STAMP_RECEIVED_SPF ||
			e->kind == EFFECT_STAMP_RESULTS ||
			message_found(s->told.message);
	for (i = 0; i < edit->n_taken; i++)
		if (edit->taken[i].effect == e)
			return true;
	return e->kind < EFFECT_REMOVE_ATTACHMENT ||
		edit_left_out(edit, e) != NULL;
}

/*
 * An action that can't be carried out is a failure of its rule. true: the
 * rule says skip, and the log that it was left out.
 */
static bool
pass_over(struct session *s, const struct effect *e, struct span why,
          struct verdict *v)
{
	if (s->told.no_memory || arena_full(s->told.arena))
		return false;
	*v = review_failed(s->review, e->rule, why);
	return v->kind == VERDICT_NONE && told_edit(&s->told) != NULL &&
		edit_leave_out(s->told.edit, e, why.p);
}

/* Carries out what was noted. false: v is a failure; without one, why. */
static bool
apply(struct session *s, struct verdict *v, struct span *why)
{
	struct message *m = s->told.message;
	const struct effect *e;
	size_t i, n;
	bool *did;

	*v = (struct verdict){.kind = VERDICT_NONE};
	for (i = 0; i < s->told.n_rcpts; i++)
		if (s->told.rcpts[i].in &&
		    review_of(s->review, i).kind == VERDICT_DISCARD)
			message_remove_rcpt(m, i);
	*why = SPAN("no memory for this message");
	if (!review_effects(s->review, &e, &n))
		return false;
	did = arena_alloc(s->told.arena, n * sizeof(*did));
	if (did == NULL)
		return false;
	for (i = 0; i < n; i++) {
		if (carry_out(s, &e[i], why))
			did[i] = found(s, &e[i]);
		else if (pass_over(s, &e[i], *why, v))
			did[i] = true;
		else
			return false;
		if (e[i].kind == EFFECT_QUARANTINE && s->holder == NO_RULE)
			s->holder = e[i].rule;
	}
	s->done = report_done(&s->told, e, did, n);
	return true;
}

/* Under "set shadow" nothing is done; what would be is said. */
static struct answer
let_in_unchanged(struct session *s, const struct verdict *v)
{
	const struct effect *e;
	size_t n;

	if (session_shadowed(s) == NULL &&
	    review_effects(s->review, &e, &n) && n > 0)
		s->shadow = session_noted;
	s->verdict = *v;
	s->let_in = true;
	session_conclude(s, (struct answer){.kind = ANSWER_ACCEPT});
	session_finish(s);
	return s->given;
}

static struct answer
let_in(struct session *s, const struct verdict *v,
       const struct change **changes, size_t *n)
{
	struct verdict failed;
	struct span why;

	if (session_is_shadowed(s))
		return let_in_unchanged(s, v);
	if (!apply(s, &failed, &why))
		return failed.kind != VERDICT_NONE ?
			session_refuse(s, &failed, NO_RCPT) :
			session_fail(s, why.p == NULL ? "no memory" : why.p);
	if (s->told.no_memory || arena_full(s->told.arena))
		return session_no_memory(s); /* a text may have a gap */
	if (!session_within_limit(s))
		return session_fail(s, "this filter's memory-limit is reached");
	if (s->told.n_rcpts > 0 &&
	    message_result_rcpts(s->told.message) == 0)
		return session_discard(s, v);
	if (!message_changes(s->told.message, changes, n) ||
	    (s->told.edit != NULL && !edit_changes(s->told.edit, changes, n)))
		return session_no_memory(s);
	s->verdict = *v;
	s->verdict.kind = VERDICT_ACCEPT;
	s->let_in = true;
	session_conclude(s, (struct answer){.kind = ANSWER_ACCEPT});
	if (*n == 0)
		session_finish(s);
	return s->given;
}

struct answer
session_end_of_message(struct session *s, const struct change **changes,
                       size_t *n)
{
	struct verdict v;
	struct answer a;

	*changes = NULL;
	*n = 0;
	if (!session_reach(s, STAGE_END, &a))
		return a;
	report_missing(&s->told);
	v = review_read(s->review, STAGE_END, NO_RCPT);
	if (s->told.no_memory || arena_full(s->told.arena))
		return session_no_memory(s);
	if (s->told.too_large && v.kind != VERDICT_REJECT)
		return session_fail(s, "message too large for this filter "
			"(message-limit)");
	if (session_is_shadowed(s) && session_shadowed(s) != NULL)
		return let_in_unchanged(s, &v);
	if (v.kind == VERDICT_REJECT || v.kind == VERDICT_TEMPFAIL)
		a = session_refuse(s, &v, NO_RCPT);
	else if (v.kind == VERDICT_DISCARD)
		a = session_discard(s, &v);
	else
		return let_in(s, &v, changes, n);
	return a.kind == ANSWER_GO_ON ? let_in_unchanged(s, &v) : a;
}
