/* parse.h - a policy's text becomes a tree. */
#ifndef PARSE_H
#define PARSE_H

#include "ast.h"

/*
 * Parses a text, includes expanded in place; names in include and errors are
 * relative to dir. Never NULL: what could not be parsed is told to d, left
 * out, and makes the tree broken. The tree and the sources it read live in a
 * (which has an escape).
 */
struct ast *parse_policy(struct arena *a, struct source *source,
                         const char *dir, struct diags *d);

#endif
