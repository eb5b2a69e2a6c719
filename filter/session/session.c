/*
 * session.c - one SMTP session: what is told at each stage, read against
 * the policy, and what is promised to the MTA for it.
 *
 * The table of what an MTA makes of an answer decides much here. A refusal
 * at connect or HELO stands for the session, an accept there leaves all of
 * its messages unseen; an accept at RCPT is the message to one MTA and the
 * recipient to another; a discard at RCPT drops the message for everybody.
 * So at HELO and RCPT an accept is only remembered (by the review), and a
 * discard is told from DATA on, when no recipient is left.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "asker.h"
#include "caps.h"
#include "change.h"
#include "detach.h"
#include "edit.h"
#include "report.h"
#include "session.h"
#include "tally.h"
#include "told.h"

enum over {
	NOT_OVER,
	MESSAGE_OVER, /* its answer stands until the next message */
	SESSION_OVER, /* the answer stands for all that follows */
};

struct session {
	struct told told;
	struct session_host host;
	const struct table *const *tables;
	struct facts facts;
	struct lookup_dns dns;
	struct review *review;  /* NULL: no message at hand */
	enum stage at;          /* of the call at hand */
	bool mail;              /* MAIL was told */
	bool headers;           /* the end of the header was told */
	enum over over;
	struct answer given;    /* if over */
	struct verdict verdict; /* what it comes from */
	bool let_in;            /* the line for it is due */
	bool finished;          /* the review's lines are written */
	struct span done;       /* what was asked of the MTA, in words */
	size_t holder;          /* the rule that holds the message, or NO_RULE */
	const char *shadow;     /* what "set shadow" kept from happening */
	const char *rcpt_shadow; /* to the recipient refused last */
	size_t rcpts_shadowed;  /* how many would have been refused */
	char failure[256];
	const char *failure_lines[1];
};

static const struct answer go_on = {.kind = ANSWER_GO_ON};

/* Of what "set shadow" keeps from happening: changes, and no more. */
static const char noted[] = "noted";

/* ---- the log ---- */

static bool
is_shadowed(const struct session *s)
{
	return !s->host.trial &&
		policy_settings(s->told.policy)->shadow.number != 0;
}

/* What "set shadow" kept from happening to the message, or NULL. */
static const char *
shadowed(const struct session *s)
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
		.verb = is_shadowed(s) ? "shadow" : "discard", .verdict = &v,
		.shadow = is_shadowed(s) ? "discard" : NULL,
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

/* The line for a message that was let in, if it is due. */
static void
write_let_in(struct session *s, bool made)
{
	struct verdict v = s->verdict;
	struct report r = {
		.verb = "accept", .verdict = &v,
		.stage = s->told.stage, .rcpt = NO_RCPT,
		.shadow = shadowed(s), .done = s->done,
	};

	if (!s->let_in)
		return;
	s->let_in = false;
	tally_close(&s->told, made && (r.shadow == NULL || r.shadow == noted)
	            ? s->review : NULL);
	if (made && s->review != NULL &&
	    (r.shadow == NULL || r.shadow == noted))
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

/* All that is left to be said of the message. */
static void
finish(struct session *s)
{
	write_let_in(s, true);
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

/* ---- one message after the other ---- */

/*
 * What has no verdict by now gets none. Nobody waits for an answer any more,
 * but libmilter perhaps, with a lock held: so nobody else is asked.
 */
static void
finish_early(struct session *s)
{
	if (s->review != NULL)
		review_close(s->review);
	finish(s);
}

static void
drop(struct session *s)
{
	finish_early(s);
	s->review = NULL;
	s->mail = s->headers = s->finished = false;
	s->verdict = (struct verdict){.rule = NO_RULE};
	s->done = (struct span){NULL, 0};
	s->holder = NO_RULE;
	s->shadow = s->rcpt_shadow = NULL;
	s->rcpts_shadowed = 0;
	if (s->over != SESSION_OVER) {
		s->over = NOT_OVER;
		told_forget(&s->told);
		memory_account(&s->told.held, 0);
	}
}

static bool
begin(struct session *s)
{
	if (!told_begin(&s->told))
		return false;
	s->review = review_new(s->told.policy, &s->facts, s->tables,
		s->told.arena);
	return s->review != NULL;
}

/* ---- answers ---- */

/*
 * The answer that stands, as far as it may be given now: an accept or a
 * discard at HELO or RCPT would mean something else (see above).
 */
static struct answer
again(const struct session *s)
{
	bool refused = s->given.kind == ANSWER_REJECT ||
		s->given.kind == ANSWER_TEMPFAIL;

	if (!refused && (s->at == STAGE_HELO || s->at == STAGE_RCPT))
		return go_on;
	return s->given;
}

static void
conclude(struct session *s, struct answer a)
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

/*
 * We can't do our work: no memory, a limit of ours. The text says which, and
 * must do without memory. While "set shadow" is yes mail goes on.
 */
static struct answer
fail(struct session *s, const char *why)
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
	if (is_shadowed(s)) {
		a.kind = ANSWER_ACCEPT;
		r.verb = "shadow";
		r.shadow = "tempfail";
	}
	s->let_in = false;
	report(&s->told, LOG_WARNING, &r);
	conclude(s, a);
	finish_early(s);
	return again(s);
}

static struct answer
without_memory(struct session *s)
{
	return fail(s, "no memory for this message");
}

/*
 * Is everything held for messages, in all sessions, within memory-limit? Over
 * it no message begins; those that are coming in have a quarter more.
 */
static bool
within_limit(struct session *s)
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
	} else if (shadowed(s) != NULL) {
		return go_on; /* it was said before */
	}
	if (v->kind == VERDICT_REJECT && !v->failed)
		tally_reject(&s->told, v->rule, rcpt);
	report(&s->told, LOG_INFO, &r);
	if (s->at != STAGE_RCPT) {
		s->shadow = r.shadow;
		return go_on;
	}
	s->rcpt_shadow = r.shadow;
	s->rcpts_shadowed++;
	return go_on;
}

static void
drop_rcpt(struct session *s, size_t rcpt)
{
	review_drop_rcpt(s->review, rcpt);
	message_drop_rcpt(s->told.message, rcpt);
	s->told.rcpts[rcpt].in = false;
}

static struct answer
refuse(struct session *s, const struct verdict *v, size_t rcpt)
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
		return without_memory(s);
	if (is_shadowed(s))
		return shadow(s, v, rcpt, &a.reply);
	s->verdict = *v;
	report(&s->told, v->failed ? LOG_WARNING : LOG_INFO, &r);
	if (v->kind == VERDICT_REJECT && !v->failed)
		tally_reject(&s->told, v->rule, rcpt);
	if (s->at == STAGE_RCPT) {
		drop_rcpt(s, rcpt);
		return a;
	}
	conclude(s, a);
	finish(s);
	return a;
}

/* An accept that the MTA may be told before the end. */
static struct answer
accept_early(struct session *s, const struct verdict *v)
{
	struct answer a = {.kind = ANSWER_ACCEPT};

	if (s->at == STAGE_HELO || s->at == STAGE_RCPT ||
	    tally_counts(s->told.policy))
		return go_on;
	s->verdict = *v;
	s->let_in = true;
	conclude(s, a);
	finish(s);
	return a;
}

static struct answer
discard(struct session *s, const struct verdict *v)
{
	struct answer a = {.kind = ANSWER_DISCARD};
	struct report r = {
		.verb = "discard", .verdict = v, .stage = s->at,
		.rcpt = NO_RCPT,
	};

	if (s->at < STAGE_DATA)
		return go_on;
	if (is_shadowed(s))
		return shadow(s, v, NO_RCPT, NULL);
	s->verdict = *v;
	report(&s->told, LOG_INFO, &r);
	conclude(s, a);
	finish(s);
	return a;
}

/* Before the end. */
static struct answer
decide(struct session *s, size_t rcpt)
{
	struct verdict v;

	if (!s->host.trial && !policy_may_answer(s->told.policy, s->at))
		return go_on;
	v = review_read(s->review, s->at, rcpt);
	if (s->told.no_memory || arena_full(s->told.arena))
		return without_memory(s);
	switch (v.kind) {
	case VERDICT_REJECT:
	case VERDICT_TEMPFAIL:
		return refuse(s, &v, rcpt);
	case VERDICT_ACCEPT:
		return accept_early(s, &v);
	case VERDICT_DISCARD:
		return discard(s, &v);
	default:
		return go_on;
	}
}

/* ---- stages ---- */

/*
 * There is a message that a call may add to. false: *a is the answer, for
 * what was decided stands or there is no memory.
 */
static bool
ready(struct session *s, enum stage stage, struct answer *a)
{
	s->at = stage;
	if (s->over != NOT_OVER) {
		*a = again(s);
		return false;
	}
	if (s->review != NULL || begin(s))
		return true;
	*a = without_memory(s);
	return false;
}

/* The same, and the stage is reached. */
static bool
reach(struct session *s, enum stage stage, struct answer *a)
{
	if (!ready(s, stage, a))
		return false;
	if (told_reach(&s->told, stage))
		return true;
	*a = without_memory(s);
	return false;
}

/* Is a review wanted this early? An idle session is to be small. */
static bool
reads_at(const struct session *s, enum stage stage)
{
	return s->host.trial || policy_may_answer(s->told.policy, stage);
}

/*
 * Until MAIL a session has no message, and many stay idle there: what was
 * read so far is given back. It is read again then, at little cost, unless
 * somebody else was asked.
 */
static struct answer
rest(struct session *s, struct answer a)
{
	if (a.kind != ANSWER_GO_ON || s->over != NOT_OVER || s->host.trial ||
	    s->mail || policy_asks_net(s->told.policy))
		return a;
	s->review = NULL;
	told_forget(&s->told);
	memory_account(&s->told.held, 0);
	return a;
}

struct answer
session_connect(struct session *s, const char *name,
                const struct sockaddr *address)
{
	struct answer a;

	s->over = NOT_OVER;
	drop(s);
	s->at = STAGE_CONNECT;
	if (!told_connect(&s->told, name, address))
		return fail(s, "no memory for this session");
	if (!reads_at(s, STAGE_CONNECT))
		return go_on;
	return reach(s, STAGE_CONNECT, &a) ? rest(s, decide(s, NO_RCPT)) : a;
}

/*
 * HELO ends a message that was begun (RFC 5321 4.1.4), and after STARTTLS it
 * makes what was known before it old.
 */
struct answer
session_helo(struct session *s, const char *helo)
{
	struct answer a;

	s->at = STAGE_HELO;
	if (s->over == SESSION_OVER)
		return again(s);
	if (s->mail || s->told.helo != NULL)
		drop(s);
	if (!told_helo(&s->told, helo))
		return fail(s, "no memory for this session");
	if (!reads_at(s, STAGE_HELO))
		return go_on;
	return reach(s, STAGE_HELO, &a) ? rest(s, decide(s, NO_RCPT)) : a;
}

struct answer
session_mail(struct session *s, char *const *argv)
{
	struct answer a;

	if (s->mail || s->over == MESSAGE_OVER)
		drop(s);
	if (!reach(s, STAGE_MAIL, &a))
		return a;
	s->mail = true;
	if (!told_mail(&s->told, argv))
		return without_memory(s);
	return decide(s, NO_RCPT);
}

struct answer
session_rcpt(struct session *s, char *const *argv)
{
	struct answer a;
	size_t rcpt;

	if (!reach(s, STAGE_RCPT, &a))
		return a;
	if (argv == NULL || argv[0] == NULL)
		return go_on;
	if (s->told.n_rcpts == CAPS_RCPTS)
		return fail(s, "too many recipients for this filter");
	if (!told_rcpt(&s->told, argv))
		return without_memory(s);
	rcpt = review_add_rcpt(s->review);
	if (rcpt == NO_RCPT)
		return without_memory(s);
	if (!within_limit(s))
		return fail(s, "this filter's memory-limit is reached");
	return decide(s, rcpt);
}

struct answer
session_data(struct session *s)
{
	struct answer a;

	return reach(s, STAGE_DATA, &a) ? decide(s, NO_RCPT) : a;
}

/* What the limits say of the header's size. NULL: nothing. */
static const char *
header_limit(const struct session *s)
{
	double limit = policy_settings(s->told.policy)->message_limit.number;

	if (s->told.header_bytes > CAPS_HEADER_BYTES)
		return "header too large for this filter";
	if ((double)s->told.header_bytes > limit)
		return "message too large for this filter (message-limit)";
	return NULL;
}

struct answer
session_header(struct session *s, const char *name, const char *value)
{
	const char *why;
	struct answer a;
	bool told;

	if (!ready(s, STAGE_HEADERS, &a))
		return a;
	if (name == NULL || value == NULL)
		return go_on;
	if (s->headers) /* it would escape the rules that were read */
		return fail(s, "a header field came after the header's end");
	if (message_fields(s->told.message) >= CAPS_HEADER_FIELDS)
		return fail(s, "too many header fields for this filter");
	told = told_header(&s->told, name, value);
	why = header_limit(s);
	if (why != NULL)
		return fail(s, why);
	if (!told)
		return without_memory(s);
	if (!within_limit(s))
		return fail(s, "this filter's memory-limit is reached");
	return go_on;
}

struct answer
session_end_of_headers(struct session *s)
{
	struct answer a;

	if (!reach(s, STAGE_HEADERS, &a))
		return a;
	s->headers = true;
	return decide(s, NO_RCPT);
}

/* It says which error it was: the disk may be full. */
static struct answer
without_room(struct session *s)
{
	char why[200], error[100];

	snprintf(why, sizeof(why), "no room for this message's body: %s",
	         strerror_r(errno, error, sizeof(error)));
	return fail(s, why);
}

/* Keeps the bytes, unless they are too many: size still counts them. */
static bool
keep_body(struct session *s, const void *chunk, size_t n)
{
	struct told *t = &s->told;
	double limit = policy_settings(t->policy)->message_limit.number;

	if (!t->needs_body || t->too_large)
		return true;
	if ((double)(t->header_bytes + t->body_bytes) > limit) {
		t->too_large = true;
		body_free(&t->body);
		return true;
	}
	return body_add(&t->body, chunk, n);
}

struct answer
session_body(struct session *s, const void *chunk, size_t n)
{
	struct answer a;

	if (!ready(s, STAGE_END, &a))
		return a;
	if (!s->told.needs_body && !s->told.needs_size)
		return (struct answer){.kind = ANSWER_SKIP};
	s->told.body_bytes += n;
	if (!keep_body(s, chunk, n))
		return without_room(s);
	if (!within_limit(s))
		return fail(s, "this filter's memory-limit is reached");
	return go_on;
}

/* ---- the end ---- */

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

/* Carries out what was noted. NULL, or why it can't be. */
static const char *
apply(struct session *s, struct span *why)
{
	struct message *m = s->told.message;
	const struct effect *e;
	size_t i, n;
	bool *did;

	for (i = 0; i < s->told.n_rcpts; i++)
		if (s->told.rcpts[i].in &&
		    review_of(s->review, i).kind == VERDICT_DISCARD)
			message_remove_rcpt(m, i);
	*why = SPAN("no memory for this message");
	if (!review_effects(s->review, &e, &n))
		return why->p;
	did = arena_alloc(s->told.arena, n * sizeof(*did));
	if (did == NULL)
		return why->p;
	for (i = 0; i < n; i++) {
		if (!carry_out(s, &e[i], why))
			return why->p == NULL ? "no memory" : why->p;
		did[i] = found(s, &e[i]);
		if (e[i].kind == EFFECT_QUARANTINE && s->holder == NO_RULE)
			s->holder = e[i].rule;
	}
	s->done = report_done(&s->told, e, did, n);
	return NULL;
}

/* Under "set shadow" nothing is done; what would be is said. */
static struct answer
let_in_unchanged(struct session *s, const struct verdict *v)
{
	const struct effect *e;
	size_t n;

	if (shadowed(s) == NULL && review_effects(s->review, &e, &n) && n > 0)
		s->shadow = noted;
	s->verdict = *v;
	s->let_in = true;
	conclude(s, (struct answer){.kind = ANSWER_ACCEPT});
	finish(s);
	return s->given;
}

static struct answer
let_in(struct session *s, const struct verdict *v,
       const struct change **changes, size_t *n)
{
	struct span why;

	if (is_shadowed(s))
		return let_in_unchanged(s, v);
	if (apply(s, &why) != NULL)
		return fail(s, why.p == NULL ? "no memory" : why.p);
	if (!within_limit(s))
		return fail(s, "this filter's memory-limit is reached");
	if (s->told.n_rcpts > 0 &&
	    message_result_rcpts(s->told.message) == 0)
		return discard(s, v);
	if (!message_changes(s->told.message, changes, n) ||
	    (s->told.edit != NULL && !edit_changes(s->told.edit, changes, n)))
		return without_memory(s);
	s->verdict = *v;
	s->verdict.kind = VERDICT_ACCEPT;
	s->let_in = true;
	conclude(s, (struct answer){.kind = ANSWER_ACCEPT});
	if (*n == 0)
		finish(s);
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
	if (!reach(s, STAGE_END, &a))
		return a;
	report_missing(&s->told);
	v = review_read(s->review, STAGE_END, NO_RCPT);
	if (s->told.no_memory || arena_full(s->told.arena))
		return without_memory(s);
	if (s->told.too_large && v.kind != VERDICT_REJECT)
		return fail(s, "message too large for this filter "
			"(message-limit)");
	if (is_shadowed(s) && shadowed(s) != NULL)
		return let_in_unchanged(s, &v);
	if (v.kind == VERDICT_REJECT || v.kind == VERDICT_TEMPFAIL)
		a = refuse(s, &v, NO_RCPT);
	else if (v.kind == VERDICT_DISCARD)
		a = discard(s, &v);
	else
		return let_in(s, &v, changes, n);
	return a.kind == ANSWER_GO_ON ? let_in_unchanged(s, &v) : a;
}

void
session_done(struct session *s, bool made)
{
	write_let_in(s, made);
	finish(s);
	if (!s->host.trial && s->over == MESSAGE_OVER)
		drop(s);
}

void
session_abort(struct session *s)
{
	drop(s);
}

/* ---- a session ---- */

struct session *
session_new(struct policy *p, const struct table *const *tables,
            const struct session_host *host)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->host = *host;
	s->tables = tables;
	s->dns = (struct lookup_dns){asker_dns, &s->told};
	s->facts = (struct facts){facts_ask, &s->told, &s->dns, &s->told.work,
		tally_over};
	s->verdict.rule = s->holder = NO_RULE;
	if (!told_open(&s->told, policy_ref(p), &s->host)) {
		session_free(s);
		return NULL;
	}
	s->told.tables = tables;
	return s;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	finish_early(s);
	memory_account(&s->told.held, 0);
	told_close(&s->told);
	policy_unref(s->told.policy);
	free(s);
}

void
session_say_spf(struct session *s, struct span mail, struct span helo)
{
	s->told.spf = mail;
	s->told.spf_helo = helo;
}

struct review *
session_review(struct session *s)
{
	return s->review;
}

enum stage
session_stage(const struct session *s)
{
	return s->at;
}

struct message *
session_message(struct session *s)
{
	return s->told.message;
}

const struct edit *
session_edit(const struct session *s)
{
	return s->told.edit;
}

const struct verdict *
session_verdict(const struct session *s)
{
	return &s->verdict;
}
