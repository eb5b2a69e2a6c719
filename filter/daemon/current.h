/*
 * current.h - the policy in force.
 *
 * A new one is loaded aside, its tests are run, and only then does it take
 * the place of the old one; sessions keep the one that they began with.
 */
#ifndef CURRENT_H
#define CURRENT_H

#include "dns.h"
#include "limits_store.h"
#include "policy.h"

struct current;

/* Loads path; NULL (and d says why) if it does not load or its tests fail. */
struct current *current_load(const char *path, struct diags *d);

/*
 * Whom the policies in force, this one and those to come, tell what becomes
 * of their tables (policy_tell). Before any session.
 */
void current_tell(struct current *c,
                  void (*tell)(void *of, bool bad, const char *text),
                  void *of);
void current_free(struct current *c);

/*
 * Who counts against the limits of the policies in force, this one and those
 * to come; stays the caller's. Before any session. The same again, or NULL.
 */
void current_count(struct current *c, struct limits *limits);
struct limits *current_limits(const struct current *c);

/* A reference on the policy in force, taken under the lock of the swap. */
struct policy *current_get(struct current *c);

/*
 * The same, and in *r one on the resolver of that policy's "set dns". Its
 * cache stays over a reload that names the same servers.
 */
struct policy *current_get_both(struct current *c, struct resolver **r);

/* The resolver that a policy's "set dns" asks for; NULL, and d says why. */
struct resolver *current_make_resolver(const struct policy *p,
                                       struct diags *d);

/* Loads anew; false leaves the old one in force, and d says why. */
bool current_reload(struct current *c, struct diags *d);

#endif
