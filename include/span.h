/* span.h - a pointer and a length: bytes that somebody else owns. */
#ifndef SPAN_H
#define SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *p; /* not NUL-terminated unless said; NULL: not there */
	size_t n;
};

#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})

/* for printf's "%.*s" */
#define SPAN_ARG(s) (int)(s).n, (s).p

/* A substitution: n bytes of a text, from at on, become another text. */
struct subst {
	size_t at, n;
	struct span text;
};

/* The bytes of a C string; NULL gives the span that is not there. */
struct span span_of(const char *s);

/* The same bytes; two empty spans are equal. */
bool span_is(struct span a, struct span b);

/* The same, ASCII letters compared without case. */
bool span_is_nocase(struct span a, struct span b);

/* No byte of it is above 0x7f. */
bool span_is_ascii(struct span s);

/* The bytes as a C string of the caller's own, to be freed; NULL: no memory. */
char *span_copy(struct span s);

/* What is behind its first n bytes, of which there are as many. */
struct span span_from(struct span s, size_t n);

/* Does s begin so; likewise without case, and at its end, in ASCII? */
bool span_begins(struct span s, struct span with);
bool span_begins_nocase(struct span s, struct span with);
bool span_ends_nocase(struct span s, struct span with);

/* Takes the first line off *rest; what is given is without its LF. */
struct span span_line(struct span *rest);

/* Without the blanks, tabs, CR and LF at both ends. */
struct span span_trim(struct span s);

#endif
