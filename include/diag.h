/*
 * diag.h - a user's mistake, with its place.
 *
 * Errors and warnings are collected while a policy is loaded and printed in
 * the order of their places:
 *
 *	vaglio.conf:14:10: unknown subject "sendr": did you mean "sender"?
 *	      if sendr.domain is example.org
 *	         ^~~~~
 */
#ifndef DIAG_H
#define DIAG_H

#include <stdio.h>

#include "arena.h"

/* A text that a user wrote: a policy file, a table's file. */
struct source {
	const char *name; /* as the user would name it */
	struct span text;
	unsigned order;   /* in which it was first read */
};

/* Bytes in a source; a source of NULL is no place ("vaglio: ..."). */
struct place {
	const struct source *source;
	size_t at, n;
};

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diags;

/* NULL without memory. */
struct diags *diags_new(void);
void diags_free(struct diags *d);

/*
 * What is told is copied, the line with its mark too: sources may go before
 * it is printed. At most CAPS_DIAGS of a level are kept; diags_print then
 * says how many more there were.
 */
void diag_error(struct diags *d, struct place where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void diag_warning(struct diags *d, struct place where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* How many were told, those that are not kept, too. */
size_t diags_errors(const struct diags *d);
size_t diags_warnings(const struct diags *d);

/* Everything, sorted by place, tabs kept so that the mark stands right. */
void diags_print(struct diags *d, FILE *out);

/* The same as a text of the caller's own, to be freed; NULL: no memory. */
char *diags_text(struct diags *d);

/* Line (from 1) of a place. */
unsigned place_line(struct place where);

/* From the begin of a to the end of b. */
struct place place_join(struct place a, struct place b);

/*
 * Of the n names, the nearest to word by edit distance, or NULL if none is
 * near enough to be meant.
 */
const char *diag_nearest(struct span word, const char *const *names, size_t n);

#endif
