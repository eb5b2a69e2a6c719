#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "domain.h"
#include "stamp.h"

#define VALUE 255  /* bytes of one value, before its escapes */
#define FOLD "\n " /* one value a line, which so keeps RFC 5322 2.1.1 */

/* ---- values ---- */

/* atext of RFC 5322 3.2.3 */
static bool
is_atext(char c)
{
	return ascii_is_alnum(c) ||
		(c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* 1*atext *("." 1*atext) */
static bool
is_dot_atom(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!is_atext(s.p[i]) && (s.p[i] != '.' || i == 0 ||
		    i + 1 == s.n || s.p[i - 1] == '.'))
			return false;
	return s.n > 0;
}

/* A token of RFC 2045 5.1 is less than a dot-atom: no / = ?. */
static bool
is_token(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((!is_atext(s.p[i]) && s.p[i] != '.') ||
		    strchr("/=?", s.p[i]) != NULL)
			return false;
	return s.n > 0;
}

/* s with a backslash before each of the marks, between open and close. */
static struct span
escaped(struct arena *a, struct span s, const char *marks, const char *open,
        const char *close)
{
	char *p;
	size_t i, n = 0;

	s = spf_printable(a, s, VALUE);
	p = s.p == NULL ? NULL : arena_alloc(a, 2 * s.n + 1);
	if (p == NULL)
		return (struct span){NULL, 0};
	for (i = 0; i < s.n; i++) {
		if (strchr(marks, s.p[i]) != NULL)
			p[n++] = '\\';
		p[n++] = s.p[i];
	}
	p[n] = '\0';
	return arena_printf(a, "%s%s%s", open, p, close);
}

static struct span
quoted(struct arena *a, struct span s)
{
	return escaped(a, s, "\"\\", "\"", "\"");
}

/* dot-atom / quoted-string; one with "=?" might be an encoded word */
static struct span
word(struct arena *a, struct span s)
{
	if (s.n <= VALUE && is_dot_atom(s) && is_token(s))
		return s;
	return quoted(a, s);
}

/* value (RFC 8601 2.2): token / quoted-string */
static struct span
value(struct arena *a, struct span s)
{
	if (s.n <= VALUE && is_token(s))
		return s;
	return quoted(a, s);
}

static bool
is_ldh(char c)
{
	return c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9');
}

/* domain-name (RFC 6376 3.5): labels of letters, digits, inner hyphens */
static bool
is_domain_name(struct span s)
{
	size_t i, label = 0, labels = 0;

	for (i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != '.') {
			if (!is_ldh(s.p[i]))
				return false;
			continue;
		}
		if (i == label || s.p[label] == '-' || s.p[i - 1] == '-')
			return false;
		labels++;
		label = i + 1;
	}
	return labels > 1;
}

static bool
has(struct span s, struct span what)
{
	size_t i;

	for (i = 0; i + what.n <= s.n; i++)
		if (span_is_nocase((struct span){s.p + i, what.n}, what))
			return true;
	return false;
}

/*
 * Would a reader that takes no notice of quotes find a result in it, or an
 * encoded word that hides one? What can't be printed becomes a "?".
 */
static bool
tells_result(struct span s)
{
	size_t i;

	for (i = 0; i + 1 < s.n; i++)
		if (s.p[i] == '=' && (s.p[i + 1] == '?' ||
		                      s.p[i + 1] < ' ' || s.p[i + 1] > '~'))
			return true;
	return has(s, SPAN("=pass"));
}

/* s, or with "?" in the place of "=" if it tells a result. */
static struct span
masked(struct arena *a, struct span s)
{
	char *p;
	size_t i;

	if (!tells_result(s))
		return s;
	p = arena_alloc(a, s.n);
	for (i = 0; p != NULL && i < s.n; i++)
		p[i] = (char)(s.p[i] == '=' ? '?' : s.p[i]);
	return (struct span){p, p == NULL ? 0 : s.n};
}

static bool
is_ascii(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 0x7e)
			return false;
	return true;
}

/*
 * pvalue = value / [ [ local-part ] "@" ] domain-name. A local part that
 * can't be told is left out.
 */
static struct span
pvalue(struct arena *a, struct span s)
{
	size_t at = s.n;
	struct span local, domain;

	while (at > 0 && s.p[at - 1] != '@')
		at--;
	if (at > 1) {
		local = (struct span){s.p, at - 1};
		domain = (struct span){s.p + at, s.n - at};
		if (tells_result(local) || !is_ascii(local))
			s = domain;
		else if (s.n <= VALUE && is_dot_atom(local) &&
		         local.p[0] != '?' && is_domain_name(domain))
			return s;
		else if (!tells_result(domain))
			return quoted(a, s);
	}
	return value(a, masked(a, s));
}

/* ---- Received-SPF ---- */

static const char *
found_words(enum spf_result r)
{
	static const char *const words[] = {
		[SPF_NONE] = "no statement is made for",
		[SPF_NEUTRAL] = "neither permitted nor denied is",
		[SPF_PASS] = "permitted sender is",
		[SPF_FAIL] = "not permitted is",
		[SPF_SOFTFAIL] = "probably not permitted is",
		[SPF_TEMPERROR] = "for now nothing can be said of",
		[SPF_PERMERROR] = "a wrong record says nothing of",
	};

	return words[r];
}

/* "key=value;" on a line of its own, or nothing if there is no value */
static struct span
pair(struct arena *a, const char *key, struct span s)
{
	if (s.n == 0)
		return SPAN("");
	s = word(a, s);
	if (s.p == NULL)
		return s;
	return arena_printf(a, FOLD "%s=%.*s;", key, SPAN_ARG(s));
}

struct span
stamp_received_spf(struct arena *a, const struct stamp *s,
                   const struct spf_finding *f)
{
	bool helo = f->identity == SPF_HELO;
	/* neutral, because no term matched */
	struct span term = f->result == SPF_NEUTRAL && f->term.n == 0
		? SPAN("default") : f->term;
	struct span comment = arena_printf(a, "%.*s: %s %.*s", SPAN_ARG(s->mta),
		found_words(f->result), SPAN_ARG(s->client));
	struct span pairs[] = {
		pair(a, "client-ip", s->client),
		pair(a, "envelope-from", s->sender),
		pair(a, "helo", s->helo),
		pair(a, "receiver", s->mta),
		SPAN(FOLD "identity="),
		helo ? SPAN("helo;") : SPAN("mailfrom;"),
		pair(a, "mechanism", term),
		pair(a, "problem", f->result == SPF_TEMPERROR ||
			f->result == SPF_PERMERROR ? f->reason : SPAN("")),
	};
	struct span all;
	size_t i;

	if (comment.p == NULL)
		return comment;
	comment = escaped(a, comment, "()\\", "(", ")");
	all = arena_printf(a, "%s %.*s", spf_result_name(f->result),
		SPAN_ARG(comment));
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		all = arena_printf(a, "%.*s%.*s", SPAN_ARG(all),
			SPAN_ARG(pairs[i]));
	return arena_full(a) ? (struct span){NULL, 0} : all;
}

/* ---- Authentication-Results ---- */

/* "method=result property=value" on a line behind what there is */
static struct span
add_result(struct arena *a, struct span all, const char *result,
           const char *name, const char *property, struct span of)
{
	if (of.n > 0)
		of = pvalue(a, of);
	return arena_printf(a, "%.*s;" FOLD "%s=%s%s%s%.*s", SPAN_ARG(all),
		result, name, of.n > 0 ? " " : "", of.n > 0 ? property : "",
		SPAN_ARG(of));
}

struct span
stamp_authentication_results(struct arena *a, const struct stamp *s)
{
	struct span id = value(a, s->authserv_id), all = id;
	bool none = true;

	if (s->auth.n > 0) {
		all = add_result(a, all, "auth", "pass", "smtp.auth=",
			s->auth);
		none = false;
	}
	if (s->mailfrom != NULL) {
		/* the null sender is judged by HELO (RFC 7208 2.4) */
		all = add_result(a, all, "spf",
			spf_result_name(s->mailfrom->result),
			s->sender.n > 0 ? "smtp.mailfrom="
			                : "smtp.helo=",
			s->sender.n > 0 ? s->sender : s->helo);
		none = false;
	}
	if (s->helo_found != NULL &&
	    (s->mailfrom == NULL || s->sender.n > 0)) {
		all = add_result(a, all, "spf",
			spf_result_name(s->helo_found->result), "smtp.helo=",
			s->helo);
		none = false;
	}
	if (none)
		all = arena_printf(a, "%.*s; none", SPAN_ARG(all));
	return arena_full(a) ? (struct span){NULL, 0} : all;
}

/* ---- whose is a field? ---- */

/*
 * The text in front of the first ";" without comments, quotes, white space
 * and control characters. first: up to where the first word ends. false: a
 * comment or a quote is not closed.
 */
static bool
bare(struct span s, char *out, size_t *n, size_t *first)
{
	unsigned depth = 0;
	bool in_quotes = false, ended = false;
	size_t i;

	*n = *first = 0;
	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\\' && i + 1 < s.n) {
			if (depth == 0)
				out[(*n)++] = s.p[i + 1];
			i++;
		} else if (depth > 0) {
			depth += c == '(';
			depth -= c == ')';
		} else if (c == '"') {
			in_quotes = !in_quotes;
		} else if (!in_quotes && c == '(') {
			depth = 1;
		} else if (!in_quotes && (c == ';' || c == ',')) {
			break;
		} else if (c > ' ' && c != 0x7f) {
			out[(*n)++] = (char)c;
			continue;
		}
		/* a comment, a blank or a quote may end the first word */
		if (*n > 0 && !in_quotes && !ended) {
			*first = *n;
			ended = true;
		}
	}
	if (!ended)
		*first = *n;
	return depth == 0 && !in_quotes;
}

/* id, then nothing but a version: digits behind a "/", a "=" or nothing */
static bool
begins_with(struct span s, struct span id)
{
	size_t i;

	if (!span_begins_nocase(s, id))
		return false;
	for (i = id.n; i < s.n; i++)
		if (strchr("0123456789/=.", s.p[i]) == NULL)
			return false;
	return true;
}

/* The same, seen through U-labels and letters that look alike (UTS 46). */
static bool
begins_with_labels(struct span s, struct span id)
{
	struct arena *a;
	struct span name;
	bool begins;

	if (is_ascii(s))
		return begins_with(s, id);
	a = arena_new(0);
	if (a == NULL)
		return true; /* rather one too many */
	name = domain_canonical(a, s);
	begins = name.p == NULL || begins_with(name, id);
	arena_free(a);
	return begins;
}

bool
stamp_claims(struct span s, struct span id)
{
	size_t n, first;
	char *text;
	bool closed, claims;

	while (id.n > 0 && id.p[id.n - 1] == '.')
		id.n--;
	if (id.n == 0)
		return false;
	text = malloc(s.n + 1);
	if (text == NULL)
		return has(s, id); /* rather one too many */
	closed = bare(s, text, &n, &first);
	claims = begins_with_labels((struct span){text, n}, id) ||
		begins_with_labels((struct span){text, first}, id) ||
		(!closed && has(s, id));
	free(text);
	return claims;
}
