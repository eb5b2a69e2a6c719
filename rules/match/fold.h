/*
 * fold.h - texts as they look: what is meant to be taken for another name is
 * the same text as that name. By ICU; only fold.c knows it.
 */
#ifndef FOLD_H
#define FOLD_H

#include "arena.h"

/*
 * A text has one look, or two: as it is written, and with all its letters
 * small, where that differs (a Cyrillic capital looks like another Latin
 * letter than its small one).
 */
#define FOLD_LOOKS 2

/*
 * ICU and its data are there: opened by the first call, for all threads, and
 * kept. NULL, or why not.
 */
const char *fold_open(void);

/*
 * The looks of text, which is valid UTF-8, in a: after NFKC, without what is
 * not shown, in small letters, look-alikes one, white space one blank and
 * none at the ends. How many; 0: no memory, or of *left, the letters that are
 * not of ASCII words and that may be looked at, there are not enough: it
 * becomes what is left. After fold_open.
 */
size_t fold_looks(struct arena *a, struct span text, size_t *left,
                  struct span looks[FOLD_LOOKS]);

/* How c, of ASCII, is written in each look. After fold_open. */
const char *fold_ascii(char c);

#endif
