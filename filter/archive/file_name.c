/* file_name.c - what a desktop makes of the name of a file. */
#include <string.h>

#include "character.h"
#include "file_name.h"

/* Without what is not shown, controls too; Windows drops dots and blanks at
 * the end. */
struct span
file_name_kept(struct arena *a, struct span name)
{
	char *p = arena_alloc(a, name.n + 1);
	size_t i, n = 0, length;
	unsigned c;

	if (p == NULL)
		return (struct span){NULL, 0};
	for (i = 0; i < name.n; i += length) {
		length = character_next(name.p + i, &c);
		if (c < 0x20 || c == 0x7f || character_turns(c) ||
		    character_is_invisible(c))
			continue;
		memcpy(p + n, name.p + i, length);
		n += length;
	}
	while (n > 0 && (p[n - 1] == '.' || p[n - 1] == ' '))
		n--;
	return (struct span){p, n};
}

/* ":" parts a file's stream off, and Windows allows no quotes in a name. */
static bool
ends_extension(unsigned c)
{
	return character_is_blank(c) || c == 0x2800 ||
		(c < 0x80 && strchr(":\"'<>|?*,;()[]{}&%^=", (int)c) != NULL);
}

struct span
file_name_extension_begin(struct span extension)
{
	size_t i, length;
	unsigned c;

	for (i = 0; i < extension.n; i += length) {
		length = character_next(extension.p + i, &c);
		if (ends_extension(c))
			break;
	}
	return (struct span){extension.p, i};
}

struct span
file_name_extension(struct arena *a, struct span name)
{
	struct span s = file_name_kept(a, name);
	size_t i = s.n;

	if (s.p == NULL)
		return s;
	while (i > 0 && strchr("./\\", s.p[i - 1]) == NULL)
		i--;
	if (i == 0 || s.p[i - 1] != '.')
		return SPAN("");
	return arena_lower(a, span_trim((struct span){s.p + i, s.n - i}));
}
