/* change.h - append, prepend body, replace body: texts put into a message. */
#ifndef CHANGE_H
#define CHANGE_H

#include "edit.h"

/*
 * Carries out one of these effects, or leaves it out (edit_left_out). false:
 * no memory.
 */
bool change_body(struct edit *e, const struct effect *effect);

/* A stranger's control characters are none of the policy's. */
struct span change_clean(struct arena *a, struct span s);

#endif
