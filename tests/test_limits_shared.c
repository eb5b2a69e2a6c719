/*
 * test_limits_shared.c - limits of running filters: over a restart, through
 * the command, and of two filters on one Redis, which stops and freezes.
 */
#include <libmilter/mfdef.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "daemon.h"
#include "limits_store.h"
#include "mta.h"
#include "redis_server.h"

#define RULE "rule out\n  if over limit outbound\n" \
	"  tempfail 451 4.7.1 \"too many\"\n"

static char folder[] = "/tmp/vaglio-shared-XXXXXX", where[64];
static struct redis_server server;
static struct daemon daemons[2];
static struct policy *policy;
static const struct limit *limit;
static char told[4096];

static void
begin_server(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(where, sizeof(where), "unix:%s/r", folder);
	redis_server_start(&server, folder, NULL);
}

static void
end_server(void)
{
	redis_server_stop(&server);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* ---- messages ---- */

/* One of alice's: was it let in? */
static int
send_one(struct mta *m, const char *login)
{
	int got;

	if (login != NULL &&
	    !mta_macros(m, SMFIC_MAIL, "{auth_authen}", login, NULL))
		return MTA_GONE;
	got = mta_message(m, "<a@example.org>", "<b@example.net>", "hello");
	mta_abort(m);
	return got;
}

static bool
is_let_in(int reply)
{
	return reply == SMFIR_ACCEPT || reply == SMFIR_CONTINUE;
}

static struct mta *
meet(struct daemon *d)
{
	struct mta *m = mta_meet(d->socket);

	if (m != NULL && (mta_connect(m, "c", "198.51.100.7") == MTA_GONE ||
	                  mta_helo(m, "c") == MTA_GONE)) {
		mta_close(m);
		m = NULL;
	}
	return m;
}

/* How many of so many are let in. */
static unsigned
send_many(struct daemon *d, unsigned n, const char *login)
{
	struct mta *m = meet(d);
	unsigned in = 0;

	for (; m != NULL && n > 0; n--)
		in += is_let_in(send_one(m, login));
	if (m != NULL) {
		mta_quit(m);
		mta_close(m);
	}
	return in;
}

struct client {
	struct daemon *d;
	unsigned in;
};

static void *
client(void *of)
{
	struct client *c = of;

	c->in = send_many(c->d, 40, "alice");
	return NULL;
}

static void
up(struct daemon *d, const char *limits, const char *rest)
{
	char text[1024];

	snprintf(text, sizeof(text), "set limits %s\n%s", limits, rest);
	daemon_prepare(d, text);
	ck_assert_int_eq(daemon_start(d, NULL), 0);
}

static void
down(struct daemon *d)
{
	ck_assert_int_eq(daemon_stop(d), 0);
	ck_assert(daemon_is_clean(d));
}

START_TEST(two_filters_on_one_redis_let_through_no_more_than_one)
{
	struct client clients[8];
	pthread_t threads[8];
	char set[128];
	unsigned i, in = 0;

	if (!redis_server_there())
		return;
	begin_server();
	snprintf(set, sizeof(set), "redis \"%s\"", where);
	for (i = 0; i < 2; i++)
		up(&daemons[i], set, "limit outbound 100 recipients per 1h by "
		   "auth\n" RULE);
	for (i = 0; i < 8; i++) {
		clients[i] = (struct client){&daemons[i % 2], 0};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, client,
		                                &clients[i]), 0);
	}
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		in += clients[i].in;
	}
	ck_assert_uint_eq(in, 100);
	for (i = 0; i < 2; i++) {
		down(&daemons[i]);
		daemon_end(&daemons[i]);
	}
	end_server();
}
END_TEST

START_TEST(a_restart_of_the_filter_keeps_what_was_counted)
{
	struct daemon *d = &daemons[0];
	char text[512], path[128];
	char *out;

	daemon_prepare(d, "");
	snprintf(path, sizeof(path), "%s/limits.lmdb", d->dir);
	snprintf(text, sizeof(text), "set limits \"%s\"\n"
	         "limit outbound 10 recipients per 1h by auth\n" RULE, path);
	daemon_policy(d, text);
	ck_assert_int_eq(daemon_start(d, NULL), 0);
	ck_assert_uint_eq(send_many(d, 7, "Alice"), 7);
	ck_assert_uint_eq(send_many(d, 1, "bob"), 1);
	down(d);
	ck_assert_int_eq(daemon_start(d, NULL), 0);
	ck_assert_uint_eq(send_many(d, 5, "alice"), 3);
	snprintf(text, sizeof(text), "%s/out", d->dir);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-c", d->config,
	                                NULL), 0);
	out = read_file(text);
	ck_assert_ptr_nonnull(strstr(out, "outbound: 10 recipients per 1h by "
	                             "auth, 2 keys\n            10  alice  "
	                             "(full; again in 6"));
	ck_assert_ptr_nonnull(strstr(out, "\n             1  bob\n"));
	free(out);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-c", d->config,
	                                "clear", "outbound", "ALICE", NULL), 0);
	out = read_file(text);
	ck_assert_ptr_nonnull(strstr(out, "\noutbound: alice is free again\n"));
	free(out);
	/* with -p nobody looks at the policy */
	snprintf(path, sizeof(path), "%s.broken", d->config);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-c", path, NULL),
	                 78);
	snprintf(path, sizeof(path), "unix:%s", d->socket);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-p", path, NULL),
	                 0);
	out = read_file(text);
	ck_assert_ptr_nonnull(strstr(out, "\n             1  bob\n"));
	free(out);
	snprintf(path, sizeof(path), "%s/limits.lmdb", d->dir);
	/* a key as it is shown */
	ck_assert_uint_eq(send_many(d, 1, "<\"\\>"), 1);
	ck_assert_uint_eq(send_many(d, 1, "o\nd\\d"), 1);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-c", d->config,
	                                NULL), 0);
	out = read_file(text);
	ck_assert_ptr_nonnull(strstr(out, " 1  o\\x0ad\\\\d\n"));
	ck_assert_ptr_nonnull(strstr(out, " 1  <\"\\\\>\n"));
	free(out);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-c", d->config,
	                                "clear", "outbound", "o\\x0ad\\\\d",
	                                NULL), 0);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-c", d->config,
	                                "clear", "outbound", "<\"\\\\>", NULL),
	                 0);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-c", d->config,
	                                "clear", "outbound", "alice", NULL), 1);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-c", d->config,
	                                "clear", "inbound", "alice", NULL), 64);
	ck_assert_uint_eq(send_many(d, 5, "alice"), 5);
	ck_assert_int_eq(daemon_command(d, text, "limits", "-c", d->config,
	                                "--json", NULL), 0);
	out = read_file(text);
	ck_assert_ptr_nonnull(strstr(out, "\"key\": \"alice\""));
	ck_assert_ptr_nonnull(strstr(out, "\"used\": 5"));
	free(out);
	unlink(text);
	/* a reload keeps it, too */
	snprintf(text, sizeof(text), "set limits \"%s\"\n"
	         "limit outbound 6 recipients per 2h by auth\n" RULE, path);
	daemon_policy(d, text);
	ck_assert_int_eq(daemon_command(d, NULL, "reload", "-c", d->config,
	                                NULL), 0);
	ck_assert_uint_eq(send_many(d, 5, "alice"), 1);
	down(d);
	unlink(path);
	daemon_end(d);
}
END_TEST

START_TEST(a_filter_without_its_redis_defers_and_recovers)
{
	struct daemon *d = &daemons[0];
	char set[128];

	if (!redis_server_there())
		return;
	begin_server();
	redis_server_stop(&server);
	snprintf(set, sizeof(set), "redis \"%s\"", where);
	up(d, set, "limit outbound 10 recipients per 1h by auth\n" RULE);
	ck_assert_uint_eq(send_many(d, 3, "alice"), 0);
	ck_assert(daemon_logs(d, "limits: redis unix:"));
	ck_assert(daemon_logged(d, "failed: redis: "));
	ck_assert_uint_eq(send_many(d, 1, NULL), 1); /* who is not counted */
	redis_server_start(&server, folder, NULL);
	while (send_many(d, 1, "alice") == 0)
		usleep(50000); /* until the server is tried again */
	ck_assert(daemon_logs(d, "is there again"));
	ck_assert_uint_eq(send_many(d, 20, "alice"), 9);
	/* it freezes: the first waits, the others fail at once */
	kill(server.pid, SIGSTOP);
	ck_assert_uint_eq(send_many(d, 10, "alice"), 0);
	kill(server.pid, SIGCONT);
	while (send_many(d, 1, "bob") == 0)
		usleep(50000);
	ck_assert_uint_eq(daemon_count(d, "limits: redis unix:"), 4);
	down(d);
	daemon_end(d);
	end_server();
}
END_TEST

START_TEST(what_a_frozen_redis_does_not_take_is_told_at_the_end)
{
	struct daemon *d = &daemons[0];
	struct mta *m;
	char set[128];

	if (!redis_server_there())
		return;
	begin_server();
	snprintf(set, sizeof(set), "redis \"%s\"", where);
	up(d, set, "limit outbound 10 recipients per 1h by auth\n" RULE);
	m = meet(d);
	ck_assert_ptr_nonnull(m);
	ck_assert(mta_macros(m, SMFIC_MAIL, "{auth_authen}", "alice", NULL));
	ck_assert_int_eq(mta_mail(m, "<a@example.org>"),
	                 SMFIR_CONTINUE);
	ck_assert_int_eq(mta_rcpt(m, "<b@example.net>"),
	                 SMFIR_CONTINUE);
	kill(server.pid, SIGSTOP);
	mta_abort(m);
	mta_quit(m);
	mta_close(m);
	down(d);
	ck_assert(daemon_logged(d, ": 1 counts are lost"));
	kill(server.pid, SIGCONT);
	daemon_end(d);
	end_server();
}
END_TEST

START_TEST(a_reload_that_names_the_server_otherwise_says_so)
{
	struct daemon *d = &daemons[0];
	char text[512], out[128], *said;
	static const char *const options[] = {
		"", "prefix \"p:\"", "database 2", "database 3",
	};
	size_t i;

	daemon_prepare(d, "set limits redis \"unix:/nowhere/r\"\n");
	ck_assert_int_eq(daemon_start(d, NULL), 0);
	snprintf(out, sizeof(out), "%s/out", d->dir);
	for (i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "set limits redis "
		         "\"unix:/nowhere/r\" %s\n", options[i]);
		daemon_policy(d, text);
		ck_assert_int_eq(daemon_command(d, out, "reload", "-c",
		                                d->config, NULL), 0);
		said = read_file(out);
		ck_assert_int_eq(i > 0, strstr(said, "the new value of "
			"\"limits\" takes effect when vaglio is restarted")
			!= NULL);
		free(said);
	}
	unlink(out);
	down(d);
	daemon_end(d);
}
END_TEST

/* ---- the store itself ---- */

static void
keep(void *of, bool bad, const char *text)
{
	size_t n = strlen(told);

	(void)of;
	snprintf(told + n, sizeof(told) - n, "%s%s\n", bad ? "bad: " : "", text);
}

static struct limits *
open_store(void)
{
	const struct limit_server at = {.where = where};
	const struct limits_teller teller = {keep, NULL};
	char why[LIMITS_WHY];
	struct limits *l = limits_redis(&at, &teller, why);

	ck_assert_msg(l != NULL, "%s", why);
	limits_prepare(l, policy);
	return l;
}

static bool
begin_store(const char *text)
{
	struct diags *d = diags_new();
	size_t n;

	if (!redis_server_there())
		return false;
	begin_server();
	policy = policy_load_text(span_of(text), "t", ".", d);
	ck_assert_ptr_nonnull(policy);
	diags_free(d);
	limit = policy_limits(policy, &n);
	return true;
}

static unsigned
used(struct limits *l, const char *key)
{
	struct limits_found found;

	limits_ask(l, limit, span_of(key), 0, false, &found);
	return (unsigned)found.used;
}

START_TEST(what_is_taken_by_one_is_seen_by_all)
{
	struct limits *a, *b;
	struct limits_found found;

	if (!begin_store("limit a 200 recipients per 1h by auth\n"))
		return;
	a = open_store();
	b = open_store();
	ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 150, true, &found),
	                 TRUTH_NO);
	ck_assert_uint_eq(found.used, 0);
	ck_assert_int_eq(limits_ask(b, limit, SPAN("alice"), 51, true, &found),
	                 TRUTH_YES);
	ck_assert_uint_eq(found.used, 150);
	ck_assert_int_eq(limits_ask(b, limit, SPAN("alice"), 50, true, &found),
	                 TRUTH_NO);
	ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 1, false, &found),
	                 TRUTH_YES);
	limits_add(b, limit, SPAN("alice"), -50, found.when);
	limits_save(b);
	ck_assert_uint_eq(used(a, "alice"), 150);
	limits_add(a, limit, SPAN("alice"), 500, 0);
	limits_add(a, limit, SPAN("odd \r\n*?[x]\\ key"), 7, 0);
	limits_add(a, limit, SPAN(""), 8, 0);
	limits_save(a);
	ck_assert_uint_eq(used(b, "alice"), 650);
	ck_assert_uint_eq(used(b, "odd \r\n*?[x]\\ key"), 7);
	ck_assert_uint_eq(used(b, ""), 8);
	limits_add(a, limit, SPAN("alice"), -5000, found.when);
	limits_save(a);
	ck_assert_uint_eq(used(b, "alice"), 0);
	ck_assert_str_eq(told, "");
	limits_free(a);
	limits_free(b);
	policy_unref(policy);
	end_server();
}
END_TEST

START_TEST(what_is_past_is_forgotten_there)
{
	struct limits *a;
	struct limits_found found;
	char say[512];

	if (!begin_store("limit a 200 recipients per 1h by auth\n"))
		return;
	a = open_store();
	limits_ask(a, limit, SPAN("alice"), 1, true, &found);
	/* an hour, two parts and a minute before that part's end; 50 minutes;
	 * and what a clock said that was set back since */
	snprintf(say, sizeof(say),
	         "HSET vaglio:limit:a:recipients:auth:alice %lld 100 %lld 30 "
	         "%lld 500\n",
	         (long long)found.when - 3600000 - 480000 - 60000,
	         (long long)found.when - 3000000,
	         (long long)found.when + 2 * 3600000);
	redis_server_say(&server, say);
	ck_assert_uint_eq(used(a, "alice"), 31);
	limits_ask(a, limit, SPAN("alice"), 2, true, &found);
	ck_assert_uint_eq(used(a, "alice"), 33);
	limits_free(a);
	policy_unref(policy);
	end_server();
}
END_TEST

/* However long a message took over it. */
START_TEST(what_is_given_back_is_of_its_part)
{
	struct limits *a;
	struct limits_found found;
	int64_t first, part;
	char say[512];

	if (!begin_store("limit a 200 recipients per 1h by auth\n"))
		return;
	a = open_store();
	limits_ask(a, limit, SPAN("alice"), 7, true, &found);
	part = found.when - 239999;
	first = part - 10 * 240000;
	ck_assert_int_eq(part % 240000, 0);
	snprintf(say, sizeof(say), "HSET vaglio:limit:a:recipients:auth:alice "
	         "%lld 100\n", (long long)first);
	redis_server_say(&server, say);
	limits_add(a, limit, SPAN("alice"), -30, first + 1);
	limits_save(a);
	ck_assert_uint_eq(used(a, "alice"), 77);
	limits_add(a, limit, SPAN("alice"), -30, found.when);
	limits_save(a);
	ck_assert_uint_eq(used(a, "alice"), 70);
	limits_free(a);
	policy_unref(policy);
	end_server();
}
END_TEST

START_TEST(the_top_keys_are_found_among_thousands)
{
	struct limits *a;
	struct limits_row *rows;
	struct limits_found found;
	char key[32], why[LIMITS_WHY];
	size_t n, all;
	int i;

	if (!begin_store("limit a 200 recipients per 1h by auth\n"))
		return;
	a = open_store();
	redis_server_say(&server, "SET vaglio:limit:a:recipients:authx:no 5\n");
	for (i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		limits_add(a, limit, span_of(key), i % 100 + 1, 0);
	}
	limits_ask(a, limit, SPAN("alice"), 200, true, &found);
	limits_save(a);
	rows = limits_top(a, limit, 3, &n, &all, why);
	ck_assert_msg(rows != NULL, "%s", why);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(all, 3001);
	ck_assert_str_eq(rows[0].key, "alice");
	ck_assert_uint_eq(rows[0].used, 200);
	ck_assert_int_ge(rows[0].free_in, 3600);
	ck_assert_int_le(rows[0].free_in, 3600 + 240);
	ck_assert_uint_eq(rows[1].used, 100);
	ck_assert_int_eq(rows[1].free_in, 0);
	limits_rows_free(rows, n);
	ck_assert_int_eq(limits_clear(a, limit, SPAN("alice"), why), 1);
	ck_assert_int_eq(limits_clear(a, limit, SPAN("alice"), why), 0);
	limits_free(a);
	policy_unref(policy);
	end_server();
}
END_TEST

START_TEST(what_else_stands_under_a_key_fails)
{
	struct limits *a;
	struct limits_found found;

	if (!begin_store("limit a 200 recipients per 1h by auth\n"))
		return;
	a = open_store();
	redis_server_say(&server,
	                 "SET vaglio:limit:a:recipients:auth:alice nonsense\n"
	                 "HSET vaglio:limit:a:recipients:auth:bob x y\n");
	ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 1, true, &found),
	                 TRUTH_FAILED);
	ck_assert_ptr_nonnull(strstr(found.why, "WRONGTYPE"));
	ck_assert_int_eq(limits_ask(a, limit, SPAN("bob"), 1, true, &found),
	                 TRUTH_FAILED);
	ck_assert_int_eq(limits_ask(a, limit, SPAN("carol"), 1, true, &found),
	                 TRUTH_NO);
	ck_assert_ptr_nonnull(strstr(told, "bad: limits: redis unix:"));
	ck_assert_ptr_nonnull(strstr(told, "is there again\n"));
	limits_free(a);
	policy_unref(policy);
	end_server();
}
END_TEST

/* Each is a state that passes; what it refuses is not counted. */
START_TEST(what_the_server_refuses_fails_until_it_takes_it)
{
	static const struct {
		const char *begin, *end, *why;
	} states[] = {
		{"CONFIG SET maxmemory 1\n", "CONFIG SET maxmemory 0\n",
		 "OOM"},
		{"REPLICAOF 127.0.0.1 1\n", "REPLICAOF NO ONE\n", "READONLY"},
	};
	struct limits *a;
	struct limits_found found;
	size_t i;

	if (!begin_store("limit a 200 recipients per 1h by auth\n"))
		return;
	a = open_store();
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 10, true,
		                            &found), TRUTH_NO);
		redis_server_say(&server, states[i].begin);
		limits_add(a, limit, SPAN("alice"), -10, found.when);
		limits_save(a);
		ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 1, true,
		                            &found), TRUTH_FAILED);
		ck_assert_ptr_nonnull(strstr(found.why, states[i].why));
		ck_assert_ptr_nonnull(strstr(told, states[i].why));
		redis_server_say(&server, states[i].end);
		ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 1, true,
		                            &found), TRUTH_NO);
		ck_assert_uint_eq(found.used, 11 * i + 10);
		ck_assert_ptr_nonnull(strstr(told, "is there again; 1 counts "
		                             "were lost\n"));
		told[0] = '\0';
	}
	limits_free(a);
	ck_assert_str_eq(told, "");
	policy_unref(policy);
	end_server();
}
END_TEST

/* The old one goes on as a replica, and keeps its connections. */
START_TEST(a_server_that_another_took_the_place_of_is_left)
{
	static char second[] = "/tmp/vaglio-second-XXXXXX";
	char from[64], to[64];
	struct redis_server other;
	struct limits *a;
	struct limits_found found;

	if (!begin_store("limit a 200 recipients per 1h by auth\n"))
		return;
	a = open_store();
	ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 1, true, &found),
	                 TRUTH_NO);
	redis_server_say(&server, "REPLICAOF 127.0.0.1 1\n");
	ck_assert_ptr_nonnull(mkdtemp(second));
	redis_server_start(&other, second, NULL);
	snprintf(from, sizeof(from), "%s/r", second);
	snprintf(to, sizeof(to), "%s/r", folder);
	ck_assert_int_eq(rename(from, to), 0);
	ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 1, true, &found),
	                 TRUTH_FAILED);
	ck_assert_ptr_nonnull(strstr(found.why, "READONLY"));
	ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 1, true, &found),
	                 TRUTH_NO);
	limits_free(a);
	redis_server_stop(&other);
	ck_assert_int_eq(rmdir(second), 0);
	policy_unref(policy);
	end_server();
}
END_TEST

/* What the manual says that a user there needs. */
START_TEST(a_user_who_may_do_little_is_enough)
{
	const struct limits_teller teller = {keep, NULL};
	struct limit_server at = {.where = where, .user = "vaglio"};
	char why[LIMITS_WHY], path[96];
	struct limits_found found;
	struct limits_row *rows;
	struct limits *a;
	size_t n, all;
	FILE *f;

	if (!begin_store("limit a 200 recipients per 1h by auth\n"))
		return;
	redis_server_say(&server, "ACL SETUSER vaglio on >pw ~vaglio:limit:* "
	                 "+eval +time +hgetall +hget +hdel +hincrby +pexpire "
	                 "+del +scan\n");
	snprintf(path, sizeof(path), "%s/password", folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("pw\n", f);
	fclose(f);
	at.password_file = path;
	a = limits_redis(&at, &teller, why);
	ck_assert_msg(a != NULL, "%s", why);
	limits_prepare(a, policy);
	ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 10, true, &found),
	                 TRUTH_NO);
	/* of a time that is past, so that a field is removed, too */
	redis_server_say(&server, "HSET vaglio:limit:a:recipients:auth:alice "
	                 "1000 5\n");
	limits_add(a, limit, SPAN("alice"), -4, found.when);
	limits_save(a);
	ck_assert_uint_eq(used(a, "alice"), 6);
	rows = limits_top(a, limit, 20, &n, &all, why);
	ck_assert_msg(rows != NULL, "%s", why);
	ck_assert_uint_eq(n, 1);
	limits_rows_free(rows, n);
	ck_assert_int_eq(limits_clear(a, limit, SPAN("alice"), why), 1);
	limits_free(a);
	ck_assert_str_eq(told, "");
	unlink(path);
	policy_unref(policy);
	end_server();
}
END_TEST

START_TEST(a_login_that_the_server_does_not_know_is_told_once)
{
	static const char *const more[] = {"--requirepass", "right", NULL};
	const struct limits_teller teller = {keep, NULL};
	struct limit_server at = {.where = where};
	char why[LIMITS_WHY], path[96];
	struct limits_found found;
	struct limits *a;
	FILE *f;
	int i;

	if (!begin_store("limit a 200 recipients per 1h by auth\n"))
		return;
	redis_server_stop(&server);
	redis_server_start(&server, folder, more);
	for (i = 0; i < 2; i++) { /* none, and a wrong one */
		snprintf(path, sizeof(path), "%s/password", folder);
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fputs("wrong\n", f);
		fclose(f);
		at.password_file = i == 0 ? NULL : path;
		a = limits_redis(&at, &teller, why);
		ck_assert_msg(a != NULL, "%s", why);
		limits_prepare(a, policy);
		ck_assert_int_eq(limits_ask(a, limit, SPAN("alice"), 1, true,
		                            &found), TRUTH_FAILED);
		ck_assert_ptr_nonnull(strstr(found.why,
			i == 0 ? "NOAUTH" : "WRONGPASS"));
		limits_ask(a, limit, SPAN("alice"), 1, true, &found);
		ck_assert_ptr_eq(strchr(told, '\n'), told + strlen(told) - 1);
		told[0] = '\0';
		limits_free(a);
		unlink(path);
	}
	policy_unref(policy);
	end_server();
}
END_TEST

CHECK_MAIN("limits, shared",
	two_filters_on_one_redis_let_through_no_more_than_one,
	a_restart_of_the_filter_keeps_what_was_counted,
	a_filter_without_its_redis_defers_and_recovers,
	what_a_frozen_redis_does_not_take_is_told_at_the_end,
	a_reload_that_names_the_server_otherwise_says_so,
	what_is_taken_by_one_is_seen_by_all,
	what_is_past_is_forgotten_there,
	what_is_given_back_is_of_its_part,
	the_top_keys_are_found_among_thousands,
	what_else_stands_under_a_key_fails,
	what_the_server_refuses_fails_until_it_takes_it,
	a_server_that_another_took_the_place_of_is_left,
	a_user_who_may_do_little_is_enough,
	a_login_that_the_server_does_not_know_is_told_once)
