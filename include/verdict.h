/* verdict.h - what comes out of a policy. */
#ifndef VERDICT_H
#define VERDICT_H

#include "span.h"
#include "stage.h"

enum verdict_kind {
	VERDICT_NONE, /* nothing is settled */
	VERDICT_ACCEPT,
	VERDICT_REJECT,
	VERDICT_TEMPFAIL,
	VERDICT_DISCARD,
};

#define NO_RULE ((size_t)-1)

struct verdict {
	enum verdict_kind kind;
	size_t rule;       /* NO_RULE: the end of the policy was reached */
	enum stage stage;  /* at which it was settled */
	bool failed;       /* the rule failed: this is its on error */
	struct span why;   /* then: what failed, for the log */
	struct span code, xcode; /* "550", "5.7.1": a refusal's */
	struct span text;  /* filled in; not yet made safe for a reply */
};

/* "none", "accept", "reject", "tempfail", "discard" */
const char *verdict_name(enum verdict_kind k);

enum effect_kind {
	EFFECT_ADD_HEADER,
	EFFECT_PREPEND_HEADER,
	EFFECT_REPLACE_HEADER,
	EFFECT_REMOVE_HEADER,
	EFFECT_REWRITE_HEADER,
	EFFECT_ADD_RCPT,
	EFFECT_REDIRECT,
	EFFECT_REPLACE_SENDER,
	EFFECT_QUARANTINE,
	EFFECT_STAMP_RECEIVED_SPF,
	EFFECT_STAMP_RESULTS,
	EFFECT_APPEND,         /* these are of the body */
	EFFECT_PREPEND_BODY,
	EFFECT_REPLACE_BODY,
	EFFECT_REMOVE_ATTACHMENT,
	EFFECT_REPLACE_ATTACHMENT,
	EFFECT_NOTIFY,         /* value: the address */
	EFFECT_LOG,
};

/* "add header": as a policy has it, for the log */
const char *effect_name(enum effect_kind k);
bool effect_is_of_body(enum effect_kind k);

struct action;
struct evaluation;
struct pattern_work;

/* A noted action whose turn has come. */
struct effect {
	enum effect_kind kind;
	size_t rule;
	struct span name;  /* a header field's */
	struct span value; /* filled in; not yet made safe for where it goes */
	struct span html;  /* of a body: its HTML form, what was filled in
	                      escaped. p NULL: to be made of value, which is
	                      NULL if there is only this */
	bool once;         /* not where the text stands already */
	const struct action *action; /* for effect_matches and the like */
	struct pattern_work *work;   /* of the message, for these */
	const struct evaluation *eval; /* of the review, for effect_where */
	unsigned per;      /* of a notice: seconds in which there is no other */
	const size_t *rcpts;         /* whose reading reached it */
	size_t n_rcpts;
};

#endif
