/* diff.h - what changed between two texts, as a unified diff. */
#ifndef DIFF_H
#define DIFF_H

#include <stdio.h>

#include "span.h"

/*
 * Lines without their ends. Prints hunks with three lines of context under
 * the two names; nothing if the texts are equal. false: no memory.
 */
struct diff_text {
	const char *name;
	const struct span *lines;
	size_t n;
};

/* Prints from a to b in the unified form; nothing where they are alike. false:
 * no memory. */
bool diff_print(FILE *out, const struct diff_text *a,
                const struct diff_text *b);

#endif
