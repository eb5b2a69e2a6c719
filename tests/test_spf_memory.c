/*
 * test_spf_memory.c - each allocation of a check fails, one after the other:
 * the answer is temperror, or what it is with memory; never an abort, and
 * nothing is lost, of libspf2 and c-ares neither.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dns_server.h"
#include "dns_zone.h"
#include "no_memory.h"
#include "spf.h"

static struct resolver *
zone(void)
{
	static const char text[] =
		"a.example TXT \"v=spf1 ptr:x.example a/24 mx:b.example "
		"include:c.example exists:%{p}.x.example redirect=d.example\"\n"
		"a.example A 198.51.100.1\n"
		"b.example MX 1 m1.example\n"
		"b.example MX 2 m2.example\n"
		"m1.example A 198.51.100.2\n"
		"m2.example A 198.51.100.3\n"
		"c.example TXT \"v=spf1 a:m1.example ~all\"\n"
		"d.example TXT \"v=spf1 -all exp=%{d}.e.example\"\n"
		"d.example.e.example TXT \"%{s} %{c} %{p} is not ours\"\n"
		"1.2.0.192.in-addr.arpa PTR p.example\n"
		"p.example A 192.0.2.1\n";
	const char *why;
	unsigned line;

	return resolver_zone(SPAN(text), &line, &why);
}

/* Two terms, two thirds of which are sent by TCP. */
static int
serve(struct dns_reply *r, void *of)
{
	(void)of;
	if (r->type == DNS_TXT && !r->tcp)
		r->message[2] |= 2;
	else if (r->type == DNS_TXT)
		dns_reply_txt(r, r->name, 0, "v=spf1 a:b.example mx -all", 26);
	else if (r->type == DNS_A)
		dns_reply_add(r, r->name, DNS_A, 60, "\x0a\0\0\1", 4);
	else
		dns_reply_soa(r, 60);
	return 0;
}

struct tally {
	unsigned long allocations, temperrors;
};

/* One check; the n-th allocation fails, and if for_good all after it. */
static enum spf_result
check_failing(struct resolver *r, unsigned long n)
{
	struct spf_budget budget = SPF_BUDGET;
	struct arena *a = arena_new(0);
	struct spf_finding f;
	struct ip ip;

	budget.voids = 5;
	budget.milliseconds = 400;
	ip_parse(SPAN("192.0.2.1"), &ip);
	no_memory.count = 0;
	no_memory.fail_at = n;
	no_memory.counting = true;
	spf_check(r, SPF_MAILFROM, &ip, SPAN("mail.example"),
	          SPAN("u@a.example"), &budget, a, &f);
	no_memory.counting = false;
	if (f.result == SPF_TEMPERROR)
		ck_assert_uint_gt(f.reason.n, 5);
	arena_free(a);
	return f.result;
}

static struct tally
fail_each(struct resolver *r, enum spf_result expected)
{
	struct tally t = {0, 0};
	enum spf_result got;
	unsigned long n;

	ck_assert_int_eq(check_failing(r, 0), expected);
	for (n = 1;; n++) {
		got = check_failing(r, n);
		if (no_memory.count < n)
			break;
		ck_assert_msg(got == expected || got == SPF_TEMPERROR,
		              "allocation %lu: %s", n, spf_result_name(got));
		t.allocations++;
		t.temperrors += got == SPF_TEMPERROR;
	}
	return t;
}

START_TEST(a_failed_allocation_is_a_temperror)
{
	struct resolver *r = zone();
	struct tally t;

	no_memory.for_good = false;
	t = fail_each(r, SPF_FAIL);
	ck_assert_uint_gt(t.allocations, 40);
	ck_assert_uint_gt(t.temperrors, 30);
	resolver_unref(r);
}
END_TEST

START_TEST(so_it_is_when_all_after_it_fail_too)
{
	struct resolver *r = zone();
	struct tally t;

	no_memory.for_good = true;
	t = fail_each(r, SPF_FAIL);
	ck_assert_uint_gt(t.temperrors, 30);
	resolver_unref(r);
}
END_TEST

START_TEST(so_it_is_with_a_name_server)
{
	struct dns_server *s = dns_server_start(serve, NULL);
	const char *why;
	struct resolver *r = resolver_new(span_of(dns_server_address(s)), 4096,
	                                  &why);
	struct tally t;

	no_memory.for_good = false;
	t = fail_each(r, SPF_FAIL);
	ck_assert_uint_gt(t.temperrors, 20);
	no_memory.for_good = true;
	t = fail_each(r, SPF_FAIL);
	ck_assert_uint_gt(t.temperrors, 20);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

#if NO_MEMORY_WORKS
CHECK_MAIN("spf_memory", a_failed_allocation_is_a_temperror,
           so_it_is_when_all_after_it_fail_too, so_it_is_with_a_name_server)
#else
int
main(void)
{
	(void)a_failed_allocation_is_a_temperror;
	(void)so_it_is_when_all_after_it_fail_too;
	(void)so_it_is_with_a_name_server;
	return 77;
}
#endif
