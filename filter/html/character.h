/* character.h - the characters of a text, and which of them a reader sees. */
#ifndef CHARACTER_H
#define CHARACTER_H

#include <stdbool.h>
#include <stddef.h>

/* White space of HTML and CSS (WHATWG Infra 4.6). */
static inline bool
character_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* The bytes of the character at p, of valid UTF-8, which is *c. */
size_t character_next(const char *p, unsigned *c);

/* Bidirectional embeddings, overrides and isolates (Unicode UAX 9). */
bool character_turns(unsigned c);

/* Nothing is shown for it. */
bool character_is_invisible(unsigned c);

/* White space, no-break and wide ones too. */
bool character_is_blank(unsigned c);

#endif
