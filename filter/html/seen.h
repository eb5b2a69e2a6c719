/*
 * seen.h - text as a reader sees it: white space is one blank, and what is
 * not shown is not there.
 */
#ifndef SEEN_H
#define SEEN_H

#include <glib.h>

#include "span.h"

struct seen {
	GString *out;
	char *to;      /* or here; NULL: there */
	size_t n;      /* bytes so far */
	bool blank;    /* is due before the next character */
	unsigned last; /* the character before */
};

/* text is valid UTF-8, and so is what is appended, which is no more bytes. */
void seen_text(struct seen *s, struct span text);

/* A break: a line's, a paragraph's, a cell's. */
void seen_break(struct seen *s);

/*
 * text/plain: appends its lines to s. flowed: lines that end in a blank go on
 * in the next (RFC 3676 4.1), without that blank if delsp.
 */
void seen_plain(struct seen *s, struct span text, bool flowed, bool delsp);

#endif
