/* ascii.h - kinds of bytes in ASCII, whatever the locale is. */
#ifndef ASCII_H
#define ASCII_H

#include <stdbool.h>

static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_is_alnum(char c)
{
	return ascii_is_letter(c) || ascii_is_digit(c);
}

/* WSP of RFC 5234: what is between words, and begins a folded line. */
static inline bool
ascii_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A blank, or part of a line's end. */
static inline bool
ascii_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Letters in lower case, all else as it is. */
static inline char
ascii_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

#endif
