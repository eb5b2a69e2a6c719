/* link.h - the URLs that stand in a text, as mail readers make links of them. */
#ifndef LINK_H
#define LINK_H

#include "span.h"

/*
 * The first URL in text at or behind *at: http, https, ftp and mailto ones,
 * and what begins with "www." (*bare: it has no scheme). *at moves behind
 * it. p NULL: there is none.
 */
struct span link_next(struct span text, size_t *at, bool *bare);

#endif
