/* facts.h - what a rule may ask, answered by whoever has the message. */
#ifndef FACTS_H
#define FACTS_H

#include "lookup.h"
#include "subject.h"

#define NO_RCPT ((size_t)-1)

struct facts {
	/*
	 * The answer to question number n of the policy, for recipient rcpt
	 * (NO_RCPT unless the subject is of the recipient at hand). It is asked
	 * only once its stage is reached, or at any time if the subject is
	 * SUBJECT_IS_ANY. The answer is good until the message ends, and once
	 * it is not FACT_LATER it does not change.
	 */
	const struct fact *(*ask)(void *of, size_t n, const struct ask *ask,
	                          size_t rcpt);
	void *of;
	const struct lookup_dns *dns; /* or NULL: it is not asked */
};

#endif
