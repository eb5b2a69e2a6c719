/* lmdb_pages.h - is every page of an LMDB file what it says it is? */
#ifndef LMDB_PAGES_H
#define LMDB_PAGES_H

#include "span.h"

/*
 * liblmdb believes what it reads. So all that a look-up could come by is
 * gone through before: NULL, or what is wrong.
 */
const char *lmdb_pages_check(struct span file);

#endif
