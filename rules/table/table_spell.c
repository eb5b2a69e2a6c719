/*
 * table_spell.c - the spellings of a key in data that others keep.
 *
 * postmap keeps a key as it is written: what has blanks, and a local part that
 * is no dot-atom (RFC 5322 3.2.3), in quotes; a domain with letters that are
 * not ASCII as U-labels or as A-labels.
 */
#include <string.h>

#include "domain.h"
#include "table_impl.h"

/* What a key of the walk is made of; only an address has a local part. */
struct parts {
	struct span local, middle, domain; /* middle: "@", "@." or "." */
};

static struct parts
take_apart(enum value_type type, struct span key)
{
	struct parts p = {{"", 0}, {"", 0}, {"", 0}};
	size_t at = 0;

	switch (type) {
	case VALUE_ADDRESS:
		for (at = key.n; at > 0 && key.p[at - 1] != '@'; at--)
			;
		if (at == 0) /* postmaster, <> */
			break;
		p.local = (struct span){key.p, at - 1};
		p.middle = (struct span){key.p + at - 1, 1};
		p.domain = span_from(key, at);
		break;
	case VALUE_NAME:
		p.domain = key;
		break;
	default:
		p.local = key;
		break;
	}
	if (p.domain.n > 0 && p.domain.p[0] == '.') {
		p.middle.p = p.middle.n > 0 ? p.middle.p : p.domain.p;
		p.middle.n++;
		p.domain = span_from(p.domain, 1);
	}
	return p;
}

static bool
wants_quotes(enum value_type type, struct span s)
{
	const char *bytes = type == VALUE_ADDRESS ?
	                    " \t\"\\()<>[]:;@," : " \t\"\\";
	bool dot = type == VALUE_ADDRESS;
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\0')
			return false;
		if (strchr(bytes, s.p[i]) != NULL)
			return true;
		if (dot && s.p[i] == '.' && (i == 0 || i + 1 == s.n ||
		                             s.p[i - 1] == '.'))
			return true;
	}
	return false;
}

static struct span
quote(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, 2 * s.n + 2);
	size_t i, n = 0;

	if (p == NULL)
		return (struct span){NULL, 0};
	p[n++] = '"';
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			p[n++] = '\\';
		p[n++] = s.p[i];
	}
	p[n++] = '"';
	return (struct span){p, n};
}

/* Bytes, NUL among them. */
static struct span
put_together(struct arena *a, const struct parts *p)
{
	const struct span part[] = {p->local, p->middle, p->domain};

	return arena_join(a, part, 3);
}

size_t
table_spell(struct arena *a, enum value_type type, struct span key,
            struct span out[TABLE_SPELLINGS])
{
	const struct parts plain = take_apart(type, key);
	const struct span domain = domain_unicode(a, plain.domain);
	const bool quotes = wants_quotes(type, plain.local);
	const bool letters = domain.p != NULL && domain.p != plain.domain.p;
	struct parts p = plain;
	size_t n = 0;

	if (quotes) {
		p.local = quote(a, plain.local);
		out[n++] = put_together(a, &p);
	}
	if (letters) {
		p.domain = domain;
		out[n++] = put_together(a, &p);
		p.local = plain.local;
	}
	if (letters && quotes)
		out[n++] = put_together(a, &p);
	return arena_full(a) ? 0 : n;
}
