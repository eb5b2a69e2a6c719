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

#include "asker.h"
#include "caps.h"
#include "session_impl.h"
#include "tally.h"

/* ---- one message after the other ---- */

static void
drop(struct session *s)
{
	session_finish_early(s);
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

/* ---- stages ---- */

/*
 * There is a message that a call may add to. false: *a is the answer, for
 * what was decided stands or there is no memory.
 */
static bool
ready(struct session *s, enum stage stage, struct answer *a)
{
	s->at = stage;
	s->told.wait.left = CAPS_SERVERS_SECONDS * INT64_C(1000000000);
	if (s->over != NOT_OVER) {
		*a = session_again(s);
		return false;
	}
	if (s->review != NULL || begin(s))
		return true;
	*a = session_no_memory(s);
	return false;
}

bool
session_reach(struct session *s, enum stage stage, struct answer *a)
{
	if (!ready(s, stage, a))
		return false;
	if (told_reach(&s->told, stage))
		return true;
	*a = session_no_memory(s);
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
		return session_fail(s, "no memory for this session");
	if (!reads_at(s, STAGE_CONNECT))
		return session_go_on;
	if (!session_reach(s, STAGE_CONNECT, &a))
		return a;
	return rest(s, session_decide(s, NO_RCPT));
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
		return session_again(s);
	if (s->mail || s->told.helo != NULL)
		drop(s);
	if (!told_helo(&s->told, helo))
		return session_fail(s, "no memory for this session");
	if (!reads_at(s, STAGE_HELO))
		return session_go_on;
	if (!session_reach(s, STAGE_HELO, &a))
		return a;
	return rest(s, session_decide(s, NO_RCPT));
}

struct answer
session_mail(struct session *s, char *const *argv)
{
	struct answer a;

	if (s->mail || s->over == MESSAGE_OVER)
		drop(s);
	if (!session_reach(s, STAGE_MAIL, &a))
		return a;
	s->mail = true;
	if (!told_mail(&s->told, argv))
		return session_no_memory(s);
	return session_decide(s, NO_RCPT);
}

struct answer
session_rcpt(struct session *s, char *const *argv)
{
	struct answer a;
	size_t rcpt;

	if (!session_reach(s, STAGE_RCPT, &a))
		return a;
	if (argv == NULL || argv[0] == NULL)
		return session_go_on;
	if (s->told.n_rcpts == CAPS_RCPTS)
		return session_fail(s, "too many recipients for this filter");
	if (!told_rcpt(&s->told, argv))
		return session_no_memory(s);
	rcpt = review_add_rcpt(s->review);
	if (rcpt == NO_RCPT)
		return session_no_memory(s);
	if (!session_within_limit(s))
		return session_fail(s, "this filter's memory-limit is reached");
	return session_decide(s, rcpt);
}

struct answer
session_data(struct session *s)
{
	struct answer a;

	if (!session_reach(s, STAGE_DATA, &a))
		return a;
	return session_decide(s, NO_RCPT);
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
		return session_go_on;
	if (s->headers) /* it would escape the rules that were read */
		return session_fail(s, "a header field came after the "
		                    "header's end");
	if (message_fields(s->told.message) >= CAPS_HEADER_FIELDS)
		return session_fail(s, "too many header fields for this "
		                    "filter");
	told = told_header(&s->told, name, value);
	why = header_limit(s);
	if (why != NULL)
		return session_fail(s, why);
	if (!told)
		return session_no_memory(s);
	if (!session_within_limit(s))
		return session_fail(s, "this filter's memory-limit is reached");
	return session_go_on;
}

struct answer
session_end_of_headers(struct session *s)
{
	struct answer a;

	if (!session_reach(s, STAGE_HEADERS, &a))
		return a;
	s->headers = true;
	return session_decide(s, NO_RCPT);
}

/* It says which error it was: the disk may be full. */
static struct answer
without_room(struct session *s)
{
	char why[200], error[100];

	snprintf(why, sizeof(why), "no room for this message's body: %s",
	         strerror_r(errno, error, sizeof(error)));
	return session_fail(s, why);
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
	if (!session_within_limit(s))
		return session_fail(s, "this filter's memory-limit is reached");
	return session_go_on;
}

/* ---- the end ---- */

void
session_done(struct session *s, bool made)
{
	session_write_let_in(s, made);
	session_finish(s);
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
		tally_over, &s->told.wait};
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
	session_finish_early(s);
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

const struct spf_finding *
session_spf(const struct session *s, enum spf_identity identity)
{
	bool said = (identity == SPF_HELO ? s->told.spf_helo : s->told.spf).p
		!= NULL;

	return said ? NULL : s->told.spf_found[identity];
}
