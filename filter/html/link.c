#include <string.h>
#include <strings.h>

#include "ascii.h"
#include "character.h"
#include "link.h"

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

static bool
is_apart(struct span s, size_t at)
{
	return at == 0 || (s.p[at - 1] != '\0' &&
		strchr(" (<[{\"'>,;:", s.p[at - 1]) != NULL);
}

/* The letters, digits, hyphens and dots there. */
static struct span
domain_at(struct span s, size_t at)
{
	size_t i;

	for (i = at; i < s.n && (ascii_is_alnum(s.p[i]) || s.p[i] == '.' ||
	                         s.p[i] == '-'); i++)
		;
	return (struct span){s.p + at, i - at};
}

/* "\\\\host\\", which Outlook makes a link. */
static size_t
share_at(struct span s, size_t at)
{
	struct span host;

	if (s.n - at < 4 || s.p[at + 1] != '\\' ||
	    (at > 0 && s.p[at - 1] == ':')) /* C:\\ in a program */
		return 0;
	host = domain_at(s, at + 2);
	at += 2 + host.n;
	return host.n > 0 && at < s.n && s.p[at] == '\\' ? 2 : 0;
}

/*
 * "example.com/": what is named like a host, and a path behind it. Without
 * one, readers that make links of it go by their lists of what there is.
 */
static size_t
domain_with_path(struct span s, size_t at)
{
	struct span host = domain_at(s, at);
	size_t i, last = host.n;

	if (host.n == 0 || host.n > 255 || at + host.n >= s.n ||
	    host.p[host.n] != '/' || !ascii_is_alnum(*host.p))
		return 0;
	while (last > 0 && host.p[last - 1] != '.')
		last--;
	if (last < 2 || host.n - last < 2)
		return 0;
	if (host.n - last > 4 && strncasecmp(host.p + last, "xn--", 4) == 0)
		return host.n;
	for (i = last; i < host.n; i++)
		if (!ascii_is_alnum(host.p[i]) || host.p[i] <= '9')
			return 0;
	return host.n;
}

/* How long a begin of a URL is there; 0: none. */
static size_t
begin_at(struct span s, size_t at, const char **before)
{
	static const struct {
		struct span text;
		bool slashes;
		const char *before;
	} begins[] = {
		{{"http:", 5}, true, ""}, {{"https:", 6}, true, ""},
		{{"ftp:", 4}, true, ""}, {{"file:", 5}, true, ""},
		{{"mailto:", 7}, false, ""}, {{"www.", 4}, false, "http://"},
	};
	const char *p = s.p + at;
	size_t i, n, left = s.n - at;

	for (i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		n = begins[i].text.n;
		if (left < n || strncasecmp(p, begins[i].text.p, n) != 0)
			continue;
		if (!begins[i].slashes && at > 0 && ascii_is_alnum(p[-1]))
			continue;
		if (begins[i].slashes && (left < n + 2 || !is_slash(p[n]) ||
		                          !is_slash(p[n + 1])))
			continue;
		*before = begins[i].before;
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

/* Of brackets that were opened. */
static bool
closes(struct span s, char open, char close)
{
	size_t i, opened = 0, closed = 0;

	if (s.p[s.n - 1] != close)
		return false;
	for (i = 0; i < s.n; i++) {
		opened += s.p[i] == open;
		closed += s.p[i] == close;
	}
	return closed <= opened;
}

#define CLOSED_MAX 20 /* brackets that are counted, each time all of them */

/* Without the sentence's marks behind it; what it opened it may close. */
static size_t
trim(struct span s)
{
	size_t i;

	for (i = 0; s.n > 0 && strchr(".,;:!?'*_~|)]}", s.p[s.n - 1]) != NULL;
	     s.n--)
		if (strchr(")]}", s.p[s.n - 1]) != NULL && i++ < CLOSED_MAX &&
		    (closes(s, '(', ')') || closes(s, '[', ']') ||
		     closes(s, '{', '}')))
			break;
	return s.n;
}

/* How much of a URL's begin is there: *before belongs before it. */
static size_t
find(struct span text, size_t at, const char **before)
{
	size_t n = 0;

	/* "h", "f", "m", "w" */
	if (strchr("hHfFmMwW", text.p[at]) != NULL && text.p[at] != '\0')
		n = begin_at(text, at, before);
	if (n > 0 || !is_apart(text, at))
		return n;
	*before = text.p[at] == '\\' ? "file:" : "http://";
	return text.p[at] == '\\' ? share_at(text, at) :
		domain_with_path(text, at);
}

struct span
link_next(struct span text, size_t *at, const char **before)
{
	struct span found;
	size_t i, n, least, length;
	unsigned c;

	for (i = *at; i < text.n; i++) {
		least = find(text, i, before);
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
