#include <idn2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spf_check.h"

#define SCRATCH (8 << 20) /* a check's memory: records, names, tokens */
#define REASON 250        /* bytes of what is told in words */
#define EXPLANATION 400   /* as much as fits into one reply line */

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

const char *
spf_result_name(enum spf_result r)
{
	static const char *const name[] = {
		"none", "neutral", "pass", "fail", "softfail", "temperror",
		"permerror",
	};

	return name[r];
}

struct span
spf_printable(struct arena *a, struct span s, size_t max)
{
	bool cut = s.n > max;
	size_t i, n = cut ? max - 3 : s.n;
	char *p = arena_alloc(a, n + 4);

	if (p == NULL)
		return (struct span){NULL, 0};
	for (i = 0; i < n; i++)
		p[i] = (char)(s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?');
	if (cut)
		memcpy(p + n, "...", 4);
	return (struct span){p, cut ? max : n};
}

void
spf_end(struct spf_check *c, enum spf_result result, const char *format, ...)
{
	char text[2 * REASON];
	va_list args;

	if (c->over)
		return;
	c->over = true;
	c->out->result = result;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	c->out->reason = spf_printable(c->arena, span_of(text), REASON);
	if (c->out->reason.p == NULL) {
		c->out->result = SPF_TEMPERROR;
		c->out->reason = SPAN("out of memory");
	}
}

struct dns_answer *
spf_ask(struct spf_check *c, struct span name, enum dns_type type)
{
	int64_t begin = dns_now();
	struct spf_lookup l = {.name = name, .type = type};
	struct dns_answer *a;

	c->out->lookups++;
	a = dns_ask(&c->dns, name, type, c->deadline, &l.cached);
	if (c->budget->trace != NULL) {
		l.answer = a;
		l.took = dns_now() - begin;
		c->budget->trace(c->budget->of, &l);
	}
	if (a->status == DNS_NO_MEMORY)
		spf_end(c, SPF_TEMPERROR, "out of memory");
	else if (a->status == DNS_TIMEOUT && dns_now() >= c->deadline)
		spf_end(c, SPF_TEMPERROR,
		        "no result within %u.%u seconds; the last question "
		        "was %.*s %s", c->budget->milliseconds / 1000,
		        c->budget->milliseconds % 1000 / 100, SPAN_ARG(name),
		        dns_type_name(type));
	if (!c->over)
		return a;
	dns_answer_unref(a);
	return NULL;
}

struct span
spf_term_name(struct spf_check *c, const struct spf_frame *f,
              struct span spec, bool *never)
{
	struct span name;

	*never = false;
	if (spec.p == NULL)
		return f->domain;
	c->macro.current = f->domain;
	name = spf_macro_name(c->arena, spec, &c->macro, never);
	if (arena_full(c->arena))
		spf_end(c, SPF_TEMPERROR, "out of memory");
	return name.p != NULL ? name : SPAN("");
}

/* ---- the client's names ---- */

/* The first budget->ptr names; errors are no names (RFC 7208 5.5). */
static void
get_names(struct spf_check *c)
{
	char reverse[DNS_REVERSE];
	struct dns_answer *a;
	size_t i, n;

	if (c->ptr_asked)
		return;
	c->ptr_asked = true;
	a = spf_ask(c, dns_reverse(c->client, reverse), DNS_PTR);
	if (a == NULL)
		return;
	c->ptr_void = a->status == DNS_NODATA || a->status == DNS_NXDOMAIN;
	n = a->n > c->budget->ptr ? c->budget->ptr : a->n;
	c->ptr = arena_alloc(c->arena, n * sizeof(*c->ptr));
	for (i = 0; c->ptr != NULL && i < n; i++)
		c->ptr[i].name = arena_copy(c->arena, a->record[i].data);
	c->n_ptr = n;
	dns_answer_unref(a);
	if (arena_full(c->arena)) {
		c->n_ptr = 0;
		spf_end(c, SPF_TEMPERROR, "out of memory");
	}
}

/* Does the name have the client's address? */
static bool
is_valid(struct spf_check *c, struct spf_ptr *p)
{
	struct dns_answer *a;
	size_t i;

	if (p->tried || c->over)
		return p->valid;
	p->tried = true;
	if (!dns_name_ok(p->name))
		return false;
	a = spf_ask(c, p->name, c->v4 ? DNS_A : DNS_AAAA);
	for (i = 0; a != NULL && i < a->n; i++)
		if (spf_covers(c, (const unsigned char *)a->record[i].data.p,
		               c->v4 ? 32 : 128))
			p->valid = true;
	dns_answer_unref(a);
	return p->valid;
}

static bool
is_under(struct span name, struct span domain)
{
	size_t more = name.n - domain.n;

	if (name.n <= domain.n || name.p[more - 1] != '.')
		return false;
	return span_is_nocase((struct span){name.p + more, domain.n}, domain);
}

bool
spf_ptr_under(struct spf_check *c, struct span target)
{
	size_t i;

	get_names(c);
	for (i = 0; i < c->n_ptr && !c->over; i++)
		if ((span_is_nocase(c->ptr[i].name, target) ||
		     is_under(c->ptr[i].name, target)) &&
		    is_valid(c, &c->ptr[i]))
			return true;
	return false;
}

/*
 * %{p}: the domain itself if it is among the valid names, else one under it,
 * else any (RFC 7208 7.3)
 */
struct span
spf_client_name(void *check)
{
	struct spf_check *c = check;
	struct span domain = c->macro.current, name;
	size_t i;
	int pass;

	get_names(c);
	for (pass = 0; pass < 3; pass++)
		for (i = 0; i < c->n_ptr && !c->over; i++) {
			name = c->ptr[i].name;
			if ((pass == 2 ||
			     (pass == 0 ? span_is_nocase(name, domain)
			                : is_under(name, domain))) &&
			    is_valid(c, &c->ptr[i]))
				return name;
		}
	return SPAN("unknown");
}

/* ---- the identity ---- */

/* U-labels as A-labels; what can't be is left, and is not well formed. */
static struct span
ascii_domain(struct arena *a, struct span d)
{
	struct span utf8, out = d;
	char *ascii = NULL;
	size_t i;

	if (d.n > 0 && d.p[d.n - 1] == '.')
		d.n--;
	for (i = 0; i < d.n && (unsigned char)d.p[i] < 0x80; i++)
		;
	if (i == d.n || memchr(d.p, '\0', d.n) != NULL)
		return d;
	utf8 = arena_copy(a, d);
	if (utf8.p == NULL ||
	    idn2_to_ascii_8z(utf8.p, &ascii,
	                     IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return d;
	out = arena_copy(a, span_of(ascii));
	free(ascii);
	return out.p != NULL ? out : d;
}

/* RFC 7208 2.4, 4.3: postmaster where there is no local part */
static void
set_sender(struct spf_check *c, struct span sender, struct span helo)
{
	struct spf_macro *m = &c->macro;
	size_t at = sender.n;

	while (at > 0 && sender.p[at - 1] != '@')
		at--;
	m->helo = ascii_domain(c->arena, helo);
	if (c->out->identity == SPF_HELO || sender.n == 0)
		m->domain = m->helo;
	else
		m->domain = ascii_domain(c->arena,
		                         (struct span){sender.p + at,
		                                       sender.n - at});
	m->local = at > 1 && c->out->identity == SPF_MAILFROM
	                   ? (struct span){sender.p, at - 1}
	                   : SPAN("postmaster");
	m->sender = arena_printf(c->arena, "%.*s@%.*s", SPAN_ARG(m->local),
	                         SPAN_ARG(m->domain));
	if (m->sender.p == NULL)
		spf_end(c, SPF_TEMPERROR, "out of memory");
}

/* ---- which term it was ---- */

/*
 * The frame whose record decided, redirects followed, and in *by the term
 * that matched: a token, or NULL for the frame's own decides.
 */
static const struct spf_frame *
deciding(const struct spf_frame *f, const struct spf_token **by)
{
	const struct spf_token *t;

	for (;;) {
		for (t = f->tokens; t != NULL && !t->matched; t = t->next)
			;
		*by = t;
		if (t != NULL || f->decided || f->redirect == NULL ||
		    f->redirect->sub == NULL)
			return f;
		f = f->redirect->sub;
	}
}

static struct span
term_words(struct spf_check *c, const struct spf_token *t)
{
	const struct spf_term *term = &t->term;
	char lengths[16] = "";
	int n = 0;

	if (term->cidr4 != 32)
		n = snprintf(lengths, sizeof(lengths), "/%u", term->cidr4);
	if (term->cidr6 != 128)
		snprintf(lengths + n, sizeof(lengths) - (size_t)n, "//%u",
		         term->cidr6);
	return arena_printf(c->arena, "%.1s%s:%.*s%s",
	                    term->qualifier == '+' ? ""
	                                           : &term->qualifier,
	                    spf_kind_name(term->kind), SPAN_ARG(t->name),
	                    lengths);
}

/* ---- explanations (RFC 7208 6.2) ---- */

static void
explain(struct spf_check *c, const struct spf_frame *f)
{
	struct span name, text = {NULL, 0};
	struct dns_answer *a;
	bool never;

	if (f->exp.p == NULL)
		return;
	name = spf_term_name(c, f, f->exp, &never);
	if (c->over || never || !dns_name_ok(name))
		return;
	a = spf_ask(c, name, DNS_TXT);
	if (a == NULL)
		return;
	if (a->status == DNS_OK && a->n == 1 &&
	    spf_macro_ok(a->record[0].data, SPF_EXPLAIN_STRING, NULL))
		text = spf_macro_expand(c->arena, a->record[0].data, &c->macro,
		                        NULL);
	dns_answer_unref(a);
	if (text.p != NULL && !c->over)
		c->out->explanation = spf_printable(c->arena, text,
		                                    EXPLANATION);
}

static void
conclude(struct spf_check *c, const struct spf_frame *f)
{
	struct spf_finding before = *c->out;
	const struct spf_token *by;

	f = deciding(f, &by);
	if (by != NULL)
		c->out->term = term_words(c, by);
	else if (f->decided)
		c->out->term = f->decides.text;
	if (c->out->term.p != NULL)
		c->out->term = spf_printable(c->arena, c->out->term, REASON);
	if (c->out->result != SPF_FAIL)
		return;
	explain(c, f);
	if (c->over) { /* the result stands without it */
		before.term = c->out->term;
		before.lookups = c->out->lookups;
		*c->out = before;
	}
}

static void
check(struct spf_check *c)
{
	bool none = false;
	struct spf_frame *f;

	f = spf_frame_get(c, c->macro.domain, &none);
	if (none)
		spf_end(c, SPF_NONE, dns_name_ok(c->macro.domain)
		                ? "%.*s has no SPF record"
		                : "\"%.*s\" is no domain name",
		        SPAN_ARG(c->macro.domain));
	if (c->over)
		return;
	c->out->result = spf_interpret(c, f);
	if (!c->over)
		conclude(c, f);
}

/* Moves what was found to the caller's memory. */
static void
keep(struct spf_finding *out, struct arena *a)
{
	struct span *text[] = {&out->domain, &out->term, &out->explanation,
	                       &out->reason};
	size_t i;

	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (text[i]->p != NULL)
			*text[i] = arena_copy(a, *text[i]);
	if (arena_full(a)) {
		out->result = SPF_TEMPERROR;
		out->reason = SPAN("out of memory");
	}
}

void
spf_check(struct resolver *r, enum spf_identity identity,
          const struct ip *client, struct span helo, struct span sender,
          const struct spf_budget *budget, struct arena *a,
          struct spf_finding *out)
{
	struct spf_check c = {
		.budget = budget,
		.deadline = dns_now() + (int64_t)budget->milliseconds * 1000000,
		.arena = arena_new(SCRATCH),
		.out = out,
	};

	memset(out, 0, sizeof(*out));
	out->identity = identity;
	if (c.arena == NULL) {
		out->result = SPF_TEMPERROR;
		out->reason = SPAN("out of memory");
		return;
	}
	memcpy(c.client, client->byte, 16);
	c.v4 = memcmp(c.client, mapped, sizeof(mapped)) == 0;
	memcpy(c.macro.client, c.client, 16);
	c.macro.v4 = c.v4;
	c.macro.receiver = budget->receiver;
	c.macro.client_name = spf_client_name;
	c.macro.of = &c;
	dns_open(&c.dns, r);
	set_sender(&c, sender, helo);
	if (!c.over)
		check(&c);
	if (out->domain.p == NULL)
		out->domain = spf_printable(c.arena, c.macro.domain, REASON);
	dns_shut(&c.dns);
	keep(out, a);
	arena_free(c.arena);
}
