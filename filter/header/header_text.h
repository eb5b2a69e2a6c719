/*
 * header_text.h - a header field's value as text, and text as a value
 * (RFC 5322 2.2.3, RFC 2047).
 */
#ifndef HEADER_TEXT_H
#define HEADER_TEXT_H

#include "arena.h"
#include "span.h"

/*
 * A header field's value on one line: a line end before a blank is left out,
 * any other CR or LF is a blank, none stands at the ends. Valid UTF-8, with
 * U+FFFD for what is not (also for 8-bit bytes in another charset: nobody
 * knows which) and for NUL. p NULL: no memory.
 */
struct span header_unfold(struct arena *a, struct span raw);

/*
 * The same, RFC 2047-decoded, once, by GMime; U+FFFD for what can't be.
 */
struct span header_decode(struct arena *a, struct span raw);

/* A copy: valid UTF-8, each control a blank. p NULL: no memory. */
struct span header_clean(struct arena *a, struct span value);

/*
 * value made fit for a header field: one line, CR LF NUL and other controls
 * a blank, what is not ASCII RFC 2047-encoded, folded at 78 with LF and a
 * blank, never a line above 998. header_decode gives the value back (without
 * blanks at its ends): a text that looks like an encoded word is encoded. In
 * an address field phrases and comments are encoded, addresses stay; a quoted
 * string may become encoded words. name: the field's. NUL-terminated. p NULL:
 * no memory.
 */
struct span header_encode(struct arena *a, struct span name, struct span value);

/*
 * The same for a value that is there: substs, in their order, are of what
 * header_decode makes of raw. Stretches that none of them touches keep their
 * bytes and folds; a fold is added only to a line that is touched.
 */
struct span header_rewrite(struct arena *a, struct span name, struct span raw,
                           const struct subst *substs, size_t n);

#endif
