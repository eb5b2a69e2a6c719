/* css.h - what a style attribute says of whether its element is seen. */
#ifndef CSS_H
#define CSS_H

#include "span.h"

enum css {
	CSS_GONE = 1,     /* it and all in it is not shown */
	CSS_HIDDEN = 2,   /* nor this, but for what is CSS_VISIBLE in it */
	CSS_VISIBLE = 4,
	CSS_TINY = 8,     /* too small, but for what is CSS_SIZED in it */
	CSS_SIZED = 16,
	CSS_INLINE = 32,  /* stands in its line */
	CSS_BLOCK = 64,   /* stands in lines of its own */
};

/*
 * Bits of enum css, by the declarations of a style attribute (CSS Style
 * Attributes): of several of one property the last counts, !important ones
 * before others. Names, comments and escapes are read as CSS has them.
 */
unsigned css_style(struct span style);

#endif
