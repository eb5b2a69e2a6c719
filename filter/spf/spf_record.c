#include <arpa/inet.h>
#include <string.h>

#include "ascii.h"
#include "spf_macro.h"
#include "spf_record.h"

static const struct {
	const char *name;
	enum spf_kind kind;
} mechanisms[] = {
	{"all", SPF_ALL},         {"include", SPF_INCLUDE}, {"a", SPF_A},
	{"mx", SPF_MX},           {"ptr", SPF_PTR},         {"ip4", SPF_IP4},
	{"ip6", SPF_IP6},         {"exists", SPF_EXISTS},
};

const char *
spf_kind_name(enum spf_kind kind)
{
	size_t i;

	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (mechanisms[i].kind == kind)
			return mechanisms[i].name;
	return kind == SPF_REDIRECT ? "redirect" : "a modifier";
}

/* version = "v=spf1", then a blank or the end */
bool
spf_record_is(struct span text)
{
	struct span version = {text.p, 6};

	return text.n >= 6 && span_is_nocase(version, SPAN("v=spf1")) &&
	       (text.n == 6 || text.p[6] == ' ');
}

struct span
spf_record_terms(struct span text)
{
	return (struct span){text.p + 6, text.n - 6};
}

/* name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ): its length, or 0 */
static size_t
name_length(struct span s)
{
	size_t i;

	if (s.n == 0 || !ascii_is_letter(s.p[0]))
		return 0;
	for (i = 1; i < s.n; i++)
		if (!ascii_is_letter(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    memchr("-_.", s.p[i], 3) == NULL)
			break;
	return i;
}

/*
 * modifier = redirect / explanation / unknown-modifier
 * redirect = "redirect" "=" domain-spec, explanation = "exp" "=" domain-spec
 * unknown-modifier = name "=" macro-string
 */
static bool
modifier(struct spf_term *t, size_t name, const char **why)
{
	struct span word = {t->text.p, name};

	t->domain = span_from(t->text, name + 1);
	t->qualifier = 0;
	if (span_is_nocase(word, SPAN("redirect")))
		t->kind = SPF_REDIRECT;
	else if (span_is_nocase(word, SPAN("exp")))
		t->kind = SPF_EXP;
	else
		t->kind = SPF_UNKNOWN_MODIFIER;
	return spf_macro_ok(t->domain, t->kind == SPF_UNKNOWN_MODIFIER
	                                       ? SPF_MACRO_STRING
	                                       : SPF_DOMAIN_SPEC, why);
}

/*
 * Takes "/" and a decimal without leading zeros off the end of s:
 * 1, or 0 if there is none, or -1 if it is past max.
 */
static int
take_length(struct span *s, unsigned max, unsigned *length)
{
	size_t i = s->n, digits;
	unsigned v = 0;

	while (i > 0 && ascii_is_digit(s->p[i - 1]))
		i--;
	digits = s->n - i;
	if (i == 0 || s->p[i - 1] != '/' || digits == 0)
		return 0;
	if (digits > 3 || (digits > 1 && s->p[i] == '0'))
		return -1;
	for (; i < s->n; i++)
		v = v * 10 + (unsigned)(s->p[i] - '0');
	if (v > max)
		return -1;
	*length = v;
	s->n -= digits + 1;
	return 1;
}

/* dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ] */
static bool
dual_length(struct span *s, struct spf_term *t, const char **why)
{
	size_t i = s->n;
	int got;

	while (i > 0 && ascii_is_digit(s->p[i - 1]))
		i--;
	if (i >= 2 && s->p[i - 1] == '/' && s->p[i - 2] == '/') {
		got = take_length(s, 128, &t->cidr6);
		*why = "the length after // is 0 to 128";
		if (got != 1)
			return false;
		s->n--;
	}
	got = take_length(s, 32, &t->cidr4);
	*why = "the length after / is 0 to 32";
	return got >= 0;
}

/* [ ":" domain-spec ] */
static bool
optional_domain(struct span rest, struct spf_term *t, const char **why)
{
	if (rest.n == 0)
		return true;
	*why = "\":\" is missing after the mechanism's name";
	if (rest.p[0] != ':')
		return false;
	t->domain = span_from(rest, 1);
	return spf_macro_ok(t->domain, SPF_DOMAIN_SPEC, why);
}

/* A copy with a NUL, for inet_pton. */
static bool
address(int family, struct span s, unsigned char ip[16])
{
	char text[INET6_ADDRSTRLEN];

	if (s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, ip) == 1;
}

/* IP4 = "ip4" ":" ip4-network [ ip4-cidr-length ], IP6 likewise */
static bool
network(struct span rest, struct spf_term *t, const char **why)
{
	bool v4 = t->kind == SPF_IP4;
	int got;

	*why = "an address must follow the \":\"";
	if (rest.n == 0 || rest.p[0] != ':')
		return false;
	rest = span_from(rest, 1);
	got = v4 ? take_length(&rest, 32, &t->cidr4)
	         : take_length(&rest, 128, &t->cidr6);
	if (got < 0) {
		*why = v4 ? "the length after / is 0 to 32"
		          : "the length after / is 0 to 128";
		return false;
	}
	*why = v4 ? "not an IPv4 address" : "not an IPv6 address";
	return address(v4 ? AF_INET : AF_INET6, rest, t->ip);
}

static bool
arguments(struct span rest, struct spf_term *t, const char **why)
{
	switch (t->kind) {
	case SPF_ALL:
		*why = "nothing may follow \"all\"";
		return rest.n == 0;
	case SPF_INCLUDE:
	case SPF_EXISTS:
		*why = "\":\" and a domain must follow";
		return rest.n > 0 && optional_domain(rest, t, why);
	case SPF_PTR:
		return optional_domain(rest, t, why);
	case SPF_A:
	case SPF_MX:
		return dual_length(&rest, t, why) &&
		       optional_domain(rest, t, why);
	default:
		return network(rest, t, why);
	}
}

/* directive = [ qualifier ] mechanism */
static bool
directive(struct spf_term *t, const char **why)
{
	struct span s = t->text, word;
	size_t i;

	t->qualifier = '+';
	if (memchr("+-~?", s.p[0], 4) != NULL) {
		t->qualifier = s.p[0];
		s = span_from(s, 1);
	}
	for (i = 0; i < s.n && s.p[i] != ':' && s.p[i] != '/'; i++)
		;
	word = (struct span){s.p, i};
	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		if (!span_is_nocase(word, span_of(mechanisms[i].name)))
			continue;
		t->kind = mechanisms[i].kind;
		return arguments(span_from(s, word.n), t, why);
	}
	*why = "no such mechanism";
	return false;
}

int
spf_record_next(struct span *rest, struct spf_term *t, const char **why)
{
	size_t n = 0, name;
	bool ok;

	while (rest->n > 0 && rest->p[0] == ' ')
		*rest = span_from(*rest, 1);
	if (rest->n == 0)
		return 0;
	while (n < rest->n && rest->p[n] != ' ')
		n++;
	memset(t, 0, sizeof(*t));
	t->text = (struct span){rest->p, n};
	t->cidr4 = 32;
	t->cidr6 = 128;
	*rest = span_from(*rest, n);
	name = name_length(t->text);
	if (name > 0 && name < n && t->text.p[name] == '=')
		ok = modifier(t, name, why);
	else
		ok = directive(t, why);
	return ok ? 1 : -1;
}
