/*
 * encoded.h - the encoded words of a field's value (RFC 2047), for those who
 * must know which bytes give which text.
 */
#ifndef ENCODED_H
#define ENCODED_H

#include <glib.h>
#include <stdint.h>

#include "arena.h"

/* GMime made ready; any thread, any number of times. Whoever uses it begins
 * with this. */
void encoded_init(void);

/* =?charset*language?B?payload?= */
struct word {
	struct span charset, payload;
	char encoding;     /* 'B' or 'Q' */
	size_t begin, end; /* in the text */
};

struct word_finder {
	struct span text;
	size_t next_end;   /* no "?=" between the last look and here */
};

/* The first word that begins at `at` or behind it. */
bool word_find(struct word_finder *f, size_t at, struct word *w);

/* Appends what the words hold; one may end in the middle of a character.
 * false: as charset_to_utf8. */
bool words_decode(const struct word *words, size_t n, GString *out);

/*
 * A line end before a blank goes, any other CR or LF is a blank. from takes
 * the place of each byte in s, and s.n at the end; or it is NULL. What is
 * returned is the size; out has room for s.n bytes.
 */
size_t unfold(struct span s, char *out, uint32_t *from);

enum stretch_kind {
	STRETCH_TEXT,    /* no blank in it */
	STRETCH_BLANKS,  /* folds too */
	STRETCH_GAP,     /* blanks between two words: no text */
	STRETCH_WORD,    /* one encoded word, or some that are one */
	/* of an address field (RFC 5322 3.2): */
	STRETCH_QUOTED,  /* "..." */
	STRETCH_COMMENT, /* (...) */
	STRETCH_ANGLE,   /* <...> */
	STRETCH_MARK,    /* , : ; */
};

struct stretch {
	enum stretch_kind kind;
	struct span raw;  /* bytes of the value */
	struct span text; /* what header_decode makes of them */
};

/*
 * The value in stretches, none left out. address: what has a meaning there
 * is a stretch of its own. false: no memory.
 */
bool header_stretches(struct arena *a, struct span raw, bool address,
                      struct stretch **list, size_t *n);

#endif
