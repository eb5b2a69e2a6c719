/* test_try.c - what the policy's tests and explain say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "check.h"
#include "try.h"

static struct policy *policy;
static struct diags *diags;
static char *out;

static void
begin(const char *text)
{
	diags = diags_new();
	policy = policy_load_text(span_of(text), "vaglio.conf", ".", diags);
	if (policy == NULL)
		diags_print(diags, stderr);
	ck_assert_ptr_nonnull(policy);
}

static void
end(void)
{
	policy_unref(policy);
	diags_free(diags);
	free(out);
	out = NULL;
}

static size_t
tests(char *const *names, size_t n, bool verbose, size_t *ran)
{
	size_t bytes, failed;
	FILE *f;

	free(out);
	f = open_memstream(&out, &bytes);
	ck_assert_ptr_nonnull(f);
	failed = try_tests(policy, names, n, verbose, f, ran);
	fclose(f);
	return failed;
}

static struct resolver *resolver; /* or NULL */

static int
explain(const struct scenario *s, bool json)
{
	size_t bytes;
	FILE *f;
	int status;

	free(out);
	f = open_memstream(&out, &bytes);
	ck_assert_ptr_nonnull(f);
	status = try_explain(policy, s, json, resolver, f);
	fclose(f);
	return status;
}

#define SAYS(text) ck_assert_msg(strstr(out, text) != NULL, \
	"not said: %s\nbut:\n%s", text, out)

/* ---- tests ---- */

static const char two_tests[] =
	"rule r if helo is x.example reject\n"
	"test \"good\" helo x.example expect reject by r at helo\n"
	"test \"bad\" helo x.example\n"
	"  expect tempfail by r at mail for rcpt@example.com reply \"no\"\n"
	"  expect header \"Subject\" \"x\"\n";

START_TEST(a_failure_says_what_was_expected_and_what_came)
{
	size_t ran;

	begin(two_tests);
	ck_assert_uint_eq(tests(NULL, 0, false, &ran), 1);
	ck_assert_uint_eq(ran, 2);
	ck_assert_str_eq(out, "FAILED  bad\n"
		"vaglio.conf:4: expected tempfail by r at mail for "
		"rcpt@example.com reply \"no\"\n"
		"          got reject by r at helo reply "
		"\"550 5.7.1 refused by policy\"\n"
		"vaglio.conf:5: expected header \"Subject\" \"x\"\n"
		"          got reject by r at helo reply "
		"\"550 5.7.1 refused by policy\"\n");
	end();
}
END_TEST

START_TEST(verbose_says_what_passed)
{
	char *names[] = {(char[]){"good"}};
	size_t ran;

	begin(two_tests);
	ck_assert_uint_eq(tests(names, 1, true, &ran), 0);
	ck_assert_uint_eq(ran, 1);
	ck_assert_str_eq(out, "ok      good\n");
	end();
}
END_TEST

START_TEST(a_policys_failures_are_its_mistakes)
{
	begin(two_tests);
	ck_assert(!try_policy(policy, diags));
	ck_assert_uint_eq(diags_errors(diags), 2);
	end();
}
END_TEST

START_TEST(every_kind_of_expectation_can_fail)
{
	size_t ran;

	begin("rule h if helo is held.example quarantine\n"
	      "rule a if helo add header \"X-A\" \"1\"\n"
	      "shadow rule s if helo is s.example reject \"s\"\n"
	      "test \"1\" helo held.example expect accept\n"
	      "test \"2\" expect held by h\n"
	      "test \"3\" expect no header \"X-A\"\n"
	      "test \"4\" expect rcpt other@example.com\n"
	      "test \"5\" expect no rcpt rcpt@example.com\n"
	      "test \"6\" helo s.example expect shadow tempfail by s\n"
	      "test \"7\" expect shadow reject by s\n"
	      "test \"8\" expect accept for nobody@example.com\n"
	      "test \"9\" expect accept at mail\n"
	      "test \"10\" helo s.example expect shadow discard by s\n"
	      "test \"11\" body \"one\" expect body contains \"two\"\n"
	      "test \"12\" body \"one\" expect body not contains \"one\"\n"
	      "test \"13\" expect sender <>\n"
	      "test \"14\" sender <> expect sender a@example.org\n"
	      "test \"15\" helo s.example expect no shadow by s\n"
	      "test \"16\" helo s.example expect shadow noted by s\n"
	      "test \"17\" expect no header \"X-A\" \"1\"\n"
	      "test \"good\" expect no header \"X-A\" \"2\"\n"
	      "  expect no shadow by s expect sender sender@example.net\n"
	      "test \"null\" sender <> expect sender <>\n");
	ck_assert_uint_eq(tests(NULL, 0, false, &ran), 17);
	SAYS("expected sender <>\n          got sender sender@example.net\n");
	SAYS("expected sender a@example.org\n          got sender <>\n");
	SAYS("expected no shadow by s\n          got shadow reject by s at ");
	SAYS("expected shadow noted by s\n          got shadow reject by s");
	SAYS("expected no header \"X-A\" \"1\"\n          got header \"X-A\" ");
	SAYS("expected body contains \"two\"\n          got body \"one\n\"");
	SAYS("expected body not contains \"one\"\n");
	SAYS("got held by h at end");
	SAYS("expected held by h\n          got accept at end");
	SAYS("got header \"X-A\" \"1\"");
	SAYS("got rcpt { rcpt@example.com }");
	SAYS("expected shadow tempfail by s\n"
		"          got shadow reject by s at ");
	SAYS("got no shadow rule would do anything");
	SAYS("got no such recipient in the test");
	end();
}
END_TEST

START_TEST(the_stages_say_what_each_rule_waits_for)
{
	size_t bytes;
	FILE *f;

	begin("rule up if header \"X-Key\" is x accept\n"
	      "rule a if rcpt is a@example.org log \"${subject}\"\n"
	      "rule b if any rcpt is b@example.org or rcpt.count > 5 discard\n"
	      "rule c if client is 192.0.2.1 reject\n"
	      "rule d if folded subject is x or subject is y log \"\"\n"
	      "rule e log \"\"\n");
	free(out);
	f = open_memstream(&out, &bytes);
	ck_assert_ptr_nonnull(f);
	policy_dump_stages(policy, f);
	fclose(f);
	ck_assert_str_eq(out,
		"# up: settled at headers for header \"X-Key\"\n"
		"# a: settled at headers for subject; once for each recipient\n"
		"# b: settled at data for any rcpt, rcpt.count\n"
		"# c: settled at connect for client; may wait until headers "
		"for up\n"
		"# d: settled at headers for subject, folded subject\n"
		"# e: settled at connect\n");
	end();
}
END_TEST

/* ---- explain ---- */

static const char policy_text[] =
	"table <logins> { alice = { alice@example.org } }\n"
	"rule login-owns-sender\n"
	"  if auth unless sender in <logins>[auth]\n"
	"  reject 553 5.7.1 \"${auth} may not send as ${sender}\"\n"
	"rule relay\n"
	"  if rcpt.domain not in { example.com } unless auth\n"
	"  reject 550 5.7.1 \"relaying denied\"\n"
	"rule slow if subject is slow tempfail\n"
	"rule mark if client add header \"X-Mark\" \"yes\"\n"
	"shadow rule trial if subject is \"test\" discard\n";

START_TEST(explain_tells_each_rule_and_the_verdict)
{
	struct scenario s = {
		.auth = SPAN("alice"), .sender = SPAN("boss@example.org"),
	};

	begin(policy_text);
	ck_assert_int_eq(explain(&s, false), 1);
	SAYS("connect login-owns-sender   later  auth is not known yet\n");
	SAYS("connect mark                yes    client is ");
	SAYS("mail    login-owns-sender   yes    auth is \"alice\"; sender "
		"\"boss@example.org\" not in <logins>[\"alice\"]\n"
		"mail    relay               no     ");
	SAYS("        -> reject at mail: 553 5.7.1 \"alice may not send as "
		"boss@example.org\"   (vaglio.conf:2)\n");
	end();
}
END_TEST

START_TEST(explain_tells_what_would_change)
{
	struct span rcpts[] = {SPAN("a@example.com"), SPAN("b@example.net")};
	struct scenario s = {.rcpts = rcpts, .n_rcpts = 2};

	begin(policy_text);
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("rcpt    relay               no     rcpt.domain \"example.com\" ");
	SAYS("   (for a@example.com)\n");
	SAYS("        -> reject at rcpt for b@example.net: 550 5.7.1 "
		"\"relaying denied\"   (vaglio.conf:5)\n");
	SAYS("        -> accept at end\n");
	SAYS("shadow  trial would discard at ");
	SAYS("--- as it came\n+++ as it is let in\n@@ ");
	SAYS("\n+X-Mark: yes\n");
	ck_assert_ptr_null(strstr(out, "RCPT TO:<b@example.net>"));
	end();
}
END_TEST

static const char each_policy[] =
	"rule abuse if rcpt is abuse@example.org accept\n"
	"rule casino if rcpt.domain is example.org and subject is \"casino\"\n"
	"  discard\n";

START_TEST(explain_tells_what_comes_to_each_recipient)
{
	struct span rcpts[] = {SPAN("abuse@example.org"),
	                       SPAN("joe@example.org"), SPAN("x@example.net")};
	struct scenario_pair subject = {SPAN("Subject"), SPAN("casino")};
	struct scenario s = {
		.rcpts = rcpts, .n_rcpts = 3,
		.headers = &subject, .n_headers = 1,
	};

	begin(each_policy);
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("rcpt    casino         no     rcpt.domain \"example.net\" is not "
		"example.org   (for x@example.net)\n");
	SAYS("headers casino         yes    rcpt.domain \"example.org\" is "
		"example.org; subject \"casino\" is \"casino\"   "
		"(for joe@example.org)\n");
	SAYS("        -> accept at end for abuse@example.org   "
		"(vaglio.conf:1)\n"
		"        -> discard at end for joe@example.org   "
		"(vaglio.conf:2)\n"
		"        -> accept at end for x@example.net\n");
	end();
}
END_TEST

START_TEST(explain_ends_a_recipients_reading_where_it_ended)
{
	struct span rcpts[] = {SPAN("abuse@example.org"),
	                       SPAN("joe@example.org")};
	struct scenario s = {.rcpts = rcpts, .n_rcpts = 2};

	begin("rule abuse if rcpt is abuse@example.org accept\n"
	      "rule all if rcpt.domain is example.org log \"x\"\n");
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("rcpt    all            yes    ");
	SAYS("   (for joe@example.org)\n");
	ck_assert_ptr_null(strstr(out, "is example.org   (for abuse@"));
	end();
}
END_TEST

START_TEST(explain_says_what_a_rule_waits_for)
{
	struct scenario s = {.spf = SPAN("none")};

	begin("table <bl> dns \"bl.example\"\n"
	      "rule up if auth accept\n"
	      "rule bl if client in <bl> on error skip reject\n"
	      "rule own if client is daemon.address reject\n"
	      "rule us if helo is mta or sender.domain is from.domain\n"
	      "  log \"x\"\n"
	      "rule one if helo is {\n    a\n\tb } or client.name is x reject\n");
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("connect bl             later  <bl> is not asked yet\n");
	SAYS("connect own            no     client \"198.51.100.1\" is not "
		"daemon.address \"192.0.2.25\"\n");
	SAYS("connect us             later  helo is not known yet\n");
	SAYS("headers us             yes    sender.domain \"example.net\" is "
		"from.domain \"example.net\"\n");
	SAYS("helo    one            no     helo \"mail.example.net\" is not "
		"{ a b }; no client.name\n");
	end();
}
END_TEST

START_TEST(explain_of_a_long_condition_comes_to_an_end)
{
	struct scenario s = {0};
	size_t bytes;
	char *text;
	FILE *f = open_memstream(&text, &bytes);
	int i;

	ck_assert_ptr_nonnull(f);
	fputs("rule r if helo is a", f);
	for (i = 0; i < 4000; i++)
		fprintf(f, " or helo is h%d.example", i);
	fputs(" reject", f);
	fclose(f);
	begin(text);
	free(text);
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("is not h9.example; ");
	SAYS("; and so on\n");
	ck_assert_uint_lt(strlen(out), 4000);
	end();
}
END_TEST

START_TEST(explain_takes_many_recipients)
{
	static struct span rcpts[20000];
	struct scenario s = {.rcpts = rcpts, .n_rcpts = 20000};
	size_t i;

	for (i = 0; i < s.n_rcpts; i++)
		rcpts[i] = SPAN("joe@example.org");
	begin("rule some if rcpt.count > 1 accept\n");
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("-> accept at data   (vaglio.conf:1)\n");
	end();
}
END_TEST

static void
explain_spf_of(const char *sender, bool json)
{
	static const char zone[] =
		"good.example 60 TXT \"v=spf1 mx -all\"\n"
		"good.example 60 MX 10 mx.good.example\n"
		"mx.good.example 60 A 192.0.2.1\n"
		"bad.example 60 TXT \"v=spf1 -all exp=why.bad.example\"\n"
		"why.bad.example 60 TXT \"not %{i}\"\n"
		"wrong.example 60 TXT \"v=spf1 include:none.example\"\n"
		"down.example SERVFAIL\n";
	struct scenario s = {
		.client = SPAN("192.0.2.1"), .helo = SPAN("down.example"),
		.sender = span_of(sender),
	};
	unsigned line;
	const char *why;

	resolver = resolver_zone(span_of(zone), &line, &why);
	ck_assert_ptr_nonnull(resolver);
	begin("rule a\n  if spf is pass and spf.helo is temperror\n  log \"\"\n"
	      "rule b\n  if spf is fail\n  reject \"${spf.explanation}\"\n");
	explain(&s, json);
	resolver_unref(resolver);
	resolver = NULL;
}

START_TEST(explain_tells_each_look_up_and_what_spf_found)
{
	json_t *all, *want;

	explain_spf_of("u@good.example", false);
	SAYS("dns     good.example TXT: \"v=spf1 mx -all\"   (");
	SAYS("dns     good.example MX: 10 mx.good.example   (");
	SAYS("dns     mx.good.example A: 192.0.2.1   (");
	SAYS("dns     down.example TXT: server failure   (");
	SAYS(" ms)\n");
	SAYS("\nspf     pass for good.example: mx:good.example\n"
	     "spf     temperror for HELO down.example: down.example TXT: "
	     "server failure\n");
	end();
	explain_spf_of("u@bad.example", false);
	SAYS("\nspf     fail for bad.example: -all\n"
	     "        \"not 192.0.2.1\"\n"
	     "        -> reject at mail: 550 5.7.1 \"not 192.0.2.1\"");
	end();
	explain_spf_of("u@wrong.example", false);
	SAYS("\nspf     permerror for wrong.example: include:none.example has "
	     "no SPF record\n");
	end();
	explain_spf_of("u@bad.example", true);
	all = json_loads(out, 0, NULL);
	ck_assert_ptr_nonnull(all);
	want = json_pack("[{s:s, s:s, s:s, s:s, s:s}]", "identity", "mailfrom",
		"domain", "bad.example", "result", "fail", "why", "-all",
		"explanation", "not 192.0.2.1");
	ck_assert(json_equal(json_object_get(all, "spf"), want));
	json_decref(want);
	ck_assert_uint_eq(json_array_size(json_object_get(all, "lookups")), 2);
	json_decref(all);
	end();
}
END_TEST

START_TEST(explain_of_a_deferral_is_75)
{
	struct scenario_pair subject = {SPAN("Subject"), SPAN("slow")};
	struct scenario s = {.headers = &subject, .n_headers = 1};

	begin(policy_text);
	ck_assert_int_eq(explain(&s, false), 75);
	SAYS("headers slow                yes    ");
	SAYS("        -> tempfail at headers: 451 4.7.1 "
		"\"try again later\"   (vaglio.conf:8)\n");
	end();
}
END_TEST

START_TEST(explain_reads_a_message)
{
	struct scenario s = {
		.message = SPAN("From: a@example.org\r\nSubject: sl\r\n"
			" ow\r\n\r\nbody\r\n"),
	};

	begin("rule s if subject is \"sl ow\" and raw body begins \"body\"\n"
	      "  reject");
	ck_assert_int_eq(explain(&s, false), 1);
	SAYS("-> reject at end: 550 5.7.1 \"refused by policy\"");
	end();
}
END_TEST

START_TEST(an_early_accept_lets_the_whole_message_in)
{
	struct scenario s = {.client = SPAN("192.0.2.1")};
	size_t ran;

	begin("rule c if client is 192.0.2.1 accept\n"
	      "rule r if raw body contains x reject\n"
	      "test \"t\" client 192.0.2.1 header \"X-A\" \"1\"\n"
	      "  expect accept at connect expect header \"X-A\" \"1\"\n"
	      "  expect rcpt rcpt@example.com\n");
	ck_assert_uint_eq(tests(NULL, 0, false, &ran), 0);
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("-> accept at connect   (vaglio.conf:1)\n");
	ck_assert_ptr_null(strstr(out, "@@"));
	end();
}
END_TEST

static const char footer[] =
	"rule footer append \"-- \\nus\"\n"
	"rule banner prepend body \"them\" once\n";

START_TEST(explain_tells_how_the_body_changes)
{
	struct scenario_pair type = {SPAN("Content-Type"),
	                             SPAN("multipart/signed; boundary=b")};
	struct scenario s = {.body = SPAN("of them\n")};

	begin(footer);
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("left out: prepend body of banner: the text stands in it already"
	     "   (vaglio.conf:2)\n--- as it came\n");
	SAYS("\n of them\n+-- \n+us\n");
	s.headers = &type;
	s.n_headers = 1;
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("left out: append of footer: it is signed or encrypted: "
	     "multipart/signed   (vaglio.conf:1)\n");
	ck_assert_ptr_null(strstr(out, "+-- "));
	end();
}
END_TEST

START_TEST(explain_tells_what_is_taken_out)
{
	struct scenario_pair type = {SPAN("Content-Type"),
	                             SPAN("application/x; name=\"\x1b.exe\"")};
	struct scenario s = {.headers = &type, .n_headers = 1,
	                     .body = SPAN("x\n")};
	json_t *all, *one;

	begin("rule r replace attachment with \"gone\"\n");
	ck_assert_int_eq(explain(&s, false), 0);
	SAYS("replace attachment \"\\x1b.exe\"   (vaglio.conf:1)\n"
	     "--- as it came\n");
	ck_assert_int_eq(explain(&s, true), 0);
	all = json_loads(out, 0, NULL);
	ck_assert_ptr_nonnull(all);
	one = json_array_get(json_object_get(all, "taken_out"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(one, "action")),
		"replace attachment");
	ck_assert_str_eq(json_string_value(json_object_get(one, "rule")), "r");
	ck_assert_str_eq(json_string_value(json_object_get(one, "name")),
		"\x1b.exe");
	json_decref(all);
	end();
}
END_TEST

START_TEST(json_has_the_new_body_in_one_piece)
{
	struct scenario s = {.body = SPAN("of them\n")};
	json_t *all, *list, *one;

	begin(footer);
	ck_assert_int_eq(explain(&s, true), 0);
	all = json_loads(out, 0, NULL);
	ck_assert_ptr_nonnull(all);
	list = json_object_get(all, "changes");
	ck_assert_uint_eq(json_array_size(list), 1);
	one = json_array_get(list, 0);
	ck_assert_str_eq(json_string_value(json_object_get(one, "change")),
		"replace body");
	ck_assert_str_eq(json_string_value(json_object_get(one, "value")),
		"of them\r\n-- \r\nus\r\n");
	list = json_object_get(all, "left_out");
	ck_assert_uint_eq(json_array_size(list), 1);
	one = json_array_get(list, 0);
	ck_assert_str_eq(json_string_value(json_object_get(one, "action")),
		"prepend body");
	ck_assert_str_eq(json_string_value(json_object_get(one, "rule")),
		"banner");
	ck_assert_str_eq(json_string_value(json_object_get(one, "why")),
		"the text stands in it already");
	json_decref(all);
	end();
}
END_TEST

START_TEST(json_is_json)
{
	struct scenario s = {
		.auth = SPAN("alice\xff\""), .sender = SPAN("a@example.org"),
	};
	json_t *all, *rules;

	begin(policy_text);
	ck_assert_int_eq(explain(&s, true), 1);
	all = json_loads(out, 0, NULL);
	ck_assert_ptr_nonnull(all);
	ck_assert_str_eq(json_string_value(json_object_get(all, "verdict")),
		"reject");
	ck_assert_str_eq(json_string_value(json_object_get(all, "stage")),
		"mail");
	ck_assert_str_eq(json_string_value(json_object_get(all, "rule")),
		"login-owns-sender");
	ck_assert_str_eq(json_string_value(json_object_get(all, "place")),
		"vaglio.conf:2");
	rules = json_object_get(all, "rules");
	ck_assert_uint_gt(json_array_size(rules), 4);
	json_decref(all);
	end();
}
END_TEST

START_TEST(json_has_the_changes)
{
	struct scenario s = {.auth = SPAN("alice"),
	                     .sender = SPAN("alice@example.org")};
	json_t *all, *change;

	begin(policy_text);
	ck_assert_int_eq(explain(&s, true), 0);
	all = json_loads(out, 0, NULL);
	ck_assert_ptr_nonnull(all);
	change = json_array_get(json_object_get(all, "changes"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(change, "change")),
		"add header");
	ck_assert_str_eq(json_string_value(json_object_get(change, "name")),
		"X-Mark");
	ck_assert(json_is_null(json_object_get(change, "index")));
	json_decref(all);
	end();
}
END_TEST

CHECK_MAIN("try", a_failure_says_what_was_expected_and_what_came,
	verbose_says_what_passed, a_policys_failures_are_its_mistakes,
	every_kind_of_expectation_can_fail,
	the_stages_say_what_each_rule_waits_for,
	explain_tells_each_rule_and_the_verdict,
	explain_tells_what_would_change,
	explain_tells_what_comes_to_each_recipient,
	explain_ends_a_recipients_reading_where_it_ended,
	explain_takes_many_recipients, explain_tells_each_look_up_and_what_spf_found,
	explain_says_what_a_rule_waits_for,
	explain_of_a_long_condition_comes_to_an_end,
	explain_of_a_deferral_is_75,
	explain_tells_what_is_taken_out, explain_reads_a_message, explain_tells_how_the_body_changes,
	json_has_the_new_body_in_one_piece,
	an_early_accept_lets_the_whole_message_in, json_is_json, json_has_the_changes)
