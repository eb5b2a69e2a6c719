/* test_dns_table.c - lists in the DNS, asked as a session asks them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "check.h"
#include "dns.h"
#include "try.h"

#define LET_IN 0
#define REFUSED 1

static const char zone[] =
	"$ORIGIN example.org.\n"
	"$TTL 60\n"
	"1.2.0.192.zen A 127.0.0.3\n"
	"1.2.0.192.zen TXT \"ask them\"\n"
	"2.2.0.192.zen A 127.0.0.9\n"
	"3.2.0.192.zen A 127.255.255.254\n"
	"4.2.0.192.zen A 203.0.113.1\n"
	"5.2.0.192.zen SERVFAIL\n"
	"6.2.0.192.zen TIMEOUT\n"
	"7.2.0.192.zen A 127.0.0.1\n"
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen"
	" A 127.0.0.2\n"
	"bad.example.com.dbl A 127.0.1.2\n"
	"5.113.0.203.dbl A 127.0.1.255\n";

#define RULE(condition, also) \
	"table <zen> dns \"zen.example.org\" { 127.0.0.2/31 }\n" \
	"table <any> dns \"ZEN.example.org.\"\n" \
	"table <dbl> dns \"dbl.example.org\"\n" \
	"rule r if " condition " " also "\n" \
	"rule rest if client in <zen> or client in <any> or helo in <dbl>\n" \
	"  on error skip log \"\"\n"

/* What explain says of the policy, and its exit status. */
static int
explain(const char *text, const struct scenario *given, char **out)
{
	struct diags *d = diags_new();
	struct policy *p = policy_load_text(span_of(text), "p", ".", d);
	struct resolver *r;
	const char *why;
	unsigned line;
	size_t bytes;
	FILE *f = open_memstream(out, &bytes);
	int status;

	if (p == NULL)
		diags_print(d, stderr);
	ck_assert(p != NULL && f != NULL);
	r = resolver_zone(span_of(zone), &line, &why);
	ck_assert_msg(r != NULL, "zone, line %u: %s", line, why);
	status = try_explain(p, given, false, r, f);
	fclose(f);
	resolver_unref(r);
	policy_unref(p);
	diags_free(d);
	return status;
}

static void
gives(const char *text, const struct scenario *given, int status,
      const char *says)
{
	char *out;
	int got = explain(text, given, &out);

	ck_assert_msg(got == status, "%d, not %d:\n%s", got, status, out);
	ck_assert_msg(strstr(out, says) != NULL, "no \"%s\" in:\n%s", says,
	              out);
	free(out);
}

static void
client_gives(const char *text, const char *client, int status,
             const char *says)
{
	struct scenario given = {.client = span_of(client)};

	gives(text, &given, status, says);
}

START_TEST(an_address_is_listed_if_an_answer_that_counts_comes)
{
	static const char policy[] = RULE("client in <zen>",
		"on error skip reject \"${<zen>[client]}\"");

	client_gives(policy, "192.0.2.1", REFUSED, "ask them");
	client_gives(policy, "192.0.2.2", LET_IN, "");
	client_gives(policy, "192.0.2.4", LET_IN, "");
	client_gives(policy, "192.0.2.99", LET_IN, "");
	client_gives(policy, "2001:db8::1", REFUSED, "");
	client_gives(policy, "2001:db8::2", LET_IN, "");
}
END_TEST

START_TEST(without_answers_all_of_127_counts_but_the_lists_own_errors)
{
	static const char policy[] = RULE("client in <any>",
		"on error tempfail reject");

	client_gives(policy, "192.0.2.1", REFUSED, "");
	client_gives(policy, "192.0.2.2", REFUSED, "");
	client_gives(policy, "192.0.2.4", LET_IN, "");
	client_gives(policy, "192.0.2.3", EX_TEMPFAIL, "failure in rule r");
	client_gives(policy, "192.0.2.7", EX_TEMPFAIL, "failure in rule r");
}
END_TEST

START_TEST(a_list_that_does_not_answer_makes_the_rules_on_error)
{
	static const char skip[] = RULE("client in <zen>",
		"on error skip reject");
	static const char defer[] = RULE("client not in <zen>",
		"on error tempfail reject");

	client_gives(skip, "192.0.2.5", LET_IN, "");
	client_gives(skip, "192.0.2.6", LET_IN, "");
	client_gives(defer, "192.0.2.5", EX_TEMPFAIL, "failure in rule r");
	client_gives(defer, "192.0.2.6", EX_TEMPFAIL, "failure in rule r");
}
END_TEST

START_TEST(names_and_the_domains_of_addresses_are_asked_for_as_they_are)
{
	static const char helo[] = RULE("helo in <dbl>",
		"on error tempfail reject");
	static const char sender[] = RULE("sender in <dbl>",
		"on error tempfail reject");
	struct scenario given = {.helo = SPAN("Bad.Example.COM")};

	gives(helo, &given, REFUSED, "");
	given.helo = SPAN("good.example.com");
	gives(helo, &given, LET_IN, "");
	given.helo = SPAN("203.0.113.5"); /* no name: not asked for */
	gives(helo, &given, LET_IN, "");
	given.helo = SPAN("[203.0.113.5]");
	gives(helo, &given, LET_IN, "");
	given.helo = SPAN("mail..example.com");
	gives(helo, &given, LET_IN, "");
	given.helo = SPAN("mail.example.net");
	given.sender = SPAN("joe@bad.example.com");
	gives(sender, &given, REFUSED, "");
	given.sender = SPAN("");
	gives(sender, &given, LET_IN, "");
}
END_TEST

START_TEST(a_cheap_condition_that_settles_it_spares_the_question)
{
	static const char policy[] =
		"table <zen> dns \"zen.example.org\"\n"
		"rule r if client in <zen> and helo is x.example\n"
		"  on error tempfail reject\n";

	client_gives(policy, "192.0.2.6", LET_IN, "");
}
END_TEST

CHECK_MAIN("dns_table",
	an_address_is_listed_if_an_answer_that_counts_comes,
	without_answers_all_of_127_counts_but_the_lists_own_errors,
	a_list_that_does_not_answer_makes_the_rules_on_error,
	names_and_the_domains_of_addresses_are_asked_for_as_they_are,
	a_cheap_condition_that_settles_it_spares_the_question)
