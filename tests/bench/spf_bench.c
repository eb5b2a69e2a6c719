/*
 * spf_bench.c - what SPF costs.
 *
 *	make tests/bench/spf_bench && tests/bench/spf_bench
 *
 * CPU of a check with a resolver that answers at once, beside bare libspf2
 * with the same answers, in turns; of a check whose answers are known; and
 * messages a second through a session, with a name server on loopback. The
 * exit status is 1 if a check costs more than twice what bare libspf2 does.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <netdb.h>
#include <spf2/spf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dns_answer.h"
#include "dns_server.h"
#include "session.h"

#define TURNS 5

/* Twenty networks that are not the client's. */
#define FOUR(n) " ip4:10." n ".0.0/16 ip4:10." n ".1.0/24 ip4:10." n          \
	".2.7 ip4:10." n ".4.0/22"
#define TWENTY(n) FOUR(n "1") FOUR(n "2") FOUR(n "3") FOUR(n "4") FOUR(n "5")

static const struct {
	const char *name, *txt;
	const char *ip;
} zone[] = {
	{"one.example", "v=spf1 ip4:192.0.2.0/24 -all", NULL},
	{"many.example", "v=spf1" TWENTY("1") " include:b.example"
		" include:c.example include:d.example a:h1.example"
		" a:h2.example a:h3.example -all", NULL},
	{"b.example", "v=spf1" TWENTY("2") " ~all", NULL},
	{"c.example", "v=spf1" TWENTY("3") " ~all", NULL},
	{"d.example", "v=spf1" TWENTY("4") " ~all", NULL},
	{"h1.example", NULL, "10.99.0.1"},
	{"h2.example", NULL, "10.99.0.2"},
	{"h3.example", NULL, "192.0.2.1"},
};
#define NAMES (sizeof(zone) / sizeof(zone[0]))

static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
wall(void)
{
	return (double)dns_now() / 1e9;
}

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "spf_bench: %s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- vaglio, answered at once ---- */

struct instant {
	struct resolver base;
	struct dns_answer *answer[NAMES];
	struct dns_answer *none;
};

static struct dns_answer *
ask(struct resolver *r, void **channel, struct span name, enum dns_type type,
    int64_t deadline, bool *cached)
{
	struct instant *instant = (struct instant *)r;
	size_t i;

	(void)channel;
	(void)deadline;
	(void)cached;
	for (i = 0; i < NAMES; i++)
		if ((type == DNS_TXT) == (zone[i].txt != NULL) &&
		    span_is_nocase(name, span_of(zone[i].name)))
			return dns_answer_ref(instant->answer[i]);
	return dns_answer_ref(instant->none);
}

static struct instant *
make_instant(void)
{
	static const struct resolver_class class = {.ask = ask};
	static struct instant in;
	unsigned char ip[4];
	size_t i;

	resolver_init(&in.base, &class);
	in.none = dns_answer_none(DNS_NXDOMAIN, 0);
	for (i = 0; i < NAMES; i++) {
		struct dns_record r = {span_of(zone[i].txt), 0};

		if (zone[i].txt == NULL) {
			inet_pton(AF_INET, zone[i].ip, ip);
			r.data = (struct span){(char *)ip, 4};
		}
		in.answer[i] = dns_answer_new(&r, 1, 60);
	}
	return &in;
}

static void
check(struct resolver *r, const char *sender, struct arena *a)
{
	struct spf_budget budget = SPF_BUDGET;
	struct spf_finding f;
	struct ip ip;

	ip_parse(SPAN("192.0.2.1"), &ip);
	spf_check(r, SPF_MAILFROM, &ip, SPAN("mail.example"), span_of(sender),
	          &budget, a, &f);
	must(f.result == SPF_PASS, "a check did not pass");
	arena_reset(a);
}

/* ---- bare libspf2, answered at once ---- */

static SPF_dns_rr_t *
lookup(SPF_dns_server_t *server, const char *name, ns_type type, int cache)
{
	SPF_dns_rr_t *rr;
	size_t i, n;

	(void)cache;
	for (i = 0; i < NAMES; i++)
		if (type == (zone[i].txt != NULL ? ns_t_txt : ns_t_a) &&
		    strcasecmp(name, zone[i].name) == 0)
			break;
	if (i == NAMES)
		return SPF_dns_rr_new_nxdomain(server, name);
	rr = SPF_dns_rr_new_init(server, name, type, 60, NETDB_SUCCESS);
	n = type == ns_t_txt ? strlen(zone[i].txt) + 1 : 4;
	SPF_dns_rr_buf_realloc(rr, 0, n);
	if (type == ns_t_txt)
		memcpy(rr->rr[0]->txt, zone[i].txt, n);
	else
		inet_pton(AF_INET, zone[i].ip, &rr->rr[0]->a);
	rr->num_rr = 1;
	return rr;
}

static void
check_bare(const char *sender)
{
	SPF_dns_server_t dns = {.lookup = lookup, .name = "bench"};
	SPF_server_t *server = SPF_server_new_dns(&dns, 0);
	SPF_request_t *request = SPF_request_new(server);
	SPF_response_t *response = NULL;

	SPF_request_set_ipv4_str(request, "192.0.2.1");
	SPF_request_set_helo_dom(request, "mail.example");
	SPF_request_set_env_from(request, sender);
	SPF_request_query_mailfrom(request, &response);
	must(SPF_response_result(response) == SPF_RESULT_PASS,
	     "a check of bare libspf2 did not pass");
	SPF_response_free(response);
	SPF_request_free(request);
	SPF_server_free(server);
}

/* ---- measuring ---- */

static double
best(double old, double took)
{
	return old == 0 || took < old ? took : old;
}

/* Microseconds each; the best of turns. Returns the ratio. */
static double
compare(struct resolver *r, const char *what, const char *sender, int times)
{
	struct arena *a = arena_new(0);
	double ours = 0, bare = 0, begin;
	int turn, i;

	for (turn = 0; turn < TURNS; turn++) {
		begin = cpu();
		for (i = 0; i < times; i++)
			check(r, sender, a);
		ours = best(ours, cpu() - begin);
		begin = cpu();
		for (i = 0; i < times; i++)
			check_bare(sender);
		bare = best(bare, cpu() - begin);
	}
	arena_free(a);
	printf("%-28s %6.1f us, bare libspf2 %6.1f us, ratio %.2f\n", what,
	       ours / times * 1e6, bare / times * 1e6, ours / bare);
	return ours / bare;
}

/* ---- a server on loopback ---- */

/* Every name has the record of one.example. */
static int
serve(struct dns_reply *r, void *of)
{
	(void)of;
	if (r->type == DNS_TXT)
		dns_reply_txt(r, r->name, 3600, zone[0].txt,
		              strlen(zone[0].txt));
	return 0;
}

static void
measure_known(struct resolver *r)
{
	struct arena *a = arena_new(0);
	double took = 0, begin;
	int turn, i, times = 50000;

	check(r, "u@one.example", a);
	for (turn = 0; turn < TURNS; turn++) {
		begin = cpu();
		for (i = 0; i < times; i++)
			check(r, "u@one.example", a);
		took = best(took, cpu() - begin);
	}
	arena_free(a);
	printf("%-28s %6.1f us\n", "a known sender", took / times * 1e6);
}

static void
send_message(struct session *s, const char *sender)
{
	char *from[] = {(char *)(size_t)sender, NULL};
	char *to[] = {(char *)(size_t)"<r@example.org>", NULL};
	struct sockaddr_in in = {.sin_family = AF_INET};
	const struct change *changes;
	struct answer a;
	size_t n;

	inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
	session_connect(s, "[192.0.2.1]", (void *)&in);
	session_helo(s, "mail.example");
	session_mail(s, from);
	session_rcpt(s, to);
	session_data(s);
	session_header(s, "From", "a@one.example");
	session_header(s, "Subject", "a subject");
	session_end_of_headers(s);
	a = session_end_of_message(s, &changes, &n);
	must(a.kind == ANSWER_ACCEPT, "a message was not let in");
	session_done(s, true);
}

/* Messages a second; spread: each of another domain. */
static double
messages(struct resolver *r, const char *rule, bool spread, int times)
{
	struct diags *d = diags_new();
	struct policy *p = policy_load_text(span_of(rule), "bench", ".", d);
	struct session_host host = {.resolver = r};
	struct session *s;
	char sender[64];
	double begin;
	int i;

	must(p != NULL, "the policy does not load");
	s = session_new(p, NULL, &host);
	begin = wall();
	for (i = 0; i < times; i++) {
		snprintf(sender, sizeof(sender), "<u@n%d.example>",
		         spread ? i : 0);
		send_message(s, sender);
	}
	begin = wall() - begin;
	session_free(s);
	policy_unref(p);
	diags_free(d);
	return times / begin;
}

int
main(void)
{
	static const char on[] = "rule r\n  if spf is fail\n  reject\n";
	static const char off[] = "rule r\n  if sender is x@y.example\n"
		"  reject\n";
	struct instant *instant = make_instant();
	struct dns_server *server = dns_server_start(serve, NULL);
	const char *why;
	struct resolver *r;
	double one, many;

	one = compare(&instant->base, "one TXT", "u@one.example", 20000);
	many = compare(&instant->base, "six look-ups, 80 terms",
	               "u@many.example", 5000);
	r = resolver_new(span_of(dns_server_address(server)), 16 << 20, &why);
	must(r != NULL, why);
	measure_known(r);
	printf("%-28s %6.0f messages/s\n", "a session without SPF",
	       messages(r, off, false, 50000));
	printf("%-28s %6.0f messages/s\n", "SPF, a known sender",
	       messages(r, on, false, 50000));
	printf("%-28s %6.0f messages/s\n", "SPF, each sender new",
	       messages(r, on, true, 5000));
	resolver_unref(r);
	dns_server_stop(server);
	return one <= 2 && many <= 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
