/*
 * current.h - the policy in force.
 *
 * A new one is loaded aside, its tests are run, and only then does it take
 * the place of the old one; sessions keep the one that they began with.
 */
#ifndef CURRENT_H
#define CURRENT_H

#include "policy.h"

struct current;

/* Loads path; NULL (and d says why) if it does not load or its tests fail. */
struct current *current_load(const char *path, struct diags *d);
void current_free(struct current *c);

/* A reference on the policy in force, taken under the lock of the swap. */
struct policy *current_get(struct current *c);

/* Loads anew; false leaves the old one in force, and d says why. */
bool current_reload(struct current *c, struct diags *d);

#endif
