/* diff.h - what changed between two texts, as a unified diff. */
#ifndef DIFF_H
#define DIFF_H

#include <stdio.h>

#include "span.h"

/*
 * Lines without their ends. Prints hunks with three lines of context;
 * nothing if the texts are equal. false: no memory.
 */
bool diff_print(FILE *out, const struct span *a, size_t n,
                const struct span *b, size_t m);

#endif
