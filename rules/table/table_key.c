/* table_key.c - one spelling for each key, and what can be of a type. */
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "domain.h"
#include "table_impl.h"
#include "utf8.h"

static bool
has_any(struct span s, const char *bytes)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || strchr(bytes, s.p[i]) != NULL)
			return true;
	return false;
}

static bool
has(struct span s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

/* Both after each other: bytes, NUL among them; p NULL without memory. */
static struct span
join(struct arena *a, struct span first, struct span second)
{
	return arena_join(a, (struct span[]){first, second}, 2);
}

/* local "@" domain */
static struct span
join_address(struct arena *a, struct span local, struct span domain)
{
	return arena_join(a, (struct span[]){local, SPAN("@"), domain}, 3);
}

/* ---- names ---- */

#define NOT_IN_NAMES " \t\r\n\"<>(),;\\/*"

/* domain | "." domain; domain_canonical's spelling, the dot kept */
static struct span
spell_name(struct arena *a, struct span name)
{
	struct span rest;

	if (name.n < 2 || name.p[0] != '.')
		return domain_canonical(a, name);
	rest = domain_canonical(a, span_from(name, 1));
	return rest.p == NULL ? rest : join(a, SPAN("."), rest);
}

static const char *
name_key(struct arena *a, struct span key, bool null, struct span *out,
         struct span *hint)
{
	struct net net;

	if (null)
		return "is the null sender, which no name is";
	if (has(key, '@')) {
		struct span at = key;

		while (has(at, '@'))
			at = span_from(at, 1);
		if (at.n > 0 && !has_any(at, NOT_IN_NAMES))
			*hint = at;
		return "is an address, where names are looked up";
	}
	if (has(key, '/') && net_parse(key, &net) != NET_BAD)
		return "is a network, where names are looked up";
	if (key.n > 2 && memcmp(key.p, "*.", 2) == 0 &&
	    !has_any(span_from(key, 1), NOT_IN_NAMES)) {
		*hint = span_from(key, 1);
		return "is no name";
	}
	if (key.n == 0 || has_any(key, NOT_IN_NAMES))
		return "is no name";
	*out = spell_name(a, key);
	return NULL;
}

/* ---- addresses ---- */

/*
 * local "@" domain, the last "@" outside quotes parting them; at is key.n
 * where there is none. false: a quote is open.
 */
static bool
find_at(struct span key, size_t *at)
{
	bool quoted = false;
	size_t i;

	*at = key.n;
	for (i = 0; i < key.n; i++) {
		if (quoted && key.p[i] == '\\')
			i++;
		else if (key.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && key.p[i] == '@')
			*at = i;
	}
	return !quoted;
}

/*
 * local := atoms | quoted-string (RFC 5321 4.1.2), in *out without quotes
 * and in lower case. A blank is taken only in quotes.
 */
static bool
spell_local(struct arena *a, struct span local, struct span *out)
{
	bool quoted = local.n > 1 && local.p[0] == '"' &&
	              local.p[local.n - 1] == '"';
	char *p;
	size_t i, n = 0;

	if (!quoted && has_any(local, " \t\r\n\"<>@,;\\"))
		return false;
	if (!quoted) {
		*out = utf8_fold(a, local);
		return true;
	}
	p = arena_alloc(a, local.n);
	if (p == NULL) {
		*out = (struct span){NULL, 0};
		return true;
	}
	for (i = 1; i < local.n - 1; i++) {
		if (local.p[i] == '"')
			return false;
		if (local.p[i] == '\\' && ++i == local.n - 1)
			return false;
		p[n++] = local.p[i];
	}
	*out = utf8_fold(a, (struct span){p, n});
	return true;
}

static bool
is_literal(struct span domain)
{
	return domain.n > 2 && domain.p[0] == '[' &&
	       domain.p[domain.n - 1] == ']';
}

/* What to write in place of a word without "@". */
static void
hint_address(struct arena *a, struct span key, struct span *hint)
{
	if (key.n > 2 && key.p[0] == '<' && key.p[key.n - 1] == '>')
		*hint = (struct span){key.p + 1, key.n - 2};
	else if (key.n > 0 && !has_any(key, NOT_IN_NAMES))
		*hint = has(key, '.') ? join(a, SPAN("@"), key) :
		        join(a, key, SPAN("@"));
}

static const char *
address_key(struct arena *a, struct span key, bool null, struct span *out,
            struct span *hint)
{
	struct span local, domain;
	size_t at;

	if (null) {
		*out = SPAN("<>");
		return NULL;
	}
	if (!find_at(key, &at))
		return "has a quote that is not closed";
	if (span_is_nocase(key, SPAN("postmaster"))) {
		*out = SPAN("postmaster"); /* RFC 5321 4.5.1: no domain */
		return NULL;
	}
	if (at == key.n) {
		hint_address(a, key, hint);
		return "is no address";
	}
	local = (struct span){key.p, at};
	domain = span_from(key, at + 1);
	if (local.n > 0 && local.p[0] == '<' && domain.n > 1 &&
	    domain.p[domain.n - 1] == '>') {
		*hint = (struct span){key.p + 1, key.n - 2};
		return "is no address";
	}
	if (span_is(local, SPAN("*")) && domain.n > 0) {
		*hint = span_from(key, 1);
		return "would be the address of somebody called \"*\"";
	}
	if ((local.n == 0 && domain.n == 0) ||
	    (!is_literal(domain) && has_any(domain, NOT_IN_NAMES)) ||
	    span_is(domain, SPAN(".")))
		return "is no address";
	if (local.n > 0 && domain.n > 0 && domain.p[0] == '.') {
		*hint = span_from(key, at);
		return "is no address: what is under a domain can only be "
		       "meant as a whole";
	}
	if (!spell_local(a, local, &local))
		return "is no address";
	domain = spell_name(a, domain);
	*out = join_address(a, local, domain);
	return NULL;
}

/* ---- the others ---- */

#define NOT_AN_ADDRESS "is the null sender, which only an address can be"

/* number := ["-"] digits ["." digits], in the spelling of %.17g */
static const char *
number_key(struct arena *a, struct span key, bool null, struct span *out)
{
	char text[64], *end;
	double d;
	size_t i;

	if (null || key.n == 0 || key.n >= sizeof(text))
		return "is no number";
	for (i = 0; i < key.n; i++)
		if (!(key.p[i] >= '0' && key.p[i] <= '9') &&
		    key.p[i] != '.' && !(i == 0 && key.p[i] == '-'))
			return "is no number";
	memcpy(text, key.p, key.n);
	text[key.n] = '\0';
	d = strtod(text, &end);
	if (*end != '\0' || end == text)
		return "is no number";
	*out = arena_printf(a, "%.17g", d);
	return NULL;
}

const char *
table_looks(struct arena *a, struct span key, bool null,
            struct span looks[FOLD_LOOKS], size_t *n)
{
	size_t left = CAPS_FOLD_LETTERS;

	*n = 1;
	looks[0] = SPAN("");
	if (null)
		return NOT_AN_ADDRESS;
	*n = fold_looks(a, key, &left, looks);
	if (*n == 0) {
		looks[0] = (struct span){NULL, 0};
		return arena_full(a) ? NULL : "is too long to be folded";
	}
	return looks[0].n == 0 && key.n > 0 ?
	       "has nothing that is left when it is folded" : NULL;
}

const char *
table_key(struct arena *a, struct span key, bool null, enum value_type type,
          struct span *out, struct span *hint)
{
	struct span looks[FOLD_LOOKS];
	const char *problem;
	size_t n;

	switch (type) {
	case VALUE_NAME:
		return name_key(a, key, null, out, hint);
	case VALUE_ADDRESS:
		return address_key(a, key, null, out, hint);
	case VALUE_NUMBER:
		return number_key(a, key, null, out);
	case VALUE_FOLDED:
		problem = table_looks(a, key, null, looks, &n);
		*out = looks[0];
		return problem;
	case VALUE_TEXT:
	case VALUE_IP:
		break;
	}
	if (null)
		return NOT_AN_ADDRESS;
	*out = key.n == 0 ? SPAN("") : utf8_fold(a, key);
	return NULL;
}

/* 192.168 and 192.168/16: what is left out of an IPv4 network is zeros. */
static void
hint_short_net(struct arena *a, struct span key, struct span *hint)
{
	const char *slash = key.n == 0 ? NULL : memchr(key.p, '/', key.n);
	struct span head = key, whole;
	unsigned dots = 0;
	struct net net;
	size_t i;

	if (slash != NULL)
		head.n = (size_t)(slash - key.p);
	if (head.n > 0 && head.p[head.n - 1] == '.')
		head.n--;
	for (i = 0; i < head.n; i++)
		dots += head.p[i] == '.';
	if (dots > 2)
		return;
	whole = arena_printf(a, "%.*s%s", SPAN_ARG(head), &".0.0.0"[2 * dots]);
	whole = slash == NULL ?
	        arena_printf(a, "%.*s/%u", SPAN_ARG(whole), 8 * (dots + 1)) :
	        arena_printf(a, "%.*s%.*s", SPAN_ARG(whole),
	                     (int)(key.p + key.n - slash), slash);
	if (whole.p != NULL && net_parse(whole, &net) == NET_OK)
		*hint = whole;
}

const char *
table_net_key(struct arena *a, struct span key, bool null, struct net *net,
              struct span *hint)
{
	char text[IP_TEXT];
	struct net inner;

	switch (null ? NET_BAD : net_parse(key, net)) {
	case NET_OK:
		return NULL;
	case NET_HOST_BITS:
		*hint = arena_printf(a, "%s/%u", ip_print(&net->ip, text),
		                     ip_is_v4(&net->ip) ? net->length - 96 :
		                     net->length);
		return "has host bits set";
	case NET_BAD:
		break;
	}
	if (key.n > 2 && key.p[0] == '[' && key.p[key.n - 1] == ']' &&
	    net_parse((struct span){key.p + 1, key.n - 2}, &inner) == NET_OK)
		*hint = (struct span){key.p + 1, key.n - 2};
	else
		hint_short_net(a, key, hint);
	return "is no IP address or network";
}

bool
table_entry_fits(struct span entry, enum value_type type,
                 const char **message)
{
	struct arena *a = arena_new(0);
	bool null = span_is(entry, SPAN("<>"));
	struct span out, hint;
	struct net net;

	if (a == NULL) {
		*message = "needs more memory than there is";
		return false;
	}
	*message = type == VALUE_IP ?
	           table_net_key(a, entry, null, &net, &hint) :
	           table_key(a, entry, null, type, &out, &hint);
	arena_free(a);
	return *message == NULL;
}

/* ---- the keys of a value ---- */

struct walk {
	struct arena *a;
	bool (*visit)(void *of, struct span key);
	void *of;
};

/*
 * ".example.org", ".org" for mail.example.org. In room, a copy that may be
 * written, the byte before each dot becomes lead where it is not 0.
 */
static bool
walk_suffixes(const struct walk *w, char *room, struct span name, char lead)
{
	size_t i, before = lead == '\0' ? 0 : 1;

	if (name.n > 0 && name.p[0] == '[') /* an address literal has none */
		return false;
	for (i = 1; i + 1 < name.n; i++) {
		if (name.p[i] != '.')
			continue;
		if (before != 0)
			room[i - before] = lead;
		if (w->visit(w->of, (struct span){room + i - before,
		                                  name.n - i + before}))
			return true;
	}
	return false;
}

static bool
walk_made(const struct walk *w, struct span key)
{
	return key.p != NULL && w->visit(w->of, key);
}

/* The local part without its extension, as Postfix splits it; p NULL: none. */
static struct span
without_extension(struct span local, char delimiter)
{
	const char *at;

	if (delimiter == '\0' || local.n < 2)
		return (struct span){NULL, 0};
	at = memchr(local.p + 1, delimiter, local.n - 1);
	if (at == NULL || local.p[0] == delimiter ||
	    span_is(local, SPAN("mailer-daemon")) ||
	    span_is(local, SPAN("double-bounce")))
		return (struct span){NULL, 0};
	return (struct span){local.p, (size_t)(at - local.p)};
}

static bool
walk_whole(const struct walk *w, struct span local, const struct value *v)
{
	/* The only key without "@"; "<>", quoted, is somebody's name. */
	if (v->domain.p == NULL)
		return span_is(local, SPAN("postmaster")) &&
		       w->visit(w->of, local);
	return walk_made(w, join_address(w->a, local, v->domain));
}

static bool
walk_domain(const struct walk *w, const struct value *v)
{
	struct span at, copy;

	if (v->domain.p == NULL)
		return false;
	at = join(w->a, SPAN("@"), v->domain);
	if (at.p == NULL)
		return false;
	if (w->visit(w->of, at))
		return true;
	copy = arena_copy(w->a, v->domain);
	return copy.p != NULL &&
	       walk_suffixes(w, (char *)(size_t)copy.p, v->domain, '@');
}

/* user+x@d user@d @d @.d... user+x@ user@ */
static bool
walk_address(const struct walk *w, const struct value *v, char delimiter)
{
	struct span local, plain;

	if (v->text.n == 0 && v->local.n == 0 && v->domain.p == NULL)
		return w->visit(w->of, SPAN("<>"));
	local = v->local.n == 0 ? SPAN("") : utf8_fold(w->a, v->local);
	if (local.p == NULL)
		return false;
	plain = without_extension(local, delimiter);
	return walk_whole(w, local, v) ||
	       (plain.p != NULL && walk_whole(w, plain, v)) ||
	       walk_domain(w, v) ||
	       walk_made(w, join(w->a, local, SPAN("@"))) ||
	       (plain.p != NULL &&
	        walk_made(w, join(w->a, plain, SPAN("@"))));
}

bool
table_walk(const struct value *v, const struct table_context *c,
           struct arena *a, bool (*visit)(void *of, struct span key),
           void *of)
{
	struct walk w = {a, visit, of};
	struct span text = v->text.n == 0 ? SPAN("") : v->text;

	switch (v->type) {
	case VALUE_ADDRESS:
		return walk_address(&w, v, c->recipient_delimiter);
	case VALUE_NAME:
		/* nothing is written where lead is 0 */
		return visit(of, text) || walk_suffixes(
			&w, (char *)(size_t)text.p, text, '\0');
	case VALUE_NUMBER:
		return walk_made(&w, arena_printf(a, "%.17g", v->number));
	case VALUE_FOLDED:
		return visit(of, text);
	case VALUE_TEXT:
	case VALUE_IP:
		break;
	}
	text = utf8_make_valid(a, text);
	if (text.p != NULL && text.n > 0)
		text = utf8_fold(a, text);
	return walk_made(&w, text);
}
