/*
 * test_survive.c - the filter at work while its tables' data goes, freezes,
 * breaks and comes back. Whatever happens, who may send is let in or
 * deferred and who may not is refused or deferred; nothing else.
 *
 * With SURVIVE_LINES=5000000 a table of so many lines is loaded, too.
 */
#include <fcntl.h>
#include <libmilter/mfdef.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "daemon.h"
#include "dns_server.h"
#include "mta.h"
#include "redis_server.h"

#define CROWD 4
#define RULE                                                              \
	"rule owns\n"                                                     \
	"  unless sender in <logins>[helo]\n"                             \
	"  reject 553 5.7.1 \"not yours\"\n"

static struct daemon d;
static struct redis_server redis;

static const char *
path(const char *name)
{
	static char paths[4][160];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, sizeof(paths[0]), "%.64s/%.80s", d.dir, name);
	return p;
}

static void
put(const char *name, const char *text, size_t n)
{
	FILE *f = fopen(path(name), "w");

	ck_assert(f != NULL && fwrite(text, 1, n, f) == n);
	ck_assert_int_eq(fclose(f), 0);
}

/* ---- mail ---- */

struct crowd {
	pthread_t threads[CROWD];
	atomic_bool done;
	atomic_uint let_in, refused, deferred, wrong;
	atomic_long longest; /* ms for a message */
};

static struct crowd crowd;

static long
milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What a message came to: 0 let in, else the reply's code; -1: no answer. */
static int
send_one(struct mta *m, const char *sender)
{
	int got = mta_message(m, sender, "<user@example.com>", "hello");

	if (got == SMFIR_ACCEPT || got == SMFIR_CONTINUE)
		return 0;
	if (got != SMFIR_REPLYCODE)
		return -1;
	mta_abort(m);
	return (int)strtol(m->text, NULL, 10);
}

static void
count(int got, int wanted)
{
	if (got == 451)
		atomic_fetch_add(&crowd.deferred, 1);
	else if (got != wanted)
		atomic_fetch_add(&crowd.wrong, 1);
	else if (got == 0)
		atomic_fetch_add(&crowd.let_in, 1);
	else
		atomic_fetch_add(&crowd.refused, 1);
}

static struct mta *
meet(void)
{
	struct mta *m = mta_meet(d.socket);

	ck_assert_ptr_nonnull(m);
	mta_connect(m, "a.example.net", "192.0.2.1");
	mta_helo(m, "alice");
	return m;
}

static void *
send_mail(void *of)
{
	const struct timespec pause = {0, 2000000}; /* not to drown the log */
	struct mta *m = meet();
	long begun, took;

	(void)of;
	while (!atomic_load(&crowd.done)) {
		begun = milliseconds();
		count(send_one(m, "<alice@example.org>"), 0);
		count(send_one(m, "<boss@example.org>"), 553);
		took = (milliseconds() - begun) / 2;
		if (took > atomic_load(&crowd.longest))
			atomic_store(&crowd.longest, took);
		nanosleep(&pause, NULL);
	}
	mta_quit(m);
	mta_close(m);
	return NULL;
}

static void
start_crowd(void)
{
	int i;

	for (i = 0; i < CROWD; i++)
		ck_assert_int_eq(pthread_create(&crowd.threads[i], NULL,
		                                send_mail, NULL), 0);
}

static void
end_crowd(void)
{
	int i;

	atomic_store(&crowd.done, true);
	for (i = 0; i < CROWD; i++)
		pthread_join(crowd.threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&crowd.wrong), 0);
	ck_assert_int_lt(atomic_load(&crowd.longest), 8000);
}

#define wait_for_more(what) wait_in_line(what, __LINE__)

static void
wait_in_line(atomic_uint *what, int line)
{
	const struct timespec pause = {0, 5000000};
	unsigned before = atomic_load(what);
	int i;

	for (i = 0; i < 6000 && atomic_load(what) == before; i++)
		nanosleep(&pause, NULL);
	ck_assert_msg(atomic_load(what) > before, "line %d", line);
}

/* Twice: the first may have been on its way when the change was made. */
#define serves() serves_in_line(__LINE__)

static void
serves_in_line(int line)
{
	int i;

	for (i = 0; i < 2; i++) {
		wait_in_line(&crowd.let_in, line);
		wait_in_line(&crowd.refused, line);
	}
}

static void
begin(const char *policy)
{
	daemon_prepare(&d, policy);
}

static void
up(const char *format)
{
	char policy[1024];

	snprintf(policy, sizeof(policy), format, d.dir);
	daemon_policy(&d, policy);
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
}

/* The same process that was started, and it has nothing to say. */
static void
down(void)
{
	ck_assert_int_eq(daemon_stop(&d), 0);
	ck_assert(daemon_is_clean(&d));
	daemon_end(&d);
}

/* ---- Redis ---- */

static void
start_redis(void)
{
	redis_server_start(&redis, d.dir, NULL);
	redis_server_say(&redis, "SADD p:alice alice@example.org\n");
}

START_TEST(redis_is_frozen_errs_stops_and_is_started_again)
{
	struct mta *m;
	unsigned lines;

	if (!redis_server_there())
		return;
	begin("");
	start_redis();
	up("table <logins> redis \"unix:%s/r\" prefix \"p:\"\n" RULE);
	start_crowd();
	serves();
	ck_assert_int_eq(kill(redis.pid, SIGSTOP), 0);
	wait_for_more(&crowd.deferred);
	ck_assert(daemon_logs(&d, "Connection timed out"));
	ck_assert_int_eq(kill(redis.pid, SIGCONT), 0);
	serves();
	redis_server_say(&redis, "ACL SETUSER default -smembers\n");
	wait_for_more(&crowd.deferred);
	ck_assert(daemon_logs(&d, "redis says: NOPERM"));
	redis_server_say(&redis, "ACL SETUSER default +smembers\n");
	serves();
	redis_server_stop(&redis);
	wait_for_more(&crowd.deferred);
	ck_assert(daemon_logs(&d, "why=\"table logins failed: redis: it is "
	                      "down\""));
	start_redis();
	serves();
	end_crowd();
	/* one line a message, which says what is wrong */
	redis_server_stop(&redis);
	m = meet();
	lines = daemon_count(&d, ": tempfail: ");
	ck_assert_int_eq(send_one(m, "<alice@example.org>"), 451);
	ck_assert_int_eq(strncmp(m->text, "451 4.3.0 temporary failure in "
	                         "rule owns", 40), 0);
	ck_assert(daemon_logs(&d, "redis: "));
	ck_assert_uint_eq(daemon_count(&d, ": tempfail: "), lines + 1);
	mta_close(m);
	down();
}
END_TEST

/* ---- files of postmap ---- */

static bool
postmap(const char *type, const char *text)
{
	const struct timespec old[2] = {{.tv_sec = 1000000000},
	                                {.tv_sec = 1000000000}};
	char what[256];
	int status;
	pid_t pid;

	put("t", text, strlen(text));
	utimensat(AT_FDCWD, path("t"), old, 0); /* postmap waits for it */
	put("main.cf", "compatibility_level = 3.6\n"
	    "myhostname = mail.example.org\n", 56);
	utimensat(AT_FDCWD, path("main.cf"), old, 0);
	snprintf(what, sizeof(what), "%s:%s", type, path("t"));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		execl("/usr/sbin/postmap", "postmap", "-c", d.dir, what,
		      (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	check_skip("postmap for lmdb or cdb");
	return false;
}

/* Of some pages, in which alice's changes place. */
static char *
big_map(unsigned turn)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	unsigned i;

	for (i = 0; i < 2000; i++)
		fprintf(out, i == turn * 97 % 2000 ?
		        "alice alice@example.org\n" :
		        "user%u user%u@example.org\n", i, i);
	fclose(out);
	return text;
}

/* Each page but the first two is overwritten with what it is not. */
static void
spoil(const char *name)
{
	char page[4096];
	struct stat st;
	int fd = open(path(name), O_WRONLY);
	off_t at;

	ck_assert(fd >= 0 && fstat(fd, &st) == 0);
	memset(page, 0xa5, sizeof(page));
	for (at = 8192; at < st.st_size; at += 4096)
		ck_assert_int_eq(pwrite(fd, page, 4096, at), 4096);
	close(fd);
}

static void
check_file_of_postmap(const char *type, const char *file)
{
	char policy[256];
	unsigned turn;
	char *text;
	struct stat st;

	begin("");
	text = big_map(0);
	if (!postmap(type, text)) { /* there is none of this type here */
		free(text);
		daemon_end(&d);
		return;
	}
	snprintf(policy, sizeof(policy), "table <logins> %s \"%%s/t\"\n" RULE,
	         type);
	up(policy);
	start_crowd();
	for (turn = 1; turn <= 4; turn++) {
		free(text);
		text = big_map(turn);
		serves();
		ck_assert(postmap(type, text)); /* in place, or by a rename */
		serves();
		ck_assert_int_eq(stat(path(file), &st), 0);
		ck_assert_int_eq(truncate(path(file), st.st_size / 2), 0);
		wait_for_more(&crowd.deferred);
		ck_assert_int_eq(unlink(path(file)), 0);
		ck_assert(postmap(type, text));
		serves();
		spoil(file);
		wait_for_more(&crowd.deferred);
		ck_assert_int_eq(unlink(path(file)), 0);
		ck_assert(postmap(type, text));
	}
	serves();
	end_crowd();
	free(text);
	down();
}

START_TEST(an_lmdb_file_is_replaced_cut_off_and_spoilt)
{
	check_file_of_postmap("lmdb", "t.lmdb");
}
END_TEST

START_TEST(a_cdb_file_is_replaced_cut_off_and_spoilt)
{
	check_file_of_postmap("cdb", "t.cdb");
}
END_TEST

/* ---- files of text ---- */

/* As an editor or a script does it: cut off, then written piece by piece. */
static void
rewrite(const char *name, const char *text)
{
	const struct timespec pause = {0, 10000000};
	size_t n = strlen(text), at, piece = n / 20;
	FILE *f = fopen(path(name), "w");

	ck_assert_ptr_nonnull(f);
	for (at = 0; at < n; at += piece) {
		ck_assert_uint_gt(fwrite(text + at, 1,
		                  n - at < piece ? n - at : piece, f), 0);
		fflush(f);
		nanosleep(&pause, NULL);
	}
	fclose(f);
}

START_TEST(a_text_file_is_written_anew_in_place_under_load)
{
	char *text = big_map(0);
	unsigned turn;

	begin("");
	put("t", text, strlen(text));
	up("table <logins> file \"%s/t\"\n" RULE);
	start_crowd();
	for (turn = 1; turn <= 6; turn++) {
		free(text);
		text = big_map(turn);
		serves();
		rewrite("t", text);
	}
	ck_assert(daemon_logs(&d, "table <logins> was read again: 2000 entries"));
	put("t", "\"broken\n", 8);
	ck_assert(daemon_logs(&d, "the old entries of <logins> stay in force"));
	serves();
	ck_assert_uint_eq(daemon_count(&d, "stay in force"), 1);
	end_crowd();
	ck_assert_uint_eq(atomic_load(&crowd.deferred), 0);
	free(text);
	down();
}
END_TEST

/* Kilobytes, of the filter's memory that is not shared. */
static unsigned long
memory_of(pid_t pid, const char *what)
{
	char name[64], *text, *at;
	unsigned long kb;

	snprintf(name, sizeof(name), "/proc/%ld/status", (long)pid);
	text = read_file(name);
	at = strstr(text, what);
	kb = at == NULL ? 0 : strtoul(at + strlen(what), NULL, 10);
	free(text);
	return kb;
}

START_TEST(a_table_of_millions_of_lines_is_loaded_and_read_again_under_load)
{
	const char *lines = getenv("SURVIVE_LINES");
	unsigned long n = lines == NULL ? 200000 : strtoul(lines, NULL, 10), i;
	struct stat st;
	long begun;
	FILE *f;

	begin("");
	f = fopen(path("t"), "w");
	ck_assert_ptr_nonnull(f);
	fputs("alice alice@example.org\n", f);
	for (i = 1; i < n; i++)
		fprintf(f, "user%lu.host%lu.example.org u%lu@example.org\n", i,
		        i % 5000, i);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(stat(path("t"), &st), 0);
	begun = milliseconds();
	up("table <logins> file \"%s/t\"\n" RULE);
	printf("%lu lines, %ld MB: up in %ld ms with %lu MB\n", n,
	       (long)(st.st_size >> 20), milliseconds() - begun,
	       memory_of(d.pid, "VmRSS:") >> 10);
	start_crowd();
	serves();
	f = fopen(path("t"), "a");
	ck_assert(f != NULL && fputs("late late@example.org\n", f) >= 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert(daemon_logs(&d, "table <logins> was read again"));
	serves();
	atomic_store(&crowd.longest, 0); /* one message waited for it */
	end_crowd();
	printf("read again: at most %lu MB\n", memory_of(d.pid, "VmHWM:") >> 10);
	down();
}
END_TEST

/* ---- explain ---- */

static int
lists(struct dns_reply *r, void *of)
{
	(void)of;
	dns_reply_add(r, r->name, 1, 60, "\x7f\0\0\2", 4);
	return 0;
}

START_TEST(explain_asks_tables_in_the_dns_when_spf_is_given)
{
	struct dns_server *s = dns_server_start(lists, NULL);
	char policy[256], *said;

	snprintf(policy, sizeof(policy),
	         "set dns \"%s\"\ntable <zen> dns \"zen.example.org\"\n"
	         "rule r if client in <zen> and spf is fail on error tempfail\n"
	         "  reject\n", dns_server_address(s));
	begin(policy);
	ck_assert_int_eq(daemon_command(&d, path("said"), "explain", "-c",
	                                d.config, "--client", "192.0.2.1",
	                                "--spf", "fail", NULL), 1);
	said = read_file(path("said"));
	ck_assert_msg(strstr(said, "1.2.0.192.zen.example.org A: 127.0.0.2")
	              != NULL, "%s", said);
	ck_assert_uint_eq(dns_server_questions(s), 1);
	free(said);
	ck_assert_int_eq(daemon_command(&d, path("said"), "explain", "-c",
	                                d.config, "--client", "192.0.2.1",
	                                "--spf", "fail", "--offline", NULL),
	                 75);
	ck_assert_uint_eq(dns_server_questions(s), 1);
	daemon_end(&d);
	dns_server_stop(s);
}
END_TEST

CHECK_MAIN("survive",
	redis_is_frozen_errs_stops_and_is_started_again,
	an_lmdb_file_is_replaced_cut_off_and_spoilt,
	a_cdb_file_is_replaced_cut_off_and_spoilt,
	a_text_file_is_written_anew_in_place_under_load,
	a_table_of_millions_of_lines_is_loaded_and_read_again_under_load,
	explain_asks_tables_in_the_dns_when_spf_is_given)
