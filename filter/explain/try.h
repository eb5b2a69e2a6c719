/* try.h - the session that the filter runs, driven from a scenario. */
#ifndef TRY_H
#define TRY_H

#include <stdio.h>

#include "dns.h"
#include "policy.h"

/*
 * Runs the policy's tests: all, or those of the n names. With verbose a line
 * each on out; a failure says what was expected, what came and where the
 * expectation stands, on out, too. Returns the number that failed, and in
 * *ran how many were run.
 */
size_t try_tests(struct policy *p, char *const *names, size_t n, bool verbose,
                 FILE *out, size_t *ran);

/* As try_tests over all, silent but for failures, which go to d. */
bool try_policy(struct policy *p, struct diags *d);

/*
 * explain: each stage, each rule as it was read, the verdict, the difference.
 * resolver: who is asked for SPF where the scenario does not say; NULL: none.
 * Returns the exit status: 0 let in, 1 refused or discarded, 75 deferred.
 */
int try_explain(struct policy *p, const struct scenario *s, bool json,
                struct resolver *resolver, FILE *out);

#endif
