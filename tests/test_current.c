/* test_current.c - the policy in force, while others replace it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "current.h"

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

CHECK_MAIN("current", a_policy_that_does_not_load_does_not_start,
	a_policy_whose_tests_fail_does_not_start, a_reload_takes_the_place,
	a_reload_that_fails_leaves_the_old_one,
	reloads_and_sessions_may_race)
