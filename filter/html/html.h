/*
 * html.h - HTML as a reader has it: what is seen of it, and where it leads.
 * By Gumbo, which reads as browsers do; only html.c knows it.
 */
#ifndef HTML_H
#define HTML_H

#include <stdint.h>

#include "arena.h"

struct html_url {
	struct html_url *next;
	struct span text;      /* the attribute's, character references read */
};

/* Of a page there may be more than one, since readers hide different things. */
#define HTML_TEXTS 3

struct html_page {
	struct span texts[HTML_TEXTS]; /* as struct seen has it; p NULL: it
	                          is the first. 1: style sheets hide, too.
	                          2: with what only some readers hide */
	struct html_url *urls; /* in the document's order */
	struct span base;      /* the first <base href>; p NULL: none */
	struct span comments;  /* HTML that is in conditional comments, which
	                          Outlook reads; p NULL: none */
};

enum html_end {
	HTML_READ,
	HTML_TOO_MUCH, /* CAPS_HTML_BYTES, or the time, is used up */
	HTML_NO_MEMORY,
};

/*
 * html is valid UTF-8; what is found is in a. *left is the CPU time in ns
 * that it may take, and becomes what is left of it.
 */
enum html_end html_read(struct arena *a, struct span html, int64_t *left,
                        struct html_page *page);

#endif
