/* test_tally.c - what messages take of limits, keep and give back. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "limits_store.h"
#include "session.h"

#define SESSIONS 3

static struct policy *policy;
static const struct limit *limit;
static struct limits *limits;
static struct session *sessions[SESSIONS];
static const char *login = "alice";
static char logged[65536];
static int64_t now = 1700000000000;

static int64_t
clock_of_test(void *of)
{
	(void)of;
	return now;
}

static const char *
macro(void *of, const char *name)
{
	(void)of;
	return strcmp(name, "{auth_authen}") == 0 ? login : NULL;
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
begin(const char *text)
{
	struct session_host host = {.macro = macro, .log = keep_line};
	struct diags *d = diags_new();
	size_t i, n;

	policy = policy_load_text(span_of(text), "test.conf", ".", d);
	if (policy == NULL)
		diags_print(d, stderr);
	diags_free(d);
	ck_assert_ptr_nonnull(policy);
	limit = policy_limits(policy, &n);
	host.limits = limits = limits_memory(1000, NULL, clock_of_test, NULL,
		NULL);
	ck_assert_ptr_nonnull(limits);
	for (i = 0; i < SESSIONS; i++) {
		sessions[i] = session_new(policy, NULL, &host);
		ck_assert_ptr_nonnull(sessions[i]);
	}
}

static void
end(void)
{
	size_t i;

	for (i = 0; i < SESSIONS; i++)
		session_free(sessions[i]);
	limits_free(limits);
	policy_unref(policy);
}

static unsigned
used(size_t i, const char *key)
{
	struct limits_found found;

	limits_ask(limits, &limit[i], span_of(key), 0, false, &found);
	return (unsigned)found.used;
}

static enum answer_kind
from(size_t s, const char *ip)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	char name[64];

	ck_assert_int_eq(inet_pton(AF_INET, ip, &in.sin_addr), 1);
	snprintf(name, sizeof(name), "[%s]", ip);
	return session_connect(sessions[s], name, (void *)&in).kind;
}

static enum answer_kind
mail_with(size_t s, const char *path, const char *param)
{
	char *argv[] = {(char *)(size_t)path, (char *)(size_t)param, NULL};

	return session_mail(sessions[s], argv).kind;
}

static enum answer_kind
mail(size_t s, const char *path)
{
	return mail_with(s, path, NULL);
}

static enum answer_kind
rcpt(size_t s, const char *path)
{
	char *argv[] = {(char *)(size_t)path, NULL};

	return session_rcpt(sessions[s], argv).kind;
}

static enum answer_kind
data(size_t s, const char *subject)
{
	const struct change *changes;
	struct answer a;
	size_t n;

	a = session_data(sessions[s]);
	if (a.kind == ANSWER_GO_ON)
		a = session_header(sessions[s], "Subject", subject);
	if (a.kind == ANSWER_GO_ON)
		a = session_end_of_headers(sessions[s]);
	if (a.kind == ANSWER_GO_ON)
		a = session_body(sessions[s], "text\r\n", 6);
	if (a.kind == ANSWER_GO_ON || a.kind == ANSWER_SKIP)
		a = session_end_of_message(sessions[s], &changes, &n);
	if (a.kind == ANSWER_ACCEPT)
		session_done(sessions[s], true);
	return a.kind;
}

#define OUTBOUND "limit outbound 5 recipients per 1h by auth\n" \
	"rule out\n  if over limit outbound\n  tempfail\n" \
	"rule bad\n  if subject is bad\n  reject\n"

START_TEST(what_is_let_in_is_counted_once)
{
	begin(OUTBOUND);
	ck_assert_int_eq(mail(0, "<a@example.org>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(0, "<b@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(0, "<c@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 2);
	session_abort(sessions[0]);
	ck_assert_uint_eq(used(0, "alice"), 2);
	end();
}
END_TEST

START_TEST(messages_at_a_time_share_what_there_is)
{
	begin(OUTBOUND);
	mail(0, "<a@example.org>");
	mail(1, "<a@example.org>");
	ck_assert_int_eq(rcpt(0, "<b@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(0, "<c@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(1, "<d@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(1, "<e@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(0, "<f@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(1, "<g@example.net>"), ANSWER_TEMPFAIL);
	ck_assert_int_eq(rcpt(0, "<h@example.net>"), ANSWER_TEMPFAIL);
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_int_eq(data(1, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 5);
	end();
}
END_TEST

START_TEST(what_is_refused_or_gone_is_given_back)
{
	begin(OUTBOUND);
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	rcpt(0, "<c@example.net>");
	ck_assert_uint_eq(used(0, "alice"), 2);
	ck_assert_int_eq(data(0, "bad"), ANSWER_REJECT);
	ck_assert_uint_eq(used(0, "alice"), 0);
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	ck_assert_uint_eq(used(0, "alice"), 1);
	session_abort(sessions[0]);
	ck_assert_uint_eq(used(0, "alice"), 0);
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	session_helo(sessions[0], "x");
	ck_assert_uint_eq(used(0, "alice"), 0);
	mail(1, "<a@example.org>");
	rcpt(1, "<b@example.net>");
	session_free(sessions[1]);
	sessions[1] = NULL;
	ck_assert_uint_eq(used(0, "alice"), 0);
	end();
}
END_TEST

#define PART 240000 /* ms: a fifteenth of the hour */

START_TEST(a_message_that_takes_long_gives_back_its_own)
{
	int i;

	begin("limit outbound 100 recipients per 1h by auth\n"
	      "rule out\n  if over limit outbound\n  tempfail\n");
	mail(0, "<a@example.org>");
	for (i = 0; i < 50; i++)
		rcpt(0, "<b@example.net>");
	now += 10 * PART;
	rcpt(0, "<b@example.net>");
	mail(1, "<a@example.org>");
	for (i = 0; i < 49; i++)
		ck_assert_int_eq(rcpt(1, "<c@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(1, "<c@example.net>"), ANSWER_TEMPFAIL);
	ck_assert_int_eq(data(1, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 100);
	/* gives back 51, 50 of which are of long ago */
	session_abort(sessions[0]);
	ck_assert_uint_eq(used(0, "alice"), 49);
	now += 6 * PART;
	ck_assert_uint_eq(used(0, "alice"), 49);
	now += 10 * PART;
	ck_assert_uint_eq(used(0, "alice"), 0);
	end();
}
END_TEST

START_TEST(what_was_forgotten_is_not_given_back)
{
	int i;

	begin("limit outbound 100 recipients per 1h by auth\n"
	      "rule out\n  if over limit outbound\n  tempfail\n");
	mail(0, "<a@example.org>");
	for (i = 0; i < 100; i++)
		rcpt(0, "<b@example.net>");
	now += 16 * PART;
	rcpt(0, "<b@example.net>");
	mail(1, "<a@example.org>");
	for (i = 0; i < 99; i++)
		ck_assert_int_eq(rcpt(1, "<c@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(data(1, "good"), ANSWER_ACCEPT);
	session_abort(sessions[0]);
	ck_assert_uint_eq(used(0, "alice"), 99);
	end();
}
END_TEST

START_TEST(what_the_mta_did_not_take_is_given_back)
{
	const struct change *changes;
	size_t n;

	begin(OUTBOUND "rule note\n  add header \"X\" \"y\"\n");
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	session_data(sessions[0]);
	session_end_of_message(sessions[0], &changes, &n);
	ck_assert_uint_eq(n, 1);
	session_done(sessions[0], false);
	ck_assert_uint_eq(used(0, "alice"), 0);
	end();
}
END_TEST

START_TEST(a_refused_recipient_is_not_counted)
{
	begin("limit outbound 5 recipients per 1h by auth\n"
	      "rule out\n  if over limit outbound\n  tempfail\n"
	      "rule no\n  if rcpt.local is no\n  reject\n"
	      "rule drop\n  if rcpt.local is drop\n  discard\n");
	mail(0, "<a@example.org>");
	rcpt(0, "<no@example.net>");
	rcpt(0, "<b@example.net>");
	rcpt(0, "<no@example.net>");
	rcpt(0, "<drop@example.net>");
	ck_assert_int_eq(rcpt(0, "<c@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(0, "<no@example.net>"), ANSWER_REJECT);
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 2);
	end();
}
END_TEST

START_TEST(what_nobody_asked_for_is_counted_at_the_end)
{
	begin("limit outbound 5 recipients per 1h by auth\n"
	      "limit volume 1G bytes per 1h by auth\n"
	      "limit mails 3 messages per 1h by sender.domain\n"
	      "rule friends\n  if sender.domain is example.org\n  accept\n"
	      "rule out\n  if over limit outbound\n  tempfail\n"
	      "rule full\n  if over limit volume or over limit mails\n"
	      "  tempfail\n");
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	rcpt(0, "<c@example.net>");
	ck_assert_uint_eq(used(0, "alice"), 0);
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 2);
	ck_assert_uint_eq(used(1, "alice"), 15 + 2 + 6);
	ck_assert_uint_eq(used(2, "example.org"), 1);
	end();
}
END_TEST

START_TEST(logins_are_one_whatever_their_letters)
{
	begin(OUTBOUND);
	login = "ALICE";
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	ck_assert_uint_eq(used(0, "alice"), 1);
	login = NULL;
	mail(1, "<a@example.org>");
	ck_assert_int_eq(rcpt(1, "<b@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(data(1, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, ""), 0);
	end();
}
END_TEST

START_TEST(bytes_are_refused_by_what_mail_announces)
{
	begin("limit volume 1000 bytes per 1h by auth\n"
	      "rule much\n  if over limit volume\n  tempfail\n");
	ck_assert_int_eq(mail_with(0, "<a@example.org>", "SIZE=1001"),
		ANSWER_TEMPFAIL);
	ck_assert_int_eq(mail_with(0, "<a@example.org>", "SIZE=1000"),
		ANSWER_GO_ON);
	rcpt(0, "<b@example.net>");
	ck_assert_uint_eq(used(0, "alice"), 0);
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 23);
	limits_add(limits, &limit[0], SPAN("alice"), 960, 0);
	mail_with(0, "<a@example.org>", "SIZE=4");
	rcpt(0, "<b@example.net>");
	ck_assert_int_eq(data(0, "good"), ANSWER_TEMPFAIL);
	ck_assert_uint_eq(used(0, "alice"), 983);
	limits_add(limits, &limit[0], SPAN("alice"), 17, 0);
	ck_assert_int_eq(mail(0, "<a@example.org>"), ANSWER_TEMPFAIL);
	end();
}
END_TEST

START_TEST(rejects_stop_a_client_and_not_for_ever)
{
	unsigned i;

	begin("limit guesses 3 rejects per 10m by client\n"
	      "rule stop\n  if over limit guesses\n  reject\n"
	      "rule user\n  if rcpt.local is not user\n  reject\n"
	      "rule later\n  if rcpt.local is user\n  tempfail\n");
	ck_assert_int_eq(from(0, "192.0.2.1"), ANSWER_GO_ON);
	mail(0, "<a@example.org>");
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(rcpt(0, "<x@example.net>"), ANSWER_REJECT);
	ck_assert_int_eq(rcpt(0, "<user@example.net>"), ANSWER_TEMPFAIL);
	ck_assert_uint_eq(used(0, "192.0.2.1"), 2);
	rcpt(0, "<y@example.net>");
	ck_assert_int_eq(from(1, "192.0.2.1"), ANSWER_REJECT);
	ck_assert_int_eq(from(2, "192.0.2.2"), ANSWER_GO_ON);
	ck_assert_uint_eq(used(0, "192.0.2.1"), 3);
	now += 11 * 60000;
	ck_assert_int_eq(from(1, "192.0.2.1"), ANSWER_GO_ON);
	end();
}
END_TEST

START_TEST(a_recipient_may_be_the_key)
{
	begin("limit box 2 messages per 1h by rcpt\n"
	      "rule full\n  if over limit box\n  tempfail\n");
	mail(0, "<a@example.org>");
	ck_assert_int_eq(rcpt(0, "<b@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(0, "<B@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(0, "<c@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "b@example.net"), 1);
	ck_assert_uint_eq(used(0, "c@example.net"), 1);
	mail(0, "<a@example.org>");
	ck_assert_int_eq(rcpt(0, "<b@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(1, "<b@example.net>"), ANSWER_TEMPFAIL);
	session_abort(sessions[0]);
	ck_assert_uint_eq(used(0, "b@example.net"), 1);
	end();
}
END_TEST

START_TEST(shadow_counts_as_if_it_were_in_force)
{
	begin("set shadow yes\n" OUTBOUND);
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	ck_assert_int_eq(data(0, "bad"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 0);
	limits_add(limits, &limit[0], SPAN("alice"), 4, 0);
	mail(0, "<a@example.org>");
	ck_assert_int_eq(rcpt(0, "<b@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(rcpt(0, "<c@example.net>"), ANSWER_GO_ON);
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 5);
	ck_assert_ptr_nonnull(strstr(logged, "shadow=tempfail"));
	end();
}
END_TEST

START_TEST(a_shadow_rule_lets_more_in_than_there_is)
{
	begin("limit mails 1 messages per 1h by auth\n"
	      "shadow rule out\n  if over limit mails\n  tempfail\n");
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_ptr_null(strstr(logged, "shadow="));
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 2);
	ck_assert_ptr_nonnull(strstr(logged, "shadow=tempfail"));
	end();
}
END_TEST

START_TEST(thousands_of_recipients_are_counted_in_good_time)
{
	char path[64];
	unsigned i;

	begin("limit outbound 100000 recipients per 1h by auth\n"
	      "limit boxes 10 messages per 1h by rcpt\n"
	      "rule out\n  if over limit outbound or over limit boxes\n"
	      "  tempfail\n");
	mail(0, "<a@example.org>");
	for (i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "<u%u@example.net>", i);
		if (rcpt(0, path) != ANSWER_GO_ON)
			ck_abort_msg("recipient %u", i);
	}
	ck_assert_int_eq(data(0, "good"), ANSWER_ACCEPT);
	ck_assert_uint_eq(used(0, "alice"), 20000);
	end();
}
END_TEST

START_TEST(too_many_values_fail)
{
	static char value[4000];
	size_t n = 0;
	unsigned i;

	begin("limit authors 10 messages per 1h by from\n"
	      "rule out\n  if over limit authors\n  reject\n");
	for (i = 0; i < 51; i++)
		n += (size_t)snprintf(value + n, sizeof(value) - n,
			"%su%u@example.org", i == 0 ? "" : ", ", i);
	mail(0, "<a@example.org>");
	rcpt(0, "<b@example.net>");
	session_data(sessions[0]);
	session_header(sessions[0], "From", value);
	ck_assert_int_eq(session_end_of_headers(sessions[0]).kind,
		ANSWER_TEMPFAIL);
	ck_assert_ptr_nonnull(strstr(logged, "too many values to count by"));
	end();
}
END_TEST

/* ---- a server that takes its time ---- */

static unsigned slow_asked;

static enum truth
ask_slowly(struct limits *l, const struct limit *of, struct span key,
           uint64_t n, bool take, struct limits_found *found)
{
	const struct timespec pause = {2, 600000000};

	(void)l;
	(void)of;
	(void)key;
	(void)n;
	(void)take;
	slow_asked++;
	nanosleep(&pause, NULL);
	found->when = now;
	return TRUTH_NO;
}

static void
forget(struct limits *l, const struct limit *of, struct span key, int64_t n,
       int64_t when)
{
	(void)l;
	(void)of;
	(void)key;
	(void)n;
	(void)when;
}

START_TEST(a_slow_server_is_waited_for_only_while_the_mta_waits)
{
	static const struct limits_kind kind = {.ask = ask_slowly,
		.add = forget};
	struct limits slow = {&kind};
	struct session_host host = {.macro = macro, .log = keep_line,
		.limits = &slow};
	static const char authors[] = "a@x.example, b@x.example, c@x.example,"
		" d@x.example, e@x.example, f@x.example";

	begin("limit authors 10 messages per 1h by from\n"
	      "limit senders 10 messages per 1h by sender\n"
	      "rule first\n  if over limit senders\n  reject\n"
	      "rule out\n  if over limit authors\n  reject\n");
	session_free(sessions[0]);
	sessions[0] = session_new(policy, NULL, &host);
	ck_assert_int_eq(mail(0, "<a@example.org>"), ANSWER_GO_ON);
	ck_assert_uint_eq(slow_asked, 1);
	ck_assert_int_eq(rcpt(0, "<b@example.net>"), ANSWER_GO_ON);
	session_data(sessions[0]);
	session_header(sessions[0], "From", authors);
	ck_assert_int_eq(session_end_of_headers(sessions[0]).kind,
		ANSWER_TEMPFAIL);
	ck_assert_uint_eq(slow_asked, 1 + 4);
	ck_assert_ptr_nonnull(strstr(logged, "it takes too long"));
	end();
}
END_TEST

CHECK_MAIN("tally",
	what_is_let_in_is_counted_once,
	messages_at_a_time_share_what_there_is,
	what_is_refused_or_gone_is_given_back,
	a_message_that_takes_long_gives_back_its_own,
	what_was_forgotten_is_not_given_back,
	what_the_mta_did_not_take_is_given_back,
	a_refused_recipient_is_not_counted,
	what_nobody_asked_for_is_counted_at_the_end,
	logins_are_one_whatever_their_letters,
	bytes_are_refused_by_what_mail_announces,
	rejects_stop_a_client_and_not_for_ever,
	a_recipient_may_be_the_key,
	shadow_counts_as_if_it_were_in_force,
	a_shadow_rule_lets_more_in_than_there_is,
	thousands_of_recipients_are_counted_in_good_time,
	too_many_values_fail,
	a_slow_server_is_waited_for_only_while_the_mta_waits)
