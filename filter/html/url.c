#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>
#include <unicode/uidna.h>

#include "url.h"
#include "utf8.h"

/* Longer is no host (RFC 1035: 255), and Punycode takes its square in time. */
#define HOST_MAX 1024

static pthread_once_t once = PTHREAD_ONCE_INIT;
static UIDNA *idna;
static const char *missing;

static void
open_idna(void)
{
	UErrorCode error = U_ZERO_ERROR;

	idna = uidna_openUTS46(UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
		UIDNA_NONTRANSITIONAL_TO_ASCII |
		UIDNA_NONTRANSITIONAL_TO_UNICODE, &error);
	if (U_FAILURE(error))
		missing = u_errorName(error);
}

const char *
url_open(void)
{
	pthread_once(&once, open_idna);
	return missing;
}

/* ---- bytes ---- */

static bool
is_slash(char c, bool special)
{
	return c == '/' || (special && c == '\\');
}

static size_t
slashes(struct span s, bool special)
{
	size_t n = 0;

	while (n < s.n && is_slash(s.p[n], special))
		n++;
	return n;
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Up to the first byte of set. */
static struct span
until(struct span s, const char *set)
{
	size_t i;

	for (i = 0; i < s.n && !is_one_of(s.p[i], set); i++)
		;
	return (struct span){s.p, i};
}

/* One after the other; a NUL in them stays. p NULL: no memory. */
/* ---- the host ---- */

/* The byte that "%41" at i stands for; -1: it is no such thing. */
static int
percent(struct span s, size_t i)
{
	int high, low;

	if (s.p[i] != '%' || s.n - i < 3)
		return -1;
	high = g_ascii_xdigit_value(s.p[i + 1]);
	low = g_ascii_xdigit_value(s.p[i + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Percent-encoded bytes decoded; once. */
static struct span
decode(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t i, n = 0;
	int byte;

	for (i = 0; p != NULL && i < s.n; i++) {
		byte = percent(s, i);
		p[n++] = byte < 0 ? s.p[i] : (char)byte;
		i += byte < 0 ? 0 : 2;
	}
	return (struct span){p, n};
}

/* UTS 46, its complaints about hyphens and lengths aside, as browsers do. */
static bool
to_ascii(struct arena *a, struct span name, struct span *out)
{
	static const uint32_t fine = UIDNA_ERROR_EMPTY_LABEL |
		UIDNA_ERROR_LABEL_TOO_LONG | UIDNA_ERROR_DOMAIN_NAME_TOO_LONG |
		UIDNA_ERROR_LEADING_HYPHEN | UIDNA_ERROR_TRAILING_HYPHEN |
		UIDNA_ERROR_HYPHEN_3_4;
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	UErrorCode error = U_ZERO_ERROR;
	char ascii[4 * HOST_MAX];
	int32_t n;

	n = uidna_nameToASCII_UTF8(idna, name.p, (int32_t)name.n, ascii,
		sizeof(ascii), &info, &error);
	if (U_FAILURE(error) || n > (int32_t)sizeof(ascii) ||
	    (info.errors & ~fine) != 0)
		return false;
	while (n > 1 && ascii[n - 1] == '.')
		n--;
	*out = arena_lower(a, (struct span){ascii, (size_t)n});
	return true;
}

/* WHATWG URL 3.5: forbidden domain code points */
static bool
is_domain(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f ||
		    is_one_of(s.p[i], "#%/:<>?@[\\]^|"))
			return false;
	return s.n > 0;
}

/* decimal, or octal with 0, or hexadecimal with 0x; false: none */
static bool
ipv4_number(struct span s, uint64_t *number)
{
	unsigned base = 10;
	size_t i = 0;

	*number = 0;
	if (s.n == 0)
		return false;
	if (s.n > 1 && s.p[0] == '0') {
		base = (s.p[1] | 0x20) == 'x' ? 16 : 8;
		i = base == 16 ? 2 : 1;
	}
	for (; i < s.n; i++) {
		int digit = g_ascii_xdigit_value(s.p[i]);

		if (digit < 0 || (unsigned)digit >= base)
			return false;
		if (*number <= UINT32_MAX)
			*number = *number * base + (unsigned)digit;
	}
	return true;
}

/* Is the last label a number? Then the host is an IPv4 address, or none. */
static bool
ends_in_number(struct span s)
{
	uint64_t number;
	size_t i = s.n, j;

	while (i > 0 && s.p[i - 1] != '.')
		i--;
	s = span_from(s, i);
	for (j = 0; j < s.n && s.p[j] >= '0' && s.p[j] <= '9'; j++)
		;
	return s.n > 0 && (j == s.n || ipv4_number(s, &number));
}

/* "127.1", "0x7f000001", "017700000001": all of them 127.0.0.1 */
static bool
ipv4(struct arena *a, struct span s, struct span *out)
{
	uint64_t parts[4], ip = 0;
	struct span part;
	size_t n = 0, i;

	for (;; s = span_from(s, part.n + 1)) {
		part = until(s, ".");
		if (n == 4 || !ipv4_number(part, &parts[n++]))
			return false;
		if (part.n == s.n)
			break;
	}
	for (i = 0; i + 1 < n; i++) {
		if (parts[i] > 255)
			return false;
		ip |= parts[i] << (24 - 8 * i);
	}
	if (parts[n - 1] >= UINT64_C(1) << (8 * (5 - n)))
		return false;
	ip |= parts[n - 1];
	*out = arena_printf(a, "%u.%u.%u.%u", (unsigned)(ip >> 24 & 255),
		(unsigned)(ip >> 16 & 255), (unsigned)(ip >> 8 & 255),
		(unsigned)(ip & 255));
	return true;
}

/* "[" address "]" */
static bool
ipv6(struct arena *a, struct span s, struct span *out)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ip;

	if (s.n < 4 || s.n - 2 >= sizeof(text) || s.p[s.n - 1] != ']')
		return false;
	memcpy(text, s.p + 1, s.n - 2);
	text[s.n - 2] = '\0';
	if (strlen(text) != s.n - 2 || inet_pton(AF_INET6, text, &ip) != 1)
		return false;
	inet_ntop(AF_INET6, &ip, text, sizeof(text));
	*out = arena_printf(a, "[%s]", text);
	return true;
}

/* false: no browser would ask it. out->p NULL: no memory. */
static bool
normalize_host(struct arena *a, struct span host, struct span *out)
{
	*out = (struct span){NULL, 0};
	if (host.n > 0 && host.p[0] == '[')
		return ipv6(a, host, out);
	if (host.n > HOST_MAX)
		return false;
	host = utf8_make_valid(a, decode(a, host));
	if (host.p == NULL)
		return true;
	if (host.n == 0 || !to_ascii(a, host, out))
		return false;
	if (out->p == NULL)
		return true;
	if (ends_in_number(*out))
		return ipv4(a, *out, out);
	return is_domain(*out);
}

/* ---- the parts ---- */

/* [ userinfo "@" ] host [ ":" port ] */
static void
take_authority(struct arena *a, struct url *u, struct span *port)
{
	struct span s = u->authority, host;
	size_t at = s.n, i;
	bool bracket = false;

	while (at > 0 && s.p[at - 1] != '@')
		at--;
	s = span_from(s, at);
	for (i = 0; i < s.n && (bracket || s.p[i] != ':'); i++)
		bracket = s.p[i] == '[' || (bracket && s.p[i] != ']');
	*port = span_from(s, i);
	for (i = 1; i < port->n; i++)
		u->bad = u->bad || port->p[i] < '0' || port->p[i] > '9';
	s.n -= port->n;
	if (!normalize_host(a, s, &host) || u->bad) {
		u->bad = true;
		host = arena_lower(a, s);
	}
	u->host = host;
}

/*
 * The text of a URL that has an authority, whose rest is a path, a query and
 * a place: in the path, a backslash is a slash.
 */
static struct span
write_text(struct arena *a, const struct url *u, struct span port,
           struct span rest)
{
	size_t user = u->authority.n, path = until(rest, "?#").n, i;
	struct span pieces[6], s;
	char *p;

	while (user > 0 && u->authority.p[user - 1] != '@')
		user--;
	pieces[0] = u->scheme;
	pieces[1] = SPAN("://");
	pieces[2] = (struct span){u->authority.p, user};
	pieces[3] = u->host;
	pieces[4] = port;
	pieces[5] = rest;
	s = arena_join(a, pieces, 6);
	if (s.p == NULL || !u->special)
		return s;
	p = (char *)(uintptr_t)s.p + s.n - rest.n;
	for (i = 0; i < path; i++)
		if (p[i] == '\\')
			p[i] = '/';
	return s;
}

static enum url_end
with_authority(struct arena *a, struct span s, struct url *u)
{
	struct span port;

	u->authority = until(s, u->special ? "/\\?#" : "/?#");
	s = span_from(s, u->authority.n);
	if (u->authority.n == 0 && (!u->special ||
	                            span_is(u->scheme, SPAN("file")))) {
		u->text = write_text(a, u, SPAN(""), s);
		return u->text.p == NULL ? URL_NO_MEMORY : URL_READ;
	}
	take_authority(a, u, &port);
	if (u->host.p == NULL)
		return URL_NO_MEMORY;
	u->text = write_text(a, u, port, s);
	return u->text.p == NULL ? URL_NO_MEMORY : URL_READ;
}

/* Up to the last slash of its path. */
static struct span
folder_of(const struct url *base)
{
	struct span s = until(base->text, "?#");
	size_t i = s.n, least = base->scheme.n + 3;

	while (i > least && s.p[i - 1] != '/')
		i--;
	if (i > least)
		s.n = i;
	return s;
}

static enum url_end
relative(struct arena *a, struct span s, const struct url *base,
         struct url *u)
{
	struct span before = folder_of(base);
	size_t least = base->scheme.n + 3;
	struct span slash = SPAN("");

	*u = *base;
	if (is_slash(s.p[0], true))
		before.n = least + until(span_from(before, least), "/").n;
	else if (s.p[0] == '?')
		before = until(base->text, "?#");
	else if (before.p[before.n - 1] != '/' || before.n <= least)
		slash = SPAN("/");
	u->text = arena_join(a, (struct span[]){before, slash, s}, 3);
	return u->text.p == NULL ? URL_NO_MEMORY : URL_READ;
}

/* ---- the whole ---- */

/* Without blanks and controls at the ends, tabs and line ends anywhere. */
static struct span
clean(struct arena *a, struct span s)
{
	size_t i, n = 0;
	char *p;

	while (s.n > 0 && (unsigned char)s.p[0] <= ' ')
		s = span_from(s, 1);
	while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= ' ')
		s.n--;
	if (until(s, "\t\n\r").n == s.n)
		return s;
	p = arena_alloc(a, s.n);
	for (i = 0; p != NULL && i < s.n; i++)
		if (!is_one_of(s.p[i], "\t\n\r"))
			p[n++] = s.p[i];
	return (struct span){p, n};
}

/* scheme := letter { letter | digit | "+" | "-" | "." } ":" */
static size_t
scheme_of(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = (char)(s.p[i] | 0x20);

		if (c >= 'a' && c <= 'z')
			continue;
		if (i == 0 || !is_one_of(s.p[i], "0123456789+-."))
			break;
	}
	return i < s.n && s.p[i] == ':' ? i : 0;
}

static bool
is_special(struct span scheme)
{
	static const char *const names[] = {
		"http", "https", "ftp", "ws", "wss", "file", NULL,
	};
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if (span_is(scheme, span_of(names[i])))
			return true;
	return false;
}

/* What stands behind the colon. */
static enum url_end
with_scheme(struct arena *a, struct span s, const struct url *base,
            struct url *u)
{
	size_t n = slashes(s, u->special);
	bool file = span_is(u->scheme, SPAN("file"));

	if (u->special && !file) {
		if (n < 2 && s.n > 0 && base != NULL &&
		    span_is(base->scheme, u->scheme))
			return relative(a, s, base, u);
		return with_authority(a, span_from(s, n), u);
	}
	if (n >= 2)
		return with_authority(a, span_from(s, 2), u);
	u->text = arena_join(a, (struct span[]){u->scheme, SPAN(":"), s}, 3);
	return u->text.p == NULL ? URL_NO_MEMORY : URL_READ;
}

enum url_end
url_read(struct arena *a, struct span text, const struct url *base,
         struct url *u)
{
	struct span s = clean(a, text);
	size_t n;

	*u = (struct url){.special = true};
	if (base != NULL && (base->host.p == NULL || !base->special))
		base = NULL; /* nothing can be relative to it */
	if (s.p == NULL && text.n > 0)
		return URL_NO_MEMORY;
	if (s.n == 0 || s.p[0] == '#')
		return URL_NONE;
	n = scheme_of(s);
	if (n > 0) {
		u->scheme = arena_lower(a, (struct span){s.p, n});
		if (u->scheme.p == NULL)
			return URL_NO_MEMORY;
		u->special = is_special(u->scheme);
		return with_scheme(a, span_from(s, n + 1), base, u);
	}
	n = slashes(s, true);
	if (n >= 2) {
		/* a web mail's page is HTTPS */
		u->scheme = base != NULL ? base->scheme : SPAN("https");
		return with_authority(a, span_from(s, n), u);
	}
	return base == NULL ? URL_NONE : relative(a, s, base, u);
}
