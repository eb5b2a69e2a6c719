/*
 * prefilter.h - for pattern*.c alone: a pattern as a simpler one, over bytes,
 * that matches at least where the pattern does.
 */
#ifndef PREFILTER_H
#define PREFILTER_H

#include <glib.h>

#include "span.h"

struct prefilter_pattern {
	struct span text;
	bool raw, caseless, extended, multiline;
	bool brief; /* give one run of its letters; none if it has none */
};

/* Characters equal to one when case is ignored, itself among them. */
#define CASES_MAX 8
struct cases {
	gunichar c[CASES_MAX];
	size_t n; /* 0: it can't be said */
};

/*
 * Appends the simpler expression, which needs nothing but bytes, classes of
 * bytes, groups, repeats and \A, the dot meaning any byte; it never matches
 * the empty text. false: there is none, the pattern must always be tried.
 * *caseless: it ignores the case of UTF-8 text somewhere, and then the text
 * must hold neither U+017F nor U+212A, which equal s and k.
 */
bool prefilter_expression(const struct prefilter_pattern *p,
                          struct cases (*cases)(gunichar c),
                          GString *out, bool *caseless);

#endif
