/* test_session.c - what an MTA is answered, and what the log says. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "caps.h"
#include "check.h"
#include "message.h"
#include "session.h"

/* ---- an MTA ---- */

static struct policy *policy;
static struct session *session;
static struct diags *diags;
static char logged[65536];
static const char *macros[32][2];
static const struct change *changes;
static size_t n_changes;

static const char *
macro(void *of, const char *name)
{
	size_t i;

	(void)of;
	for (i = 0; i < 32 && macros[i][0] != NULL; i++)
		if (strcmp(macros[i][0], name) == 0)
			return macros[i][1];
	return NULL;
}

static void
keep_line(void *of, int priority, struct span line)
{
	size_t n = strlen(logged);

	(void)of;
	snprintf(logged + n, sizeof(logged) - n, "%d %.*s\n", priority,
		SPAN_ARG(line));
}

static void
give(const char *name, const char *value)
{
	size_t i = 0;

	while (macros[i][0] != NULL && strcmp(macros[i][0], name) != 0)
		i++;
	macros[i][0] = name;
	macros[i][1] = value;
}

static void
begin(const char *text)
{
	struct session_host host = {.macro = macro, .log = keep_line};

	memset(macros, 0, sizeof(macros));
	logged[0] = '\0';
	diags = diags_new();
	policy = policy_load_text(span_of(text), "test.conf", ".", diags);
	if (policy == NULL)
		diags_print(diags, stderr);
	ck_assert_ptr_nonnull(policy);
	session = session_new(policy, NULL, &host);
	ck_assert_ptr_nonnull(session);
}

static void
end(void)
{
	session_free(session);
	policy_unref(policy);
	diags_free(diags);
}

/* An answer as a text: "reject 550 5.7.1 no". */
static const char *
said(struct answer a)
{
	static const char *const kinds[] = {
		"go on", "accept", "reject", "tempfail", "discard", "skip",
	};
	static char out[512];

	if (a.kind != ANSWER_REJECT && a.kind != ANSWER_TEMPFAIL)
		return kinds[a.kind];
	snprintf(out, sizeof(out), "%s %s %s %s", kinds[a.kind], a.reply.code,
		a.reply.xcode, a.reply.lines[0]);
	return out;
}

static struct answer
from(const char *name, const char *ip)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	                         .sin_port = htons(4711)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, ip, &in.sin_addr) == 1)
		return session_connect(session, name, (void *)&in);
	ck_assert_int_eq(inet_pton(AF_INET6, ip, &in6.sin6_addr), 1);
	return session_connect(session, name, (void *)&in6);
}

static struct answer
mail(const char *path)
{
	char *argv[] = {(char *)(size_t)path, NULL};

	return session_mail(session, argv);
}

static struct answer
rcpt(const char *path)
{
	char *argv[] = {(char *)(size_t)path, NULL};

	return session_rcpt(session, argv);
}

static struct answer
finish(void)
{
	struct answer a = session_end_of_message(session, &changes,
		&n_changes);

	if (a.kind == ANSWER_ACCEPT)
		session_done(session, true);
	return a;
}

/* From HELO to the last header field. */
static void
start(void)
{
	from("mail.example.net", "198.51.100.7");
	session_helo(session, "mail.example.net");
	mail("<a@example.org>");
	rcpt("<b@example.com>");
	session_data(session);
	session_header(session, "From", "a@example.org");
	session_header(session, "Subject", "hello");
}

static struct answer
body(const char *text)
{
	return session_body(session, text, strlen(text));
}

#define SAID(answer, text) ck_assert_str_eq(said(answer), text)
#define LOGGED(text) ck_assert_msg(strstr(logged, text) != NULL, \
	"not logged: %s\nbut:\n%s", text, logged)
#define NOT_LOGGED(text) ck_assert_msg(strstr(logged, text) == NULL, \
	"logged: %s", logged)

/* ---- answers ---- */

START_TEST(a_refusal_at_connect_stands_for_the_session)
{
	begin("rule r if client in { 203.0.113.0/24 } reject \"no\"");
	SAID(from("[203.0.113.5]", "203.0.113.5"), "reject 550 5.7.1 no");
	SAID(session_helo(session, "x"), "reject 550 5.7.1 no");
	SAID(mail("<a@example.org>"), "reject 550 5.7.1 no");
	SAID(finish(), "reject 550 5.7.1 no");
	session_abort(session);
	SAID(mail("<a@example.org>"), "reject 550 5.7.1 no");
	ck_assert_ptr_eq(strchr(logged, '\n') + 1, logged + strlen(logged));
	LOGGED("6 NOQUEUE: reject: rule=r stage=connect "
		"client=unknown[203.0.113.5] helo=<> from=<> to=<> auth=<> "
		"header-from=<> spf= reply=\"550 5.7.1 no\"\n");
	end();
}
END_TEST

START_TEST(a_refusal_at_helo_stands_for_the_session)
{
	begin("rule r if helo is bad.example reject \"no\"");
	SAID(from("x.example", "198.51.100.7"), "go on");
	SAID(session_helo(session, "bad.example"), "reject 550 5.7.1 no");
	SAID(session_helo(session, "good.example"), "reject 550 5.7.1 no");
	SAID(mail("<a@example.org>"), "reject 550 5.7.1 no");
	end();
}
END_TEST

START_TEST(a_refusal_at_mail_is_of_one_message)
{
	begin("rule r if sender.domain is bad.example reject \"no\"");
	from("x.example", "198.51.100.7");
	session_helo(session, "x.example");
	SAID(mail("<a@bad.example>"), "reject 550 5.7.1 no");
	SAID(rcpt("<b@example.com>"), "reject 550 5.7.1 no");
	SAID(mail("<a@good.example>"), "go on");
	SAID(rcpt("<b@example.com>"), "go on");
	SAID(finish(), "accept");
	end();
}
END_TEST

START_TEST(an_accept_at_helo_or_rcpt_is_only_remembered)
{
	begin("rule h if helo is good.example accept\n"
	      "rule r if rcpt is good@example.com accept\n"
	      "rule x if subject is x reject \"no\"");
	from("x.example", "198.51.100.7");
	SAID(session_helo(session, "good.example"), "go on");
	SAID(mail("<a@example.org>"), "accept");
	SAID(rcpt("<b@example.com>"), "go on");
	SAID(session_data(session), "accept");
	SAID(session_helo(session, "other.example"), "go on");
	SAID(mail("<a@example.org>"), "go on");
	SAID(rcpt("<good@example.com>"), "go on");
	SAID(session_end_of_headers(session), "accept");
	end();
}
END_TEST

START_TEST(an_accept_at_connect_is_told_there)
{
	begin("rule c if client in { 192.0.2.0/24 } accept\n"
	      "rule x if subject is x reject \"no\"");
	SAID(from("x.example", "192.0.2.1"), "accept");
	LOGGED("NOQUEUE: accept: rule=c stage=connect");
	SAID(session_helo(session, "x"), "go on");
	SAID(mail("<a@example.org>"), "accept");
	end();
}
END_TEST

START_TEST(a_discard_is_told_when_no_recipient_is_left)
{
	begin("rule d if rcpt.local is trap discard\n"
	      "rule c if rcpt.count > 5 or subject is x reject \"no\"");
	from("x.example", "198.51.100.7");
	mail("<a@example.org>");
	SAID(rcpt("<trap@example.com>"), "go on");
	SAID(session_data(session), "discard");
	LOGGED(": discard: rule=d stage=data");
	SAID(mail("<a@example.org>"), "go on");
	SAID(rcpt("<trap@example.com>"), "go on");
	SAID(rcpt("<b@example.com>"), "go on");
	SAID(session_data(session), "go on");
	SAID(session_end_of_message(session, &changes, &n_changes), "accept");
	ck_assert_uint_eq(n_changes, 1);
	ck_assert_int_eq(changes[0].kind, REMOVE_RCPT);
	ck_assert_str_eq(changes[0].value.p, "<trap@example.com>");
	end();
}
END_TEST

START_TEST(a_refused_recipient_is_not_of_the_message)
{
	begin("rule r if rcpt.local is bad reject 550 5.1.1 \"no ${rcpt}\"\n"
	      "rule c if rcpt.count > 1 or subject is x reject \"count\"");
	start();
	session_abort(session);
	logged[0] = '\0';
	mail("<a@example.org>");
	SAID(rcpt("<bad@example.com>"),
		"reject 550 5.1.1 no bad@example.com");
	SAID(rcpt("<b@example.com>"), "go on");
	SAID(rcpt("<bad@example.org>"),
		"reject 550 5.1.1 no bad@example.org");
	SAID(session_data(session), "go on");
	SAID(finish(), "accept");
	LOGGED("reject: rule=r stage=rcpt client=mail.example.net"
		"[198.51.100.7] helo=<mail.example.net> from=<a@example.org> "
		"to=<bad@example.com> auth=<> header-from=<> spf= "
		"reply=\"550 5.1.1 no bad@example.com\"");
	LOGGED("accept: rule= stage=end client=mail.example.net[198.51.100.7] "
		"helo=<mail.example.net> from=<a@example.org> "
		"to=<b@example.com> auth=<>");
	end();
}
END_TEST

START_TEST(a_body_that_nobody_asks_about_is_skipped)
{
	begin("rule r if subject is hello add header \"A\" \"b\"");
	start();
	session_end_of_headers(session);
	SAID(body("text"), "skip");
	SAID(finish(), "accept");
	end();
	begin("rule r if size > 1K reject \"no\"");
	start();
	SAID(body("text"), "go on");
	end();
}
END_TEST

/* ---- any order ---- */

START_TEST(mail_may_come_first)
{
	begin("rule c if client in { 0.0.0.0/0 ::/0 } reject \"client\"\n"
	      "rule h if helo reject \"helo\"\n"
	      "rule s if sender is a@example.org reject \"sender\"");
	SAID(mail("<a@example.org>"), "reject 550 5.7.1 sender");
	LOGGED("NOQUEUE: reject: rule=s stage=mail client=unknown[unknown] "
		"helo=<> from=<a@example.org>");
	end();
}
END_TEST

START_TEST(an_unfinished_message_is_forgotten)
{
	begin("rule r if rcpt.count > 1 reject \"count\"\n"
	      "rule s if subject is first reject \"subject\"");
	from("x.example", "198.51.100.7");
	mail("<a@example.org>");
	rcpt("<b@example.com>");
	session_data(session);
	session_header(session, "Subject", "first");
	SAID(mail("<a@example.org>"), "go on");
	rcpt("<c@example.com>");
	SAID(session_data(session), "go on");
	SAID(session_end_of_headers(session), "accept");
	SAID(finish(), "accept");
	end();
}
END_TEST

START_TEST(abort_may_come_any_time)
{
	begin("rule r if subject is x reject \"no\"");
	session_abort(session);
	session_abort(session);
	from("x.example", "198.51.100.7");
	session_abort(session);
	session_helo(session, "x");
	session_abort(session);
	mail("<a@example.org>");
	session_abort(session);
	rcpt("<b@example.com>");
	session_abort(session);
	session_header(session, "Subject", "x");
	session_abort(session);
	session_end_of_headers(session);
	session_abort(session);
	start();
	finish();
	session_abort(session);
	session_abort(session);
	SAID(mail("<a@example.org>"), "go on");
	end();
}
END_TEST

START_TEST(everything_may_come_without_what_goes_before)
{
	begin("rule b if raw body contains virus reject \"virus\"");
	SAID(body("virus"), "go on");
	SAID(session_header(session, "A", "b"), "go on");
	SAID(session_end_of_headers(session), "go on");
	SAID(finish(), "reject 550 5.7.1 virus");
	session_abort(session);
	SAID(finish(), "accept");
	SAID(session_data(session), "go on");
	SAID(session_rcpt(session, NULL), "go on");
	SAID(session_mail(session, NULL), "go on");
	SAID(session_helo(session, NULL), "go on");
	SAID(session_connect(session, NULL, NULL), "go on");
	SAID(finish(), "accept");
	session_done(session, true);
	session_done(session, false);
	end();
}
END_TEST

START_TEST(a_field_after_the_header_escapes_no_rule)
{
	begin("rule s if subject is bad reject \"no\"\n"
	      "rule b if size > 1M reject \"size\"");
	start();
	session_end_of_headers(session);
	SAID(session_header(session, "Subject", "bad"),
		"tempfail 451 4.3.2 a header field came after the header's "
		"end");
	SAID(finish(), "tempfail 451 4.3.2 a header field came after the "
		"header's end");
	LOGGED("4 NOQUEUE: tempfail: rule= stage=headers");
	end();
}
END_TEST

START_TEST(helo_again_is_a_new_start)
{
	begin("rule v if tls.version is TLSv1 reject \"old\"\n"
	      "rule h if helo is bad.example and sender is <> reject \"h\"");
	from("x.example", "198.51.100.7");
	session_helo(session, "bad.example");
	SAID(mail("<a@example.org>"), "go on");
	give("{tls_version}", "TLSv1");
	SAID(session_helo(session, "good.example"), "go on");
	SAID(mail("<>"), "reject 550 5.7.1 old");
	give("{tls_version}", NULL);
	SAID(session_helo(session, "bad.example"), "go on");
	SAID(mail("<>"), "reject 550 5.7.1 h");
	end();
}
END_TEST

START_TEST(messages_of_a_session_do_not_mix)
{
	int i;

	begin("rule a if auth is alice and subject is two reject \"mixed\"\n"
	      "rule n if header.count > 1 reject \"count\"\n"
	      "rule q if queue-id is Q1 and subject is two reject \"id\"");
	from("x.example", "198.51.100.7");
	session_helo(session, "x.example");
	for (i = 0; i < 3; i++) {
		give("{auth_authen}", i == 0 ? "alice" : NULL);
		give("i", i == 0 ? "Q1" : "Q2");
		SAID(mail("<a@example.org>"), "go on");
		SAID(rcpt("<b@example.com>"), "go on");
		SAID(session_data(session), "go on");
		session_header(session, "Subject", i == 0 ? "one" : "two");
		SAID(session_end_of_headers(session), "accept");
		SAID(finish(), "accept");
	}
	LOGGED("6 Q1: accept: rule= stage=headers client=x.example[198.51.100.7] "
		"helo=<x.example> from=<a@example.org> to=<b@example.com> "
		"auth=<alice>");
	LOGGED("6 Q2: accept: ");
	end();
}
END_TEST

/* ---- facts ---- */

START_TEST(a_client_without_an_address_is_the_local_command)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	begin("rule l if client is 127.0.0.1 reject \"local\"\n"
	      "rule m if client is 192.0.2.5 reject \"macro\"");
	SAID(session_connect(session, "localhost", NULL),
		"reject 550 5.7.1 local");
	SAID(session_connect(session, "localhost", (void *)&un),
		"reject 550 5.7.1 local");
	SAID(session_connect(session, "unknown", NULL), "go on");
	give("{client_addr}", "192.0.2.5");
	SAID(session_connect(session, "localhost", NULL),
		"reject 550 5.7.1 macro");
	give("{client_addr}", "unknown");
	SAID(session_connect(session, "unknown", NULL), "go on");
	end();
}
END_TEST

/* Postfix takes no answer at RCPT for a message that came without SMTP. */
START_TEST(of_the_local_command_a_message_is_refused_whole)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	begin("rule n if rcpt.local is nobody reject 550 5.1.1 \"no ${rcpt}\"");
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	session_connect(session, "localhost", (void *)&in);
	session_helo(session, "localhost");
	mail("a@example.org");
	SAID(rcpt("b@example.com"), "go on");
	SAID(rcpt("nobody@example.com"), "go on");
	SAID(session_end_of_message(session, &changes, &n_changes),
		"reject 550 5.1.1 no nobody@example.com");
	LOGGED("reject: rule=n stage=end");
	LOGGED("to=<b@example.com>,<nobody@example.com>");
	session_abort(session);
	mail("a@example.org");
	SAID(rcpt("b@example.com"), "go on");
	SAID(session_end_of_message(session, &changes, &n_changes), "accept");
	session_connect(session, "localhost", NULL); /* sendmail -bs */
	mail("<a@example.org>");
	SAID(rcpt("<nobody@example.com>"), "reject 550 5.1.1 no "
		"nobody@example.com");
	in.sin_port = htons(25000); /* a client on this machine */
	session_connect(session, "localhost", (void *)&in);
	mail("<a@example.org>");
	SAID(rcpt("<nobody@example.com>"), "reject 550 5.1.1 no "
		"nobody@example.com");
	end();
}
END_TEST

START_TEST(an_ipv4_mapped_client_is_ipv4)
{
	begin("rule r if client in { 203.0.113.0/24 } reject \"${client}\"");
	SAID(from("[::ffff:203.0.113.5]", "::ffff:203.0.113.5"),
		"reject 550 5.7.1 203.0.113.5");
	end();
}
END_TEST

START_TEST(the_port_is_of_the_socket_address)
{
	begin("rule r if client.port is 4711 reject \"${client.port}\"");
	SAID(from("x.example", "198.51.100.7"), "reject 550 5.7.1 4711");
	end();
}
END_TEST

START_TEST(parameters_are_values_as_they_came)
{
	char *sender[] = {(char[]){"<a@example.org>"},
		(char[]){"SIZE=123"}, (char[]){"smtputf8"},
		(char[]){"ENVID=a+0D+0Ab"}, (char[]){"Size=456"}, NULL};
	char *to[] = {(char[]){"<b@example.com>"},
		(char[]){"NOTIFY=NEVER"}, NULL};

	begin("rule n if rcpt.param \"Notify\" is never\n"
	      "  reject \"${sender.param \\\"size\\\"} "
	      "[${sender.param \\\"SMTPUTF8\\\"}] "
	      "${sender.param \\\"ENVID\\\"}\"");
	SAID(session_mail(session, sender), "go on");
	SAID(rcpt("<b@example.com>"), "go on");
	SAID(session_rcpt(session, to),
		"reject 550 5.7.1 456 [] a+0D+0Ab");
	end();
}
END_TEST

START_TEST(size_counts_what_smtp_would)
{
	begin("rule s if size is 58 reject \"${size}\"");
	from("x.example", "198.51.100.7");
	mail("<a@example.org>");
	rcpt("<b@example.com>");
	/* "A: 1\r\n" 6, "Subject: a\r\n b\r\n" 16, "\r\n" 2 */
	session_header(session, "A", "1");
	session_header(session, "Subject", "a\n b");
	session_end_of_headers(session);
	body("0123456789012345\r\n");
	body("01234567890123\r\n");
	SAID(finish(), "reject 550 5.7.1 58");
	end();
}
END_TEST

START_TEST(a_body_in_pieces_is_one_value)
{
	begin("rule b if raw body matches /\\AXY\\r\\nZ\\z/ reject \"no\"");
	start();
	session_end_of_headers(session);
	body("X");
	body("Y\r");
	body("\nZ");
	SAID(finish(), "reject 550 5.7.1 no");
	end();
}
END_TEST

START_TEST(the_body_is_there_until_the_last_line_is_written)
{
	begin("rule r if raw body contains virus reject 550 5.7.1 \"no\"\n"
	      "rule l if raw body log \"body: ${raw body}\"\n"
	      "shadow rule s if raw body contains horse reject \"no\"");
	start();
	body("virus horse");
	SAID(finish(), "reject 550 5.7.1 no");
	NOT_LOGGED("rule=l");
	NOT_LOGGED("rule=s");
	session_abort(session);
	logged[0] = '\0';
	start();
	body("a horse");
	SAID(finish(), "accept");
	LOGGED("text=\"body: a horse\"");
	LOGGED("shadow: rule=s");
	end();
}
END_TEST

START_TEST(macros_of_the_connection_are_kept)
{
	begin("rule d if daemon is ORIGINATING and sender is b@example.org\n"
	      "  reject \"daemon\"");
	give("{daemon_name}", "ORIGINATING");
	from("x.example", "198.51.100.7");
	give("{daemon_name}", NULL);
	SAID(mail("<a@example.org>"), "go on");
	session_abort(session);
	SAID(mail("<b@example.org>"), "reject 550 5.7.1 daemon");
	end();
}
END_TEST

START_TEST(a_queue_id_may_come_late)
{
	begin("rule i if queue-id begins Q reject \"${queue-id}\"");
	from("x.example", "198.51.100.7");
	SAID(mail("<a@example.org>"), "go on");
	SAID(rcpt("<b@example.com>"), "go on");
	give("i", "Q1");
	SAID(session_data(session), "reject 550 5.7.1 Q1");
	LOGGED("Q1: reject: rule=i stage=data");
	end();
}
END_TEST

START_TEST(invalid_utf8_is_matched_and_logged_safely)
{
	begin("rule h if helo matches /^x.y$/ reject \"${helo}\"");
	from("x.example", "198.51.100.7");
	SAID(session_helo(session, "x\xff" "y"), "reject 550 5.7.1 x?y");
	LOGGED("helo=<x\\xffy>");
	end();
}
END_TEST

/* ---- limits ---- */

/* As many as a header may have: they cost no square of their number. */
START_TEST(many_from_fields_are_all_read)
{
	size_t i;

	begin("set memory-limit 64M\n"
	      "rule n if from.count is 9998 and every from.domain is b.example\n"
	      "  reject \"all\"");
	mail("<a@example.org>");
	rcpt("<b@example.com>");
	for (i = 0; i < 9998; i++)
		SAID(session_header(session, "From", "a@b.example"), "go on");
	SAID(session_end_of_headers(session), "reject 550 5.7.1 all");
	end();
}
END_TEST

START_TEST(many_recipients_are_redirected_each_to_his_own)
{
	char path[64];
	size_t i;

	begin("set memory-limit 512M\n"
	      "rule r if rcpt redirect \"${rcpt.local}@other.example\"");
	from("mail.example.net", "198.51.100.7");
	mail("<a@example.org>");
	for (i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "<u%05zu@example.com>", i);
		SAID(rcpt(path), "go on");
	}
	SAID(session_end_of_message(session, &changes, &n_changes), "accept");
	ck_assert_uint_eq(n_changes, 40000);
	end();
}
END_TEST

START_TEST(too_many_fields_are_deferred)
{
	int i;

	begin("rule s if subject is x reject \"no\"");
	start();
	for (i = 0; i < CAPS_HEADER_FIELDS; i++)
		session_header(session, "A", "b");
	SAID(session_end_of_headers(session),
		"tempfail 451 4.3.2 too many header fields for this filter");
	SAID(finish(),
		"tempfail 451 4.3.2 too many header fields for this filter");
	LOGGED("tempfail: rule= stage=headers");
	SAID(mail("<a@example.org>"), "go on");
	end();
}
END_TEST

START_TEST(a_header_too_large_is_deferred)
{
	static char value[60000];
	int i;

	begin("rule s if subject is x reject \"no\"");
	start();
	memset(value, 'x', sizeof(value) - 1);
	for (i = 0; i < 1 + CAPS_HEADER_BYTES / 60000; i++)
		session_header(session, "A", value);
	SAID(finish(), "tempfail 451 4.3.2 header too large for this filter");
	end();
}
END_TEST

START_TEST(a_message_too_large_is_deferred_unless_it_is_rejected)
{
	static char chunk[1024];

	begin("set message-limit 2K\n"
	      "rule b if raw body contains virus on error skip reject \"v\"\n"
	      "rule s if size > 5000 reject 552 5.3.4 \"size\"");
	memset(chunk, 'x', sizeof(chunk));
	start();
	session_body(session, chunk, sizeof(chunk));
	SAID(finish(), "accept");
	start();
	session_body(session, chunk, sizeof(chunk));
	SAID(session_body(session, chunk, sizeof(chunk)), "go on");
	SAID(finish(), "tempfail 451 4.3.2 message too large for this filter "
		"(message-limit)");
	start();
	session_body(session, chunk, sizeof(chunk));
	session_body(session, chunk, sizeof(chunk));
	session_body(session, chunk, sizeof(chunk));
	session_body(session, chunk, sizeof(chunk));
	session_body(session, chunk, sizeof(chunk));
	SAID(finish(), "reject 552 5.3.4 size");
	end();
}
END_TEST

START_TEST(all_messages_share_the_memory_limit)
{
	static char chunk[65535];
	struct session_host host = {.macro = macro};
	struct session *other, *third;
	char *argv[] = {(char[]){"<a@example.org>"}, NULL};
	int i;

	begin("set memory-limit 1M\n"
	      "rule b if raw body contains virus reject \"v\"");
	other = session_new(policy, NULL, &host);
	ck_assert_ptr_nonnull(other);
	session_mail(other, argv);
	for (i = 0; i < 8; i++)
		SAID(session_body(other, chunk, sizeof(chunk)), "go on");
	/* what is coming in may pass it by a quarter, and nothing begins */
	start();
	for (i = 0; i < 8; i++)
		SAID(session_body(session, chunk, sizeof(chunk)), "go on");
	third = session_new(policy, NULL, &host);
	ck_assert_ptr_nonnull(third);
	session_mail(third, argv);
	SAID(session_rcpt(third, argv),
		"tempfail 451 4.3.2 this filter's memory-limit is reached");
	session_free(third);
	for (i = 0; i < 8; i++)
		session_body(other, chunk, sizeof(chunk));
	SAID(session_body(other, chunk, 1),
		"tempfail 451 4.3.2 this filter's memory-limit is reached");
	SAID(finish(), "accept");
	session_free(other);
	start();
	SAID(session_body(session, chunk, sizeof(chunk)), "go on");
	SAID(finish(), "accept");
	end();
}
END_TEST

/* Over CAPS_BODY_MEMORY it goes to a file. */
static void
large_body(void)
{
	static char chunk[65535];
	int i;

	memset(chunk, 'x', sizeof(chunk));
	start();
	for (i = 0; i < 40; i++)
		session_body(session, chunk, sizeof(chunk));
	session_body(session, "virus", 5);
}

START_TEST(a_large_body_is_read_from_a_file)
{
	begin("set memory-limit 1M\n"
	      "rule b if raw body matches /xvirus$/ reject \"v\"\n"
	      "rule c if body contains \"virus\" reject \"v\"");
	large_body();
	SAID(finish(), "reject 550 5.7.1 v");
	large_body();
	session_abort(session);
	end();
}
END_TEST

START_TEST(a_body_for_which_there_is_no_file_is_deferred)
{
	begin("rule b if raw body contains virus reject \"v\"");
	setenv("TMPDIR", "/nonexistent/folder", 1);
	large_body();
	SAID(finish(), "tempfail 451 4.3.2 no room for this message's body: "
		"No such file or directory");
	LOGGED("tempfail: rule= stage=end");
	setenv("TMPDIR", "/proc", 1);
	large_body();
	SAID(finish(), "tempfail 451 4.3.2 no room for this message's body: "
		"No such file or directory");
	unsetenv("TMPDIR");
	large_body();
	SAID(finish(), "reject 550 5.7.1 v");
	end();
}
END_TEST

/* As on a full disk: the file can't grow. */
START_TEST(a_body_that_does_not_fit_into_its_file_is_deferred)
{
	struct rlimit before, most;

	begin("rule b if raw body contains virus reject \"v\"");
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	most = before;
	most.rlim_cur = 2 << 20;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &most), 0);
	large_body();
	SAID(finish(), "tempfail 451 4.3.2 no room for this message's body: "
		"File too large");
	setrlimit(RLIMIT_FSIZE, &before);
	end();
}
END_TEST

START_TEST(a_failure_is_one_line)
{
	begin("set message-limit 1K\n"
	      "rule s if subject is x reject \"no\"");
	start();
	session_header(session, "A", "x");
	logged[0] = '\0';
	while (session_header(session, "B", "yyyyyyyyyyyyyyyyyy").kind ==
	       ANSWER_GO_ON)
		;
	session_end_of_headers(session);
	finish();
	ck_assert_ptr_eq(strchr(logged, '\n') + 1, logged + strlen(logged));
	LOGGED("4 NOQUEUE: tempfail: rule= stage=headers");
	LOGGED("reply=\"451 4.3.2 message too large");
	end();
}
END_TEST

START_TEST(a_failed_fact_is_the_rules_on_error)
{
	begin("rule n if client.name is x reject \"no\"");
	give("{client_resolve}", "TEMP");
	SAID(from("[198.51.100.7]", "198.51.100.7"),
		"tempfail 451 4.3.0 temporary failure in rule n");
	LOGGED("4 NOQUEUE: tempfail: rule=n stage=connect");
	LOGGED(" why=\"");
	end();
}
END_TEST

/* ---- the log ---- */

START_TEST(what_was_done_is_logged)
{
	begin("rule a if helo add header \"X-A\" \"1\" "
	      "add rcpt c@example.com quarantine \"look\"");
	start();
	give("i", "Q1");
	SAID(finish(), "accept");
	LOGGED("6 Q1: held: rule=a stage=end client=mail.example.net"
		"[198.51.100.7] helo=<mail.example.net> from=<a@example.org> "
		"to=<b@example.com> auth=<> header-from=<a@example.org> spf= "
		"done=\"add header X-A; add rcpt c@example.com; "
		"quarantine look\"\n");
	end();
}
END_TEST

/* Nor is a recipient added who is one already. */
START_TEST(what_found_nothing_was_not_done)
{
	begin("rule a if helo remove header \"X-A\" "
	      "rewrite header \"From\" /zzz/ \"y\" add rcpt b@example.com "
	      "remove attachment matching /zzz/");
	start();
	give("i", "Q1");
	SAID(finish(), "accept");
	NOT_LOGGED("done=");
	end();
	begin("rule a if helo remove header \"X-A\" add header \"X-B\" \"1\" "
	      "rewrite header \"From\" /example/ \"y\" "
	      "rewrite header \"From\" /zzz/ \"y\"");
	start();
	give("i", "Q1");
	SAID(finish(), "accept");
	LOGGED("done=\"add header X-B; rewrite header From\"\n");
	end();
}
END_TEST

START_TEST(what_is_taken_out_is_logged)
{
	static const char part[] = "--b\r\nContent-Type: application/x%s\r\n"
		"\r\nx\r\n";
	char text[1000];
	int i;

	begin("rule a if helo remove attachment matching /./ "
	      "remove attachment");
	start();
	session_header(session, "Content-Type",
	               "multipart/mixed; boundary=b");
	snprintf(text, sizeof(text), part,
	         "; name=\"a, b; quarantine <c>\x1b.exe\"");
	body(text);
	snprintf(text, sizeof(text), part, "; name=invoice.exe");
	body(text);
	snprintf(text, sizeof(text), part, "");
	body(text);
	SAID(finish(), "accept");
	LOGGED("done=\"remove attachment a_ b_ quarantine \\x3cc\\x3e\\x1b.exe,"
	       " invoice.exe; remove attachment application/x\"\n");
	session_abort(session);
	start();
	session_header(session, "Content-Type",
	               "multipart/mixed; boundary=b");
	for (i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), part, "; name=invoice.exe");
		body(text);
	}
	SAID(finish(), "accept");
	LOGGED("invoice.exe, invoice...\"\n");
	session_abort(session);
	start();
	session_header(session, "Content-Type",
	               "multipart/signed; boundary=b");
	body(text);
	SAID(finish(), "accept");
	LOGGED("done=\"remove attachment (left out: it is signed or encrypted:"
	       " multipart/signed); remove attachment (left out: it is signed"
	       " or encrypted: multipart/signed)\"\n");
	end();
}
END_TEST

START_TEST(what_could_not_be_done_is_logged)
{
	begin("rule a if helo add header \"X-A\" \"1\"");
	start();
	SAID(session_end_of_message(session, &changes, &n_changes), "accept");
	ck_assert_uint_eq(n_changes, 1);
	session_done(session, false);
	LOGGED("4 NOQUEUE: tempfail: rule= stage=end");
	LOGGED("why=\"the MTA did not take the changes\"");
	NOT_LOGGED("accept:");
	end();
}
END_TEST

START_TEST(what_can_t_be_carried_out_is_a_failure_of_its_rule)
{
	begin("rule a if helo on error skip add rcpt \"${subject} x\"\n"
	      "rule b if helo add header \"X-B\" \"1\"");
	start();
	SAID(finish(), "accept");
	ck_assert_uint_eq(n_changes, 1);
	LOGGED("done=\"add rcpt (left out: add rcpt: \\x3chello x\\x3e is no "
	       "mail address) hello x; add header X-B\"\n");
	end();
	begin("rule a if helo on error reject add rcpt \"${subject} x\"");
	start();
	SAID(finish(), "reject 554 5.3.0 permanent failure in rule a");
	ck_assert_uint_eq(n_changes, 0);
	LOGGED("4 NOQUEUE: reject: rule=a stage=end");
	LOGGED("why=\"add rcpt: \\x3chello x\\x3e is no mail address\"");
	end();
	begin("rule a if helo add rcpt \"${subject} x\"");
	start();
	SAID(finish(), "tempfail 451 4.3.0 temporary failure in rule a");
	LOGGED("4 NOQUEUE: tempfail: rule=a stage=end");
	end();
	begin("rule a if helo on error skip remove attachment "
	      "where attachment matches /(a+)+$/");
	start();
	session_header(session, "Content-Type", "application/x; name="
	               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
	SAID(finish(), "accept");
	LOGGED("done=\"remove attachment (left out: ");
	end();
}
END_TEST

START_TEST(log_actions_are_written_whatever_the_verdict)
{
	begin("rule l if sender log \"s=${sender} x=\\\"\"\n"
	      "rule r if subject is hello reject \"no\"");
	start();
	SAID(session_end_of_headers(session), "reject 550 5.7.1 no");
	LOGGED("6 NOQUEUE: log: rule=l stage=headers");
	LOGGED("text=\"s=a@example.org x=\\x22\"\n");
	end();
}
END_TEST

START_TEST(shadow_rules_are_logged)
{
	begin("shadow rule s if sender reject 550 5.7.1 \"would\"\n"
	      "shadow rule n if sender add header \"X\" \"1\"\n"
	      "rule r if subject is x reject \"no\"");
	start();
	SAID(session_end_of_headers(session), "go on");
	SAID(finish(), "accept");
	LOGGED("6 NOQUEUE: accept: rule= stage=end");
	LOGGED("6 NOQUEUE: shadow: rule=s stage=");
	LOGGED("shadow=reject reply=\"550 5.7.1 would\"\n");
	LOGGED("shadow: rule=n");
	LOGGED("shadow=noted\n");
	end();
}
END_TEST

START_TEST(set_shadow_lets_in_unchanged)
{
	begin("set shadow yes\n"
	      "rule r if subject is hello reject 550 5.7.1 \"no\"\n"
	      "rule c if rcpt.local is c reject \"c\"\n"
	      "rule a if sender add header \"X\" \"1\"");
	start();
	SAID(rcpt("<c@example.com>"), "go on");
	SAID(session_end_of_headers(session), "go on");
	SAID(finish(), "accept");
	ck_assert_uint_eq(n_changes, 0);
	LOGGED("shadow: rule=r stage=headers");
	LOGGED("shadow=reject reply=\"550 5.7.1 no\"\n");
	LOGGED("shadow: rule=c stage=rcpt");
	LOGGED("accept: rule=r stage=end");
	logged[0] = '\0';
	mail("<a@example.org>");
	rcpt("<b@example.com>");
	SAID(finish(), "accept");
	ck_assert_uint_eq(n_changes, 0);
	LOGGED("accept: rule= stage=end");
	LOGGED("shadow=noted");
	end();
}
END_TEST

START_TEST(recipients_that_a_line_leaves_out_are_marked)
{
	char path[32];
	int i;

	begin("rule r if subject is hello reject");
	start();
	for (i = 0; i < 120; i++) {
		snprintf(path, sizeof(path), "<%d@b.example>", i);
		rcpt(path);
	}
	SAID(session_end_of_headers(session),
		"reject 550 5.7.1 refused by policy");
	LOGGED(",<40@b.example>,<41@b.example>");
	LOGGED(",... auth=<>");
	end();
}
END_TEST

START_TEST(set_shadow_tells_each_refused_recipient_once)
{
	begin("set shadow yes\nset first-refusal rcpt\n"
	      "rule r if sender is a@example.org reject 550 5.7.1 \"no\"");
	start();
	SAID(rcpt("<c@example.com>"), "go on");
	SAID(session_data(session), "go on");
	SAID(session_end_of_headers(session), "go on");
	SAID(finish(), "accept");
	LOGGED("shadow: rule=r stage=rcpt");
	LOGGED("to=<c@example.com>");
	NOT_LOGGED("shadow: rule=r stage=data");
	NOT_LOGGED("shadow: rule=r stage=headers");
	NOT_LOGGED("shadow: rule=r stage=end");
	LOGGED("accept: rule=r stage=end");
	LOGGED("shadow=reject\n");
	end();
}
END_TEST

START_TEST(set_shadow_tells_whose_copy_would_be_dropped)
{
	begin("set shadow yes\n"
	      "rule d if rcpt.local is d discard");
	start();
	SAID(rcpt("<d@example.com>"), "go on");
	SAID(finish(), "accept");
	LOGGED("shadow: rule=d stage=end");
	LOGGED("to=<d@example.com>");
	LOGGED("shadow=discard\n");
	LOGGED("accept: rule= stage=end");
	end();
}
END_TEST

START_TEST(a_macro_that_never_comes_is_named_once)
{
	begin("rule d if daemon.port is 465 accept\n"
	      "rule m if macro \"{never_there}\" is x reject \"no\"\n"
	      "rule a if auth or tls reject \"no\"");
	start();
	finish();
	LOGGED("4 the MTA does not send the macro {daemon_port}, which rule d "
		"needs: add it to Postfix' milter_connect_macros");
	LOGGED("{never_there}, which rule m needs");
	NOT_LOGGED("auth_authen");
	NOT_LOGGED("tls_version");
	logged[0] = '\0';
	start();
	finish();
	NOT_LOGGED("does not send");
	end();
}
END_TEST

START_TEST(addresses_that_are_too_many_to_compare_with_each_other_defer)
{
	char *argv[] = {(char *)(size_t)"<a@example.org>", NULL};
	char *list = malloc(4 * CAPS_FIELD_WORDS + 1);
	size_t i;

	ck_assert_ptr_nonnull(list);
	for (i = 0; i < CAPS_FIELD_WORDS; i++)
		memcpy(list + 4 * i, "A@b,", 4);
	list[4 * CAPS_FIELD_WORDS - 1] = '\0';
	begin("rule a\n  if any from is reply-to\n  reject\n");
	session_connect(session, "h", NULL);
	session_helo(session, "h.example");
	session_mail(session, argv);
	session_rcpt(session, argv);
	session_header(session, "From", list);
	for (i = 0; i < CAPS_FIELD_WORDS; i++)
		list[4 * i] = 'c';
	session_header(session, "Reply-To", list);
	SAID(session_end_of_headers(session),
	     "tempfail 451 4.3.0 temporary failure in rule a");
	free(list);
	end();
}
END_TEST

CHECK_MAIN("session", a_refusal_at_connect_stands_for_the_session,
	a_refusal_at_helo_stands_for_the_session,
	a_refusal_at_mail_is_of_one_message,
	an_accept_at_helo_or_rcpt_is_only_remembered,
	an_accept_at_connect_is_told_there,
	a_discard_is_told_when_no_recipient_is_left,
	a_refused_recipient_is_not_of_the_message,
	a_body_that_nobody_asks_about_is_skipped,
	mail_may_come_first, an_unfinished_message_is_forgotten,
	abort_may_come_any_time,
	everything_may_come_without_what_goes_before,
	a_field_after_the_header_escapes_no_rule,
	helo_again_is_a_new_start, messages_of_a_session_do_not_mix,
	a_client_without_an_address_is_the_local_command,
	of_the_local_command_a_message_is_refused_whole,
	an_ipv4_mapped_client_is_ipv4, the_port_is_of_the_socket_address,
	parameters_are_values_as_they_came, size_counts_what_smtp_would,
	a_body_in_pieces_is_one_value,
	the_body_is_there_until_the_last_line_is_written,
	macros_of_the_connection_are_kept,
	a_queue_id_may_come_late, invalid_utf8_is_matched_and_logged_safely,
	many_from_fields_are_all_read,
	many_recipients_are_redirected_each_to_his_own, too_many_fields_are_deferred, a_header_too_large_is_deferred,
	a_message_too_large_is_deferred_unless_it_is_rejected,
	all_messages_share_the_memory_limit, a_failure_is_one_line,
	a_large_body_is_read_from_a_file,
	a_body_for_which_there_is_no_file_is_deferred,
	a_body_that_does_not_fit_into_its_file_is_deferred,
	a_failed_fact_is_the_rules_on_error, what_was_done_is_logged, what_found_nothing_was_not_done, what_is_taken_out_is_logged,
	what_could_not_be_done_is_logged,
	what_can_t_be_carried_out_is_a_failure_of_its_rule,
	log_actions_are_written_whatever_the_verdict,
	shadow_rules_are_logged, set_shadow_lets_in_unchanged,
	recipients_that_a_line_leaves_out_are_marked,
	set_shadow_tells_each_refused_recipient_once,
	set_shadow_tells_whose_copy_would_be_dropped,
	a_macro_that_never_comes_is_named_once,
	addresses_that_are_too_many_to_compare_with_each_other_defer)
