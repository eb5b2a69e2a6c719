/* address.c - RFC 5321 4.1.2: what stands between MAIL FROM's brackets. */
#include <string.h>

#include "address.h"
#include "ascii.h"
#include "caps.h"
#include "domain.h"
#include "ip.h"
#include "utf8.h"

#define LABEL_MAX 63   /* RFC 1035 2.3.4 */
#define DOMAIN_MAX 253 /* the same, as text */

/* An address as it is written, taken apart. */
struct parts {
	struct span local;  /* quotes and all */
	struct span domain; /* p NULL: none */
};

static struct span
trim(struct span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* RFC 5322 3.2.3, and RFC 6532 3.2: what is not ASCII. */
static bool
is_atext(char c)
{
	return ascii_is_alnum(c) || (unsigned char)c >= 0x80 ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_printable(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 0x20 && u != 0x7f;
}

/* quoted := '"' { qtext | "\" any } '"'; how long it is, 0: it is none. */
static size_t
quoted_length(struct span s)
{
	size_t i;

	for (i = 1; i < s.n && is_printable(s.p[i]); i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\' && (++i == s.n || !is_printable(s.p[i])))
			return 0;
	}
	return 0;
}

/*
 * local := word { "." word }; word := { atext } | quoted
 *
 * Dots at the ends and two in a row are taken, as every MTA does. How long
 * it is; 0: it is none.
 */
static size_t
local_length(struct span s)
{
	size_t i = 0, n;

	while (i < s.n) {
		if (s.p[i] == '"') {
			n = quoted_length((struct span){s.p + i, s.n - i});
			if (n == 0 || (i > 0 && s.p[i - 1] != '.'))
				return 0;
			i += n;
			if (i < s.n && s.p[i] != '.')
				return i;
		} else if (s.p[i] == '.' || is_atext(s.p[i])) {
			i++;
		} else {
			break;
		}
	}
	return i;
}

static bool
is_label_char(char c)
{
	return ascii_is_alnum(c) || (unsigned char)c >= 0x80 || c == '-' ||
	       c == '_';
}

/* A name, a dot at its end allowed; s has no other bytes behind it. */
static bool
is_name(struct span s)
{
	size_t i, label = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && label > 0)
			label = 0;
		else if (is_label_char(s.p[i]))
			label++;
		else
			return false;
	}
	return s.n > 0 && s.p[0] != '.';
}

bool
address_ip(struct span s, struct ip *ip)
{
	static const struct span tag = {"IPv6:", 5};

	s = span_trim(s);
	if (s.n > tag.n && span_is_nocase((struct span){s.p, tag.n}, tag))
		s = (struct span){s.p + tag.n, s.n - tag.n};
	return ip_parse(s, ip);
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 4.1.3) */
static bool
is_literal(struct span s)
{
	struct ip ip;

	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	s.p++;
	s.n -= 2;
	if (s.n < 5 || !span_is_nocase((struct span){s.p, 5}, SPAN("IPv6:")))
		return memchr(s.p, ':', s.n) == NULL && ip_parse(s, &ip);
	s.p += 5;
	s.n -= 5;
	return memchr(s.p, ':', s.n) != NULL && ip_parse(s, &ip);
}

/* local [ "@" ( name | literal ) ] */
static bool
take_apart(struct span s, struct parts *parts)
{
	size_t n = local_length(s);

	parts->local = (struct span){s.p, n};
	parts->domain = (struct span){NULL, 0};
	if (n == 0)
		return false;
	if (n == s.n)
		return true;
	if (s.p[n] != '@')
		return false;
	parts->domain = (struct span){s.p + n + 1, s.n - n - 1};
	return is_name(parts->domain) || is_literal(parts->domain);
}

/*
 * Without the source route: "@" domain { "," "@" domain } ":". false: it is
 * no good.
 */
static bool
drop_route(struct span *s)
{
	size_t n;

	while (s->n > 0 && s->p[0] == '@') {
		struct span hop;

		n = s->n > 1 && s->p[1] == '[' ? strcspn(s->p, "]") + 1 :
			strcspn(s->p, ",:");
		if (n >= s->n)
			return false;
		hop = (struct span){s->p + 1, n - 1};
		if (!is_name(hop) && !is_literal(hop))
			return false;
		s->p += n + 1;
		s->n -= n + 1;
		if (s->p[-1] == ':')
			return s->n > 0;
		if (s->p[-1] != ',' || s->n == 0 || s->p[0] != '@')
			return false;
	}
	return true;
}

/*
 * Valid UTF-8 without controls (those of Unicode too), and without U+FFFD:
 * what stands for bytes that were lost is in no address.
 */
static bool
is_text(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!is_printable(s.p[i]))
			return false;
		if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0)
			return false;
		if (c == 0xef && i + 2 < s.n &&
		    memcmp(s.p + i, "\xef\xbf\xbd", 3) == 0)
			return false;
	}
	return utf8_valid(s);
}

/* The local part without its quotes. */
static struct span
unquote(struct arena *a, struct span local)
{
	char *out = arena_alloc(a, local.n + 1);
	bool quoted = false;
	size_t i, n = 0;

	if (out == NULL)
		return (struct span){NULL, 0};
	for (i = 0; i < local.n; i++) {
		if (local.p[i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && local.p[i] == '\\')
			i++;
		out[n++] = local.p[i];
	}
	return (struct span){out, n};
}

static bool
needs_quotes(struct span local)
{
	size_t i;

	for (i = 0; i < local.n; i++)
		if (local.p[i] != '.' && !is_atext(local.p[i]))
			return true;
	return local.n == 0;
}

static char *
put_local(char *out, struct span local)
{
	bool quotes = needs_quotes(local);
	size_t i;

	if (quotes)
		*out++ = '"';
	for (i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			*out++ = '\\';
		*out++ = local.p[i];
	}
	if (quotes)
		*out++ = '"';
	return out;
}

static struct span
canonical_text(struct arena *a, struct span local, struct span domain)
{
	char *text = arena_alloc(a, 2 * local.n + domain.n + 4), *end;

	if (text == NULL)
		return (struct span){NULL, 0};
	end = put_local(text, local);
	if (domain.p != NULL) {
		*end++ = '@';
		memcpy(end, domain.p, domain.n);
		end += domain.n;
	}
	return (struct span){text, (size_t)(end - text)};
}

/* A name as DNS allows it, once it is in A-labels; or a literal. */
static bool
is_domain(struct span s)
{
	size_t i, label = 0;

	if (is_literal(s))
		return true;
	for (i = 0; i < s.n; i++) {
		label = s.p[i] == '.' ? 0 : label + 1;
		if (label > LABEL_MAX || (unsigned char)s.p[i] >= 0x80)
			return false;
	}
	return s.n > 0 && s.n <= DOMAIN_MAX;
}

static bool
say_bad(struct arena *a, struct span given, struct value *v)
{
	*v = (struct value){.type = VALUE_ADDRESS, .bad = true};
	given = arena_copy(a, given);
	if (given.p != NULL)
		v->text = utf8_make_valid(a, given);
	return v->text.p != NULL;
}

/* What stands between the brackets; false: nothing good does. */
static bool
inside(struct span given, struct span *path)
{
	*path = trim(given);
	if (path->n > CAPS_ADDRESS || !is_text(*path))
		return false;
	if (path->n == 0 || path->p[0] != '<')
		return true;
	if (path->p[path->n - 1] != '>' || path->n < 2)
		return false;
	*path = trim((struct span){path->p + 1, path->n - 2});
	return true;
}

bool
address_path(struct arena *a, struct span given, struct value *v)
{
	struct parts parts;
	struct span path;

	if (given.p == NULL)
		given = SPAN("");
	*v = (struct value){.type = VALUE_ADDRESS};
	if (!inside(given, &path))
		return say_bad(a, given, v);
	if (path.n == 0) {
		v->text = SPAN("");
		return true;
	}
	/* the route is looked for with strcspn */
	path = arena_copy(a, path);
	if (path.p == NULL)
		return false;
	if (!drop_route(&path) || !take_apart(path, &parts))
		return say_bad(a, given, v);
	if (parts.domain.p != NULL) {
		v->domain = domain_canonical(a, parts.domain);
		if (v->domain.p == NULL)
			return false;
		if (!is_domain(v->domain))
			return say_bad(a, given, v);
	}
	v->local = unquote(a, parts.local);
	if (v->local.p == NULL)
		return false;
	v->text = canonical_text(a, v->local, v->domain);
	return v->text.p != NULL;
}

bool
address_usable(struct span address)
{
	struct parts parts;

	if (address.n == 0)
		return true;
	return address.n <= CAPS_ADDRESS && is_text(address) &&
	       take_apart(address, &parts);
}
