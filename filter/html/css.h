/* css.h - what a style attribute says of whether its element is seen. */
#ifndef CSS_H
#define CSS_H

#include "span.h"

enum css {
	CSS_GONE = 1,     /* it and all in it is not shown, by any reader */
	CSS_HIDDEN = 2,   /* nor this, but for what is CSS_VISIBLE in it */
	CSS_VISIBLE = 4,
	CSS_TINY = 8,     /* too small, but for what is CSS_SIZED in it */
	CSS_SIZED = 16,
	CSS_INLINE = 32,  /* stands in its line */
	CSS_BLOCK = 64,   /* stands in lines of its own */
	CSS_DIM = 128,    /* as CSS_GONE, but some readers do show it */
};

/*
 * Bits of enum css, by the declarations of a style attribute (CSS Style
 * Attributes): of several of one property the last counts, !important ones
 * before others. Names, comments and escapes are read as CSS has them.
 */
unsigned css_style(struct span style);

/*
 * What a style sheet hides, as far as one class, identifier or tag tells:
 * ".class", "#id" and "tag" for the last element of each selector, with what
 * the rule says of it.
 */
struct css_sheet;

struct css_sheet *css_sheet_new(void);

/* A style element's text, behind those before. */
bool css_sheet_add(struct css_sheet *sheet, struct span text); /* false: more
                                              than CAPS_CSS_NAMES */
void css_sheet_free(struct css_sheet *sheet);

/* Bits of enum css for an element; class and id may be missing. */
unsigned css_sheet_style(const struct css_sheet *sheet, struct span tag,
                         struct span class, struct span id);

#endif
