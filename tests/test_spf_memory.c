/*
 * test_spf_memory.c - each allocation of a check fails, one after the other:
 * the answer is temperror, or what it is with memory; never an abort, and
 * nothing is lost.
 *
 * malloc and its kin are replaced for the whole program, libspf2 and c-ares
 * too, and fail in the thread and at the time that a test says.
 */
#include <stdlib.h>

#include "check.h"

#if defined(__clang__) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REPLACED 0 /* its runtime is linked in, with a malloc of its own */
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define REPLACED 0 /* asks for memory before it is up */
#endif
#ifndef REPLACED
#define REPLACED 1
#endif

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "dns_server.h"
#include "dns_zone.h"
#include "spf.h"

static _Thread_local bool counting, for_good;
static _Thread_local unsigned long count, fail_at;

#if REPLACED
static bool
refuse(void)
{
	if (!counting)
		return false;
	count++;
	if (fail_at == 0)
		return false;
	if (count == fail_at || (for_good && count > fail_at)) {
		errno = ENOMEM;
		return true;
	}
	return false;
}

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);

/* dlsym may want memory before there is any. */
static _Alignas(16) char early[8192];
static size_t early_used;

static void *
early_memory(size_t n)
{
	void *p = early + early_used;

	early_used += (n + 15) & ~(size_t)15;
	if (early_used > sizeof(early))
		abort();
	return p;
}

static void
find_real(void)
{
	static bool finding;

	if (finding)
		return;
	finding = true;
	*(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
}

void *
malloc(size_t n)
{
	if (real_malloc == NULL)
		find_real();
	if (real_malloc == NULL)
		return early_memory(n);
	return refuse() ? NULL : real_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	if (real_calloc == NULL)
		find_real();
	if (real_calloc == NULL)
		return early_memory(n * size); /* it is zero */
	return refuse() ? NULL : real_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	if (real_realloc == NULL)
		find_real();
	return refuse() ? NULL : real_realloc(p, n);
}
#endif

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
	count = 0;
	fail_at = n;
	counting = true;
	spf_check(r, SPF_MAILFROM, &ip, SPAN("mail.example"),
	          SPAN("u@a.example"), &budget, a, &f);
	counting = false;
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
		if (count < n)
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

	for_good = false;
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

	for_good = true;
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

	for_good = false;
	t = fail_each(r, SPF_FAIL);
	ck_assert_uint_gt(t.temperrors, 20);
	for_good = true;
	t = fail_each(r, SPF_FAIL);
	ck_assert_uint_gt(t.temperrors, 20);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

#if REPLACED
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
