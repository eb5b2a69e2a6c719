/* link.h - the URLs that stand in a text, as mail readers make links of them. */
#ifndef LINK_H
#define LINK_H

#include "span.h"

/*
 * The first URL in text at or behind *at: http, https, ftp, file and mailto
 * ones, what begins with "www.", a domain with a path, and a share. What lacks
 * its scheme has it in *before, else that is empty. *at moves behind it. p
 * NULL: there is none.
 */
struct span link_next(struct span text, size_t *at, const char **before);

#endif
