/* charset.h - bytes in a charset that a stranger named, as UTF-8. */
#ifndef CHARSET_H
#define CHARSET_H

#include <glib.h>

#include "span.h"
#include "truth.h"

/*
 * Appends bytes, read as charset, to out: U+FFFD for each byte that can't be
 * converted, and for U+0000. In a charset that nobody knows, what is UTF-8 is
 * taken for that; else ASCII is kept.
 * What is appended is valid UTF-8. (GMime's own conversion writes "?", which
 * a pattern can't tell from a question mark, and keeps each charset's name
 * that it ever saw.) false: it can't be told now, for want of memory or of a
 * descriptor, and nothing is appended.
 */
bool charset_to_utf8(GString *out, struct span charset, struct span bytes);

/*
 * Appends UTF-8 as bytes of a charset, which charset_to_utf8 reads as just
 * this text. false: the charset can't carry it, and nothing is appended. One
 * that nobody knows carries ASCII.
 */
bool charset_from_utf8(GString *out, struct span charset, struct span text);

/*
 * Does its name leave open how its bytes are ordered? Then "utf-16" or
 * "utf-32"; else p is NULL.
 */
struct span charset_unordered(struct span charset);

/* Is ASCII in it what it is elsewhere? */
bool charset_has_ascii(struct span charset);

/* Is it one that can be converted? failed: as charset_to_utf8. */
enum truth charset_known(struct span charset);

/*
 * Loads those that mail is written in, for good: then they can be converted
 * when there is no descriptor left, too.
 */
void charset_load(void);

#endif
