/* content.h - what bytes are, whatever they are called, by libmagic. */
#ifndef CONTENT_H
#define CONTENT_H

#include "arena.h"

/*
 * The type ("application/pdf") of what begins with these bytes. false: it
 * can't be said, for libmagic or its database is not there or no memory is.
 * Any thread.
 */
bool content_type(struct arena *a, struct span bytes, struct span *type);

#endif
