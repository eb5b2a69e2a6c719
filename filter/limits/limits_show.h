/* limits_show.h - `vaglio limits`, as the running filter answers it. */
#ifndef LIMITS_SHOW_H
#define LIMITS_SHOW_H

#include <stdio.h>

#include "limits_store.h"

/*
 * The keys of which most is used, of each limit of the policy; or as JSON.
 * The status to exit with.
 */
int limits_show(struct limits *l, const struct policy *p, bool json, FILE *out);

/* Forgets what is counted for a key, given as a person writes it. */
int limits_forget(struct limits *l, const struct policy *p, struct span name,
                  struct span key, FILE *out);

#endif
