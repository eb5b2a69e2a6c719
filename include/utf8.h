/* utf8.h - text that a stranger sent, as text. */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>

#include "arena.h"

/* RFC 3629: no surrogates, nothing overlong, nothing above U+10FFFF. */
bool utf8_valid(struct span s);

/* s itself if it is valid UTF-8, else a copy with U+FFFD for what is not. p
 * NULL: no memory. */
struct span utf8_make_valid(struct arena *a, struct span s);

/* Unicode simple case folding, s being valid UTF-8. ASCII text without
 * capitals is given back as it is. p NULL: no memory. */
struct span utf8_fold(struct arena *a, struct span s);

/*
 * Does s, valid UTF-8, contain this text once it is folded? The text is
 * folded, and has 1 to UTF8_SOUGHT bytes. Nothing is copied.
 */
#define UTF8_SOUGHT 4096
bool utf8_fold_contains(struct span s, struct span folded);

#endif
