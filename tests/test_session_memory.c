/*
 * test_session_memory.c - each allocation of a session fails, one after the
 * other: a message that would be refused is refused or deferred, and nothing
 * is let in that would not be, with memory; nothing crashes or is lost.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "charset.h"
#include "check.h"
#include "limits_store.h"
#include "no_memory.h"
#include "session.h"

static struct policy *policy;
static size_t lines, taken; /* recipients */
static char asked[4096];    /* of the MTA, for a message that was let in */

static const char *
macro(void *of, const char *name)
{
	(void)of;
	return strcmp(name, "i") == 0 ? "Q1" :
		strcmp(name, "{auth_authen}") == 0 ? "alice" : NULL;
}

static void
count_line(void *of, int priority, struct span line)
{
	(void)of;
	(void)priority;
	lines += line.n > 0;
}

static void
load(const char *text)
{
	struct diags *d = diags_new();

	policy = policy_load_text(span_of(text), "test.conf", ".", d);
	if (policy == NULL)
		diags_print(d, stderr);
	ck_assert_ptr_nonnull(policy);
	diags_free(d);
}

static void
note(const struct change *changes, size_t n)
{
	size_t i, at = 0;

	for (i = 0; i < n; i++) {
		at += (size_t)snprintf(asked + at, sizeof(asked) - at,
			"%d %u %.*s %.*s\n", (int)changes[i].kind,
			changes[i].index, SPAN_ARG(changes[i].name),
			SPAN_ARG(changes[i].value));
		if (at >= sizeof(asked))
			abort();
	}
}

/* Until something is decided: what a whole message is answered. */
static enum answer_kind
tell(struct session *s)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	char *sender[] = {(char[]){"<a@example.org>"}, (char[]){"SIZE=9"}, NULL};
	char *first[] = {(char[]){"<b@example.com>"}, NULL};
	char *second[] = {(char[]){"<c@example.com>"}, NULL};
	const struct change *changes;
	struct answer a;
	size_t n;

	in.sin_addr.s_addr = htonl(0xc6336407);
	session_connect(s, "mail.example.net", (void *)&in);
	session_helo(s, "mail.example.net");
	session_mail(s, sender);
	taken = session_rcpt(s, first).kind == ANSWER_GO_ON;
	taken += session_rcpt(s, second).kind == ANSWER_GO_ON;
	session_data(s);
	session_header(s, "X-In", "some\n value");
	session_header(s, "To", "b@example.com");
	session_header(s, "From", "=?utf-8?q?J=C3=BC?= <q@example.net>, c@d.org");
	session_header(s, "Subject", "=?koi8-r?b?98nS1dM=?= today");
	session_end_of_headers(s);
	session_body(s, "body\r\n", 6);
	session_body(s, "virus\r\n", 7);
	a = session_end_of_message(s, &changes, &n);
	asked[0] = '\0';
	if (a.kind == ANSWER_ACCEPT) {
		note(changes, n);
		session_done(s, true);
	}
	return a.kind;
}

/* TEMPFAIL stands for a session that could not be made, too. */
static enum answer_kind
try_failing(unsigned long n, bool for_good)
{
	struct session_host host = {.macro = macro, .log = count_line};
	enum answer_kind kind = ANSWER_TEMPFAIL;
	struct session *s;

	lines = 0;
	no_memory = (struct no_memory){true, for_good, 0, n};
	s = session_new(policy, NULL, &host);
	if (s != NULL)
		kind = tell(s);
	no_memory.counting = false;
	/* a verdict is logged, and so is a failure */
	ck_assert(s == NULL || lines > 0);
	session_free(s);
	return kind;
}

/*
 * Returns how many allocations there are; each fails in turn. What is let in
 * is let in with all its changes.
 */
static unsigned long
fail_each(enum answer_kind expected, bool for_good)
{
	enum answer_kind got;
	unsigned long n, deferred = 0;
	char whole[sizeof(asked)];

	charset_load();
	ck_assert_int_eq(try_failing(0, false), expected);
	strcpy(whole, asked);
	for (n = 1;; n++) {
		got = try_failing(n, for_good);
		if (no_memory.count < n)
			break;
		ck_assert_msg(got == expected || got == ANSWER_TEMPFAIL,
			"allocation %lu: %d", n, (int)got);
		ck_assert_msg(got != ANSWER_ACCEPT ||
			strcmp(asked, whole) == 0,
			"allocation %lu: %s", n, asked);
		deferred += got == ANSWER_TEMPFAIL;
	}
	ck_assert_uint_gt(deferred, n / 2);
	return n - 1;
}

START_TEST(nothing_is_let_in_that_would_be_refused)
{
	load("rule a if auth is bob accept\n"
	     "rule t if sender in { @example.com } accept\n"
	     "rule r if rcpt.local matches /^x/ accept\n"
	     "rule b if raw body contains virus\n"
	     "  reject \"${sender} ${raw header \\\"X-In\\\"}\"\n");
	ck_assert_uint_gt(fail_each(ANSWER_REJECT, false), 10);
	ck_assert_uint_gt(fail_each(ANSWER_REJECT, true), 10);
	policy_unref(policy);
}
END_TEST

START_TEST(no_exception_is_reached_by_a_failure)
{
	load("table <friends> { @friend.example }\n"
	     "table <logins> { alice = { @lists.example.org } }\n"
	     "define exempt\n"
	     "  every to.domain is sender.domain or any cc is c@d.org\n"
	     "rule a if every from in <friends> accept\n"
	     "rule b if every from in <logins>[auth] accept\n"
	     "rule c if sender in <logins>[auth] or exempt accept\n"
	     "rule d if folded subject contains friend accept\n"
	     "rule e if raw header \"Subject\" contains friend accept\n"
	     "rule f if header /^x-fr/i contains friend accept\n"
	     "rule g if every from.name is friend accept\n"
	     "rule h if body.text contains friend accept\n"
	     "rule i if link.host in { .friend.example } accept\n"
	     "rule j if not part.type accept\n"
	     "rule k if size < 10 or part.count < 1 accept\n"
	     "rule l if client in { 10.0.0.0/8 } or rcpt.count > 5 accept\n"
	     "rule m if from.count < 2 or from.count > 2 accept\n"
	     "rule n if client.name in { .friend.example } accept\n"
	     "rule o unless any from.domain is example.net accept\n"
	     "rule p unless every rcpt.domain is example.com accept\n"
	     "rule r if subject contains \"вирус\"\n"
	     "  unless body contains friend\n"
	     "  reject \"${from.name} ${<logins>[auth]}\"\n");
	ck_assert_uint_gt(fail_each(ANSWER_REJECT, false), 100);
	ck_assert_uint_gt(fail_each(ANSWER_REJECT, true), 100);
	policy_unref(policy);
}
END_TEST

START_TEST(what_is_filled_in_is_whole)
{
	load("table <t> { q@example.net = { m@example.org } }\n"
	     "rule t if any from in <t>\n"
	     "  add header \"X-T\" \"${<t>[from]} ${from.name}\"\n"
	     "rule a replace header \"Subject\" \"${subject} [x]\"\n"
	     "rule b rewrite header \"From\" /^J/ \"${auth}\"\n"
	     "rule d if rcpt is b@example.com\n"
	     "  redirect \"d+${client}@example.com\"\n"
	     "rule s replace sender \"x+${auth}@example.org\"\n"
	     "rule q if body contains virus quarantine \"${subject}\"\n");
	ck_assert_uint_gt(fail_each(ANSWER_ACCEPT, false), 100);
	ck_assert_uint_gt(fail_each(ANSWER_ACCEPT, true), 100);
	policy_unref(policy);
}
END_TEST

START_TEST(what_is_let_in_is_whole)
{
	load("rule a if auth remove header \"X-In\" add rcpt d@example.com\n"
	     "  quarantine \"${client}\"\n"
	     "rule l if size > 10 log \"${size} of ${sender}\"\n"
	     "shadow rule s if sender reject \"${helo}\"\n");
	ck_assert_uint_gt(fail_each(ANSWER_ACCEPT, false), 10);
	ck_assert_uint_gt(fail_each(ANSWER_ACCEPT, true), 10);
	policy_unref(policy);
}
END_TEST

/* ---- limits ---- */

static unsigned
used(struct limits *l, size_t i, const char *key)
{
	size_t n;
	const struct limit *limit = policy_limits(policy, &n);
	struct limits_found found;

	limits_ask(l, &limit[i], span_of(key), 0, false, &found);
	return (unsigned)found.used;
}

/* A message is counted if it is let in, and else leaves nothing behind. */
static enum answer_kind
count_failing(unsigned long n, bool for_good)
{
	struct session_host host = {.macro = macro, .log = count_line};
	enum answer_kind kind = ANSWER_TEMPFAIL;
	struct session *s;
	bool in;

	host.limits = limits_memory(100, NULL, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(host.limits);
	no_memory = (struct no_memory){true, for_good, 0, n};
	s = session_new(policy, NULL, &host);
	if (s != NULL)
		kind = tell(s);
	session_free(s);
	no_memory.counting = false;
	in = kind == ANSWER_ACCEPT;
	ck_assert_uint_eq(used(host.limits, 0, "alice"), in ? taken : 0);
	ck_assert_uint_eq(used(host.limits, 1, "example.com"), in ? taken : 0);
	ck_assert_uint_eq(used(host.limits, 2, "198.51.100.7"), in);
	limits_free(host.limits);
	return kind;
}

START_TEST(what_is_counted_is_what_is_let_in)
{
	unsigned long n, deferred = 0;
	int for_good;

	load("limit r 10 recipients per 1h by auth\n"
	     "limit d 10 recipients per 1h by rcpt.domain\n"
	     "limit m 10 messages per 1h by client\n"
	     "rule a if over limit r or over limit d or over limit m tempfail\n"
	     "rule b if raw body contains virus and size < 5 reject\n");
	for (for_good = 0; for_good < 2; for_good++) {
		ck_assert_int_eq(count_failing(0, false), ANSWER_ACCEPT);
		for (n = 1;; n++) {
			deferred += count_failing(n, for_good) !=
				ANSWER_ACCEPT;
			if (no_memory.count < n)
				break;
		}
	}
	ck_assert_uint_gt(deferred, 20);
	policy_unref(policy);
}
END_TEST

#if NO_MEMORY_WORKS
CHECK_MAIN("session_memory", nothing_is_let_in_that_would_be_refused,
	no_exception_is_reached_by_a_failure, what_is_filled_in_is_whole,
	what_is_let_in_is_whole, what_is_counted_is_what_is_let_in)
#else
int
main(void)
{
	(void)nothing_is_let_in_that_would_be_refused;
	(void)no_exception_is_reached_by_a_failure;
	(void)what_is_filled_in_is_whole;
	(void)what_is_let_in_is_whole;
	(void)what_is_counted_is_what_is_let_in;
	return 77;
}
#endif
