#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ascii.h"
#include "dns.h"
#include "spf_macro.h"

#define DELIMITERS ".-+,/_="

/* One macro: %{letter digits r delimiters}. */
struct macro {
	char letter;    /* lower case */
	bool escape;    /* it was upper case: to be percent-encoded */
	unsigned keep;  /* labels from the right; 0: all */
	bool reverse;
	struct span delimiters;
	size_t n;       /* bytes, the % and } too */
};

/*
 * "%{" macro-letter transformers *delimiter "}", transformers = *DIGIT ["r"]
 * s begins behind "%{".
 */
static bool
read_macro(struct span s, struct macro *m)
{
	size_t i = 1, digits, from;

	memset(m, 0, sizeof(*m));
	if (s.n == 0)
		return false;
	m->letter = ascii_lower(s.p[0]);
	m->escape = m->letter != s.p[0];
	if (memchr("slodiphvcrt", m->letter, 11) == NULL)
		return false;
	for (digits = i; i < s.n && ascii_is_digit(s.p[i]); i++)
		if (m->keep < 1000) /* more than there can be labels */
			m->keep = m->keep * 10 + (unsigned)(s.p[i] - '0');
	if (i > digits && m->keep == 0)
		return false;
	if (i < s.n && ascii_lower(s.p[i]) == 'r') {
		m->reverse = true;
		i++;
	}
	for (from = i; i < s.n && memchr(DELIMITERS, s.p[i], 7) != NULL; i++)
		;
	m->delimiters = i > from ? (struct span){s.p + from, i - from}
	                         : SPAN(".");
	m->n = i + 3;
	return i < s.n && s.p[i] == '}';
}

/* toplabel: letters, digits and inner hyphens, not digits alone */
static bool
is_toplabel(struct span s)
{
	bool other = false;
	size_t i;

	if (s.n == 0 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (i = 0; i < s.n; i++) {
		if (!ascii_is_letter(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '-')
			return false;
		other = other || !ascii_is_digit(s.p[i]);
	}
	return other;
}

/*
 * domain-end = ( "." toplabel [ "." ] ) / macro-expand; last is where the
 * last macro-expand ends.
 */
static bool
ends_well(struct span s, size_t last)
{
	size_t i;

	if (s.n > 0 && last == s.n)
		return true;
	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	for (i = s.n; i > last && s.p[i - 1] != '.'; i--)
		;
	return i > last && is_toplabel((struct span){s.p + i, s.n - i});
}

bool
spf_macro_ok(struct span s, enum spf_macro_kind kind, const char **why)
{
	const char *nowhere;
	struct macro m;
	size_t i, last = 0;

	if (why == NULL)
		why = &nowhere;
	for (i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];

		*why = "a byte that is not printable ASCII";
		if (c < 0x20 || c > 0x7e ||
		    (c == ' ' && kind != SPF_EXPLAIN_STRING))
			return false;
		if (c != '%') {
			i++;
			continue;
		}
		*why = "% must be followed by %, _, - or {macro}";
		if (i + 1 == s.n)
			return false;
		if (memchr("%_-", s.p[i + 1], 3) != NULL) {
			i += 2;
		} else if (s.p[i + 1] == '{' &&
		           read_macro((struct span){s.p + i + 2,
		                                    s.n - i - 2}, &m)) {
			*why = "%{c}, %{r} and %{t} may stand in explanations "
			       "only";
			if (kind == SPF_DOMAIN_SPEC &&
			    memchr("crt", m.letter, 3) != NULL)
				return false;
			i += m.n;
		} else {
			return false;
		}
		last = i;
	}
	if (kind != SPF_DOMAIN_SPEC)
		return true;
	*why = s.n == 0 ? "the domain is empty"
	                : "the domain must end in a dot and a top-level "
	                  "name, or in a macro";
	return ends_well(s, last);
}

/* ---- expansion ---- */

struct out {
	char *p;
	size_t n, size;
	struct arena *arena;
	bool failed, cut;
};

static void
put(struct out *o, const char *p, size_t n)
{
	size_t size = o->size == 0 ? 256 : o->size;
	char *grown;

	if (o->failed || o->cut)
		return;
	if (n > SPF_EXPANDED - o->n) {
		n = SPF_EXPANDED - o->n;
		o->cut = true;
	}
	while (size < o->n + n)
		size *= 2;
	if (size > o->size) {
		grown = arena_alloc(o->arena, size);
		if (grown == NULL) {
			o->failed = true;
			return;
		}
		if (o->n > 0)
			memcpy(grown, o->p, o->n);
		o->p = grown;
		o->size = size;
	}
	if (n > 0)
		memcpy(o->p + o->n, p, n);
	o->n += n;
}

/* All but unreserved characters (RFC 3986 2.3) as %XX. */
static void
put_escaped(struct out *o, const char *p, size_t n)
{
	char hex[4];
	size_t i;

	for (i = 0; i < n; i++) {
		if (ascii_is_letter(p[i]) || ascii_is_digit(p[i]) ||
		    memchr("-._~", p[i], 4) != NULL) {
			put(o, p + i, 1);
			continue;
		}
		snprintf(hex, sizeof(hex), "%%%02X", (unsigned char)p[i]);
		put(o, hex, 3);
	}
}

static void
put_part(struct out *o, const struct macro *m, const char *p, size_t n)
{
	if (m->escape)
		put_escaped(o, p, n);
	else
		put(o, p, n);
}

static bool
delimits(const struct macro *m, char c)
{
	return memchr(m->delimiters.p, c, m->delimiters.n) != NULL;
}

static size_t
count_parts(const struct macro *m, struct span s)
{
	size_t i, n = 1;

	for (i = 0; i < s.n; i++)
		n += delimits(m, s.p[i]);
	return n;
}

/* Parts from the right to the left, at most the last keep of that order. */
static void
put_reversed(struct out *o, const struct macro *m, struct span s, size_t skip)
{
	size_t end = s.n, i = s.n;
	bool first = true;

	for (;; i--) {
		if (i > 0 && !delimits(m, s.p[i - 1]))
			continue;
		if (skip > 0) {
			skip--;
		} else {
			if (!first)
				put(o, ".", 1);
			put_part(o, m, s.p + i, end - i);
			first = false;
		}
		if (i == 0)
			return;
		end = i - 1;
	}
}

static void
put_forward(struct out *o, const struct macro *m, struct span s, size_t skip)
{
	size_t i, from = 0;

	for (i = 0; i <= s.n; i++) {
		if (i < s.n && !delimits(m, s.p[i]))
			continue;
		if (skip > 0) {
			skip--;
		} else {
			put_part(o, m, s.p + from, i - from);
			if (i < s.n)
				put(o, ".", 1);
		}
		from = i + 1;
	}
}

static void
put_value(struct out *o, const struct macro *m, struct span s)
{
	size_t parts = count_parts(m, s), skip = 0;

	if (m->keep > 0 && m->keep < parts)
		skip = parts - m->keep;
	if (m->reverse)
		put_reversed(o, m, s, skip);
	else
		put_forward(o, m, s, skip);
}

#define VALUE 64 /* 32 nibbles with dots */

static struct span
client_dotted(const struct spf_macro *m, char value[VALUE])
{
	size_t i, n = 0;

	if (m->v4) {
		inet_ntop(AF_INET, m->client + 12, value, VALUE);
		return span_of(value);
	}
	for (i = 0; i < 16; i++) {
		value[n++] = "0123456789ABCDEF"[m->client[i] >> 4];
		value[n++] = '.';
		value[n++] = "0123456789ABCDEF"[m->client[i] & 15];
		value[n++] = '.';
	}
	return (struct span){value, n - 1};
}

static struct span
value_of(char letter, const struct spf_macro *m, char value[VALUE])
{
	switch (letter) {
	case 's':
		return m->sender;
	case 'l':
		return m->local;
	case 'o':
		return m->domain;
	case 'd':
		return m->current;
	case 'h':
		return m->helo;
	case 'r':
		return m->receiver;
	case 'i':
		return client_dotted(m, value);
	case 'v':
		return m->v4 ? SPAN("in-addr") : SPAN("ip6");
	case 'c':
		inet_ntop(m->v4 ? AF_INET : AF_INET6,
		          m->client + (m->v4 ? 12 : 0), value, VALUE);
		return span_of(value);
	case 't':
		snprintf(value, VALUE, "%lld", (long long)time(NULL));
		return span_of(value);
	default:
		return m->client_name(m->of);
	}
}

/* What stands behind a %: the bytes it takes, the % too. */
static size_t
expand_one(struct out *o, struct span s, const struct spf_macro *m,
           bool *never)
{
	char value[VALUE];
	struct macro macro;

	switch (s.p[1]) {
	case '%':
		put(o, "%", 1);
		return 2;
	case '_':
		put(o, " ", 1);
		return 2;
	case '-':
		put(o, "%20", 3);
		return 2;
	}
	read_macro((struct span){s.p + 2, s.n - 2}, &macro);
	if ((macro.letter == 's' || macro.letter == 'l') &&
	    never != NULL && !span_is_ascii(m->local))
		*never = true;
	put_value(o, &macro, value_of(macro.letter, m, value));
	return macro.n;
}

struct span
spf_macro_expand(struct arena *a, struct span s, const struct spf_macro *m,
                 bool *never)
{
	struct out o = {.arena = a};
	size_t i, from;

	if (never != NULL)
		*never = false;
	for (i = 0; i < s.n && !o.failed && !o.cut;) {
		for (from = i; i < s.n && s.p[i] != '%'; i++)
			;
		put(&o, s.p + from, i - from);
		if (i < s.n)
			i += expand_one(&o, (struct span){s.p + i, s.n - i},
			                m, never);
	}
	if (o.failed)
		return (struct span){NULL, 0};
	return (struct span){o.p != NULL ? o.p : "", o.n};
}

struct span
spf_macro_name(struct arena *a, struct span text, const struct spf_macro *m,
               bool *never)
{
	struct span s = spf_macro_expand(a, text, m, never);
	size_t i;

	if (s.p == NULL)
		return s;
	if (s.n == SPF_EXPANDED)
		*never = true;
	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	while (s.n > DNS_NAME) {
		for (i = 0; i < s.n && s.p[i] != '.'; i++)
			;
		if (i == s.n)
			break;
		s = (struct span){s.p + i + 1, s.n - i - 1};
	}
	return s;
}
