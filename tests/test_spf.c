#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "dns_server.h"
#include "dns_zone.h"
#include "spf.h"

#define MS 1000000 /* nanoseconds */

static struct resolver *
zone_of(const char *text)
{
	const char *why;
	unsigned line;
	struct resolver *r = resolver_zone(span_of(text), &line, &why);

	ck_assert_msg(r != NULL, "%u: %s", line, why);
	return r;
}

static void
add_txt(struct resolver *zone, const char *name, const char *text)
{
	zone_add(zone, span_of(name), DNS_TXT,
	         (struct dns_record){span_of(text), 0});
}

/* What is asked, with what most tests leave as it is. */
struct question {
	const char *client, *helo, *sender;
	enum spf_identity identity;
	unsigned ms;
};

static struct arena *arena;

static struct spf_finding
check_at(struct resolver *r, struct question q)
{
	struct spf_budget budget = SPF_BUDGET;
	struct spf_finding f;
	struct ip ip;

	if (arena == NULL)
		arena = arena_new(0);
	if (q.ms != 0)
		budget.milliseconds = q.ms;
	ck_assert(ip_parse(span_of(q.client != NULL ? q.client : "192.0.2.1"),
	                   &ip));
	spf_check(r, q.identity, &ip,
	          span_of(q.helo != NULL ? q.helo : "mail.example"),
	          span_of(q.sender != NULL ? q.sender : "user@a.example"),
	          &budget, arena, &f);
	return f;
}

/* The same against a zone made for it. */
static struct spf_finding
check_zone(const char *zone, struct question q)
{
	struct resolver *r = zone_of(zone);
	struct spf_finding f = check_at(r, q);

	resolver_unref(r);
	return f;
}

static void
is(struct span got, const char *want)
{
	ck_assert_msg(span_is(got, span_of(want)), "\"%.*s\", not \"%s\"",
	              SPAN_ARG(got), want);
}

START_TEST(the_term_that_matched_is_named)
{
	static const struct {
		const char *record, *term;
		enum spf_result result;
	} cases[] = {
		{"ip4:192.0.2.0/24 -all", "ip4:192.0.2.0/24", SPF_PASS},
		{"ip4:192.0.3.0/24 -all", "-all", SPF_FAIL},
		{"mx:b.example/24 -all", "mx:b.example/24", SPF_PASS},
		{"~a -all", "~a:a.example", SPF_SOFTFAIL},
		{"?exists:%{ir}.b.example", "?exists:1.2.0.192.b.example",
		 SPF_NEUTRAL},
		{"ptr -all", "-all", SPF_FAIL},
		{"-include:inc.example +all", "-include:inc.example",
		 SPF_FAIL},
		{"include:no.example ?all", "?all", SPF_NEUTRAL},
		{"redirect=inc.example", "ip4:192.0.2.1", SPF_PASS},
		{"a//64", "a:a.example//64", SPF_PASS},
		{"ip4:0.0.0.0/0", "ip4:0.0.0.0/0", SPF_PASS},
		{"a:b.example/0", "a:b.example/0", SPF_PASS},
		{"", "", SPF_NEUTRAL},
	};
	struct spf_finding f;
	char zone[1024];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(zone, sizeof(zone),
		         "a.example TXT \"v=spf1 %s\"\n"
		         "a.example A 192.0.2.1\n"
		         "b.example MX 1 c.example\n"
		         "b.example A 198.51.100.1\n"
		         "c.example A 192.0.2.200\n"
		         "1.2.0.192.b.example A 127.0.0.2\n"
		         "inc.example TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
		         "no.example TXT \"v=spf1 -all\"\n",
		         cases[i].record);
		f = check_zone(zone, (struct question){0});
		ck_assert_msg(f.result == cases[i].result, "%s: %s",
		              cases[i].record, spf_result_name(f.result));
		is(f.term, cases[i].term);
		is(f.domain, "a.example");
	}
}
END_TEST

START_TEST(a_reason_says_what_an_administrator_can_do)
{
	static const struct {
		const char *zone, *reason;
		enum spf_result result;
	} cases[] = {
		{"b.example A 192.0.2.1", "a.example has no SPF record",
		 SPF_NONE},
		{"a.example TXT \"v=spf1 include:b.example\"",
		 "include:b.example has no SPF record", SPF_PERMERROR},
		{"a.example TXT \"v=spf1 redirect=b.example\"",
		 "redirect=b.example has no SPF record", SPF_PERMERROR},
		{"a.example TXT \"v=spf1\"\na.example TXT \"v=spf1 -all\"",
		 "a.example has 2 SPF records", SPF_PERMERROR},
		{"a.example TXT \"v=spf1 a:b.example ip4:300.1.1.1\"",
		 "a.example, \"ip4:300.1.1.1\": not an IPv4 address",
		 SPF_PERMERROR},
		{"a.example TXT \"v=spf1 al\"",
		 "a.example, \"al\": no such mechanism", SPF_PERMERROR},
		{"a.example TIMEOUT", "a.example TXT: timed out",
		 SPF_TEMPERROR},
		{"a.example TXT \"v=spf1 a:b.example -all\"\n"
		 "b.example SERVFAIL", "b.example A: server failure",
		 SPF_TEMPERROR},
		{"a.example TXT \"v=spf1 a:x.example a:y.example a:z.example\"",
		 "3 look-ups without an answer, 2 allowed; the last was "
		 "z.example A", SPF_PERMERROR},
		{"a.example TXT \"v=spf1 include:a.example\"",
		 "11 DNS terms, 10 allowed", SPF_PERMERROR},
		{"a.example TXT \"v=spf1 exp=b.example exp=b.example\"",
		 "a.example has two exp modifiers", SPF_PERMERROR},
	};
	struct spf_finding f;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = check_zone(cases[i].zone, (struct question){0});
		is(f.reason, cases[i].reason);
		ck_assert_int_eq(f.result, cases[i].result);
	}
}
END_TEST

START_TEST(helo_and_mail_from_are_kept_apart)
{
	static const char zone[] =
		"mail.example TXT \"v=spf1 -all exp=%{l}.e.example\"\n"
		"postmaster.e.example TXT \"%{s} from %{h}\"\n"
		"a.example TXT \"v=spf1 +all\"\n";
	struct spf_finding f;

	f = check_zone(zone, (struct question){.identity = SPF_HELO});
	ck_assert_int_eq(f.result, SPF_FAIL);
	is(f.domain, "mail.example");
	is(f.explanation, "postmaster@mail.example from mail.example");
	f = check_zone(zone, (struct question){.identity = SPF_MAILFROM});
	ck_assert_int_eq(f.result, SPF_PASS);
	is(f.domain, "a.example");
	/* the null sender is judged by HELO's domain (RFC 7208 2.4) */
	f = check_zone(zone, (struct question){.sender = ""});
	ck_assert_int_eq(f.result, SPF_FAIL);
}
END_TEST

START_TEST(what_is_no_domain_is_none_without_a_look_up)
{
	static const char *const senders[] = {
		"u@localhost", "u@[192.0.2.1]", "u@192.0.2.1", "u@a..example",
		"u@a b.example", "u@", "u", "u@a\r\n.example", "u@.",
	};
	struct resolver *r = zone_of("");
	struct spf_finding f;
	size_t i;

	for (i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		f = check_at(r, (struct question){.sender = senders[i]});
		ck_assert_int_eq(f.result, SPF_NONE);
		ck_assert_uint_eq(f.lookups, 0);
	}
	resolver_unref(r);
}
END_TEST

START_TEST(a_u_label_is_asked_for_as_an_a_label)
{
	static const char zone[] =
		"xn--bcher-kva.example TXT \"v=spf1 exists:%{l}.e.example "
		"exists:%{d}.x.example -all\"\n"
		"xn--bcher-kva.example.x.example A 127.0.0.2\n";
	struct spf_finding f;

	f = check_zone(zone,
	               (struct question){.sender = "u@b\xc3\xbc" "cher.example"});
	ck_assert_int_eq(f.result, SPF_PASS);
	is(f.domain, "xn--bcher-kva.example");
	/* RFC 8616 4: %{l} of a local part that is not ASCII never matches,
	   and is not looked up */
	f = check_zone(zone, (struct question){
		.sender = "\xc3\xbc@b\xc3\xbc" "cher.example"});
	ck_assert_int_eq(f.result, SPF_PASS);
	ck_assert_uint_eq(f.lookups, 2);
	ck_assert_uint_eq(f.voids, 0);
}
END_TEST

START_TEST(every_byte_has_its_place_in_a_record)
{
	struct resolver *r;
	struct spf_finding f;
	char record[64];
	unsigned b;
	size_t n;

	for (b = 0; b < 256; b++) {
		n = (size_t)snprintf(record, sizeof(record),
		                     "v=spf1 a:x%cy.example -all", (char)b);
		r = zone_new();
		zone_add(r, SPAN("a.example"), DNS_TXT,
		         (struct dns_record){{record, n}, 0});
		f = check_at(r, (struct question){0});
		resolver_unref(r);
		/* a blank parts two terms, "%y" is no macro, "/" may stand in
		   a name */
		ck_assert_msg(f.result == (b > ' ' && b <= '~' && b != '%'
		                           ? SPF_FAIL : SPF_PERMERROR),
		              "%u: %s", b, spf_result_name(f.result));
	}
}
END_TEST

/* A record with n terms that are not ours, then ours or not. */
static struct spf_finding
long_record(unsigned n, const char *last, const char *client)
{
	char *text = malloc((size_t)n * 20 + 100);
	struct resolver *r = zone_new();
	struct spf_finding f;
	size_t at = 6;
	unsigned i;

	strcpy(text, "v=spf1");
	for (i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, " ip4:10.%u.%u.%u", i / 65536,
		                      i / 256 % 256, i % 256);
	sprintf(text + at, " %s -all", last);
	add_txt(r, "a.example", text);
	free(text);
	f = check_at(r, (struct question){.client = client});
	resolver_unref(r);
	return f;
}

START_TEST(a_record_of_any_length_is_read_to_its_end)
{
	static const unsigned length[] = {1, 62, 63, 64, 65, 500, 4000, 40000};
	struct spf_finding f;
	size_t i;

	for (i = 0; i < sizeof(length) / sizeof(length[0]); i++) {
		f = long_record(length[i], "ip4:192.0.2.1", "192.0.2.1");
		is(f.term, "ip4:192.0.2.1");
		f = long_record(length[i], "ip4:192.0.2.2", "192.0.2.1");
		is(f.term, "-all");
		f = long_record(length[i], "ip6:2001:db8::/32", "2001:db8::1");
		is(f.term, "ip6:2001:db8::/32");
		f = long_record(length[i], "ip4:192.0.2.333", "10.0.0.0");
		ck_assert_int_eq(f.result, SPF_PERMERROR);
	}
}
END_TEST

START_TEST(an_explanation_is_one_short_line_of_ascii)
{
	char record[600] = "", sender[400];
	struct resolver *r = zone_of(
		"a.example TXT \"v=spf1 -all exp=e.example\"");
	struct spf_finding f;
	size_t i;

	for (i = 0; i < 127; i++)
		strcat(record, "%{S}");
	add_txt(r, "e.example", record);
	memset(sender, '\xff', 300);
	strcpy(sender + 300, "\r\n250-\x1b[2J@a.example");
	f = check_at(r, (struct question){.sender = sender});
	ck_assert_int_eq(f.result, SPF_FAIL);
	ck_assert_uint_eq(f.explanation.n, 400);
	for (i = 0; i < f.explanation.n; i++)
		ck_assert(f.explanation.p[i] >= ' ' &&
		          f.explanation.p[i] <= '~');
	resolver_unref(r);
	r = zone_of("a.example TXT \"v=spf1 -all exp=e.example\"\n"
	            "e.example TXT \"%{l} is not us\"");
	f = check_at(r, (struct question){
		.sender = "a\r\n250-\x1b[2J\"\xc3\xa9@a.example"});
	is(f.explanation, "a??250-?[2J\"?? is not us");
	resolver_unref(r);
}
END_TEST

START_TEST(an_explanation_that_can_t_be_had_changes_nothing)
{
	static const char *const texts[] = {
		"e.example TXT \"one\"\ne.example TXT \"two\"",
		"e.example TXT \"%{x}\"", "e.example TIMEOUT", "",
		"e.example TXT \"caf\\195\\169\"", "e.example TXT \"tab\\009\"",
	};
	struct spf_finding f;
	char zone[200];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(zone, sizeof(zone),
		         "a.example TXT \"v=spf1 -all exp=e.example\"\n%s",
		         texts[i]);
		f = check_zone(zone, (struct question){0});
		ck_assert_int_eq(f.result, SPF_FAIL);
		ck_assert_uint_eq(f.explanation.n, 0);
	}
}
END_TEST

START_TEST(limits_count_over_includes_and_redirect)
{
	static const char zone[] =
		"a.example TXT \"v=spf1 a a include:b.example a redirect=%s\"\n"
		"b.example TXT \"v=spf1 a a a -all\"\n"
		"c.example TXT \"v=spf1 a a -all\"\n"
		"d.example TXT \"v=spf1 a a a -all\"\n"
		"a.example A 198.51.100.1\nb.example A 198.51.100.1\n"
		"c.example A 198.51.100.1\nd.example A 198.51.100.1\n";
	struct spf_finding f;
	char text[512];

	snprintf(text, sizeof(text), zone, "c.example");
	f = check_zone(text, (struct question){0});
	ck_assert_int_eq(f.result, SPF_FAIL);
	ck_assert_uint_eq(f.terms, 10);
	snprintf(text, sizeof(text), zone, "d.example");
	f = check_zone(text, (struct question){0});
	ck_assert_int_eq(f.result, SPF_PERMERROR);
	is(f.reason, "11 DNS terms, 10 allowed");
}
END_TEST

/* ---- against a server ---- */

static struct resolver *
resolver_of(struct dns_server *s)
{
	const char *why;
	struct resolver *r = resolver_new(span_of(dns_server_address(s)),
	                                  1 << 20, &why);

	ck_assert_ptr_nonnull(r);
	return r;
}

/* Answers the first question, then does as *of says. */
enum then { SILENT, LATE, WRONG_ID, WRONG_NAME, ENDLESS_TCP, EACH_LATE };

static int
first_only(struct dns_reply *r, void *of)
{
	static const char record[] =
		"v=spf1 a:b.example a:c.example a:d.example mx -all";
	enum then then = *(enum then *)of;

	if (r->type == DNS_TXT)
		dns_reply_txt(r, r->name, 0, record, sizeof(record) - 1);
	if (then == EACH_LATE) {
		if (r->type == DNS_A)
			dns_reply_add(r, r->name, DNS_A, 0, "\x0a\0\0\1", 4);
		return 90;
	}
	if (r->type == DNS_TXT)
		return 0;
	if (then == SILENT)
		return -1;
	if (then == WRONG_ID)
		r->message[0] ^= 1;
	if (then == WRONG_NAME)
		r->message[13] = 'x';
	if (then == ENDLESS_TCP && !r->tcp)
		r->message[2] |= 2;
	if (then == ENDLESS_TCP && r->tcp) {
		r->flood = 32; /* two million bytes */
		return -1;
	}
	return then == LATE ? 2000 : 0;
}

START_TEST(one_deadline_holds_over_everything)
{
	enum then then;

	for (then = SILENT; then <= EACH_LATE; then++) {
		struct dns_server *s = dns_server_start(first_only, &then);
		struct resolver *r = resolver_of(s);
		int64_t begin = dns_now();
		struct spf_finding f;
		double took;

		f = check_at(r, (struct question){.ms = 300});
		took = (double)(dns_now() - begin) / MS;
		ck_assert_msg(took >= 299 && took < 400, "%d: %.1f ms", then,
		              took);
		ck_assert_int_eq(f.result, SPF_TEMPERROR);
		ck_assert(memcmp(f.reason.p, "no result within 0.3 seconds",
		                 28) == 0);
		resolver_unref(r);
		dns_server_stop(s);
	}
}
END_TEST

static int
flooded(struct dns_reply *r, void *of)
{
	(void)of;
	if (!r->tcp) {
		r->message[2] |= 2;
		return 0;
	}
	r->flood = 20; /* more than a million bytes, then the answer */
	dns_reply_txt(r, r->name, 60, "v=spf1 -all", 11);
	return 0;
}

START_TEST(an_answer_behind_a_million_bytes_is_found)
{
	struct dns_server *s = dns_server_start(flooded, NULL);
	struct resolver *r = resolver_of(s);
	struct spf_finding f = check_at(r, (struct question){.ms = 5000});

	ck_assert_int_eq(f.result, SPF_FAIL);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

static int
plain(struct dns_reply *r, void *of)
{
	(void)of;
	if (r->type == DNS_TXT)
		dns_reply_txt(r, r->name, 60, "v=spf1 a mx -all", 16);
	else if (r->type == DNS_A)
		dns_reply_add(r, r->name, DNS_A, 60, "\x0a\0\0\1", 4);
	else
		dns_reply_soa(r, 60);
	return 0;
}

START_TEST(a_known_sender_costs_no_question)
{
	struct dns_server *s = dns_server_start(plain, NULL);
	struct resolver *r = resolver_of(s);
	unsigned before;

	ck_assert_int_eq(check_at(r, (struct question){0}).result, SPF_FAIL);
	before = dns_server_questions(s);
	ck_assert_uint_eq(before, 3);
	ck_assert_int_eq(check_at(r, (struct question){0}).result, SPF_FAIL);
	ck_assert_uint_eq(dns_server_questions(s), before);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

/* Every other name anew, so that the cache is written and read. */
static void *
many_checks(void *of)
{
	struct spf_budget budget = SPF_BUDGET;
	struct arena *a = arena_new(0);
	struct spf_finding f;
	struct ip ip;
	char sender[64];
	intptr_t failures = 0;
	unsigned i;

	ip_parse(SPAN("192.0.2.1"), &ip);
	for (i = 0; i < 60; i++) {
		snprintf(sender, sizeof(sender), "u@n%u.example", i / 2);
		spf_check(of, SPF_MAILFROM, &ip, SPAN("h.example"),
		          span_of(sender), &budget, a, &f);
		failures += f.result != SPF_FAIL;
		arena_reset(a);
	}
	arena_free(a);
	return (void *)failures;
}

START_TEST(four_threads_share_a_resolver)
{
	struct dns_server *s = dns_server_start(plain, NULL);
	struct resolver *r = resolver_of(s);
	pthread_t thread[4];
	void *failures;
	size_t i;

	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, many_checks, r);
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], &failures);
		ck_assert_ptr_null(failures);
	}
	ck_assert_uint_gt(resolver_stats(r).from_cache, 100);
	resolver_unref(r);
	dns_server_stop(s);
}
END_TEST

static void
note(void *of, const struct spf_lookup *l)
{
	char *out = of;

	sprintf(out + strlen(out), "%.*s %s %s;", SPAN_ARG(l->name),
	        dns_type_name(l->type), dns_status_words(l->answer->status));
}

START_TEST(each_look_up_is_told)
{
	struct resolver *r = zone_of(
		"a.example TXT \"v=spf1 ptr mx a:%{p} -all exp=e.example\"");
	struct spf_budget budget = SPF_BUDGET;
	struct arena *a = arena_new(0);
	struct spf_finding f;
	char told[512] = "";
	struct ip ip;

	budget.trace = note;
	budget.of = told;
	budget.voids = 9;
	ip_parse(SPAN("192.0.2.1"), &ip);
	spf_check(r, SPF_MAILFROM, &ip, SPAN("h"), SPAN("u@a.example"), &budget,
	          a, &f);
	ck_assert_str_eq(told, "a.example TXT found;"
	                 "1.2.0.192.in-addr.arpa PTR no such name;"
	                 "a.example MX no record;"
	                 "unknown A no such name;"
	                 "e.example TXT no such name;");
	ck_assert_uint_eq(f.lookups, 5);
	arena_free(a);
	resolver_unref(r);
}
END_TEST

CHECK_MAIN("spf", the_term_that_matched_is_named,
           a_reason_says_what_an_administrator_can_do,
           helo_and_mail_from_are_kept_apart,
           what_is_no_domain_is_none_without_a_look_up,
           a_u_label_is_asked_for_as_an_a_label,
           every_byte_has_its_place_in_a_record,
           a_record_of_any_length_is_read_to_its_end,
           an_explanation_is_one_short_line_of_ascii,
           an_explanation_that_can_t_be_had_changes_nothing,
           limits_count_over_includes_and_redirect,
           one_deadline_holds_over_everything,
           an_answer_behind_a_million_bytes_is_found,
           a_known_sender_costs_no_question, four_threads_share_a_resolver,
           each_look_up_is_told)
