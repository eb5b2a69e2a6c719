/* run.h - the filter itself: from its start to its clean end. */
#ifndef RUN_H
#define RUN_H

#include "options.h"

/* Returns the exit status. */
int run(const struct options *o);

#endif
