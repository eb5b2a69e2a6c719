/*
 * test_redis.c - tables on a Redis server, and what becomes of them when it
 * stops, freezes, forgets and lies.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "caps.h"
#include "redis.h"
#include "redis_server.h"
#include "tables.h"
#include "watch.h"

static char folder[] = "/tmp/vaglio-redis-XXXXXX";
static struct redis_server server;

/* false: there is no server to be had, and nothing to be tested. */
static bool
begin(const char *const *more)
{
	if (!redis_server_there())
		return false;
	tables_begin();
	context.recipient_delimiter = '+';
	ck_assert(mkdtemp(folder) != NULL);
	redis_server_start(&server, folder, more);
	return true;
}

static void
end(struct table *t)
{
	tables_end(t);
	redis_server_stop(&server);
	ck_assert_int_eq(rmdir(folder), 0);
}

static const char *
where(void)
{
	return arena_printf(arena, "unix:%s/r", folder).p;
}

static struct table *
open_with(const struct backend_options *o)
{
	return table_backend("t", backend_find(SPAN("redis")), where(), o,
	                     nowhere, diags);
}

static struct table *
open_table(void)
{
	static const struct backend_options options = {.prefix = "p:"};
	struct table *t = open_with(&options);

	ck_assert_msg(t != NULL, "%s", told());
	return t;
}

/* A set has no order. */
static const char *
find(const struct table *t, struct value v)
{
	return find_values(t, v, true);
}

/* ---- what a key holds ---- */

START_TEST(strings_are_split_sets_and_hashes_give_each_value_whole)
{
	struct table *t;

	if (!begin(NULL))
		return;
	redis_server_say(&server,
		"SET p:alice \"a@example.org, b@example.org c@example.net\"\n"
		"SET p:empty \"\"\n"
		"SADD p:bob d@example.org \"Bob Smith\" e@example.org\n"
		"HSET p:carol mail f@example.org alias g@example.org\n"
		"RPUSH p:dave h@example.org\n"
		"SET alice other\n");
	t = open_table();
	ck_assert_str_eq(find(t, text("Alice")),
	                 "a@example.org|b@example.org|c@example.net");
	ck_assert_str_eq(find(t, text("empty")), "");
	ck_assert_str_eq(find(t, text("bob")),
	                 "Bob Smith|d@example.org|e@example.org");
	ck_assert_str_eq(find(t, text("carol")),
	                 "f@example.org|g@example.org");
	ck_assert_str_eq(find(t, text("dave")),
	                 "!redis: the key holds no string, set or hash");
	ck_assert_str_eq(find(t, text("nobody")), "-");
	ck_assert_str_eq(find(t, text("")), "-");
	ck_assert_str_eq(find(t, (struct value){.type = VALUE_TEXT,
	                 .text = SPAN("alice\0x")}), "-");
	end(t);
}
END_TEST

START_TEST(keys_are_asked_for_in_the_forms_of_postfix)
{
	struct table *t;

	if (!begin(NULL))
		return;
	redis_server_say(&server,
		"SET p:user@example.org whole\n"
		"SET p:@example.org domain\n"
		"SET p:@.example.org under\n"
		"SET p:user@ anywhere\n"
		"SET p:192.0.2.1 one\n"
		"SET p:192.0.2 octets\n");
	t = open_table();
	ck_assert_str_eq(find(t, address("User+x@Example.ORG")), "whole");
	ck_assert_str_eq(find(t, address("joe@example.org")), "domain");
	ck_assert_str_eq(find(t, address("joe@mx.example.org")), "under");
	ck_assert_str_eq(find(t, address("user@example.com")), "anywhere");
	ck_assert_str_eq(find(t, address("joe@example.com")), "-");
	ck_assert_str_eq(find(t, ip("192.0.2.1")), "one");
	ck_assert_str_eq(find(t, ip("192.0.2.9")), "octets");
	ck_assert_str_eq(find(t, ip("192.0.3.9")), "-");
	end(t);
}
END_TEST

/* And the server is not left alone for it: other keys are still answered. */
START_TEST(too_many_values_and_too_long_ones_fail_for_their_key_alone)
{
	struct table *t;

	if (!begin(NULL))
		return;
	redis_server_say(&server, arena_printf(arena,
		"EVAL \"for i=1,%d do redis.call('SADD','p:many',i) end\" 0\n"
		"EVAL \"for i=1,%d do redis.call('SADD','p:most',i) end\" 0\n"
		"SETRANGE p:long %d x\n"
		"SET p:a b\n", CAPS_REDIS_VALUES + 1, CAPS_REDIS_VALUES,
		CAPS_REDIS_BYTES).p);
	t = open_table();
	ck_assert_str_eq(find(t, text("many")),
	                 "!redis: it answers with too many values");
	ck_assert_str_eq(find(t, text("a")), "b");
	ck_assert_str_eq(find(t, text("long")),
	                 "!redis: its answer is too long");
	ck_assert_str_eq(find(t, text("a")), "b");
	ck_assert_str_eq(find(t, text("most")), arena_printf(arena,
	                 "%d values", CAPS_REDIS_VALUES).p);
	end(t);
}
END_TEST

/* ---- logging in ---- */

static void
put(const char *name, const char *content)
{
	FILE *f = fopen(arena_printf(arena, "%s/%s", folder, name).p, "w");

	ck_assert(f != NULL && fputs(content, f) >= 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_password_a_user_and_a_database_are_told_to_each_connection)
{
	static const char *const locked[] = {
		"--requirepass", "s3cret word",
		"--user", "reader", "on", ">other", "%R~*", "+ping",
		"+select", "+get", "+smembers", "+hvals", NULL,
	};
	struct backend_options o = {.database = "2"};
	struct table *t;

	if (!begin(locked))
		return;
	redis_server_say(&server, "AUTH \"s3cret word\"\nSELECT 2\nSET a b\n"
	                 "SADD c d\nHSET e f g\n");
	ck_assert(open_with(&o) == NULL);
	ck_assert(strstr(told(), "NOAUTH") != NULL);
	put("p", "s3cret word\nnot this\n");
	o.password_file = arena_printf(arena, "%s/p", folder).p;
	t = open_with(&o);
	ck_assert_msg(t != NULL, "%s", told());
	ck_assert_str_eq(find(t, text("a")), "b");
	table_free(t);
	o.user = "reader";
	ck_assert(open_with(&o) == NULL);
	ck_assert(strstr(told(), "WRONGPASS") != NULL);
	put("p", "other");
	t = open_with(&o);
	ck_assert_msg(t != NULL, "%s", told());
	ck_assert_str_eq(find(t, text("a")), "b");
	ck_assert_str_eq(find(t, text("c")), "d");
	ck_assert_str_eq(find(t, text("e")), "g");
	o.database = "999";
	ck_assert(open_with(&o) == NULL);
	ck_assert(strstr(told(), "out of range") != NULL);
	put("p", "");
	ck_assert(open_with(&o) == NULL);
	ck_assert(strstr(told(), "/p: its first line holds no password"));
	unlink(o.password_file);
	ck_assert(open_with(&o) == NULL);
	ck_assert(strstr(told(), "/p: No such file") != NULL);
	end(t);
}
END_TEST

/* ---- the server goes ---- */

START_TEST(a_server_that_is_not_there_at_first_refuses_the_table)
{
	if (!begin(NULL))
		return;
	redis_server_stop(&server);
	ck_assert(open_with(&(struct backend_options){.prefix = NULL}) == NULL);
	ck_assert(strstr(told(), "can't open the table redis \"unix:/tmp/") &&
	          strstr(told(), "/r\": No such file or directory"));
	end(NULL);
}
END_TEST

/* It says so and hangs up, before or after it is asked. */
START_TEST(a_server_that_takes_nobody_more_says_so)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int i, holder = socket(AF_UNIX, SOCK_STREAM, 0);
	char ok[5];

	if (!begin(NULL))
		return;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/r", folder);
	ck_assert_int_eq(connect(holder, (struct sockaddr *)&un, sizeof(un)),
	                 0);
	ck_assert_int_eq(write(holder, "CONFIG SET maxclients 1\r\n", 25), 25);
	ck_assert_int_eq(read(holder, ok, 5), 5);
	for (i = 0; i < 200; i++)
		ck_assert(open_with(&(struct backend_options){
			.prefix = NULL}) == NULL);
	ck_assert_msg(strstr(told(), "Broken pipe") == NULL &&
	              strstr(told(), "Connection reset") == NULL, "%s",
	              told());
	ck_assert(strstr(told(), "max number of clients reached") != NULL);
	close(holder);
	end(NULL);
}
END_TEST

START_TEST(a_server_that_is_stopped_and_started_fails_and_comes_back)
{
	struct table *t;

	if (!begin(NULL))
		return;
	redis_server_say(&server, "SET p:a before\n");
	t = open_table();
	ck_assert_str_eq(find(t, text("a")), "before");
	redis_server_stop(&server);
	ck_assert_str_eq(find(t, text("a")), "!redis: No such file or directory");
	ck_assert_str_eq(find(t, text("a")), "!redis: it is down");
	redis_server_start(&server, folder, NULL);
	redis_server_say(&server, "SET p:a after\n");
	becomes(t, text("a"), "after");
	end(t);
}
END_TEST

/* The connections that were kept are dead, and nobody notices. */
START_TEST(a_server_started_anew_between_two_questions_goes_unnoticed)
{
	struct table *t;

	if (!begin(NULL))
		return;
	redis_server_say(&server, "SET p:a before\n");
	t = open_table();
	ck_assert_str_eq(find(t, text("a")), "before");
	redis_server_stop(&server);
	redis_server_start(&server, folder, NULL);
	redis_server_say(&server, "SET p:a after\n");
	ck_assert_str_eq(find(t, text("a")), "after");
	end(t);
}
END_TEST

/* A value of an address asks many keys: the deadline is for all of them. */
START_TEST(a_frozen_server_costs_one_deadline_then_nothing_until_it_thaws)
{
	int64_t begun, taken;
	struct table *t;
	int i;

	if (!begin(NULL))
		return;
	redis_server_say(&server, "SET p:@example.org after\n");
	t = open_table();
	ck_assert_str_eq(find(t, address("x+y@example.org")), "after");
	ck_assert_int_eq(kill(server.pid, SIGSTOP), 0);
	begun = watch_clock();
	ck_assert_str_eq(find(t, address("x+y@example.org")),
	                 "!redis: Connection timed out");
	taken = watch_clock() - begun;
	ck_assert_int_ge(taken, 2900000000);
	ck_assert_int_lt(taken, 6000000000);
	begun = watch_clock();
	for (i = 0; i < 100; i++)
		ck_assert_str_eq(find(t, address("x+y@example.org")),
		                 "!redis: it is down");
	ck_assert_int_lt(watch_clock() - begun, 450000000);
	ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
	becomes(t, address("x+y@example.org"), "after");
	end(t);
}
END_TEST

START_TEST(a_server_that_answers_errors_fails_and_keeps_its_connection)
{
	struct table *t;

	if (!begin(NULL))
		return;
	redis_server_say(&server, "SET p:a b\nSET p:c d\n");
	t = open_table();
	ck_assert_str_eq(find(t, text("a")), "b");
	redis_server_say(&server, "ACL SETUSER default -get\n");
	ck_assert(strstr(find(t, text("a")), "!redis says: NOPERM") != NULL);
	redis_server_say(&server, "ACL SETUSER default +get\n");
	ck_assert_str_eq(find(t, text("a")), "b");
	end(t);
}
END_TEST

/* ---- a server that is none ---- */

struct liar {
	int fd;
	pthread_t thread;
	const char *says;
	size_t n;
};

static void *
lie(void *of)
{
	struct liar *s = of;
	char question[1024];
	const char *reply = "+PONG\r\n";
	size_t n = 7;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		while (read(fd, question, sizeof(question)) > 0) {
			if (write(fd, reply, n) < 0 || n != 7)
				break;
			reply = s->says;
			n = s->n;
		}
		close(fd);
	}
	return NULL;
}

static void
start_liar(struct liar *s)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/r", folder);
	s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(s->fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(s->fd, 8), 0);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, lie, s), 0);
}

START_TEST(nonsense_of_any_kind_fails_and_never_grows)
{
	const struct { struct span says; const char *found; } bad[] = {
		{SPAN("hello\r\n"), "!redis: Protocol error"},
		{SPAN("*1000000000\r\n"),
		 "!redis: it answers with too many values"},
		{SPAN("*4000000000000\r\n"), "!redis: Protocol error"},
		{SPAN("$1000000000\r\nx"), "!redis: Connection reset by peer"},
		{SPAN("$-2\r\n"), "!redis: Protocol error"},
		{SPAN("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
		      "*1\r\n*1\r\n"), "!redis: Protocol error"},
		{SPAN("$1\r\nx\r\n+more\r\n"), "!redis: Protocol error"},
		{SPAN("*1\r\n:1\r\n"), ""},
		{SPAN(":1\r\n"), "!redis: an answer to something else"},
		{SPAN("-ERR a\x1b[1mb\r\n"), "!redis says: ERR a\x1b[1mb"},
	};
	struct table *t;
	struct liar liar;
	size_t i;

	if (!begin(NULL))
		return;
	redis_server_stop(&server);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		liar = (struct liar){.says = bad[i].says.p,
		                     .n = bad[i].says.n};
		start_liar(&liar);
		t = open_table();
		ck_assert_str_eq(find(t, text("a")), bad[i].found);
		ck_assert_uint_lt(arena_used(arena), 4 << 20);
		table_free(t);
		shutdown(liar.fd, SHUT_RDWR);
		pthread_join(liar.thread, NULL);
		close(liar.fd);
		unlink(where() + 5);
	}
	end(NULL);
}
END_TEST

/* ---- threads ---- */

struct crowd {
	const struct table *table;
	atomic_bool done;
	atomic_uint right, failed, wrong;
	atomic_llong longest; /* ns of one question */
};

static void
count(struct crowd *crowd, enum table_result result,
      const struct table_answer *answer)
{
	if (result == TABLE_FAILED)
		atomic_fetch_add(&crowd->failed, 1);
	else if (result == TABLE_YES && answer->n == 1 &&
	         span_is(answer->values[0], SPAN("b")))
		atomic_fetch_add(&crowd->right, 1);
	else
		atomic_fetch_add(&crowd->wrong, 1);
}

static void *
ask_on(void *of)
{
	struct crowd *crowd = of;
	struct arena *a = arena_new(0);
	struct value v = text("a");
	struct table_answer answer;
	enum table_result result;
	int64_t begun, taken;

	while (!atomic_load(&crowd->done)) {
		begun = watch_clock();
		result = table_find(crowd->table, &v, &context, a, &answer);
		taken = watch_clock() - begun;
		if (taken > atomic_load(&crowd->longest))
			atomic_store(&crowd->longest, taken);
		count(crowd, result, &answer);
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

/* More of it than there was. */
static void
wait_for_more(atomic_uint *what)
{
	const struct timespec pause = {0, 10000000};
	unsigned before = atomic_load(what);
	int i;

	for (i = 0; i < 3000 && atomic_load(what) == before; i++)
		nanosleep(&pause, NULL);
	ck_assert_uint_gt(atomic_load(what), before);
}

START_TEST(threads_get_the_right_answer_or_a_failure_whatever_the_server_does)
{
	struct crowd crowd = {0};
	pthread_t threads[12];
	struct table *t;
	int i;

	if (!begin(NULL))
		return;
	redis_server_say(&server, "SET p:a b\n");
	crowd.table = t = open_table();
	for (i = 0; i < 12; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_on,
		                                &crowd), 0);
	wait_for_more(&crowd.right);
	ck_assert_int_eq(kill(server.pid, SIGSTOP), 0);
	wait_for_more(&crowd.failed);
	ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
	wait_for_more(&crowd.right);
	redis_server_say(&server, "ACL SETUSER default -get\n");
	wait_for_more(&crowd.failed);
	redis_server_say(&server, "ACL SETUSER default +get\n");
	wait_for_more(&crowd.right);
	redis_server_stop(&server);
	wait_for_more(&crowd.failed);
	atomic_store(&crowd.done, true);
	for (i = 0; i < 12; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&crowd.wrong), 0);
	ck_assert_int_lt(atomic_load(&crowd.longest), 8000000000);
	end(t);
}
END_TEST

CHECK_MAIN("redis",
	strings_are_split_sets_and_hashes_give_each_value_whole,
	keys_are_asked_for_in_the_forms_of_postfix,
	too_many_values_and_too_long_ones_fail_for_their_key_alone,
	a_password_a_user_and_a_database_are_told_to_each_connection,
	a_server_that_is_not_there_at_first_refuses_the_table,
	a_server_that_takes_nobody_more_says_so,
	a_server_that_is_stopped_and_started_fails_and_comes_back,
	a_server_started_anew_between_two_questions_goes_unnoticed,
	a_frozen_server_costs_one_deadline_then_nothing_until_it_thaws,
	a_server_that_answers_errors_fails_and_keeps_its_connection,
	nonsense_of_any_kind_fails_and_never_grows,
	threads_get_the_right_answer_or_a_failure_whatever_the_server_does)
