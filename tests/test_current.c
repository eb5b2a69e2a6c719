/* test_current.c - the policy in force, while others replace it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "current.h"
#include "try.h"

static char folder[] = "/tmp/vaglio-current-XXXXXX";
static char path[64];
static struct diags *diags;

static void
write_policy(const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
begin(const char *text)
{
	strcpy(folder, "/tmp/vaglio-current-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/vaglio.conf", folder);
	write_policy(text);
	diags = diags_new();
}

static void
end(void)
{
	diags_free(diags);
	unlink(path);
	rmdir(folder);
}

/* The name of the policy's first rule. */
static bool
has_rule(struct current *c, const char *name)
{
	struct policy *p = current_get(c);
	bool has = policy_rules(p) == 1 &&
		span_is(policy_rule_name(p, 0), span_of(name));

	policy_unref(p);
	return has;
}

/* What was told, as a text that ends. */
static char *
told(void)
{
	static char text[4096];
	FILE *f = fmemopen(text, sizeof(text), "w");

	diags_print(diags, f);
	fclose(f);
	return text;
}

START_TEST(a_policy_that_does_not_load_does_not_start)
{
	begin("rule a if sendr accept\n");
	ck_assert_ptr_null(current_load(path, diags));
	ck_assert_uint_gt(diags_errors(diags), 0);
	end();
}
END_TEST

START_TEST(a_policy_whose_tests_fail_does_not_start)
{
	begin("rule a if helo is x.example reject\n"
	      "test \"t\" helo x.example\n"
	      "  expect accept\n");
	ck_assert_ptr_null(current_load(path, diags));
	ck_assert_ptr_nonnull(strstr(told(), "vaglio.conf:3:3: test \"t\" "
		"failed: expected accept, got reject by a at helo reply "
		"\"550 5.7.1 refused by policy\""));
	end();
}
END_TEST

START_TEST(a_reload_takes_the_place)
{
	struct current *c;
	struct policy *old;

	begin("rule a if helo is x.example reject\n");
	c = current_load(path, diags);
	ck_assert_ptr_nonnull(c);
	old = current_get(c);
	write_policy("rule b if helo is x.example reject\n");
	ck_assert(current_reload(c, diags));
	ck_assert(has_rule(c, "b"));
	/* who began with the old one keeps it */
	ck_assert(span_is(policy_rule_name(old, 0), SPAN("a")));
	policy_unref(old);
	current_free(c);
	end();
}
END_TEST

START_TEST(a_reload_that_fails_leaves_the_old_one)
{
	struct current *c;

	begin("rule a if helo is x.example reject\n");
	c = current_load(path, diags);
	write_policy("rule b if helo is\n");
	ck_assert(!current_reload(c, diags));
	ck_assert_uint_gt(diags_errors(diags), 0);
	ck_assert(has_rule(c, "a"));
	write_policy("rule b if helo is x.example reject\n"
	             "test \"t\" helo x.example expect accept\n");
	ck_assert(!current_reload(c, diags));
	ck_assert(has_rule(c, "a"));
	unlink(path);
	ck_assert(!current_reload(c, diags));
	ck_assert(has_rule(c, "a"));
	current_free(c);
	end();
}
END_TEST

static atomic_bool stop;

static void *
take_and_give(void *of)
{
	struct policy *p;

	while (!atomic_load(&stop)) {
		p = current_get(of);
		if (policy_rules(p) != 1)
			abort();
		policy_unref(p);
	}
	return NULL;
}

START_TEST(reloads_and_sessions_may_race)
{
	struct current *c;
	pthread_t threads[4];
	int i;

	begin("rule a if helo is x.example reject\n");
	c = current_load(path, diags);
	atomic_store(&stop, false);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
			take_and_give, c), 0);
	for (i = 0; i < 100; i++)
		ck_assert(current_reload(c, diags));
	atomic_store(&stop, true);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	current_free(c);
	end();
}
END_TEST

static void
write_table(const char *text)
{
	char name[80], new[80];
	FILE *f;

	snprintf(name, sizeof(name), "%s/clients", folder);
	snprintf(new, sizeof(new), "%s/new", folder);
	f = fopen(new, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(rename(new, name), 0);
}

static char heard[512];

static void
hear(void *of, bool bad, const char *text)
{
	snprintf(of, sizeof(heard), "%s%s", bad ? "bad: " : "", text);
}

/* A message from 192.0.2.1, run through the policy in force. */
static int
run_message(struct current *c)
{
	const struct scenario given = {.client = SPAN("192.0.2.1")};
	struct policy *p = current_get(c);
	FILE *out = fopen("/dev/null", "w");
	int status = try_explain(p, &given, false, NULL, out);

	fclose(out);
	policy_unref(p);
	return status;
}

/* Messages until one of them is let in (0) or refused (1), or hears. */
static void
run_until(struct current *c, int wanted, const char *hears)
{
	const struct timespec pause = {0, 20000000};
	int i, status = -1;

	for (i = 0; i < 1500; i++) {
		status = run_message(c);
		if (status == wanted && strstr(heard, hears) != NULL)
			return;
		nanosleep(&pause, NULL);
	}
	ck_abort_msg("status %d, heard: %s", status, heard);
}

START_TEST(a_tables_file_changes_without_a_reload_and_after_one)
{
	struct current *c;
	char name[80];

	begin("table <clients> file \"clients\"\n"
	      "rule r if client in <clients> reject\n");
	write_table("192.0.2.1\n");
	c = current_load(path, diags);
	ck_assert_msg(c != NULL, "%s", told());
	current_tell(c, hear, heard);
	ck_assert_int_eq(run_message(c), 1);
	write_table("192.0.2.2\n");
	run_until(c, 0, "table <clients> was read again: 1 entry");
	ck_assert(current_reload(c, diags));
	write_table("192.0.2.2\nnonsense\n");
	run_until(c, 0, "clients:2:1: \"nonsense\" is no IP address or network: "
	          "the old entries of <clients> stay in force");
	ck_assert_int_eq(strncmp(heard, "bad: ", 5), 0);
	write_table("192.0.2.0/24\n");
	run_until(c, 1, "was read again");
	current_free(c);
	snprintf(name, sizeof(name), "%s/clients", folder);
	unlink(name);
	end();
}
END_TEST

/* The resolver after a reload; what is kept of the DNS goes with it. */
static bool
keeps_resolver(const char *text)
{
	struct resolver *before, *after;
	struct current *c;
	bool same;

	begin(text);
	c = current_load(path, diags);
	ck_assert_ptr_nonnull(c);
	policy_unref(current_get_both(c, &before));
	ck_assert(current_reload(c, diags));
	policy_unref(current_get_both(c, &after));
	same = before == after;
	resolver_unref(before);
	resolver_unref(after);
	current_free(c);
	end();
	return same;
}

START_TEST(a_reload_looks_anew_for_the_systems_name_servers)
{
	ck_assert(keeps_resolver("set dns \"127.0.0.1:5353\"\n"
		"rule a accept\n"));
	ck_assert(!keeps_resolver("rule a accept\n"));
}
END_TEST

CHECK_MAIN("current", a_tables_file_changes_without_a_reload_and_after_one, a_policy_that_does_not_load_does_not_start,
	a_policy_whose_tests_fail_does_not_start, a_reload_takes_the_place,
	a_reload_that_fails_leaves_the_old_one,
	reloads_and_sessions_may_race,
           a_reload_looks_anew_for_the_systems_name_servers)
