/* detach.h - remove attachment, replace attachment. */
#ifndef DETACH_H
#define DETACH_H

#include "edit.h"

/*
 * Carries out one of these effects, or leaves it out (edit_left_out). false:
 * why says what is wrong (a limit, no memory), NUL-terminated.
 */
bool detach(struct edit *e, const struct effect *effect, struct span *why);

#endif
