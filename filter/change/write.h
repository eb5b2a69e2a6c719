/*
 * write.h - a text, written into a part of a message so that a reader sees
 * it there: in the part's charset and transfer encoding where they can carry
 * it, else the part becomes quoted-printable, in UTF-8 if it must.
 */
#ifndef WRITE_H
#define WRITE_H

#include "own.h"

enum write_where {
	WRITE_APPEND,
	WRITE_PREPEND,
	WRITE_REPLACE, /* all of the part's text */
};

/*
 * text: valid UTF-8, lines end in LF; of p->html: HTML. *why: why the part
 * was left alone, or NULL. false: no memory.
 */
bool write_text(struct edit *e, const struct own_part *p,
                enum write_where where, struct span text, const char **why);

#endif
