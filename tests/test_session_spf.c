/* test_session_spf.c - when a session asks for SPF, and what comes of it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "dns_server.h"
#include "session.h"
#include "table.h"

static struct policy *policy;
static struct session *session;
static struct diags *diags;
static struct resolver *resolver;
static struct dns_server *server;
static const char *login; /* or NULL */
static char logged[8192];
static const struct change *changes;
static size_t n_changes;
static const struct table *const *tables; /* in place of the policy's, or NULL */

static const char *
macro(void *of, const char *name)
{
	(void)of;
	if (strcmp(name, "j") == 0)
		return "mx.example.org";
	return strcmp(name, "{auth_authen}") == 0 ? login : NULL;
}

static void
keep_line(void *of, int priority, struct span line)
{
	size_t n = strlen(logged);

	(void)of;
	(void)priority;
	snprintf(logged + n, sizeof(logged) - n, "%.*s\n", SPAN_ARG(line));
}

/* slow.example is never answered; the others by their first letter. */
static int
serve(struct dns_reply *r, void *of)
{
	static const char fail[] = "v=spf1 -all exp=why.example";
	static const char ip[] = "v=spf1 ip4:198.51.100.0/24 -all";

	(void)of;
	if (strcmp(r->name, "slow.example") == 0)
		return -1;
	if (r->type == DNS_TXT && r->name[0] == 'w')
		dns_reply_txt(r, r->name, 60, "no,\"%{l}\"\\", 10);
	else if (r->type == DNS_TXT && r->name[0] == 'f')
		dns_reply_txt(r, r->name, 0, fail, sizeof(fail) - 1);
	else if (r->type == DNS_TXT && r->name[0] == 'i')
		dns_reply_txt(r, r->name, 0, ip, sizeof(ip) - 1);
	else if (r->type == DNS_TXT && r->name[0] == 'b')
		dns_reply_txt(r, r->name, 0, "v=spf1 foo", 10);
	else if (r->type == DNS_TXT && r->name[0] == 'p')
		dns_reply_txt(r, r->name, 0, "v=spf1 +all", 11);
	return 0;
}

static void
begin(const char *text)
{
	struct session_host host = {.macro = macro, .log = keep_line};
	const char *why;

	login = NULL;
	logged[0] = '\0';
	server = dns_server_start(serve, NULL);
	resolver = resolver_new(span_of(dns_server_address(server)), 1 << 20,
		&why);
	host.resolver = resolver;
	diags = diags_new();
	policy = policy_load_text(span_of(text), "test.conf", ".", diags);
	if (policy == NULL)
		diags_print(diags, stderr);
	ck_assert_ptr_nonnull(policy);
	session = session_new(policy, tables, &host);
	ck_assert_ptr_nonnull(session);
}

static void
end(void)
{
	session_free(session);
	policy_unref(policy);
	diags_free(diags);
	resolver_unref(resolver);
	dns_server_stop(server);
}

static struct answer
mail(const char *helo, const char *path)
{
	char *argv[] = {(char *)(size_t)path, NULL};
	struct sockaddr_in in = {.sin_family = AF_INET};

	inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
	session_connect(session, "[192.0.2.1]", (void *)&in);
	session_helo(session, helo);
	return session_mail(session, argv);
}

static enum answer_kind
rest_of_message(void)
{
	char *argv[] = {(char *)(size_t)"<r@example.org>", NULL};

	session_rcpt(session, argv);
	session_data(session);
	session_header(session, "Authentication-Results",
		"mx.example.org; spf=pass");
	session_header(session, "From", "a@b.example");
	session_end_of_headers(session);
	return session_end_of_message(session, &changes, &n_changes).kind;
}

START_TEST(an_unless_that_holds_costs_no_look_up)
{
	begin("table <friends> { 192.0.2.0/24 }\n"
	      "rule failed\n  if spf is fail or spf.helo is fail\n"
	      "  unless client in <friends>\n  reject \"no\"\n"
	      "rule later\n  if auth and spf is fail\n  reject \"no\"\n");
	ck_assert_int_eq(mail("f.example", "<u@f.example>").kind,
	                 ANSWER_GO_ON);
	ck_assert_int_eq(rest_of_message(), ANSWER_ACCEPT);
	ck_assert_uint_eq(dns_server_questions(server), 0);
	end();
}
END_TEST

START_TEST(what_could_not_be_told_yet_is_not_asked_yet)
{
	char *stranger[] = {(char *)(size_t)"<r@example.com>", NULL};
	char *ours[] = {(char *)(size_t)"<r@example.org>", NULL};

	begin("rule relay\n  if rcpt.domain is not example.org\n  reject \"a\"\n"
	      "rule abuse\n  if rcpt.local is abuse\n  accept\n"
	      "rule failed\n  if spf is fail\n  reject \"b\"\n");
	ck_assert_int_eq(mail("h.example", "<u@f.example>").kind,
	                 ANSWER_GO_ON);
	ck_assert_int_eq(session_rcpt(session, stranger).kind, ANSWER_REJECT);
	ck_assert_uint_eq(dns_server_questions(server), 0);
	ck_assert_int_eq(session_rcpt(session, ours).kind, ANSWER_REJECT);
	ck_assert_uint_eq(dns_server_questions(server), 2);
	end();
}
END_TEST

START_TEST(the_log_of_a_message_that_ends_early_asks_nobody)
{
	char *argv[] = {(char *)(size_t)"<r@example.org>", NULL};

	begin("rule a\n  if spf is softfail\n  log \"a\"\n"
	      "rule b\n  if sender\n  log \"b ${spf}\"\n"
	      "shadow rule c\n  if sender\n  reject \"c ${spf}\"\n");
	mail("f.example", "<u@f.example>");
	session_rcpt(session, argv);
	session_abort(session);
	ck_assert_ptr_null(strstr(logged, "rule=a"));
	ck_assert_ptr_nonnull(strstr(logged, "rule=b"));
	ck_assert_uint_eq(dns_server_questions(server), 0);
	/* and at close, where libmilter may hold a lock */
	mail("f.example", "<u@f.example>");
	session_rcpt(session, argv);
	session_free(session);
	session = NULL;
	ck_assert_uint_eq(dns_server_questions(server), 0);
	end();
}
END_TEST

/* As the log, explain and Received-SPF tell it. */
START_TEST(the_log_says_what_is_wrong_with_a_record)
{
	begin("rule a\n  if spf is { permerror temperror }\n"
	      "  reject \"no\"\n");
	mail("h.example", "<u@bad.example>");
	ck_assert_ptr_nonnull(strstr(logged, " spf=permerror spf-why="
		"\"bad.example, \\x22foo\\x22: no such mechanism\" reply="));
	logged[0] = '\0';
	mail("h.example", "<u@i.example>");
	rest_of_message();
	ck_assert_ptr_nonnull(strstr(logged, " spf=fail\n"));
	end();
}
END_TEST

START_TEST(however_many_rules_ask_there_is_one_check_a_message)
{
	begin("rule a\n  if spf is softfail\n  reject \"a\"\n"
	      "rule b\n  if spf is temperror\n  tempfail \"b\"\n"
	      "rule c\n  if spf is fail and spf.mechanism is -all\n"
	      "  reject 550 5.7.23 \"${spf.explanation}|${spf}\"\n");
	struct answer a = mail("p.example", "<\"x\\\" y\"@f.example>");

	ck_assert_int_eq(a.kind, ANSWER_REJECT);
	ck_assert_str_eq(a.reply.lines[0], "no,\"x\" y\"\\|fail");
	/* the record and its explanation */
	ck_assert_uint_eq(dns_server_questions(server), 2);
	ck_assert_ptr_nonnull(strstr(logged, " spf=fail "));
	/* the next message is another; its TTLs were 0 and 60 */
	ck_assert_int_eq(mail("p.example", "<u@f.example>").kind,
	                 ANSWER_REJECT);
	ck_assert_uint_eq(dns_server_questions(server), 3);
	end();
}
END_TEST

START_TEST(the_two_identities_are_asked_each_for_itself)
{
	begin("rule a\n  if spf.helo is fail and spf is pass\n"
	      "  reject \"${spf.helo} ${spf}\"\n");
	ck_assert_int_eq(mail("f.example", "<u@p.example>").kind,
	                 ANSWER_REJECT);
	ck_assert_int_eq(mail("p.example", "<u@p.example>").kind,
	                 ANSWER_GO_ON);
	/* the null sender is judged by HELO */
	ck_assert_int_eq(mail("f.example", "<>").kind, ANSWER_GO_ON);
	ck_assert_int_eq(mail("f.example", "<u@f.example>").kind,
	                 ANSWER_GO_ON);
	end();
}
END_TEST

START_TEST(both_identities_share_one_deadline)
{
	int64_t begun;
	double took;

	begin("set spf-timeout 1s\n"
	      "rule a\n  if spf is temperror and spf.helo is temperror\n"
	      "  tempfail \"later\"\n");
	begun = dns_now();
	ck_assert_int_eq(mail("slow.example", "<u@slow.example>").kind,
	                 ANSWER_TEMPFAIL);
	took = (double)(dns_now() - begun) / 1e9;
	ck_assert_msg(took >= 0.99 && took < 1.1, "%.3f s", took);
	end();
}
END_TEST

START_TEST(stamps_tell_what_was_found_and_forgeries_go)
{
	begin("rule a\n  if spf is not fail\n"
	      "  stamp received-spf\n  stamp authentication-results\n");
	mail("h.example", "<u@p.example>");
	ck_assert_int_eq(rest_of_message(), ANSWER_ACCEPT);
	ck_assert_uint_eq(n_changes, 3);
	ck_assert_int_eq(changes[0].kind, CHANGE_HEADER);
	ck_assert_ptr_null(changes[0].value.p);
	ck_assert_int_eq(changes[2].kind, INSERT_HEADER);
	ck_assert_uint_eq(changes[2].index, 0);
	ck_assert_str_eq(changes[2].value.p, "mx.example.org;\n "
		"spf=pass smtp.mailfrom=u@p.example");
	ck_assert_int_eq(changes[1].kind, INSERT_HEADER);
	ck_assert_str_eq(changes[1].name.p, "Received-SPF");
	ck_assert_ptr_nonnull(strstr(changes[1].value.p, "mechanism=+all;"));
	end();
}
END_TEST

START_TEST(a_login_is_stamped_and_costs_no_look_up)
{
	begin("rule a\n  stamp authentication-results\n");
	login = "alice";
	mail("h.example", "<u@f.example>");
	ck_assert_int_eq(rest_of_message(), ANSWER_ACCEPT);
	ck_assert_str_eq(changes[1].value.p, "mx.example.org;\n "
		"auth=pass smtp.auth=alice");
	ck_assert_uint_eq(dns_server_questions(server), 0);
	end();
}
END_TEST

/* With the relay 192.0.2.1, the message's Received fields, up to the header's
 * end. */
static struct answer
relayed(const char *first, const char *second)
{
	char *argv[] = {(char *)(size_t)"<r@example.org>", NULL};

	ck_assert_int_eq(mail("relay.example", "<u@i.example>").kind,
	                 ANSWER_GO_ON);
	ck_assert_int_eq(session_rcpt(session, argv).kind, ANSWER_GO_ON);
	session_data(session);
	if (first != NULL)
		session_header(session, "Received", first);
	session_header(session, "Subject", "x");
	if (second != NULL)
		session_header(session, "Received", second);
	return session_end_of_headers(session);
}

START_TEST(mail_of_a_trusted_relay_is_judged_by_its_received)
{
	static const char ours[] = "from h (n [198.51.100.1]) by relay";
	static const char other[] = "from h (n [203.0.113.9]) by relay";
	static const char inner[] = "from h (n [192.0.2.77]) by relay";
	struct answer a;

	begin("set trusted-relays <relays>\n"
	      "table <relays> { 192.0.2.0/24 }\n"
	      "rule failed\n  if spf is fail\n"
	      "  reject \"${spf.mechanism}\"\n");
	ck_assert_int_eq(relayed(ours, NULL).kind, ANSWER_ACCEPT);
	a = relayed(other, ours);
	ck_assert_int_eq(a.kind, ANSWER_REJECT);
	ck_assert_str_eq(a.reply.lines[0], "-all");
	ck_assert_ptr_nonnull(strstr(logged, " client=unknown[192.0.2.1] "));
	ck_assert_ptr_nonnull(strstr(logged, " spf=fail "
		"spf-client=203.0.113.9 reply="));
	/* a relay before the relay */
	ck_assert_int_eq(relayed(inner, ours).kind, ANSWER_ACCEPT);
	ck_assert_int_eq(relayed(inner, other).kind, ANSWER_REJECT);
	/* what can't be read is none, and the log says so */
	logged[0] = '\0';
	ck_assert_int_eq(relayed("from somebody by relay", other).kind,
	                 ANSWER_ACCEPT);
	ck_assert_ptr_nonnull(strstr(logged, "no client can be read in the "
		"Received of the trusted relay 192.0.2.1"));
	ck_assert_int_eq(relayed(NULL, NULL).kind, ANSWER_ACCEPT);
	ck_assert_ptr_nonnull(strstr(logged, "there is no Received of the "
		"trusted relay 192.0.2.1"));
	end();
}
END_TEST

START_TEST(a_trusted_relay_may_have_had_the_mail_from_itself)
{
	static const char inner[] = "by relay (Postfix) id 4X; a date";
	static const char filter[] = "from localhost (localhost [127.0.0.1]) "
		"by relay";
	static const char other[] = "from h (n [203.0.113.9]) by relay";

	begin("set trusted-relays <relays>\n"
	      "table <relays> { 192.0.2.0/24 }\n"
	      "rule failed\n  if spf is fail\n  reject \"no\"\n");
	ck_assert_int_eq(relayed(inner, other).kind, ANSWER_REJECT);
	/* nobody's record allows a loopback address */
	logged[0] = '\0';
	ck_assert_int_eq(relayed(filter, other).kind, ANSWER_ACCEPT);
	ck_assert_ptr_nonnull(strstr(logged, "the trusted relay 192.0.2.1 had "
		"the mail from itself; with 127.0.0.1 in trusted-relays, too"));
	end();
	begin("set trusted-relays <relays>\n"
	      "table <relays> { 192.0.2.0/24 127.0.0.0/8 }\n"
	      "rule failed\n  if spf is fail\n  reject \"no\"\n");
	ck_assert_int_eq(relayed(filter, other).kind, ANSWER_REJECT);
	ck_assert_int_eq(relayed(filter, inner).kind, ANSWER_ACCEPT);
	ck_assert_ptr_nonnull(strstr(logged, "there is no Received of the "
		"trusted relay 127.0.0.1"));
	end();
}
END_TEST

/* Whom SPF judges is not known: that is no "none", which lets mail in. */
START_TEST(without_the_table_of_relays_spf_has_failed)
{
	struct table *broken = table_failing("relays", SPAN("it is away"));
	const struct table *all[] = {broken};
	struct answer a;

	tables = all;
	begin("set trusted-relays <relays>\n"
	      "table <relays> { 192.0.2.0/24 }\n"
	      "rule failed\n  if spf is fail\n  reject \"no\"\n");
	a = mail("h.example", "<u@f.example>");
	ck_assert_int_eq(a.kind, ANSWER_TEMPFAIL);
	ck_assert_str_eq(a.reply.lines[0], "temporary failure in rule failed");
	ck_assert_ptr_nonnull(strstr(logged, "trusted-relays can't be asked"));
	end();
	begin("set trusted-relays <relays>\n"
	      "table <relays> { 192.0.2.0/24 }\n"
	      "rule passed\n  if spf is pass\n  on error skip\n  accept\n"
	      "rule others\n  reject \"no\"\n");
	ck_assert_int_eq(mail("h.example", "<u@p.example>").kind,
	                 ANSWER_REJECT);
	end();
	tables = NULL;
	table_free(broken);
}
END_TEST

START_TEST(who_is_no_trusted_relay_is_judged_at_mail)
{
	begin("set trusted-relays <relays>\n"
	      "table <relays> { 198.51.100.0/24 }\n"
	      "rule failed\n  if spf is fail\n  reject \"no\"\n");
	ck_assert_int_eq(mail("h.example", "<u@f.example>").kind,
	                 ANSWER_REJECT);
	end();
}
END_TEST

CHECK_MAIN("session_spf", an_unless_that_holds_costs_no_look_up,
           what_could_not_be_told_yet_is_not_asked_yet,
           the_log_of_a_message_that_ends_early_asks_nobody,
           the_log_says_what_is_wrong_with_a_record,
           however_many_rules_ask_there_is_one_check_a_message,
           the_two_identities_are_asked_each_for_itself,
           both_identities_share_one_deadline,
           stamps_tell_what_was_found_and_forgeries_go,
           a_login_is_stamped_and_costs_no_look_up,
           mail_of_a_trusted_relay_is_judged_by_its_received,
           a_trusted_relay_may_have_had_the_mail_from_itself,
           without_the_table_of_relays_spf_has_failed,
           who_is_no_trusted_relay_is_judged_at_mail)
