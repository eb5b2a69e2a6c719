/*
 * body.h - the bytes of a body as they come in, and how much memory all
 * sessions together hold for their messages.
 *
 * Up to CAPS_BODY_MEMORY they are in memory. A larger body goes to a file
 * without a name, in $TMPDIR or /var/tmp, and is mapped to be read: the
 * kernel may write it out and take the memory for others.
 */
#ifndef BODY_H
#define BODY_H

#include "span.h"

struct body {
	char *bytes;    /* in memory, or mapped */
	size_t n, size; /* size: of the memory, or of what is mapped */
	bool in_file;
	int fd;
};

/* false: no room, and errno says why; what was there stays. */
bool body_add(struct body *b, const void *chunk, size_t n);
void body_free(struct body *b);

/* All of it, which stays there until more is added. p NULL: it can't be
 * mapped. */
struct span body_bytes(struct body *b);

/* It is not read for now: what is mapped need not be in memory. */
void body_rest(const struct body *b);

/* The same of some bytes that are mapped. */
void body_passed(struct span mapped);

/* What it takes of our memory. */
size_t body_memory(const struct body *b);

/*
 * A session that held *held bytes for its message now holds `now`. Returns
 * what all sessions hold. Any thread.
 */
size_t memory_account(size_t *held, size_t now);

#endif
