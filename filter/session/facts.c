/*
 * facts.c - what the MTA told, as the values that a policy asks for.
 *
 * One get_GETTER a getter of the table of subjects. An answer is kept for
 * the message (for the recipient, if it is of one), so that each question is
 * worked out once.
 */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "caps.h"
#include "domain.h"
#include "facts.h"
#include "mime_facts.h"
#include "pattern.h"
#include "received.h"
#include "report.h"
#include "setting.h"
#include "told.h"
#include "utf8.h"

/* An answer for one recipient. */
struct told_answer {
	struct told_answer *next;
	size_t question;
	const struct fact *fact;
};

/* ---- facts ---- */

static const struct fact later = {FACT_LATER, NULL, 0, {NULL, 0}};
static const struct fact absent = {FACT_ABSENT, NULL, 0, {NULL, 0}};
static const struct fact no_memory = {
	FACT_FAILED, NULL, 0, {"no memory", sizeof("no memory") - 1},
};

static const struct fact *
without_memory(struct told *t)
{
	t->no_memory = true;
	return &no_memory;
}

static const struct fact *
failed(struct told *t, struct span why)
{
	struct fact *f = arena_alloc(t->arena, sizeof(*f));

	if (f == NULL || why.p == NULL)
		return without_memory(t);
	f->state = FACT_FAILED;
	f->why = why;
	return f;
}

static const struct fact *
fact_of(struct told *t, const struct value *values, size_t n)
{
	struct fact *f;

	if (n == 0)
		return &absent;
	f = arena_alloc(t->arena, sizeof(*f));
	if (f == NULL)
		return without_memory(t);
	f->state = FACT_HERE;
	f->values = values;
	f->n = n;
	return f;
}

/* One value; its text not there means that there was no memory for it. */
static const struct fact *
one(struct told *t, struct value v)
{
	struct value *kept = arena_alloc(t->arena, sizeof(*kept));

	if (kept == NULL || v.text.p == NULL)
		return without_memory(t);
	*kept = v;
	return fact_of(t, kept, 1);
}

/* ---- values ---- */

static struct value
text_value(struct told *t, struct span text)
{
	return (struct value){
		.type = VALUE_TEXT,
		.text = utf8_make_valid(t->arena, text),
	};
}

static struct value
name_value(struct told *t, struct span name)
{
	struct span text = utf8_make_valid(t->arena, name);

	if (text.p != NULL)
		text = domain_canonical(t->arena, text);
	return (struct value){.type = VALUE_NAME, .text = text};
}

static struct value
ip_value(struct told *t, const struct ip *ip)
{
	char text[IP_TEXT];

	return (struct value){
		.type = VALUE_IP,
		.ip = *ip,
		.text = arena_copy(t->arena, span_of(ip_print(ip, text))),
	};
}

static struct value
number_value(struct told *t, size_t number)
{
	return (struct value){
		.type = VALUE_NUMBER,
		.number = (double)number,
		.text = arena_printf(t->arena, "%zu", number),
	};
}

static const struct fact *
number(struct told *t, size_t n)
{
	return one(t, number_value(t, n));
}

/* Digits alone; a macro's number is never anything else. */
static bool
read_number(struct span s, size_t *n)
{
	size_t i;

	*n = 0;
	if (s.n == 0 || s.n > 15)
		return false;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*n = *n * 10 + (size_t)(s.p[i] - '0');
	}
	return true;
}

/* A macro's text as the type that its subject has. */
static const struct fact *
typed(struct told *t, enum value_type type, struct span s)
{
	struct ip ip;
	size_t n;

	switch (type) {
	case VALUE_NAME:
		return one(t, name_value(t, s));
	case VALUE_IP:
		return address_ip(s, &ip) ? one(t, ip_value(t, &ip)) : &absent;
	case VALUE_NUMBER:
		return read_number(s, &n) ? number(t, n) : &absent;
	default:
		return one(t, text_value(t, s));
	}
}

/* ---- macros ---- */

static const struct fact *
get_macro(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	const char *fixed = ask->subject->fixed;
	struct span value = told_macro(t, fixed != NULL ? span_of(fixed) :
		ask->argument);
	bool any = (ask->subject->flags & SUBJECT_IS_ANY) != 0;

	(void)n;
	(void)rcpt;
	if (value.p == NULL)
		return any && t->stage != STAGE_END ? &later : &absent;
	/* An MTA may send "" for what there is not: no login, no TLS. */
	if (value.n == 0 && fixed != NULL)
		return &absent;
	return typed(t, ask->subject->type, value);
}

/* ---- connection ---- */

static const struct fact *
get_client(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	(void)n;
	(void)ask;
	(void)rcpt;
	return t->client_told ? one(t, ip_value(t, &t->client)) : &absent;
}

static const struct fact *
get_client_name(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	(void)n;
	(void)ask;
	(void)rcpt;
	if (t->client_name_is == NAME_LATER)
		return failed(t, SPAN("the client's name could not be "
		                      "looked up for now"));
	if (t->client_name_is == NAME_NONE)
		return &absent;
	return one(t, name_value(t, t->client_name));
}

static const struct fact *
get_client_ptr(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	struct span name = told_macro(t, SPAN("{client_ptr}"));

	(void)n;
	(void)ask;
	(void)rcpt;
	/* Without one Postfix has "unknown", Sendmail "[192.0.2.1]". */
	if (name.n == 0 || name.p[0] == '[' ||
	    span_is_nocase(name, SPAN("unknown")))
		return &absent;
	return one(t, name_value(t, name));
}

static const struct fact *
get_client_port(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	size_t port = t->client_port;

	(void)n;
	(void)ask;
	(void)rcpt;
	if (port == 0)
		read_number(told_macro(t, SPAN("{client_port}")), &port);
	return port == 0 ? &absent : number(t, port);
}

static const struct fact *
get_helo(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	(void)n;
	(void)ask;
	(void)rcpt;
	if (t->helo == NULL)
		return &absent;
	return one(t, name_value(t, span_of(t->helo)));
}

/*
 * Was the client's certificate verified? Sendmail says {verify}; Postfix
 * names only a subject that it verified.
 */
static bool
is_verified(struct told *t)
{
	struct span verify = told_macro(t, SPAN("{verify}"));

	if (verify.p != NULL)
		return span_is(verify, SPAN("OK"));
	return told_macro(t, SPAN("{cert_subject}")).n > 0;
}

static const struct fact *
get_tls_verified(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	(void)n;
	(void)ask;
	(void)rcpt;
	return is_verified(t) ? one(t, text_value(t, SPAN("OK"))) : &absent;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* xtext (RFC 3461 section 4), which Sendmail makes of names in certificates. */
static struct span
from_xtext(struct told *t, struct span s)
{
	char *text = arena_alloc(t->arena, s.n + 1), *to = text;
	size_t i;

	for (i = 0; text != NULL && i < s.n; i++) {
		if (s.p[i] == '+' && i + 2 < s.n &&
		    hex_digit(s.p[i + 1]) >= 0 && hex_digit(s.p[i + 2]) >= 0) {
			*to++ = (char)(hex_digit(s.p[i + 1]) * 16 +
			               hex_digit(s.p[i + 2]));
			i += 2;
		} else {
			*to++ = s.p[i];
		}
	}
	return (struct span){text, text == NULL ? 0 : (size_t)(to - text)};
}

/*
 * What Postfix calls the subject and issuer are their common names, which
 * Sendmail has as {cn_...}. Sendmail also names those of a certificate that
 * anybody could have made: they count for nothing.
 */
static const struct fact *
get_tls_name(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	bool subject = ask->subject->id == SUBJECT_TLS_SUBJECT;
	struct span cn = told_macro(t, subject ? SPAN("{cn_subject}") :
	                            SPAN("{cn_issuer}"));
	struct span name = told_macro(t, subject ? SPAN("{cert_subject}") :
	                              SPAN("{cert_issuer}"));
	struct span verify = told_macro(t, SPAN("{verify}"));

	(void)n;
	(void)rcpt;
	if (verify.p != NULL && !span_is(verify, SPAN("OK")))
		return &absent;
	if (cn.n > 0)
		name = cn;
	if (name.n == 0)
		return &absent;
	if (verify.p != NULL) {
		name = from_xtext(t, name);
		if (name.p == NULL)
			return without_memory(t);
	}
	return one(t, text_value(t, name));
}

/* ---- SPF ---- */

static struct span
said_spf(const struct told *t, enum spf_identity identity)
{
	return identity == SPF_HELO ? t->spf_helo : t->spf;
}

struct span
facts_spf(const struct told *t, enum spf_identity identity)
{
	const struct spf_finding *f = t->spf_found[identity];

	if (f != NULL)
		return span_of(spf_result_name(f->result));
	return said_spf(t, identity);
}

/* A result that was said, or that needs no look-up. */
static const struct spf_finding *
keep_finding(struct told *t, enum spf_identity identity,
             struct spf_finding found)
{
	struct spf_finding *f = arena_alloc(t->arena, sizeof(*f));

	if (f == NULL)
		return NULL;
	*f = found;
	f->identity = identity;
	t->spf_found[identity] = f;
	return f;
}

static struct spf_finding
said_finding(struct span word)
{
	struct spf_finding f = {.reason = SPAN("so it was said")};
	enum spf_result r;

	for (r = SPF_NONE; r <= SPF_PERMERROR; r++)
		if (span_is(word, span_of(spf_result_name(r))))
			f.result = r;
	return f;
}

/* ---- whom SPF judges ---- */

static enum truth
trusts(const struct told *t, const struct ip *client)
{
	return policy_trusts_relay(t->policy, t->tables, client, t->arena);
}

/* Is it to be read in the header whom SPF judges, and that is not here yet? */
static bool
waits_for_header(const struct told *t)
{
	return t->origin == NULL && t->stage < STAGE_HEADERS &&
		t->client_told && trusts(t, &t->client) != TRUTH_NO;
}

static struct span
words_of(struct told *t, const char *words, const struct ip *ip)
{
	char text[IP_TEXT];

	return arena_printf(t->arena, "%s %s", words, ip_print(ip, text));
}

/*
 * From the top of the header down: each trusted relay's own Received names
 * whom it had the mail from, until that is no trusted relay. What stands
 * below was written by strangers.
 */
static void
walk_relays(struct told *t, struct told_origin *o)
{
	struct told_fields *f = facts_fields(t, SPAN("Received"));
	enum truth trust = TRUTH_YES;
	struct ip relay;
	size_t i;

	for (i = 0; f != NULL && i < f->n && trust == TRUTH_YES; i++) {
		relay = o->ip;
		if (!received_from(message_field(t->message,
		                   f->numbers[i])->raw, &o->ip, &o->helo)) {
			o->why = words_of(t, "no client can be read in the "
				"Received of the trusted relay", &relay);
			return;
		}
		trust = trusts(t, &o->ip);
	}
	if (trust == TRUTH_FAILED)
		o->why = SPAN("trusted-relays can't be asked");
	else if (trust == TRUTH_YES)
		o->why = words_of(t, "there is no Received of the trusted "
			"relay", &o->ip);
	o->known = trust == TRUTH_NO;
}

static void
log_unknown_origin(struct told *t, struct span why)
{
	struct report r = {
		.verb = "spf", .stage = t->stage, .rcpt = NO_RCPT, .why = why,
	};

	report(t, LOG_WARNING, &r);
}

static const struct told_origin *
find_origin(struct told *t)
{
	struct told_origin *o;

	if (t->origin != NULL)
		return t->origin;
	o = arena_alloc(t->arena, sizeof(*o));
	if (o == NULL)
		return NULL;
	t->origin = o;
	o->known = t->client_told;
	o->ip = t->client;
	o->helo = t->helo != NULL ? span_of(t->helo) : SPAN("");
	o->why = SPAN("the client has no address");
	if (o->known && trusts(t, &o->ip) != TRUTH_NO) {
		o->known = false;
		walk_relays(t, o);
		if (!o->known)
			log_unknown_origin(t, o->why);
	}
	return o;
}

/* The two checks of a message share one deadline: they may be asked in one
 * callback, for which the MTA waits. */
static struct spf_budget
spf_budget(const struct told *t)
{
	struct spf_budget b = SPF_BUDGET;
	double ms = policy_settings(t->policy)->spf_timeout.number * 1000 -
		(double)t->spf_took / 1e6;
	struct span mta = told_macro(t, SPAN("j"));

	b.milliseconds = ms < 1 ? 1 : (unsigned)ms;
	if (mta.n > 0)
		b.receiver = mta;
	b.trace = t->host->looked_up;
	b.of = t->host->of;
	return b;
}

/* Macros see the local part without its quotes. p NULL: no memory. */
static struct span
sender_for_spf(struct told *t)
{
	if (!t->sender_told || t->sender.domain.p == NULL)
		return t->sender_told ? t->sender.text : SPAN("");
	return arena_printf(t->arena, "%.*s@%.*s", SPAN_ARG(t->sender.local),
		SPAN_ARG(t->sender.domain));
}

static const struct spf_finding *
ask_spf(struct told *t, enum spf_identity identity)
{
	struct spf_budget budget = spf_budget(t);
	struct span sender = sender_for_spf(t);
	int64_t begin = dns_now();
	struct spf_finding f;

	if (sender.p == NULL)
		return NULL;
	spf_check(t->host->resolver, identity, &t->origin->ip, t->origin->helo,
	          sender, &budget, t->arena, &f);
	t->spf_took += dns_now() - begin;
	return arena_full(t->arena) ? NULL : keep_finding(t, identity, f);
}

const struct spf_finding *
facts_check_spf(struct told *t, enum spf_identity identity)
{
	struct span said = said_spf(t, identity);

	if (t->spf_found[identity] != NULL)
		return t->spf_found[identity];
	if (said.p != NULL)
		return keep_finding(t, identity, said_finding(said));
	if (t->host->resolver == NULL)
		return keep_finding(t, identity, (struct spf_finding){
			.reason = SPAN("DNS was not asked")});
	if (find_origin(t) == NULL)
		return NULL;
	if (!t->origin->known)
		return keep_finding(t, identity, (struct spf_finding){
			.reason = t->origin->why});
	if (identity == SPF_MAILFROM && t->sender.bad)
		return keep_finding(t, identity, (struct spf_finding){
			.reason = SPAN("the sender is no mail address")});
	return ask_spf(t, identity);
}

static const struct fact *
get_spf(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	enum subject_id id = ask->subject->id;
	enum spf_identity identity = id == SUBJECT_SPF_HELO ? SPF_HELO
	                                                    : SPF_MAILFROM;
	const struct spf_finding *f;
	struct span text;

	(void)n;
	(void)rcpt;
	if (said_spf(t, identity).p == NULL && t->host->resolver != NULL &&
	    waits_for_header(t))
		return &later;
	f = facts_check_spf(t, identity);
	if (f == NULL)
		return without_memory(t);
	if (id == SUBJECT_SPF_EXPLANATION)
		text = f->explanation;
	else if (id == SUBJECT_SPF_MECHANISM)
		text = f->term;
	else
		text = span_of(spf_result_name(f->result));
	return text.n == 0 ? &absent : one(t, text_value(t, text));
}

/* ---- the envelope ---- */

/* A part of an envelope address in *v. false: it has none. */
static bool
address_part(enum subject_part part, const struct value *address,
             struct value *v)
{
	*v = *address;
	if (part == PART_WHOLE)
		return true;
	if (address->bad || address->text.n == 0)
		return false;
	*v = (struct value){.item = address->item};
	v->type = part == PART_DOMAIN ? VALUE_NAME : VALUE_TEXT;
	v->text = part == PART_DOMAIN ? address->domain : address->local;
	return v->text.p != NULL;
}

static const struct fact *
get_sender(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	struct value v;

	(void)n;
	(void)rcpt;
	if (!t->sender_told ||
	    !address_part(ask->subject->part, &t->sender, &v))
		return &absent;
	return one(t, v);
}

/*
 * The value of an ESMTP parameter, as it came (xtext, RFC 3461 4, is not
 * decoded). Of several of one name the last: it is the one that Postfix
 * goes by.
 */
bool
facts_param(const struct span *params, size_t n, struct span name,
           struct span *value)
{
	struct span key;
	size_t i;
	const char *eq;

	for (i = n; i > 0; i--) {
		key = params[i - 1];
		eq = key.n == 0 ? NULL : memchr(key.p, '=', key.n);
		*value = SPAN("");
		if (eq != NULL) {
			*value = (struct span){eq + 1,
				key.n - (size_t)(eq + 1 - key.p)};
			key.n = (size_t)(eq - key.p);
		}
		if (span_is_nocase(key, name))
			return true;
	}
	return false;
}

static const struct fact *
get_sender_param(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	struct span value;

	(void)n;
	(void)rcpt;
	if (!facts_param(t->sender_params, t->n_sender_params, ask->argument,
	                &value))
		return &absent;
	return one(t, text_value(t, value));
}

/* What a question about recipients finds in one of them. */
static bool
rcpt_value(struct told *t, const struct ask *ask, const struct told_rcpt *r,
           bool param, struct value *v)
{
	struct span value;

	if (!param)
		return address_part(ask->subject->part, &r->address, v);
	if (!facts_param(r->params, r->n_params, ask->argument, &value))
		return false;
	*v = text_value(t, value);
	return true;
}

static const struct fact *
rcpt_values(struct told *t, const struct ask *ask, bool param)
{
	struct value *v = arena_alloc(t->arena, t->n_rcpts * sizeof(*v));
	size_t i, n = 0;

	if (v == NULL)
		return without_memory(t);
	for (i = 0; i < t->n_rcpts; i++) {
		if (!t->rcpts[i].in)
			continue;
		/* who has none of it must not pass an "every" */
		if (!rcpt_value(t, ask, &t->rcpts[i], param, &v[n]))
			v[n] = (struct value){
				.type = VALUE_TEXT, .text = SPAN(""),
				.bad = true,
			};
		if (v[n].text.p == NULL)
			return without_memory(t);
		v[n++].item = (unsigned)i;
	}
	return fact_of(t, v, n);
}

static const struct fact *
about_rcpt(struct told *t, const struct ask *ask, size_t rcpt, bool param)
{
	struct value v;

	if (ask->all_rcpts)
		return rcpt_values(t, ask, param);
	if (rcpt >= t->n_rcpts ||
	    !rcpt_value(t, ask, &t->rcpts[rcpt], param, &v))
		return &absent;
	return one(t, v);
}

static const struct fact *
get_rcpt(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	(void)n;
	return about_rcpt(t, ask, rcpt, false);
}

static const struct fact *
get_rcpt_param(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	(void)n;
	return about_rcpt(t, ask, rcpt, true);
}

static const struct fact *
get_rcpt_count(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	size_t i, count = 0;

	(void)n;
	(void)ask;
	(void)rcpt;
	for (i = 0; i < t->n_rcpts; i++)
		count += t->rcpts[i].in;
	return number(t, count);
}

/* ---- the header ---- */

struct named {
	struct span name;
	size_t number;
};

static int
compare_names(struct span a, struct span b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int
compare_named(const void *left, const void *right)
{
	const struct named *a = left, *b = right;
	int c = compare_names(a->name, b->name);

	return c != 0 ? c : (a->number > b->number) - (a->number < b->number);
}

/* Sorted by name, so that a question costs a search and not a scan. */
static struct named *
sort_fields(struct told *t, size_t n)
{
	struct named *named = arena_alloc(t->arena, n * sizeof(*named));
	size_t i;

	if (named == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		named[i].name = arena_lower(t->arena,
			message_field(t->message, i)->name);
		named[i].number = i;
		if (named[i].name.p == NULL)
			return NULL;
	}
	qsort(named, n, sizeof(*named), compare_named);
	return named;
}

static bool
index_fields(struct told *t)
{
	size_t i, n = t->message == NULL ? 0 : message_fields(t->message);
	struct named *named = sort_fields(t, n);
	struct told_fields *fields = arena_alloc(t->arena,
		n * sizeof(*fields)), *f = fields;
	size_t *numbers = arena_alloc(t->arena, n * sizeof(*numbers));

	if (named == NULL || fields == NULL || numbers == NULL)
		return false;
	t->n_fields = 0;
	for (i = 0; i < n; i++) {
		if (i == 0 || compare_names(f->name, named[i].name) != 0) {
			f = &fields[t->n_fields++];
			f->name = named[i].name;
			f->numbers = &numbers[i];
		}
		numbers[i] = named[i].number;
		f->n++;
	}
	t->fields = fields;
	return true;
}

static int
compare_lower(struct span name, struct span lower)
{
	size_t i, n = name.n < lower.n ? name.n : lower.n;
	unsigned char a, b;

	for (i = 0; i < n; i++) {
		a = (unsigned char)name.p[i];
		b = (unsigned char)lower.p[i];
		if (a >= 'A' && a <= 'Z')
			a = (unsigned char)(a - 'A' + 'a');
		if (a != b)
			return a < b ? -1 : 1;
	}
	return (name.n > lower.n) - (name.n < lower.n);
}

struct told_fields *
facts_fields(struct told *t, struct span name)
{
	size_t low = 0, high, middle;
	int c;

	if (t->fields == NULL && !index_fields(t)) {
		t->no_memory = true;
		return NULL;
	}
	for (high = t->n_fields; low < high; ) {
		middle = low + (high - low) / 2;
		c = compare_lower(name, t->fields[middle].name);
		if (c == 0)
			return &t->fields[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static struct value
field_value(struct told *t, const struct ask *ask, size_t number_)
{
	struct value v = {.type = VALUE_TEXT, .item = (unsigned)number_};

	if (ask->subject->flags & SUBJECT_IS_RAW)
		v.text = message_field(t->message, number_)->raw;
	else
		v.text = message_decoded(t->message, number_);
	return v;
}

/* The values of the fields whose numbers are these. */
static const struct fact *
field_values(struct told *t, const struct ask *ask, const size_t *numbers,
             size_t n)
{
	struct value *v;
	size_t i;

	if (n == 0)
		return &absent;
	v = arena_alloc(t->arena, n * sizeof(*v));
	if (v == NULL)
		return without_memory(t);
	for (i = 0; i < n; i++) {
		v[i] = field_value(t, ask, numbers[i]);
		if (v[i].text.p == NULL)
			return without_memory(t);
	}
	return fact_of(t, v, n);
}

static int
compare_numbers(const void *left, const void *right)
{
	const size_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static enum truth
name_matches(struct told *t, const struct ask *ask, struct span name)
{
	const struct settings *s = policy_settings(t->policy);
	struct pattern_limits limits = {
		.match = (unsigned)s->match_limit.number,
		.work = &t->work,
	};
	struct span text = utf8_make_valid(t->arena, name);

	if (text.p == NULL)
		return TRUTH_FAILED;
	return pattern_match(ask->pattern, text, &limits, NULL);
}

/*
 * The numbers of the fields whose name matches, in the order in which they
 * came; each name is matched once. yes, or failed.
 */
static enum truth
matching_fields(struct told *t, const struct ask *ask, size_t **numbers,
                size_t *n)
{
	struct told_fields *f;
	enum truth truth;
	size_t i;

	*n = 0;
	facts_fields(t, SPAN("")); /* makes the index */
	*numbers = arena_alloc(t->arena,
		(t->message == NULL ? 0 : message_fields(t->message)) *
		sizeof(**numbers));
	if (t->fields == NULL || *numbers == NULL)
		return TRUTH_FAILED;
	for (i = 0; i < t->n_fields; i++) {
		f = &t->fields[i];
		truth = name_matches(t, ask,
			message_field(t->message, f->numbers[0])->name);
		if (truth == TRUTH_FAILED)
			return TRUTH_FAILED;
		if (truth == TRUTH_NO)
			continue;
		memcpy(*numbers + *n, f->numbers, f->n * sizeof(**numbers));
		*n += f->n;
	}
	qsort(*numbers, *n, sizeof(**numbers), compare_numbers);
	return TRUTH_YES;
}

static struct span
field_name(const struct ask *ask)
{
	if (ask->argument.p != NULL)
		return ask->argument;
	return span_of(ask->subject->fixed);
}

/* The numbers of the fields that are asked about. NULL: *f says why not. */
static const size_t *
asked_fields(struct told *t, const struct ask *ask, size_t *n,
             const struct fact **f)
{
	static const size_t none[1];
	struct told_fields *fields;
	size_t *numbers;

	*n = 0;
	if (ask->pattern == NULL) {
		fields = facts_fields(t, field_name(ask));
		if (fields != NULL)
			*n = fields->n;
		*f = &no_memory;
		if (t->fields == NULL)
			return NULL;
		return fields == NULL ? none : fields->numbers;
	}
	if (matching_fields(t, ask, &numbers, n) == TRUTH_YES)
		return numbers;
	*f = t->no_memory || arena_full(t->arena) ? without_memory(t) :
		failed(t, SPAN("a pattern for a field's name hit its limit"));
	return NULL;
}

static const struct fact *
get_header(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	const struct fact *f;
	const size_t *numbers = asked_fields(t, ask, &n, &f);

	(void)rcpt;
	return numbers == NULL ? f : field_values(t, ask, numbers, n);
}

static const struct fact *
get_raw_header(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	return get_header(t, n, ask, rcpt);
}

static const struct fact *
get_header_count(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	const struct fact *f;

	(void)rcpt;
	if (ask->argument.p == NULL && ask->pattern == NULL)
		return number(t, t->message == NULL ? 0 :
			message_fields(t->message));
	if (asked_fields(t, ask, &n, &f) == NULL)
		return f;
	return number(t, n);
}

/* ---- addresses in the header ---- */

/* Appends what one field holds to the mailboxes of its name. */
static bool
add_boxes(struct told *t, struct told_fields *f, size_t number_)
{
	struct mailbox *boxes, *slot;
	size_t i, n;

	if (!address_field(t->arena, message_field(t->message, number_)->raw,
	                   &boxes, &n, &f->full)) {
		f->no_memory = !f->full;
		return false;
	}
	if (f->n_boxes + n > CAPS_FIELD_WORDS) {
		f->full = true;
		return false;
	}
	for (i = 0; i < n; i++) {
		slot = arena_grow(t->arena, &f->boxes, &f->n_boxes,
			sizeof(*slot));
		f->no_memory = slot == NULL;
		if (slot == NULL)
			return false;
		*slot = boxes[i];
	}
	return true;
}

bool
facts_boxes(struct told *t, struct told_fields *f)
{
	size_t i;

	if (!f->parsed)
		for (i = 0; i < f->n; i++)
			if (!add_boxes(t, f, f->numbers[i]))
				break;
	f->parsed = true;
	return !f->full && !f->no_memory;
}

/* false: *why_not is the answer. No field of the name: *f is NULL. */
static bool
asked_boxes(struct told *t, const struct ask *ask, struct told_fields **f,
            const struct fact **why_not)
{
	*f = facts_fields(t, field_name(ask));
	*why_not = &no_memory;
	if (t->fields == NULL)
		return false;
	if (*f == NULL || facts_boxes(t, *f))
		return true;
	*why_not = (*f)->no_memory ? without_memory(t) :
		failed(t, arena_printf(t->arena, "more than %d addresses in "
			"the %.*s fields", CAPS_FIELD_WORDS,
			SPAN_ARG(field_name(ask))));
	return false;
}

/*
 * A part of a mailbox. One that could not be parsed, or has no domain, is a
 * bad domain, too: what can't be read must not pass an "every".
 */
static bool
box_part(enum subject_part part, const struct mailbox *box, struct value *v)
{
	*v = box->address;
	switch (part) {
	case PART_NAME:
		*v = (struct value){.type = VALUE_TEXT, .text = box->name};
		return box->name.p != NULL;
	case PART_DOMAIN:
		*v = (struct value){.type = VALUE_NAME};
		v->bad = box->address.bad || box->address.domain.p == NULL;
		v->text = v->bad ? box->address.text : box->address.domain;
		return true;
	default:
		return true;
	}
}

static const struct fact *
get_address(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	struct told_fields *f;
	const struct fact *why_not;
	struct value *v;
	size_t i, without = 0;

	(void)rcpt;
	if (!asked_boxes(t, ask, &f, &why_not))
		return why_not;
	if (f == NULL)
		return &absent;
	v = arena_alloc(t->arena, f->n_boxes * sizeof(*v));
	if (v == NULL)
		return without_memory(t);
	for (n = i = 0; i < f->n_boxes; i++)
		if (box_part(ask->subject->part, &f->boxes[i], &v[n]))
			v[n++].item = (unsigned)i;
		else
			without = i;
	/* one without a name beside those with: passes no "every" */
	if (n > 0 && n < f->n_boxes)
		v[n++] = (struct value){
			.type = VALUE_TEXT, .text = SPAN(""), .bad = true,
			.item = (unsigned)without,
		};
	return fact_of(t, v, n);
}

static const struct fact *
get_address_count(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	struct told_fields *f;
	const struct fact *why_not;

	(void)n;
	(void)rcpt;
	if (!asked_boxes(t, ask, &f, &why_not))
		return why_not;
	return number(t, f == NULL ? 0 : f->n_boxes);
}

/* ---- the whole ---- */

static const struct fact *
larger_than_limit(struct told *t)
{
	return failed(t, SPAN("the message is larger than message-limit"));
}

static const struct fact *
get_raw_body(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	struct value v = {.type = VALUE_TEXT};

	(void)n;
	(void)ask;
	(void)rcpt;
	if (t->too_large)
		return larger_than_limit(t);
	v.text = body_bytes(&t->body);
	return one(t, v);
}

/* Parsed once. NULL: no memory. */
static struct mime *
parts(struct told *t)
{
	size_t i, n = message_fields(t->message);
	struct mime_field *fields;
	struct span body;

	if (t->mime != NULL)
		return t->mime;
	body = body_bytes(&t->body);
	fields = arena_alloc(t->arena, n * sizeof(*fields));
	if (fields == NULL || body.p == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		fields[i].name = message_field(t->message, i)->name;
		fields[i].value = message_field(t->message, i)->raw;
	}
	t->mime = mime_parse(t->arena, fields, n, body, t->utf8);
	if (t->mime != NULL && t->body.in_file)
		t->mime->file = body;
	return t->mime;
}

static const struct fact *
get_mime(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	struct mime_answer a;
	bool answered_;

	(void)n;
	(void)rcpt;
	if (t->too_large)
		return larger_than_limit(t);
	answered_ = parts(t) != NULL &&
		mime_answer(t->mime, ask->subject->id, &a);
	body_rest(&t->body); /* what was decoded is matched now */
	told_account(t);
	if (!answered_)
		return without_memory(t);
	if (a.failed != NULL)
		return failed(t, span_of(a.failed));
	return fact_of(t, a.values, a.n);
}

static const struct fact *
get_size(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	(void)n;
	(void)ask;
	(void)rcpt;
	return number(t, t->header_bytes + 2 + t->body_bytes);
}

/* ---- asking ---- */

typedef const struct fact *getter(struct told *t, size_t n,
                                  const struct ask *ask, size_t rcpt);

static getter *const getters[SUBJECTS] = {
#define ROW(id, name, get, ...) [SUBJECT_##id] = get_##get,
	SUBJECT_TABLE(ROW)
#undef ROW
};

static struct told_answer *
answered(const struct told_rcpt *r, size_t n)
{
	struct told_answer *a;

	for (a = r->answers; a != NULL; a = a->next)
		if (a->question == n)
			return a;
	return NULL;
}

static const struct fact *
ask_rcpt(struct told *t, size_t n, const struct ask *ask, size_t rcpt)
{
	struct told_rcpt *r = &t->rcpts[rcpt];
	struct told_answer *a = answered(r, n);

	if (a != NULL)
		return a->fact;
	a = arena_alloc(t->arena, sizeof(*a));
	if (a == NULL)
		return without_memory(t);
	a->question = n;
	a->fact = getters[ask->subject->id](t, n, ask, rcpt);
	a->next = r->answers;
	r->answers = a;
	return a->fact;
}

const struct fact *
facts_ask(void *of, size_t n, const struct ask *ask, size_t rcpt)
{
	struct told *t = of;
	const struct fact *f;

	if ((ask->subject->flags & SUBJECT_IS_RCPT) && !ask->all_rcpts &&
	    rcpt < t->n_rcpts)
		return ask_rcpt(t, n, ask, rcpt);
	if (t->facts[n] != NULL)
		return t->facts[n];
	f = getters[ask->subject->id](t, n, ask, rcpt);
	if (f->state != FACT_LATER)
		t->facts[n] = f;
	return f;
}
