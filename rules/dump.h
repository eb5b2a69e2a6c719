/* dump.h - a tree printed back as text that parses to the same tree. */
#ifndef DUMP_H
#define DUMP_H

#include <stdio.h>

#include "ast.h"

/* All statements as text that parses to the same tree. */
void dump_ast(const struct ast *ast, FILE *out);

/* One condition on one line, as the policy would spell it. */
void dump_expr(const struct expr *e, FILE *out);

#endif
