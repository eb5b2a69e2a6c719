/*
 * own.h - the message's own text: what a person wrote, in each form that it
 * has, and nothing that came along with it.
 */
#ifndef OWN_H
#define OWN_H

#include "edit.h"

struct own_part {
	size_t part;
	bool html;        /* own_is_html; else text/plain */
	struct span text; /* UTF-8, lines end in LF */
};

struct own {
	struct own_part *parts;
	size_t n;
	const char *why;  /* there are none, or they may not be changed */
};

/*
 * The root, or of a multipart: each alternative of a multipart/alternative,
 * the root of a multipart/related (and the first child, which readers show
 * who pass over "start"), else the first child that has some. No attachment
 * (but a message that is one text is none, if it does not say so), nothing in a message/rfc822. None of a message that is signed
 * or encrypted, or of which readers see different parts. false: no memory.
 */
bool own_find(struct edit *e, struct own *o);

/* Is it HTML, in a form that some readers prefer, too (AMP, a watch's)? */
bool own_is_html(const struct mime_part *p);

/* What says that a part is signed or encrypted, or NULL. */
const char *own_seal(const struct mime_part *p);

/* Is it a bounce, a receipt or the like (RFC 6522)? No person wrote it. */
bool own_is_report(const struct mime *m);

/* In a message that came along? */
bool own_is_foreign(const struct mime *m, size_t part);

/* Why the message is one that is signed or encrypted, or NULL. */
const char *own_sealed(struct edit *e);

/* The text of a part. p NULL: no memory, or too much (then o->why). */
struct span own_text(struct edit *e, struct own *o, size_t part);

/* Is it shown in the message, and no attachment? */
bool own_is_shown(const struct edit *e, size_t part);

#endif
