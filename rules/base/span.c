#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "span.h"

struct span
span_of(const char *s)
{
	return (struct span){s, s == NULL ? 0 : strlen(s)};
}

bool
span_is(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
span_is_nocase(struct span a, struct span b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool
span_is_ascii(struct span s)
{
	unsigned char all = 0;
	size_t i;

	for (i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all < 0x80;
}

struct span
span_from(struct span s, size_t n)
{
	return (struct span){s.p + n, s.n - n};
}

bool
span_begins(struct span s, struct span with)
{
	return s.n >= with.n && span_is((struct span){s.p, with.n}, with);
}

bool
span_begins_nocase(struct span s, struct span with)
{
	return s.n >= with.n &&
		span_is_nocase((struct span){s.p, with.n}, with);
}

bool
span_ends_nocase(struct span s, struct span with)
{
	return s.n >= with.n && span_is_nocase(
		(struct span){s.p + s.n - with.n, with.n}, with);
}

/* strndup is for C strings, and may look beyond n for an end. */
char *
span_copy(struct span s)
{
	char *text = malloc(s.n + 1);

	if (text == NULL)
		return NULL;
	if (s.n > 0)
		memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return text;
}

struct span
span_line(struct span *rest)
{
	const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
	struct span line = *rest;

	if (end == NULL) {
		rest->p = line.n == 0 ? line.p : line.p + line.n;
		rest->n = 0;
		return line;
	}
	line.n = (size_t)(end - line.p);
	*rest = (struct span){end + 1, rest->n - line.n - 1};
	return line;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
	while (s.n > 0 && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}
