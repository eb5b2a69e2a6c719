/*
 * facts_spf.c - what SPF says of the sender and of HELO: looked up once, if it
 * is asked for.
 */
#include <string.h>

#include "facts_answer.h"
#include "setting.h"

static struct span
said_spf(const struct told *t, enum spf_identity identity)
{
	return identity == SPF_HELO ? t->spf_helo : t->spf;
}

struct span
facts_spf(const struct told *t, enum spf_identity identity)
{
	const struct spf_finding *f = t->spf_found[identity];

	if (f != NULL)
		return span_of(spf_result_name(f->result));
	return said_spf(t, identity);
}

struct span
facts_spf_why(const struct told *t, enum spf_identity identity)
{
	const struct spf_finding *f = t->spf_found[identity];
	bool error = f != NULL && (f->result == SPF_TEMPERROR ||
		f->result == SPF_PERMERROR);

	return error && f->reason.n > 0 ? f->reason : (struct span){NULL, 0};
}

bool
facts_spf_relayed(const struct told *t)
{
	return t->spf_found[SPF_MAILFROM] != NULL && t->origin != NULL &&
		t->origin->known &&
		memcmp(&t->origin->ip, &t->client, sizeof(t->client)) != 0;
}

/* A result that was said, or that needs no look-up. */
static const struct spf_finding *
keep_finding(struct told *t, enum spf_identity identity,
             struct spf_finding found)
{
	struct spf_finding *f = arena_alloc(t->arena, sizeof(*f));

	if (f == NULL)
		return NULL;
	*f = found;
	f->identity = identity;
	t->spf_found[identity] = f;
	return f;
}

static struct spf_finding
said_finding(struct span word)
{
	struct spf_finding f = {.result = SPF_NONE};
	enum spf_result r;

	for (r = SPF_NONE; r <= SPF_PERMERROR; r++)
		if (span_is(word, span_of(spf_result_name(r))))
			f.result = r;
	return f;
}

/* The two checks of a message share one deadline: they may be asked in one
 * callback, for which the MTA waits. */
static struct spf_budget
spf_budget(const struct told *t)
{
	struct spf_budget b = SPF_BUDGET;
	double ms = policy_settings(t->policy)->spf_timeout.number * 1000 -
		(double)t->spf_took / 1e6;
	struct span mta = told_macro(t, SPAN("j"));

	b.milliseconds = ms < 1 ? 1 : (unsigned)ms;
	if (mta.n > 0)
		b.receiver = mta;
	b.trace = t->host->looked_up;
	b.of = t->host->of;
	return b;
}

/* Macros see the local part without its quotes. p NULL: no memory. */
static struct span
sender_for_spf(struct told *t)
{
	if (!t->sender_told || t->sender.domain.p == NULL)
		return t->sender_told ? t->sender.text : SPAN("");
	return arena_printf(t->arena, "%.*s@%.*s", SPAN_ARG(t->sender.local),
		SPAN_ARG(t->sender.domain));
}

static const struct spf_finding *
ask_spf(struct told *t, enum spf_identity identity)
{
	struct spf_budget budget = spf_budget(t);
	struct span sender = sender_for_spf(t);
	int64_t begin = dns_now();
	struct spf_finding f;

	if (sender.p == NULL)
		return NULL;
	spf_check(t->host->resolver, identity, &t->origin->ip, t->origin->helo,
	          sender, &budget, t->arena, &f);
	t->spf_took += dns_now() - begin;
	return arena_full(t->arena) ? NULL : keep_finding(t, identity, f);
}

const struct spf_finding *
facts_check_spf(struct told *t, enum spf_identity identity)
{
	struct span said = said_spf(t, identity);

	if (t->spf_found[identity] != NULL)
		return t->spf_found[identity];
	if (said.p != NULL)
		return keep_finding(t, identity, said_finding(said));
	if (t->host->resolver == NULL)
		return keep_finding(t, identity, (struct spf_finding){
			.reason = SPAN("DNS was not asked")});
	if (facts_origin(t) == NULL)
		return NULL;
	if (!t->origin->known)
		return keep_finding(t, identity, (struct spf_finding){
			.result = t->origin->failed ? SPF_TEMPERROR : SPF_NONE,
			.reason = t->origin->why});
	if (identity == SPF_MAILFROM && t->sender.bad)
		return keep_finding(t, identity, (struct spf_finding){
			.reason = SPAN("the sender is no mail address")});
	return ask_spf(t, identity);
}

const struct fact *
get_spf(struct told *t, const struct ask *ask, size_t rcpt)
{
	enum subject_id id = ask->subject->id;
	enum spf_identity identity = id == SUBJECT_SPF_HELO ? SPF_HELO
	                                                    : SPF_MAILFROM;
	const struct spf_finding *f;
	struct span text;

	(void)rcpt;
	if (said_spf(t, identity).p == NULL && t->host->resolver != NULL &&
	    facts_origin_waits(t))
		return &facts_later;
	f = facts_check_spf(t, identity);
	if (f == NULL)
		return facts_no_memory(t);
	if (t->origin != NULL && t->origin->failed &&
	    said_spf(t, identity).p == NULL)
		return facts_failed(t, t->origin->why);
	if (id == SUBJECT_SPF_EXPLANATION)
		text = f->explanation;
	else if (id == SUBJECT_SPF_MECHANISM)
		text = f->term;
	else
		text = span_of(spf_result_name(f->result));
	return text.n == 0 ? &facts_absent : facts_one(t, facts_text(t, text));
}
