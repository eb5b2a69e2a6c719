/*
 * spf_libspf2.c - libspf2, and nothing else of vaglio, is here.
 *
 * It sees records of spf_frame.c only. Debian 12's library has known faults
 * in what it does with a record's own text (CVE-2023-42118 among them), and
 * ends the process with abort() where it is out of memory; so:
 *
 * - no byte of a record, a name, HELO or a sender reaches it;
 * - its objects are made here, not by its own constructors, which abort; an
 *   include, for which it would make one, is a run of its own, and to the
 *   record that includes it a name that exists or not;
 * - lookup never gives NULL: an answer "try again" is kept ready, after
 *   which libspf2 asks for nothing more;
 * - what it would allocate for its messages is there before.
 */
#include <netinet/in.h> /* spf2/spf.h forgets it */

#include <spf2/spf.h>

#include <assert.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spf_check.h"

#define MESSAGES 32 /* a canonical record gives none; a full memory, a few */

/* What a lookup of libspf2's finds in hook. */
struct run {
	struct spf_check *check;
	SPF_dns_rr_t *again; /* ready for when there is no memory */
	SPF_response_t messages;
	SPF_error_t message[MESSAGES];
};

static void fail(const char *file, int line, const char *text)
	__attribute__((noreturn));

static void
fail(const char *file, int line, const char *text)
{
	fprintf(stderr, "libspf2: %s:%d: %s\n", file != NULL ? file : "?",
	        line, text);
	abort();
}

static void
ignore(const char *file, int line, const char *text)
{
	(void)file;
	(void)line;
	(void)text;
}

static void
set_handlers(void)
{
	SPF_error_handler = fail;
	SPF_warning_handler = ignore;
	SPF_info_handler = ignore;
	SPF_debug_handler = ignore;
}

static struct spf_token *
token_of(struct spf_check *c, const char *name)
{
	unsigned number = (unsigned)strtoul(name + 1, NULL, 10);
	struct spf_token *t = c->last;

	assert(name[0] == 't');
	while (t != NULL && t->number != number)
		t = t->earlier;
	assert(t != NULL);
	return t;
}

/* ---- answers for libspf2 ---- */

static SPF_dns_rr_t *
try_again(struct run *run)
{
	SPF_dns_rr_t *rr = run->again;

	run->again = NULL;
	assert(rr != NULL);
	return rr;
}

static SPF_dns_rr_t *
no_memory(struct run *run, SPF_dns_rr_t *rr)
{
	if (rr != NULL)
		SPF_dns_rr_free(rr);
	spf_end(run->check, SPF_TEMPERROR, "out of memory");
	return try_again(run);
}

static SPF_dns_rr_t *
nothing(struct run *run, ns_type type)
{
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(NULL, NULL, type, 0,
	                                       HOST_NOT_FOUND);

	return rr != NULL ? rr : no_memory(run, NULL);
}

/* One record more; data of n bytes. */
static bool
add(SPF_dns_rr_t *rr, const void *data, size_t n)
{
	size_t room = n < sizeof(**rr->rr) ? sizeof(**rr->rr) : n;

	if (SPF_dns_rr_buf_realloc(rr, rr->num_rr, room) != SPF_E_SUCCESS)
		return false;
	memset(rr->rr[rr->num_rr], 0, room);
	memcpy(rr->rr[rr->num_rr], data, n);
	rr->num_rr++;
	return true;
}

static SPF_dns_rr_t *
found(struct run *run, ns_type type, const void *data, size_t n)
{
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(NULL, NULL, type, 0,
	                                       NETDB_SUCCESS);

	if (rr == NULL || !add(rr, data, n))
		return no_memory(run, rr);
	return rr;
}

/* ---- terms ---- */

/* Counts a term that asks the DNS; false ends the check. */
static bool
count_term(struct spf_check *c, struct spf_token *t)
{
	if (t->asked)
		return true;
	t->asked = true;
	if (++c->out->terms <= c->budget->terms)
		return true;
	spf_end(c, SPF_PERMERROR, "%u DNS terms, %u allowed", c->out->terms,
	        c->budget->terms);
	return false;
}

static void
count_void(struct spf_check *c, struct span name, enum dns_type type)
{
	if (++c->out->voids > c->budget->voids)
		spf_end(c, SPF_PERMERROR,
		        "%u look-ups without an answer, %u allowed; the last "
		        "was %.*s %s", c->out->voids, c->budget->voids,
		        SPAN_ARG(name), dns_type_name(type));
}

/*
 * The answer to a term's own question, NULL if it has none (or the check is
 * over); a failure ends the check.
 */
static struct dns_answer *
ask_term(struct spf_check *c, struct spf_token *t, enum dns_type type,
         bool counts)
{
	struct dns_answer *a;

	if (!dns_name_ok(t->name))
		return NULL;
	a = spf_ask(c, t->name, type);
	if (a == NULL || a->status == DNS_OK)
		return a;
	if (a->status == DNS_NODATA || a->status == DNS_NXDOMAIN) {
		if (counts)
			count_void(c, t->name, type);
	} else {
		spf_end(c, SPF_TEMPERROR, "%.*s %s: %s", SPAN_ARG(t->name),
		        dns_type_name(type), dns_status_words(a->status));
	}
	dns_answer_unref(a);
	return NULL;
}

/* Addresses of a term's host; t is the term, host itself or one of its MX. */
static SPF_dns_rr_t *
addresses(struct run *run, struct spf_token *t, struct spf_token *host)
{
	struct spf_check *c = run->check;
	unsigned length = c->v4 ? t->term.cidr4 : t->term.cidr6;
	ns_type type = c->v4 ? ns_t_a : ns_t_aaaa;
	struct dns_answer *a;
	SPF_dns_rr_t *rr;
	size_t i;

	a = ask_term(c, host, c->v4 ? DNS_A : DNS_AAAA, t == host);
	if (c->over)
		return try_again(run);
	if (a == NULL)
		return nothing(run, type);
	rr = SPF_dns_rr_new_init(NULL, NULL, type, 0, NETDB_SUCCESS);
	for (i = 0; rr != NULL && i < a->n; i++) {
		struct span ip = a->record[i].data;

		if (length == 0) /* any address will do */
			ip.p = (const char *)c->client + (c->v4 ? 12 : 0);
		if (spf_covers(c, (const unsigned char *)ip.p, length))
			t->matched = true;
		if (!add(rr, ip.p, ip.n))
			break;
	}
	if (rr == NULL || i < a->n)
		rr = no_memory(run, rr);
	dns_answer_unref(a);
	return rr;
}

static struct spf_token *
add_host(struct spf_check *c, struct spf_token *mx, struct span name)
{
	struct spf_token *t = arena_alloc(c->arena, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->kind = TOKEN_HOST;
	t->number = c->n_tokens++;
	t->mx = mx;
	t->name = arena_copy(c->arena, name);
	if (t->name.p == NULL)
		return NULL;
	t->earlier = c->last;
	c->last = t;
	return t;
}

static SPF_dns_rr_t *
exchangers(struct run *run, struct spf_token *t)
{
	struct spf_check *c = run->check;
	struct dns_answer *a = ask_term(c, t, DNS_MX, true);
	struct spf_token *host = t;
	SPF_dns_rr_t *rr;
	char token[24];
	size_t i;

	if (a != NULL && a->n > c->budget->mx)
		spf_end(c, SPF_PERMERROR, "%.*s has %zu MX hosts, %u allowed",
		        SPAN_ARG(t->name), a->n, c->budget->mx);
	if (c->over || a == NULL) {
		dns_answer_unref(a);
		return c->over ? try_again(run) : nothing(run, ns_t_mx);
	}
	rr = SPF_dns_rr_new_init(NULL, NULL, ns_t_mx, 0, NETDB_SUCCESS);
	for (i = 0; rr != NULL && host != NULL && i < a->n; i++) {
		host = add_host(c, t, a->record[i].data);
		if (host == NULL)
			break;
		snprintf(token, sizeof(token), "t%u.v", host->number);
		if (!add(rr, token, strlen(token) + 1))
			break;
	}
	if (rr == NULL || i < a->n)
		rr = no_memory(run, rr);
	dns_answer_unref(a);
	return rr;
}

/* The record that an include or a redirect names; NULL: the check is over. */
static struct spf_frame *
named_record(struct spf_check *c, struct spf_token *t, bool never)
{
	bool none = never;

	if (!never)
		t->sub = spf_frame_get(c, t->name, &none);
	if (none)
		spf_end(c, SPF_PERMERROR, "%s%c%.*s has no SPF record",
		        spf_kind_name(t->term.kind),
		        t->term.kind == SPF_REDIRECT ? '=' : ':',
		        SPAN_ARG(t->name));
	return c->over ? NULL : t->sub;
}

static bool
ptr_matches(struct spf_check *c, struct spf_token *t)
{
	bool matches = spf_ptr_under(c, t->name);
	char name[DNS_REVERSE];

	if (!c->over && c->ptr_void)
		count_void(c, dns_reverse(c->client, name), DNS_PTR);
	return matches;
}

static bool
exists(struct spf_check *c, struct spf_token *t)
{
	struct dns_answer *a = ask_term(c, t, DNS_A, true);

	dns_answer_unref(a);
	return a != NULL;
}

/* exists, ptr, include: to libspf2 a name that is there or not */
static SPF_dns_rr_t *
existence(struct run *run, struct spf_token *t, bool never)
{
	struct spf_check *c = run->check;
	struct spf_frame *f;

	if (t->term.kind == SPF_INCLUDE) {
		f = named_record(c, t, never);
		t->matched = f != NULL && spf_interpret(c, f) == SPF_PASS;
	} else if (!never) {
		t->matched = t->term.kind == SPF_PTR ? ptr_matches(c, t)
		                                     : exists(c, t);
	}
	if (c->over)
		return try_again(run);
	if (!t->matched)
		return nothing(run, ns_t_a);
	return found(run, ns_t_a, "\x7f\0\0\2", 4);
}

static SPF_dns_rr_t *
lookup(SPF_dns_server_t *server, const char *name, ns_type type, int cache)
{
	struct run *run = server->hook;
	struct spf_check *c = run->check;
	struct spf_token *t = token_of(c, name);
	bool never = false;

	(void)cache;
	if (c->over)
		return try_again(run);
	if (t->kind == TOKEN_HOST)
		return addresses(run, t->mx, t);
	if (!count_term(c, t))
		return try_again(run);
	t->name = spf_term_name(c, t->frame, t->term.domain, &never);
	if (c->over)
		return try_again(run);
	if (t->term.kind != SPF_MX && t->term.kind != SPF_A)
		return existence(run, t, never);
	if (never)
		return nothing(run, type);
	return t->term.kind == SPF_MX ? exchangers(run, t)
	                              : addresses(run, t, t);
}

/* ---- records ---- */

static SPF_record_t *
compile(struct run *run, SPF_server_t *server, struct spf_frame *f)
{
	char text[SPF_CANONICAL];
	SPF_record_t *record = NULL;

	if (spf_frame_canonical(run->check, f, text) == 0)
		return NULL;
	if (SPF_record_compile(server, &run->messages, &record, text) ==
	    SPF_E_SUCCESS)
		return record;
	if (record != NULL)
		SPF_record_free(record);
	/* what is canonical always compiles, if there is memory */
	spf_end(run->check, SPF_TEMPERROR, "out of memory");
	return NULL;
}

/* What a redirect leads to. */
static SPF_errcode_t
get_spf(SPF_server_t *server, SPF_request_t *request, SPF_response_t *response,
        SPF_record_t **record)
{
	struct run *run = server->resolver->hook;
	struct spf_check *c = run->check;
	struct spf_token *t = token_of(c, request->cur_dom);
	struct spf_frame *f = NULL;
	bool never = false;

	(void)response;
	*record = NULL;
	if (c->over || !count_term(c, t))
		return SPF_E_DNS_ERROR;
	t->name = spf_term_name(c, t->frame, t->term.domain, &never);
	if (!c->over)
		f = named_record(c, t, never);
	if (f != NULL)
		*record = compile(run, server, f);
	return *record != NULL ? SPF_E_SUCCESS : SPF_E_DNS_ERROR;
}

static enum spf_result
result_of(SPF_result_t r)
{
	switch (r) {
	case SPF_RESULT_PASS:
		return SPF_PASS;
	case SPF_RESULT_FAIL:
		return SPF_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return SPF_SOFTFAIL;
	case SPF_RESULT_NEUTRAL:
		return SPF_NEUTRAL;
	case SPF_RESULT_NONE:
		return SPF_NONE;
	case SPF_RESULT_PERMERROR:
		return SPF_PERMERROR;
	default:
		return SPF_TEMPERROR;
	}
}

static void
free_texts(SPF_response_t *r)
{
	unsigned i;

	free(r->received_spf);
	free(r->header_comment);
	free(r->smtp_comment);
	free(r->explanation);
	for (i = 0; i < r->errors_length; i++)
		free(r->errors[i].message);
}

static enum spf_result
interpret(struct run *run, SPF_server_t *server, struct spf_frame *f)
{
	/* constants: nothing that libspf2 expands is used */
	char from[] = "x@s.v", local[] = "x", domain[] = "s.v";
	SPF_request_t request = {
		.spf_server = server,
		.client_ver = run->check->v4 ? AF_INET : AF_INET6,
		.env_from = from,
		.env_from_lp = local,
		.env_from_dp = domain,
		.helo_dom = domain,
		.cur_dom = domain,
	};
	SPF_response_t response = {.spf_request = &request};
	SPF_record_t *record = compile(run, server, f);
	enum spf_result result;

	if (record == NULL)
		return SPF_TEMPERROR;
	memcpy(&request.ipv4, run->check->client + 12, 4);
	memcpy(&request.ipv6, run->check->client, 16);
	response.spf_record_exp = record;
	SPF_record_interpret(record, &request, &response, 0);
	result = result_of(SPF_response_result(&response));
	SPF_record_free(record);
	free_texts(&response);
	return result;
}

enum spf_result
spf_interpret(struct spf_check *c, struct spf_frame *f)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char receiver[] = "s.v";
	struct run run = {.check = c};
	SPF_dns_server_t dns = {
		.lookup = lookup,
		.get_spf = get_spf,
		.name = "vaglio",
		.hook = &run,
	};
	SPF_server_t server = {
		.resolver = &dns,
		.rec_dom = receiver,
		.max_dns_mech = INT_MAX, /* counted here */
		.max_dns_ptr = INT_MAX,
		.max_dns_mx = INT_MAX,
	};
	enum spf_result result = SPF_TEMPERROR;

	pthread_once(&once, set_handlers);
	run.messages.errors = run.message;
	run.messages.errors_size = MESSAGES;
	run.again = SPF_dns_rr_new_init(&dns, NULL, ns_t_any, 0, TRY_AGAIN);
	if (run.again == NULL)
		spf_end(c, SPF_TEMPERROR, "out of memory");
	else
		result = interpret(&run, &server, f);
	if (run.again != NULL)
		SPF_dns_rr_free(run.again);
	free_texts(&run.messages);
	/* it asks for nothing that fails without the check being over, but
	 * for its own memory */
	if (!c->over && (result == SPF_TEMPERROR || result == SPF_PERMERROR))
		spf_end(c, SPF_TEMPERROR, "out of memory");
	return c->over ? c->out->result : result;
}
