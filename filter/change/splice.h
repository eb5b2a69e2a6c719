/*
 * splice.h - bytes of which some ranges are replaced, while all others stay
 * where they are: what nobody named can't come out otherwise than it came.
 */
#ifndef SPLICE_H
#define SPLICE_H

#include "arena.h"

/* base's bytes from begin to end become text; begin == end: it is inserted. */
struct splice_edit {
	size_t begin, end;
	struct span text;
};

struct splice {
	struct arena *arena;
	struct span base;          /* stays the caller's, as the texts do */
	struct splice_edit *edits; /* in their order in base */
	size_t n_edits;
};

/* No change yet. base stays as long as s; a takes what the changes need. */
void splice_begin(struct splice *s, struct arena *a, struct span base);

/*
 * Ranges come in any order and do not overlap; what is inserted at one place
 * stands there in the order in which it came, and before what is replaced
 * from there on. false: they overlap or are not in base; or no memory (then
 * arena_full).
 */
bool splice_replace(struct splice *s, size_t begin, size_t end,
                    struct span text);

/* Is this the result? */
bool splice_is(const struct splice *s, struct span text);

/*
 * The pieces of the result in their order, none of them empty. Called with
 * *at 0 first; false: there are no more.
 */
bool splice_next(const struct splice *s, size_t *at, struct span *piece);

/* The result in one piece. p NULL: no memory. */
struct span splice_result(const struct splice *s);

#endif
