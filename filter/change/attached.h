/* attached.h - an action's "where", asked of each attachment. */
#ifndef ATTACHED_H
#define ATTACHED_H

#include "edit.h"

/*
 * Which attachments the effect means: of each part, and behind the parts of
 * each file in an archive. NULL: why says what is wrong.
 */
const bool *attached_meant(struct mime *m, const struct effect *effect,
                           struct span *why);

#endif
