/*
 * body.h - the bytes of a body as they come in, and how much memory all
 * sessions together hold for their messages.
 */
#ifndef BODY_H
#define BODY_H

#include <stdbool.h>
#include <stddef.h>

struct body {
	char *bytes;
	size_t n, size;
};

/* false: no memory; what was there stays. */
bool body_add(struct body *b, const void *chunk, size_t n);
void body_free(struct body *b);

/*
 * A session that held *held bytes for its message now holds `now`. Returns
 * what all sessions hold. Any thread.
 */
size_t memory_account(size_t *held, size_t now);

#endif
