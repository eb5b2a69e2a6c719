#include <idn2.h>
#include <string.h>

#include "ascii.h"
#include "domain.h"

/*
 * RFC 1035 allows 255 octets as A-labels; as U-labels in UTF-8 a name may be
 * some times longer. What exceeds this is no name of a host.
 */
#define U_LABELS_MAX 1024

static bool
is_ldh(char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '_';
}

/* Labels of letters, digits, hyphens, underscores, none of them empty. */
static bool
is_host(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && i > 0 && s.p[i - 1] != '.')
			continue;
		if (!is_ldh(s.p[i]))
			return false;
	}
	return s.n > 0 && s.p[s.n - 1] != '.';
}

static struct span
without_dot(struct span s)
{
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

/*
 * By UTS 46, nontransitional. Its mapping can make any ASCII out of
 * compatibility characters (U+FF20 becomes "@"), so what comes out is taken
 * only if it is a host's name. false: it is none.
 */
static bool
to_a_labels(struct arena *a, struct span name, struct span *out)
{
	struct span z;
	char *ascii = NULL, host[IDN2_DOMAIN_MAX_LENGTH + 1];
	bool made;

	if (name.n > U_LABELS_MAX || memchr(name.p, '\0', name.n) != NULL)
		return false;
	z = arena_copy(a, name);
	if (z.p == NULL) {
		*out = z;
		return true;
	}
	made = idn2_to_ascii_8z(z.p, &ascii, IDN2_NONTRANSITIONAL) == IDN2_OK &&
	       strlen(ascii) < sizeof(host);
	if (made)
		strcpy(host, ascii);
	idn2_free(ascii); /* before the arena may jump away */
	if (!made || !is_host(without_dot(span_of(host))))
		return false;
	*out = arena_lower(a, without_dot(span_of(host)));
	return true;
}

struct span
domain_canonical(struct arena *a, struct span name)
{
	struct span out;

	if (span_is_ascii(name))
		return arena_lower(a, is_host(without_dot(name)) ?
		                  without_dot(name) : name);
	return to_a_labels(a, name, &out) ? out : arena_lower(a, name);
}

static bool
has_a_label(struct span s)
{
	size_t i;

	for (i = 0; i + 4 <= s.n; i++)
		if ((i == 0 || s.p[i - 1] == '.') &&
		    memcmp(s.p + i, "xn--", 4) == 0)
			return true;
	return false;
}

struct span
domain_unicode(struct arena *a, struct span name)
{
	struct span z, out = name;
	char *text = NULL;

	if (!has_a_label(name) || memchr(name.p, '\0', name.n) != NULL)
		return name;
	z = arena_copy(a, name);
	if (z.p == NULL)
		return z;
	if (idn2_to_unicode_8z8z(z.p, &text, 0) == IDN2_OK)
		out = arena_copy(a, span_of(text));
	idn2_free(text);
	return out;
}
