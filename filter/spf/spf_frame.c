/*
 * spf_frame.c - a record fetched, checked, and written anew for libspf2.
 *
 * The whole record is checked against the grammar (RFC 7208 4.6). Of its
 * terms only those are passed on that can decide something: those that ask
 * the DNS, as many as the budget has room for, and of the literals the first
 * that covers the client, behind which nothing can matter any more.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spf_check.h"

#define SHOWN 80 /* bytes of a stranger's term in a reason */

bool
spf_covers(const struct spf_check *c, const unsigned char *ip, unsigned length)
{
	const unsigned char *own = c->v4 ? c->client + 12 : c->client;
	unsigned whole = length / 8, bits = length % 8;

	if (memcmp(own, ip, whole) != 0)
		return false;
	return bits == 0 || (own[whole] ^ ip[whole]) >> (8 - bits) == 0;
}

/* Does this literal, or "all", match the client? */
static bool
literal_matches(const struct spf_check *c, const struct spf_term *t)
{
	switch (t->kind) {
	case SPF_ALL:
		return true;
	case SPF_IP4:
		return c->v4 && spf_covers(c, t->ip, t->cidr4);
	case SPF_IP6:
		return !c->v4 && spf_covers(c, t->ip, t->cidr6);
	default:
		return false;
	}
}

static struct spf_token *
add_token(struct spf_check *c, struct spf_frame *f, const struct spf_term *t)
{
	struct spf_token *token = arena_alloc(c->arena, sizeof(*token));

	if (token == NULL) {
		spf_end(c, SPF_TEMPERROR, "out of memory");
		return NULL;
	}
	token->kind = TOKEN_TERM;
	token->number = c->n_tokens++;
	token->frame = f;
	token->term = *t;
	token->earlier = c->last;
	c->last = token;
	return token;
}

static bool
asks_dns(enum spf_kind k)
{
	return k == SPF_INCLUDE || k == SPF_A || k == SPF_MX || k == SPF_PTR ||
	       k == SPF_EXISTS;
}

/* What the record's terms come to, while they are read. */
struct reading {
	struct spf_term redirect;
	bool has_redirect, has_all, full;
};

static bool
take_modifier(struct spf_check *c, struct spf_frame *f,
              const struct spf_term *t, struct reading *r)
{
	if (t->kind == SPF_REDIRECT) {
		if (r->has_redirect)
			spf_end(c, SPF_PERMERROR,
			        "%.*s has two redirect modifiers",
			        SPAN_ARG(f->domain));
		r->has_redirect = true;
		r->redirect = *t;
	} else if (t->kind == SPF_EXP) {
		if (f->exp.p != NULL)
			spf_end(c, SPF_PERMERROR,
			        "%.*s has two exp modifiers",
			        SPAN_ARG(f->domain));
		f->exp = t->domain;
	}
	return !c->over;
}

static bool
take_term(struct spf_check *c, struct spf_frame *f, const struct spf_term *t,
          struct reading *r)
{
	struct spf_token *token;

	if (t->qualifier == 0)
		return take_modifier(c, f, t, r);
	r->has_all = r->has_all || t->kind == SPF_ALL;
	if (f->decided || r->full)
		return true;
	if (literal_matches(c, t)) {
		f->decides = *t;
		f->decided = true;
	} else if (asks_dns(t->kind)) {
		token = add_token(c, f, t);
		if (token == NULL)
			return false;
		*f->end = token;
		f->end = &token->next;
		/* one more than may be evaluated */
		r->full = ++f->n > c->budget->terms;
	}
	return true;
}

static bool
read_terms(struct spf_check *c, struct spf_frame *f, struct span record)
{
	struct span rest = spf_record_terms(record);
	struct reading r = {.has_all = false};
	struct spf_term t;
	const char *why;
	int got;

	while ((got = spf_record_next(&rest, &t, &why)) > 0)
		if (!take_term(c, f, &t, &r))
			return false;
	if (got < 0) {
		spf_end(c, SPF_PERMERROR, "%.*s, \"%.*s\": %s",
		        SPAN_ARG(f->domain),
		        (int)(t.text.n > SHOWN ? SHOWN : t.text.n), t.text.p,
		        why);
		return false;
	}
	if (r.has_redirect && !r.has_all && !f->decided)
		f->redirect = add_token(c, f, &r.redirect);
	return !c->over;
}

/* RFC 7208 4.5 */
static struct span
choose(struct spf_check *c, struct span domain, const struct dns_answer *a)
{
	struct span record = {NULL, 0};
	size_t i, found = 0;

	for (i = 0; i < a->n; i++) {
		if (!spf_record_is(a->record[i].data))
			continue;
		record = a->record[i].data;
		found++;
	}
	if (found > 1)
		spf_end(c, SPF_PERMERROR, "%.*s has %zu SPF records",
		        SPAN_ARG(domain), found);
	/* the answer goes, the record stays as long as the check */
	return found == 1 ? arena_copy(c->arena, record)
	                  : (struct span){NULL, 0};
}

/* A domain as RFC 7208 4.3 wants it: two labels at least, no address. */
static bool
well_formed(struct span d)
{
	size_t i, top = d.n;
	bool digits = true;

	if (!dns_name_ok(d))
		return false;
	while (top > 0 && d.p[top - 1] != '.')
		top--;
	for (i = 0; i < d.n; i++) {
		unsigned char b = (unsigned char)d.p[i];

		if (b <= ' ' || b > '~' || strchr("[]@\"\\()<>,;", b) != NULL)
			return false;
		if (i >= top && (b < '0' || b > '9'))
			digits = false;
	}
	return top > 0 && !digits;
}

static struct spf_frame *
new_frame(struct spf_check *c, struct span domain)
{
	struct spf_frame *f = arena_alloc(c->arena, sizeof(*f));

	if (f == NULL) {
		spf_end(c, SPF_TEMPERROR, "out of memory");
		return NULL;
	}
	f->domain = domain;
	f->end = &f->tokens;
	return f;
}

struct spf_frame *
spf_frame_get(struct spf_check *c, struct span domain, bool *none)
{
	struct spf_frame *f;
	struct dns_answer *a;
	struct span record = {NULL, 0};

	*none = !well_formed(domain);
	if (*none)
		return NULL;
	a = spf_ask(c, domain, DNS_TXT);
	if (a == NULL)
		return NULL;
	if (a->status == DNS_OK)
		record = choose(c, domain, a);
	else if (a->status != DNS_NODATA && a->status != DNS_NXDOMAIN)
		spf_end(c, SPF_TEMPERROR, "%.*s TXT: %s", SPAN_ARG(domain),
		        dns_status_words(a->status));
	dns_answer_unref(a);
	if (record.p == NULL && arena_full(c->arena))
		spf_end(c, SPF_TEMPERROR, "out of memory");
	*none = record.p == NULL && !c->over;
	if (record.p == NULL)
		return NULL;
	f = new_frame(c, domain);
	return f != NULL && read_terms(c, f, record) ? f : NULL;
}

/* ---- the same for libspf2 ---- */

static void
append(char out[SPF_CANONICAL], size_t *n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
append(char out[SPF_CANONICAL], size_t *n, const char *format, ...)
{
	va_list args;
	int more;

	va_start(args, format);
	more = vsnprintf(out + *n, SPF_CANONICAL - *n, format, args);
	va_end(args);
	*n += more > 0 ? (size_t)more : 0;
}

/*
 * a and mx keep the client's own length. libspf2 takes 0 for none given: then
 * the look-up answers with the client's address if there is any.
 */
static void
append_token(const struct spf_check *c, const struct spf_token *t, char *out,
             size_t *n)
{
	unsigned full = c->v4 ? 32 : 128;
	unsigned length = c->v4 ? t->term.cidr4 : t->term.cidr6;
	enum spf_kind as = t->term.kind;

	/* the others are evaluated here: to libspf2 names, there or not */
	if (as != SPF_A && as != SPF_MX)
		as = SPF_EXISTS;

	append(out, n, " %c%s:t%u.v", t->term.qualifier, spf_kind_name(as),
	       t->number);
	if ((as == SPF_A || as == SPF_MX) && length > 0 && length < full)
		append(out, n, c->v4 ? "/%u" : "//%u", length);
}

static void
append_literal(const struct spf_check *c, const struct spf_term *t, char *out,
               size_t *n)
{
	unsigned length = c->v4 ? t->cidr4 : t->cidr6;
	char ip[INET6_ADDRSTRLEN];

	if (t->kind == SPF_ALL) {
		append(out, n, " %call", t->qualifier);
		return;
	}
	inet_ntop(c->v4 ? AF_INET : AF_INET6,
	          length > 0 ? t->ip : c->client + (c->v4 ? 12 : 0), ip,
	          sizeof(ip));
	append(out, n, " %c%s:%s", t->qualifier, spf_kind_name(t->kind), ip);
	if (length > 0)
		append(out, n, "/%u", length);
}

size_t
spf_frame_canonical(struct spf_check *c, struct spf_frame *f,
                    char out[SPF_CANONICAL])
{
	const struct spf_token *t;
	size_t n = 0;

	append(out, &n, "v=spf1");
	for (t = f->tokens; t != NULL && n < SPF_CANONICAL; t = t->next)
		append_token(c, t, out, &n);
	if (n < SPF_CANONICAL && f->decided)
		append_literal(c, &f->decides, out, &n);
	if (n < SPF_CANONICAL && f->redirect != NULL)
		append(out, &n, " redirect=t%u.v", f->redirect->number);
	if (n >= SPF_CANONICAL) {
		spf_end(c, SPF_PERMERROR, "too many DNS terms in %.*s",
		        SPAN_ARG(f->domain));
		return 0;
	}
	return n;
}
