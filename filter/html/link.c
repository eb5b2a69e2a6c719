#include <string.h>
#include <strings.h>

#include "character.h"
#include "link.h"

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9');
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* How long a begin of a URL is there; 0: none. */
static size_t
begin_at(struct span s, size_t at, bool *bare)
{
	static const struct {
		struct span text;
		bool slashes, bare;
	} begins[] = {
		{{"http:", 5}, true, false}, {{"https:", 6}, true, false},
		{{"ftp:", 4}, true, false}, {{"mailto:", 7}, false, false},
		{{"www.", 4}, false, true},
	};
	const char *p = s.p + at;
	size_t i, n, left = s.n - at;

	for (i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		n = begins[i].text.n;
		if (left < n || strncasecmp(p, begins[i].text.p, n) != 0)
			continue;
		if (!begins[i].slashes && at > 0 && is_letter(p[-1]))
			continue;
		if (begins[i].slashes && (left < n + 2 || !is_slash(p[n]) ||
		                          !is_slash(p[n + 1])))
			continue;
		*bare = begins[i].bare;
		return begins[i].slashes ? n + 2 : n;
	}
	return 0;
}

/* Quotes and brackets that no URL has unless it is written to hide them. */
static bool
ends_url(unsigned c)
{
	return c <= ' ' || c == '<' || c == '>' || c == '"' || c == '`' ||
		c == 0x7f || c == 0xab || c == 0xbb ||
		(c >= 0x2018 && c <= 0x201f) || (c >= 0x3008 && c <= 0x3011) ||
		c == 0xff08 || c == 0xff09 || character_is_blank(c);
}

static bool
has(struct span s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

/* Without the sentence's marks behind it; what it opened it may close. */
static size_t
trim(struct span s)
{
	char marks[16] = ".,;:!?'*_~|";

	if (!has(s, '('))
		strcat(marks, ")");
	if (!has(s, '['))
		strcat(marks, "]");
	if (!has(s, '{'))
		strcat(marks, "}");
	while (s.n > 0 && strchr(marks, s.p[s.n - 1]) != NULL)
		s.n--;
	return s.n;
}

struct span
link_next(struct span text, size_t *at, bool *bare)
{
	struct span found;
	size_t i, n, least, length;
	unsigned c;

	for (i = *at; i < text.n; i++) {
		/* "h", "f", "m", "w" */
		if (strchr("hHfFmMwW", text.p[i]) == NULL || text.p[i] == '\0')
			continue;
		least = begin_at(text, i, bare);
		if (least == 0)
			continue;
		for (n = i + least; n < text.n; n += length) {
			length = character_next(text.p + n, &c);
			if (ends_url(c))
				break;
		}
		found = (struct span){text.p + i, n - i};
		found.n = trim(found);
		if (found.n <= least)
			continue; /* there is nothing behind it */
		*at = n;
		return found;
	}
	*at = text.n;
	return (struct span){NULL, 0};
}
