/*
 * trial.h - a scenario run through a session, as an MTA would.
 *
 * What a scenario does not say is a quiet default: the client 198.51.100.1
 * without a name, HELO mail.example.net, sender sender@example.net, one
 * recipient rcpt@example.com, no login, no TLS, SPF none, the MTA
 * mx.example.org with its port 25; and a message with From (the sender), To
 * (the recipients), Subject, Date and Message-ID, except for the fields that
 * the scenario gives, and no body.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "address.h"
#include "message.h"
#include "mime_facts.h"
#include "session.h"

struct trial_rcpt {
	struct span address;   /* canonical */
	struct span given;
	bool refused;          /* at RCPT */
	struct verdict verdict;
	struct span reply;
};

struct trial {
	struct policy *policy;
	const struct scenario *given;
	struct arena *arena;
	struct session *session;
	/* Who is asked for SPF where the scenario does not say; or NULL. */
	struct resolver *resolver;
	/* Each look-up, before the stage is watched. Or NULL. */
	void (*looked_up)(void *of, struct trial *t,
	                  const struct spf_lookup *l);
	/* Called after each stage; rcpt is NO_RCPT but at RCPT. Or NULL. */
	void (*watch)(void *of, struct trial *t, enum stage stage, size_t rcpt);
	void *of;

	/* what came out */
	struct answer answer;      /* the message's: not GO_ON */
	enum stage stage;          /* at which it was given */
	struct verdict verdict;
	struct span reply;         /* "550 5.7.1 text", p NULL: none */
	bool held;
	size_t held_by;            /* the rule, or NO_RULE */
	struct trial_rcpt *rcpts;
	size_t n_rcpts;
	const struct change *changes;
	size_t n_changes;

	/* the message that was sent, for a difference */
	struct scenario_pair *fields;
	size_t n_fields;
	struct span sender;        /* as MAIL gave it */
	struct span body;          /* with CRLF */
};

/*
 * Runs it; false: no memory, or the scenario makes no sense (*why says so).
 * The session stays, for what is to be seen of it, until trial_close.
 */
bool trial_run(struct trial *t, const struct table *const *tables,
               const char **why);

/* The body as it is let in. p NULL: no memory. */
struct span trial_body(const struct trial *t);

/* What its parts then say to body or attachment. false: no memory. */
bool trial_parts(const struct trial *t, enum subject_id id,
                 struct mime_answer *a);

/* Ends the session; what trial_run gave is gone. */
void trial_close(struct trial *t);

#endif
