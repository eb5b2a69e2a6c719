/* why.h - in words, what decided a condition. */
#ifndef WHY_H
#define WHY_H

#include "eval.h"

/* `auth is "alice"; sender "boss@example.org" not in <logins>["alice"]`, for
 * a node as it stands now. p NULL: no memory. */
struct span why_node(struct evaluation *e, size_t node);

/* The question that failed in a node, and why, for the log. */
struct span why_failed(struct evaluation *e, size_t node);

/* Why what is filled in there can't be had. */
struct span why_piece_failed(struct evaluation *e, const struct piece *p);

#endif
