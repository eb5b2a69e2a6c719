/* domain.h - one spelling for a domain name. */
#ifndef DOMAIN_H
#define DOMAIN_H

#include "arena.h"

/*
 * The name in lower-case A-labels (RFC 5890, by libidn2), a trailing dot
 * removed, so that U-labels and A-labels are equal. What is no domain name
 * (an address literal, a name with blanks) keeps its bytes, ASCII letters in
 * lower case. p is NULL without memory.
 */
struct span domain_canonical(struct arena *a, struct span name);

/*
 * The name in U-labels, of which people write lists; the name itself if it has
 * none. p is NULL without memory.
 */
struct span domain_unicode(struct arena *a, struct span name);

#endif
