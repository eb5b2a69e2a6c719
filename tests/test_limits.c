/* test_limits.c - what is counted, for how long, and where it is kept. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "limits_store.h"
#include "window.h"

#define HOUR 3600000
#define BEGIN 1700000000000 /* ms */

static int64_t now = BEGIN;
static char told[4096], folder[64], path[96];
static struct policy *policy;
static const struct limit *limit; /* the policy's, in its order */
static struct limits *limits;

static int64_t
clock_of_test(void *of)
{
	(void)of;
	return now;
}

static void
keep(void *of, bool bad, const char *text)
{
	size_t n = strlen(told);

	(void)of;
	snprintf(told + n, sizeof(told) - n, "%s%s\n", bad ? "bad: " : "", text);
}

static void
load(const char *text)
{
	struct diags *d = diags_new();
	size_t n;

	policy_unref(policy);
	policy = policy_load_text(span_of(text), "test.conf", ".", d);
	if (policy == NULL)
		diags_print(d, stderr);
	diags_free(d);
	ck_assert_ptr_nonnull(policy);
	limit = policy_limits(policy, &n);
}

static void
open_limits(size_t keys, const char *file)
{
	const struct limits_teller teller = {keep, NULL};

	limits = limits_memory(keys, file, clock_of_test, NULL, &teller);
	ck_assert_ptr_nonnull(limits);
	limits_prepare(limits, policy);
}

static void
close_all(void)
{
	limits_free(limits);
	policy_unref(policy);
	policy = NULL;
}

static void
make_folder(void)
{
	strcpy(folder, "/tmp/vaglio-limits-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/limits.lmdb", folder);
}

static void
remove_folder(void)
{
	char damaged[128];

	snprintf(damaged, sizeof(damaged), "%s.damaged", path);
	unlink(damaged);
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* What is used of a key of limit number i. */
static unsigned
used(size_t i, const char *key)
{
	struct limits_found found;

	limits_ask(limits, &limit[i], span_of(key), 0, false, &found);
	return (unsigned)found.used;
}

static enum truth
take(size_t i, const char *key, uint64_t n)
{
	struct limits_found found;

	return limits_ask(limits, &limit[i], span_of(key), n, true, &found);
}

/* Takes and gives back. */
static void
give(size_t i, const char *key, uint64_t n)
{
	struct limits_found found;

	limits_ask(limits, &limit[i], span_of(key), n, true, &found);
	limits_add(limits, &limit[i], span_of(key), -(int64_t)n, found.when);
}

#define HOURLY "limit a 200 recipients per 1h by auth\n" \
	"limit b 10 messages per 1h by auth\n"

/* ---- windows ---- */

START_TEST(no_more_than_the_limit_fits_into_any_time)
{
	enum { MOST = 50, STEPS = 4000 };
	const int64_t width = window_width(3600);
	static unsigned at[STEPS];
	struct window w = {.at = BEGIN / width};
	unsigned i, j, seed = 1, sum = 0, all = 0;

	for (i = j = 0; i < STEPS; i++) { /* a minute each, irregularly */
		int64_t t = BEGIN + (int64_t)i * 60000;
		unsigned n;

		seed = seed * 1103515245 + 12345;
		n = seed >> 16 & 7;
		window_move(&w, width, t);
		at[i] = window_used(&w) + n <= MOST ? n : 0;
		window_add(&w, at[i]);
		sum += at[i];
		all += at[i];
		for (; i - j >= 60; j++)
			sum -= at[j];
		ck_assert_uint_le(sum, MOST);
	}
	/* and hardly less: one time in sixteen fifteenths of it */
	ck_assert_uint_gt(all, MOST * (STEPS / 64 - 1));
}
END_TEST

START_TEST(a_window_forgets_between_one_time_and_a_fifteenth_more)
{
	const int64_t width = window_width(3600);
	int64_t offset;

	ck_assert_int_eq(width, HOUR / 15);
	for (offset = 0; offset < width; offset += 7919) {
		struct window w = {.at = BEGIN / width};

		window_move(&w, width, BEGIN + offset);
		window_add(&w, 5);
		window_move(&w, width, BEGIN + offset + HOUR - 1);
		ck_assert_uint_eq(window_used(&w), 5);
		ck_assert_int_le(window_free(&w, width, 5),
		                 BEGIN + offset + HOUR + width);
		ck_assert_int_ge(window_free(&w, width, 5),
		                 BEGIN + offset + HOUR);
		window_move(&w, width, window_free(&w, width, 5) - 1);
		ck_assert_uint_eq(window_used(&w), 5);
		window_move(&w, width, window_free(&w, width, 5));
		ck_assert_uint_eq(window_used(&w), 0);
	}
}
END_TEST

START_TEST(a_clock_that_is_set_back_forgets_no_more_than_it_must)
{
	const int64_t width = window_width(3600);
	struct window w = {.at = BEGIN / width};

	window_add(&w, 5);
	window_move(&w, width, BEGIN - HOUR / 2);
	ck_assert_uint_eq(window_used(&w), 5);
	window_add(&w, 1);
	window_move(&w, width, BEGIN - 24LL * HOUR);
	ck_assert_uint_eq(window_used(&w), 0);
	window_add(&w, 2);
	window_move(&w, width, BEGIN);
	ck_assert_uint_eq(window_used(&w), 0);
}
END_TEST

START_TEST(what_is_given_back_is_of_its_time)
{
	const int64_t width = window_width(3600);
	struct window w = {.at = BEGIN / width};

	window_add(&w, 100);
	window_move(&w, width, BEGIN + HOUR / 2);
	window_add(&w, 50);
	window_take_back(&w, width, 100, BEGIN);
	ck_assert_uint_eq(window_used(&w), 50);
	window_move(&w, width, BEGIN + HOUR + 2 * width);
	ck_assert_uint_eq(window_used(&w), 50);
	window_take_back(&w, width, 7, BEGIN); /* long forgotten */
	ck_assert_uint_eq(window_used(&w), 50);
}
END_TEST

START_TEST(a_window_of_another_time_forgets_nothing_too_early)
{
	const int64_t hour = window_width(3600), day = window_width(86400);
	struct window w = {.at = BEGIN / hour};
	int i;

	for (i = 0; i < 15; i++) {
		window_move(&w, hour, BEGIN + i * hour);
		window_add(&w, 1);
	}
	window_refit(&w, hour, day);
	window_move(&w, day, BEGIN + 15 * hour);
	ck_assert_uint_eq(window_used(&w), 15);
	window_move(&w, day, BEGIN + 24LL * HOUR - 1);
	ck_assert_uint_eq(window_used(&w), 15);
	window_refit(&w, day, hour);
	window_move(&w, hour, BEGIN + 24LL * HOUR);
	ck_assert_uint_eq(window_used(&w), 0); /* they are a day old */
}
END_TEST

/* ---- counts ---- */

START_TEST(each_key_of_each_limit_is_counted_apart)
{
	load(HOURLY);
	open_limits(1000, NULL);
	ck_assert_int_eq(take(0, "alice", 200), TRUTH_NO);
	ck_assert_int_eq(take(0, "alice", 1), TRUTH_YES);
	ck_assert_int_eq(take(0, "bob", 1), TRUTH_NO);
	ck_assert_int_eq(take(1, "alice", 10), TRUTH_NO);
	ck_assert_int_eq(take(0, "", 3), TRUTH_NO);
	ck_assert_uint_eq(used(0, "alice"), 200);
	ck_assert_uint_eq(used(1, "alice"), 10);
	ck_assert_uint_eq(used(0, "carol"), 0);
	ck_assert_uint_eq(used(0, ""), 3);
	now += HOUR + HOUR / 15;
	ck_assert_uint_eq(used(0, "alice"), 0);
	close_all();
}
END_TEST

START_TEST(what_does_not_fit_takes_nothing)
{
	load(HOURLY);
	open_limits(1000, NULL);
	ck_assert_int_eq(take(0, "alice", 180), TRUTH_NO);
	ck_assert_int_eq(take(0, "alice", 50), TRUTH_YES);
	ck_assert_uint_eq(used(0, "alice"), 180);
	limits_add(limits, &limit[0], SPAN("alice"), 50, 0);
	ck_assert_uint_eq(used(0, "alice"), 230);
	limits_add(limits, &limit[0], SPAN("alice"), -30, now);
	ck_assert_uint_eq(used(0, "alice"), 200);
	limits_add(limits, &limit[0], SPAN("nobody"), -30, now);
	ck_assert_uint_eq(used(0, "nobody"), 0);
	close_all();
}
END_TEST

START_TEST(too_many_keys_forget_those_used_longest_ago)
{
	char key[16];
	int i;

	load(HOURLY);
	open_limits(100, NULL);
	for (i = 0; i < 150; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ck_assert_int_eq(take(0, key, 1), TRUTH_NO);
		ck_assert_int_eq(take(0, "alice", 1), TRUTH_NO);
	}
	ck_assert_int_eq(take(1, "alice", 1), TRUTH_NO);
	ck_assert_uint_eq(used(0, "alice"), 150);
	ck_assert_uint_eq(used(0, "k149"), 1);
	ck_assert_uint_eq(used(0, "k52"), 1);
	ck_assert_uint_eq(used(0, "k50"), 0);
	ck_assert_str_eq(told, "bad: limit a: more than 100 keys are in use: "
	                 "those used longest ago are forgotten (set "
	                 "limit-keys)\n");
	close_all();
}
END_TEST

START_TEST(idle_keys_make_room_unnoticed)
{
	char key[16];
	int i;

	load(HOURLY);
	open_limits(100, NULL);
	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ck_assert_int_eq(take(0, key, 1), TRUTH_NO);
		now += HOUR / 50;
	}
	ck_assert_str_eq(told, "");
	close_all();
}
END_TEST

/* It said next year, and was mended. */
START_TEST(a_clock_that_was_wrong_takes_no_room)
{
	char key[32];
	int i;

	load(HOURLY);
	open_limits(100, NULL);
	now += 365 * 24LL * HOUR;
	for (i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "wrong%d", i);
		take(0, key, 200);
	}
	now -= 365 * 24LL * HOUR;
	for (i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "right%d", i);
		take(0, key, 1);
	}
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(used(0, "wrong99"), 0);
	/* set back a little: what is taken then is given back, too */
	take(0, "alice", 5);
	now -= HOUR / 2;
	give(0, "alice", 5);
	ck_assert_uint_eq(used(0, "alice"), 5);
	close_all();
}
END_TEST

START_TEST(the_top_keys_say_when_there_is_room_again)
{
	struct limits_row *rows;
	char why[LIMITS_WHY];
	size_t n, all;

	load(HOURLY);
	open_limits(1000, NULL);
	take(0, "bob", 37);
	take(0, "alice", 200);
	take(0, "carol", 3);
	now += HOUR / 2;
	rows = limits_top(limits, &limit[0], 2, &n, &all, why);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(all, 3);
	ck_assert_str_eq(rows[0].key, "alice");
	ck_assert_uint_eq(rows[0].used, 200);
	ck_assert_int_ge(rows[0].free_in, 1800);
	ck_assert_int_le(rows[0].free_in, 1800 + 240);
	ck_assert_str_eq(rows[1].key, "bob");
	ck_assert_int_eq(rows[1].free_in, 0);
	limits_rows_free(rows, n);
	ck_assert_int_eq(limits_clear(limits, &limit[0], SPAN("alice"), why), 1);
	ck_assert_int_eq(limits_clear(limits, &limit[0], SPAN("alice"), why), 0);
	ck_assert_uint_eq(used(0, "alice"), 0);
	ck_assert_uint_eq(used(0, "bob"), 37);
	close_all();
}
END_TEST

START_TEST(a_reload_keeps_what_is_the_same_limit)
{
	load(HOURLY);
	open_limits(1000, NULL);
	take(0, "alice", 150);
	take(1, "alice", 5);
	/* another number and time; another unit */
	load("limit b 10 recipients per 1h by auth\n"
	     "limit a 100 recipients per 1d by auth\n");
	limits_prepare(limits, policy);
	ck_assert_uint_eq(used(1, "alice"), 150);
	ck_assert_int_eq(take(1, "alice", 1), TRUTH_YES);
	ck_assert_uint_eq(used(0, "alice"), 0);
	now += 23LL * HOUR;
	ck_assert_uint_eq(used(1, "alice"), 150);
	now += 3LL * HOUR;
	ck_assert_uint_eq(used(1, "alice"), 0);
	close_all();
}
END_TEST

struct taker {
	unsigned got;
};

static void *
take_many(void *of)
{
	struct taker *t = of;
	char key[16];
	int i;

	for (i = 0; i < 2000; i++) {
		t->got += take(0, "alice", 1) == TRUTH_NO;
		snprintf(key, sizeof(key), "k%d", i % 300);
		take(1, key, 1);
		if (i % 100 == 0)
			limits_save(limits);
		limits_add(limits, &limit[1], span_of(key), -1, now);
	}
	return NULL;
}

START_TEST(many_at_a_time_take_no_more_than_there_is)
{
	struct taker takers[8] = {{0}};
	pthread_t threads[8];
	unsigned i, got = 0;

	make_folder();
	load(HOURLY);
	open_limits(100, path);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_many,
		                                &takers[i]), 0);
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		got += takers[i].got;
	}
	ck_assert_uint_eq(got, 200);
	ck_assert_uint_eq(used(0, "alice"), 200);
	close_all();
	remove_folder();
}
END_TEST

/* ---- the file ---- */

START_TEST(a_restart_forgets_nothing)
{
	char key[16], why[LIMITS_WHY];
	int i;

	make_folder();
	load(HOURLY);
	open_limits(1000, path);
	for (i = 0; i < 700; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		take(0, key, (uint64_t)i % 200 + 1);
	}
	take(1, "alice", 7);
	limits_save(limits);
	limits_add(limits, &limit[0], SPAN("k3"), -2, now);
	limits_clear(limits, &limit[0], SPAN("k5"), why);
	limits_free(limits);
	now += HOUR / 2;
	open_limits(1000, path);
	for (i = 0; i < 700; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ck_assert_uint_eq(used(0, key), i == 5 ? 0 :
		                  (unsigned)i % 200 + 1 - (i == 3 ? 2 : 0));
	}
	ck_assert_uint_eq(used(1, "alice"), 7);
	ck_assert_str_eq(told, "");
	close_all();
	remove_folder();
}
END_TEST

START_TEST(a_restart_with_another_time_keeps_the_counts)
{
	make_folder();
	load(HOURLY);
	open_limits(1000, path);
	take(0, "alice", 150);
	limits_free(limits);
	load("limit a 100 recipients per 1d by auth\n");
	now += 2LL * HOUR - HOUR / 15;
	open_limits(1000, path);
	ck_assert_uint_eq(used(0, "alice"), 150);
	close_all();
	remove_folder();
}
END_TEST

START_TEST(what_is_past_goes_from_the_file)
{
	struct stat st;
	off_t first = 0;
	char key[32];
	int i, k;

	make_folder();
	load(HOURLY);
	for (i = 0; i < 20; i++) {
		open_limits(1000, path);
		for (k = 0; k < 500; k++) {
			snprintf(key, sizeof(key), "key %d of %d", k, i);
			take(0, key, 1);
		}
		if (i % 2 == 0)
			limits_free(limits);
		now += 2LL * HOUR;
		if (i % 2 != 0) {
			limits_save(limits); /* they are idle */
			limits_free(limits);
		}
		ck_assert_int_eq(stat(path, &st), 0);
		if (i == 3)
			first = st.st_size;
	}
	ck_assert_int_le(st.st_size, 2 * first);
	policy_unref(policy);
	policy = NULL;
	remove_folder();
}
END_TEST

START_TEST(what_is_past_is_not_read_again)
{
	make_folder();
	load(HOURLY);
	open_limits(1000, path);
	take(0, "alice", 150);
	limits_free(limits);
	now += 2LL * HOUR;
	open_limits(1000, path);
	ck_assert_uint_eq(used(0, "alice"), 0);
	close_all();
	remove_folder();
}
END_TEST

static void
limit_files(rlim_t size)
{
	struct rlimit r = {.rlim_cur = size, .rlim_max = RLIM_INFINITY};

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* A disk is full for whoever may not write on: the same calls fail. */
START_TEST(on_a_full_disk_counting_goes_on_and_is_saved_later)
{
	char key[32], why[LIMITS_WHY];
	bool good = true;
	int i;

	signal(SIGXFSZ, SIG_IGN);
	make_folder();
	load(HOURLY);
	open_limits(100000, path);
	take(0, "alice", 50);
	limits_save(limits);
	limit_files(65536); /* of libcheck's messages, too: none here */
	for (i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "key number %d", i);
		good &= take(0, key, 2) == TRUTH_NO;
		if (i % 500 == 0) {
			now += 11000; /* past the time to try again */
			limits_save(limits);
		}
	}
	limits_clear(limits, &limit[0], SPAN("alice"), why);
	limits_save(limits);
	limit_files(RLIM_INFINITY);
	ck_assert(good);
	ck_assert_ptr_nonnull(strstr(told, "counting goes on in memory, a "
	                             "restart would forget it\n"));
	ck_assert_ptr_null(strstr(told, "Input/output"));
	ck_assert_ptr_null(strchr(strchr(told, '\n') + 1, '\n'));
	told[0] = '\0';
	now += 11000;
	limits_save(limits);
	ck_assert_ptr_nonnull(strstr(told, ": saved again\n"));
	limits_free(limits);
	open_limits(100000, path);
	ck_assert_uint_eq(used(0, "key number 0"), 2);
	ck_assert_uint_eq(used(0, "key number 2999"), 2);
	ck_assert_uint_eq(used(0, "alice"), 0);
	close_all();
	remove_folder();
}
END_TEST

START_TEST(what_a_full_disk_took_of_a_new_file_is_not_called_damaged)
{
	char aside[sizeof(path) + 16];

	signal(SIGXFSZ, SIG_IGN);
	make_folder();
	load(HOURLY);
	limit_files(4096); /* half of what a new file begins with */
	open_limits(1000, path);
	take(0, "alice", 50);
	limits_save(limits);
	limit_files(RLIM_INFINITY);
	ck_assert_msg(strstr(told, "counting goes on in memory") != NULL,
	              "%s", told);
	ck_assert_ptr_null(strstr(told, "Input/output"));
	told[0] = '\0';
	now += 11000;
	limits_save(limits);
	ck_assert_ptr_null(strstr(told, "damaged"));
	ck_assert_ptr_nonnull(strstr(told, ": saved again\n"));
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	ck_assert_int_ne(access(aside, F_OK), 0);
	limits_free(limits);
	open_limits(1000, path);
	ck_assert_uint_eq(used(0, "alice"), 50);
	close_all();
	remove_folder();
}
END_TEST

static void
make_folder_later(int64_t later)
{
	make_folder();
	ck_assert_int_eq(rmdir(folder), 0);
	load(HOURLY);
	open_limits(1000, path);
	ck_assert_ptr_nonnull(strstr(told, "No such file or directory"));
	take(0, "alice", 50);
	limits_save(limits);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	now += later;
	limits_save(limits);
	limits_free(limits);
	open_limits(1000, path);
	ck_assert_uint_eq(used(0, "alice"), 50);
	close_all();
	remove_folder();
}

START_TEST(a_folder_that_comes_later_is_found)
{
	make_folder_later(11000);
	told[0] = '\0';
	make_folder_later(-HOUR / 2); /* the clock was wrong */
}
END_TEST

START_TEST(a_file_is_of_one_filter)
{
	struct limits *other;
	const struct limits_teller teller = {keep, NULL};

	make_folder();
	load(HOURLY);
	open_limits(1000, path);
	take(0, "alice", 50);
	other = limits_memory(1000, path, clock_of_test, NULL, &teller);
	limits_prepare(other, policy);
	ck_assert_ptr_nonnull(strstr(told, "another vaglio counts there"));
	limits_free(other);
	limits_free(limits);
	open_limits(1000, path);
	ck_assert_uint_eq(used(0, "alice"), 50);
	close_all();
	remove_folder();
}
END_TEST

static void
write_at(off_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, n, at), (ssize_t)n);
	close(fd);
}

/* Whatever stands in the file, the filter starts and counts. */
START_TEST(a_damaged_file_is_put_aside)
{
	struct stat st;
	char junk[64];
	unsigned i, seed = 7;

	memset(junk, 0xee, sizeof(junk));
	make_folder();
	load(HOURLY);
	for (i = 0; i < 60; i++) {
		unsigned k;
		char key[32];

		open_limits(1000, path);
		for (k = 0; k < 200; k++) {
			snprintf(key, sizeof(key), "key %u", k);
			take(0, key, 1);
		}
		take(0, "alice", 1);
		limits_free(limits);
		ck_assert_int_eq(stat(path, &st), 0);
		seed = seed * 1103515245 + 12345;
		if (i % 3 == 0)
			ck_assert_int_eq(truncate(path, seed % st.st_size), 0);
		else
			write_at(seed / 16 % st.st_size, junk,
			         i % 3 == 1 ? 8 : sizeof(junk));
		now += 2LL * HOUR;
	}
	open_limits(1000, path);
	ck_assert_int_eq(take(0, "alice", 1), TRUTH_NO);
	ck_assert_ptr_nonnull(strstr(told, "put aside as .damaged, counting "
	                             "begins anew\n"));
	close_all();
	remove_folder();
}
END_TEST

START_TEST(a_link_is_not_followed)
{
	char target[128];

	make_folder();
	snprintf(target, sizeof(target), "%s/target", folder);
	ck_assert_int_eq(symlink(target, path), 0);
	load(HOURLY);
	open_limits(1000, path);
	ck_assert_int_eq(take(0, "alice", 1), TRUTH_NO);
	close_all();
	ck_assert_int_ne(access(target, F_OK), 0);
	remove_folder();
}
END_TEST

/* ---- keys ---- */

static const char *
key_of(size_t i, enum value_type type, const char *text)
{
	static char out[2 * LIMITS_KEY];
	struct arena *a = arena_new(0);
	struct value v = {.type = type, .text = span_of(text)};
	struct span key;

	if (type == VALUE_IP)
		ck_assert(ip_parse(v.text, &v.ip));
	key = limits_key(a, &limit[i], &v);
	snprintf(out, sizeof(out), "%.*s", SPAN_ARG(key));
	arena_free(a);
	return out;
}

START_TEST(a_key_has_one_spelling)
{
	char longer[600], other[600];

	load("limit a 1 messages per 1h by client\n"
	     "limit b 1 messages per 1h by client/24/48\n");
	ck_assert_str_eq(key_of(0, VALUE_IP, "192.0.2.7"), "192.0.2.7");
	ck_assert_str_eq(key_of(0, VALUE_IP, "2001:db8:1:2:3:4:5:6"),
	                 "2001:db8:1:2::/64");
	ck_assert_str_eq(key_of(1, VALUE_IP, "192.0.2.7"), "192.0.2.0/24");
	ck_assert_str_eq(key_of(1, VALUE_IP, "2001:db8:1:2:3:4:5:6"),
	                 "2001:db8:1::/48");
	ck_assert_str_eq(key_of(0, VALUE_TEXT, "AlicE"), "alice");
	ck_assert_str_eq(key_of(0, VALUE_TEXT, ""), "");
	ck_assert_str_eq(key_of(0, VALUE_ADDRESS, ""), "<>");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	memcpy(other, longer, sizeof(longer));
	other[500] = 'y';
	ck_assert_uint_le(strlen(key_of(0, VALUE_TEXT, longer)), LIMITS_KEY);
	snprintf(told, sizeof(told), "%s", key_of(0, VALUE_TEXT, longer));
	ck_assert_str_ne(told, key_of(0, VALUE_TEXT, other));
	policy_unref(policy);
	policy = NULL;
}
END_TEST

CHECK_MAIN("limits",
	no_more_than_the_limit_fits_into_any_time,
	a_window_forgets_between_one_time_and_a_fifteenth_more,
	a_clock_that_is_set_back_forgets_no_more_than_it_must,
	what_is_given_back_is_of_its_time,
	a_window_of_another_time_forgets_nothing_too_early,
	each_key_of_each_limit_is_counted_apart,
	what_does_not_fit_takes_nothing,
	too_many_keys_forget_those_used_longest_ago,
	idle_keys_make_room_unnoticed,
	a_clock_that_was_wrong_takes_no_room,
	the_top_keys_say_when_there_is_room_again,
	a_reload_keeps_what_is_the_same_limit,
	many_at_a_time_take_no_more_than_there_is,
	a_restart_forgets_nothing,
	a_restart_with_another_time_keeps_the_counts,
	what_is_past_goes_from_the_file,
	what_is_past_is_not_read_again,
	on_a_full_disk_counting_goes_on_and_is_saved_later,
	what_a_full_disk_took_of_a_new_file_is_not_called_damaged,
	a_folder_that_comes_later_is_found,
	a_file_is_of_one_filter,
	a_damaged_file_is_put_aside,
	a_link_is_not_followed,
	a_key_has_one_spelling)
