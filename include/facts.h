/* facts.h - what a rule may ask, answered by whoever has the message. */
#ifndef FACTS_H
#define FACTS_H

#include "limit.h"
#include "lookup.h"
#include "pattern.h"
#include "subject.h"
#include "truth.h"

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
	struct pattern_work *work;    /* of the message; or NULL: no bound */
	/*
	 * Is that limit over, with what the message, up to this recipient,
	 * would add to it? rcpt: NO_RCPT unless the limit is asked of the
	 * recipient at hand. Once it is not TRUTH_LATER the answer stays; why
	 * says it in words. NULL: no limit is ever over.
	 */
	enum truth (*over)(void *of, size_t limit, size_t rcpt,
	                   struct span *why);
	struct lookup_wait *wait;     /* or NULL: no bound */
};

#endif
