/*
 * markup.h - the marks of an HTML text, as its bytes have them.
 *
 * Only as much of HTML's own reading (WHATWG 13.2.5) as it takes to know
 * where a tag is one: not in a comment, an attribute or a script. Made for
 * places in the bytes of any charset that has ASCII's at ASCII's places;
 * each byte is looked at a bounded number of times.
 */
#ifndef MARKUP_H
#define MARKUP_H

#include "arena.h"

enum markup_kind {
	MARKUP_TEXT,
	MARKUP_OPEN,     /* <name ...> */
	MARKUP_CLOSE,    /* </name> */
	MARKUP_RAW,      /* what is in a script, style, title, textarea ... */
	MARKUP_OTHER,    /* a comment, <!doctype>, <?...> */
	MARKUP_UNCLOSED, /* what opens one of these and has no end: all the rest */
};

struct markup_token {
	enum markup_kind kind;
	struct span bytes;
	struct span name; /* of a tag, as it stands there */
};

struct markup_reader {
	struct span text;
	size_t at;
	struct span raw; /* the element that was opened last, if what is in
	                    it is MARKUP_RAW; n 0 */
};

/* false: the end. */
bool markup_next(struct markup_reader *r, struct markup_token *t);

/*
 * Where the body begins, behind <body> if it stands there: what is put
 * there comes before all that is shown, and nothing hides it.
 */
size_t markup_begin(struct span text);

/*
 * Where the body ends: before the last </body>, else the last </html>, else
 * at the end, but before a comment or script that is never closed.
 */
size_t markup_end(struct span text);

/* Text as HTML: escaped, each line's end a <br>. p NULL: no memory. */
struct span markup_escape(struct arena *a, struct span text);

/*
 * HTML as plain text: what it shows, with lines where it has blocks and
 * breaks. p NULL: no memory.
 */
struct span markup_plain(struct arena *a, struct span html);

#endif
