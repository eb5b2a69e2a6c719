/* report.h - what a session has to say in the log. */
#ifndef REPORT_H
#define REPORT_H

#include "reply.h"
#include "told.h"

struct report {
	const char *verb;           /* "reject", "accept", "shadow", ... */
	const struct verdict *verdict;
	enum stage stage;           /* at which it was given */
	size_t rcpt;                /* or NO_RCPT: all that are in */
	const char *shadow;         /* or NULL */
	struct span done, why, text; /* p NULL: none */
	const struct reply *reply;  /* or NULL */
};

/* One line to the host's log; priority as syslog(3). */
void report(struct told *t, int priority, const struct report *r);

/* The log actions and the shadow rules of a review that is over. */
void report_review(struct told *t, struct review *review, enum stage stage);

/*
 * What was done to a message that was let in, in words; in the arena.
 * found: of each effect whether there was something to do.
 */
struct span report_done(struct told *t, const struct effect *effects,
                        const bool *found, size_t n);

/*
 * Once in a process for each macro: a rule needs one that this MTA, which
 * always could, does not send.
 */
void report_missing(struct told *t);

#endif
