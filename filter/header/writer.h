/*
 * writer.h - how a field's value is made, for header_write.c: a list of
 * stretches, some that came and some that are new, which then is written.
 */
#ifndef WRITER_H
#define WRITER_H

#include "encoded.h"

/* A stretch of the result. */
struct tok {
	enum stretch_kind kind;
	struct span raw;  /* as it came; p NULL: it is new */
	struct span text;
	bool encode;      /* new, and to be encoded */
};

struct writer {
	struct arena *arena;
	bool address;
	bool strict;      /* what has a meaning is encoded */
	struct tok *toks;
	size_t n;
	GString *text;    /* what the result must say */
	/* while it is written */
	GString *out;
	size_t column;
	bool touched;     /* something of this line is new */
	bool words;       /* there are encoded words in it */
	bool fold_all;    /* lines that came too long, too */
};

/* A substitution, and the part of it that makes a difference. */
struct patch {
	size_t from, to; /* in the decoded value */
	size_t at, n;    /* in these */
	struct span text;
};

/* ---- writer_text.c ---- */

/* strict: as with writer_add_text. */
bool writer_must_encode(const struct writer *w, struct span s, bool strict);

/* A stretch at the end of the list. false: no memory. */
bool writer_add(struct writer *w, enum stretch_kind kind, struct span raw,
                struct span text, bool encode);

/*
 * New text at the end of the list. strict: what has a meaning in an address
 * field is text there. false: no memory.
 */
bool writer_add_text(struct writer *w, struct span s, bool strict);

/* ---- writer_apply.c ---- */

/*
 * The list out of a value's stretches and the patches to it, which are in
 * their order; w->text is then what it must say. false: no memory.
 */
bool writer_apply(struct writer *w, const struct stretch *list, size_t n,
                  const struct patch *patches, size_t n_patches);

/* ---- writer_settle.c ---- */

/* Does b follow on a where both came from? */
bool tok_is_joined(const struct tok *a, const struct tok *b);

/* An encoded word, or what is to become one. */
bool tok_is_wordish(const struct tok *t);

/*
 * Makes neighbours fit each other: what is one, what is encoded, which blanks
 * are seen. false: no memory.
 */
bool writer_settle(struct writer *w);

/* ---- writer_lines.c ---- */

/* The list in w->out, folded; name: the field's. */
void writer_write(struct writer *w, struct span name);

/* s as encoded words, at the end of w->out; separate: after a blank or fold. */
void writer_put_encoded(struct writer *w, struct span s, bool separate);

#endif
