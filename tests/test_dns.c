#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "dns_answer.h"
#include "dns_server.h"

#define MS 1000000 /* nanoseconds */

static struct resolver *
resolver_of(struct dns_server *s)
{
	const char *why;
	struct resolver *r = resolver_new(span_of(dns_server_address(s)),
	                                  1 << 20, &why);

	ck_assert_ptr_nonnull(r);
	return r;
}

/* One question with an own opening. */
static struct dns_answer *
ask(struct resolver *r, const char *name, enum dns_type type, int ms,
    bool *cached)
{
	struct dns_answer *a;
	struct dns d;

	dns_open(&d, r);
	a = dns_ask(&d, span_of(name), type, dns_now() + (int64_t)ms * MS,
	            cached);
	dns_shut(&d);
	return a;
}

static enum dns_status
status_of(struct resolver *r, const char *name, enum dns_type type, int ms)
{
	struct dns_answer *a = ask(r, name, type, ms, NULL);
	enum dns_status status = a->status;

	dns_answer_unref(a);
	return status;
}

/* What it answers, and how, by the name asked. */
static int
answer_by_name(struct dns_reply *r, void *of)
{
	static const unsigned char ip[] = {192, 0, 2, 1};
	const char *name = r->name;

	(void)of;
	if (strcmp(name, "a.example") == 0)
		dns_reply_add(r, name, DNS_A, 60, ip, 4);
	else if (strcmp(name, "txt.example") == 0)
		dns_reply_txt(r, name, 60, "v=spf1 -all", 11);
	else if (strcmp(name, "none.example") == 0)
		dns_reply_soa(r, 60);
	else if (strcmp(name, "short.example") == 0)
		dns_reply_soa(r, 1);
	else if (strcmp(name, "nx.example") == 0)
		dns_reply_rcode(r, 3);
	else if (strcmp(name, "fail.example") == 0)
		dns_reply_rcode(r, 2);
	else if (strcmp(name, "late.example") == 0)
		dns_reply_add(r, name, DNS_A, 60, ip, 4);
	else if (strcmp(name, "id.example") == 0)
		r->message[0] ^= 1;
	else if (strcmp(name, "name.example") == 0)
		r->message[13] = 'x';
	else if (strcmp(name, "big.example") == 0 && !r->tcp)
		r->message[2] |= 2; /* TC */
	if (strcmp(name, "silent.example") == 0)
		return -1;
	return strcmp(name, "late.example") == 0 ? 300 : 0;
}

START_TEST(answers_and_their_absence_are_told_apart)
{
	struct dns_server *s = dns_server_start(answer_by_name, NULL);
	struct resolver *r = resolver_of(s);
	struct dns_answer *a = ask(r, "a.example", DNS_A, 2000, NULL);

	ck_assert_int_eq(a->status, DNS_OK);
	ck_assert_uint_eq(a->n, 1);
	ck_assert_mem_eq(a->record[0].data.p, "\xc0\0\2\1", 4);
	dns_answer_unref(a);
	ck_assert_int_eq(status_of(r, "none.example", DNS_A, 2000), DNS_NODATA);
	ck_assert_int_eq(status_of(r, "nx.example", DNS_A, 2000), DNS_NXDOMAIN);
	ck_assert_int_eq(status_of(r, "fail.example", DNS_A, 2000),
	                 DNS_SERVFAIL);
	ck_assert_int_eq(status_of(r, "silent.example", DNS_A, 50),
	                 DNS_TIMEOUT);
	ck_assert_int_eq(status_of(r, "bad..example", DNS_A, 2000),
	                 DNS_NXDOMAIN);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

/* Milliseconds that a question with this deadline took to time out. */
static double
time_out(struct resolver *r, const char *name, int ms)
{
	int64_t begin = dns_now();

	ck_assert_int_eq(status_of(r, name, DNS_A, ms), DNS_TIMEOUT);
	return (double)(dns_now() - begin) / MS;
}

START_TEST(a_deadline_holds_whatever_the_server_does)
{
	static const char *const names[] = {"silent.example", "late.example",
	                                    "id.example", "name.example"};
	struct dns_server *s = dns_server_start(answer_by_name, NULL);
	struct resolver *r = resolver_of(s);
	size_t i;
	double took;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		took = time_out(r, names[i], 200);
		ck_assert_msg(took >= 199 && took < 300, "%s: %.1f ms",
		              names[i], took);
	}
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

START_TEST(positive_and_negative_answers_are_kept_for_their_ttl)
{
	static const char *const kept[] = {"a.example", "none.example"};
	static const char *const not_kept[] = {"fail.example", "nx.example"};
	struct dns_server *s = dns_server_start(answer_by_name, NULL);
	struct resolver *r = resolver_of(s);
	bool cached;
	size_t i;

	for (i = 0; i < 2; i++) {
		dns_answer_unref(ask(r, kept[i], DNS_A, 2000, &cached));
		ck_assert(!cached);
		dns_answer_unref(ask(r, kept[i], DNS_A, 2000, &cached));
		ck_assert_msg(cached, "%s", kept[i]);
		/* a negative answer without an SOA has no TTL */
		dns_answer_unref(ask(r, not_kept[i], DNS_A, 2000, &cached));
		dns_answer_unref(ask(r, not_kept[i], DNS_A, 2000, &cached));
		ck_assert_msg(!cached, "%s", not_kept[i]);
	}
	dns_answer_unref(ask(r, "A.EXAMPLE", DNS_A, 2000, &cached));
	ck_assert(cached);
	ck_assert_uint_eq(resolver_stats(r).from_cache, 3);
	ck_assert_uint_eq(resolver_stats(r).cache_entries, 2);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

static int
big_over_tcp(struct dns_reply *r, void *of)
{
	static char text[60000];

	(void)of;
	if (!r->tcp) {
		r->message[2] |= 2;
		return 0;
	}
	memset(text, 'x', sizeof(text));
	dns_reply_txt(r, r->name, 60, text, sizeof(text));
	return 0;
}

START_TEST(a_truncated_answer_is_fetched_over_tcp)
{
	struct dns_server *s = dns_server_start(big_over_tcp, NULL);
	struct resolver *r = resolver_of(s);
	struct dns_answer *a = ask(r, "big.example", DNS_TXT, 2000, NULL);

	ck_assert_int_eq(a->status, DNS_OK);
	ck_assert_uint_eq(a->record[0].data.n, 60000);
	ck_assert_uint_eq(dns_server_questions(s), 2);
	dns_answer_unref(a);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

/* By its name: closes the connection, truncates there too, or answers. */
static int
odd_over_tcp(struct dns_reply *r, void *of)
{
	(void)of;
	if (!r->tcp || strcmp(r->name, "part.example") == 0)
		r->message[2] |= 2;
	if (!r->tcp)
		return 0;
	dns_reply_txt(r, r->name, 60, "v=spf1 ", 7);
	return strcmp(r->name, "closed.example") == 0 ? DNS_CLOSE : 0;
}

START_TEST(what_tcp_does_not_bring_whole_is_a_server_failure)
{
	struct dns_server *s = dns_server_start(odd_over_tcp, NULL);
	struct resolver *r = resolver_of(s);

	ck_assert_int_eq(status_of(r, "whole.example", DNS_TXT, 2000), DNS_OK);
	ck_assert_int_eq(status_of(r, "closed.example", DNS_TXT, 2000),
	                 DNS_SERVFAIL);
	ck_assert_int_eq(status_of(r, "part.example", DNS_TXT, 2000),
	                 DNS_SERVFAIL);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

static int
without_edns(struct dns_reply *r, void *of)
{
	(void)of;
	if (r->edns)
		dns_reply_rcode(r, 1); /* FORMERR */
	else
		dns_reply_add(r, r->name, DNS_A, 0, "\xc0\0\2\1", 4);
	return 0;
}

START_TEST(a_server_that_knows_no_edns_is_asked_without)
{
	static const char *const names[] = {"a.example", "b.example",
	                                    "c.example"};
	struct dns_server *s = dns_server_start(without_edns, NULL);
	struct resolver *r = resolver_of(s);
	struct dns_answer *a;
	struct dns d;
	size_t i;

	dns_open(&d, r);
	for (i = 0; i < 3; i++) {
		a = dns_ask(&d, span_of(names[i]), DNS_A,
		            dns_now() + (int64_t)2000 * MS, NULL);
		ck_assert_msg(a->status == DNS_OK, "%s: %s", names[i],
		              dns_status_words(a->status));
		dns_answer_unref(a);
	}
	dns_shut(&d);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

static int
in_capitals(struct dns_reply *r, void *of)
{
	char name[64];
	size_t i, n = strlen(r->name);

	(void)of;
	for (i = 0; i <= n; i++)
		name[i] = (char)(r->name[i] >= 'a' && r->name[i] <= 'z'
		                 ? r->name[i] & ~32 : r->name[i]);
	for (i = 12; r->message[i] != 0; i++)
		if (r->message[i] >= 'a' && r->message[i] <= 'z')
			r->message[i] &= (unsigned char)~32;
	dns_reply_cname(r, name, "TO.example");
	dns_reply_add(r, "to.EXAMPLE", DNS_A, 60, "\xc0\0\2\1", 4);
	return 0;
}

START_TEST(letters_case_means_nothing)
{
	struct dns_server *s = dns_server_start(in_capitals, NULL);
	struct resolver *r = resolver_of(s);

	ck_assert_int_eq(status_of(r, "a.example", DNS_A, 2000), DNS_OK);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

static int
refuses(struct dns_reply *r, void *of)
{
	dns_reply_rcode(r, *(const unsigned *)of);
	return 0;
}

/* Knows nothing, does not look it up, and names others (a referral). */
static int
refers(struct dns_reply *r, void *of)
{
	(void)of;
	r->message[3] &= 0x7f; /* no recursion */
	if (strcmp(r->name, "soa.example") == 0)
		dns_reply_soa(r, 60);
	else if (strcmp(r->name, "own.example") == 0)
		r->message[2] |= 4; /* AA */
	return 0;
}

START_TEST(who_does_not_look_it_up_has_not_said_that_there_is_none)
{
	struct dns_server *s = dns_server_start(refers, NULL);
	struct resolver *r = resolver_of(s);

	ck_assert_int_eq(status_of(r, "a.example", DNS_TXT, 2000),
	                 DNS_SERVFAIL);
	ck_assert_int_eq(status_of(r, "soa.example", DNS_TXT, 2000),
	                 DNS_NODATA);
	ck_assert_int_eq(status_of(r, "own.example", DNS_TXT, 2000),
	                 DNS_NODATA);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

/* A lame server costs a question, and no time. */
START_TEST(a_server_that_will_not_say_is_passed_over)
{
	static unsigned rcode[] = {2, 4, 5}; /* SERVFAIL, NOTIMP, REFUSED */
	struct dns_server *good = dns_server_start(answer_by_name, NULL);
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(rcode) / sizeof(rcode[0]); i++) {
		struct dns_server *bad = dns_server_start(refuses, &rcode[i]);
		struct resolver *r;
		char both[64];

		snprintf(both, sizeof(both), "%s %s", dns_server_address(bad),
		         dns_server_address(good));
		r = resolver_new(span_of(both), 1000, &why);
		ck_assert_int_eq(status_of(r, "a.example", DNS_A, 1000),
		                 DNS_OK);
		resolver_unref(r);
		dns_server_stop(bad);
	}
	dns_server_stop(good);
}
END_TEST

static void *
ask_silent(void *r)
{
	ck_assert_int_eq(status_of(r, "silent.example", DNS_A, 20000),
	                 DNS_OK);
	return NULL;
}

/* A server that is down costs its time-out once, not for each question. */
START_TEST(a_silent_server_is_asked_last_for_a_while)
{
	struct dns_server *down = dns_server_start(answer_by_name, NULL);
	struct dns_server *up = dns_server_start(without_edns, NULL);
	struct resolver *r;
	int64_t begin = dns_now();
	const char *why;
	pthread_t thread[2];
	char both[64];
	unsigned i;

	snprintf(both, sizeof(both), "%s %s", dns_server_address(down),
	         dns_server_address(up));
	r = resolver_new(span_of(both), 0, &why);
	for (i = 0; i < 2; i++) /* two find out at the same time */
		ck_assert_int_eq(pthread_create(&thread[i], NULL, ask_silent,
		                                r), 0);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < 5; i++)
		ask_silent(r);
	ck_assert_msg(dns_now() - begin < (int64_t)4000 * MS, "%.1f s",
	              (double)(dns_now() - begin) / 1e9);
	ck_assert_uint_eq(dns_server_questions(down), 2);
	resolver_unref(r);
	dns_server_stop(down);
	dns_server_stop(up);
}
END_TEST

/* A chain of as many CNAMEs as the name's first label says. */
static int
chain(struct dns_reply *r, void *of)
{
	static const unsigned char ip[] = {192, 0, 2, 1};
	char from[64], to[64];
	int i, n = atoi(r->name);

	(void)of;
	strcpy(from, r->name);
	for (i = 0; i < n; i++) {
		snprintf(to, sizeof(to), "c%d.example", i);
		dns_reply_cname(r, from, to);
		strcpy(from, to);
	}
	if (n == 0)
		dns_reply_cname(r, from, from);
	else
		dns_reply_add(r, from, DNS_A, 60, ip, 4);
	return 0;
}

START_TEST(a_chain_of_cnames_is_followed_to_a_limit)
{
	struct dns_server *s = dns_server_start(chain, NULL);
	struct resolver *r = resolver_of(s);

	ck_assert_int_eq(status_of(r, "1.example", DNS_A, 2000), DNS_OK);
	ck_assert_int_eq(status_of(r, "12.example", DNS_A, 2000), DNS_OK);
	ck_assert_int_eq(status_of(r, "13.example", DNS_A, 2000), DNS_SERVFAIL);
	ck_assert_int_eq(status_of(r, "0.example", DNS_A, 2000), DNS_SERVFAIL);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

static struct dns_answer *
sized(size_t n)
{
	char *p = calloc(1, n);
	struct dns_record record = {{p, n}, 0};
	struct dns_answer *a = dns_answer_new(&record, 1, 100);

	free(p);
	return a;
}

static void
put_named(struct dns_cache *c, unsigned number, size_t size, int64_t now)
{
	struct dns_answer *a = sized(size);
	char name[32];

	snprintf(name, sizeof(name), "n%u.example", number);
	dns_cache_put(c, span_of(name), DNS_TXT, a, now);
	dns_answer_unref(a);
}

START_TEST(the_cache_never_grows_past_its_bytes)
{
	struct dns_cache *c = dns_cache_new(100000);
	struct dns_stats s = {0};
	struct dns_answer *a;
	unsigned i;

	for (i = 0; i < 3000; i++) {
		put_named(c, i, i % 700, 0);
		dns_cache_stats(c, &s);
		ck_assert_uint_le(s.cache_bytes, 100000);
		/* what is asked for stays */
		a = dns_cache_get(c, SPAN("n0.example"), DNS_TXT, 0);
		ck_assert_ptr_nonnull(a);
		dns_answer_unref(a);
	}
	ck_assert_uint_gt(s.evicted, 1000);
	ck_assert_ptr_null(dns_cache_get(c, SPAN("n1.example"), DNS_TXT, 0));
	put_named(c, 1, 50000, 0); /* would push out half of the others */
	ck_assert_ptr_null(dns_cache_get(c, SPAN("n1.example"), DNS_TXT, 0));
	dns_cache_free(c);
}
END_TEST

START_TEST(what_is_kept_is_forgotten_when_its_ttl_ends)
{
	struct dns_cache *c = dns_cache_new(100000);
	struct dns_stats s = {0};
	struct dns_answer *a;

	put_named(c, 1, 10, 5);
	a = dns_cache_get(c, SPAN("N1.example"), DNS_TXT,
	                  5 + (int64_t)99 * 1000000000);
	ck_assert_ptr_nonnull(a);
	dns_answer_unref(a);
	ck_assert_ptr_null(dns_cache_get(c, SPAN("n1.example"), DNS_A, 5));
	ck_assert_ptr_null(dns_cache_get(c, SPAN("n1.example"), DNS_TXT,
	                                 5 + (int64_t)100 * 1000000000));
	dns_cache_stats(c, &s);
	ck_assert_uint_eq(s.cache_entries, 0);
	ck_assert_uint_eq(s.cache_bytes, 0);
	dns_cache_free(c);
}
END_TEST

static const char zone_text[] =
	"; a zone\n"
	"$TTL 3600\n"
	"$ORIGIN example.\n"
	"@       IN SOA ns root (1 2 3 ; serial and so on\n"
	"        4 5)\n"
	"        3600 IN TXT \"v=spf1 \" \"-all\"\n"
	"a       A 192.0.2.1\n"
	"        A 192.0.2.2\n"
	"        AAAA 2001:db8::1\n"
	"alias   CNAME a\n"
	"loop    CNAME loop\n"
	"mail    MX 10 a\n"
	"        MX 20 mx.example.net.\n"
	"odd\\032name TXT \\\"\\065\n"
	"slow    TIMEOUT\n"
	"slow    A 192.0.2.3\n"
	"down    SERVFAIL\n"
	"1.2.0.192.in-addr.arpa. PTR a";

START_TEST(a_zone_file_answers)
{
	unsigned line;
	const char *why;
	struct resolver *r = resolver_zone(SPAN(zone_text), &line, &why);
	struct dns_answer *a;

	ck_assert_msg(r != NULL, "%u: %s", line, why);
	a = ask(r, "EXAMPLE", DNS_TXT, 10, NULL);
	ck_assert(span_is(a->record[0].data, SPAN("v=spf1 -all")));
	dns_answer_unref(a);
	a = ask(r, "alias.example", DNS_A, 10, NULL);
	ck_assert_uint_eq(a->n, 2);
	dns_answer_unref(a);
	a = ask(r, "mail.example", DNS_MX, 10, NULL);
	ck_assert_uint_eq(a->record[1].preference, 20);
	ck_assert(span_is(a->record[0].data, SPAN("a.example")));
	ck_assert(span_is(a->record[1].data, SPAN("mx.example.net")));
	dns_answer_unref(a);
	a = ask(r, "odd name.example", DNS_TXT, 10, NULL);
	ck_assert(span_is(a->record[0].data, SPAN("\"A")));
	dns_answer_unref(a);
	ck_assert_int_eq(status_of(r, "slow.example", DNS_A, 10), DNS_OK);
	ck_assert_int_eq(status_of(r, "slow.example", DNS_MX, 10), DNS_TIMEOUT);
	ck_assert_int_eq(status_of(r, "down.example", DNS_A, 10), DNS_SERVFAIL);
	ck_assert_int_eq(status_of(r, "loop.example", DNS_A, 10), DNS_SERVFAIL);
	ck_assert_int_eq(status_of(r, "a.example", DNS_MX, 10), DNS_NODATA);
	ck_assert_int_eq(status_of(r, "b.example", DNS_MX, 10), DNS_NXDOMAIN);
	ck_assert_int_eq(status_of(r, "1.2.0.192.in-addr.arpa", DNS_PTR, 10),
	                 DNS_OK);
	resolver_unref(r);
}
END_TEST

START_TEST(a_mistake_in_a_zone_file_has_its_line)
{
	static const struct {
		const char *text;
		unsigned line;
	} wrong[] = {
		{"a A 192.0.2.1\nb A 192.0.2\n", 2},
		{"a TXT \"open\n", 1},
		{"a WKS 1\n", 1},
		{"a MX mail\n", 1},
		{" A 192.0.2.1\n", 1},
		{"a TXT ( \"x\"\n", 1},
		{"a TXT \\999\n", 1},
		{"\n\na\n", 3},
	};
	const char *why;
	unsigned line;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_ptr_null(resolver_zone(span_of(wrong[i].text), &line,
		                                 &why));
		ck_assert_uint_eq(line, wrong[i].line);
		ck_assert_uint_gt(strlen(why), 5);
	}
}
END_TEST

/* Every cut and every changed byte of a good answer. */
START_TEST(a_broken_message_is_a_server_failure_and_no_more)
{
	struct dns_reply *r = calloc(1, sizeof(*r));
	unsigned char q[DNS_QUESTION], *cut;
	size_t n = dns_wire_question(q, 7, SPAN("a.example"), DNS_MX, true),
	       i;
	static const unsigned char mx[] = {0, 10, 1, 'm', 0xc0, 12};
	struct dns_answer *a;
	unsigned v;

	memcpy(r->message, q, n - 11);
	r->n = n - 11;
	r->message[2] = 0x80;
	r->message[11] = 0;
	dns_reply_cname(r, "a.example", "b.example");
	dns_reply_add(r, "b.example", DNS_MX, 60, mx, sizeof(mx));
	dns_reply_soa(r, 5);
	a = dns_wire_answer(r->message, r->n, SPAN("A.example"), DNS_MX);
	ck_assert_int_eq(a->status, DNS_OK);
	ck_assert(span_is(a->record[0].data, SPAN("m.a.example")));
	dns_answer_unref(a);
	for (i = 0; i < r->n; i++) {
		cut = malloc(i + 1);
		memcpy(cut, r->message, i);
		dns_answer_unref(dns_wire_answer(cut, i, SPAN("a.example"),
		                                 DNS_MX));
		free(cut);
		for (v = 0; v < 256; v++) {
			unsigned char kept = r->message[i];

			r->message[i] = (unsigned char)v;
			a = dns_wire_answer(r->message, r->n,
			                    SPAN("a.example"), DNS_MX);
			ck_assert_int_ne(a->status, DNS_TIMEOUT);
			dns_answer_unref(a);
			r->message[i] = kept;
		}
	}
	free(r);
}
END_TEST

START_TEST(a_list_of_servers_is_checked)
{
	static const char *const good[] = {
		"", "127.0.0.1", "127.0.0.1:5353 [::1]:53", " 127.0.0.1, ::1 ",
	};
	static const char *const bad[] = {
		"name.example", "127.0.0.1:x", "127.0.0.1 127.0.0.300",
		("1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 "
		"1.1.1.1 1.1.1.1"),
	};
	struct resolver *r;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		r = resolver_new(span_of(good[i]), 1000, &why);
		ck_assert_msg(r != NULL, "\"%s\": %s", good[i], why);
		resolver_unref(r);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = resolver_new(span_of(bad[i]), 1000, &why);
		ck_assert_msg(r == NULL, "\"%s\"", bad[i]);
	}
}
END_TEST

CHECK_MAIN("dns", answers_and_their_absence_are_told_apart,
           a_deadline_holds_whatever_the_server_does,
           positive_and_negative_answers_are_kept_for_their_ttl,
           a_truncated_answer_is_fetched_over_tcp,
           what_tcp_does_not_bring_whole_is_a_server_failure,
           a_server_that_knows_no_edns_is_asked_without,
           letters_case_means_nothing,
           a_server_that_will_not_say_is_passed_over,
           who_does_not_look_it_up_has_not_said_that_there_is_none,
           a_silent_server_is_asked_last_for_a_while,
           a_chain_of_cnames_is_followed_to_a_limit,
           the_cache_never_grows_past_its_bytes,
           what_is_kept_is_forgotten_when_its_ttl_ends, a_zone_file_answers,
           a_mistake_in_a_zone_file_has_its_line,
           a_broken_message_is_a_server_failure_and_no_more,
           a_list_of_servers_is_checked)
