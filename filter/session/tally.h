/* tally.h - what a message adds to the policy's limits. */
#ifndef TALLY_H
#define TALLY_H

#include "limits_store.h"
#include "told.h"

/* Room for a message's counts, in its arena. NULL: no memory. */
struct tally *tally_new(struct told *t);

/* For struct facts; of is the struct told. */
enum truth tally_over(void *of, size_t limit, size_t rcpt, struct span *why);

/* Does the policy count what is let in? Then all of it is to be seen. */
bool tally_counts(const struct policy *p);

/*
 * The message is let in, or (NULL) it is not: what it took and does not need
 * is given back, what it needs and did not take is counted.
 */
void tally_close(struct told *t, const struct review *let_in);

/*
 * The message, or that recipient (NO_RCPT: none), was refused by a rule. A
 * rule that asks a limit itself adds nothing to it: else a client that tries
 * on would never be free again.
 */
void tally_reject(struct told *t, size_t rule, size_t rcpt);

#endif
