/*
 * session_answer.c - what is promised to the MTA for a message, and the lines
 * of the log for it.
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "report.h"
#include "session_impl.h"
#include "tally.h"

const struct answer session_go_on = {.kind = ANSWER_GO_ON};

const char session_noted[] = "noted";

/* ---- the log ---- */

bool
session_is_shadowed(const struct session *s)
{
	return !s->host.trial &&
		policy_settings(s->told.policy)->shadow.number != 0;
}

const char *
session_shadowed(const struct session *s)
{
	if (s->rcpts_shadowed > 0 && s->rcpts_shadowed == s->told.n_rcpts)
		return s->rcpt_shadow; /* nobody would have been left */
	return s->shadow;
}

/*
 * A line for each recipient whose copy was dropped, or would have been, while
 * others got it.
 */
static void
write_dropped(struct session *s)
{
	struct verdict v;
	struct report r = {
		.verb = session_is_shadowed(s) ? "shadow" : "discard",
		.verdict = &v,
		.shadow = session_is_shadowed(s) ? "discard" : NULL,
		.stage = s->told.stage,
	};

	for (r.rcpt = 0; r.rcpt < s->told.n_rcpts; r.rcpt++) {
		if (!s->told.rcpts[r.rcpt].in)
			continue;
		v = review_of(s->review, r.rcpt);
		if (v.kind == VERDICT_DISCARD)
			report(&s->told, LOG_INFO, &r);
	}
}

void
session_write_let_in(struct session *s, bool made)
{
	struct verdict v = s->verdict;
	struct report r = {
		.verb = "accept", .verdict = &v,
		.stage = s->told.stage, .rcpt = NO_RCPT,
		.shadow = session_shadowed(s), .done = s->done,
	};
	bool done;

	if (!s->let_in)
		return;
	s->let_in = false;
	done = made && (r.shadow == NULL || r.shadow == session_noted);
	tally_close(&s->told, done ? s->review : NULL);
	if (done && s->review != NULL)
		write_dropped(s);
	if (message_held(s->told.message) && s->done.p != NULL) {
		r.verb = "held";
		v.rule = s->holder;
	}
	if (!made) {
		r.verb = "tempfail";
		r.why = SPAN("the MTA did not take the changes");
	}
	report(&s->told, made ? LOG_INFO : LOG_WARNING, &r);
}

void
session_finish(struct session *s)
{
	session_write_let_in(s, true);
	if (s->review == NULL || s->finished)
		return;
	s->finished = true;
	report_review(&s->told, s->review, s->told.stage);
	tally_close(&s->told, NULL); /* unless it was let in above */
	if (s->host.trial)
		return; /* explain asks on */
	body_free(&s->told.body);
	memory_account(&s->told.held, arena_used(s->told.arena));
}

void
session_finish_early(struct session *s)
{
	if (s->review != NULL)
		review_close(s->review);
	session_finish(s);
}

/* ---- answers ---- */

struct answer
session_again(const struct session *s)
{
	bool refused = s->given.kind == ANSWER_REJECT ||
		s->given.kind == ANSWER_TEMPFAIL;

	if (!refused && (s->at == STAGE_HELO || s->at == STAGE_RCPT))
		return session_go_on;
	return s->given;
}

void
session_conclude(struct session *s, struct answer a)
{
	s->given = a;
	s->over = s->at <= STAGE_HELO ? SESSION_OVER : MESSAGE_OVER;
	/* at the end what is logged may be of the body: finish frees it */
	if (s->told.stage < STAGE_END)
		body_free(&s->told.body);
}

/* As an SMTP reply's line; what a stranger wrote may be in it. */
static void
set_failure(struct session *s, const char *why)
{
	size_t room = sizeof(s->failure);
	char *p;

	if ((size_t)snprintf(s->failure, room, "%s", why) >= room)
		memcpy(s->failure + room - 4, "...", 4);
	for (p = s->failure; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
}

struct answer
session_fail(struct session *s, const char *why)
{
	struct answer a = {.kind = ANSWER_TEMPFAIL};
	struct report r = {
		.verb = "tempfail", .verdict = &s->verdict,
		.stage = s->at, .rcpt = NO_RCPT,
	};

	s->verdict = (struct verdict){
		.kind = VERDICT_TEMPFAIL, .rule = NO_RULE, .stage = s->at,
		.code = SPAN("451"), .xcode = SPAN("4.3.2"),
	};
	set_failure(s, why);
	s->verdict.text = span_of(s->failure);
	s->failure_lines[0] = s->failure;
	a.reply = (struct reply){"451", "4.3.2", 1, s->failure_lines};
	r.reply = &a.reply;
	if (session_is_shadowed(s)) {
		a.kind = ANSWER_ACCEPT;
		r.verb = "shadow";
		r.shadow = "tempfail";
	}
	s->let_in = false;
	report(&s->told, LOG_WARNING, &r);
	session_conclude(s, a);
	session_finish_early(s);
	return session_again(s);
}

struct answer
session_no_memory(struct session *s)
{
	return session_fail(s, "no memory for this message");
}

bool
session_within_limit(struct session *s)
{
	double limit = policy_settings(s->told.policy)->memory_limit.number;

	if (s->at > STAGE_DATA)
		limit *= 1.25;
	return (double)told_account(&s->told) <= limit;
}

/* ---- verdicts ---- */

/* What "set shadow" lets in after all; the log says what it would have been. */
static struct answer
shadow(struct session *s, const struct verdict *v, size_t rcpt,
       const struct reply *reply)
{
	struct report r = {
		.verb = "shadow", .verdict = v, .stage = s->at, .rcpt = rcpt,
		.shadow = verdict_name(v->kind), .reply = reply,
		.why = v->failed ? v->why : (struct span){NULL, 0},
	};

	if (s->at == STAGE_RCPT) {
		review_drop_rcpt(s->review, rcpt);
		s->told.rcpts[rcpt].shadowed = true;
	} else if (session_shadowed(s) != NULL) {
		return session_go_on; /* it was said before */
	}
	if (v->kind == VERDICT_REJECT && !v->failed)
		tally_reject(&s->told, v->rule, rcpt);
	report(&s->told, LOG_INFO, &r);
	if (s->at != STAGE_RCPT) {
		s->shadow = r.shadow;
		return session_go_on;
	}
	s->rcpt_shadow = r.shadow;
	s->rcpts_shadowed++;
	return session_go_on;
}

static void
drop_rcpt(struct session *s, size_t rcpt)
{
	review_drop_rcpt(s->review, rcpt);
	message_drop_rcpt(s->told.message, rcpt);
	s->told.rcpts[rcpt].in = false;
}

struct answer
session_refuse(struct session *s, const struct verdict *v, size_t rcpt)
{
	struct answer a = {
		.kind = v->kind == VERDICT_REJECT ? ANSWER_REJECT :
			ANSWER_TEMPFAIL,
	};
	struct report r = {
		.verb = verdict_name(v->kind), .verdict = v,
		.stage = s->at, .rcpt = rcpt, .reply = &a.reply,
		.why = v->failed ? v->why : (struct span){NULL, 0},
	};

	if (!reply_make(s->told.arena, v->code, v->xcode, v->text,
	                s->told.utf8, &a.reply))
		return session_no_memory(s);
	if (session_is_shadowed(s))
		return shadow(s, v, rcpt, &a.reply);
	s->verdict = *v;
	report(&s->told, v->failed ? LOG_WARNING : LOG_INFO, &r);
	if (v->kind == VERDICT_REJECT && !v->failed)
		tally_reject(&s->told, v->rule, rcpt);
	if (s->at == STAGE_RCPT) {
		drop_rcpt(s, rcpt);
		return a;
	}
	session_conclude(s, a);
	session_finish(s);
	return a;
}

/* An accept that the MTA may be told before the end. */
static struct answer
accept_early(struct session *s, const struct verdict *v)
{
	struct answer a = {.kind = ANSWER_ACCEPT};

	if (s->at == STAGE_HELO || s->at == STAGE_RCPT ||
	    tally_counts(s->told.policy))
		return session_go_on;
	s->verdict = *v;
	s->let_in = true;
	session_conclude(s, a);
	session_finish(s);
	return a;
}

struct answer
session_discard(struct session *s, const struct verdict *v)
{
	struct answer a = {.kind = ANSWER_DISCARD};
	struct report r = {
		.verb = "discard", .verdict = v, .stage = s->at,
		.rcpt = NO_RCPT,
	};

	if (s->at < STAGE_DATA)
		return session_go_on;
	if (session_is_shadowed(s))
		return shadow(s, v, NO_RCPT, NULL);
	s->verdict = *v;
	report(&s->told, LOG_INFO, &r);
	session_conclude(s, a);
	session_finish(s);
	return a;
}

struct answer
session_decide(struct session *s, size_t rcpt)
{
	struct verdict v;

	if (!s->host.trial && !policy_may_answer(s->told.policy, s->at))
		return session_go_on;
	v = review_read(s->review, s->at, rcpt);
	if (s->told.no_memory || arena_full(s->told.arena))
		return session_no_memory(s);
	switch (v.kind) {
	case VERDICT_REJECT:
	case VERDICT_TEMPFAIL:
		/* Postfix would keep the message, and try again for ever: so
		 * it is refused as a whole, which its sender is told */
		if (s->at == STAGE_RCPT && s->told.no_smtp)
			return session_go_on;
		return session_refuse(s, &v, rcpt);
	case VERDICT_ACCEPT:
		return accept_early(s, &v);
	case VERDICT_DISCARD:
		return session_discard(s, &v);
	default:
		return session_go_on;
	}
}
